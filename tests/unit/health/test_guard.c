/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guard_rig.h"
#include "steerd/base/memory.h"

/* ---- one pool of endpoints with one address each ---- */

struct terms {
	uint8_t panic;
	uint8_t loss;
	uint32_t evidence_s;
	uint32_t failback_s;
	uint32_t slow_s;
	bool is_manual;
	uint32_t capacity[4];
};

static const struct {
	const char *about;
	struct terms terms;
	const char *script;
} cases[] = {
	{"all is up", {0}, "0 UUU UUU S; 10 = UUU S"},
	{"without limits what fails goes at once", {.loss = 100},
		"0 UUU UUU S; 1 DDU DDU S; 2 DDD DDD L"},
	{"what is degraded is believed", {.loss = 100},
		"0 UUU UUU; 1 GUU GUU S; 2 GGG GGG S; 3 UGG UGG S"},
	{"what is unknown counts as up", {.loss = 100}, "0 ??? ??? S; 1 U?? U?? S"},
	{"from unknown to down", {.loss = 100}, "0 ??? ???; 1 D?? D?? S"},
	{"what is down at the very first is taken as it is", {.loss = 1, .evidence_s = 60},
		"0 DDU DDU S; 1 DDU DDU"},
	{"even all of it", {.loss = 1, .evidence_s = 60}, "0 DDD DDD L"},

	{"one address may always go", {.loss = 1}, "0 UUUU UUUU; 1 DUUU DUUU S"},
	{"but no other within a minute", {.loss = 1},
		"0 UUUU UUUU; 1 DUUU DUUU; 60.999 DDUU DlUU; 61 = DDUU"},
	{"half of four may go", {.loss = 50}, "0 UUUU UUUU; 1 DDUU DDUU; 2 DDDU DDlU; 61 = DDDU"},
	{"a limit that is just reached holds", {.loss = 75},
		"0 UUUU UUUU; 1 DDDD DDDl; 60 = DDDl; 61 = DDDD L"},
	{"one after the other", {.loss = 25},
		"0 UUUU UUUU; 1 DDDD Dlll; 61 = DDll; 121 = DDDl; 181 = DDDD L"},
	{"what is held and well again was never away", {.loss = 25},
		"0 UUUU UUUU; 1 DDUU DlUU; 20 DUUU DUUU; 61 = DUUU"},
	{"the limit counts capacity", {.loss = 50, .capacity = {10, 70, 10, 10}},
		"0 UUUU UUUU; 1 DUDD DUDD; 2 DDDD DlDD; 61 = DDDD"},
	{"one that is more than the limit may go if it is the first",
		{.loss = 50, .capacity = {10, 70, 10, 10}},
		"0 UUUU UUUU; 1 UDUU UDUU; 2 DDUU lDUU; 61 = DDUU"},
	{"what came back still counts", {.loss = 25},
		"0 UUUU UUUU; 1 DUUU DUUU; 10 UUUU UUUU; 20 UDUU UlUU; 61 = UDUU"},
	{"but a second fall of the same is no second loss", {.loss = 25},
		"0 UUUU UUUU; 1 DUUU DUUU; 10 UUUU UUUU; 20 DUUU DUUU"},
	{"and counts from then", {.loss = 25},
		"0 UUUU UUUU; 1 DUUU DUUU; 10 UUUU UUUU; 20 DUUU DUUU; 70 DDUU DlUU; 80 = DDUU"},

	{"the last one needs evidence", {.loss = 100, .evidence_s = 15},
		"0 UU UU; 1 DU DU S; 10 DD De S; 24.999 = De S; 25 = DD L"},
	{"evidence starts anew with each success", {.loss = 100, .evidence_s = 15},
		"0 UU UU; 1 DU DU; 10 DD De; 20 DU DU; 21 DD De; 35.999 = De; 36 = DD L"},
	{"of two that fail together the second", {.loss = 100, .evidence_s = 15},
		"0 UU UU; 1 DD De; 16 = DD L"},
	{"evidence and the limit", {.loss = 50, .evidence_s = 15},
		"0 UU UU; 1 DD Dl; 60.999 = Dl; 61 = DD L"},
	{"evidence longer than the limit", {.loss = 50, .evidence_s = 90},
		"0 UU UU; 1 DD Dl; 61 = De; 91 = DD L"},
	{"the one that brings panic needs evidence", {.panic = 50, .loss = 100, .evidence_s = 15},
		"0 UUUU UUUU; 1 DDUU DDUU S; 2 DDDU DDeU S; 17 = DDDU P"},
	{"in panic the next go at once, until the last",
		{.panic = 50, .loss = 100, .evidence_s = 15},
		"0 UUUU UUUU; 1 DDDU DDeU; 16 = DDDU P; 20 DDDD DDDe P; 35 = DDDD L"},
	{"a threshold that is just reached is no panic", {.panic = 50, .loss = 100},
		"0 UUUU UUUU; 1 DDUU DDUU S; 2 DDDU DDDU P; 3 DDUU DDUU S"},
	{"panic counts capacity", {.panic = 50, .loss = 100, .capacity = {60, 10, 10, 10}},
		"0 UUUU UUUU; 1 DUUU DUUU P; 2 UDDD UDDD S"},
	{"panic at 100", {.panic = 100, .loss = 100},
		"0 UUUU UUUU S; 1 UUUD UUUD P; 2 UUUG UUUG S"},
	{"what is degraded is capacity all the same", {.panic = 50, .loss = 100},
		"0 UUUU UUUU; 1 GGGG GGGG S"},

	{"failback waits", {.loss = 100, .failback_s = 30},
		"0 UUU UUU; 1 DUU DUU; 10 UUU fUU; 39.999 = fUU; 40 = UUU"},
	{"a failure starts it anew", {.loss = 100, .failback_s = 30},
		"0 UUU UUU; 1 DUU DUU; 10 UUU fUU; 20 DUU DUU; 21 GUU fUU; 50.999 = fUU; 51 = GUU"},
	{"what is unknown does not bring back", {.loss = 100},
		"0 UUU UUU; 1 DUU DUU; 2 ?UU fUU; 600 = fUU; 601 UUU UUU"},
	{"manual return waits for ever", {.loss = 100, .is_manual = true},
		"0 UUU UUU; 1 DUU DUU; 2 UUU mUU; 86400 = mUU"},
	{"first the delay, then the word", {.loss = 100, .is_manual = true, .failback_s = 30},
		"0 UUU UUU; 1 DUU DUU; 2 UUU fUU; 32 = mUU; 33 DUU DUU"},
	{"what was never down needs no word", {.loss = 100, .is_manual = true},
		"0 ??? ???; 1 UU? UU?; 2 GUU GUU; 3 UUU UUU"},
	{"nor does what was held", {.loss = 1, .is_manual = true},
		"0 UUU UUU; 1 DUU DUU; 2 DDU DlU; 3 DUU DUU"},
	{"its share grows", {.loss = 100, .slow_s = 60},
		"0 UUU UUU; 1 DUU DUU; 2 UUU rUU; 61.999 = rUU; 62 = UUU"},
	{"one that falls while it grows", {.loss = 100, .slow_s = 60},
		"0 UUU UUU; 1 DUU DUU; 2 UUU rUU; 20 DUU DUU; 30 UUU rUU; 90 = UUU"},
	{"a first verdict is no recovery", {.loss = 100, .slow_s = 60, .failback_s = 60},
		"0 ??? ???; 1 UUU UUU"},
};

static void set_up(struct rig *rig, const struct terms *terms, size_t member_count)
{
	uint32_t pool;

	rig_init(rig);
	pool = rig_pool(rig);
	for (size_t i = 0; i < member_count; i++) {
		uint32_t id = rig_endpoint(rig, pool, 1, 1);

		rig->members[id].evidence_ms = terms->evidence_s * 1000;
		rig->members[id].capacity = terms->capacity[i % 4];
	}
	rig->pools[pool].panic_percent = terms->panic;
	rig->pools[pool].loss_percent = terms->loss;
	rig->pools[pool].failback_ms = terms->failback_s * 1000;
	rig->pools[pool].slow_start_ms = terms->slow_s * 1000;
	rig->pools[pool].has_manual_return = terms->is_manual;
	rig_use(rig);
}

static void one_pool(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rig rig;
		const char *seen = strchr(cases[i].script, ' ') + 1;

		set_up(&rig, &cases[i].terms, strcspn(seen, " "));
		rig_play(&rig, cases[i].about, cases[i].script);
		rig_done(&rig);
	}
}

/* ---- the observer ---- */

/* Six targets in six networks, and after them the canaries. */
static const struct {
	const char *about;
	uint8_t percent;
	uint8_t networks;
	uint32_t canaries; /* how many; 0: none are configured */
	const char *script;
} observed[] = {
	{"fewer than so many", 50, 3, 0, "0 UUUUUU UUUUUU; 1 DDDUUU DDDUUU; 2 UUUUUU UUUUUU"},
	{"more than so many", 50, 3, 0, "0 UUUUUU UUUUUU; 1 DDDDUU ooooUU"},
	{"but in too few networks", 50, 5, 0, "0 UUUUUU UUUUUU; 1 DDDDUU DDDDUU"},
	{"one after the other within the window", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DUUUUU DUUUUU; 10 DDUUUU DDUUUU; 15 DDDUUU DDDUUU; 21 DDDDUU "
		"DDDoUU"},
	{"and not within it", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DUUUUU DUUUUU; 10 DDUUUU DDUUUU; 15 DDDUUU DDDUUU; 22 DDDDUU "
		"DDDDUU"},
	{"what fails for long does not count", 30, 3, 0,
		"0 UUUUUU UUUUUU; 1 DUUUUU DUUUUU; 50 DDUUUU DDUUUU; 99 DDDUUU DDDUUU; 100 DDDDUU "
		"DDDDUU"},
	{"what failed before all this does not count", 30, 3, 0,
		"0 DDUUUU DDUUUU; 1 DDDUUU DDDUUU"},
	{"what is held is well again", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DDDDUU ooooUU; 30 UUUUUU UUUUUU; 100 = UUUUUU"},
	{"it is confirmed if anything passed", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DDDDUU ooooUU; 5 = ooooUU; 60.999 = ooooUU; 61 = DDDDUU; 62 "
		"UUUUUU UUUUUU"},
	{"and not while nothing passes", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DDDDDD oooooo; 600 DDDDDD oooooo; 7200 DDDDDD oooooo; 7201 "
		"DDDDDU DDDDDU"},
	{"what fails meanwhile is held as well", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DDDDUU ooooUU; 30 DDDDDU oooooU; 61 = DDDDDU"},
	{"it takes as many others to become suspect anew", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DDDDUU ooooUU; 30 = ooooUU; 61 = DDDDUU; 62 DDDDDD DDDDDD"},
	{"or the same, when they have been well", 50, 3, 0,
		"0 UUUUUU UUUUUU; 1 DDDDUU ooooUU; 30 = ooooUU; 61 = DDDDUU; 62 UUUUUU UUUUUU; 63 "
		"DDDDUU ooooUU"},
	{"never", 100, 1, 0, "0 UUUUUU UUUUUU; 1 DDDDDD DDDDDD"},
	{"unchecked targets do not count", 50, 1, 0, "0 UU???? UU????; 1 DU???? DU????"},
	{"first checks that fail do", 50, 3, 0, "0 ?????? ??????; 1 DDD??? ooo???"},
	{"of three that are checked, two", 50, 2, 0, "0 UUU??? UUU???; 1 DDU??? ooU???"},
	{"a canary that passes ends it", 50, 3, 1,
		"0 UUUUUUU UUUUUUU; 1 DDDDUUU ooooUUU; 2 DDDDUUU DDDDUUU"},
	{"canaries that all fail begin it", 50, 3, 2,
		"0 UUUUUUUU UUUUUUUU; 1 DUUUUUDD oUUUUUoo; 600 = oUUUUUoo; 601 DUUUUUUD DUUUUUUD"},
	{"one of them does not", 50, 3, 2, "0 UUUUUUUU UUUUUUUU; 1 DUUUUUDU DUUUUUDU"},
	{"while they fail nothing else ends it", 50, 3, 1,
		"0 UUUUUUU UUUUUUU; 1 DUUUUUD oUUUUUo; 7200 DUUUUUD oUUUUUo"},
	{"nor begins it anew at once", 50, 3, 1,
		"0 UUUUUUU UUUUUUU; 1 DUUUUUD oUUUUUo; 2 DUUUUUU DUUUUUU; 3 DDUUUUU DDUUUUU"},
	{"canaries that are not checked say nothing", 50, 3, 1,
		"0 UUUUUU? UUUUUU?; 1 DDDDUU? ooooUU?; 2 = ooooUU?; 61 = DDDDUU?"},
};

static void observer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(observed); i++) {
		struct rig rig;
		uint32_t pool;
		uint32_t canaries;

		rig_init(&rig);
		pool = rig_pool(&rig);
		canaries = rig_pool(&rig);
		for (size_t k = 0; k < 6 + observed[i].canaries; k++)
			rig_endpoint(&rig, k < 6 ? pool : canaries, 1, 1);
		rig.rules.canaries = observed[i].canaries > 0 ? canaries : GUARD_NONE;
		rig.rules.suspect_percent = observed[i].percent;
		rig.rules.suspect_networks = observed[i].networks;
		rig.rules.suspect_window_ms = 20000;
		rig.rules.confirm_ms = 60000;
		rig_use(&rig);
		rig_play(&rig, observed[i].about, observed[i].script);
		rig_done(&rig);
	}
}

static void observer_says_what_it_sees(void **state)
{
	struct rig rig;
	const struct guard_observer *seen;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100}, 4);
	rig.rules.suspect_percent = 50;
	rig.rules.suspect_networks = 2;
	rig.rules.suspect_window_ms = 1000;
	seen = guard_observer(rig.guard);
	rig_show(&rig, "DUUU");
	rig_step(&rig, 5000);
	assert_false(seen->is_suspect);
	assert_int_equal(seen->checked, 4);
	assert_int_equal(seen->failing, 1);
	assert_int_equal(seen->networks, 0); /* it did not begin while we looked */
	rig_show(&rig, "DDDD");
	assert_true(rig_step(&rig, 7000));
	assert_true(seen->is_suspect);
	assert_false(seen->are_canaries_down);
	assert_int_equal(seen->failing, 4);
	assert_int_equal(seen->networks, 3);
	assert_int_equal(seen->since_unix_s, 1700000007);
	rig_done(&rig);
}

/* A first check that fails counts, before its target is down. */
static void observer_is_early(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100}, 3);
	rig.rules.suspect_percent = 50;
	rig.rules.suspect_networks = 2;
	rig.rules.suspect_window_ms = 1000;
	rig_show(&rig, "UUU");
	rig_step(&rig, 1000);
	for (size_t i = 0; i < 2; i++) {
		rig.rows[i].last_passed = false;
		rig.rows[i].checked_at_unix_s++;
	}
	assert_true(rig_step(&rig, 1500));
	assert_true(guard_observer(rig.guard)->is_suspect);
	rig_done(&rig);
}

/* What passed before all failed may be told after it, and is no reason to believe it. */
static void a_pass_of_before_confirms_nothing(void **state)
{
	struct rig rig;
	const struct guard_observer *seen;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100}, 3);
	rig.rules.suspect_percent = 50;
	rig.rules.suspect_networks = 2;
	rig.rules.suspect_window_ms = 5000;
	rig.rules.confirm_ms = 1000;
	seen = guard_observer(rig.guard);
	rig_show(&rig, "UUU");
	rig_step(&rig, 10000);
	rig_show(&rig, "DDU");
	rig_step(&rig, 20000);
	assert_true(seen->is_suspect);
	rig.rows[2].checked_at_unix_s = seen->since_unix_s;
	rig_step(&rig, 30000);
	assert_true(seen->is_suspect);
	/* but not because the clock was set back */
	rig.rows[2].checked_at_unix_s -= 5000;
	assert_false(guard_step(rig.guard,
		&(struct guard_input){.verdicts = &rig.table,
			.now_ms = 31000,
			.now_unix_s = seen->since_unix_s - 5001}));
	assert_true(seen->is_suspect);
	rig.rows[2].checked_at_unix_s += 2;
	assert_true(guard_step(rig.guard,
		&(struct guard_input){.verdicts = &rig.table,
			.now_ms = 32000,
			.now_unix_s = seen->since_unix_s + 1}));
	assert_false(seen->is_suspect);
	rig_done(&rig);
}

/* Targets in one network are one, whatever they are called. */
static void observer_counts_networks(void **state)
{
	static const struct {
		const char *addresses[3];
		uint32_t networks;
	} facts[] = {
		{{"192.0.2.1", "192.0.2.2", "192.0.3.1"}, 1},
		{{"192.0.2.1", "192.1.2.1", "192.0.3.1"}, 2},
		{{"2001:db8::1", "2001:db8:ffff::1", "2001:db8:1::1"}, 1},
		{{"2001:db8::1", "2001:db9::1", "10.0.0.1"}, 3},
		{{"0.0.0.1", "::1", "0.0.255.255"}, 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		struct rig rig;

		set_up(&rig, &(struct terms){.loss = 100}, 3);
		for (size_t k = 0; k < 3; k++) {
			address_parse(facts[i].addresses[k], &rig.addresses[k]);
			rig.rows[k].address = rig.addresses[k];
		}
		rig.rules.suspect_window_ms = 1000;
		rig_use(&rig); /* the addresses are others */
		rig_show(&rig, "UUU");
		rig_step(&rig, 1000);
		rig_show(&rig, "DDD");
		rig_step(&rig, 1001);
		assert_int_equal(guard_observer(rig.guard)->networks, facts[i].networks);
		rig_done(&rig);
	}
}

/* ---- pools of pools ---- */

/*
 * Pool 0 has the pools 1 and 2, which have the endpoints 0 to 3 and 4 to 5; their written capacities are per endpoint.
 */
static const struct {
	const char *about;
	bool is_failover;
	uint8_t panic[3];
	uint8_t loss[3];
	uint32_t written[2]; /* of the pools 1 and 2 as members */
	uint32_t evidence_s;
	const char *script;
} nested[] = {
	{"all is up", false, {50, 50, 50}, {100, 100, 100}, {0, 0}, 0, "0 UUUUUU UUUUUU SSS"},
	{"the sum of what is left", false, {50, 0, 0}, {100, 100, 100}, {0, 0}, 0,
		"0 UUUUUU UUUUUU; 1 DDDUUU DDDUUU SSS; 2 DDDUDU DDDUDU PSS"},
	{"what is not sound counts as nothing above", false, {50, 50, 0}, {100, 100, 100}, {0, 0},
		0, "0 UUUUUU UUUUUU; 1 DDUUUU DDUUUU SSS; 2 DDDUUU DDDUUU PPS"},
	{"a written capacity is in proportion to what is left", false, {70, 0, 0}, {100, 100, 100},
		{80, 20}, 0,
		"0 UUUUUU UUUUUU; 1 DUUUUU DUUUUU SSS; 2 DUUUDU DUUUDU SSS; 3 DDUUUU DDUUUU PSS"},
	{"a failover pool is sound if any member is", true, {90, 50, 50}, {100, 100, 100}, {0, 0},
		0,
		"0 UUUUUU UUUUUU; 1 DDDUUU DDDUUU SPS; 2 DDDDDU DDDDDU SLS; 3 DDDDDD DDDDDD LLL"},
	{"and in panic if none is, but something is usable", true, {0, 50, 0}, {100, 100, 100},
		{0, 0}, 0, "0 UUUUUU UUUUUU; 1 DDDUDD DDDUDD PPL; 2 DDDUUD DDDUUD SPS"},
	{"the limit of a pool above holds", false, {0, 0, 0}, {34, 100, 100}, {0, 0}, 0,
		"0 UUUUUU UUUUUU; 1 DDUUDU DDUUlU SSS; 61 = DDUUDU SSS"},
	{"in its own capacity", false, {0, 0, 0}, {20, 100, 100}, {80, 20}, 0,
		"0 UUUUUU UUUUUU; 1 DUUUUU DUUUUU; 2 DUUUDU DUUUlU; 61 = DUUUDU"},
	{"but not of a failover pool: there another takes over", true, {0, 0, 0}, {20, 100, 100},
		{0, 0}, 0, "0 UUUUUU UUUUUU; 1 DDDDUU DDDDUU SLS"},
	{"and of the pool itself", false, {0, 0, 0}, {100, 25, 100}, {0, 0}, 0,
		"0 UUUUUU UUUUUU; 1 DDUUDD DlUUDD SSL; 61 = DDUUDD SSL"},
	{"the last one of all needs evidence", false, {0, 0, 0}, {100, 100, 100}, {0, 0}, 15,
		"0 UUUUUU UUUUUU; 1 DDDDDD DDDeDe SSS; 16 = DDDDDD LLL"},
	{"panic above needs evidence", false, {50, 0, 0}, {100, 100, 100}, {0, 0}, 15,
		"0 UUUUUU UUUUUU; 1 DDDUUU DDDUUU; 2 DDDUDU DDDUeU SSS; 17 = DDDUDU PSS"},
};

static void pools_of_pools(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(nested); i++) {
		struct rig rig;

		rig_init(&rig);
		for (size_t k = 0; k < 3; k++) {
			uint32_t pool = rig_pool(&rig);

			rig.pools[pool].panic_percent = nested[i].panic[k];
			rig.pools[pool].loss_percent = nested[i].loss[k];
		}
		rig.pools[0].is_failover = nested[i].is_failover;
		for (uint32_t k = 0; k < 2; k++)
			rig.members[rig_child(&rig, 0, k + 1)].capacity = nested[i].written[k];
		for (size_t k = 0; k < 6; k++)
			rig.members[rig_endpoint(&rig, k < 4 ? 1 : 2, 1, 1)].evidence_ms =
				nested[i].evidence_s * 1000;
		rig_use(&rig);
		rig_play(&rig, nested[i].about, nested[i].script);
		rig_done(&rig);
	}
}

/* Pool 1 is fenced: what is in it is answered though all of it fails, so those above go no further. */
static void a_fence_holds_above(void **state)
{
	static const struct {
		const char *about;
		uint32_t written; /* of the fenced pool as a member */
		const char *script;
	} fences[] = {
		{"the fence is lost, and all else", 0,
			"0 UUUUUU UUUUUU SSS; 1 DDDDUU DDDDUU SLS; 2 DDDDDD DDDDDD SLL; 3 UUUUDD "
			"UUUUDD SSL"},
		{"in panic it counts whole, too", 0, "0 UUUUUU UUUUUU SSS; 1 DDDUDD DDDUDD SPL"},
		{"as much as is written", 1,
			"0 UUUUUU UUUUUU SSS; 1 DDDDDD DDDDDD PLL; 2 DDDDDU DDDDDU SLS"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fences); i++) {
		struct rig rig;

		rig_init(&rig);
		for (size_t k = 0; k < 3; k++) {
			uint32_t pool = rig_pool(&rig);

			rig.pools[pool].panic_percent = 50;
			rig.pools[pool].loss_percent = 100;
		}
		rig.pools[1].is_fenced = true;
		rig.members[rig_child(&rig, 0, 1)].capacity = fences[i].written;
		(void)rig_child(&rig, 0, 2);
		for (size_t k = 0; k < 6; k++)
			(void)rig_endpoint(&rig, k < 4 ? 1 : 2, 1, 1);
		rig_use(&rig);
		rig_play(&rig, fences[i].about, fences[i].script);
		rig_done(&rig);
	}
}

/* ---- both families ---- */

/* Two endpoints with an address of each family. */
static const struct {
	const char *about;
	uint8_t panic;
	uint8_t loss;
	uint32_t evidence_s;
	const char *script;
} families[] = {
	{"each address is half of its endpoint", 75, 100, 0,
		"0 UUUU UUUU; 1 DUUU DUUU S; 2 DUUD DUUD P"},
	{"and counts for the limit as that", 0, 25, 0,
		"0 UUUU UUUU; 1 DUUU DUUU; 2 DDUU DlUU; 61 = DDUU"},
	{"the last of a family needs evidence", 0, 100, 15,
		"0 UUUU UUUU; 1 DUDU DUeU S; 16 = DUDU S; 17 DDDU DDDU S; 18 DDDD DDDe S; 33 = "
		"DDDD L"},
};

static void both_families(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		struct rig rig;
		uint32_t pool;

		rig_init(&rig);
		pool = rig_pool(&rig);
		rig.pools[pool].panic_percent = families[i].panic;
		rig.pools[pool].loss_percent = families[i].loss;
		for (size_t k = 0; k < 2; k++)
			rig.members[rig_endpoint(&rig, pool, 2, 1)].evidence_ms =
				families[i].evidence_s * 1000;
		rig_use(&rig);
		rig_play(&rig, families[i].about, families[i].script);
		rig_done(&rig);
	}
}

/* ---- needs ---- */

/* Pool 0 has the endpoints 0 and 1 and needs pool 1, which has 2 and 3. */
static const struct {
	const char *about;
	enum verdict_state without;
	uint8_t panic; /* of the needed one */
	const char *script;
} needed[] = {
	{"degraded without", VERDICT_DEGRADED, 0,
		"0 UUUU UUUU SS; 1 UUDU UUDU SS; 2 UUDD wwDD SL; 3 UUUD UUUD SS"},
	{"down without", VERDICT_DOWN, 0, "0 UUUU UUUU SS; 2 UUDD xxDD LL; 3 UUUD UUUD SS"},
	{"up without", VERDICT_UP, 0, "0 UUUU UUUU SS; 2 GUDD wwDD SL; 3 UUUD UUUD SS"},
	{"panic is as bad", VERDICT_DOWN, 100, "0 UUUU UUUU SS; 2 UUUD xxUD LP; 3 UUUU UUUU SS"},
	{"what is down stays down", VERDICT_DEGRADED, 0,
		"0 UUUU UUUU SS; 1 DUUU DUUU; 2 DGDD DwDD SL; 3 UUDD wwDD"},
	{"what is unknown is without it too", VERDICT_DEGRADED, 0,
		"0 ??UU ??UU SS; 1 ??DD wwDD SL"},
};

static void needs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		struct rig rig;

		rig_init(&rig);
		rig_pool(&rig);
		rig_pool(&rig);
		for (uint32_t k = 0; k < 4; k++)
			rig_endpoint(&rig, k / 2, 1, 1);
		rig.pools[0].needs = 1;
		rig.pools[0].without = (uint8_t)needed[i].without;
		rig.pools[1].panic_percent = needed[i].panic;
		rig_use(&rig);
		rig_play(&rig, needed[i].about, needed[i].script);
		rig_done(&rig);
	}
}

/* No configuration has a circle; one that is there all the same ends. */
static void circles_end(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_pool(&rig);
	rig_pool(&rig);
	rig_endpoint(&rig, 0, 1, 1);
	rig_endpoint(&rig, 1, 1, 1);
	rig.pools[0].needs = 1;
	rig.pools[1].needs = 0;
	rig.pools[0].without = rig.pools[1].without = VERDICT_DEGRADED;
	rig_use(&rig);
	rig_show(&rig, "UD");
	for (uint64_t now_ms = 0; now_ms < 10; now_ms++)
		rig_step(&rig, now_ms);
	assert_int_equal(guard_beliefs(rig.guard)->rows[0].state, VERDICT_DEGRADED);
	rig_done(&rig);
}

/* ---- overrides ---- */

static const struct {
	const char *about;
	const char *overrides; /* a letter for each member: . none, d drain, D down, U up */
	uint8_t panic;
	uint8_t loss;
	const char *script; /* from then on */
} said[] = {
	{"what is drained goes as it fails", "d...", 0, 1, "1 DDUU DDUU S"},
	{"it is not the address that always may", "dD..", 0, 1, "1 DDDU DDDU S; 2 DDDD DDDl S"},
	{"and is no capacity", "dd..", 75, 100, "1 UUDU UUDU P; 2 DDUU DDUU S"},
	{"the last of what is left", "ddd.", 0, 100, "1 UUUD UUUD L"},
	{"what is forced up is capacity whatever its checks say", "U...", 50, 100,
		"1 DDDU DDDU S; 2 DDDD DDDD P"},
	{"and goes as it fails", "UU..", 0, 1, "1 DDUU DDUU S; 2 DDDU DDDU S"},
	{"all is drained", "dddd", 0, 100, "1 = UUUU L"},
};

static void overrides_are_no_health(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(said); i++) {
		struct rig rig;

		set_up(&rig, &(struct terms){.loss = said[i].loss, .panic = said[i].panic}, 4);
		rig_play(&rig, said[i].about, "0 UUUU UUUU S");
		for (size_t k = 0; k < 4; k++)
			rig.overrides[k] = said[i].overrides[k] == 'd' ? OVERRIDE_DRAIN
				: said[i].overrides[k] == 'D'	       ? OVERRIDE_DOWN
				: said[i].overrides[k] == 'U'	       ? OVERRIDE_UP
								       : OVERRIDE_NONE;
		rig_step(&rig, 0);
		rig_play(&rig, said[i].about, said[i].script);
		rig_done(&rig);
	}
}

/* A member that is a pool weighs as a whole for the pool above. */
static void overrides_of_pools(void **state)
{
	struct rig rig;
	uint32_t first;

	(void)state;
	rig_init(&rig);
	for (size_t i = 0; i < 3; i++)
		rig_pool(&rig);
	first = rig_child(&rig, 0, 1);
	rig_child(&rig, 0, 2);
	rig_endpoint(&rig, 1, 1, 1);
	rig_endpoint(&rig, 2, 1, 1);
	rig_use(&rig);
	rig_step(&rig, 0);
	rig.overrides[first] = OVERRIDE_DRAIN;
	rig_play(&rig, "drained", "0 UU UU SSS; 1 UD UD LSL; 2 UU UU SSS");
	rig.overrides[first] = OVERRIDE_UP;
	rig_step(&rig, 2000);
	rig_play(&rig, "forced up", "3 DD DD SLL");
	assert_int_equal(guard_pools(rig.guard)[0].percent, 50);
	rig_done(&rig);
}

/* ---- numbers that are shown ---- */

static void shares(void **state)
{
	static const struct {
		uint64_t at_ms; /* after the recovery */
		char seen;
		uint8_t share;
	} facts[] = {
		{0, 'U', 4},
		{3999, 'U', 4},
		{4000, 'U', 8},
		{8000, 'U', 12},
		{30000, 'U', 32},
		{30000, 'G', 16},
		{56000, 'U', 60},
		{59999, 'U', 60},
		{60000, 'U', 64},
		{60000, 'G', 32},
		{60001, 'D', 0},
	};
	struct rig rig;
	size_t changes = 0;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100, .slow_s = 60}, 2);
	rig_play(&rig, "before", "0 UU UU; 1 DU DU; 10 UU rU");
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		rig_show(&rig, (char[]){facts[i].seen, 'U', '\0'});
		rig_step(&rig, 10000 + facts[i].at_ms);
		if (guard_beliefs(rig.guard)->rows[0].share != facts[i].share)
			fail_msg("after %u ms: %u", (unsigned)facts[i].at_ms,
				guard_beliefs(rig.guard)->rows[0].share);
	}
	/* few plans are made for it */
	rig_play(&rig, "again", "100 UU rU");
	while (guard_due_at_ms(rig.guard) < UINT64_MAX) {
		assert_true(rig_step(&rig, guard_due_at_ms(rig.guard)));
		changes++;
	}
	assert_int_equal(changes, 15);
	assert_int_equal(guard_beliefs(rig.guard)->rows[0].share, BELIEF_WHOLE);
	rig_done(&rig);
}

/* A short one is not made of so many. */
static void short_ramps(void **state)
{
	struct rig rig;
	uint64_t before = 2000;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100, .slow_s = 3}, 2);
	rig_play(&rig, "before", "0 UU UU; 1 DU DU; 2 UU rU");
	for (; guard_due_at_ms(rig.guard) < UINT64_MAX; before = rig.now_ms) {
		rig_step(&rig, guard_due_at_ms(rig.guard));
		assert_true(rig.now_ms - before >= 1000);
	}
	assert_int_equal(rig.now_ms, 5000);
	rig_done(&rig);
}

static void pool_states(void **state)
{
	struct rig rig;
	const struct guard_pool_state *pool;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 50, .panic = 60, .capacity = {1, 2, 3, 4}}, 4);
	rig_play(&rig, "at first", "0 ???? ???? S");
	pool = &guard_pools(rig.guard)[0];
	assert_false(pool->was_ever_up);
	assert_int_equal(pool->percent, 100);
	assert_int_equal(pool->since_unix_s, 1700000000);
	rig_play(&rig, "some fail", "5 DDUU DDUU S");
	assert_true(pool->was_ever_up);
	assert_int_equal(pool->percent, 70);
	assert_int_equal(pool->loss_percent, 30);
	assert_int_equal(pool->held_count, 0);
	assert_int_equal(pool->since_unix_s, 1700000000);
	rig_play(&rig, "more fail", "6 DDDD DDll S; 65 = DDDl P");
	assert_int_equal(pool->percent, 40);
	assert_int_equal(pool->loss_percent, 30);
	assert_int_equal(pool->held_count, 1);
	assert_int_equal(pool->since_unix_s, 1700000065);
	rig_done(&rig);
}

/* What was usable when the pool last was sound. */
static void last_good(void **state)
{
	static const struct {
		const char *step;
		const char *good; /* a digit for each */
	} facts[] = {
		{"0 ?U?U ?U?U S", "1111"},
		{"1 DUUU DUUU S", "0111"},
		{"2 DDDU DDDU P", "0111"},
		{"3 DDDD DDDD L", "0111"},
		{"4 UDDD UDDD P", "0111"},
		{"5 UUDD UUDD S", "1100"},
	};
	struct rig rig;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100, .panic = 50}, 4);
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		rig_play(&rig, "last good", facts[i].step);
		for (size_t k = 0; k < 4; k++)
			if (guard_beliefs(rig.guard)->rows[k].is_last_good !=
				(facts[i].good[k] == '1'))
				fail_msg("%s: row %zu", facts[i].step, k);
	}
	rig_done(&rig);
}

static void returned(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100, .is_manual = true, .slow_s = 15}, 3);
	rig_play(&rig, "waiting", "0 UUU UUU; 1 DDU DDU");
	assert_int_equal(
		guard_return(rig.guard, 0), 0); /* it fails: there is nothing to let back */
	rig_play(&rig, "well", "2 UDU mDU");
	assert_int_equal(guard_return(rig.guard, 1), 0);
	assert_int_equal(guard_return(rig.guard, 2), 0);
	assert_int_equal(guard_return(rig.guard, 0), 1);
	assert_int_equal(guard_return(rig.guard, 0), 0); /* it has been said */
	assert_true(rig_step(&rig, 3000));
	rig_play(&rig, "back", "3 = rDU; 18 = UDU; 19 UUU UmU");
	/* a word is for this time */
	assert_int_equal(guard_return(rig.guard, 1), 1);
	rig_show(&rig, "UDU"); /* but it fails before it is heard */
	rig_step(&rig, 19500);
	rig_play(&rig, "not any more", "20 UDU UDU; 21 UUU UmU");
	rig_done(&rig);
}

/* ---- time ---- */

static void time_does_not_go_back(void **state)
{
	struct rig rig;
	char believed[RIG_TARGETS + 1];

	(void)state;
	set_up(&rig, &(struct terms){.loss = 100, .failback_s = 10}, 2);
	rig_play(&rig, "before", "100 UU UU; 101 DU DU; 102 UU fU");
	assert_false(rig_step(&rig, 0));
	assert_false(rig_step(&rig, 111999));
	assert_false(rig_step(&rig, 50));
	assert_int_equal(guard_due_at_ms(rig.guard), 112000);
	assert_true(rig_step(&rig, 112000));
	rig_believed(&rig, believed);
	assert_string_equal(believed, "UU");
	assert_int_equal(guard_due_at_ms(rig.guard), UINT64_MAX);
	rig_done(&rig);
}

/* Without news, what waits for time goes on waiting; what an operator says does not. */
static void stale_is_frozen(void **state)
{
	static const struct {
		const char *about;
		struct terms terms;
		const char *before;
		const char *meanwhile;
		const char *after;
	} facts[] = {
		{"evidence", {.loss = 100, .evidence_s = 10}, "0 UUU UUU; 1 DDD DDe", "600 = DDe",
			"610 = DDe; 610.5 = DDD"},
		{"loss", {.loss = 1}, "0 UUU UUU; 1 DDU DlU", "600 = DlU", "601 = DDU"},
		{"failback", {.loss = 100, .failback_s = 10}, "0 UUU UUU; 1 DUU DUU; 2 UUU fUU",
			"600 = fUU", "610 = fUU; 610.5 = UUU"},
		{"a ramp goes on", {.loss = 100, .slow_s = 10}, "0 UUU UUU; 1 DUU DUU; 2 UUU rUU",
			"12 = UUU", "13 = UUU"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		struct rig rig;

		set_up(&rig, &facts[i].terms, 3);
		rig_play(&rig, facts[i].about, facts[i].before);
		rig.is_stale = true;
		rig_play(&rig, facts[i].about, facts[i].meanwhile);
		rig.is_stale = false;
		rig_step(&rig, 600500);
		rig_play(&rig, facts[i].about, facts[i].after);
		rig_done(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pool),
		cmocka_unit_test(observer),
		cmocka_unit_test(observer_says_what_it_sees),
		cmocka_unit_test(observer_is_early),
		cmocka_unit_test(a_pass_of_before_confirms_nothing),
		cmocka_unit_test(observer_counts_networks),
		cmocka_unit_test(pools_of_pools),
		cmocka_unit_test(a_fence_holds_above),
		cmocka_unit_test(both_families),
		cmocka_unit_test(needs),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(overrides_are_no_health),
		cmocka_unit_test(overrides_of_pools),
		cmocka_unit_test(shares),
		cmocka_unit_test(short_ramps),
		cmocka_unit_test(pool_states),
		cmocka_unit_test(last_good),
		cmocka_unit_test(returned),
		cmocka_unit_test(time_does_not_go_back),
		cmocka_unit_test(stale_is_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
