/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_pools.h"

#include <stdlib.h>
#include <string.h>

#include "guard_keys.h"
#include "guard_rows.h"
#include "steerd/base/memory.h"
#include "steerd/health/override.h"

void guard_pools_done(struct guard_capacity *capacity)
{
	free(capacity->order);
	free(capacity->edge_first);
	free(capacity->edges);
	free(capacity->parts);
	free(capacity->sums);
	free(capacity->before);
	free(capacity->is_known);
	*capacity = (struct guard_capacity){0};
}

/* ---- the order of pools ---- */

static bool is_ready(const struct guard_rules *rules, const bool *is_placed, uint32_t pool)
{
	const struct guard_pool *this = &rules->pools[pool];

	if (this->needs != GUARD_NONE && !is_placed[this->needs])
		return false;
	for (size_t i = 0; i < this->member_count; i++) {
		uint32_t child = rules->members[this->members[i]].child;

		if (child != GUARD_NONE && !is_placed[child])
			return false;
	}
	return true;
}

/* As many sweeps as pools are nested.  A circle, which no configuration has, would end in the order written. */
static uint32_t *order_pools(const struct guard_rules *rules)
{
	uint32_t *order = memory_new(rules->pool_count * sizeof(order[0]));
	bool *is_placed = memory_new(rules->pool_count);
	size_t count = 0;
	bool is_circle = false;

	while (count < rules->pool_count) {
		size_t before = count;

		for (uint32_t pool = 0; pool < rules->pool_count; pool++) {
			if (is_placed[pool] || (!is_circle && !is_ready(rules, is_placed, pool)))
				continue;
			is_placed[pool] = true;
			order[count++] = pool;
		}
		is_circle = count == before;
	}
	free(is_placed);
	return order;
}

/* ---- the way up ---- */

/* Members that are pools, in the order of the pools that they are members of. */
static uint32_t *list_edges(
	const struct guard_rules *rules, const uint32_t *order, size_t *ret_count)
{
	uint32_t *edges = memory_new(rules->member_count * sizeof(edges[0]));
	size_t count = 0;

	for (size_t i = 0; i < rules->pool_count; i++) {
		const struct guard_pool *pool = &rules->pools[order[i]];

		for (size_t k = 0; k < pool->member_count; k++)
			if (rules->members[pool->members[k]].child != GUARD_NONE)
				edges[count++] = pool->members[k];
	}
	*ret_count = count;
	return edges;
}

static void find_edges(const struct guard_rules *rules, struct guard_capacity *capacity)
{
	size_t all_count;
	uint32_t *all = list_edges(rules, capacity->order, &all_count);
	bool *is_above = memory_new(rules->pool_count);
	size_t count = 0;
	size_t room = 0;

	capacity->edge_first = memory_new((rules->pool_count + 1) * sizeof(uint32_t));
	for (uint32_t pool = 0; pool < rules->pool_count; pool++) {
		memset(is_above, 0, rules->pool_count);
		is_above[pool] = true;
		for (size_t i = 0; i < all_count; i++) {
			const struct guard_member *member = &rules->members[all[i]];

			if (!is_above[member->child])
				continue;
			is_above[member->pool] = true;
			capacity->edges = MEMORY_GROW(capacity->edges, count, &room);
			capacity->edges[count++] = all[i];
		}
		capacity->edge_first[pool + 1] = (uint32_t)count;
	}
	free(is_above);
	free(all);
}

/* ---- other rules ---- */

static struct guard_pool_state *carry_states(
	const struct guard *guard, const struct guard_rules *before)
{
	const struct guard_rules *rules = guard->rules;
	struct guard_pool_state *states = memory_new(rules->pool_count * sizeof(states[0]));
	struct guard_key *keys = guard_keys_of_pools(before->pools, before->pool_count);

	for (size_t i = 0; i < rules->pool_count; i++) {
		uint32_t old = guard_keys_find(keys, before->pool_count, rules->pools[i].name);

		if (old != GUARD_NONE)
			states[i] = guard->pools[old];
	}
	free(keys);
	return states;
}

void guard_pools_set_rules(struct guard *guard, const struct guard_rules *before)
{
	const struct guard_rules *rules = guard->rules;
	struct guard_pool_state *states = carry_states(guard, before);
	struct guard_capacity *capacity = &guard->capacity;
	size_t size = sizeof(struct guard_account);

	free(guard->pools);
	guard->pools = states;
	guard_pools_done(capacity);
	capacity->order = order_pools(rules);
	find_edges(rules, capacity);
	capacity->parts = memory_new(rules->member_count * size);
	capacity->sums = memory_new(rules->pool_count * size);
	capacity->before = memory_new(rules->pool_count * size);
	capacity->is_known = memory_new(rules->pool_count);
}

/* ---- parts and sums ---- */

static uint64_t written(const struct guard_member *member)
{
	return (uint64_t)(member->capacity > 0 ? member->capacity : 1) * GUARD_POOLS_UNIT;
}

uint64_t guard_pools_share(const struct guard_member *member, uint32_t address_count)
{
	uint64_t share = written(member) / address_count;

	return share > 0 ? share : 1;
}

/* So much of `whole`, in units, as `part` is of `all`: rounded, so that a third and two thirds are one, and without a product
 * that is too long. */
static uint64_t proportion(uint32_t whole, uint64_t part, uint64_t all)
{
	while (all > UINT32_MAX) {
		part >>= 1;
		all >>= 1;
	}

	uint64_t product = whole * part;

	return product / all * GUARD_POOLS_UNIT +
		(product % all * GUARD_POOLS_UNIT + all / 2) / all;
}

int guard_pools_compare(uint64_t part, uint64_t all, unsigned percent)
{
	while (part > UINT64_MAX / 100 || all > UINT64_MAX / 100) {
		part >>= 1;
		all >>= 1;
	}
	if (part * 100 == all * percent)
		return 0;
	return part * 100 < all * percent ? -1 : 1;
}

enum belief_pool guard_pools_judge(
	const struct guard_pool *pool, const struct guard_account *account)
{
	if (account->usable[0] + account->usable[1] == 0)
		return BELIEF_POOL_LOST;
	if (pool->is_failover)
		return account->sound > 0 ? BELIEF_POOL_SOUND : BELIEF_POOL_PANIC;
	return account->left > 0 &&
			guard_pools_compare(account->left, account->total, pool->panic_percent) >= 0
		? BELIEF_POOL_SOUND
		: BELIEF_POOL_PANIC;
}

static bool is_out(enum override_kind override)
{
	return override == OVERRIDE_DRAIN || override == OVERRIDE_DOWN;
}

static void add_address(struct guard_account *part, const struct guard_row *row,
	const struct address *address, bool is_usable)
{
	size_t family = guard_pools_family(address);

	part->total += row->capacity;
	part->addresses[family]++;
	if (!is_usable)
		return;
	part->left += row->capacity;
	part->usable[family]++;
	part->sound = 1;
}

/* `is_own`: of what is believed of its own checks; else of the state that is published. */
static struct guard_account part_of_endpoint(
	const struct guard *guard, const struct guard_input *input, uint32_t id, bool is_own)
{
	enum override_kind override = guard_pools_override(input, id);
	struct guard_account part = {0};

	if (is_out(override))
		return part;
	for (uint32_t i = guard->beliefs.first[id]; i < guard->beliefs.first[id + 1]; i++) {
		const struct guard_row *row = &guard->rows[i];
		uint8_t state = is_own ? row->health : guard->beliefs.rows[i].state;

		add_address(&part, row, &guard->beliefs.rows[i].address,
			override == OVERRIDE_UP || state != VERDICT_DOWN);
		/* NEVER is so far away that its difference to any time is larger */
		if (guard->now_ms - row->lost_ms < GUARD_POOLS_LOSS_MS &&
			row->lost_ms != GUARD_NEVER)
			part.lost += row->capacity;
	}
	return part;
}

static struct guard_account part_of_pool(
	const struct guard *guard, const struct guard_input *input, uint32_t id)
{
	const struct guard_member *member = &guard->rules->members[id];
	const struct guard_account *child = &guard->capacity.sums[member->child];
	enum override_kind override = guard_pools_override(input, id);
	struct guard_account part = *child;

	if (is_out(override) || child->total == 0)
		return (struct guard_account){0};
	const struct guard_pool *pool = &guard->rules->pools[member->child];
	bool is_sound = guard_pools_judge(pool, child) == BELIEF_POOL_SOUND;
	bool is_used_whole = override == OVERRIDE_UP || (pool->is_fenced && !is_sound);

	if (is_used_whole) {
		part.left = part.total;
		memcpy(part.usable, part.addresses, sizeof(part.usable));
	}
	part.sound = is_used_whole || is_sound;
	if (!part.sound)
		part.left = 0;
	if (member->capacity > 0) {
		part.left = proportion(member->capacity, part.left, child->total);
		part.lost = proportion(member->capacity, part.lost, child->total);
		part.total = written(member);
	}
	return part;
}

static void add_part(struct guard_account *sum, const struct guard_account *part)
{
	sum->total += part->total;
	sum->left += part->left;
	sum->lost += part->lost;
	for (size_t i = 0; i < 2; i++) {
		sum->addresses[i] += part->addresses[i];
		sum->usable[i] += part->usable[i];
	}
	sum->sound += part->sound;
}

static void count_pool(
	struct guard *guard, const struct guard_input *input, uint32_t pool, bool is_own)
{
	const struct guard_pool *this = &guard->rules->pools[pool];
	struct guard_account sum = {0};

	for (size_t i = 0; i < this->member_count; i++) {
		uint32_t id = this->members[i];
		struct guard_account *part = &guard->capacity.parts[id];

		*part = guard->rules->members[id].child == GUARD_NONE
			? part_of_endpoint(guard, input, id, is_own)
			: part_of_pool(guard, input, id);
		add_part(&sum, part);
	}
	guard->capacity.sums[pool] = sum;
}

void guard_pools_count(struct guard *guard, const struct guard_input *input)
{
	for (size_t i = 0; i < guard->rules->pool_count; i++)
		count_pool(guard, input, guard->capacity.order[i], true);
}

/* Replaces a part in its sum; unsigned numbers that wrap round come right in the end. */
static void replace_part(struct guard *guard, uint32_t member, const struct guard_account *part)
{
	struct guard_account *sum = &guard->capacity.sums[guard->rules->members[member].pool];
	struct guard_account *old = &guard->capacity.parts[member];

	sum->total -= old->total;
	sum->left -= old->left;
	sum->lost -= old->lost;
	for (size_t i = 0; i < 2; i++) {
		sum->addresses[i] -= old->addresses[i];
		sum->usable[i] -= old->usable[i];
	}
	sum->sound -= old->sound;
	add_part(sum, part);
	*old = *part;
}

void guard_pools_put(struct guard *guard, const struct guard_input *input, uint32_t member,
	const struct guard_account *part)
{
	const struct guard_capacity *capacity = &guard->capacity;
	uint32_t pool = guard->rules->members[member].pool;

	replace_part(guard, member, part);
	for (uint32_t i = capacity->edge_first[pool]; i < capacity->edge_first[pool + 1]; i++) {
		struct guard_account above = part_of_pool(guard, input, capacity->edges[i]);

		replace_part(guard, capacity->edges[i], &above);
	}
}

/* ---- what is published ---- */

/* Of a pool whose names are not resolved yet nothing is known, and what is unknown counts as up. */
bool guard_pools_is_without(const struct guard *guard, uint32_t pool)
{
	uint32_t needed = guard->rules->pools[pool].needs;

	return needed != GUARD_NONE && guard->pools[needed].state != BELIEF_POOL_SOUND &&
		guard->capacity.is_known[needed];
}

static uint8_t percent_of(uint64_t part, uint64_t all)
{
	while (all > UINT64_MAX / 100) {
		part >>= 1;
		all >>= 1;
	}
	if (all == 0)
		return 0;
	return part >= all ? 100 : (uint8_t)(part * 100 / all);
}

static bool has_addresses(const struct guard *guard, uint32_t pool)
{
	const struct guard_pool *this = &guard->rules->pools[pool];

	for (size_t i = 0; i < this->member_count; i++) {
		uint32_t id = this->members[i];
		uint32_t child = guard->rules->members[id].child;

		if (child != GUARD_NONE ? guard->capacity.is_known[child]
					: guard->beliefs.first[id] < guard->beliefs.first[id + 1])
			return true;
	}
	return false;
}

/* `last-good` is what was usable when the pool last was sound. */
static void look_at_rows(struct guard *guard, const struct guard_input *input, uint32_t id,
	struct guard_pool_state *state)
{
	bool is_held_counted = guard_pools_override(input, id) == OVERRIDE_NONE;

	for (uint32_t i = guard->beliefs.first[id]; i < guard->beliefs.first[id + 1]; i++) {
		const struct guard_row *row = &guard->rows[i];
		struct belief *belief = &guard->beliefs.rows[i];

		state->was_ever_up = state->was_ever_up || row->was_up;
		state->held_count +=
			is_held_counted && row->health != VERDICT_DOWN && row->hold != BELIEF_SEEN;
		if (state->state == BELIEF_POOL_SOUND)
			belief->is_last_good = belief->state != VERDICT_DOWN;
	}
}

static bool is_same_state(const struct guard_pool_state *a, const struct guard_pool_state *b)
{
	return a->state == b->state && a->percent == b->percent && a->is_without == b->is_without &&
		a->held_count == b->held_count && a->was_ever_up == b->was_ever_up;
}

bool guard_pools_publish(struct guard *guard, const struct guard_input *input, uint32_t pool)
{
	const struct guard_pool *this = &guard->rules->pools[pool];
	const struct guard_account *sum = &guard->capacity.sums[pool];
	struct guard_pool_state before = guard->pools[pool];
	struct guard_pool_state *state = &guard->pools[pool];

	count_pool(guard, input, pool, false);
	guard->capacity.is_known[pool] = has_addresses(guard, pool);
	state->state = (uint8_t)guard_pools_judge(this, sum);
	state->percent = percent_of(sum->left, sum->total);
	state->loss_percent = percent_of(sum->lost, sum->total);
	state->is_without = guard_pools_is_without(guard, pool);
	state->held_count = 0;
	for (size_t i = 0; i < this->member_count; i++) {
		uint32_t child = guard->rules->members[this->members[i]].child;

		if (child == GUARD_NONE)
			look_at_rows(guard, input, this->members[i], state);
		else
			state->was_ever_up = state->was_ever_up || guard->pools[child].was_ever_up;
	}
	if (state->state != before.state || state->since_unix_s == 0)
		state->since_unix_s = guard->now_unix_s;
	return !is_same_state(state, &before);
}
