/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdbool.h>

#include "steerd/base/arena.h"
#include "steerd/config/settings.h"
#include "steerd/plan/snapshot.h"

/*
 * targets - from settings to what is checked, and to the pool tree whose addresses that decides.
 */

/* Fills in the pools, one for each of the settings' and in the same order, the members, which are numbered through all of
 * them, and the targets of a snapshot whose settings are there. */
void targets_make(struct snapshot *snapshot, struct arena *arena);

/* What decides about an endpoint: its own condition, or its pool's, or its pool's monitor; false: nothing does. */
bool targets_find_condition(const struct settings_pool *pool, const struct settings_member *member,
	struct settings_condition *ret_condition);

#endif
