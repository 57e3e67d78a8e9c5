/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_BELIEF_H
#define HEALTH_BELIEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"

/*
 * belief - what steerd believes of each address of each endpoint: verdicts combined, and weighed by the guard.
 *
 * The prober says what it saw of targets; answers are made from this.  One table holds the rows of all members, by member
 * id: an endpoint with written addresses has one row for each, in that order; one with a host name has one for each
 * address that its checks know, sorted, and none before the first; a member that is a pool has none.
 */

/* Shares are counted in so many parts of the usual one. */
#define BELIEF_WHOLE 64

/* Why a state is not simply what the checks say. */
enum belief_why {
	BELIEF_SEEN,	 /* it is */
	BELIEF_OBSERVER, /* stays up: so much failed at once that the fault may be ours */
	BELIEF_LOSS,	 /* stays up: its pool lost as much as health may take away in a minute */
	BELIEF_EVIDENCE, /* stays up: one of its pool's last, more failures are needed */
	BELIEF_FAILBACK, /* stays down: no check passed since, or its failback delay is not over */
	BELIEF_RETURN,	 /* stays down: until an operator returns it */
	BELIEF_RAMP,	 /* up, and its share grows */
	BELIEF_WITHOUT,	 /* serves without what its pool needs */
};

struct belief {
	struct address address;
	uint8_t seen;	       /* enum verdict_state: its checks, combined */
	uint8_t state;	       /* enum verdict_state: what is believed */
	uint8_t why;	       /* enum belief_why */
	uint8_t share;	       /* 1 to BELIEF_WHOLE; 0 when it is down */
	bool is_last_good;     /* was usable when its pool last was: for `last-good` */
	uint64_t since_unix_s; /* of the state */
};

struct belief_table {
	size_t member_count;
	uint32_t *first; /* heap, member_count + 1: where each member's rows begin, and the end */
	struct belief *rows; /* heap */
};

void belief_table_done(struct belief_table *table);
void belief_table_copy(const struct belief_table *table, struct belief_table *ret_copy);

/* The rows of one member: the first of them, `ret_count` of them. */
static inline const struct belief *belief_table_find(
	const struct belief_table *table, uint32_t member, size_t *ret_count)
{
	*ret_count = table->first[member + 1] - table->first[member];
	return *ret_count > 0 ? table->rows + table->first[member] : NULL;
}

/* What is believed of a pool as a whole. */
enum belief_pool {
	BELIEF_POOL_SOUND,
	BELIEF_POOL_PANIC, /* less capacity is left than its panic threshold: it counts as failed */
	BELIEF_POOL_LOST,  /* nothing usable is left */
};

#endif
