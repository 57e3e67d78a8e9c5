/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spread.h"
#include "steerd/steer/steer.h"

/*
 * walk - a pool tree, walked for one family and one order of sites.
 *
 * The tree is the operator's, free of loops and of bounded depth (room config sees to both), so walking it by
 * recursion is safe.
 */

/* How much of what is known counts.  When nothing is usable, less and less of it does. */
enum belief {
	BELIEF_WHOLE,	  /* checks and overrides */
	BELIEF_OVERRIDES, /* all are down: what operators took out stays out */
	BELIEF_NONE, /* they took out everything that is there: an answer is better than none */
};

struct walk {
	struct arena *arena; /* for what is thrown away when the choice is made */
	const struct steer_world *world;
	enum address_family family;
	enum belief belief;
	const uint16_t *sites; /* those of `order` */
	size_t site_count;
	const uint8_t *order; /* nearest first; NULL: the tree has no nearest pool */
};

/* The override that rules below a member: its own, else the one from above. */
enum override_kind walk_override(
	const struct walk *walk, const struct steer_member *member, enum override_kind above);

/* The addresses of an endpoint, usable or not. */
size_t walk_address_count(const struct walk *walk, const struct steer_member *member);
const struct address *walk_address(
	const struct walk *walk, const struct steer_member *member, size_t index, bool *ret_is_up);

/* Whether an answer could hold an address of the member. */
bool walk_is_usable(
	const struct walk *walk, const struct steer_member *member, enum override_kind above);
bool walk_is_pool_usable(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above);

/* Whether a member counts in its group, which has members of other weights. */
bool walk_has_weight(const struct walk *walk, const struct steer_pool *pool,
	const struct steer_member *member, enum override_kind above);

/* What the pool contributes where `want` addresses are wanted. */
struct spread walk_pool(const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want);

#endif
