/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_POOLS_H
#define HEALTH_GUARD_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/health/guard.h"
#include "steerd/health/override.h"

/*
 * guard_pools - how much of each pool's capacity is left, from the addresses up.
 *
 * What a member brings is its part; a pool is the sum of its members' parts, and a pool that is a member brings what its own sum
 * makes of what is written.  One part that changes is carried up through the pools above, so that the guard can try what a
 * pool would be without one more address.
 */

/* Capacity is counted in so many units of the configuration's, so that it can be divided. */
#define GUARD_POOLS_UNIT 1024

/* What health took away counts so long. */
#define GUARD_POOLS_LOSS_MS 60000

struct guard_account {
	uint64_t total;	       /* capacity, without what operators took out */
	uint64_t left;	       /* of it, in sound hands */
	uint64_t lost;	       /* of it, taken away by health lately */
	uint32_t addresses[2]; /* IPv4, IPv6; without what operators took out */
	uint32_t usable[2];    /* of them */
	uint32_t sound;	       /* members that are */
};

struct guard_capacity {
	uint32_t *order;      /* of pools: what one holds or needs stands before it */
	uint32_t *edge_first; /* pool_count + 1 */
	uint32_t *
		edges; /* for each pool the members that it, and the pools above it, are: in that order */
	struct guard_account *parts;  /* by member */
	struct guard_account *sums;   /* by pool */
	struct guard_account *before; /* by pool: for who compares */
	bool *is_known;		      /* by pool: it has an address, so its state says something */
};

struct guard;

void guard_pools_done(struct guard_capacity *capacity);
/* For the rules that hold now; pools that were known by name go on. */
void guard_pools_set_rules(struct guard *guard, const struct guard_rules *before);

/* What each of an endpoint's addresses has. */
uint64_t guard_pools_share(const struct guard_member *member, uint32_t address_count);
static inline size_t guard_pools_family(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 0 : 1;
}
static inline enum override_kind guard_pools_override(
	const struct guard_input *input, uint32_t member)
{
	return input->overrides ? (enum override_kind)input->overrides[member] : OVERRIDE_NONE;
}

/* All parts and sums, of what is believed of their own checks: what pools need is not looked at. */
void guard_pools_count(struct guard *guard, const struct guard_input *input);
/* Sets an endpoint's part, and what follows for the pools above. */
void guard_pools_put(struct guard *guard, const struct guard_input *input, uint32_t member,
	const struct guard_account *part);
/* <0, 0, >0: less than so many percent of `all`, as many, more. */
int guard_pools_compare(uint64_t part, uint64_t all, unsigned percent);
/* Whether so much makes it sound. */
enum belief_pool guard_pools_judge(
	const struct guard_pool *pool, const struct guard_account *account);

/* Whether what the pool needs is not there. */
bool guard_pools_is_without(const struct guard *guard, uint32_t pool);
/* Counts the pool again, of the beliefs as they are published, and publishes its state; true if that is another.  The pools
 * that stand before it in the order must be done. */
bool guard_pools_publish(struct guard *guard, const struct guard_input *input, uint32_t pool);

#endif
