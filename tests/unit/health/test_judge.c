/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/health/judge.h"

/*
 * Checks come one a second from second 100 on; '+' passed, '-' failed.  States: u unknown, U up, D
 * down.
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
};

static enum verdict_state state_of(char letter)
{
	return letter == 'U' ? VERDICT_UP : letter == 'D' ? VERDICT_DOWN : VERDICT_UNKNOWN;
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
				.passed = cases[i].checks[k] == '+',
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
			assert_string_equal(verdict.reason, check.passed ? "" : "refused");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_after_checks),
		cmocka_unit_test(streak_ends_at_its_limit),
		cmocka_unit_test(reasons_are_fit_to_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
