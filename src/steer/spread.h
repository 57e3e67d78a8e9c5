/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPREAD_H
#define SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/steer/steer.h"

/*
 * spread - a step function from a random number in [0, 2^32) to a list of picks: what a part of a pool tree
 * contributes to an answer.  Values in an arena; never changed once made.
 */
struct pick {
	const struct steer_member *member;
	const struct address *address;
};

struct piece {
	uint64_t below; /* holds for random numbers below it, from the piece before on */
	const struct pick *picks;
	size_t count;
};

struct spread {
	const struct piece *pieces; /* the last one's `below` is SAMPLE_WHOLE */
	size_t count;
};

/* The same list for every number. */
struct spread spread_of(struct arena *arena, const struct pick *picks, size_t count);

/* For each number a's list, then b's, without addresses that are there already, up to `most` in all.  Both
 * are asked with the same number: the share of each pick stays what it was. */
struct spread spread_concat(struct arena *arena, struct spread a, struct spread b, size_t most);

/* The same lists for the same numbers, of the same members. */
bool spread_is_equal(struct spread a, struct spread b);

/* A spread put together from left to right: each part's whole range is squeezed into [begin, below). */
struct spread_builder {
	struct piece *pieces; /* heap */
	size_t count;
	size_t capacity;
	uint64_t begin;
};
void spread_builder_add(struct spread_builder *builder, struct spread part, uint64_t below);
/* Ends the builder, whose last part ended at SAMPLE_WHOLE. */
struct spread spread_builder_finish(struct spread_builder *builder, struct arena *arena);

#endif
