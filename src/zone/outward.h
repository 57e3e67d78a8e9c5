/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_OUTWARD_H
#define ZONE_OUTWARD_H

#include "set.h"

#include "steerd/base/report.h"

/*
 * outward - address hints of records whose target is another name.
 *
 * Whether that name is steered, all zones of a set tell together, so it is found when the set is whole: the set keeps
 * which hints it hides, the zones stay as they are, and shared.
 */

/* Fills in `set->hidden`, and warns of each. */
void outward_hide(struct zone_set *set, struct report *report);

#endif
