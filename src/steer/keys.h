/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/steer/steer.h"
#include "walk.h"

/*
 * keys - which classes of clients have the same choice.
 *
 * A class matters only by the sites that its answers come from: for each nearest pool in the tree, the
 * first few of its usable sites in the class's order.  Those are the key of a choice; thousands of
 * classes have a few dozen keys.
 *
 *	class order   fra ams lhr iad ...        nearest pool with usable sites {lhr, iad, fra}, answers 2
 *	key           fra     lhr
 *
 * Where the sites that are usable differ between levels, the key has a place for each.  An address that is in the tree
 * twice may leave a place open, which the sites behind fill: then all of them are the key.
 */
struct keys_nearest {
	const bool *is_usable; /* by position in the walk's sites */
	size_t want;
};

struct keys {
	size_t site_count;
	bool has_twice;		      /* an address of the family */
	struct keys_nearest *nearest; /* heap; those of all levels */
	size_t nearest_count;
	size_t nearest_capacity;
	const bool *
		*newest; /* of each nearest pool, in the order of the walk: of the level before */
	size_t size;	 /* of a key, octets */
};

/* Memory but for the list is from the walk's arena. */
void keys_init(struct keys *keys, const struct walk *walk, const struct steer_pool *root);
void keys_done(struct keys *keys);
/* The walk is settled for the level. */
void keys_add_level(struct keys *keys, const struct walk *walk, const struct steer_pool *root);

/* `keys->size` octets: positions in the walk's sites, UINT8_MAX where sites ran out. */
void keys_write(const struct keys *keys, const uint8_t *order, uint8_t *ret_key);

#endif
