/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/judge.h"

#include <stddef.h>
#include <string.h>

/*
 * What a verdict may hold is shown on terminals: a control character becomes '?', and no character
 * is cut in two.
 */
static void keep_reason(char ret_reason[static VERDICT_REASON_SIZE], const char *reason)
{
	size_t size = strnlen(reason, VERDICT_REASON_SIZE);

	if (size == VERDICT_REASON_SIZE) {
		size--;
		while (size > 0 && (reason[size] & 0xc0) == 0x80)
			size--;
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char octet = (unsigned char)reason[i];

		ret_reason[i] = octet < 0x20 || octet == 0x7f ? '?' : reason[i];
	}
	/* to the end: the bytes of two equal verdicts are equal */
	memset(ret_reason + size, 0, VERDICT_REASON_SIZE - size);
}

static void count_streak(struct verdict *verdict, bool passed)
{
	if (verdict->streak == 0 || verdict->last_passed != passed)
		verdict->streak = 1;
	else if (verdict->streak < UINT16_MAX)
		verdict->streak++;
	verdict->last_passed = passed;
}

static enum verdict_state next_state(const struct verdict *verdict, const struct judge_rule *rule)
{
	switch ((enum verdict_state)verdict->state) {
	case VERDICT_UNKNOWN:
		if (verdict->last_passed)
			return VERDICT_UP;
		return verdict->streak >= rule->fall ? VERDICT_DOWN : VERDICT_UNKNOWN;
	case VERDICT_UP:
	case VERDICT_DEGRADED:
		return !verdict->last_passed && verdict->streak >= rule->fall ? VERDICT_DOWN
									      : VERDICT_UP;
	case VERDICT_DOWN:
		return verdict->last_passed && verdict->streak >= rule->rise ? VERDICT_UP
									     : VERDICT_DOWN;
	}
	return VERDICT_UNKNOWN;
}

bool judge_apply(
	struct verdict *verdict, const struct judge_rule *rule, const struct judge_check *check)
{
	count_streak(verdict, check->passed);
	verdict->checked_at_unix_s = check->at_unix_s;
	verdict->latency_ms = check->latency_ms;
	keep_reason(verdict->reason, check->passed || !check->reason ? "" : check->reason);

	enum verdict_state next = next_state(verdict, rule);

	if (next == verdict->state)
		return false;
	verdict->state = (uint8_t)next;
	verdict->since_unix_s = check->at_unix_s;
	return true;
}
