/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_OBSERVER_H
#define HEALTH_GUARD_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard_combine.h"
#include "steerd/health/guard.h"

/*
 * guard_observer - is it the world that fails, or are we cut off from it?
 *
 * Each row of the verdicts is watched for itself, whoever it belongs to: that it began to fail counts for suspect_window_ms,
 * and for one suspicion; that one passes is what ends it.
 */

/* What is remembered of a row of the verdicts, by the same index. */
struct guard_sight {
	target_id target;
	struct address address;
	uint64_t checked_at_unix_s;
	uint64_t began_ms; /* to fail */
	uint32_t network;  /* which of the distinct ones */
	uint8_t state;
	bool last_passed;
	bool is_failing;
	bool counts; /* it was seen to begin, and no suspicion has ended since */
	bool is_canary;
};

struct guard_sights {
	struct guard_sight *items;
	size_t count;
	uint32_t *first; /* target_count + 1: for a view */
	size_t target_count;
	uint32_t *networks; /* the step that saw one of each fail last */
	size_t network_count;
	uint32_t step;
	uint64_t since_ms; /* of the suspicion */
	bool has_passed;   /* something, since */
	struct guard_observer shown;
};

struct guard;

void guard_observer_done(struct guard_sights *sights);
/* The table's rows may be others than at the step before, then it is true; what is known of each goes on. */
bool guard_observer_follow(struct guard *guard, const struct verdict_table *table);
/* Looks at each row; true if suspicion began or ended. */
bool guard_observer_look(struct guard *guard, const struct guard_input *input);

#endif
