/* SPDX-License-Identifier: Apache-2.0 */
#include "damping.h"

#include <string.h>

#define HOUR_S 3600

/*
 * So many changes within an hour, and the next recovery waits for the longest hold-down.  Before
 * it there were at most three, so it is the fourth; two for the worse may follow, by way of
 * degraded: six.
 */
#define CHANGES_MANY (VERDICT_CHANGES + 1)

static uint64_t seconds(uint64_t span_ms)
{
	return (span_ms + 999) / 1000;
}

static uint64_t longest_s(const struct judge_rule *rule)
{
	return seconds(rule->hold_down_max_ms > rule->hold_down_ms ? rule->hold_down_max_ms
								   : rule->hold_down_ms);
}

/* Whether answers changed at `since`: who was counted as up and is found up changes none. */
static bool is_change(const struct verdict *verdict)
{
	return verdict->state != VERDICT_UNKNOWN &&
		!(verdict->state == VERDICT_UP && !verdict->has_recovered);
}

static unsigned count_recent(const struct verdict *verdict, uint64_t at_unix_s)
{
	unsigned count = is_change(verdict) && at_unix_s - verdict->since_unix_s < HOUR_S;

	for (size_t i = 0; i < VERDICT_CHANGES; i++)
		count += verdict->changed_at_unix_s[i] > 0 &&
			at_unix_s - verdict->changed_at_unix_s[i] < HOUR_S;
	return count;
}

/* What lies ahead of a clock that was set back is now. */
static void settle_clock(struct verdict *verdict, uint64_t at_unix_s)
{
	if (verdict->since_unix_s > at_unix_s)
		verdict->since_unix_s = at_unix_s;
	for (size_t i = 0; i < VERDICT_CHANGES; i++)
		if (verdict->changed_at_unix_s[i] > at_unix_s)
			verdict->changed_at_unix_s[i] = at_unix_s;
}

void damping_age(struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s)
{
	settle_clock(verdict, at_unix_s);
	if (rule->hold_down_ms == 0)
		verdict->flaps = 0;
	if (verdict->flaps == 0 || verdict->state == VERDICT_DOWN)
		return;

	uint64_t since_s = verdict->since_unix_s;
	uint64_t checked_s =
		verdict->checked_at_unix_s > since_s ? verdict->checked_at_unix_s : since_s;
	uint64_t before = (checked_s - since_s) / longest_s(rule);
	uint64_t now = (at_unix_s - since_s) / longest_s(rule);
	uint64_t forgotten = now > before ? now - before : 0;

	verdict->flaps = forgotten < verdict->flaps ? (uint8_t)(verdict->flaps - forgotten) : 0;
}

static uint64_t hold_s(
	const struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s)
{
	uint64_t longest = longest_s(rule);

	if (rule->hold_down_ms == 0)
		return 0;
	if (count_recent(verdict, at_unix_s) >= CHANGES_MANY)
		return longest;
	if (verdict->flaps == 0)
		return 0;

	/* 2^32 of the smallest are longer than the longest can be */
	unsigned doublings = verdict->flaps <= 32 ? verdict->flaps - 1u : 32;
	uint64_t hold = seconds((uint64_t)rule->hold_down_ms << doublings);

	return hold < longest ? hold : longest;
}

bool damping_holds(struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s)
{
	uint64_t until = at_unix_s + hold_s(verdict, rule, at_unix_s);

	/* it begins; or the clock was set back, or the rule is another one: never later than from now on */
	if (verdict->held_until_unix_s == 0 || verdict->held_until_unix_s > until)
		verdict->held_until_unix_s = until;
	return at_unix_s < verdict->held_until_unix_s;
}

void damping_change(struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s,
	enum verdict_state next)
{
	bool recovers = verdict->state != VERDICT_UNKNOWN && next < verdict->state;
	bool is_flap = !recovers && verdict->has_recovered && rule->hold_down_ms > 0 &&
		at_unix_s - verdict->since_unix_s < longest_s(rule);

	if (is_flap && verdict->flaps < UINT8_MAX)
		verdict->flaps++;
	if (is_change(verdict)) {
		memmove(verdict->changed_at_unix_s + 1, verdict->changed_at_unix_s,
			(VERDICT_CHANGES - 1) * sizeof(verdict->changed_at_unix_s[0]));
		verdict->changed_at_unix_s[0] = verdict->since_unix_s;
	}
	verdict->state = (uint8_t)next;
	verdict->since_unix_s = at_unix_s;
	verdict->has_recovered = recovers;
}
