/* SPDX-License-Identifier: Apache-2.0 */
#include "set.h"

#include "steerd/dns/dns.h"

/* RFC 1034 4.3.2 over the roster: all of it is query path. */

static void match_node(const struct zone_set *set, const struct roster_slot *slot,
	const struct zone_node *node, struct zone_match *ret_match)
{
	const struct set_zone *zone = &set->zones[slot->zone];
	uint32_t steered = node->steered;

	if (steered != ZONE_NOT_STEERED)
		steered += zone->steered_base;
	*ret_match = (struct zone_match){
		.outcome = ZONE_NODE,
		.steered = steered,
		.zone = zone->zone,
		.node = node,
	};
}

static void match_cut(
	const struct zone_set *set, const struct roster_slot *slot, struct zone_match *ret_match)
{
	*ret_match = (struct zone_match){
		.outcome = ZONE_REFERRAL,
		.steered = ZONE_NOT_STEERED,
		.zone = set->zones[slot->zone].zone,
		.node = slot->node->link,
	};
}

/* A name that exists. */
static void match_exact(const struct zone_set *set, const struct roster_slot *slot, uint16_t type,
	struct zone_match *ret_match)
{
	const struct zone_node *node = slot->node;

	if (type == DNS_TYPE_DS) {
		const struct set_zone *zone = &set->zones[slot->zone];

		if (node == zone->zone->apex && zone->parent_node) {
			const struct roster_slot above = {.zone = zone->parent};

			match_node(set, &above, zone->parent_node, ret_match);
			return;
		}
		if (node->flags & NODE_IS_CUT) {
			match_node(set, slot, node, ret_match);
			return;
		}
	}
	if (node->flags & NODE_IS_BELOW_CUT)
		match_cut(set, slot, ret_match);
	else
		match_node(set, slot, node, ret_match);
}

/* A name that does not exist, below one that does (RFC 4592 3.3.1: the closest encloser). */
static void match_below(const struct zone_set *set, const struct roster_slot *encloser,
	struct zone_match *ret_match)
{
	const struct zone_node *node = encloser->node;

	if (node->flags & NODE_IS_BELOW_CUT) {
		match_cut(set, encloser, ret_match);
		return;
	}
	if (node->flags & NODE_HAS_DNAME) {
		match_node(set, encloser, node, ret_match);
		ret_match->outcome = ZONE_BELOW_DNAME;
		ret_match->steered = ZONE_NOT_STEERED; /* its owner may be, the name is not */
		return;
	}
	if (node->link) {
		match_node(set, encloser, node->link, ret_match);
		ret_match->is_wildcard = true;
		return;
	}
	*ret_match = (struct zone_match){
		.outcome = ZONE_MISSING,
		.steered = ZONE_NOT_STEERED,
		.zone = set->zones[encloser->zone].zone,
	};
}

static const struct roster_slot *find_end(const struct zone_set *set, const struct name_key *name,
	const struct name_tails *tails, unsigned labels)
{
	unsigned label = name->label_count - labels;

	return roster_find_hash(&set->roster, name, label, name_tails_hash(tails, name, label));
}

/*
 * The closest encloser of a name of which the last `missing` labels do not exist; NULL outside of all zones.
 *
 * Within a zone every name above one that exists exists as well, down from the apex.  So the deepest place is looked for
 * where an apex may be and the name exists, and what lies between it and the name is halved.
 */
static const struct roster_slot *halve(const struct zone_set *set, const struct name_key *name,
	const struct name_tails *tails, unsigned missing)
{
	const struct roster_slot *encloser = NULL;
	unsigned found = 0; /* the name's last so many labels exist */

	for (unsigned i = 0; i < set->apex_depth_count && !encloser; i++) {
		if (set->apex_depths[i] >= missing)
			continue;
		found = set->apex_depths[i];
		encloser = find_end(set, name, tails, found);
		if (!encloser)
			missing = found;
	}
	while (encloser && missing - found > 1) {
		unsigned middle = (missing + found) / 2;
		const struct roster_slot *slot = find_end(set, name, tails, middle);

		if (slot)
			encloser = slot;
		*(slot ? &found : &missing) = middle;
	}
	return encloser;
}

/* Octets of a name that is long for one: few names that resolvers ask for are. */
#define LONG_NAME 64

/* Apart from its caller, whose registers it would take: few queries come here but those of an attacker. */
__attribute__((noinline)) static const struct roster_slot *find_far_encloser(
	const struct zone_set *set, const struct name_key *name)
{
	unsigned missing = name->label_count - 1u;
	const struct roster_slot *parent = NULL;
	struct name_tails tails;

	name_tails_make(name, &tails);
	if (name->size > LONG_NAME) /* else it was looked up already */
		parent = find_end(set, name, &tails, missing);
	return parent ? parent : halve(set, name, &tails, missing);
}

/* The closest encloser of a name that does not exist; NULL outside of all zones. */
static const struct roster_slot *find_encloser(
	const struct zone_set *set, const struct name_key *name)
{
	const struct roster_slot *slot = NULL;

	if (name->label_count <= 1)
		return NULL; /* nobody serves the root */
	if (name->size <=
		LONG_NAME) /* to hash a long one once more costs as much as to search for it */
		slot = roster_find(&set->roster, name, 1);
	return slot ? slot : find_far_encloser(set, name);
}

/* Apart, because a name that exists, as most do, needs no more registers than its own look-up. */
__attribute__((noinline)) static void match_missing(
	const struct zone_set *set, const struct name_key *name, struct zone_match *ret_match)
{
	const struct roster_slot *encloser = find_encloser(set, name);

	if (encloser)
		match_below(set, encloser, ret_match);
	else
		*ret_match =
			(struct zone_match){.outcome = ZONE_OUTSIDE, .steered = ZONE_NOT_STEERED};
}

void zone_set_find(const struct zone_set *set, const struct name_key *name, uint16_t type,
	struct zone_match *ret_match)
{
	const struct roster_slot *slot = roster_find(&set->roster, name, 0);

	if (slot)
		match_exact(set, slot, type, ret_match);
	else
		match_missing(set, name, ret_match);
}
