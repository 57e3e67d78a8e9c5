/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_TABLE_H
#define ZONE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree.h"

#include "steerd/dns/name.h"

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

/* The name that begins at label `label` of the key; NULL if there is none.  [query path] */
const struct roster_slot *roster_find(
	const struct roster *roster, const struct name_key *key, unsigned label);
/* The same for who has made the tails of the key. */
const struct roster_slot *roster_find_hashed(const struct roster *roster,
	const struct name_key *key, unsigned label, const struct name_tails *tails);

#endif
