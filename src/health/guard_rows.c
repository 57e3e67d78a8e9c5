/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_rows.h"

#include <stdlib.h>
#include <string.h>

#include "guard_combine.h"
#include "guard_keys.h"
#include "steerd/base/memory.h"

/* ---- what goes on ---- */

struct guard_known *guard_rows_carry(
	const struct guard *guard, const struct guard_rules *before, size_t *ret_count)
{
	const struct guard_rules *rules = guard->rules;
	struct guard_key *keys = guard_keys_of_members(rules->members, rules->member_count);
	size_t row_count = guard_rows_count(guard);
	struct guard_known *known = memory_new(row_count * sizeof(known[0]));
	size_t count = 0;

	for (size_t i = 0; i < row_count; i++) {
		const char *key = before->members[guard->rows[i].member].key;
		uint32_t member = guard_keys_find(keys, rules->member_count, key);

		if (member == GUARD_NONE)
			continue;
		known[count] = (struct guard_known){guard->beliefs.rows[i], guard->rows[i]};
		known[count++].row.member = member;
	}
	free(keys);
	*ret_count = count;
	return known;
}

static int compare_known(const void *a, const void *b)
{
	const struct guard_known *x = a;
	const struct guard_known *y = b;

	if (x->row.member != y->row.member)
		return x->row.member < y->row.member ? -1 : 1;
	return address_compare(&x->belief.address, &y->belief.address);
}

/* ---- rows that are made anew ---- */

struct draft {
	const struct guard *guard;
	const struct guard_known *known; /* sorted */
	size_t known_count;
	struct belief *beliefs;
	struct guard_row *rows;
	size_t count;
	size_t belief_capacity;
	size_t row_capacity;
};

/* Of an address that was not there before: unknown, which counts as up, since a time that the first step says. */
static struct guard_known newcomer(uint32_t member, const struct address *address)
{
	return (struct guard_known){
		.belief = {.address = *address, .share = BELIEF_WHOLE},
		.row = {.member = member,
			.down_ms = GUARD_NEVER,
			.up_ms = GUARD_NEVER,
			.lost_ms = GUARD_NEVER,
			.ramp_ms = GUARD_NEVER,
			.is_new = true},
	};
}

static void draft_add(struct draft *draft, uint32_t member, const struct address *address)
{
	struct guard_known row = newcomer(member, address);
	const struct guard_known *found = draft->known_count == 0
		? NULL
		: bsearch(&row, draft->known, draft->known_count, sizeof(row), compare_known);

	draft->beliefs = MEMORY_GROW(draft->beliefs, draft->count, &draft->belief_capacity);
	draft->rows = MEMORY_GROW(draft->rows, draft->count, &draft->row_capacity);
	draft->beliefs[draft->count] = found ? found->belief : row.belief;
	draft->rows[draft->count++] = found ? found->row : row.row;
}

/* Addresses of host names. */
struct addresses {
	const struct guard_view *view;
	struct address *items;
	size_t count;
	size_t capacity;
};

static void collect(void *context, target_id target)
{
	struct addresses *addresses = context;
	size_t count;
	const struct verdict *rows = guard_combine_rows(addresses->view, target, &count);

	for (size_t i = 0; i < count; i++) {
		addresses->items =
			MEMORY_GROW(addresses->items, addresses->count, &addresses->capacity);
		addresses->items[addresses->count++] = rows[i].address;
	}
}

static int compare_addresses(const void *a, const void *b)
{
	return address_compare(a, b);
}

/* All that any check of the host name knows, sorted, each once. */
static void collect_host(struct addresses *addresses, const struct guard_member *member)
{
	size_t kept = 0;

	addresses->count = 0;
	guard_combine_targets(member, collect, addresses);
	if (addresses->count > 0)
		qsort(addresses->items, addresses->count, sizeof(addresses->items[0]),
			compare_addresses);
	for (size_t i = 0; i < addresses->count; i++)
		if (i == 0 || !address_is_equal(&addresses->items[i], &addresses->items[i - 1]))
			addresses->items[kept++] = addresses->items[i];
	addresses->count = kept;
}

/* All that was known of a member. */
static void add_known(struct draft *draft, uint32_t member)
{
	size_t at = 0;
	size_t end = draft->known_count;

	while (at < end) {
		size_t middle = at + (end - at) / 2;

		if (draft->known[middle].row.member < member)
			at = middle + 1;
		else
			end = middle;
	}
	for (; at < draft->known_count && draft->known[at].row.member == member; at++)
		draft_add(draft, member, &draft->known[at].belief.address);
}

static void add_endpoint(struct draft *draft, uint32_t id, struct addresses *addresses)
{
	const struct guard_member *member = &draft->guard->rules->members[id];

	for (size_t i = 0; !member->is_host && i < member->address_count; i++)
		draft_add(draft, id, &member->addresses[i]);
	if (!member->is_host)
		return;
	addresses->count = 0;
	if (addresses->view)
		collect_host(addresses, member);
	for (size_t i = 0; i < addresses->count; i++)
		draft_add(draft, id, &addresses->items[i]);
	/* that a name has no address at all any more is no reason to answer without one */
	if (addresses->count == 0)
		add_known(draft, id);
}

/* An endpoint's capacity, divided among its addresses. */
static void divide_capacity(struct guard *guard)
{
	for (uint32_t id = 0; id < guard->beliefs.member_count; id++) {
		uint32_t first = guard->beliefs.first[id];
		uint32_t count = guard->beliefs.first[id + 1] - first;

		for (uint32_t i = 0; i < count; i++)
			guard->rows[first + i].capacity =
				guard_pools_share(&guard->rules->members[id], count);
	}
}

void guard_rows_make(
	struct guard *guard, struct guard_known *known, size_t count, const struct guard_view *view)
{
	struct draft draft = {.guard = guard, .known = known, .known_count = count};
	struct addresses addresses = {.view = view};
	size_t member_count = guard->rules->member_count;
	uint32_t *first = memory_new((member_count + 1) * sizeof(first[0]));

	if (count > 0)
		qsort(known, count, sizeof(known[0]), compare_known);
	for (uint32_t id = 0; id < member_count; id++) {
		if (guard->rules->members[id].child == GUARD_NONE)
			add_endpoint(&draft, id, &addresses);
		first[id + 1] = (uint32_t)draft.count;
	}
	free(addresses.items);
	belief_table_done(&guard->beliefs);
	free(guard->rows);
	guard->beliefs = (struct belief_table){member_count, first, draft.beliefs};
	guard->rows = draft.rows;
	divide_capacity(guard);
}

/* ---- host names ---- */

static bool has_other_addresses(const struct guard *guard, uint32_t id, struct addresses *addresses)
{
	size_t count;
	const struct belief *rows = belief_table_find(&guard->beliefs, id, &count);

	collect_host(addresses, &guard->rules->members[id]);
	if (addresses->count == 0)
		return false;
	if (addresses->count != count)
		return true;
	for (size_t i = 0; i < count; i++)
		if (!address_is_equal(&rows[i].address, &addresses->items[i]))
			return true;
	return false;
}

bool guard_rows_follow(struct guard *guard, const struct guard_view *view)
{
	struct addresses addresses = {.view = view};
	bool has_changed = false;

	for (uint32_t id = 0; !has_changed && id < guard->rules->member_count; id++)
		has_changed = guard->rules->members[id].is_host &&
			has_other_addresses(guard, id, &addresses);
	free(addresses.items);
	if (!has_changed)
		return false;

	size_t count = guard_rows_count(guard);
	struct guard_known *known = memory_new(count * sizeof(known[0]));

	for (size_t i = 0; i < count; i++)
		known[i] = (struct guard_known){guard->beliefs.rows[i], guard->rows[i]};
	guard_rows_make(guard, known, count, view);
	free(known);
	return true;
}
