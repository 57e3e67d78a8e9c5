/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "sample.h"

enum override_kind walk_override(
	const struct walk *walk, const struct steer_member *member, enum override_kind above)
{
	enum override_kind own = walk->world->overrides[member->id];

	return own != OVERRIDE_NONE ? own : above;
}

const struct belief *walk_rows(
	const struct walk *walk, const struct steer_member *endpoint, size_t *ret_count)
{
	return belief_table_find(walk->world->beliefs, endpoint->id, ret_count);
}

struct walk walk_from_afar(const struct walk *walk)
{
	struct walk far = *walk;

	far.is_far = true;
	return far;
}

static bool has_family(
	const struct walk *walk, const struct steer_member *member, bool *ret_may_get)
{
	size_t count;
	const struct belief *rows;

	if (member->pool)
		return walk_has_family(walk, member->pool, ret_may_get);
	rows = walk_rows(walk, member, &count);
	if (count == 0)
		*ret_may_get = true;
	for (size_t i = 0; i < count; i++)
		if (rows[i].address.family == walk->family)
			return true;
	return false;
}

bool walk_has_family(const struct walk *walk, const struct steer_pool *pool, bool *ret_may_get)
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (has_family(walk, &pool->members[i], ret_may_get))
			return true;
	return false;
}

bool walk_is_there(const struct walk *walk, const struct steer_member *member)
{
	bool may_get;

	return has_family(walk, member, &may_get);
}

/* ---- What is usable ------------------------------------------------------------------------------ */

static bool is_trusted(
	const struct walk *walk, enum override_kind override, const struct belief *row)
{
	if (walk->trust == TRUST_NOTHING || override == OVERRIDE_UP)
		return true;
	if (override != OVERRIDE_NONE)
		return false;
	switch (walk->trust) {
	case TRUST_BELIEFS:
		return row->share > walk->floor;
	case TRUST_LAST_GOOD:
		return row->is_last_good;
	case TRUST_OVERRIDES:
	case TRUST_NOTHING:
		break;
	}
	return true;
}

/* The next usable row of the family from `*index` on; NULL at the end. */
static const struct belief *next_usable(const struct walk *walk,
	const struct steer_member *endpoint, enum override_kind override, size_t *index)
{
	size_t count;
	const struct belief *rows = walk_rows(walk, endpoint, &count);

	while (*index < count) {
		const struct belief *row = &rows[(*index)++];

		if (row->address.family == walk->family && is_trusted(walk, override, row))
			return row;
	}
	return NULL;
}

/* Nothing is used in its place, unless an operator took it out as a whole. */
static bool is_fenced(const struct steer_pool *pool, enum override_kind above)
{
	return pool->when_all_down == STEER_FENCED && above != OVERRIDE_DRAIN &&
		above != OVERRIDE_DOWN;
}

bool walk_is_failed(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	return walk->trust == TRUST_BELIEFS && above != OVERRIDE_UP &&
		walk->world->pools[pool->id].state != BELIEF_POOL_SOUND;
}

bool walk_is_usable(
	const struct walk *walk, const struct steer_member *member, enum override_kind above)
{
	enum override_kind override = walk_override(walk, member, above);
	size_t index = 0;

	if (!member->pool)
		return next_usable(walk, member, override, &index) != NULL;
	if (is_fenced(member->pool, override) && !walk->is_far)
		return walk_is_there(walk, member);
	return !walk_is_failed(walk, member->pool, override) &&
		walk_has_usable(walk, member->pool, override);
}

bool walk_has_usable(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (walk_is_usable(walk, &pool->members[i], above))
			return true;
	return false;
}

void walk_settle(struct walk *walk, const struct steer_pool *pool, enum override_kind above,
	enum trust least)
{
	if (!walk_is_failed(walk, pool, above)) {
		if (walk_has_usable(walk, pool, above))
			return;
		walk->floor = 0;
		if (walk_has_usable(walk, pool, above))
			return;
	}
	if (walk->trust < least)
		walk->trust = least;
	while (walk->trust < TRUST_NOTHING && !walk_has_usable(walk, pool, above))
		walk->trust++;
}

struct walk walk_enter(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	struct walk inside = *walk;

	if (is_fenced(pool, above))
		walk_settle(&inside, pool, above, TRUST_OVERRIDES);
	return inside;
}

/* ---- Groups -------------------------------------------------------------------------------------- */

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
	size_t most;
	size_t count = 0;

	(void)walk_rows(walk, endpoint, &most);

	struct pick *usable = ARENA_ARRAY(walk->arena, struct pick, most);
	uint32_t *weights = ARENA_ARRAY(walk->arena, uint32_t, most);
	struct spread_builder builder = {0};
	struct sample *samples;

	for (size_t index = 0; count < most; count++) {
		const struct belief *row = next_usable(walk, endpoint, override, &index);

		if (!row)
			break;
		usable[count] = (struct pick){endpoint, &row->address};
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

	if (!member->pool)
		return walk_endpoint(walk, member, override, want);

	struct walk inside = walk_enter(walk, member->pool, override);

	return walk_pool(&inside, member->pool, override, want);
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

static bool is_site_there(const struct walk *walk, const struct steer_pool *pool, uint16_t site)
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (pool->members[i].site == site && walk_is_there(walk, &pool->members[i]))
			return true;
	return false;
}

/* From the first site that is there, which is the client's own, by `walk`, and from all others by `far`. */
static struct spread walk_sites(const struct walk *walk, const struct walk *far,
	const struct steer_pool *pool, enum override_kind above, size_t want)
{
	struct spread spread = spread_of(walk->arena, NULL, 0);
	const struct walk *from = walk;

	for (size_t i = 0; i < walk->site_count && !is_full(spread, want); i++) {
		const struct steer_member at = {.site = walk->sites[walk->order[i]]};
		struct group group = gather_group(from, pool, &at, above);

		if (group.count > 0)
			spread = fill_from(from, spread, &group, above, want);
		if (from != far && is_site_there(walk, pool, at.site))
			from = far;
	}
	return spread;
}

static struct spread walk_nearest(const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want)
{
	const struct walk far = walk_from_afar(walk);
	struct spread spread = walk_sites(walk, &far, pool, above, want);

	return is_full(spread, 1) ? spread : walk_sites(walk, walk, pool, above, want);
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
