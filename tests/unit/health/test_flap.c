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
#include "steerd/base/random.h"
#include "steerd/health/judge.h"

/*
 * A backend that flaps for an hour, through judge and guard, as a daemon would have it: a check every interval, each with a
 * step.  Beside it stands one that is well.  What is counted is when answers would change.
 */
#define HOUR_S 3600
#define CHANGES_MAX 6

struct flap {
	struct rig rig;
	struct judge_rule rule;
	uint64_t now_s;
	uint32_t every_s;
	bool was_answered;
	unsigned changes;
};

static void flap_init(struct flap *flap, const struct judge_rule *rule, uint32_t every_s)
{
	*flap = (struct flap){.rule = *rule, .every_s = every_s, .now_s = 1700000000};
	rig_init(&flap->rig);
	rig_pool(&flap->rig);
	for (size_t i = 0; i < 2; i++)
		rig_endpoint(&flap->rig, 0, 1, 1);
	rig_use(&flap->rig);
}

static void look(struct flap *flap)
{
	const struct belief *belief;
	bool is_answered;

	rig_step(&flap->rig, (flap->now_s - 1700000000) * 1000);
	belief = &guard_beliefs(flap->rig.guard)->rows[0];
	is_answered = belief->state != VERDICT_DOWN;
	flap->changes += is_answered != flap->was_answered;
	flap->was_answered = is_answered;
}

static void check(struct flap *flap, bool passes)
{
	flap->now_s += flap->every_s;
	for (size_t i = 0; i < 2; i++)
		(void)judge_apply(&flap->rig.rows[i], &flap->rule,
			&(struct judge_check){
				.passed = passes || i == 1,
				.at_unix_s = flap->now_s,
				.reason = "connection refused",
			});
	look(flap);
}

/* Well for ten minutes, so that it is known to be up. */
static void begin(struct flap *flap)
{
	while (flap->now_s < 1700000000 + 600)
		check(flap, true);
	assert_true(flap->was_answered);
	flap->changes = 0;
}

static const struct {
	const char *about;
	uint16_t fall;
	uint16_t rise;
	uint32_t every_s;
	unsigned fails;	 /* so many checks fail, */
	unsigned passes; /* then so many pass, and so on */
	unsigned at_least;
} cases[] = {
	{"each check differs, and each is believed", 1, 1, 1, 1, 1, 1},
	{"every five seconds", 1, 1, 5, 1, 1, 1},
	{"every minute", 1, 1, 60, 1, 1, 1},
	{"just as many as are believed", 3, 2, 5, 3, 2, 1},
	{"seldom down", 3, 2, 5, 3, 20, 1},
	{"seldom up", 3, 2, 5, 60, 3, 1},
	{"for minutes each", 3, 2, 5, 36, 36, 1},
	{"for four minutes each", 3, 2, 5, 48, 48, 1},
	{"each check differs, and none is believed", 3, 2, 5, 1, 1, 0},
};

static void an_hour(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct judge_rule rule = {cases[i].fall, cases[i].rise, 10000, 300000};
		struct flap flap;

		flap_init(&flap, &rule, cases[i].every_s);
		begin(&flap);
		for (unsigned n = 0; n * cases[i].every_s < HOUR_S; n++)
			check(&flap, n % (cases[i].fails + cases[i].passes) >= cases[i].fails);
		if (flap.changes > CHANGES_MAX || flap.changes < cases[i].at_least)
			fail_msg("%s: %u changes", cases[i].about, flap.changes);
		rig_done(&flap.rig);
	}
}

/* Of any rhythm, but never well for as long as the longest hold-down: that is no flap, but a recovery. */
static void an_hour_at_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		const struct judge_rule rule = {
			(uint16_t)(1 + seed % 3), (uint16_t)(1 + seed % 2), 10000, 300000};
		struct flap flap;
		struct random random;
		bool passed = true;

		random_seed_with(&random, seed);
		flap_init(&flap, &rule, (uint32_t)(1 + seed % 10));
		begin(&flap);
		while (flap.now_s < 1700000000 + 600 + HOUR_S) {
			unsigned count = 1 + random_below(&random, 1u << random_below(&random, 7));
			bool passes = random_below(&random, 2) == 0 && !passed;
			uint64_t well_until_s = flap.now_s + 300;

			passed = passes;

			for (unsigned n = 0; n < count && flap.now_s < 1700000000 + 600 + HOUR_S;
				n++)
				check(&flap, passes && flap.now_s + flap.every_s < well_until_s);
		}
		if (flap.changes > CHANGES_MAX)
			fail_msg("seed %u: %u changes", (unsigned)seed, flap.changes);
		rig_done(&flap.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour),
		cmocka_unit_test(an_hour_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
