/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STEER_STEER_H
#define STEER_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/arena.h"
#include "steerd/health/override.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * steer - from a pool tree, an order of sites and what is believed about the world to answer sets with shares.
 *
 * A pool is a list of members and one method; a member is an endpoint or another pool.  The result for one class of
 * clients is a *choice*: a step function from a random number to a set of addresses, so that each set has its exact
 * share and the query path picks one with a comparison or two.  Pure; steer never sees a query.
 *
 * How a pool of each method is walked: its members form groups, and the groups are tried in order.
 *   nearest   one group for each site, nearest first; the answer is filled from the next group
 *   failover  each member is a group; only the first that has a usable address is used
 *   weighted  one group of all members
 *   all       one group of all members, every one of them taken
 * From a group of more members than are wanted, some are taken in proportion to their weights (Madow's systematic
 * sampling: each member's chance is exactly its weight's share, and n members give at most n different sets).
 */
enum steer_method { STEER_NEAREST, STEER_FAILOVER, STEER_WEIGHTED, STEER_ALL };
enum steer_all_down { STEER_SERVE_ALL, STEER_FALLBACK };

#define STEER_NO_SITE UINT16_MAX
/* Addresses in one answer, whatever the configuration says: 64 AAAA records fit into every UDP answer twice over
 * TCP, and no resolver hands on more. */
#define STEER_ANSWERS_MAX 64

struct steer_pool;

struct steer_member {
	const char *name;
	uint32_t id;   /* among all members of the configuration: index of steer_world.overrides */
	uint16_t site; /* position in the class orders, or STEER_NO_SITE */
	uint16_t weight;		 /* 0: only when no other member of its group is usable */
	const struct steer_pool *pool;	 /* the member is a pool; NULL for an endpoint */
	const struct address *addresses; /* of an endpoint with addresses, each with its target */
	const target_id *
		targets; /* one for each address, TARGET_NONE if unchecked; of a host endpoint: one in all */
	size_t address_count;
	bool is_host; /* addresses are the rows of targets[0] in the verdict table */
};

struct steer_pool {
	const char *name;
	enum steer_method method;
	enum steer_all_down when_all_down;
	uint16_t answers; /* 1 to STEER_ANSWERS_MAX */
	const struct steer_member *members;
	size_t member_count;
};

/* What is believed while a plan is made. */
struct steer_world {
	const struct verdict_table *verdicts;
	const uint8_t *overrides; /* enum override_kind for each member id */
};

enum steer_kind {
	STEER_ADDRESSES, /* answer with these */
	STEER_STATIC,	 /* answer with the name's own records in the zone */
	STEER_NODATA,	 /* the pool has no member of this family */
};

/* Random numbers below `below` that are not below an earlier step's get this set. */
struct steer_step {
	uint32_t below; /* the last one's is UINT32_MAX and includes it */
	uint16_t first; /* of choice.addresses, counted in addresses */
	uint16_t count;
};

struct steer_choice {
	enum steer_kind kind;
	uint8_t address_size; /* 4 or 16 */
	uint16_t step_count;
	const struct steer_step *steps;
	const uint8_t *addresses; /* as on the wire */
};

/* The step that a random number falls on.  [query path] */
static inline const struct steer_step *steer_choice_step(
	const struct steer_choice *choice, uint32_t random)
{
	const struct steer_step *step = choice->steps;

	for (const struct steer_step *last = step + choice->step_count - 1;
		step < last && random >= step->below;)
		step++;
	return step;
}

/* Why a candidate is, or is not, among those that this class of clients may get. */
enum steer_reason {
	STEER_KEPT,		/* may be answered */
	STEER_KEPT_LAST_RESORT, /* all are down, so it is answered as if up */
	STEER_LESS_NEAR,	/* usable, but enough nearer ones are */
	STEER_LOWER_PRIORITY,	/* usable, but an earlier member of its failover pool is */
	STEER_ZERO_WEIGHT,	/* usable, but its weight is 0 and others are usable */
	STEER_BELOW_UNUSED,	/* usable, but the pool that holds it is not used */
	STEER_HEALTH_DOWN,	/* its checks say so */
	STEER_DRAINED,		/* an operator said so */
	STEER_FORCED_DOWN,
	STEER_OTHER_FAMILY, /* has no address of the family */
	STEER_UNRESOLVED,   /* its host name has not been resolved to any */
};
/* In words: "drained". */
const char *steer_reason_text(enum steer_reason reason);

/* One for each endpoint's address in the tree, in configuration order; an endpoint without an address of the
 * family has one with ADDRESS_NONE. */
struct steer_candidate {
	const struct steer_pool *pool; /* the innermost */
	const struct steer_member *member;
	struct address address;
	enum steer_reason reason;
	double share; /* of the answers of this class that hold it, 0 to 1 */
	uint16_t
		site; /* the endpoint's own, else the one of the nearest pool above it that has one */
};

struct steer_trace {
	struct steer_candidate *items; /* heap; free() it */
	size_t count;
	size_t capacity;
};

/*
 * The choice for one family and one order of sites.  `order` holds site positions, nearest first (NULL if the tree has
 * no `nearest` pool).  Memory is from `arena`.  `trace` may be NULL; with it, each candidate's reason is kept.
 */
const struct steer_choice *steer_decide(const struct steer_pool *root, enum address_family family,
	const uint8_t *order, size_t order_count, const struct steer_world *world,
	struct arena *arena, struct steer_trace *trace);

#endif
