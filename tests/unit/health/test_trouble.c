/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/health/override.h"
#include "steerd/health/trouble.h"

#define NOW_UNIX_S 1700000000
#define DAY_S 86400

/*
 * Two monitors over the pool `downloads` with a member of two addresses, both of which must pass, and over `api` with one
 * that no monitor watches.  All is well; each case spoils something.
 */
struct scene {
	struct target targets[4]; /* edge@.1, edge@.2, deep@.1, deep@.2 */
	struct target_list target_list;
	target_id edge[2];
	target_id deep[2];
	struct guard_condition items[2];
	struct guard_condition condition;
	struct address addresses[2];
	struct guard_member members[2];
	struct guard_pool pools[2];
	struct guard_rules rules;
	uint32_t first[3];
	struct belief beliefs[3];
	struct belief_table belief_table;
	struct guard_pool_state states[2];
	struct guard_observer observer;
	struct verdict rows[4];
	struct verdict_table verdicts;
	uint8_t overrides[2];
	uint32_t warn_days[2];
	struct trouble_input input;
};

static const char *const monitors[] = {"edge", "deep"};
static const char *const last_resorts[] = {"it answers with all of them", "it answers with none"};

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static void fill_rules(struct scene *s)
{
	for (uint32_t i = 0; i < 4; i++)
		s->targets[i] = (struct target){.key = "x", .monitor = i / 2};
	s->target_list = (struct target_list){.targets = s->targets, .count = 4};
	s->edge[1] = 1;
	s->deep[0] = 2;
	s->deep[1] = 3;
	s->items[0] = (struct guard_condition){.kind = GUARD_TARGETS, .targets = s->edge};
	s->items[1] = (struct guard_condition){.kind = GUARD_TARGETS, .targets = s->deep};
	s->condition = (struct guard_condition){
		.kind = GUARD_AT_LEAST, .at_least = 2, .items = s->items, .item_count = 2};
	s->members[0] = (struct guard_member){.key = "downloads/fra-1",
		.child = GUARD_NONE,
		.addresses = s->addresses,
		.address_count = 2,
		.condition = &s->condition,
		.evidence_ms = 15000};
	s->members[1] = (struct guard_member){.key = "api/any", .pool = 1, .child = GUARD_NONE};
	s->pools[0].name = "downloads";
	s->pools[1].name = "api";
	s->rules = (struct guard_rules){
		.pools = s->pools, .pool_count = 2, .members = s->members, .member_count = 2};
}

static void fill(struct scene *s)
{
	*s = (struct scene){.addresses = {address_of("192.0.2.1"), address_of("192.0.2.2")}};
	fill_rules(s);
	s->first[1] = 2;
	s->first[2] = 3;
	for (uint32_t i = 0; i < 3; i++)
		s->beliefs[i] = (struct belief){.address = s->addresses[i % 2],
			.seen = VERDICT_UP,
			.state = VERDICT_UP,
			.since_unix_s = NOW_UNIX_S - 60};
	s->belief_table =
		(struct belief_table){.member_count = 2, .first = s->first, .rows = s->beliefs};
	for (uint32_t i = 0; i < 4; i++)
		s->rows[i] = (struct verdict){.target = i,
			.address = s->addresses[i % 2],
			.state = VERDICT_UP,
			.was_up = true,
			.checked_at_unix_s = NOW_UNIX_S - 1,
			.certificate_until_unix_s = NOW_UNIX_S + 90 * DAY_S,
			.certificate = "dl.files.example",
			.issuer = "an authority"};
	s->verdicts = (struct verdict_table){.rows = s->rows, .count = 4};
	s->warn_days[0] = 14;
	s->input = (struct trouble_input){
		.rules = &s->rules,
		.beliefs = &s->belief_table,
		.pools = s->states,
		.observer = &s->observer,
		.verdicts = &s->verdicts,
		.targets = &s->target_list,
		.monitors = monitors,
		.warn_days = s->warn_days,
		.last_resorts = last_resorts,
		.overrides = s->overrides,
		.now_unix_s = NOW_UNIX_S,
	};
}

static void goes_down(struct scene *s)
{
	s->beliefs[1].seen = VERDICT_DOWN;
	s->beliefs[1].state = VERDICT_DOWN;
	s->rows[3].state = VERDICT_DOWN;
	strcpy(s->rows[3].reason, "connection refused");
}

/* ---- what can be wrong ---- */

static void nothing(struct scene *s)
{
	(void)s;
}
static void no_reason(struct scene *s)
{
	goes_down(s);
	s->rows[3].reason[0] = '\0';
}
static void degraded(struct scene *s)
{
	s->beliefs[0].state = VERDICT_DEGRADED;
	s->rows[0].state = VERDICT_DEGRADED;
	strcpy(s->rows[0].reason, "slow: 900 ms");
}
static void seen_alone(struct scene *s)
{
	goes_down(s);
	s->beliefs[1].state = VERDICT_UP;
	s->beliefs[1].seen = VERDICT_DOWN;
	s->beliefs[1].why = BELIEF_EVIDENCE;
}
static void waits_for_return(struct scene *s)
{
	s->beliefs[1].state = VERDICT_DOWN;
	s->beliefs[1].why = BELIEF_RETURN;
}
static void without_origin(struct scene *s)
{
	s->beliefs[1].state = VERDICT_DEGRADED;
	s->beliefs[1].why = BELIEF_WITHOUT;
}
static void drained(struct scene *s)
{
	goes_down(s);
	s->overrides[0] = OVERRIDE_DRAIN;
}
static void forced_up(struct scene *s)
{
	goes_down(s);
	s->overrides[0] = OVERRIDE_UP;
}
static void unknown(struct scene *s)
{
	s->beliefs[0].state = VERDICT_UNKNOWN;
	s->rows[0].checked_at_unix_s = 0;
	s->rows[0].was_up = false;
	s->rows[2].checked_at_unix_s = 0;
	s->rows[2].was_up = false;
}
static void never_up(struct scene *s)
{
	goes_down(s);
	s->rows[1].was_up = false;
	s->rows[3].was_up = false;
}
static void never_up_held(struct scene *s)
{
	never_up(s);
	s->beliefs[1].state = VERDICT_UP;
}
static void unwatched(struct scene *s)
{
	s->beliefs[2].state = VERDICT_DOWN;
}
static void panic(struct scene *s)
{
	s->states[0] = (struct guard_pool_state){.state = BELIEF_POOL_PANIC, .percent = 40};
}
static void lost(struct scene *s)
{
	s->states[1].state = BELIEF_POOL_LOST;
}
static void certificate(struct scene *s)
{
	s->rows[0].certificate_until_unix_s = NOW_UNIX_S + 5 * DAY_S;
	s->rows[1].certificate_until_unix_s = NOW_UNIX_S + 3 * DAY_S + 5;
	s->rows[2].certificate_until_unix_s = NOW_UNIX_S + 1; /* nobody asked */
}
static void certificate_ended(struct scene *s)
{
	s->rows[0].certificate_until_unix_s = NOW_UNIX_S - 2 * DAY_S;
}
static void certificate_in_time(struct scene *s)
{
	s->rows[0].certificate_until_unix_s = NOW_UNIX_S + 14 * DAY_S;
	s->rows[1].certificate_until_unix_s = 0;
}
static void observer(struct scene *s)
{
	s->observer = (struct guard_observer){
		.is_suspect = true, .failing = 9, .checked = 12, .networks = 4};
}
static void canaries(struct scene *s)
{
	s->observer = (struct guard_observer){.is_suspect = true, .are_canaries_down = true};
}
static void prober(struct scene *s)
{
	s->input.prober_why = "killed by signal 9";
}

static const struct {
	const char *about;
	void (*spoil)(struct scene *);
	const char *want; /* "KIND LEVEL SUBJECT: REASON" each on a line */
} cases[] = {
	{"all is well", nothing, ""},
	{"down", goes_down, "0 2 downloads/fra-1 192.0.2.2: connection refused\n"},
	{"down, and no check says why", no_reason,
		"0 2 downloads/fra-1 192.0.2.2: its monitors together say so\n"},
	{"degraded", degraded, "0 1 downloads/fra-1 192.0.2.1: slow: 900 ms\n"},
	{"what is seen and not believed is not told", seen_alone, ""},
	{"down until it is returned", waits_for_return,
		"0 2 downloads/fra-1 192.0.2.2: its checks pass; it waits for an operator to "
		"return it\n"},
	{"without what it needs", without_origin,
		"0 1 downloads/fra-1 192.0.2.2: it serves without what its pool needs\n"},
	{"what an operator took out", drained,
		"0 255 downloads/fra-1 192.0.2.1: its monitors together say so\n"
		"0 255 downloads/fra-1 192.0.2.2: connection refused\n"},
	{"what an operator holds up is told", forced_up,
		"0 2 downloads/fra-1 192.0.2.2: connection refused\n"},
	{"what was not checked", unknown,
		"0 255 downloads/fra-1 192.0.2.1: its monitors together say so\n"},
	{"never up", never_up,
		"0 2 never downloads/fra-1 192.0.2.2: connection refused\n"
		"2 1 after 30000 downloads/fra-1 192.0.2.2: connection refused\n"},
	{"never up, and held in answers", never_up_held,
		"2 1 after 30000 downloads/fra-1 192.0.2.2: connection refused\n"},
	{"who has no monitor is not told", unwatched, ""},
	{"panic", panic,
		"1 1 downloads: 40 % of its capacity is left; it answers with all of them\n"},
	{"lost", lost, "1 2 api: nothing usable is left; it answers with none\n"},
	{"the certificate that ends first", certificate,
		"3 1 edge: the certificate of 192.0.2.2, 'dl.files.example' by 'an authority', "
		"ends on 2023-11-17, in 3 days\n"},
	{"a certificate that ended", certificate_ended,
		"3 1 edge: the certificate of 192.0.2.1, 'dl.files.example' by 'an authority', "
		"ended on 2023-11-12, 2 days ago\n"},
	{"a certificate in time", certificate_in_time, ""},
	{"the observer", observer,
		"4 1: 9 of 12 checked targets fail, those that began together in 4 networks; "
		"nothing goes down until that is confirmed\n"},
	{"the canaries", canaries,
		"4 1: the canaries are down; nothing goes down until that is confirmed\n"},
	{"the prober", prober, "5 1: killed by signal 9\n"},
};

static void print_trouble(const struct notice_trouble *trouble, struct text *lines)
{
	const struct notice_subject *subject = &trouble->subject;
	char address[ADDRESS_TEXT_SIZE];

	text_print(lines, "%d %u", subject->kind, trouble->level);
	if (trouble->was_never_up)
		text_add(lines, " never");
	if (trouble->delay_ms > 0)
		text_print(lines, " after %u", trouble->delay_ms);
	if (subject->pool)
		text_print(lines, " %s", subject->pool);
	if (subject->member)
		text_print(lines, "/%s", subject->member);
	if (subject->monitor)
		text_print(lines, " %s", subject->monitor);
	if (subject->address.family != ADDRESS_NONE) {
		address_print(&subject->address, address);
		text_print(lines, " %s", address);
	}
	text_print(lines, ": %s\n", trouble->reason);
}

static void what_can_be_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		struct trouble_list list = {0};
		struct text got = {0};
		struct scene scene;

		fill(&scene);
		cases[i].spoil(&scene);
		trouble_find(&scene.input, arena, &list);
		text_add(&got, "");
		for (size_t k = 0; k < list.count; k++)
			print_trouble(&list.items[k], &got);
		if (strcmp(got.bytes, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].about, got.bytes);
		text_done(&got);
		free(list.items);
		arena_free(arena);
	}
}

/* A member with a host name has one target, with a row for each address. */
static void rows_of_a_host(void **state)
{
	const struct verdict *rows[TROUBLE_ROWS_MAX];
	struct scene scene;

	(void)state;
	fill(&scene);
	assert_int_equal(trouble_rows(&scene.input, 0, 1, rows), 2);
	assert_ptr_equal(rows[0], &scene.rows[1]);
	assert_ptr_equal(rows[1], &scene.rows[3]);
	assert_int_equal(trouble_rows(&scene.input, 0, 2, rows), 0);
	assert_int_equal(trouble_rows(&scene.input, 1, 0, rows), 0);
	scene.members[0].is_host = true;
	scene.rows[1].target = 0;
	scene.edge[1] = UINT32_MAX;
	scene.deep[0] = TARGET_NONE;
	assert_int_equal(trouble_rows(&scene.input, 0, 1, rows), 1);
	assert_ptr_equal(rows[0], &scene.rows[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_wrong),
		cmocka_unit_test(rows_of_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
