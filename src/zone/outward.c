/* SPDX-License-Identifier: Apache-2.0 */
#include "outward.h"

#include <stdlib.h>
#include <string.h>

#include "block.h"

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"

/* ---- query path ---- */

bool zone_set_hides_hints(const struct zone_set *set, const struct zone_hints *hints)
{
	size_t low = 0;
	size_t high = set->hidden_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (set->hidden[middle] == hints)
			return true;
		if ((uintptr_t)set->hidden[middle] < (uintptr_t)hints)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* ---- load ---- */

/* RDATA of the one record of a CNAME or DNAME. */
static const uint8_t *target_of(const struct zone_block *block)
{
	return block->bytes + BLOCK_RECORD_HEAD_SIZE;
}

/* The name below a DNAME as it is below the DNAME's target; false if that is too long (RFC 6672 2.2). */
static bool redirect(const struct zone_match *match, struct name_key *name)
{
	const uint8_t *target = target_of(zone_node_get_set(match->node, DNS_TYPE_DNAME));
	size_t prefix_size = name->size - name_size(zone_node_name(match->node));
	size_t target_size = name_size(target);
	uint8_t wire[2 * DNS_NAME_MAX];

	memcpy(wire, name->wire, prefix_size);
	memcpy(wire + prefix_size, target, target_size);
	return name_key_read(wire, prefix_size + target_size, name) > 0;
}

/* Whether who asks for addresses of the name gets those of a pool. */
static bool leads_to_steered(const struct zone_set *set, const uint8_t *wire)
{
	struct name_key name;

	name_key_of(wire, &name);
	for (unsigned links = 0; links <= ZONE_LINKS_MAX; links++) {
		struct zone_match match;
		const struct zone_block *cname;

		zone_set_find(set, &name, DNS_TYPE_A, &match);
		if (match.outcome == ZONE_BELOW_DNAME && redirect(&match, &name))
			continue;
		if (match.outcome != ZONE_NODE)
			return false;
		if (match.steered != ZONE_NOT_STEERED)
			return true;
		cname = zone_node_get_set(match.node, DNS_TYPE_CNAME);
		if (!cname)
			return false;
		name_key_of(target_of(cname), &name);
	}
	return false;
}

static const uint8_t *target_of_hints(const struct zone_outward *outward)
{
	return outward->block->bytes + outward->hints->record + BLOCK_RECORD_HEAD_SIZE + 2;
}

static void say_hidden(const struct zone_outward *outward, struct report *report)
{
	struct report_place place = {outward->path, outward->line, 0};
	char type[TYPE_TEXT_SIZE];
	char owner[NAME_TEXT_SIZE];
	char target[NAME_TEXT_SIZE];

	type_print(outward->block->type, type);
	name_print(outward->owner, owner);
	name_print(target_of_hints(outward), target);
	if (outward->is_mandatory)
		report_error(report, place,
			"the %s at '%s' makes address hints 'mandatory', but its target '%s' is "
			"steered: they would pass the pool by",
			type, owner, target);
	else
		report_warning(report, place,
			"the address hints of the %s at '%s' are not served: its target '%s' is "
			"steered, and they would pass the pool by",
			type, owner, target);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (const struct zone_hints *const *)a;
	uintptr_t y = (uintptr_t) * (const struct zone_hints *const *)b;

	return (x > y) - (x < y);
}

static void hide_those_of(struct zone_set *set, const struct zone *zone, struct report *report)
{
	for (size_t i = 0; i < zone->outward_count; i++) {
		const struct zone_outward *outward = &zone->outwards[i];

		if (!leads_to_steered(set, target_of_hints(outward)))
			continue;
		say_hidden(outward, report);
		set->hidden = MEMORY_GROW(set->hidden, set->hidden_count, &set->hidden_capacity);
		set->hidden[set->hidden_count++] = outward->hints;
	}
}

void outward_hide(struct zone_set *set, struct report *report)
{
	for (size_t i = 0; i < set->count; i++)
		hide_those_of(set, set->zones[i].zone, report);
	if (set->hidden_count > 0)
		qsort(set->hidden, set->hidden_count, sizeof(set->hidden[0]), by_address);
}
