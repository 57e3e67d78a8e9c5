/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/judge.h"

#include <stddef.h>
#include <string.h>

#include "damping.h"

/*
 * What a verdict may hold is shown on terminals: a control character becomes '?', and no character
 * is cut in two.  `room` is that of `ret_text`; `text` may be NULL.
 */
static void keep_text(char *ret_text, size_t room, const char *text)
{
	size_t size = text ? strnlen(text, room) : 0;

	if (size == room) {
		size--;
		while (size > 0 && (text[size] & 0xc0) == 0x80)
			size--;
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char octet = (unsigned char)text[i];

		ret_text[i] = octet < 0x20 || octet == 0x7f ? '?' : text[i];
	}
	/* to the end: the bytes of two equal verdicts are equal */
	memset(ret_text + size, 0, room - size);
}

/* ---- what is kept of a check ---- */

static void count_streak(struct verdict *verdict, bool passed)
{
	if (verdict->streak == 0 || verdict->last_passed != passed)
		verdict->streak = 1;
	else if (verdict->streak < UINT16_MAX)
		verdict->streak++;
	verdict->last_passed = passed;
}

static void keep_outcome(struct verdict *verdict, const struct judge_check *check)
{
	bool is_degraded = check->passed && check->is_degraded;

	verdict->outcomes_failed = verdict->outcomes_failed << 1 | !check->passed;
	verdict->outcomes_degraded = verdict->outcomes_degraded << 1 | is_degraded;
	if (verdict->outcome_count < VERDICT_OUTCOMES)
		verdict->outcome_count++;
}

static void keep_certificate(struct verdict *verdict, const struct judge_check *check)
{
	if (check->certificate_until_unix_s == 0)
		return;
	verdict->certificate_until_unix_s = check->certificate_until_unix_s;
	keep_text(verdict->certificate, sizeof(verdict->certificate), check->certificate);
	keep_text(verdict->issuer, sizeof(verdict->issuer), check->issuer);
}

static void keep_check(struct verdict *verdict, const struct judge_check *check)
{
	bool is_whole = check->passed && !check->is_degraded;

	count_streak(verdict, check->passed);
	keep_outcome(verdict, check);
	keep_certificate(verdict, check);
	verdict->was_up = verdict->was_up || check->passed;
	verdict->checked_at_unix_s = check->at_unix_s;
	verdict->latency_ms = check->latency_ms;
	if (check->rate_kbit_s > 0)
		verdict->rate_kbit_s = check->rate_kbit_s;
	keep_text(verdict->reason, sizeof(verdict->reason), is_whole ? NULL : check->reason);
	keep_text(verdict->note, sizeof(verdict->note), check->note);
}

/* ---- from counts to a state ---- */

/* The last checks in a row that passed whole, or that did not. */
static unsigned count_run(const struct verdict *verdict, bool are_whole)
{
	uint64_t ill = verdict->outcomes_failed | verdict->outcomes_degraded;
	uint64_t others = are_whole ? ill : ~ill;
	unsigned run = others ? (unsigned)__builtin_ctzll(others) : VERDICT_OUTCOMES;

	return run < verdict->outcome_count ? run : verdict->outcome_count;
}

/* More than are remembered cannot be asked for. */
static bool has_run(const struct verdict *verdict, bool are_whole, uint16_t wanted)
{
	unsigned run = count_run(verdict, are_whole);

	return run > 0 && (run >= wanted || run == VERDICT_OUTCOMES);
}

static enum verdict_state next_state(const struct verdict *verdict, const struct judge_rule *rule)
{
	bool falls = !verdict->last_passed && verdict->streak >= rule->fall;
	bool rises = verdict->last_passed && verdict->streak >= rule->rise;
	bool is_ill = verdict->last_passed && has_run(verdict, false, rule->fall);
	bool is_well = has_run(verdict, true, rule->rise);

	switch ((enum verdict_state)verdict->state) {
	case VERDICT_UNKNOWN:
		if (verdict->last_passed)
			return has_run(verdict, true, 1) ? VERDICT_UP : VERDICT_DEGRADED;
		return falls ? VERDICT_DOWN : VERDICT_UNKNOWN;
	case VERDICT_UP:
		return falls ? VERDICT_DOWN : is_ill ? VERDICT_DEGRADED : VERDICT_UP;
	case VERDICT_DEGRADED:
		return falls ? VERDICT_DOWN : is_well ? VERDICT_UP : VERDICT_DEGRADED;
	case VERDICT_DOWN:
		if (!rises)
			return VERDICT_DOWN;
		return is_well ? VERDICT_UP : VERDICT_DEGRADED;
	}
	return VERDICT_UNKNOWN;
}

bool judge_apply(
	struct verdict *verdict, const struct judge_rule *rule, const struct judge_check *check)
{
	if (check->is_skipped) {
		keep_text(verdict->note, sizeof(verdict->note), check->note);
		return false;
	}
	damping_age(verdict, rule, check->at_unix_s);
	keep_check(verdict, check);

	enum verdict_state next = next_state(verdict, rule);
	bool recovers = verdict->state != VERDICT_UNKNOWN && next < verdict->state;

	if (recovers && damping_holds(verdict, rule, check->at_unix_s))
		return false;
	verdict->held_until_unix_s = 0;
	if (next == verdict->state)
		return false;
	damping_change(verdict, rule, check->at_unix_s, next);
	return true;
}

/* ---- latencies ---- */

static void sort(uint32_t *values, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint32_t value = values[i];
		size_t at = i;

		for (; at > 0 && values[at - 1] > value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
}

static uint32_t percentile(const uint32_t *sorted, size_t count, unsigned percent)
{
	return sorted[(count * percent + 99) / 100 - 1];
}

void judge_add_latency(
	struct verdict *verdict, struct judge_latencies *latencies, uint32_t latency_ms)
{
	uint32_t sorted[VERDICT_OUTCOMES];

	latencies->ms[latencies->next] = latency_ms;
	latencies->next = (uint8_t)((latencies->next + 1) % VERDICT_OUTCOMES);
	if (latencies->count < VERDICT_OUTCOMES)
		latencies->count++;
	memcpy(sorted, latencies->ms, latencies->count * sizeof(sorted[0]));
	sort(sorted, latencies->count);
	verdict->latency_p50_ms = percentile(sorted, latencies->count, 50);
	verdict->latency_p95_ms = percentile(sorted, latencies->count, 95);
}
