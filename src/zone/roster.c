/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"

#include <stdlib.h>

#include "steerd/base/memory.h"
#include "steerd/dns/wire.h"

void roster_init(struct roster *roster, size_t name_count)
{
	/* Five in eight are taken: a miss looks at four slots, which is one cache line.  Fuller: misses, which are
	 * what an attacker sends, get longer.  Emptier: each name costs more than 26 octets here. */
	*roster = (struct roster){.slot_count = name_count + name_count * 3 / 5 + 2};
	roster->slots = memory_new_table(roster->slot_count * sizeof(roster->slots[0]));
}

void roster_done(struct roster *roster)
{
	free(roster->slots);
}

static size_t home_of(const struct roster *roster, uint32_t hash)
{
	return (size_t)(((uint64_t)hash * roster->slot_count) >> 32);
}

void roster_add(struct roster *roster, const struct zone_node *node, uint32_t zone)
{
	size_t at = home_of(roster, node->hash);

	while (roster->slots[at].node)
		at = at + 1 < roster->slot_count ? at + 1 : 0;
	roster->slots[at] = (struct roster_slot){.hash = node->hash, .zone = zone, .node = node};
}

static inline const struct roster_slot *find(
	const struct roster *roster, const struct name_key *key, unsigned label, uint32_t hash)
{
	const uint8_t *name = key->wire + key->offset[label];
	size_t size = (size_t)key->size - key->offset[label];
	const struct roster_slot *slot = roster->slots + home_of(roster, hash);

	while (slot->node) {
		if (slot->hash == hash && slot->node->name_size == size &&
			wire_is_equal(slot->node->name, name, size))
			return slot;
		if (++slot == roster->slots + roster->slot_count)
			slot = roster->slots;
	}
	return NULL;
}

const struct roster_slot *roster_find(
	const struct roster *roster, const struct name_key *key, unsigned label)
{
	return find(roster, key, label, name_key_hash(key, label));
}

const struct roster_slot *roster_find_hashed(const struct roster *roster,
	const struct name_key *key, unsigned label, const struct name_tails *tails)
{
	return find(roster, key, label, name_tails_hash(tails, key, label));
}
