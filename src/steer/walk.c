/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "sample.h"

enum override_kind walk_override(
	const struct walk *walk, const struct steer_member *member, enum override_kind above)
{
	enum override_kind own = walk->world->overrides[member->id];

	return own != OVERRIDE_NONE ? own : above;
}

static const struct verdict *host_rows(
	const struct walk *walk, const struct steer_member *member, size_t *ret_count)
{
	return verdict_table_find(walk->world->verdicts, member->targets[0], ret_count);
}

size_t walk_address_count(const struct walk *walk, const struct steer_member *member)
{
	size_t count = member->address_count;

	if (member->is_host)
		host_rows(walk, member, &count);
	return count;
}

const struct address *walk_address(
	const struct walk *walk, const struct steer_member *member, size_t index, bool *ret_is_up)
{
	size_t count;

	if (member->is_host) {
		const struct verdict *row = host_rows(walk, member, &count) + index;

		*ret_is_up = row->state != VERDICT_DOWN;
		return &row->address;
	}
	*ret_is_up = true;
	if (member->targets[index] != TARGET_NONE) {
		const struct verdict *row =
			verdict_table_find(walk->world->verdicts, member->targets[index], &count);

		*ret_is_up = count == 0 || row->state != VERDICT_DOWN;
	}
	return &member->addresses[index];
}

static bool is_believed(const struct walk *walk, enum override_kind override, bool is_up)
{
	if (walk->belief == BELIEF_NONE || override == OVERRIDE_UP)
		return true;
	if (override != OVERRIDE_NONE)
		return false;
	return is_up || walk->belief == BELIEF_OVERRIDES;
}

/* The next usable address of the family from `*index` on; NULL at the end. */
static const struct address *next_usable(const struct walk *walk,
	const struct steer_member *endpoint, enum override_kind override, size_t *index)
{
	size_t count = walk_address_count(walk, endpoint);

	while (*index < count) {
		bool is_up;
		const struct address *address = walk_address(walk, endpoint, (*index)++, &is_up);

		if (address->family == walk->family && is_believed(walk, override, is_up))
			return address;
	}
	return NULL;
}

bool walk_is_usable(
	const struct walk *walk, const struct steer_member *member, enum override_kind above)
{
	enum override_kind override = walk_override(walk, member, above);
	size_t index = 0;

	if (member->pool)
		return walk_is_pool_usable(walk, member->pool, override);
	return next_usable(walk, member, override, &index) != NULL;
}

bool walk_is_pool_usable(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (walk_is_usable(walk, &pool->members[i], above))
			return true;
	return false;
}

/* Members that compete with each other: all of the pool, or of the same site, or none but itself. */
static bool is_same_group(
	const struct steer_pool *pool, const struct steer_member *a, const struct steer_member *b)
{
	switch (pool->method) {
	case STEER_NEAREST:
		return a->site == b->site;
	case STEER_FAILOVER:
		return a == b;
	case STEER_WEIGHTED:
	case STEER_ALL:
		return true;
	}
	return true;
}

bool walk_has_weight(const struct walk *walk, const struct steer_pool *pool,
	const struct steer_member *member, enum override_kind above)
{
	if (member->weight > 0)
		return true;
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *other = &pool->members[i];

		if (other->weight > 0 && is_same_group(pool, member, other) &&
			walk_is_usable(walk, other, above))
			return false;
	}
	return true;
}

static struct spread walk_endpoint(const struct walk *walk, const struct steer_member *endpoint,
	enum override_kind override, size_t want)
{
	size_t most = walk_address_count(walk, endpoint);
	struct pick *usable = ARENA_ARRAY(walk->arena, struct pick, most);
	uint32_t *weights = ARENA_ARRAY(walk->arena, uint32_t, most);
	struct spread_builder builder = {0};
	struct sample *samples;
	size_t count = 0;

	for (size_t index = 0; count < most; count++) {
		const struct address *address = next_usable(walk, endpoint, override, &index);

		if (!address)
			break;
		usable[count] = (struct pick){endpoint, address};
		weights[count] = 1;
	}

	size_t sample_count = sample_split(walk->arena, weights, count, want, &samples);

	for (size_t i = 0; i < sample_count; i++) {
		struct pick *picks = ARENA_ARRAY(walk->arena, struct pick, samples[i].count);

		for (size_t k = 0; k < samples[i].count; k++)
			picks[k] = usable[samples[i].chosen[k]];
		spread_builder_add(&builder, spread_of(walk->arena, picks, samples[i].count),
			samples[i].below);
	}
	return spread_builder_finish(&builder, walk->arena);
}

static struct spread walk_member(const struct walk *walk, const struct steer_member *member,
	enum override_kind above, size_t want)
{
	enum override_kind override = walk_override(walk, member, above);

	if (member->pool)
		return walk_pool(walk, member->pool, override, want);
	return walk_endpoint(walk, member, override, want);
}

struct group {
	const struct steer_member **members;
	uint32_t *weights;
	size_t count;
};

/* The usable members of the group that `first` is in; those of weight 0 only if there is no other. */
static struct group gather_group(const struct walk *walk, const struct steer_pool *pool,
	const struct steer_member *first, enum override_kind above)
{
	struct group group = {
		.members =
			ARENA_ARRAY(walk->arena, const struct steer_member *, pool->member_count),
		.weights = ARENA_ARRAY(walk->arena, uint32_t, pool->member_count),
	};

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (!is_same_group(pool, first, member) || !walk_is_usable(walk, member, above) ||
			!walk_has_weight(walk, pool, member, above))
			continue;
		group.members[group.count] = member;
		group.weights[group.count++] = member->weight > 0 ? member->weight : 1;
	}
	return group;
}

static bool is_full(struct spread spread, size_t want)
{
	for (size_t i = 0; i < spread.count; i++)
		if (spread.pieces[i].count < want)
			return false;
	return true;
}

/* What some members of a group give together: an even share of the places for each, and what one leaves
 * open to the others. */
static struct spread walk_chosen(const struct walk *walk, const struct group *group,
	const struct sample *sample, enum override_kind above, size_t want)
{
	struct spread part = spread_of(walk->arena, NULL, 0);

	for (size_t k = 0; k < sample->count; k++) {
		size_t quota = (want - k + sample->count - 1) / sample->count;

		part = spread_concat(walk->arena, part,
			walk_member(walk, group->members[sample->chosen[k]], above, quota), want);
	}
	for (size_t k = 0; k < sample->count && !is_full(part, want); k++)
		part = spread_concat(walk->arena, part,
			walk_member(walk, group->members[sample->chosen[k]], above, want), want);
	return part;
}

static struct spread walk_group(
	const struct walk *walk, const struct group *group, enum override_kind above, size_t want)
{
	struct spread_builder builder = {0};
	struct sample *samples;
	size_t count = sample_split(walk->arena, group->weights, group->count, want, &samples);

	for (size_t i = 0; i < count; i++)
		spread_builder_add(&builder, walk_chosen(walk, group, &samples[i], above, want),
			samples[i].below);
	return spread_builder_finish(&builder, walk->arena);
}

/* Where a list is shorter than wanted, the group's picks follow it. */
static struct spread fill_from(const struct walk *walk, struct spread so_far,
	const struct group *group, enum override_kind above, size_t want)
{
	struct spread_builder builder = {0};

	for (size_t i = 0; i < so_far.count; i++) {
		const struct piece *piece = &so_far.pieces[i];
		struct spread part = spread_of(walk->arena, piece->picks, piece->count);

		if (piece->count < want)
			part = spread_concat(walk->arena, part,
				walk_group(walk, group, above, want - piece->count), want);
		spread_builder_add(&builder, part, piece->below);
	}
	return spread_builder_finish(&builder, walk->arena);
}

static struct spread walk_nearest(const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want)
{
	struct spread spread = spread_of(walk->arena, NULL, 0);

	for (size_t i = 0; i < walk->site_count && !is_full(spread, want); i++) {
		const struct steer_member at = {.site = walk->sites[walk->order[i]]};
		struct group group = gather_group(walk, pool, &at, above);

		if (group.count > 0)
			spread = fill_from(walk, spread, &group, above, want);
	}
	return spread;
}

struct spread walk_pool(const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want)
{
	if (want > pool->answers)
		want = pool->answers;
	if (pool->method == STEER_NEAREST)
		return walk_nearest(walk, pool, above, want);
	for (size_t i = 0; i < pool->member_count; i++) {
		struct group group = gather_group(walk, pool, &pool->members[i], above);

		if (group.count > 0)
			return walk_group(walk, &group, above, want);
	}
	return spread_of(walk->arena, NULL, 0);
}
