/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_ROWS_H
#define HEALTH_GUARD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard_observer.h"
#include "guard_pools.h"
#include "steerd/health/guard.h"

/*
 * guard_rows - all that the guard remembers, and how its rows go on when members or addresses come and go.
 */

/* A point in time that is not there. */
#define GUARD_NEVER UINT64_MAX

/* What is remembered of an address beside its belief. */
struct guard_row {
	uint32_t member;
	uint64_t capacity; /* in units of guard_pools.h */
	uint64_t down_ms;  /* its checks say down since */
	uint64_t up_ms;	   /* it is believed down, and they say up since */
	uint64_t lost_ms;  /* health alone took it away, last */
	uint64_t ramp_ms;  /* its share grows since */
	uint8_t health;	   /* enum verdict_state: what is believed of its own checks */
	uint8_t hold; /* enum belief_why: what keeps it from following them; BELIEF_SEEN: nothing */
	bool is_new;  /* no step has seen it yet */
	bool is_returned; /* an operator's word has come */
	bool was_up;	  /* its checks said so once */
};

struct guard {
	const struct guard_rules *rules;
	bool is_fresh; /* no step yet under these rules */
	struct belief_table beliefs;
	struct guard_row *rows; /* beside those of `beliefs` */
	struct guard_pool_state *pools;
	struct guard_capacity capacity;
	struct guard_sights sights;
	uint64_t now_ms;
	uint64_t now_unix_s;
	bool is_silent;	   /* the last step was stale */
	uint64_t heard_ms; /* of the last one that was not */
	uint64_t due_ms;
};

/* A row that goes on under the rules that hold now. */
struct guard_known {
	struct belief belief;
	struct guard_row row;
};

static inline size_t guard_rows_count(const struct guard *guard)
{
	return guard->beliefs.first[guard->beliefs.member_count];
}

/* What comes with the rows of another generation; `rules` are in force already.  Heap. */
struct guard_known *guard_rows_carry(
	const struct guard *guard, const struct guard_rules *before, size_t *ret_count);
/* Makes the rows of the rules anew, from `known` (which it sorts), and those of host names from what is seen now; NULL: from `known`. */
void guard_rows_make(struct guard *guard, struct guard_known *known, size_t count,
	const struct guard_view *view);
/* Host names may have other addresses now; true if rows came or went. */
bool guard_rows_follow(struct guard *guard, const struct guard_view *view);

/* Asks to be woken at `at_ms`, if that is to come and sooner than what was asked for. */
static inline void guard_rows_wake(struct guard *guard, uint64_t at_ms)
{
	if (at_ms > guard->now_ms && at_ms < guard->due_ms)
		guard->due_ms = at_ms;
}

#endif
