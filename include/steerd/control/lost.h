/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_LOST_H
#define CONTROL_LOST_H

#include <stddef.h>

#include "steerd/base/text.h"
#include "steerd/control/control.h"

/*
 * lost - the pools that have no usable member now, or none of a family, remembered by name, so that each loss
 * and each return is said once.
 *
 * Starts zeroed, over reloads too.
 */
struct lost_item {
	char *pool;	  /* heap */
	const char *what; /* "member", "IPv4 address", "IPv6 address" */
};

struct lost {
	struct lost_item *items; /* heap */
	size_t count;
};

/* Compares with what is so now: a line for each pool that lost its last usable member, and for each that has one again.
 * Of the facts, only plan, verdicts and overrides are looked at. */
void lost_update(struct lost *lost, const struct control_facts *facts, struct text *ret_lost,
	struct text *ret_back);
void lost_done(struct lost *lost);

#endif
