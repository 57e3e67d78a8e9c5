/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_TABLE_H
#define ZONE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree.h"

#include "steerd/dns/name.h"
#include "steerd/dns/wire.h"

/*
 * roster - every name of every zone: one array, open addressing, built once.
 *
 * The place of a name is its hash scaled to the size of the array, so that the array may have any size.
 */
struct roster_slot {
	uint32_t hash;
	uint32_t zone;		      /* index in the set */
	const struct zone_node *node; /* NULL: empty */
};

struct roster {
	struct roster_slot *slots;
	size_t slot_count;
};

void roster_init(struct roster *roster, size_t name_count);
void roster_done(struct roster *roster);
/* The name must not be there. */
void roster_add(struct roster *roster, const struct zone_node *node, uint32_t zone);

/* Where a look-up begins. */
static inline size_t roster_home(const struct roster *roster, uint32_t hash)
{
	return (size_t)(((uint64_t)hash * roster->slot_count) >> 32);
}

/* The name that begins at label `label` of the key and has that hash; NULL if there is none.  Every query does it once or
 * twice, so it is part of its callers.  [query path] */
static inline const struct roster_slot *roster_find_hash(
	const struct roster *roster, const struct name_key *key, unsigned label, uint32_t hash)
{
	const uint8_t *name = key->wire + key->offset[label];
	size_t size = (size_t)key->size - key->offset[label];
	const struct roster_slot *slot = roster->slots + roster_home(roster, hash);

	while (slot->node) {
		if (slot->hash == hash && slot->node->name_size == size &&
			wire_is_equal(slot->node->name, name, size))
			return slot;
		if (++slot == roster->slots + roster->slot_count)
			slot = roster->slots;
	}
	return NULL;
}

static inline const struct roster_slot *roster_find(
	const struct roster *roster, const struct name_key *key, unsigned label)
{
	return roster_find_hash(roster, key, label, name_key_hash(key, label));
}

#endif
