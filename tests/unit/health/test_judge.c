/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/health/judge.h"

/*
 * Checks come one a second from second 100 on; '+' passed, '~' passed but degraded, '-' failed.
 * States: u unknown, U up, d degraded, D down.
 */
static const struct {
	const char *about;
	uint16_t fall;
	uint16_t rise;
	char start;
	const char *checks;
	const char *states; /* after each check */
	uint64_t since;	    /* of the last state; 0: never changed */
	uint16_t streak;
} cases[] = {
	{"one success makes an unknown target up", 3, 2, 'u', "+", "U", 100, 1},
	{"even where rise is high", 3, 9, 'u', "+", "U", 100, 1},
	{"one failure leaves it unknown", 3, 2, 'u', "-", "u", 0, 1},
	{"failures count to fall", 3, 2, 'u', "---", "uuD", 102, 3},
	{"with fall 1 the first failure is enough", 1, 1, 'u', "-", "D", 100, 1},
	{"a success between failures", 3, 2, 'u', "--+--", "uuUUU", 102, 2},
	{"one failure short of fall", 3, 2, 'U', "--", "UU", 0, 2},
	{"fall failures", 3, 2, 'U', "---", "UUD", 102, 3},
	{"a success starts the count again", 3, 2, 'U', "--+--", "UUUUU", 0, 2},
	{"alternating never falls", 2, 2, 'U', "-+-+-+-+", "UUUUUUUU", 0, 1},
	{"one success short of rise", 3, 2, 'D', "+", "D", 0, 1},
	{"rise successes", 3, 2, 'D', "++", "DU", 101, 2},
	{"a failure starts that count again", 3, 3, 'D', "++-++", "DDDDD", 0, 2},
	{"alternating never rises", 2, 2, 'D', "+-+-+-+-", "DDDDDDDD", 0, 1},
	{"down stays down and `since` stays", 2, 2, 'U', "-----", "UDDDD", 101, 5},
	{"up stays up and `since` stays", 2, 2, 'D', "++++", "DUUU", 101, 4},
	{"down and up again", 2, 2, 'U', "--++", "UDDU", 103, 2},
	{"fall 0 is read as 1", 0, 0, 'U', "-+", "DU", 101, 1},
	{"the first check decides: degraded", 3, 2, 'u', "~", "d", 100, 1},
	{"after a failure too", 3, 2, 'u', "-~", "ud", 101, 1},
	{"one slow check changes nothing", 3, 2, 'U', "~+~~+~", "UUUUUU", 0, 6},
	{"fall of them do", 3, 2, 'U', "~~~", "UUd", 102, 3},
	{"with fall 1 the first", 1, 1, 'U', "~+", "dU", 101, 2},
	{"failures among them count", 3, 2, 'U', "~-~", "UUd", 102, 1},
	{"but one that failed last is not degraded", 3, 2, 'U', "~~-", "UUU", 0, 1},
	{"degraded stays so", 3, 2, 'U', "~~~~+~", "UUdddd", 102, 6},
	{"rise whole ones end it", 3, 2, 'U', "~~~++", "UUddU", 104, 5},
	{"fall failures do as well", 3, 2, 'U', "~~~---", "UUdddD", 105, 3},
	{"degraded checks do not keep up from down", 3, 2, 'U', "~~---", "UUUUD", 104, 3},
	{"from down to degraded", 3, 2, 'D', "~~", "Dd", 101, 2},
	{"one of them among rise", 3, 2, 'D', "~+", "Dd", 101, 2},
	{"and to up", 3, 2, 'D', "~++", "DdU", 102, 3},
};

static enum verdict_state state_of(char letter)
{
	switch (letter) {
	case 'U':
		return VERDICT_UP;
	case 'd':
		return VERDICT_DEGRADED;
	case 'D':
		return VERDICT_DOWN;
	default:
		return VERDICT_UNKNOWN;
	}
}

static void states_after_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct verdict verdict = {.state = (uint8_t)state_of(cases[i].start)};
		struct judge_rule rule = {.fall = cases[i].fall, .rise = cases[i].rise};

		for (size_t k = 0; cases[i].checks[k]; k++) {
			uint8_t before = verdict.state;
			struct judge_check check = {
				.passed = cases[i].checks[k] != '-',
				.is_degraded = cases[i].checks[k] == '~',
				.latency_ms = (uint32_t)k + 7,
				.at_unix_s = 100 + k,
				.reason = "refused",
			};
			bool changed = judge_apply(&verdict, &rule, &check);

			if (verdict.state != state_of(cases[i].states[k]))
				fail_msg("%s: check %zu", cases[i].about, k);
			if (changed != (before != verdict.state))
				fail_msg("%s: check %zu: change", cases[i].about, k);
			assert_int_equal(verdict.checked_at_unix_s, 100 + k);
			assert_int_equal(verdict.latency_ms, k + 7);
			assert_int_equal(verdict.last_passed, check.passed);
			assert_int_equal(verdict.was_up, k >= strcspn(cases[i].checks, "+~"));
			assert_string_equal(
				verdict.reason, cases[i].checks[k] == '+' ? "" : "refused");
		}
		if (verdict.since_unix_s != cases[i].since)
			fail_msg("%s: since %u", cases[i].about, (unsigned)verdict.since_unix_s);
		if (verdict.streak != cases[i].streak)
			fail_msg("%s: streak %u", cases[i].about, verdict.streak);
	}
}

static void streak_ends_at_its_limit(void **state)
{
	struct verdict verdict = {.state = VERDICT_UP, .streak = UINT16_MAX, .last_passed = true};
	struct judge_rule rule = {.fall = 1, .rise = 1};

	(void)state;
	judge_apply(&verdict, &rule, &(struct judge_check){.passed = true});
	assert_int_equal(verdict.streak, UINT16_MAX);
	judge_apply(&verdict, &rule, &(struct judge_check){.reason = "x"});
	assert_int_equal(verdict.streak, 1);
}

static void reasons_are_fit_to_be_shown(void **state)
{
	struct judge_rule rule = {.fall = 1, .rise = 1};
	struct verdict verdict = {0};
	char text[VERDICT_REASON_SIZE + 40];

	(void)state;
	judge_apply(&verdict, &rule, &(struct judge_check){.reason = "a\033[1mb\nc\x7f"});
	assert_string_equal(verdict.reason, "a?[1mb?c?");
	judge_apply(&verdict, &rule, &(struct judge_check){.reason = NULL});
	assert_string_equal(verdict.reason, "");

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	judge_apply(&verdict, &rule, &(struct judge_check){.reason = text});
	assert_int_equal(strlen(verdict.reason), VERDICT_REASON_SIZE - 1);

	/* U+20AC has three octets; the last one would lie beyond the end */
	memcpy(text + VERDICT_REASON_SIZE - 3, "\xe2\x82\xac", 3);
	judge_apply(&verdict, &rule, &(struct judge_check){.reason = text});
	assert_int_equal(strlen(verdict.reason), VERDICT_REASON_SIZE - 3);

	judge_apply(&verdict, &rule, &(struct judge_check){.passed = true, .reason = "old"});
	assert_string_equal(verdict.reason, "");
}

/* ---- what is remembered ---- */

static void outcomes_are_remembered(void **state)
{
	const struct judge_rule rule = {.fall = 3, .rise = 2};
	struct verdict verdict = {0};

	(void)state;
	for (size_t i = 0; i < 70; i++)
		judge_apply(&verdict, &rule,
			&(struct judge_check){
				.passed = i != 67, .is_degraded = i == 66 || i == 67 || i < 6});
	assert_int_equal(verdict.outcome_count, 64);
	assert_int_equal(verdict.outcomes_failed, 1 << 2);
	assert_int_equal(verdict.outcomes_degraded, 1 << 3); /* those before i 6 are forgotten */
}

/* Counts beyond what is remembered are those that are. */
static void long_runs_of_degraded_checks(void **state)
{
	const struct judge_rule rule = {.fall = 100, .rise = 100};
	struct verdict verdict = {.state = VERDICT_UP};

	(void)state;
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(
			judge_apply(&verdict, &rule,
				&(struct judge_check){.passed = true, .is_degraded = true}),
			i == 63);
	assert_int_equal(verdict.state, VERDICT_DEGRADED);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(
			judge_apply(&verdict, &rule, &(struct judge_check){.passed = true}),
			i == 63);
	assert_int_equal(verdict.state, VERDICT_UP);
}

static void what_else_was_seen(void **state)
{
	const struct judge_rule rule = {.fall = 1, .rise = 1};
	struct judge_check check = {
		.passed = true,
		.note = "HIT, age 312 s",
		.rate_kbit_s = 50000,
		.certificate_until_unix_s = 1900000000,
		.certificate = "dl.files.example",
		.issuer = "Some\tCA",
	};
	struct verdict verdict = {0};

	(void)state;
	judge_apply(&verdict, &rule, &check);
	assert_string_equal(verdict.note, "HIT, age 312 s");
	assert_string_equal(verdict.certificate, "dl.files.example");
	assert_string_equal(verdict.issuer, "Some?CA");
	assert_int_equal(verdict.certificate_until_unix_s, 1900000000);
	assert_int_equal(verdict.rate_kbit_s, 50000);

	/* a failure sees none of it: what is known of the certificate and the rate stays */
	judge_apply(&verdict, &rule, &(struct judge_check){.reason = "refused"});
	assert_string_equal(verdict.note, "");
	assert_string_equal(verdict.certificate, "dl.files.example");
	assert_int_equal(verdict.rate_kbit_s, 50000);

	struct verdict before = verdict;

	assert_false(judge_apply(&verdict, &rule,
		&(struct judge_check){.is_skipped = true,
			.note = "its 3 GiB of today are used up",
			.reason = "x"}));
	assert_string_equal(verdict.note, "its 3 GiB of today are used up");
	memset(verdict.note, 0, sizeof(verdict.note));
	assert_memory_equal(&verdict, &before, sizeof(verdict));
}

static void percentiles_of_the_last_that_passed(void **state)
{
	struct judge_latencies latencies = {0};
	struct verdict verdict = {0};

	(void)state;
	judge_add_latency(&verdict, &latencies, 30);
	assert_int_equal(verdict.latency_p50_ms, 30);
	assert_int_equal(verdict.latency_p95_ms, 30);
	judge_add_latency(&verdict, &latencies, 10);
	assert_int_equal(verdict.latency_p50_ms, 10);
	assert_int_equal(verdict.latency_p95_ms, 30);
	judge_add_latency(&verdict, &latencies, 20);
	assert_int_equal(verdict.latency_p50_ms, 20);
	for (uint32_t i = 100; i > 0; i--)
		judge_add_latency(&verdict, &latencies, i);
	/* 1 to 64 are there: the 32nd and the 61st */
	assert_int_equal(verdict.latency_p50_ms, 32);
	assert_int_equal(verdict.latency_p95_ms, 61);
}

/* ---- one that flaps ---- */

#define BEGIN_S 1700000000

/* A target, its rule, and the time of its next check. */
struct patient {
	struct verdict verdict;
	struct judge_rule rule;
	uint64_t at_unix_s;
	uint64_t every_s;
	unsigned changes;
};

static struct patient patient_of(uint64_t every_s)
{
	return (struct patient){
		.verdict = {.state = VERDICT_UP, .since_unix_s = BEGIN_S},
		.rule = {.fall = 3, .rise = 2, .hold_down_ms = 10000, .hold_down_max_ms = 300000},
		.at_unix_s = BEGIN_S,
		.every_s = every_s,
	};
}

static void check(struct patient *patient, char outcome)
{
	const struct judge_check result = {.passed = outcome != '-',
		.is_degraded = outcome == '~',
		.at_unix_s = patient->at_unix_s};

	patient->changes += judge_apply(&patient->verdict, &patient->rule, &result);
	patient->at_unix_s += patient->every_s;
}

/* Checks alike until the state is another one; the seconds that it took. */
static uint64_t check_until_change(struct patient *patient, char outcome)
{
	unsigned changes = patient->changes;
	uint64_t begin_s = patient->at_unix_s;

	while (patient->changes == changes) {
		assert_true(patient->at_unix_s - begin_s < 100000);
		check(patient, outcome);
	}
	return patient->at_unix_s - begin_s;
}

static void check_for(struct patient *patient, char outcome, uint64_t span_s)
{
	for (uint64_t end_s = patient->at_unix_s + span_s; patient->at_unix_s < end_s;)
		check(patient, outcome);
}

/* One flap every so often, too seldom for the limit of an hour: the wait doubles, up to its limit. */
static void hold_downs_double(void **state)
{
	static const uint64_t want_s[] = {0, 10, 20, 40, 80, 160, 300, 300};
	struct patient patient = patient_of(1);

	(void)state;
	patient.rule.hold_down_max_ms = 7200000;
	for (size_t i = 0; i < COUNT_OF(want_s); i++) {
		assert_int_equal(check_until_change(&patient, '-'), 3);
		assert_int_equal(patient.verdict.flaps, i);
		if (i >= 6)
			patient.rule.hold_down_max_ms = 300000;
		assert_int_equal(check_until_change(&patient, '+'), 2 + want_s[i]);
		assert_int_equal(patient.verdict.held_until_unix_s, 0);
		/* with the shorter limit they would be forgotten meanwhile */
		if (i < 6)
			check_for(&patient, '+', 3600);
	}
}

static void a_hold_is_shown_and_begins_again(void **state)
{
	struct patient patient = patient_of(1);

	(void)state;
	check_until_change(&patient, '-');
	check_until_change(&patient, '+');
	check_until_change(&patient, '-');
	check(&patient, '+');
	assert_int_equal(patient.verdict.held_until_unix_s, 0);
	check(&patient, '+');
	assert_int_equal(patient.verdict.held_until_unix_s, patient.at_unix_s - 1 + 10);
	assert_int_equal(patient.verdict.state, VERDICT_DOWN);
	check_for(&patient, '+', 8);
	check(&patient, '-');
	assert_int_equal(patient.verdict.held_until_unix_s, 0);
	/* from degraded checks as well: they pass */
	assert_int_equal(check_until_change(&patient, '~'), 2 + 10);
	assert_int_equal(patient.verdict.state, VERDICT_DEGRADED);
	/* the way up from there is a recovery too, and by then there were four changes */
	assert_int_equal(check_until_change(&patient, '+'), 2 + 300);
	assert_int_equal(patient.verdict.state, VERDICT_UP);
}

static void worse_on_the_way_down_is_one_flap(void **state)
{
	struct patient patient = patient_of(1);

	(void)state;
	check_until_change(&patient, '-');
	check_until_change(&patient, '+');
	check_until_change(&patient, '~');
	assert_int_equal(patient.verdict.flaps, 1);
	check_until_change(&patient, '-');
	assert_int_equal(patient.verdict.flaps, 1);
	/* without a recovery before it nothing is a flap */
	patient = patient_of(1);
	check_until_change(&patient, '~');
	check_until_change(&patient, '-');
	assert_int_equal(patient.verdict.flaps, 0);
}

static void flaps_are_forgotten(void **state)
{
	struct patient patient = patient_of(5);

	(void)state;
	patient.verdict.flaps = 3;
	check_for(&patient, '+', 300);
	assert_int_equal(patient.verdict.flaps, 3);
	check(&patient, '+');
	assert_int_equal(patient.verdict.flaps, 2);
	check_for(&patient, '+', 300);
	assert_int_equal(patient.verdict.flaps, 1);
	/* however seldom it is checked */
	patient.at_unix_s += 86400;
	check(&patient, '+');
	assert_int_equal(patient.verdict.flaps, 0);
	/* to be down is not to be well */
	check_until_change(&patient, '-');
	patient.verdict.flaps = 2;
	check_for(&patient, '-', 86400);
	assert_int_equal(patient.verdict.flaps, 2);
}

static void without_hold_down_nothing_is_held(void **state)
{
	struct patient patient = patient_of(1);

	(void)state;
	patient.rule.hold_down_ms = 0;
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(check_until_change(&patient, '-'), 3);
		assert_int_equal(check_until_change(&patient, '+'), 2);
	}
	assert_int_equal(patient.verdict.flaps, 0);
}

/* After a reload that switches it off, or shortens it, nothing waits by the old rule. */
static void a_changed_rule_takes_effect(void **state)
{
	struct patient patient = patient_of(1);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		check_until_change(&patient, '-');
		check_until_change(&patient, '+');
	}
	check_until_change(&patient, '-');
	check_for(&patient, '+', 10);
	assert_true(patient.verdict.held_until_unix_s > patient.at_unix_s + 200);

	struct patient other = patient;

	other.rule.hold_down_ms = 0;
	assert_int_equal(check_until_change(&other, '+'), 1);
	patient.rule.hold_down_max_ms = 20000;
	assert_int_equal(check_until_change(&patient, '+'), 21);
}

/* Whatever the clock does, a backend that is well comes back when the longest hold is over. */
static void no_clock_holds_for_ever(void **state)
{
	static const int64_t jumps_s[] = {-86400, -3600 * 24 * 365, -200, 200, 86400};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(jumps_s); i++) {
		struct patient patient = patient_of(1);

		for (size_t k = 0; k < 3; k++) {
			check_until_change(&patient, '-');
			if (k < 2)
				check_until_change(&patient, '+');
		}
		check_for(&patient, '+', 5);
		patient.at_unix_s = (uint64_t)((int64_t)patient.at_unix_s + jumps_s[i]);
		if (check_until_change(&patient, '+') > 301)
			fail_msg("jump of %d s", (int)jumps_s[i]);
		assert_true(patient.verdict.since_unix_s <= patient.at_unix_s);
		/* and flaps are forgotten as ever */
		check_for(&patient, '+', 3 * 300);
		assert_int_equal(patient.verdict.flaps, 0);
	}
}

/* ---- an hour of it ---- */

/* The most changes within any hour, of checks whose outcomes come from `outcome`. */
static unsigned most_changes(struct patient *patient, uint64_t span_s,
	char (*outcome)(void *context, size_t number), void *context)
{
	uint64_t changed_at_s[7] = {0};
	unsigned most = 0;

	for (size_t i = 0; patient->at_unix_s < BEGIN_S + span_s; i++) {
		uint64_t at_s = patient->at_unix_s;
		unsigned changes = patient->changes;
		unsigned within = 0;

		check(patient, outcome(context, i));
		if (patient->changes == changes)
			continue;
		memmove(changed_at_s + 1, changed_at_s, 6 * sizeof(changed_at_s[0]));
		changed_at_s[0] = at_s;
		for (size_t k = 0; k < 7; k++)
			within += changed_at_s[k] > 0 && at_s - changed_at_s[k] < 3600;
		most = within > most ? within : most;
	}
	return most;
}

struct wave {
	size_t period;
	size_t well; /* of it */
	char worse;
};

static char wave_outcome(void *context, size_t number)
{
	const struct wave *wave = context;

	return number % wave->period < wave->well ? '+' : wave->worse;
}

/* Every period of 2 to 60 checks, well for any part of it, failing or slow for the rest. */
static void waves_change_little(void **state)
{
	static const struct judge_rule rules[] = {{3, 2, 10000, 300000}, {1, 1, 10000, 300000},
		{2, 4, 1000, 300000}, {1, 1, 300000, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rules) * 2; i++)
		for (size_t period = 2; period <= 60; period++)
			for (size_t well = 1; well < period; well++) {
				struct wave wave = {period, well, i % 2 ? '~' : '-'};
				struct patient patient = patient_of(i < 4 ? 5 : 2);

				patient.rule = rules[i / 2];

				unsigned most = most_changes(&patient, 7200, wave_outcome, &wave);

				if (most > 6)
					fail_msg("rule %zu, %zu of %zu well: %u", i / 2, well,
						period, most);
			}
}

/* Phases of any kind and length, one after another; never well for five minutes at a stretch. */
struct whim {
	struct random random;
	size_t left;
	size_t passed; /* in a row */
	char outcome;
};

static char whim_outcome(void *context, size_t number)
{
	struct whim *whim = context;

	(void)number;
	if (whim->left == 0) {
		whim->left = 1 + random_below(&whim->random, 1 + random_below(&whim->random, 59));
		whim->outcome = "+-~"[random_below(&whim->random, 3)];
	}
	whim->left--;
	if (whim->outcome == '-' || whim->passed == 59) {
		whim->passed = 0;
		return '-';
	}
	whim->passed++;
	return whim->outcome;
}

/* Each check by itself, with a chance that drifts. */
static char dice_outcome(void *context, size_t number)
{
	static const unsigned chances[] = {50, 20, 70, 80, 35};
	struct random *random = context;
	unsigned chance = chances[number / 60 % COUNT_OF(chances)];

	if (random_below(random, 100) < chance)
		return random_below(random, 4) ? '+' : '~';
	return '-';
}

static void whims_change_little(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		struct whim whim = {.left = 0};
		struct patient patient = patient_of(5);
		struct patient diced = patient;
		struct random random;

		random_seed_with(&whim.random, seed);
		random_seed_with(&random, seed);
		diced.rule.fall = patient.rule.fall = (uint16_t)(1 + seed % 3);
		diced.rule.rise = patient.rule.rise = (uint16_t)(1 + seed / 3 % 3);

		unsigned most = most_changes(&patient, 4 * 3600, whim_outcome, &whim);
		unsigned most_diced = most_changes(&diced, 4 * 3600, dice_outcome, &random);

		if (most > 6 || most_diced > 6)
			fail_msg("seed %u: %u, %u", (unsigned)seed, most, most_diced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_after_checks),
		cmocka_unit_test(streak_ends_at_its_limit),
		cmocka_unit_test(reasons_are_fit_to_be_shown),
		cmocka_unit_test(outcomes_are_remembered),
		cmocka_unit_test(long_runs_of_degraded_checks),
		cmocka_unit_test(what_else_was_seen),
		cmocka_unit_test(percentiles_of_the_last_that_passed),
		cmocka_unit_test(hold_downs_double),
		cmocka_unit_test(a_hold_is_shown_and_begins_again),
		cmocka_unit_test(worse_on_the_way_down_is_one_flap),
		cmocka_unit_test(flaps_are_forgotten),
		cmocka_unit_test(without_hold_down_nothing_is_held),
		cmocka_unit_test(a_changed_rule_takes_effect),
		cmocka_unit_test(no_clock_holds_for_ever),
		cmocka_unit_test(waves_change_little),
		cmocka_unit_test(whims_change_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
