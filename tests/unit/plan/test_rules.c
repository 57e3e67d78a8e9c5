/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/health/verdict.h"
#include "targets.h"

/* ---- Settings with a bit of everything ------------------------------------------------------------- */

enum { EDGE, DEEP, SLOW };
static const struct settings_monitor monitors[] = {
	[EDGE] = {.name = "edge", .fall = 3, .every_ms = 5000},
	[DEEP] = {.name = "deep", .fall = 2, .every_ms = 30000},
	[SLOW] = {.name = "slow", .fall = 1, .every_ms = 3600000},
};

static const struct address addresses[] = {
	{ADDRESS_IPV4, {192, 0, 2, 1}}, {ADDRESS_IPV4, {192, 0, 2, 2}}};

#define LEAF(index)                                                                                \
	{                                                                                          \
		.kind = CONDITION_MONITOR, .monitor = (index)                                      \
	}
static const struct settings_condition deep = LEAF(DEEP);
static const struct settings_condition both[] = {
	LEAF(EDGE), {.kind = CONDITION_NOT, .items = &deep, .item_count = 1}, LEAF(EDGE)};
static const struct settings_condition two_of = {
	.kind = CONDITION_AT_LEAST, .at_least = 2, .items = both, .item_count = 3};
static const uint32_t watched[] = {SLOW, EDGE};

/* The defaults of what the tests do not look at. */
#define MEMBER(member_name) .name = (member_name), .site = SETTINGS_NONE, .pool = SETTINGS_NONE
#define POOL_OF(pool_name, list)                                                                   \
	.name = (pool_name), .members = (list), .member_count = COUNT_OF(list)

static const struct settings_member downloads[] = {
	{MEMBER("both"), .addresses = addresses, .address_count = 2, .capacity = 40},
	{MEMBER("host"), .host = "cdn.example"},
	{MEMBER("own"), .addresses = addresses, .address_count = 1, .condition = &deep},
};
static const struct settings_member origins[] = {
	{MEMBER("plain"), .addresses = &addresses[1], .address_count = 1},
	{MEMBER("host"), .host = "cdn.example"},
	{.name = "more", .site = SETTINGS_NONE, .pool = 0, .capacity = 7},
};
static const struct settings_member shared[] = {
	{MEMBER("edge"), .addresses = addresses, .address_count = 1},
};

static const struct settings_pool pools[] = {
	{POOL_OF("downloads", downloads), .condition = &two_of, .watch_only = watched,
		.watch_only_count = COUNT_OF(watched), .panic_percent = 50, .loss_percent = 40,
		.degraded_percent = 50, .slow_start_ms = 60000, .failback_ms = 120000,
		.has_manual_return = true, .needs = 1, .without = WITHOUT_DOWN},
	{POOL_OF("origins", origins), .method = METHOD_FAILOVER, .watch_only = watched,
		.watch_only_count = 1, .loss_percent = 100, .degraded_percent = 100,
		.needs = SETTINGS_NONE},
	{POOL_OF("shared", shared), .condition = &both[0], .degraded_percent = 1,
		.needs = SETTINGS_NONE},
};

static const struct settings settings = {
	.monitors = monitors,
	.monitor_count = COUNT_OF(monitors),
	.pools = pools,
	.pool_count = COUNT_OF(pools),
	.canaries = 2,
	.suspect_percent = 60,
	.suspect_networks = 3,
	.suspect_window_ms = 20000,
	.confirm_ms = 90000,
};

struct fixture {
	struct snapshot snapshot;
	const struct guard_rules *rules;
	struct arena *arena;
};

static int set_up(void **state)
{
	struct fixture *fixture = memory_new(sizeof(*fixture));

	fixture->arena = arena_new();
	fixture->snapshot.settings = &settings;
	targets_make(&fixture->snapshot, fixture->arena);
	fixture->rules = rules_make(&fixture->snapshot, fixture->arena);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

/* ---- What is checked ------------------------------------------------------------------------------- */

static void each_monitor_has_its_targets(void **state)
{
	static const char *const keys[] = {"@cdn.example", "deep@192.0.2.1", "deep@192.0.2.2",
		"deep@cdn.example", "edge@192.0.2.1", "edge@192.0.2.2", "edge@cdn.example",
		"slow@192.0.2.1", "slow@192.0.2.2", "slow@cdn.example"};
	const struct fixture *fixture = *state;
	const struct target_list *targets = &fixture->snapshot.targets;

	assert_int_equal(targets->count, COUNT_OF(keys));
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		assert_string_equal(targets->targets[i].key, keys[i]);
}

static void print_targets(const struct fixture *fixture, const target_id *targets, size_t count,
	struct text *ret_text)
{
	for (size_t i = 0; i < count; i++)
		text_print(ret_text, "%s%s", i > 0 ? "+" : "",
			fixture->snapshot.targets.targets[targets[i]].key);
}

/* By member: what its monitors are applied to, in the order of the configuration; "(...)" is watched only. */
static const char *const checks[] = {
	("edge@192.0.2.1+edge@192.0.2.2 deep@192.0.2.1+deep@192.0.2.2 "
	 "(slow@192.0.2.1+slow@192.0.2.2)"),
	"edge@cdn.example deep@cdn.example (slow@cdn.example)",
	"deep@192.0.2.1 (slow@192.0.2.1) (edge@192.0.2.1)",
	"(slow@192.0.2.2)",
	"@cdn.example (slow@cdn.example)",
	"",
	"edge@192.0.2.1",
};

static void each_member_has_its_checks(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(fixture->snapshot.member_count, COUNT_OF(checks));
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		const struct snapshot_member *member = &fixture->snapshot.members[i];
		struct text got = {0};

		text_add(&got, "");
		for (size_t k = 0; k < member->check_count; k++) {
			const struct snapshot_check *check = &member->checks[k];

			text_print(&got, "%s%s", k > 0 ? " " : "", check->is_watch_only ? "(" : "");
			print_targets(fixture, check->targets, check->target_count, &got);
			text_add(&got, check->is_watch_only ? ")" : "");
		}
		assert_string_equal(got.bytes, checks[i]);
		text_done(&got);
	}
}

/* ---- What the guard goes by ------------------------------------------------------------------------ */

static void print_condition(const struct fixture *fixture, const struct guard_member *member,
	const struct guard_condition *condition, struct text *ret_text)
{
	switch (condition->kind) {
	case GUARD_TARGETS:
		print_targets(fixture, condition->targets,
			member->is_host ? 1 : member->address_count, ret_text);
		return;
	case GUARD_AT_LEAST:
		text_print(ret_text, "%u of", condition->at_least);
		break;
	case GUARD_NOT:
		text_add(ret_text, "not");
		break;
	}
	for (size_t i = 0; i < condition->item_count; i++) {
		text_add(ret_text, " (");
		print_condition(fixture, member, &condition->items[i], ret_text);
		text_add(ret_text, ")");
	}
}

static const struct {
	const char *key;
	uint32_t pool;
	uint32_t child;
	size_t address_count;
	const char *condition; /* NULL: none */
	uint32_t capacity;
	uint32_t evidence_ms;
} members[] = {
	{"downloads/both", 0, GUARD_NONE, 2,
		"2 of (edge@192.0.2.1+edge@192.0.2.2) (not (deep@192.0.2.1+deep@192.0.2.2)) "
		"(edge@192.0.2.1+edge@192.0.2.2)",
		40, 60000},
	{"downloads/host", 0, GUARD_NONE, 0,
		"2 of (edge@cdn.example) (not (deep@cdn.example)) (edge@cdn.example)", 1, 60000},
	{"downloads/own", 0, GUARD_NONE, 1, "deep@192.0.2.1", 1, 60000},
	{"origins/plain", 1, GUARD_NONE, 1, NULL, 1, 0},
	{"origins/host", 1, GUARD_NONE, 0, "@cdn.example", 1, 0},
	{"origins/more", 1, 0, 0, NULL, 7, 0},
	{"shared/edge", 2, GUARD_NONE, 1, "edge@192.0.2.1", 1, 15000},
};

static void members_are_judged_by_their_conditions(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(fixture->rules->member_count, COUNT_OF(members));
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const struct guard_member *got = &fixture->rules->members[i];
		struct text condition = {0};

		assert_string_equal(got->key, members[i].key);
		assert_int_equal(got->pool, members[i].pool);
		assert_int_equal(got->child, members[i].child);
		assert_int_equal(got->address_count, members[i].address_count);
		assert_int_equal(got->capacity, members[i].capacity);
		assert_int_equal(got->evidence_ms, members[i].evidence_ms);
		assert_int_equal(got->condition != NULL, members[i].condition != NULL);
		if (!got->condition)
			continue;
		print_condition(fixture, got, got->condition, &condition);
		assert_string_equal(condition.bytes, members[i].condition);
		text_done(&condition);
	}
}

static void pools_are_judged_as_written(void **state)
{
	const struct fixture *fixture = *state;
	const struct guard_rules *rules = fixture->rules;
	const struct guard_pool *first = &rules->pools[0];
	const struct guard_pool *second = &rules->pools[1];

	assert_int_equal(rules->pool_count, COUNT_OF(pools));
	assert_string_equal(first->name, "downloads");
	assert_int_equal(first->member_count, 3);
	assert_int_equal(second->members[0], 3);
	assert_int_equal(rules->pools[2].members[0], 6);
	assert_false(first->is_failover);
	assert_true(second->is_failover);
	assert_int_equal(first->panic_percent, 50);
	assert_int_equal(first->loss_percent, 40);
	assert_int_equal(first->degraded_share, BELIEF_WHOLE / 2);
	assert_int_equal(second->degraded_share, BELIEF_WHOLE);
	assert_int_equal(rules->pools[2].degraded_share, 1);
	assert_int_equal(first->slow_start_ms, 60000);
	assert_int_equal(first->failback_ms, 120000);
	assert_true(first->has_manual_return);
	assert_int_equal(first->needs, 1);
	assert_int_equal(first->without, VERDICT_DOWN);
	assert_int_equal(second->needs, GUARD_NONE);
	assert_int_equal(second->without, VERDICT_DEGRADED);
	assert_int_equal(rules->canaries, 2);
	assert_int_equal(rules->suspect_percent, 60);
	assert_int_equal(rules->suspect_networks, 3);
	assert_int_equal(rules->suspect_window_ms, 20000);
	assert_int_equal(rules->confirm_ms, 90000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_monitor_has_its_targets),
		TEST(each_member_has_its_checks),
		TEST(members_are_judged_by_their_conditions),
		TEST(pools_are_judged_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
