/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_H
#define HEALTH_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/health/belief.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * guard - from what the prober saw to what is believed, so that a prober that is wrong, or cut off, takes nothing away.
 *
 * Pure: time is an argument, nothing is read and nothing is said.  One guard goes on for the life of the process; its
 * rules are those of a snapshot and are exchanged at a reload.  [main]
 *
 *	verdicts ─▶ combine (conditions, needs) ─▶ hold or let go (observer, loss, evidence, failback, return) ─▶ ramp
 *	                                                                         └▶ pools: sound, panic, lost ─▶ beliefs
 *
 * What only adds is believed at once, what takes away is held back until it is sure: an address goes down unless the observer
 * is suspect (what went before that stays down), its pool, or one above that is no failover pool, has lost enough for a
 * minute, or it is one of the last of any of them (of its family, or before panic).  What is known when rules come into
 * force, and what operators said, is not health taking something away, and is never held.
 */

#define GUARD_NONE UINT32_MAX

/* What must hold of several monitors: a tree, at most GUARD_DEPTH_MAX deep. */
#define GUARD_DEPTH_MAX 8

enum guard_condition_kind {
	GUARD_TARGETS, /* what one monitor says: `targets`, one for each written address, or one for a host name */
	GUARD_AT_LEAST, /* `at_least` of the items are up (all-of: as many as there are; any-of: 1) */
	GUARD_NOT,	/* the one item is down; of one that is unknown, unknown */
};

/*
 * AT_LEAST: what is unknown counts as up, so it is down if too few are left.  Else its best `at_least` items decide, up
 * before unknown before degraded: one that is degraded makes it degraded, all unknown make it unknown.
 */

struct guard_condition {
	enum guard_condition_kind kind;
	const target_id *targets;
	uint16_t at_least;
	const struct guard_condition *items;
	size_t item_count;
};

/*
 * Capacity is per address: an endpoint's, or 1, is divided among its addresses of both families; a pool's is the sum of its
 * members', or what is written where it is a member, in proportion to what is left of it.  One that is not sound counts as
 * nothing there, unless it is fenced.  An override of a member that is a pool weighs for the pool above as a whole.
 */
struct guard_member {
	const char *key; /* "POOL/MEMBER": the same member in every generation */
	uint32_t pool;	 /* whose member it is */
	uint32_t child;	 /* the pool that it is, or GUARD_NONE: an endpoint */
	const struct address *addresses;
	size_t address_count;
	bool is_host;				 /* its addresses are those of its targets' rows */
	const struct guard_condition *condition; /* NULL: always up */
	uint32_t
		capacity; /* in whatever unit; of an endpoint, divided among its addresses; of a pool, 0: the sum of its members */
	uint32_t evidence_ms; /* how long longer one of the last must fail: `fall` x `every` */
};

struct guard_pool {
	const char *name;
	const uint32_t *members; /* ids, in the order written */
	size_t member_count;
	bool is_failover; /* the first sound member carries it all: its panic is judged after that */
	bool is_fenced; /* nothing is used in its place: when it is not sound, those above count all of it as usable */
	uint8_t panic_percent; /* of its capacity; below it the pool counts as failed; 0: when nothing is left */
	uint8_t loss_percent; /* of its capacity, that health may take away in a minute, one address always; 100: no limit */
	uint8_t degraded_share; /* of a degraded address, 1 to BELIEF_WHOLE */
	uint32_t slow_start_ms; /* from a recovery to the whole share; 0: at once */
	uint32_t failback_ms;	/* from up to believed; 0: at once */
	bool has_manual_return; /* what went down comes back by an operator's word */
	uint32_t needs;		/* another pool, or GUARD_NONE */
	uint8_t without; /* enum verdict_state of its addresses while that one is lost; up, degraded or down */
};

struct guard_rules {
	const struct guard_pool *pools;
	size_t pool_count;
	const struct guard_member *members; /* by id */
	size_t member_count;
	uint32_t
		canaries; /* a pool whose addresses always answer unless we are cut off; GUARD_NONE */
	uint8_t suspect_percent; /* of checked targets; more that fail anew make the observer suspect; 100: never */
	uint8_t suspect_networks;   /* of so many networks at least (IPv4 /16, IPv6 /32) */
	uint32_t suspect_window_ms; /* within so long */
	uint32_t
		confirm_ms; /* without canaries: so long after, if anything passed since, it is believed */
};

/* What is known now. */
struct guard_input {
	const struct verdict_table *verdicts; /* of the rules' targets */
	const uint8_t *
		overrides; /* enum override_kind, by member id, those of the members above not yet applied */
	bool is_stale; /* the prober is silent: what waits for time alone to be believed goes on waiting */
	uint64_t now_ms; /* monotonic; one that goes back is taken as standing still */
	uint64_t now_unix_s;
};

struct guard_pool_state {
	uint8_t state;	 /* enum belief_pool */
	uint8_t percent; /* capacity left, after what operators took out is left out of the count */
	uint8_t loss_percent; /* of its capacity, taken away by health within the last minute; each address once */
	uint32_t held_count;   /* addresses that stay up though their checks say down */
	bool is_without;       /* what it needs is lost */
	bool was_ever_up;      /* some address of it passed a check once */
	uint64_t since_unix_s; /* of the state */
};

struct guard;

struct guard *guard_new(void);
void guard_free(struct guard *guard); /* NULL is allowed */

/*
 * The rules from now on, which must outlive their use, as those before must outlive this call: members that were known, by
 * key and address, go on as they were, and what the next step sees of others is taken as it is.
 */
void guard_set_rules(struct guard *guard, const struct guard_rules *rules);

/* Looks again; true if anything changed that answers depend on, or what is said of them: a row, a state and why, a share, a
 * pool.  Allocates only when rows come or go. */
bool guard_step(struct guard *guard, const struct guard_input *input);
/* When time alone may change something next, on the input's clock; UINT64_MAX: never. */
uint64_t guard_due_at_ms(const struct guard *guard);

/* As of the last step; valid until the next. */
const struct belief_table *guard_beliefs(const struct guard *guard);
const struct guard_pool_state *guard_pools(const struct guard *guard); /* by pool */

struct guard_observer {
	bool is_suspect;
	bool are_canaries_down;
	uint32_t failing;      /* targets that fail now */
	uint32_t checked;      /* targets that are checked */
	uint32_t networks;     /* of those that began to fail together */
	uint64_t since_unix_s; /* of the suspicion */
};
const struct guard_observer *guard_observer(const struct guard *guard);

/* An operator's word for a member that waits for it; how many addresses it lets back, at the next step. */
size_t guard_return(struct guard *guard, uint32_t member);

/*
 * What must outlive the process: what is believed of each address, what it waits for, the suspicion.  Times are ages, so
 * that time stands still meanwhile.  Read after guard_set_rules() and before the first step; what is not of the
 * rules is left out.  Bytes that are cut, rotten or cannot be are refused whole.
 */
void guard_write(const struct guard *guard, struct text *ret_bytes);
bool guard_read(
	struct guard *guard, const void *bytes, size_t size, uint64_t now_ms, struct err *err);

#endif
