/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGETS_H
#define TARGETS_H

#include "steerd/base/arena.h"
#include "steerd/config/settings.h"
#include "steerd/health/target.h"
#include "steerd/steer/steer.h"

/*
 * targets - from settings to what is checked, and to the pool tree that refers to it.
 */

/* One pool for each of the settings', in the same order; members are numbered through all of them. */
const struct steer_pool *targets_make(const struct settings *settings, struct arena *arena,
	struct target_list *ret_targets, uint32_t *ret_member_count);

#endif
