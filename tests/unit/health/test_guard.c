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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
