/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_LIMIT_H
#define SERVER_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/random.h"
#include "steerd/config/settings.h"

#include "network.h"

/*
 * limit - how many replies each network gets over UDP (response rate limiting).
 *
 * Over UDP anyone may write anyone's address into a query, and make us flood its owner.  So each
 * network has a bucket of replies, which holds `burst` of them and gains `responses` a second.
 * It is kept as one number, the moment at which it is full again:
 *
 *	line of 4 places, chosen by a keyed hash
 *	+---------+------------+---------+------------+---------+------------+---------+-----------+
 *	| network | full_at_ns | network | full_at_ns | network | full_at_ns | network | full_at_ns|
 *	+---------+------------+---------+------------+---------+------------+---------+-----------+
 *
 * A place whose bucket is full says no more than none at all.  Networks are told apart exactly, so
 * nobody is limited for what another network got, whoever shares a line with it; and when a line is
 * taken, the fullest bucket goes, so that what is forgotten is what matters least: a flood of
 * random sources does not push out the one that it hits hard.  Four networks of one line can be held
 * to their rate at a time; where more exceed it, they take each other's places and get more than that.
 *
 * One for each thread, which alone touches it.  Time is an argument.  [query path]
 */

/* What the settings say, for one of the threads that share the load of a listen address. */
struct limit_rules {
	uint64_t reply_ns; /* in which a bucket gains one reply */
	uint64_t burst_ns; /* in which an empty one is full again */
	struct network_masks masks;
	uint32_t slip;
	bool is_dry_run;
	const struct prefix *exempt; /* borrowed from the settings */
	size_t exempt_count;
};

struct limit_rules limit_rules_of(const struct settings *settings, size_t thread_count);

/* One network's bucket. */
struct limit_place {
	uint64_t network;
	uint64_t full_at_ns;
};

struct limit {
	struct limit_rules rules;
	uint64_t now_ns;	    /* when the queries at hand came */
	uint64_t full_by_ns;	    /* who is full only later has not one reply left */
	struct network_key key;	    /* [fixed] */
	unsigned shift;		    /* [fixed] */
	struct limit_place *places; /* on the boundary of a line */
	void *memory;
};

#define LIMIT_LINE 4 /* places */

/* For `place_count` networks, rounded up to a power of two; without rules.  `random` makes the hash's key: where
 * nobody else sees what comes of it, networks share a line by chance alone, however chosen. */
void limit_init(struct limit *limit, size_t place_count, struct random *random);
void limit_done(struct limit *limit);

/* The rules, and the time, for the queries to come.  What rules borrow must outlive those. */
static inline void limit_set_rules(struct limit *limit, const struct limit_rules *rules)
{
	limit->rules = *rules;
}

static inline void limit_set_time(struct limit *limit, uint64_t now_ns)
{
	limit->now_ns = now_ns;
	limit->full_by_ns = now_ns + limit->rules.burst_ns - limit->rules.reply_ns;
}

/* The network's place in its line; if it has none, the fullest becomes its own. */
struct limit_place *limit_search(struct limit_place *line, uint64_t network);

static inline struct limit_place *limit_find(const struct limit *limit, uint64_t network)
{
	uint64_t hash = network_hash(&limit->key, network);
	struct limit_place *line = limit->places + (hash >> limit->shift) * LIMIT_LINE;

	return line->network == network ? line : limit_search(line, network);
}

/* Is there no reply left for it? */
static inline bool limit_is_over(const struct limit *limit, const struct limit_place *place)
{
	return place->full_at_ns > limit->full_by_ns;
}

/* Takes one reply out of a bucket that has one. */
static inline void limit_count(const struct limit *limit, struct limit_place *place)
{
	uint64_t full_at_ns = place->full_at_ns > limit->now_ns ? place->full_at_ns : limit->now_ns;

	place->full_at_ns = full_at_ns + limit->rules.reply_ns;
}

/* What becomes of a query for which there is none: answered all the same if its network is exempt.
 * `random`: uniform over 32 bits. */
enum limit_outcome { LIMIT_GRANT, LIMIT_SLIP, LIMIT_DROP };
enum limit_outcome limit_judge(const struct limit *limit, struct limit_place *place,
	const struct address *address, uint32_t random);

#endif
