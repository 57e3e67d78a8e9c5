/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_TABLE_H
#define ZONE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree.h"

#include "steerd/dns/name.h"

/*
 * table - every name of every zone: one array, open addressing, built once.
 *
 * The place of a name is its hash scaled to the size of the array, so that the array may have any size.
 */
struct table_slot {
	uint32_t hash;
	uint32_t zone;		      /* index in the set */
	const struct zone_node *node; /* NULL: empty */
};

struct table {
	struct table_slot *slots;
	size_t slot_count;
	unsigned deepest; /* labels of the longest name */
};

void table_init(struct table *table, size_t name_count);
void table_done(struct table *table);
/* The name must not be there. */
void table_add(struct table *table, const struct zone_node *node, uint32_t zone);

/* The name that begins at label `label` of the key; NULL if there is none.  [query path] */
const struct table_slot *table_find(
	const struct table *table, const struct name_key *key, unsigned label);

#endif
