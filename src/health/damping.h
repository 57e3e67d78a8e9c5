/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_DAMPING_H
#define HEALTH_DAMPING_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/health/judge.h"

/*
 * damping - the part of judge.h that makes one wait that flaps.  Pure.
 */

/* Before a check at `at_unix_s` is looked at: flaps that are long ago are forgotten. */
void damping_age(struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s);

/* It would recover now: whether it has to wait, and then until when. */
bool damping_holds(struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s);

/* It changes to `next`. */
void damping_change(struct verdict *verdict, const struct judge_rule *rule, uint64_t at_unix_s,
	enum verdict_state next);

#endif
