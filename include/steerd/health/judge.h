/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_JUDGE_H
#define HEALTH_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/health/verdict.h"

/*
 * judge - from one check's result to the state of a target: rise and fall counts.  Pure.
 */
struct judge_rule {
	uint16_t fall; /* failures in a row that make it down, at least 1 */
	uint16_t rise; /* successes in a row that make it up, at least 1 */
};

struct judge_check {
	bool passed;
	uint32_t latency_ms;
	uint64_t at_unix_s;
	const char *reason; /* why it failed; ignored if it passed */
};

/*
 * Applies a check; true if the state changed.  From unknown, one success makes it up; failures
 * count to `fall`.
 */
bool judge_apply(
	struct verdict *verdict, const struct judge_rule *rule, const struct judge_check *check);

#endif
