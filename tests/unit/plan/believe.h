/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BELIEVE_H
#define BELIEVE_H

#include "steerd/health/verdict.h"
#include "steerd/plan/plan.h"

/*
 * believe - beliefs for tests that need no guard: what the first monitor of each member saw, as it is, and all pools sound.
 */
struct believed {
	struct belief_table beliefs;
	struct guard_pool_state *pools; /* heap */
};

void believe(const struct snapshot *snapshot, const struct verdict_table *verdicts,
	struct believed *ret_believed);
void believed_done(struct believed *believed);

/* A plan of that. */
struct plan *believe_plan(const struct snapshot *snapshot, const struct verdict_table *verdicts,
	const struct override_list *overrides, const struct plan *previous);

#endif
