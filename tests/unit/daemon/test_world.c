/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/daemon/changes.h"
#include "../../../src/daemon/fixed.h"
#include "../../../src/daemon/reload.h"
#include "../../../src/daemon/world.h"
#include "../control/files.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/plan/explain.h"

/* ---- a world from real files ---- */

struct stage {
	struct files files;
	struct event_base *base;
	struct jobs *jobs;
	struct world world;
	struct reload reload;
	struct fixed fixed;
	unsigned swapped;
};

static const struct snapshot *read_files(const struct stage *stage)
{
	struct report report = {0};
	const struct snapshot *snapshot =
		snapshot_read(stage->files.settings_path, &(struct snapshot_options){0}, &report);

	if (!snapshot || report.error_count > 0)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	return snapshot;
}

static void on_swapped(void *context)
{
	struct stage *stage = context;

	stage->swapped++;
}

static void begin(struct stage *stage)
{
	const struct snapshot *snapshot = read_files(stage);
	struct err err;
	struct state *state = state_open(snapshot->settings->state_path, &err);

	if (!state)
		fail_msg("%s", err.text);
	fixed_init(&stage->fixed, snapshot->settings);
	world_init(&stage->world, snapshot, state, stage->jobs);
	stage->reload = (struct reload){
		.path = stage->files.settings_path,
		.jobs = stage->jobs,
		.world = &stage->world,
		.fixed = &stage->fixed,
		.swapped = on_swapped,
		.context = stage,
	};
	reload_init(&stage->reload);
}

static void turn_until_idle(struct stage *stage)
{
	while (!jobs_is_idle(stage->jobs))
		event_base_loop(stage->base, EVLOOP_ONCE);
}

/* As at the end of a process; `saves`: not by kill -9. */
static void end(struct stage *stage, bool saves)
{
	turn_until_idle(stage);
	if (saves)
		world_save(&stage->world);
	world_done(&stage->world);
	reload_done(&stage->reload);
	fixed_done(&stage->fixed);
}

static int set_up(void **state)
{
	struct stage *stage = memory_new(sizeof(*stage));
	struct err err;

	files_init(&stage->files);
	stage->base = event_base_new();
	stage->jobs = jobs_new(stage->base, &err);
	assert_non_null(stage->jobs);
	begin(stage);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	end(stage, false);
	jobs_free(stage->jobs);
	event_base_free(stage->base);
	files_done(&stage->files);
	free(stage);
	return 0;
}

/* What a client near Frankfurt gets: "192.0.2.10 192.0.2.11 ". */
static char *answer(const struct stage *stage, const char *name)
{
	struct explain_request asked = {.name = name, .type = DNS_TYPE_A};
	struct explain explain;
	struct err err;
	struct text text = {0};

	assert_true(prefix_parse("198.18.7.0/24", &asked.client, &err));
	if (!explain_query(live_current(stage->world.live), &stage->world.verdicts, &asked,
		    &explain, &err))
		fail_msg("%s", err.text);
	text_add(&text, "");
	for (size_t i = 0; i < explain.choice->steps[0].count; i++) {
		struct address address = {.family = ADDRESS_IPV4};
		char one[ADDRESS_TEXT_SIZE];

		memcpy(address.bytes, explain.choice->addresses + 4 * i, 4);
		address_print(&address, one);
		text_print(&text, "%s ", one);
	}
	explain_done(&explain);
	return text.bytes;
}

static void assert_answer(const struct stage *stage, const char *name, const char *want)
{
	char *got = answer(stage, name);

	if (strcmp(got, want) != 0)
		fail_msg("%s gets %s, not %s", name, got, want);
	free(got);
}

/* The newest table with the checks of one address changed; a copy, as the prober would send it. */
static struct verdict_table table_with(
	const struct stage *stage, const char *text, enum verdict_state verdict_state)
{
	struct verdict_table table = stage->world.verdicts;
	struct address address = {0};

	(void)address_parse(text, &address);
	table.rows = memory_copy(table.rows, table.count * sizeof(table.rows[0]));
	for (size_t i = 0; i < table.count; i++) {
		struct verdict *row = &table.rows[i];

		if (!address_is_equal(&row->address, &address))
			continue;
		*row = (struct verdict){.target = row->target,
			.address = address,
			.state = (uint8_t)verdict_state,
			.since_unix_s = 1700000000 + (verdict_state == VERDICT_UP ? 300 : 0),
			.checked_at_unix_s = 1700000300,
			.streak = 3,
			.last_passed = verdict_state == VERDICT_UP};
		strcpy(row->reason,
			verdict_state == VERDICT_UP ? "" : "connect timed out after 2 s");
	}
	return table;
}

static void take(struct stage *stage, const char *address, enum verdict_state verdict_state)
{
	struct verdict_table table = table_with(stage, address, verdict_state);

	world_take_verdicts(&stage->world, &table);
	verdict_table_done(&table);
}

static uint64_t generation(const struct stage *stage)
{
	return live_current(stage->world.live)->generation;
}

/* ---- verdicts ---- */

static void verdicts_reach_answers(void **state)
{
	struct stage *stage = *state;
	uint64_t before = generation(stage);

	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
	take(stage, "192.0.2.10", VERDICT_DOWN);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	assert_answer(stage, "api.files.example", "192.0.2.99 ");
	assert_int_equal(generation(stage), before + 1);
	/* the same again: nothing is published */
	take(stage, "192.0.2.10", VERDICT_DOWN);
	assert_int_equal(generation(stage), before + 1);
	take(stage, "192.0.2.10", VERDICT_UP);
	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
	assert_int_equal(generation(stage), before + 2);
}

/* The states of the newest table's rows, with those of one address changed. */
static void take_states(struct stage *stage, const char *text, enum verdict_state verdict_state)
{
	const struct verdict_table *table = &stage->world.verdicts;
	uint8_t bits[64] = {0};
	const struct link_states states = {
		.generation = table->generation, .row_count = table->count, .bits = bits};
	struct address address = {0};

	assert_true(address_parse(text, &address));
	assert_true(link_states_size(table->count) <= sizeof(bits));
	for (size_t i = 0; i < table->count; i++)
		link_states_set(bits, i,
			address_is_equal(&table->rows[i].address, &address) ? (uint8_t)verdict_state
									    : table->rows[i].state);
	world_take_states(&stage->world, &states);
}

static void states_reach_answers(void **state)
{
	struct stage *stage = *state;
	uint64_t before = generation(stage);

	take_states(stage, "192.0.2.10", VERDICT_DOWN);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	assert_int_equal(generation(stage), before + 1);
	assert_true(stage->world.said.rows != NULL); /* what is to be said with the next table */
	/* the same again: nothing is published */
	take_states(stage, "192.0.2.10", VERDICT_DOWN);
	assert_int_equal(generation(stage), before + 1);
	take(stage, "192.0.2.10", VERDICT_DOWN);
	assert_null(stage->world.said.rows);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	take_states(stage, "192.0.2.10", VERDICT_UP);
	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
}

static void wrong_generation(struct verdict_table *table)
{
	table->generation++;
}

static void row_missing(struct verdict_table *table)
{
	table->count--;
}

static void no_rows(struct verdict_table *table)
{
	table->count = 0;
}

static void row_of_no_target(struct verdict_table *table)
{
	table->rows[table->count - 1].target = 4711;
}

static void another_address(struct verdict_table *table)
{
	table->rows[0].address.bytes[3] = 77;
}

static void row_twice(struct verdict_table *table)
{
	table->rows[1] = table->rows[0];
}

static const struct {
	const char *about;
	void (*spoil)(struct verdict_table *table);
} wrong_tables[] = {
	{"of another snapshot", wrong_generation},
	{"a row is missing", row_missing},
	{"empty", no_rows},
	{"of a target that is not there", row_of_no_target},
	{"of an address that nobody asked about", another_address},
	{"the same row twice", row_twice},
};

static void wrong_tables_change_nothing(void **state)
{
	struct stage *stage = *state;
	uint64_t before = generation(stage);

	for (size_t i = 0; i < COUNT_OF(wrong_tables); i++) {
		struct verdict_table table = table_with(stage, "192.0.2.10", VERDICT_DOWN);

		wrong_tables[i].spoil(&table);
		if (world_take_verdicts(&stage->world, &table) || generation(stage) != before ||
			!table.rows)
			fail_msg("%s: taken", wrong_tables[i].about);
		verdict_table_done(&table);
	}
	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
}

/* ---- what is said about it ---- */

static const struct {
	const char *address;
	enum verdict_state verdict_state;
	const char *want;
} changes[] = {
	{"192.0.2.10", VERDICT_DOWN,
		"downloads/fra-1 192.0.2.10 (and 1 more member) went down: 3 checks failed in a "
		"row, last: connect timed out after 2 s\n"},
	{"192.0.2.10", VERDICT_DOWN, ""},
	{"192.0.2.10", VERDICT_UP,
		"downloads/fra-1 192.0.2.10 (and 1 more member) is up again after 5 min: 3 checks "
		"passed in a row\n"},
	{"2001:db8:1::10", VERDICT_UP,
		"downloads/fra-1 2001:db8:1::10 is up: its first check passed\n"},
	{"192.0.2.99", VERDICT_DOWN, ""}, /* is not checked */
};

static void changes_in_words(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct verdict_table table =
			table_with(stage, changes[i].address, changes[i].verdict_state);
		struct text lines = {0};

		text_add(&lines, "");

		size_t count = changes_print(
			world_snapshot(&stage->world), &stage->world.verdicts, &table, &lines);

		assert_string_equal(lines.bytes, changes[i].want);
		assert_int_equal(count, *changes[i].want != '\0');
		world_take_verdicts(&stage->world, &table);
		verdict_table_done(&table);
		text_done(&lines);
	}
}

/* ---- overrides ---- */

static void say_override(
	struct stage *stage, enum override_kind kind, const char *subject, uint64_t until_unix_s)
{
	struct err err = {""};

	if (!world_override(&stage->world,
		    &(struct override){kind, subject, "test", "alice", 1700000000, until_unix_s},
		    &err))
		fail_msg("%s", err.text);
}

static void overrides_survive_kill(void **state)
{
	struct stage *stage = *state;

	say_override(stage, OVERRIDE_DRAIN, "site:fra", 0);
	say_override(stage, OVERRIDE_DOWN, "iad-1", 0);
	say_override(stage, OVERRIDE_UP, "downloads/fra-2", 0);
	say_override(stage, OVERRIDE_NONE, "iad-1", 0);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	end(stage, false);
	begin(stage);
	assert_int_equal(stage->world.overrides.count, 2);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
}

static void overrides_end(void **state)
{
	struct stage *stage = *state;

	say_override(stage, OVERRIDE_DRAIN, "fra-1", clock_unix_s() + 3600);
	world_tick(&stage->world);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	say_override(stage, OVERRIDE_DRAIN, "fra-1", clock_unix_s() - 1);
	world_tick(&stage->world);
	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
	end(stage, false);
	begin(stage);
	assert_int_equal(stage->world.overrides.count, 0);
}

static void overrides_that_cannot_be_saved(void **state)
{
	struct stage *stage = *state;
	char *in_the_way = files_path(&stage->files, "state/overrides.json.new");
	struct err err;

	assert_int_equal(mkdir(in_the_way, 0700), 0);
	assert_false(world_override(&stage->world,
		&(struct override){OVERRIDE_DRAIN, "fra-1", "", "alice", 1700000000, 0}, &err));
	assert_non_null(strstr(err.text, "overrides.json"));
	/* answers follow all the same, and status says what is wrong, until it is right */
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	assert_string_equal(stage->world.keep.error.text, err.text);
	rmdir(in_the_way);
	/* verdicts that can be saved do not make it right */
	stage->world.keep.saved_at_ms -= 600000;
	world_tick(&stage->world);
	turn_until_idle(stage);
	assert_string_equal(stage->world.keep.error.text, err.text);
	stage->world.keep.tried_at_ms -= 5000;
	world_tick(&stage->world);
	assert_string_equal(stage->world.keep.error.text, "");
	end(stage, false);
	begin(stage);
	assert_int_equal(stage->world.overrides.count, 1);
	free(in_the_way);
}

/* ---- secrets of cookies ---- */

static void a_secret_is_made_once(void **state)
{
	struct stage *stage = *state;
	struct siphash_key key = world_snapshot(&stage->world)->cookies->keys[0];

	/* of the first start, and the next one finds it */
	assert_int_equal(world_snapshot(&stage->world)->secrets, SNAPSHOT_SECRETS_NEW);
	end(stage, false);
	begin(stage);
	assert_int_equal(world_snapshot(&stage->world)->secrets, SNAPSHOT_SECRETS_KEPT);
	assert_memory_equal(&world_snapshot(&stage->world)->cookies->keys[0], &key, sizeof(key));
}

static void a_secret_that_cannot_be_saved(void **state)
{
	struct stage *stage = *state;
	char *path = files_path(&stage->files, "state/cookie-secrets");
	char *in_the_way = files_path(&stage->files, "state/cookie-secrets.new");

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	end(stage, false);
	begin(stage);

	struct siphash_key key = world_snapshot(&stage->world)->cookies->keys[0];

	/* status says it until it is right */
	assert_non_null(strstr(stage->world.keep.error.text, "cookie-secrets"));
	rmdir(in_the_way);
	stage->world.keep.tried_at_ms -= 5000;
	world_tick(&stage->world);
	assert_string_equal(stage->world.keep.error.text, "");
	end(stage, false);
	begin(stage);
	assert_memory_equal(&world_snapshot(&stage->world)->cookies->keys[0], &key, sizeof(key));
	free(path);
	free(in_the_way);
}

/* ---- restarts ---- */

static void verdicts_survive_restarts(void **state)
{
	struct stage *stage = *state;

	take(stage, "192.0.2.10", VERDICT_DOWN);
	end(stage, true);
	begin(stage);
	assert_answer(stage, "dl.files.example", "192.0.2.11 192.0.2.20 ");
	assert_int_equal(stage->world.verdicts.generation, 1);
}

static void verdicts_are_saved_in_time(void **state)
{
	struct stage *stage = *state;
	char *path = files_path(&stage->files, "state/verdicts");

	take(stage, "192.0.2.10", VERDICT_DOWN);
	world_tick(&stage->world);
	turn_until_idle(stage);
	assert_int_equal(access(path, F_OK), -1); /* not yet */
	stage->world.keep.saved_at_ms -= 5000;
	world_tick(&stage->world);
	assert_true(stage->world.keep.is_saving);
	turn_until_idle(stage);
	assert_int_equal(access(path, F_OK), 0);
	assert_false(stage->world.keep.is_unsaved || stage->world.keep.is_saving);
	free(path);
}

static void old_verdicts_say_nothing(void **state)
{
	struct stage *stage = *state;
	struct state_verdicts old;
	struct text bytes = {0};
	struct err err;

	take(stage, "192.0.2.10", VERDICT_DOWN);
	old = (struct state_verdicts){
		.targets = world_snapshot(&stage->world)->targets,
		.verdicts = stage->world.verdicts,
		.saved_at_unix_s = clock_unix_s() - STATE_VERDICTS_KEPT_S - 60,
	};
	state_print_verdicts(&old, &bytes);
	assert_true(state_write_verdicts(stage->world.keep.state, &bytes, &err));
	text_done(&bytes);
	end(stage, false);
	begin(stage);
	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
}

static void broken_state_does_not_keep_from_answering(void **state)
{
	struct stage *stage = *state;

	end(stage, true);
	files_put(&stage->files, "state/verdicts", "rubbish");
	files_put(&stage->files, "state/overrides.json", "{\"format\":1}");
	begin(stage);
	assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");
}

/* ---- reload ---- */

static void reload_now(struct stage *stage, enum control_reading what)
{
	reload_start(&stage->reload, what, NULL);
	turn_until_idle(stage);
}

static void reload_keeps_health_and_overrides(void **state)
{
	struct stage *stage = *state;

	take(stage, "192.0.2.11", VERDICT_DOWN);
	say_override(stage, OVERRIDE_DRAIN, "downloads/fra-1", 0);
	assert_answer(stage, "dl.files.example", "192.0.2.20 ");
	reload_now(stage, CONTROL_RELOAD);
	assert_true(stage->reload.done);
	assert_int_equal(stage->swapped, 1);
	assert_int_equal(world_snapshot(&stage->world)->generation, 2);
	assert_int_equal(stage->world.verdicts.generation, 2);
	assert_answer(stage, "dl.files.example", "192.0.2.20 ");
	/* tables for the old snapshot are late, and change nothing */
	struct verdict_table late = table_with(stage, "192.0.2.11", VERDICT_UP);

	late.generation = 1;
	world_take_verdicts(&stage->world, &late);
	verdict_table_done(&late);
	assert_answer(stage, "dl.files.example", "192.0.2.20 ");
}

static const struct {
	const char *about;
	const char *file;
	const char *content;
	const char *want; /* in the lines */
} mistakes[] = {
	{"broken YAML", "steerd.yaml", "pools: [", "steerd.yaml:"},
	{"a zone without SOA", "zones/files.example.zone", "@ NS ns1\n", "files.example.zone"},
	{"a zone that steers to nothing", "zones/files.example.zone",
		"$TTL 60\n@ SOA ns1 h 1 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.1\n_steer.a TXT "
		"\"pool=nobody\"\n",
		"files.example.zone:5"},
	{"networks that are none", "networks.csv", "198.18.0.0/16,nowhere\n", "networks.csv"},
};

static void mistakes_change_nothing(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		uint64_t before = generation(stage);
		unsigned swapped = stage->swapped;
		struct files other;

		files_init(&other); /* its files are right */
		files_put(&stage->files, mistakes[i].file, mistakes[i].content);
		reload_now(stage, CONTROL_RELOAD);
		if (stage->reload.done || generation(stage) != before || stage->swapped != swapped)
			fail_msg("%s: taken", mistakes[i].about);
		if (!strstr(stage->reload.lines.bytes, mistakes[i].want))
			fail_msg("%s: %s", mistakes[i].about, stage->reload.lines.bytes);
		assert_answer(stage, "dl.files.example", "192.0.2.10 192.0.2.11 ");

		/* made right again by moving the right one over it */
		char *right = files_path(&other, mistakes[i].file);
		char *wrong = files_path(&stage->files, mistakes[i].file);

		assert_int_equal(rename(right, wrong), 0);
		free(right);
		free(wrong);
		files_done(&other);
		reload_now(stage, CONTROL_RELOAD);
		if (!stage->reload.done)
			fail_msg("%s: %s", mistakes[i].about, stage->reload.lines.bytes);
	}
}

static void zones_are_dropped_by_force_alone(void **state)
{
	struct stage *stage = *state;
	char *path = files_path(&stage->files, "zones/files.example.zone");

	assert_int_equal(unlink(path), 0);
	reload_now(stage, CONTROL_RELOAD);
	assert_false(stage->reload.done);
	assert_int_equal(zone_set_count(world_snapshot(&stage->world)->zones), 1);
	reload_now(stage, CONTROL_RELOAD_FORCE);
	assert_true(stage->reload.done);
	assert_int_equal(zone_set_count(world_snapshot(&stage->world)->zones), 0);
	free(path);
}

static void reloads_queue_up(void **state)
{
	struct stage *stage = *state;

	/* the first is being read, and what it read may be old: the second waits, the third adds nothing */
	reload_start(&stage->reload, CONTROL_RELOAD, NULL);
	reload_start(&stage->reload, CONTROL_RELOAD, NULL);
	reload_start(&stage->reload, CONTROL_RELOAD, NULL);
	turn_until_idle(stage);
	assert_int_equal(stage->swapped, 2);
	assert_int_equal(world_snapshot(&stage->world)->generation, 3);
	/* a check swaps nothing */
	reload_now(stage, CONTROL_CHECK);
	assert_int_equal(stage->swapped, 2);
	reload_now(stage, CONTROL_RELOAD);
	assert_int_equal(stage->swapped, 3);
	assert_int_equal(world_snapshot(&stage->world)->generation, 4);
}

/* ---- settings that hold until the end ---- */

static void fixed_settings_are_compared(void **state)
{
	struct stage *stage = *state;
	struct settings now = *world_snapshot(&stage->world)->settings;
	const struct address_port elsewhere = {{ADDRESS_IPV4, {127, 0, 0, 2}}, 53};
	struct report report = {0};

	fixed_compare(&stage->fixed, &now, &report);
	assert_int_equal(report.warning_count, 0);
	now.listen = &elsewhere;
	now.workers += 1;
	now.tcp_idle_ms += 1000;
	now.state_path = "/elsewhere";
	fixed_compare(&stage->fixed, &now, &report);
	assert_int_equal(report.warning_count, 4);
	assert_int_equal(report.error_count, 0);
	assert_non_null(strstr(report.lines.bytes,
		"'listen' is '127.0.0.2:53' now, but stays '127.0.0.1:0' until steerd is "
		"restarted\n"));
	assert_non_null(strstr(report.lines.bytes, "'state' is '/elsewhere' now"));
	report_done(&report);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(verdicts_reach_answers),
		ON_STAGE(states_reach_answers),
		ON_STAGE(wrong_tables_change_nothing),
		ON_STAGE(changes_in_words),
		ON_STAGE(overrides_survive_kill),
		ON_STAGE(overrides_end),
		ON_STAGE(overrides_that_cannot_be_saved),
		ON_STAGE(a_secret_is_made_once),
		ON_STAGE(a_secret_that_cannot_be_saved),
		ON_STAGE(verdicts_survive_restarts),
		ON_STAGE(verdicts_are_saved_in_time),
		ON_STAGE(old_verdicts_say_nothing),
		ON_STAGE(broken_state_does_not_keep_from_answering),
		ON_STAGE(reload_keeps_health_and_overrides),
		ON_STAGE(mistakes_change_nothing),
		ON_STAGE(zones_are_dropped_by_force_alone),
		ON_STAGE(reloads_queue_up),
		ON_STAGE(fixed_settings_are_compared),
	};

	log_start("test_world", LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
