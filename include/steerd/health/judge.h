/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_JUDGE_H
#define HEALTH_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/health/verdict.h"

/*
 * judge - from one check's result to the state of a target: rise and fall counts, and later each
 * time for one that flaps.  Pure: time is that of the check.
 *
 * From unknown, one check that passes makes it up, or degraded.  Then `fall` failures in a row make
 * it down, and `rise` checks in a row that pass make it usable again.  Between up and degraded the
 * same counts hold, so that one slow check changes nothing: `fall` checks in a row of which none
 * passed whole, the last of them degraded, make it degraded; `rise` in a row that passed whole make
 * it up.
 *
 * A flap is a change for the worse within `hold_down_max` of a recovery.  The next recovery then
 * waits until no check has failed for another `hold_down`, doubling with each flap up to
 * `hold_down_max`; a flap is forgotten for each `hold_down_max` that it stays up or degraded.  And
 * whatever the flaps: after four changes within an hour a recovery waits for the longest.  So one
 * that is never well for that long at a stretch changes at most six times in any hour.  To become
 * known to be up is no such change.  A clock that is set back makes no wait longer than it was.
 */
struct judge_rule {
	uint16_t fall;		   /* failures in a row that make it down, at least 1 */
	uint16_t rise;		   /* successes in a row that make it up, at least 1 */
	uint32_t hold_down_ms;	   /* the first hold-down of one that flaps; 0: all that is off */
	uint32_t hold_down_max_ms; /* what doubling ends at */
};

struct judge_check {
	bool is_skipped; /* was not made: the verdict stays, but for `note`, which says why */
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

/* Applies a check; true if the state changed. */
bool judge_apply(
	struct verdict *verdict, const struct judge_rule *rule, const struct judge_check *check);

/* What the last checks that passed took: kept beside a verdict, which shows what is made of it. */
struct judge_latencies {
	uint32_t ms[VERDICT_OUTCOMES];
	uint8_t count;
	uint8_t next; /* the oldest, once all are there */
};

/* Adds what a check that passed took; the percentiles are those of the nearest rank. */
void judge_add_latency(
	struct verdict *verdict, struct judge_latencies *latencies, uint32_t latency_ms);

#endif
