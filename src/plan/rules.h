/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RULES_H
#define RULES_H

#include "steerd/base/arena.h"
#include "steerd/health/guard.h"
#include "steerd/plan/snapshot.h"

/*
 * rules - from settings to what the guard goes by.
 */

/* Of a snapshot whose members and targets are there (targets.h); it goes on pointing into them and into the settings. */
const struct guard_rules *rules_make(const struct snapshot *snapshot, struct arena *arena);

#endif
