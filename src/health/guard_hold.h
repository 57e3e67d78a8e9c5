/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_HOLD_H
#define HEALTH_GUARD_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "guard_combine.h"
#include "steerd/health/guard.h"

/*
 * guard_hold - from what is seen of an address to what is believed of it: at once, later, or not yet.
 */
struct guard;

/* Looks at each address; what is well again comes back when it may.  True if something else is seen. */
bool guard_hold_see(
	struct guard *guard, const struct guard_input *input, const struct guard_view *view);
/* What fails goes down, one after the other, as far as it may.  Parts and sums must be counted, and are kept. */
void guard_hold_let_go(struct guard *guard, const struct guard_input *input);
/* Publishes the rows of a pool's endpoints, and what they are while what it needs is gone; true if one is another. */
bool guard_hold_publish(struct guard *guard, uint32_t pool);

#endif
