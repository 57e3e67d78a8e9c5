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
	uint16_t fall;		   /* failures in a row that make it down, at least 1 */
	uint16_t rise;		   /* successes in a row that make it up, at least 1 */
	uint32_t hold_down_ms;	   /* the first hold-down of one that flaps; 0: none */
	uint32_t hold_down_max_ms; /* what doubling ends at */
};

struct judge_check {
	bool passed;
	bool is_degraded; /* passed, but: `reason` says what */
	uint32_t latency_ms;
	uint64_t at_unix_s;
	const char *reason; /* why it failed or is degraded; ignored if it passed whole */
	const char *note;   /* what else was seen; NULL: nothing */
	uint32_t rate_kbit_s;
	uint64_t certificate_until_unix_s; /* 0: none was seen: what is known of it stays */
	const char *certificate;
	const char *issuer;
};

/*
 * Applies a check; true if the state changed.  From unknown, one success makes it up; failures
 * count to `fall`.
 */
bool judge_apply(
	struct verdict *verdict, const struct judge_rule *rule, const struct judge_check *check);

#endif
