/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/daemon/world.h"
#include "../control/files.h"
#include "outside.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/plan/explain.h"

/*
 * A world on a clock that the test sets: what the guard holds back, or lets go, is in answers when it is true, and is said.
 *
 * The addresses 192.0.2.1, 198.51.100.2, 203.0.113.3, 198.18.0.4 and so on are in networks of their own; a letter says what
 * the checks of each say: U up, D down, G degraded.
 */
#define ADDRESSES 6
static const char *const addresses[ADDRESSES] = {
	"192.0.2.1", "198.51.100.2", "203.0.113.3", "198.18.0.4", "100.64.0.5", "10.0.0.6"};

#define MEMBERS                                                                                    \
	"      m1: {address: 192.0.2.1}\n      m2: {address: 198.51.100.2}\n"                      \
	"      m3: {address: 203.0.113.3}\n      m4: {address: 198.18.0.4}\n"
#define HEAD                                                                                       \
	"listen: [\"127.0.0.1:0\"]\nworkers: 1\nzones: zones/\nstate: state\n"                     \
	"control: run/control\nmonitors:\n"                                                        \
	"  edge: {https: {host: dl.files.example, path: /health}, every: 5s, fall: 3}\n"           \
	"pools:\n  downloads:\n    method: all\n    monitor: edge\n"
#define LAST                                                                                       \
	"  api:\n    method: all\n    members: {z: {address: 192.0.2.99}}\n" /* the zone names it */

#define NEVER_SUSPECT "observer: {suspect-above: 100%}\n"

struct stage {
	struct files files;
	struct event_base *base;
	struct jobs *jobs;
	struct world world;
	uint64_t due_ms;
};

static void on_due(void *context, uint64_t at_ms)
{
	struct stage *stage = context;

	stage->due_ms = at_ms;
}

static const struct snapshot *read_files(const struct stage *stage, const struct snapshot *previous)
{
	struct report report = {0};
	const struct snapshot *snapshot = snapshot_read(stage->files.settings_path,
		&(struct snapshot_options){.previous = previous}, &report);

	if (!snapshot || report.error_count > 0)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	return snapshot;
}

static void forget_lines(void)
{
	free(outside_lines());
}

static void begin(struct stage *stage)
{
	const struct snapshot *snapshot = read_files(stage, NULL);
	struct err err;
	struct state *state = state_open(snapshot->settings->state_path, &err);

	if (!state)
		fail_msg("%s", err.text);
	world_init(&stage->world, snapshot, state, stage->jobs);
	stage->world.due = on_due;
	stage->world.due_context = stage;
	forget_lines();
}

static void put_settings(const struct stage *stage, const char *settings)
{
	/* made in the build tree, where tests run: nothing needs to be installed */
	char *city = realpath("geo/default.geo", NULL);
	struct text text = {0};

	assert_non_null(city);
	text_print(&text, "geo: {city: %s}\n%s", city, settings);
	files_put(&stage->files, "steerd.yaml", text.bytes);
	text_done(&text);
	free(city);
}

static void begin_with(struct stage *stage, const char *settings)
{
	outside_set_ms(1000000);
	put_settings(stage, settings);
	begin(stage);
}

static int set_up(void **state)
{
	struct stage *stage = memory_new(sizeof(*stage));
	struct err err;

	files_init(&stage->files);
	files_put(&stage->files, "zones/files.example.zone",
		"$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\n"
		"ns1 A 192.0.2.1\n_steer.dl 30 TXT \"pool=downloads\"\n"
		"_steer.api 30 TXT \"pool=api\"\n");
	stage->base = event_base_new();
	stage->jobs = jobs_new(stage->base, &err);
	assert_non_null(stage->jobs);
	*state = stage;
	return 0;
}

/* What is being saved needs the world until it is. */
static void end(struct stage *stage)
{
	while (!jobs_is_idle(stage->jobs))
		event_base_loop(stage->base, EVLOOP_ONCE);
	world_done(&stage->world);
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	end(stage);
	jobs_free(stage->jobs);
	event_base_free(stage->base);
	files_done(&stage->files);
	forget_lines();
	free(stage);
	return 0;
}

/* ---- what a prober says ---- */

static size_t number_of(const struct address *address)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		struct address one;

		assert_true(address_parse(addresses[i], &one));
		if (address_is_equal(&one, address))
			return i;
	}
	return ADDRESSES;
}

static enum verdict_state state_of(char letter)
{
	return letter == 'U' ? VERDICT_UP : letter == 'G' ? VERDICT_DEGRADED : VERDICT_DOWN;
}

static void see(struct verdict *row, enum verdict_state state)
{
	if (row->state != state)
		row->since_unix_s = clock_unix_s();
	row->state = (uint8_t)state;
	row->checked_at_unix_s = clock_unix_s();
	row->streak = 3;
	row->last_passed = state != VERDICT_DOWN;
	row->outcome_count = 1;
	row->outcomes_failed = state == VERDICT_DOWN;
	row->outcomes_degraded = state == VERDICT_DEGRADED;
	memset(row->reason, 0, sizeof(row->reason));
	strcpy(row->reason,
		state == VERDICT_DOWN		    ? "connection refused"
			: state == VERDICT_DEGRADED ? "slow"
						    : "");
}

/* The whole table now: a letter for each address, or for the rows of one monitor of them. */
static void take(struct stage *stage, const char *letters, const char *monitor)
{
	const struct snapshot *snapshot = world_snapshot(&stage->world);
	struct verdict_table table = stage->world.verdicts;

	table.rows = memory_copy(table.rows, table.count * sizeof(table.rows[0]));
	for (size_t i = 0; i < table.count; i++) {
		size_t number = number_of(&table.rows[i].address);
		const char *key = snapshot->targets.targets[table.rows[i].target].key;

		if (number < strlen(letters) && strncmp(key, monitor, strlen(monitor)) == 0)
			see(&table.rows[i], state_of(letters[number]));
	}
	assert_true(world_take_verdicts(&stage->world, &table));
	verdict_table_done(&table);
}

static void take_states(struct stage *stage, const char *letters)
{
	const struct verdict_table *table = &stage->world.verdicts;
	uint8_t bits[16] = {0};
	const struct link_states states = {
		.generation = table->generation, .row_count = table->count, .bits = bits};

	assert_true(link_states_size(table->count) <= sizeof(bits));
	for (size_t i = 0; i < table->count; i++)
		link_states_set(
			bits, i, (uint8_t)state_of(letters[number_of(&table->rows[i].address)]));
	world_take_states(&stage->world, &states);
}

/* Time passes to `at_s` after the start, a table each second; the event loop looks when that is due. */
static void pass(struct stage *stage, uint64_t at_s, const char *letters)
{
	uint64_t until_ms = 1000000 + at_s * 1000;

	while (outside_now_ms() < until_ms) {
		uint64_t next_ms = outside_now_ms() + 1000;

		if (stage->due_ms < next_ms) {
			outside_set_ms(stage->due_ms);
			world_look(&stage->world);
			continue;
		}
		outside_set_ms(next_ms);
		if (next_ms < until_ms)
			take(stage, letters, "edge");
	}
}

/* ---- what clients and operators see ---- */

/* A digit for each address that is answered: "1234". */
static void answered(const struct stage *stage, const char *name, char *ret_digits)
{
	struct explain_request asked = {.name = name, .type = DNS_TYPE_A};
	struct explain explain;
	struct err err;
	bool is_there[ADDRESSES] = {0};

	assert_true(prefix_parse("198.18.7.0/24", &asked.client, &err));
	if (!explain_query(live_current(stage->world.live), &stage->world.verdicts, &asked,
		    &explain, &err))
		fail_msg("%s", err.text);
	for (size_t step = 0; step < explain.choice->step_count; step++)
		for (size_t i = 0; i < explain.choice->steps[step].count; i++) {
			size_t first = explain.choice->steps[step].first;
			struct address address = {.family = ADDRESS_IPV4};

			memcpy(address.bytes, explain.choice->addresses + 4 * (first + i), 4);
			is_there[number_of(&address)] = true;
		}
	for (size_t i = 0; i < ADDRESSES; i++)
		if (is_there[i])
			*ret_digits++ = (char)('1' + i);
	*ret_digits = '\0';
	explain_done(&explain);
}

static void assert_lines(const char *about, const char *want)
{
	char *got = outside_lines();

	if (strcmp(got, want) != 0)
		fail_msg("%s: said is:\n%s", about, got);
	free(got);
}

struct step {
	uint64_t at_s;
	const char *seen; /* "": the clock alone */
	const char *answers;
	const char *lines;
};

static void play(struct stage *stage, const struct step *steps, size_t count)
{
	const char *seen = "";

	for (size_t i = 0; i < count; i++) {
		char got[ADDRESSES + 1];
		char about[64];

		pass(stage, steps[i].at_s, seen);
		seen = *steps[i].seen ? steps[i].seen : seen;
		if (*steps[i].seen)
			take(stage, seen, "edge");
		snprintf(about, sizeof(about), "%u s", (unsigned)steps[i].at_s);
		assert_lines(about, steps[i].lines);
		answered(stage, "dl.files.example", got);
		if (strcmp(got, steps[i].answers) != 0)
			fail_msg("%s: answered are %s", about, got);
	}
}

#define PLAY(stage, ...)                                                                           \
	play(stage, (const struct step[]){__VA_ARGS__},                                            \
		COUNT_OF(((const struct step[]){__VA_ARGS__})))

#define ALL_UP                                                                                     \
	"downloads/m1 192.0.2.1 is up: its first check passed\n"                                   \
	"downloads/m2 198.51.100.2 is up: its first check passed\n"                                \
	"downloads/m3 203.0.113.3 is up: its first check passed\n"                                 \
	"downloads/m4 198.18.0.4 is up: its first check passed\n"
#define DOWN(member, address)                                                                      \
	"downloads/" member " " address                                                            \
	" went down: 3 checks failed in a row, last: connection refused\n"
#define DOWN_1 DOWN("m1", "192.0.2.1")
#define DOWN_2 DOWN("m2", "198.51.100.2")
#define DOWN_3 DOWN("m3", "203.0.113.3")
#define DOWN_4 DOWN("m4", "198.18.0.4")

/* Rows are told in the order of their targets, which is that of their keys. */
static void loss_and_panic(void **state)
{
	begin_with(*state,
		HEAD "    max-loss: 50%\n    panic-below: 30%\n    members:\n" MEMBERS LAST
			NEVER_SUSPECT);
	PLAY(*state,
		{1, "UUUU", "1234",
			"downloads/m1 192.0.2.1 is up: its first check passed\n"
			"downloads/m4 198.18.0.4 is up: its first check passed\n"
			"downloads/m2 198.51.100.2 is up: its first check passed\n"
			"downloads/m3 203.0.113.3 is up: its first check passed\n"},
		{10, "DUUU", "234", DOWN_1},
		{20, "DDDU", "34",
			DOWN_2 DOWN_3 "downloads/m3 203.0.113.3 stays up: its pool lost as much as "
				      "health may take "
				      "away in a minute\n"},
		{69, "DDDU", "34", ""},
		/* a minute after the first; now it is the one that leaves too little, and has failed for long */
		{71, "", "1234",
			"downloads/m3 203.0.113.3 goes down: it still fails\n"
			"!pool downloads is in panic: 25% of its capacity is left, and panic-below "
			"is 30%: it counts as failed\n"},
		{80, "DDUU", "34",
			"downloads/m3 203.0.113.3 is up again after 1 min: 3 checks passed in a "
			"row\n"
			"pool downloads is sound again after 10 s: 50% of its capacity is left\n"});
}

static void evidence(void **state)
{
	begin_with(*state, HEAD "    max-loss: 100%\n    members:\n" MEMBERS LAST NEVER_SUSPECT);
	take(*state, "UUUU", "edge");
	forget_lines();
	PLAY(*state, {10, "DDDU", "4", DOWN_1 DOWN_2 DOWN_3},
		{20, "DDDD", "4",
			DOWN_4
			"downloads/m4 198.18.0.4 stays up: it is one of the last of its pool, and "
			"more failures are needed\n"},
		{34, "DDDD", "4", ""},
		{36, "", "1234",
			"downloads/m4 198.18.0.4 goes down: it still fails\n"
			"!pool downloads has no usable member: it answers with all of them "
			"(serve-all)\n"},
		{40, "UDDD", "1",
			"downloads/m1 192.0.2.1 is up again after 30 s: 3 checks passed in a row\n"
			"pool downloads has a usable member again\n"});
}

static void observer(void **state)
{
	begin_with(*state, HEAD "    max-loss: 100%\n    members:\n" MEMBERS LAST);
	take(*state, "UUUU", "edge");
	forget_lines();
	PLAY(*state,
		{10, "DDDU", "1234",
			DOWN_1 DOWN_2 DOWN_3
			"downloads/m1 192.0.2.1 stays up: so much failed at once that the fault "
			"may be "
			"ours\n"
			"downloads/m2 198.51.100.2 stays up: so much failed at once that the fault "
			"may "
			"be ours\n"
			"downloads/m3 203.0.113.3 stays up: so much failed at once that the fault "
			"may "
			"be ours\n"
			"!the fault may be ours: 3 of 4 checks fail, in 3 networks at once; "
			"nothing "
			"goes down for 1 min, nor as long as nothing passes at all\n"},
		{69, "DDDU", "1234", ""},
		{71, "", "4",
			"the fault is not ours, after 1 min: 3 of 4 checks fail, and are believed\n"
			"downloads/m1 192.0.2.1 goes down: it still fails\n"
			"downloads/m2 198.51.100.2 goes down: it still fails\n"
			"downloads/m3 203.0.113.3 goes down: it still fails\n"});
}

static void canaries(void **state)
{
	begin_with(*state,
		HEAD "    max-loss: 100%\n    members:\n" MEMBERS
		     "  others:\n    method: all\n    monitor: edge\n    members:\n"
		     "      c1: {address: 100.64.0.5}\n" LAST "observer: {canaries: others}\n");
	take(*state, "UUUUU", "edge");
	forget_lines();
	PLAY(*state,
		{10, "DUUUD", "1234",
			"others/c1 100.64.0.5 went down: 3 checks failed in a row, last: "
			"connection "
			"refused\n" DOWN_1 "downloads/m1 192.0.2.1 stays up: so much failed at "
			"once that the fault may be "
			"ours\n"
			"others/c1 100.64.0.5 stays up: so much failed at once that the fault may "
			"be "
			"ours\n"
			"!the fault may be ours: all of pool others fails; nothing goes down until "
			"one "
			"of pool others passes\n"},
		{600, "DUUUD", "1234", ""},
		{610, "DUUUU", "234",
			"others/c1 100.64.0.5 is up again after 10 min: 3 checks passed in a row\n"
			"the fault is not ours, after 10 min: 1 of 5 checks fail, and are "
			"believed\n"
			"downloads/m1 192.0.2.1 goes down: it still fails\n"});
}

#define UP_1 "downloads/m1 192.0.2.1 is up again after 10 s: 3 checks passed in a row\n"

static void failback_and_slow_start(void **state)
{
	begin_with(*state,
		HEAD "    failback-delay: 30s\n    slow-start: 60s\n    members:\n" MEMBERS LAST);
	take(*state, "UUUU", "edge");
	forget_lines();
	PLAY(*state, {10, "DUUU", "234", DOWN_1},
		{20, "UUUU", "234",
			UP_1 "downloads/m1 192.0.2.1 stays down: its failback delay is 30 s\n"},
		{49, "UUUU", "234", ""},
		{51, "", "1234",
			"downloads/m1 192.0.2.1 is answered again: its share grows for 1 min\n"},
		{200, "UUUU", "1234", ""});
}

static void manual_return(void **state)
{
	struct stage *stage = *state;
	char got[ADDRESSES + 1];

	begin_with(stage, HEAD "    manual-return: yes\n    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	forget_lines();
	PLAY(stage, {10, "DUUU", "234", DOWN_1},
		{20, "UUUU", "234",
			UP_1
			"downloads/m1 192.0.2.1 stays down until it is returned: 'steerctl return "
			"downloads/m1'\n"},
		{300, "UUUU", "234", ""});
	assert_int_equal(world_return(&stage->world, 1), 0);
	assert_int_equal(world_return(&stage->world, 0), 1);
	assert_lines("returned", "downloads/m1 192.0.2.1 is answered again\n");
	answered(stage, "dl.files.example", got);
	assert_string_equal(got, "1234");
}

static void needs(void **state)
{
	begin_with(*state,
		HEAD "    needs: origin\n    without: down\n    when-all-down: serve-all\n"
		     "    members:\n" MEMBERS
		     "  origin:\n    method: all\n    monitor: edge\n    members:\n"
		     "      o1: {address: 100.64.0.5}\n" LAST);
	take(*state, "UUUUU", "edge");
	forget_lines();
	PLAY(*state,
		{10, "UUUUD", "1234",
			"origin/o1 100.64.0.5 went down: 3 checks failed in a row, last: "
			"connection "
			"refused\n"
			"origin/o1 100.64.0.5 stays up: it is one of the last of its pool, and "
			"more "
			"failures are needed\n"},
		{26, "", "1234",
			"origin/o1 100.64.0.5 goes down: it still fails\n"
			"pool downloads is without pool origin, which it needs: its addresses are "
			"down\n"
			"!pool downloads has no usable member: it answers with all of them "
			"(serve-all)\n"
			"!pool origin has no usable member: pools that hold it go on without it\n"},
		{40, "UUUUU", "1234",
			"origin/o1 100.64.0.5 is up again after 30 s: 3 checks passed in a row\n"
			"pool downloads has pool origin again, which it needs\n"
			"pool downloads has a usable member again\npool origin has a usable member "
			"again\n"});
}

/* Of several monitors each is told, and what they say together. */
static void several_monitors(void **state)
{
	struct stage *stage = *state;
	char got[ADDRESSES + 1];

	begin_with(stage,
		"listen: [\"127.0.0.1:0\"]\nworkers: 1\nzones: zones/\nstate: state\n"
		"control: run/control\nmonitors:\n"
		"  edge: {https: {host: dl.files.example, path: /health}}\n"
		"  deep: {https: {host: dl.files.example, path: /deep}}\n"
		"pools:\n  downloads:\n    method: all\n    monitor: {any-of: [edge, deep]}\n"
		"    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "");
	forget_lines();
	outside_set_ms(outside_now_ms() + 1000);
	take(stage, "DUUU", "edge");
	assert_lines("one of two",
		"downloads/m1 192.0.2.1, monitor edge, went down: 3 checks failed in a row, last: "
		"connection refused\n");
	answered(stage, "dl.files.example", got);
	assert_string_equal(got, "1234");
	outside_set_ms(outside_now_ms() + 1000);
	take(stage, "DUUU", "deep");
	assert_lines("both",
		"downloads/m1 192.0.2.1, monitor deep, went down: 3 checks failed in a row, last: "
		"connection refused\n"
		"downloads/m1 192.0.2.1 is down: its monitors together say so\n");
	answered(stage, "dl.files.example", got);
	assert_string_equal(got, "234");
}

/* Nothing is said of what an operator took out: that was said when it was. */
static void overridden(void **state)
{
	struct stage *stage = *state;
	const struct override drain = {OVERRIDE_DRAIN, "downloads/m1", "", "alice", 1700000000, 0};
	struct err err;

	begin_with(stage, HEAD "    max-loss: 1%\n    members:\n" MEMBERS LAST NEVER_SUSPECT);
	take(stage, "UUUU", "edge");
	assert_true(world_override(&stage->world, &drain, &err));
	forget_lines();
	PLAY(stage, {10, "DUUU", "234", DOWN_1}, {20, "DDUU", "34", DOWN_2},
		{30, "DDDU", "34",
			DOWN_3
			"downloads/m3 203.0.113.3 stays up: its pool lost as much as health may "
			"take away in a minute\n"});
}

/* ---- news that come late, or not at all ---- */

static void states_come_first(void **state)
{
	struct stage *stage = *state;
	char got[ADDRESSES + 1];

	begin_with(stage, HEAD "    max-loss: 25%\n    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	forget_lines();
	outside_set_ms(outside_now_ms() + 300);
	take_states(stage, "DDUU");
	/* answers follow at once, the words wait for the reason */
	answered(stage, "dl.files.example", got);
	assert_int_equal(strlen(got), 3);
	assert_lines("states alone", "");
	outside_set_ms(outside_now_ms() + 700);
	take(stage, "DDUU", "edge");
	assert_lines("the whole table",
		DOWN_1 DOWN_2
		"downloads/m2 198.51.100.2 stays up: its pool lost as much as health may "
		"take away in a minute\n");
}

static void states_alone_are_told_late(void **state)
{
	struct stage *stage = *state;

	begin_with(stage, HEAD "    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	forget_lines();
	take_states(stage, "DUUU");
	outside_set_ms(outside_now_ms() + 3000);
	world_tick(&stage->world);
	assert_lines("not yet", "");
	outside_set_ms(outside_now_ms() + 1);
	world_tick(&stage->world);
	assert_lines("late",
		"downloads/m1 192.0.2.1 went down: 3 checks failed in a row, last: no reason "
		"given\n");
}

/* A prober that has gone leaves everything as it is, whatever was to come. */
static void silence_freezes(void **state)
{
	struct stage *stage = *state;
	char got[ADDRESSES + 1];

	begin_with(stage, HEAD "    max-loss: 100%\n    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	pass(stage, 10, "UUUU");
	take(stage, "DDDD", "edge");
	forget_lines();
	/* suspect, but of three networks of four, and something must pass: nothing comes at all */
	for (unsigned second = 0; second < 600; second++) {
		outside_set_ms(outside_now_ms() + 1000);
		world_tick(&stage->world);
	}
	answered(stage, "dl.files.example", got);
	assert_string_equal(got, "1234");
	assert_lines("silence", "");
}

/* The same with what waits for evidence: the clock of that stands still. */
static void silence_is_no_evidence(void **state)
{
	struct stage *stage = *state;

	begin_with(stage,
		HEAD "    max-loss: 100%\n    members:\n      m1: {address: 192.0.2.1}\n" LAST);
	take(stage, "U", "edge");
	pass(stage, 10, "U");
	take(stage, "D", "edge");
	pass(stage, 20, "D");
	forget_lines();
	for (unsigned second = 0; second < 600; second++) {
		outside_set_ms(outside_now_ms() + 1000);
		if (stage->due_ms <= outside_now_ms())
			world_look(&stage->world);
		world_tick(&stage->world);
	}
	assert_lines("silence", "");
	take(stage, "D", "edge"); /* the tenth second of fifteen, about */
	assert_lines("a table", "");
	pass(stage, 624, "D");
	assert_lines("soon", "");
	pass(stage, 627, "D");
	assert_lines("enough",
		"downloads/m1 192.0.2.1 goes down: it still fails\n"
		"!pool downloads has no usable member: it answers with all of them (serve-all)\n");
}

/* ---- restarts and reloads ---- */

static void beliefs_outlive_the_process(void **state)
{
	struct stage *stage = *state;

	begin_with(stage,
		HEAD "    manual-return: yes\n    max-loss: 25%\n    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	pass(stage, 10, "UUUU");
	take(stage, "DUUU", "edge");
	pass(stage, 20, "DUUU");
	take(stage, "UDUU", "edge");
	world_save(&stage->world);
	end(stage);
	begin(stage);
	/* one waits for a word, one is held: neither is told anew, and both go on */
	take(stage, "UDUU", "edge");
	assert_lines("it goes on", "");
	PLAY(stage, {30, "UDUU", "234", ""}, {69, "UDUU", "234", ""},
		{71, "", "34", "downloads/m2 198.51.100.2 goes down: it still fails\n"});
}

/* What is believed is not made of what is rotten. */
static void rotten_beliefs(void **state)
{
	struct stage *stage = *state;
	struct state_verdicts saved;
	struct text bytes = {0};
	struct err err;
	char *lines;
	char got[ADDRESSES + 1];

	begin_with(stage, HEAD "    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	pass(stage, 10, "UUUU");
	take(stage, "DUUU", "edge");
	saved = (struct state_verdicts){
		.targets = world_snapshot(&stage->world)->targets,
		.verdicts = stage->world.verdicts,
		.believed = "rubbish",
		.believed_size = 7,
		.saved_at_unix_s = clock_unix_s(),
	};
	state_print_verdicts(&saved, &bytes);
	assert_true(state_write_verdicts(stage->world.keep.state, &bytes, &err));
	text_done(&bytes);
	end(stage);

	const struct snapshot *snapshot = read_files(stage, NULL);
	struct state *files = state_open(snapshot->settings->state_path, &err);

	free(outside_lines());
	world_init(&stage->world, snapshot, files, stage->jobs);
	lines = outside_lines();
	assert_non_null(strstr(
		lines, "what was believed is cut short; members are what their last checks say\n"));
	free(lines);
	answered(stage, "dl.files.example", got);
	assert_string_equal(got, "234");
}

static void reload(struct stage *stage, const char *settings)
{
	put_settings(stage, settings);
	world_take_snapshot(&stage->world, read_files(stage, world_snapshot(&stage->world)));
}

static void rules_change(void **state)
{
	struct stage *stage = *state;
	char got[ADDRESSES + 1];

	begin_with(
		stage, HEAD "    max-loss: 25%\n    panic-below: 10%\n    members:\n" MEMBERS LAST);
	take(stage, "UUUU", "edge");
	pass(stage, 10, "UUUU");
	take(stage, "DDUU", "edge");
	forget_lines();
	answered(stage, "dl.files.example", got);
	assert_int_equal(strlen(got), 3);
	/* with a wider limit what was held goes; and a threshold that is not met any more is panic */
	reload(stage, HEAD "    max-loss: 100%\n    panic-below: 60%\n    members:\n" MEMBERS LAST);
	assert_lines("evidence is needed for that", "");
	pass(stage, 26, "DDUU");
	assert_lines("panic",
		"downloads/m2 198.51.100.2 goes down: it still fails\n"
		"!pool downloads is in panic: 50% of its capacity is left, and panic-below is 60%: "
		"it counts as failed\n");
	/* the same again says nothing again */
	reload(stage, HEAD "    max-loss: 100%\n    panic-below: 60%\n    members:\n" MEMBERS LAST);
	assert_lines("once is enough", "");
	reload(stage, HEAD "    max-loss: 100%\n    panic-below: 40%\n    members:\n" MEMBERS LAST);
	assert_lines("sound by rules",
		"pool downloads is sound again after 1 s: 50% of its capacity is left\n");
	answered(stage, "dl.files.example", got);
	assert_string_equal(got, "34");
}

/* Beyond fifty lines of a kind there is one more. */
static void few_lines_for_many(void **state)
{
	struct stage *stage = *state;
	struct text settings = {0};
	struct verdict_table table;
	char *lines;
	size_t count = 0;

	text_add(&settings, HEAD "    max-loss: 1%\n    members:\n");
	for (unsigned i = 0; i < 60; i++)
		text_print(&settings, "      m%u: {address: 10.%u.0.1}\n", i, i);
	text_add(&settings, LAST);
	begin_with(stage, settings.bytes);
	text_done(&settings);
	for (unsigned round = 0; round < 2; round++) {
		table = stage->world.verdicts;
		table.rows = memory_copy(table.rows, table.count * sizeof(table.rows[0]));
		for (size_t i = 0; i < table.count; i++)
			see(&table.rows[i], round == 0 ? VERDICT_UP : VERDICT_DOWN);
		forget_lines();
		outside_set_ms(outside_now_ms() + 1000);
		world_take_verdicts(&stage->world, &table);
		verdict_table_done(&table);
	}
	lines = outside_lines();
	for (const char *at = lines; (at = strstr(at, "stays up")) != NULL; at++)
		count++;
	assert_int_equal(count, 50);
	assert_non_null(
		strstr(lines, "... and 10 more of that kind; 'steerctl status' shows all\n"));
	free(lines);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(loss_and_panic),
		ON_STAGE(evidence),
		ON_STAGE(observer),
		ON_STAGE(canaries),
		ON_STAGE(failback_and_slow_start),
		ON_STAGE(manual_return),
		ON_STAGE(needs),
		ON_STAGE(several_monitors),
		ON_STAGE(overridden),
		ON_STAGE(states_come_first),
		ON_STAGE(states_alone_are_told_late),
		ON_STAGE(silence_freezes),
		ON_STAGE(silence_is_no_evidence),
		ON_STAGE(beliefs_outlive_the_process),
		ON_STAGE(rotten_beliefs),
		ON_STAGE(rules_change),
		ON_STAGE(few_lines_for_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
