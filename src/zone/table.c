/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

void table_init(struct table *table, size_t name_count)
{
	/* Five in eight are taken: a miss looks at four slots, which is one cache line.  Fuller: misses, which are
	 * what an attacker sends, get longer.  Emptier: each name costs more than 26 octets here. */
	*table = (struct table){.slot_count = name_count + name_count * 3 / 5 + 2};
	table->slots = memory_new(table->slot_count * sizeof(table->slots[0]));
}

void table_done(struct table *table)
{
	free(table->slots);
}

static size_t home_of(const struct table *table, uint32_t hash)
{
	return (size_t)(((uint64_t)hash * table->slot_count) >> 32);
}

void table_add(struct table *table, const struct zone_node *node, uint32_t zone)
{
	size_t at = home_of(table, node->hash);

	while (table->slots[at].node)
		at = at + 1 < table->slot_count ? at + 1 : 0;
	table->slots[at] = (struct table_slot){.hash = node->hash, .zone = zone, .node = node};
}

const struct table_slot *table_find(
	const struct table *table, const struct name_key *key, unsigned label)
{
	uint32_t hash = key->hash[label];
	size_t offset = key->offset[label];
	size_t size = key->size - offset;
	size_t at = home_of(table, hash);

	for (; table->slots[at].node; at = at + 1 < table->slot_count ? at + 1 : 0) {
		const struct table_slot *slot = &table->slots[at];

		if (slot->hash == hash && slot->node->name_size == size &&
			memcmp(zone_node_name(slot->node), key->wire + offset, size) == 0)
			return slot;
	}
	return NULL;
}
