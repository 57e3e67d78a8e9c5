/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STEER_STEER_H
#define STEER_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/arena.h"
#include "steerd/health/belief.h"
#include "steerd/health/guard.h"
#include "steerd/health/override.h"

/*
 * steer - from a pool tree, an order of sites and what is believed about the world to answer sets with
 * shares.
 *
 * A pool is a list of members and one method; a member is an endpoint or another pool.  The result for
 * one class of clients is a *choice*: a step function from a random number to a list of addresses, so
 * that each list has its exact share and the query path picks one with a comparison or two.  Pure;
 * steer never sees a query.
 *
 * How a pool of each method is walked: its usable members form groups, and the groups are tried in order.
 *   nearest   a group for each site, nearest first; what one leaves open the next one fills
 *   failover  each member is a group; only the first that is usable is used
 *   weighted  one group of all members
 *   all       one group of all members, with room for every one of them
 * From a group of more members than are wanted some are taken in proportion to their weights, by
 * Madow's systematic sampling (Annals of Mathematical Statistics 20, 1949): the chance of each is
 * exactly its share of the weights, and n members give at most n different lists.
 *
 * An address whose share is not whole (belief.h) is usable for that part of the random numbers, from 0 on, and down for the
 * rest.  So the shares of a tree cut the random numbers into levels, in each of which an address either is usable or is
 * not; each level is walked by itself.  There are no more levels than there can be shares, and mostly there is one; in a tree
 * of hundreds of addresses shares are rounded up, so that there are fewer.
 *
 *	random numbers   0        1/4       1/2                  1
 *	levels           |---------|---------|-------------------|
 *	a, share 1/4      usable    down      down
 *	b, share 1/2      usable    usable    down
 *	c, whole          usable    usable    usable
 *
 * A pool that counts as failed is not usable to a pool that holds it; where a zone names it, `when_all_down` says what is
 * answered.  Health alone never empties an answer: whatever is believed, a tree that has an address of the family
 * gives one, and only of its own.
 */
enum steer_method { STEER_NEAREST, STEER_FAILOVER, STEER_WEIGHTED, STEER_ALL };

/* What a pool does that has nothing usable, or so little that it counts as failed. */
enum steer_all_down {
	STEER_SERVE_ALL, /* answers as if all of it were up; what operators took out stays out */
	STEER_FALLBACK,	 /* leaves it to the zone's own records */
	STEER_LAST_GOOD, /* answers with what was usable when it last was sound, else with all */
	STEER_FENCED, /* the same as STEER_SERVE_ALL, also inside another pool: nothing is used in its place */
};

#define STEER_NO_SITE UINT16_MAX

/* Addresses in one answer, whatever is configured: so many A records are 1,024 octets, and so many AAAA
 * records need TCP but still one segment or two. */
#define STEER_ANSWERS_MAX 64

struct steer_pool;

struct steer_member {
	const char *name;
	uint32_t id;	 /* among all members of the configuration: whose rows and override */
	uint16_t site;	 /* index of the configuration's sites, or STEER_NO_SITE */
	uint16_t weight; /* 0: only when no other member of its group is usable */
	const struct steer_pool *pool; /* the member is a pool; NULL: an endpoint */
};

struct steer_pool {
	const char *name;
	uint32_t id; /* among all pools of the configuration */
	enum steer_method method;
	enum steer_all_down
		when_all_down; /* counts where a zone names the pool; STEER_FENCED everywhere */
	uint16_t answers;      /* 1 to STEER_ANSWERS_MAX */
	const struct steer_member *members;
	size_t member_count;
};

/* What is believed while a plan is made. */
struct steer_world {
	const struct belief_table *beliefs;   /* rows are the addresses of an endpoint */
	const struct guard_pool_state *pools; /* by pool id */
	const uint8_t *overrides;	      /* enum override_kind, by member id */
};

enum steer_kind {
	STEER_ADDRESSES, /* answer with these */
	STEER_STATIC, /* answer with the name's own records in the zone; if it has none, with these */
	STEER_NODATA, /* the pool has no member of this family */
};

/* Random numbers below `below` that are not below an earlier step's get this list. */
struct steer_step {
	uint32_t below; /* the last step takes all that are left */
	uint16_t first; /* of choice.addresses, counted in addresses */
	uint16_t count;
};

struct steer_choice {
	enum steer_kind kind;
	uint8_t address_size; /* 4 or 16 */
	uint16_t
		step_count; /* 0 only for STEER_NODATA, and for STEER_STATIC when no address is known */
	const struct steer_step *steps;
	const uint8_t *addresses; /* as on the wire */
};

/* The step that a random number falls on; the choice has one at least.  [query path] */
static inline const struct steer_step *steer_choice_step(
	const struct steer_choice *choice, uint32_t random)
{
	const struct steer_step *step = choice->steps;
	const struct steer_step *last = step + choice->step_count - 1;

	while (step < last && random >= step->below)
		step++;
	return step;
}

/* Why a candidate is, or is not, among those that this class of clients may get. */
enum steer_reason {
	STEER_KEPT,	     /* may be answered */
	STEER_HELD_OBSERVER, /* answered though its checks fail: the fault may be ours */
	STEER_HELD_LOSS, /* answered though its checks fail: so much may not be taken away in a minute */
	STEER_HELD_EVIDENCE, /* answered though its checks fail: one of the last, more are needed */
	STEER_DEGRADED,	     /* answered; it is degraded, and may have a part of its share */
	STEER_RAMP,	     /* answered; its share grows */
	STEER_WITHOUT,	     /* answered though what its pool needs is lost */
	STEER_PANIC,	     /* its pool counts as failed: answered whatever its checks say */
	STEER_LAST_USABLE, /* everything is down, and it was usable when the pool last was sound */
	STEER_LAST_RESORT, /* everything is down, so it is answered as if it were up */
	STEER_LESS_NEAR,   /* usable, but nearer ones are enough */
	STEER_LOWER_PRIORITY, /* usable, but so is an earlier member of its failover pool */
	STEER_ZERO_WEIGHT,    /* usable, but its weight is 0 and others are usable */
	STEER_TWICE,	      /* usable, but another member has the same address */
	STEER_POOL_FAILED,    /* usable, but its pool counts as failed, and others are used */
	STEER_NOT_LAST,	   /* usable, but was not when the pool last was sound, which decides now */
	STEER_HEALTH_DOWN, /* its checks say so */
	STEER_WAITS_DELAY, /* up, but its failback delay is not over */
	STEER_WAITS_RETURN, /* up, but an operator has to return it */
	STEER_NEEDS_LOST,   /* what its pool needs is lost */
	STEER_DRAINED,	    /* an operator said so */
	STEER_FORCED_DOWN,
	STEER_REPLACED,	    /* everything is down, and the zone's own records are answered */
	STEER_OTHER_FAMILY, /* has no address of the family */
	STEER_UNRESOLVED,   /* its host name has not been resolved yet */
};
const char *steer_reason_text(enum steer_reason reason); /* "drained" */
bool steer_reason_is_kept(enum steer_reason reason);	 /* may be answered */

/* One for each address of each endpoint in the tree, in configured order; an endpoint without an address
 * of the family has one of ADDRESS_NONE. */
struct steer_candidate {
	const struct steer_pool *pool; /* the innermost */
	const struct steer_member *member;
	const struct belief *belief; /* the world's row; NULL: none of the family */
	struct address address;
	enum steer_reason reason;
	double share; /* of the answers of this class that hold it, 0 to 1 */
	uint16_t
		site; /* the endpoint's own, else that of the nearest member above it that has one */
};

struct steer_trace {
	struct steer_candidate *items; /* heap; free() it */
	size_t count;
	size_t capacity;
};

/* Whether a pool has members of a family of which one is usable, none is, or no such members at all; whether they are
 * enough (world.pools) is not asked of the pool itself. */
enum steer_coverage { STEER_COVERED, STEER_LOST, STEER_UNCOVERED };
enum steer_coverage steer_pool_coverage(
	const struct steer_pool *pool, enum address_family family, const struct steer_world *world);

/*
 * A planner makes the choices of one pool, as root of a steered name, for one family and one state of the
 * world.  Classes whose nearest usable sites are the same share one choice.
 *
 * `sites` are those that the class orders speak of: order[i] is an index of `sites`, nearest first.  All
 * that is passed in must outlive the planner; choices live in `arena`.
 */
struct steer_planner;

struct steer_planner *steer_planner_new(const struct steer_pool *root, enum address_family family,
	const struct steer_world *world, const uint16_t *sites, size_t site_count,
	struct arena *arena);
void steer_planner_free(struct steer_planner *planner); /* NULL is allowed */

/* `order` has site_count entries.  With a trace, each candidate's reason is kept in it. */
const struct steer_choice *steer_planner_choose(
	struct steer_planner *planner, const uint8_t *order, struct steer_trace *trace);

#endif
