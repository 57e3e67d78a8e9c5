/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/steer/steer.h"
#include "walk.h"

/*
 * keys - which classes of clients get the same.
 *
 * A class matters only by the sites that its answers come from: for each nearest pool in the tree, the
 * first few of its usable sites in the class's order.  Those are the key; thousands of
 * classes have a few dozen keys.
 *
 *	class order   fra ams lhr iad ...        nearest pool with usable sites {lhr, iad, fra}, answers 2
 *	key           fra     lhr
 *
 * An address that is in the tree twice may leave a place open, which the sites behind fill: then all of them are the key.
 * While a fence holds its own clients alone, because nothing is left inside, the key has the client's own site too, and
 * the usable ones of both kinds of clients.
 */
struct keys_nearest {
	const bool *is_usable; /* by position in the walk's sites */
	const bool *is_there;  /* NULL, and the next: no fence is lost */
	const bool *is_usable_from_afar;
	size_t want;
};

struct keys {
	size_t site_count;
	bool has_lost_fence;
	struct keys_nearest *nearest; /* heap */
	size_t nearest_count;
	size_t nearest_capacity;
	size_t size; /* of a key, octets */
};

/* For a walk that is settled; sets of sites are in its arena. */
void keys_init(
	struct keys *keys, const struct walk *walk, const struct steer_pool *root, bool has_twice);
void keys_done(struct keys *keys);

/* Whether an address of the family is in the tree twice. */
bool keys_has_twice(const struct walk *walk, const struct steer_pool *root);

/* `keys->size` octets: positions in the walk's sites, UINT8_MAX where sites ran out. */
void keys_write(const struct keys *keys, const uint8_t *order, uint8_t *ret_key);

#endif
