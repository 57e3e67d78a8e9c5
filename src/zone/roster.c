/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"

#include <stdlib.h>

#include "steerd/base/memory.h"

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

void roster_add(struct roster *roster, const struct zone_node *node, uint32_t zone)
{
	size_t at = roster_home(roster, node->hash);

	while (roster->slots[at].node)
		at = at + 1 < roster->slot_count ? at + 1 : 0;
	roster->slots[at] = (struct roster_slot){.hash = node->hash, .zone = zone, .node = node};
}
