/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "outcome.h"
#include "steerd/base/memory.h"

#define NOW UINT64_C(1795000000) /* 2026-11-18 10:26:40 */
#define DAY UINT64_C(86400)

static const struct {
	const char *about;
	const char *want; /* "up", "up: NOTE", "degraded: REASON", "down: REASON" */
	struct settings_monitor monitor;
	uint64_t certificate_until;
	uint64_t took_us;
	uint64_t rate_bits; /* of one second after the warm-up */
	long status;
} cases[] = {
	{"well", "up", {.verifies = true}, NOW + 90 * DAY, 5000, 0, 200},
	{"not verified", "up: not verified", {.verifies = false}, NOW + DAY, 5000, 0, 200},
	{"over, and nobody asks", "up: not verified", {.verifies = false}, NOW - DAY, 5000, 0, 200},
	{"plain", "up", {.verifies = true, .certificate_fail_days = 30}, 0, 5000, 0, 200},
	{"warn", "up: certificate of a.example (CA) ends in 13 d 23 h, on 2026-12-02",
		{.verifies = true, .certificate_warn_days = 14}, NOW + 14 * DAY - 1, 5000, 0, 200},
	{"not yet", "up", {.verifies = true, .certificate_warn_days = 14}, NOW + 14 * DAY, 5000, 0,
		200},
	{"degrade", "degraded: certificate of a.example (CA) ends in 2 d, on 2026-11-20",
		{.verifies = true, .certificate_warn_days = 14, .certificate_degrade_days = 3},
		NOW + 2 * DAY, 5000, 0, 200},
	{"fail", "down: certificate of a.example (CA) ends in 1 d, on 2026-11-19",
		{.verifies = true, .certificate_degrade_days = 3, .certificate_fail_days = 2},
		NOW + DAY, 5000, 0, 200},
	{"over", "down: certificate of a.example (CA) ended on 2026-11-17",
		{.verifies = false, .certificate_fail_days = 2}, NOW - DAY, 5000, 0, 200},
	{"as slow as it may be", "up", {.verifies = true, .slower_than_ms = 800}, 0, 800000, 0,
		200},
	{"slow", "degraded: slow: took 801 ms, more than 800 ms",
		{.verifies = true, .slower_than_ms = 800}, 0, 800001, 0, 200},
	{"a low rate", "degraded: 10 Mbit/s, less than 50 Mbit/s",
		{.verifies = true, .floor_bits_s = 50000000}, 0, 5000, 10000000, 200},
	{"all at once",
		"degraded: 10 Mbit/s, less than 50 Mbit/s; slow: took 900 ms, more than 800 ms; "
		"certificate of a.example (CA) ends in 1 d, on 2026-11-19",
		{.verifies = true,
			.floor_bits_s = 50000000,
			.slower_than_ms = 800,
			.certificate_degrade_days = 3},
		NOW + DAY, 900000, 10000000, 200},
	{"what fails is not degraded", "down: status 500, expected 200-299",
		{.verifies = true, .slower_than_ms = 800}, 0, 900000, 0, 500},
};

static const char *print(const struct outcome *outcome, char *ret_text, size_t size)
{
	const struct judge_check *result = &outcome->result;
	const char *state = !result->passed ? "down" : result->is_degraded ? "degraded" : "up";
	const char *words = result->passed && !result->is_degraded ? result->note : result->reason;

	snprintf(
		ret_text, size, "%s%s%s", state, words && words[0] ? ": " : "", words ? words : "");
	return ret_text;
}

static void each_outcome(void **state)
{
	static const struct settings_status_range well = {200, 299};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings_monitor monitor = cases[i].monitor;
		const struct recipe recipe = {.monitor = &monitor};
		struct sight sight = {.leaf = {.names = "a.example", .issuer = "CA"}};
		struct answer answer;
		struct outcome outcome;
		struct check_memory memory = {0};
		char text[400];

		monitor.status = &well;
		monitor.status_count = 1;
		sight.leaf.until_unix_s = cases[i].certificate_until;
		answer_init(&answer, &recipe);
		answer.status = cases[i].status;
		range_measure(&answer.meter, 0, 1, 1);
		range_measure(&answer.meter, 0, cases[i].rate_bits / 8, 1000001);
		outcome_judge(
			&(struct outcome_facts){
				.transfer = {.monitor = &monitor,
					.certificate = &sight,
					.answer = &answer,
					.name = "a.example",
					.refused = "",
					.goaway = "",
					.detail = ""},
				.memory = &memory,
				.took_us = cases[i].took_us,
				.now_unix_s = NOW,
			},
			&outcome);
		if (strcmp(print(&outcome, text, sizeof(text)), cases[i].want) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].about, text, cases[i].want);
		assert_int_equal(outcome.result.latency_ms, (cases[i].took_us + 999) / 1000);
		assert_int_equal(
			outcome.result.certificate_until_unix_s, cases[i].certificate_until);
		assert_string_equal(outcome.result.certificate, "a.example");
		assert_string_equal(outcome.result.issuer, "CA");
		assert_int_equal(outcome.result.rate_kbit_s, cases[i].rate_bits / 1000);
		outcome_done(&outcome);
		answer_done(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
