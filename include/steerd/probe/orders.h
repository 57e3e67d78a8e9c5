/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_ORDERS_H
#define PROBE_ORDERS_H

#include <openssl/x509.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/link/link.h"
#include "steerd/outbound/reach.h"

/*
 * orders - what steerd wants done, kept for as long as a check needs its part of it.
 *
 * A check that is under way when new orders come ends by the old ones; whoever points into orders
 * holds them.
 */
struct recipe;

struct orders {
	unsigned holders;
	struct arena *arena;
	struct link_orders link;
	struct reach reach;	       /* where checks may connect to */
	X509_STORE **trust;	       /* of each monitor; NULL: it needs none, or has none */
	const char *const *trust_why;  /* of each: why it has none; "": it needs none */
	struct recipe **recipes;       /* of those that have one (recipe.h); NULL: not to be made */
	const char *const *recipe_why; /* why not */
};

/*
 * Held once by the caller; NULL if the body cannot be.  A CA file that cannot be read now is taken
 * as it was in `previous`, which may be NULL.
 */
struct orders *orders_read(
	const uint8_t *body, size_t size, const struct orders *previous, struct err *err);

struct orders *orders_hold(struct orders *orders);
void orders_drop(struct orders *orders); /* NULL is allowed */

#endif
