/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
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

#include "believe.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/config/secrets.h"
#include "steerd/dns/dns.h"
#include "steerd/plan/explain.h"
#include "steerd/plan/live.h"
#include "steerd/plan/plan.h"
#include "steerd/plan/snapshot.h"

/* ---- A directory with real files ------------------------------------------------------------------- */

struct fixture {
	char directory[64];
};

static const char yaml[] = "zones: zones/\n"
			   "state: .\n"
			   "geo: {networks: networks.csv, city: %s}\n"
			   "sites:\n"
			   "  fra: {at: [50.11, 8.68]}\n"
			   "  iad: {at: [38.95, -77.45]}\n"
			   "monitors:\n"
			   "  edge: {https: {host: dl.files.example, path: /health}}\n"
			   "pools:\n"
			   "  downloads:\n"
			   "    method: nearest\n"
			   "    monitor: edge\n"
			   "    members:\n"
			   "      fra-1: {site: fra, address: [192.0.2.10, \"2001:db8:1::10\"]}\n"
			   "      iad-1: {site: iad, address: 192.0.2.20}\n"
			   "  uploads:\n"
			   "    method: failover\n"
			   "    monitor: edge\n"
			   "    members:\n"
			   "      first: {address: 192.0.2.10}\n"
			   "      second: {address: 192.0.2.30}\n"
			   "  static:\n"
			   "    method: all\n"
			   "    members:\n"
			   "      a: {address: [192.0.2.40, 192.0.2.41]}\n";

static const char zone[] = "$TTL 3600\n"
			   "@         SOA ns1 hostmaster 1 7200 900 1209600 60\n"
			   "@         NS  ns1\n"
			   "ns1       A   192.0.2.1\n"
			   "_steer.dl 30 TXT \"pool=downloads\"\n"
			   "_steer.up 30 TXT \"pool=uploads\"\n"
			   "_steer.st 30 TXT \"pool=static\"\n";

static char *path_in(const struct fixture *fixture, const char *name)
{
	struct text path = {0};

	text_print(&path, "%s/%s", fixture->directory, name);
	return path.bytes;
}

static void put_file(const struct fixture *fixture, const char *name, const char *content)
{
	char *path = path_in(fixture, name);
	struct err err;

	if (!file_replace(path, FILE_MODE, content, strlen(content), &err))
		fail_msg("%s", err.text);
	free(path);
}

static const char *database(void)
{
	/* made in the build tree, where tests run */
	return "geo/default.geo";
}

static int set_up(void **state)
{
	struct fixture *fixture = memory_new(sizeof(*fixture));
	struct text settings = {0};
	char *city = realpath(database(), NULL);
	char *zones;

	strcpy(fixture->directory, "/tmp/steerd-plan-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	assert_non_null(city);
	zones = path_in(fixture, "zones");
	assert_int_equal(mkdir(zones, 0700), 0);
	text_print(&settings, yaml, city);
	put_file(fixture, "steerd.yaml", settings.bytes);
	put_file(fixture, "networks.csv", "81.2.0.0/16,fra\n8.0.0.0/9,iad\n10.7.0.0/16,iad\n");
	put_file(fixture, "zones/files.example.zone", zone);
	text_done(&settings);
	free(zones);
	free(city);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct text command = {0};

	text_print(&command, "rm -rf '%s'", fixture->directory);
	assert_int_equal(system(command.bytes), 0);
	text_done(&command);
	free(fixture);
	return 0;
}

static const struct snapshot *read_it(
	const struct fixture *fixture, const struct snapshot *previous, struct report *report)
{
	char *path = path_in(fixture, "steerd.yaml");
	struct snapshot_options options = {.previous = previous};
	const struct snapshot *snapshot = snapshot_read(path, &options, report);

	free(path);
	return snapshot;
}

static const struct snapshot *must_read(
	const struct fixture *fixture, const struct snapshot *previous)
{
	struct report report = {0};
	const struct snapshot *snapshot = read_it(fixture, previous, &report);

	if (!snapshot || report.error_count > 0)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	return snapshot;
}

static struct verdict_table fresh_verdicts(const struct snapshot *snapshot)
{
	struct verdict_table table;

	verdict_table_carry(&snapshot->targets, NULL, NULL, 0, &table);
	return table;
}

static void set_down(
	const struct snapshot *snapshot, struct verdict_table *table, const char *key, bool is_down)
{
	for (uint32_t i = 0; i < snapshot->targets.count; i++)
		if (strcmp(snapshot->targets.targets[i].key, key) == 0) {
			table->rows[i].state = is_down ? VERDICT_DOWN : VERDICT_UP;
			return;
		}
	fail_msg("no target %s", key);
}

/* The one IPv4 address that a name's clients of a class get; its last octet. */
static unsigned only_answer(const struct plan *plan, const char *name, uint32_t class)
{
	struct name_key key;
	struct zone_match match;
	struct err err;

	assert_true(name_parse(name, &key, &err));
	zone_set_find(plan->zones, &key, DNS_TYPE_A, &match);
	assert_int_equal(match.outcome, ZONE_NODE);
	assert_int_not_equal(match.steered, ZONE_NOT_STEERED);

	const struct steer_choice *choice = plan->steerings[match.steered]->choices[0][class];

	assert_int_equal(choice->step_count, 1);
	return choice->addresses[3];
}

/* ---- Tests ----------------------------------------------------------------------------------------- */

static void targets_are_shared_by_key(void **state)
{
	const struct snapshot *snapshot = must_read(*state, NULL);

	/* 192.0.2.10 is in two pools with one monitor; the static pool is not checked */
	assert_int_equal(snapshot->targets.count, 4);
	assert_int_equal(snapshot->member_count, 5);
	assert_int_equal(snapshot->members[0].checks[0].targets[0],
		snapshot->members[2].checks[0].targets[0]);
	assert_int_equal(snapshot->members[0].checks[0].target_count, 2);
	assert_int_equal(snapshot->members[4].check_count, 0);
	assert_true(snapshot->pool_infos[0].is_root);
	assert_int_equal(snapshot->pool_infos[0].site_count, 2);
	assert_int_equal(snapshot->pool_infos[1].map, SETTINGS_NONE);
	snapshot_release(snapshot);
}

/* How many secrets, and that a plan makes cookies of this one. */
static void assert_secrets(const struct snapshot *snapshot, enum snapshot_secrets from,
	size_t count, const uint8_t octets[static SIPHASH_KEY_SIZE])
{
	struct verdict_table verdicts = fresh_verdicts(snapshot);
	struct override_list overrides = {0};
	struct plan *plan = believe_plan(snapshot, &verdicts, &overrides, NULL);
	struct siphash_key key = siphash_key_read(octets);

	assert_int_equal(snapshot->secrets, from);
	assert_int_equal(plan->without_cookie_max, 512);
	assert_int_equal(plan->cookies->count, count);
	assert_memory_equal(&plan->cookies->keys[0], &key, sizeof(key));
	plan_free(plan);
	verdict_table_done(&verdicts);
}

#define ONE "30313233343536373839616263646566\n"
#define TWO "66656463626139383736353433323130\n"
static const uint8_t one[] = "0123456789abcdef";

static void secrets_are_read_at_each_reload(void **state)
{
	const struct fixture *fixture = *state;
	const struct snapshot *first = must_read(fixture, NULL);
	const struct snapshot *other = must_read(fixture, NULL);
	const struct snapshot *next;
	uint8_t made[SIPHASH_KEY_SIZE];
	char *path = path_in(fixture, SECRETS_FILE);

	/* no file: a new secret, which goes on until someone writes it; two starts do not make the same */
	siphash_key_write(&first->cookies->keys[0], made);
	assert_secrets(first, SNAPSHOT_SECRETS_NEW, 1, made);
	assert_memory_not_equal(&other->cookies->keys[0], &first->cookies->keys[0], sizeof(made));
	next = must_read(fixture, first);
	assert_secrets(next, SNAPSHOT_SECRETS_NEW, 1, made);
	snapshot_release(other);
	snapshot_release(first);

	put_file(fixture, SECRETS_FILE, ONE TWO);
	assert_int_equal(chmod(path, SECRETS_MODE), 0);
	first = must_read(fixture, next);
	assert_secrets(first, SNAPSHOT_SECRETS_KEPT, 2, one);
	snapshot_release(next);

	/* a file that is gone: the secret stays, and is to be saved */
	assert_int_equal(unlink(path), 0);
	next = must_read(fixture, first);
	assert_secrets(next, SNAPSHOT_SECRETS_NEW, 1, one);
	snapshot_release(next);
	snapshot_release(first);
	free(path);
}

/* A mistake in the file refuses a reload, and at a start costs the secret alone. */
static void secrets_with_a_mistake(void **state)
{
	const struct fixture *fixture = *state;
	const struct snapshot *first = must_read(fixture, NULL);
	const struct snapshot *other;
	char *path = path_in(fixture, SECRETS_FILE);
	struct text want = {0};
	struct report report = {0};

	put_file(fixture, SECRETS_FILE, "0123\n");
	assert_null(read_it(fixture, first, &report));
	text_print(&want, "%s:1:5: a secret is 32 hexadecimal digits and nothing else\n", path);
	assert_string_equal(report.lines.bytes, want.bytes);
	report_done(&report);

	other = read_it(fixture, NULL, &report);
	assert_non_null(other);
	assert_int_equal(other->secrets, SNAPSHOT_SECRETS_OF_RUN);
	assert_int_equal(other->cookies->count, 1);
	assert_int_equal(report.error_count, 1);
	assert_non_null(strstr(report.lines.bytes, "a secret of this run"));
	snapshot_release(other);
	snapshot_release(first);
	report_done(&report);
	text_done(&want);
	free(path);
}

static void only_touched_pools_are_planned_again(void **state)
{
	const struct snapshot *snapshot = must_read(*state, NULL);
	struct verdict_table verdicts = fresh_verdicts(snapshot);
	struct override_list overrides = {0};
	struct plan *first = believe_plan(snapshot, &verdicts, &overrides, NULL);

	set_down(snapshot, &verdicts, "edge@192.0.2.30", true);

	struct plan *second = believe_plan(snapshot, &verdicts, &overrides, first);

	assert_true(second->generation > first->generation);
	for (uint32_t i = 0; i < zone_set_steered_count(snapshot->zones); i++) {
		bool is_uploads =
			strcmp(zone_set_steered(snapshot->zones, i)->pool, "uploads") == 0;

		if (is_uploads)
			assert_ptr_not_equal(first->steerings[i], second->steerings[i]);
		else
			assert_ptr_equal(first->steerings[i], second->steerings[i]);
	}
	plan_free(first);
	assert_int_equal(only_answer(second, "up.files.example", 0), 10);
	set_down(snapshot, &verdicts, "edge@192.0.2.10", true);
	set_down(snapshot, &verdicts, "edge@192.0.2.30", false);

	struct plan *third = believe_plan(snapshot, &verdicts, &overrides, second);

	assert_int_equal(only_answer(third, "up.files.example", 0), 30);
	assert_int_equal(only_answer(third, "dl.files.example", 0), 20);
	plan_free(second);
	plan_free(third);
	verdict_table_done(&verdicts);
	snapshot_release(snapshot);
}

/* What is changed of the beliefs about uploads/first, or of the pool. */
enum changed {
	CHANGED_SHARE,
	CHANGED_LAST_GOOD,
	CHANGED_ADDRESS,
	CHANGED_POOL,
	CHANGED_OTHER_POOL,
	CHANGED_WORDS, /* which explain alone shows */
	CHANGED_COUNTS,
};

static const struct {
	enum changed changed;
	const char *about;
	bool is_planned_again;
} belief_changes[] = {
	{CHANGED_SHARE, "a share", true},
	{CHANGED_LAST_GOOD, "whether it was good", true},
	{CHANGED_ADDRESS, "an address", true},
	{CHANGED_POOL, "the pool's state", true},
	{CHANGED_OTHER_POOL, "another pool's state", false},
	{CHANGED_WORDS, "why and since when", false},
	{CHANGED_COUNTS, "what is left of the pool", false},
};

static void change_belief(struct believed *believed, enum changed changed)
{
	struct belief *row = &believed->beliefs.rows[believed->beliefs.first[2]];

	switch (changed) {
	case CHANGED_SHARE:
		row->share = BELIEF_WHOLE / 4;
		return;
	case CHANGED_LAST_GOOD:
		row->is_last_good = true;
		return;
	case CHANGED_ADDRESS:
		row->address.bytes[3] = 77;
		return;
	case CHANGED_POOL:
		believed->pools[1].state = BELIEF_POOL_PANIC;
		return;
	case CHANGED_OTHER_POOL:
		believed->pools[0].state = BELIEF_POOL_PANIC;
		return;
	case CHANGED_WORDS:
		row->seen = row->state = VERDICT_DEGRADED;
		row->why = BELIEF_WITHOUT;
		row->since_unix_s = 1700000000;
		return;
	case CHANGED_COUNTS:
		believed->pools[1].percent = 70;
		believed->pools[1].held_count = 1;
		return;
	}
}

static const struct plan_steering *find_steering(const struct plan *plan, const char *pool)
{
	for (uint32_t i = 0; i < zone_set_steered_count(plan->zones); i++)
		if (strcmp(zone_set_steered(plan->zones, i)->pool, pool) == 0)
			return plan->steerings[i];
	fail_msg("no name has %s", pool);
	return NULL;
}

static void only_what_answers_depend_on_is_planned_again(void **state)
{
	const struct snapshot *snapshot = must_read(*state, NULL);
	struct verdict_table verdicts = fresh_verdicts(snapshot);
	struct override_list overrides = {0};
	struct plan *before = believe_plan(snapshot, &verdicts, &overrides, NULL);

	for (size_t i = 0; i < COUNT_OF(belief_changes); i++) {
		struct believed believed;

		believe(snapshot, &verdicts, &believed);
		change_belief(&believed, belief_changes[i].changed);

		const struct plan_beliefs beliefs = {&believed.beliefs, believed.pools};
		struct plan *after = plan_build(snapshot, &beliefs, &overrides, before);
		bool is_planned_again =
			find_steering(before, "uploads") != find_steering(after, "uploads");

		if (is_planned_again != belief_changes[i].is_planned_again)
			fail_msg("%s", belief_changes[i].about);
		assert_ptr_equal(find_steering(before, "static"), find_steering(after, "static"));
		/* the plan has its own: explain shows the newest of them */
		assert_memory_equal(plan_world(after).beliefs->rows, believed.beliefs.rows,
			believed.beliefs.first[snapshot->member_count] * sizeof(struct belief));
		assert_memory_equal(plan_world(after).pools, believed.pools,
			snapshot->settings->pool_count * sizeof(believed.pools[0]));
		believed_done(&believed);
		plan_free(after);
	}
	plan_free(before);
	verdict_table_done(&verdicts);
	snapshot_release(snapshot);
}

static const struct {
	const char *about;
	const char *subject;
	enum override_kind kind;
	unsigned want_dl;
	unsigned want_up;
} override_cases[] = {
	{"nothing said", NULL, OVERRIDE_NONE, 10, 10},
	{"a member of one pool", "uploads/first", OVERRIDE_DRAIN, 10, 30},
	{"a member by name", "fra-1", OVERRIDE_DOWN, 20, 10},
	{"a site", "site:fra", OVERRIDE_DRAIN, 20, 10},
	{"somebody else's", "uploads/fra-1", OVERRIDE_DOWN, 10, 10},
};

static void overrides_reach_answers(void **state)
{
	const struct snapshot *snapshot = must_read(*state, NULL);
	struct verdict_table verdicts = fresh_verdicts(snapshot);

	for (size_t i = 0; i < COUNT_OF(override_cases); i++) {
		struct override_list overrides = {0};
		struct override override = {.kind = override_cases[i].kind,
			.subject = override_cases[i].subject,
			.reason = "",
			.by = "test"};

		if (override.subject)
			override_list_set(&overrides, &override);

		struct plan *plan = believe_plan(snapshot, &verdicts, &overrides, NULL);
		unsigned dl = only_answer(plan, "dl.files.example", 0);
		unsigned up = only_answer(plan, "up.files.example", 0);

		if (dl != override_cases[i].want_dl || up != override_cases[i].want_up)
			fail_msg("%s: dl %u, up %u", override_cases[i].about, dl, up);
		plan_free(plan);
		override_list_done(&overrides);
	}
	verdict_table_done(&verdicts);
	snapshot_release(snapshot);
}

static void reload_is_one_transaction(void **state)
{
	const struct snapshot *first = must_read(*state, NULL);
	struct report report = {0};
	char *before = path_in(*state, "zones/other.example.zone");

	/* nothing changed: zones and geography are the same objects */
	const struct snapshot *second = must_read(*state, first);

	assert_ptr_equal(first->geo, second->geo);
	assert_ptr_equal(zone_set_zone(first->zones, 0), zone_set_zone(second->zones, 0));
	assert_true(second->generation > first->generation);
	snapshot_release(second);

	/* one good new zone beside one broken one: neither is taken */
	put_file(*state, "zones/other.example.zone", zone);
	put_file(*state, "zones/files.example.zone", "@ SOA ns1 hostmaster x\n");
	assert_null(read_it(*state, first, &report));
	assert_true(report.error_count > 0);
	report_done(&report);
	put_file(*state, "zones/files.example.zone", zone);

	/* a networks file that is broken */
	put_file(*state, "networks.csv", "81.2.69.0/24,nowhere\n");
	assert_null(read_it(*state, first, &report));
	assert_true(report.error_count > 0);
	report_done(&report);

	/* at a start it is done without, and said */
	const struct snapshot *start = read_it(*state, NULL, &report);

	assert_non_null(start);
	assert_true(report.error_count > 0);
	report_done(&report);
	snapshot_release(start);
	snapshot_release(first);
	free(before);
}

static void pools_that_vanish_refuse(void **state)
{
	const struct snapshot *first = must_read(*state, NULL);
	struct report report = {0};

	put_file(*state, "steerd.yaml",
		"zones: zones/\npools:\n  other: {method: all, members: {a: {address: "
		"192.0.2.1}}}\n");
	assert_null(read_it(*state, first, &report));
	assert_true(report.error_count > 0);
	report_done(&report);
	snapshot_release(first);
}

static const struct {
	const char *client;
	unsigned want; /* last octet of the kept candidate */
	bool is_known;
} explained[] = {
	{"81.2.69.142", 10, true}, {"81.2.69.0/24", 10, true}, {"8.8.8.0/24", 20, true},
	{"10.7.1.1", 20, true},	 /* private, but in the networks file */
	{"10.8.1.1", 10, false}, /* configured order */
};

static void explain_says_what_is_answered(void **state)
{
	const struct snapshot *snapshot = must_read(*state, NULL);
	struct verdict_table verdicts = fresh_verdicts(snapshot);
	struct override_list overrides = {0};
	struct plan *plan = believe_plan(snapshot, &verdicts, &overrides, NULL);

	for (size_t i = 0; i < COUNT_OF(explained); i++) {
		struct explain_request request = {.name = "DL.files.example", .type = DNS_TYPE_A};
		struct explain explain;
		struct err err;

		assert_true(prefix_parse(explained[i].client, &request.client, &err));
		assert_true(explain_query(plan, &verdicts, &request, &explain, &err));
		assert_true(explain.is_steered);
		assert_string_equal(explain.pool, "downloads");
		assert_string_equal(explain.owner, "dl.files.example.");
		assert_int_equal(explain.ttl_s, 30);
		assert_int_equal(explain.candidate_count, 2);
		if (explain.place.is_known != explained[i].is_known ||
			explain.choice->addresses[3] != explained[i].want)
			fail_msg("%s: %u, known %d", explained[i].client,
				explain.choice->addresses[3], explain.place.is_known);
		for (size_t k = 0; k < 2; k++) {
			const struct explain_candidate *candidate = &explain.candidates[k];
			bool is_kept = candidate->candidate.reason == STEER_KEPT;

			assert_int_equal(is_kept,
				candidate->candidate.address.bytes[3] == explained[i].want);
			assert_int_equal(candidate->distance_km >= 0, explained[i].is_known);
			assert_int_equal(candidate->check_count, 1);
			assert_string_equal(candidate->checks[0].monitor, "edge");
			assert_true(address_is_equal(&candidate->checks[0].verdict->address,
				&candidate->candidate.address));
			assert_int_equal(candidate->candidate.belief->share, BELIEF_WHOLE);
		}
		explain_done(&explain);
	}

	struct explain explain;
	struct err err;
	struct explain_request outside = {.name = "www.elsewhere.example", .type = DNS_TYPE_A};
	struct explain_request mx = {.name = "dl.files.example", .type = DNS_TYPE_MX};

	outside.client.address.family = ADDRESS_IPV4;
	assert_true(explain_query(plan, &verdicts, &outside, &explain, &err));
	assert_int_equal(explain.outcome, ZONE_OUTSIDE);
	explain_done(&explain);
	assert_false(explain_query(plan, &verdicts, &mx, &explain, &err));
	plan_free(plan);
	verdict_table_done(&verdicts);
	snapshot_release(snapshot);
}

/* ---- The live pointer ------------------------------------------------------------------------------ */

struct reading {
	const struct live *live;
	bool stop; /* atomic */
	bool went_back;
	size_t plans_seen; /* atomic */
};

/* Reads the plan over and over, through the pointers that answering uses. */
static void *read_plans(void *argument)
{
	struct reading *reading = argument;
	uint64_t newest = 0;

	live_join();
	while (!__atomic_load_n(&reading->stop, __ATOMIC_RELAXED)) {
		const struct plan *plan = live_get(reading->live);

		if (plan->generation < newest)
			reading->went_back = true;
		if (plan->generation > newest)
			__atomic_add_fetch(&reading->plans_seen, 1, __ATOMIC_RELAXED);
		newest = plan->generation;
		(void)only_answer(plan, "up.files.example", 0);
		live_offline();
		live_online();
	}
	live_leave();
	return NULL;
}

static bool have_all_seen(const struct reading *readings, size_t count, size_t plans)
{
	for (size_t i = 0; i < count; i++)
		if (__atomic_load_n(&readings[i].plans_seen, __ATOMIC_RELAXED) < plans)
			return false;
	return true;
}

static void readers_never_see_an_older_plan(void **state)
{
	const struct snapshot *snapshot = must_read(*state, NULL);
	struct verdict_table verdicts = fresh_verdicts(snapshot);
	struct override_list overrides = {0};
	struct live *live = live_new(believe_plan(snapshot, &verdicts, &overrides, NULL));
	struct reading readings[2] = {{.live = live}, {.live = live}};
	pthread_t threads[2];

	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_plans, &readings[i]), 0);
	/* on a busy machine a reader may get its turn late: go on until each has seen some */
	for (int i = 0; i < 300 || !have_all_seen(readings, COUNT_OF(readings), 3); i++) {
		set_down(snapshot, &verdicts, "edge@192.0.2.10", i % 2 == 0);
		assert_true(live_publish(
			live, believe_plan(snapshot, &verdicts, &overrides, live_current(live))));
		/* one that was made from nothing has the snapshot's first generation: too old */
		if (i % 50 == 0)
			assert_false(live_publish(
				live, believe_plan(snapshot, &verdicts, &overrides, NULL)));
	}
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		__atomic_store_n(&readings[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(threads[i], NULL);
		assert_false(readings[i].went_back);
	}
	live_free(live);
	verdict_table_done(&verdicts);
	snapshot_release(snapshot);
}

static void add_settings(const struct fixture *fixture, const char *lines)
{
	char *city = realpath(database(), NULL);
	struct text settings = {0};

	assert_non_null(city);
	text_add(&settings, lines);
	text_print(&settings, yaml, city);
	put_file(fixture, "steerd.yaml", settings.bytes);
	text_done(&settings);
	free(city);
}

static void assert_string_of(const uint8_t *string, const char *want)
{
	if (!want) {
		assert_null(string);
		return;
	}
	assert_non_null(string);
	assert_int_equal(string[0], strlen(want));
	assert_memory_equal(string + 1, want, strlen(want));
}

/* What the server says of itself is the newest snapshot's. */
static void each_plan_introduces_itself(void **state)
{
	static const struct {
		const char *settings;
		const char *identity;
		const char *version;
	} cases[] = {
		{"", NULL, NULL},
		{"identity: ns1-fra\n", "ns1-fra", NULL},
		{"identity: \"ns1\\tfra\"\nversion: yes\n", "ns1\tfra", "steerd " STEERD_VERSION},
		{"version: no\nidentity: "
		 "1234567890123456789012345678901234567890123456789012345678901234\n",
			"1234567890123456789012345678901234567890123456789012345678901234", NULL},
		{"", NULL, NULL},
	};
	const struct fixture *fixture = *state;
	const struct snapshot *previous = NULL;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		add_settings(fixture, cases[i].settings);

		const struct snapshot *snapshot = must_read(fixture, previous);
		struct verdict_table verdicts = fresh_verdicts(snapshot);
		struct override_list overrides = {0};
		struct plan *plan = believe_plan(snapshot, &verdicts, &overrides, NULL);

		assert_string_of(plan->identity, cases[i].identity);
		assert_string_of(plan->version, cases[i].version);
		plan_free(plan);
		verdict_table_done(&verdicts);
		snapshot_release(previous);
		previous = snapshot;
	}
	snapshot_release(previous);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(targets_are_shared_by_key),
		TEST(secrets_are_read_at_each_reload),
		TEST(secrets_with_a_mistake),
		TEST(only_touched_pools_are_planned_again),
		TEST(only_what_answers_depend_on_is_planned_again),
		TEST(overrides_reach_answers),
		TEST(reload_is_one_transaction),
		TEST(pools_that_vanish_refuse),
		TEST(explain_says_what_is_answered),
		TEST(each_plan_introduces_itself),
		TEST(readers_never_see_an_older_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
