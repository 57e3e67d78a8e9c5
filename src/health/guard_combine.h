/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_COMBINE_H
#define HEALTH_GUARD_COMBINE_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/health/guard.h"

/*
 * guard_combine - what several monitors say of one address, as one state.
 */

/* A table of verdicts with the place of each target's rows. */
struct guard_view {
	const struct verdict_table *table;
	const uint32_t *first; /* target_count + 1 */
	size_t target_count;   /* those from here on have no row */
};

/* The rows of one target. */
const struct verdict *guard_combine_rows(
	const struct guard_view *view, target_id target, size_t *ret_count);

/* The state of the address, which is the `index`th of its member. */
enum verdict_state guard_combine(const struct guard_member *member, const struct guard_view *view,
	size_t index, const struct address *address);

typedef void (*guard_combine_fn)(void *context, target_id target);
/* Calls `each` for every target of an endpoint that is checked; one that several conditions name comes several times. */
void guard_combine_targets(const struct guard_member *member, guard_combine_fn each, void *context);

#endif
