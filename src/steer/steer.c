/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/steer/steer.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "memos.h"
#include "reasons.h"
#include "sample.h"
#include "spread.h"
#include "steerd/base/memory.h"
#include "walk.h"

/* Random numbers for which the same addresses are usable: from where the level before ends. */
struct level {
	struct walk walk; /* its arena: thrown away with the planner */
	uint64_t below;
	struct keys keys;
	struct memos *spreads; /* by key */
};

struct steer_planner {
	const struct steer_pool *root;
	enum address_family family;
	enum steer_kind kind;
	struct level levels[BELIEF_WHOLE]; /* as many as there may be shares */
	size_t level_count;
	struct arena *scratch;
	struct arena *arena;
	uint8_t *key;		       /* room for that of any level */
	const struct spread **spreads; /* of each level, for the class that is asked for */
	struct memos choices;	       /* by those */
};

/* ---- What can be answered at all --------------------------------------------------------------- */

enum steer_coverage steer_pool_coverage(
	const struct steer_pool *pool, enum address_family family, const struct steer_world *world)
{
	const struct walk walk = {.world = world, .family = family};
	bool may_get = false;

	if (!walk_has_family(&walk, pool, &may_get))
		return STEER_UNCOVERED;
	return walk_has_usable(&walk, pool, OVERRIDE_NONE) ? STEER_COVERED : STEER_LOST;
}

static void decide_kind(struct steer_planner *planner, struct walk *walk)
{
	const struct steer_pool *root = planner->root;
	bool is_last_good = root->when_all_down == STEER_LAST_GOOD;
	bool may_get = false;

	planner->kind = STEER_ADDRESSES;
	if (!walk_has_family(walk, root, &may_get)) {
		planner->kind = may_get ? STEER_STATIC : STEER_NODATA;
		return;
	}
	walk_settle(walk, root, OVERRIDE_NONE, is_last_good ? TRUST_LAST_GOOD : TRUST_OVERRIDES);
	if (walk->trust != TRUST_BELIEFS && root->when_all_down == STEER_FALLBACK)
		planner->kind = STEER_STATIC;
}

/* ---- Levels -------------------------------------------------------------------------------------- */

/* Which shares the addresses of the family have. */
struct shares {
	bool is_there[BELIEF_WHOLE + 1];
	size_t row_count;
};

static void collect_shares(const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, struct shares *shares)
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];
		enum override_kind override = walk_override(walk, member, above);
		size_t count = 0;
		const struct belief *rows = NULL;

		if (member->pool)
			collect_shares(walk, member->pool, override, shares);
		else
			rows = walk_rows(walk, member, &count);
		for (size_t k = 0; k < count; k++) {
			if (rows[k].address.family != walk->family)
				continue;
			shares->row_count++;
			if (override == OVERRIDE_NONE && rows[k].share <= BELIEF_WHOLE)
				shares->is_there[rows[k].share] = true;
		}
	}
}

/* Rounds shares up to a multiple of `grain`, and counts the levels that they make. */
static size_t round_up(
	const struct shares *shares, unsigned grain, bool ret_begins[static BELIEF_WHOLE])
{
	size_t count = 0;

	memset(ret_begins, 0, BELIEF_WHOLE * sizeof(ret_begins[0]));
	ret_begins[0] = true;
	for (unsigned share = 1; share < BELIEF_WHOLE; share++)
		if (shares->is_there[share] && (share + grain - 1) / grain * grain < BELIEF_WHOLE)
			ret_begins[(share + grain - 1) / grain * grain] = true;
	for (unsigned share = 0; share < BELIEF_WHOLE; share++)
		count += ret_begins[share];
	return count;
}

/*
 * Where levels begin: at 0 and at each share.  A choice has so many steps as the levels have lists, and their addresses are
 * counted with 16 bits: shares of a tree for which that is too few, with hundreds of addresses, are rounded up.
 */
static void find_begins(const struct steer_planner *planner, const struct walk *walk,
	bool ret_begins[static BELIEF_WHOLE])
{
	struct shares shares = {.row_count = 0};
	size_t of_level;

	collect_shares(walk, planner->root, OVERRIDE_NONE, &shares);
	of_level = shares.row_count;
	if (planner->root->answers < shares.row_count)
		of_level *= planner->root->answers;
	for (unsigned grain = 1; grain <= BELIEF_WHOLE; grain *= 2)
		if (round_up(&shares, grain, ret_begins) * of_level <= UINT16_MAX)
			return;
}

/* `walk` is settled for the first level. */
static void cut_levels(struct steer_planner *planner, const struct walk *walk)
{
	bool begins[BELIEF_WHOLE] = {true};

	if (walk->trust == TRUST_BELIEFS && planner->kind == STEER_ADDRESSES)
		find_begins(planner, walk, begins);
	for (unsigned begin = 0; begin < BELIEF_WHOLE; begin++) {
		struct level *level = &planner->levels[planner->level_count];

		if (!begins[begin])
			continue;
		if (begin > 0)
			level[-1].below = SAMPLE_WHOLE / BELIEF_WHOLE * begin;
		*level = (struct level){.walk = *walk, .below = SAMPLE_WHOLE};
		planner->level_count++;
		if (begin == 0)
			continue;
		level->walk.floor = (uint8_t)begin;
		/* with none that is usable here, as if their shares were whole: a ramp is no failure */
		walk_settle(&level->walk, planner->root, OVERRIDE_NONE, TRUST_BELIEFS);
	}
}

/* ---- The choice itself --------------------------------------------------------------------------- */

static const struct steer_choice *freeze(struct steer_planner *planner, struct spread spread)
{
	struct arena *arena = planner->arena;
	struct steer_choice *choice = ARENA_NEW(arena, struct steer_choice);
	size_t size = planner->family == ADDRESS_IPV4 ? 4 : 16;
	struct steer_step *steps = ARENA_ARRAY(arena, struct steer_step, spread.count);
	size_t address_count = 0;

	for (size_t i = 0; i < spread.count; i++)
		address_count += spread.pieces[i].count;

	uint8_t *addresses = arena_alloc(arena, address_count * size);
	size_t first = 0;

	*choice = (struct steer_choice){.kind = planner->kind, .address_size = (uint8_t)size};
	choice->steps = steps;
	choice->addresses = addresses;
	/* 16 bits count the addresses: a tree that large is cut, its last steps taking the rest */
	for (size_t i = 0; i < spread.count && first + spread.pieces[i].count <= UINT16_MAX; i++) {
		const struct piece *piece = &spread.pieces[i];

		if (piece->count == 0)
			continue;
		steps[choice->step_count++] = (struct steer_step){
			.below = piece->below < SAMPLE_WHOLE ? (uint32_t)piece->below : UINT32_MAX,
			.first = (uint16_t)first,
			.count = (uint16_t)piece->count,
		};
		for (size_t k = 0; k < piece->count; k++)
			memcpy(addresses + (first + k) * size, piece->picks[k].address->bytes,
				size);
		first += piece->count;
	}
	return choice;
}

/* ---- Planner ------------------------------------------------------------------------------------- */

/* What was decided for other classes goes for those that are alike: level by level, and as a whole. */
static void prepare_memory(struct steer_planner *planner)
{
	const struct walk *walk = &planner->levels[0].walk;
	bool has_twice = walk->site_count > 0 && keys_has_twice(walk, planner->root);
	size_t longest = 0;

	for (size_t i = 0; i < planner->level_count; i++) {
		struct level *level = &planner->levels[i];

		keys_init(&level->keys, &level->walk, planner->root, has_twice);
		level->spreads = ARENA_NEW(planner->scratch, struct memos);
		*level->spreads =
			(struct memos){.arena = planner->scratch, .key_size = level->keys.size};
		if (level->keys.size > longest)
			longest = level->keys.size;
	}
	planner->key = ARENA_ARRAY(planner->scratch, uint8_t, longest);
	planner->spreads =
		ARENA_ARRAY(planner->scratch, const struct spread *, planner->level_count);
	planner->choices = (struct memos){
		.arena = planner->scratch,
		.key_size = planner->level_count * sizeof(planner->spreads[0]),
	};
}

struct steer_planner *steer_planner_new(const struct steer_pool *root, enum address_family family,
	const struct steer_world *world, const uint16_t *sites, size_t site_count,
	struct arena *arena)
{
	struct steer_planner *planner = memory_new(sizeof(*planner));

	*planner = (struct steer_planner){
		.root = root,
		.family = family,
		.scratch = arena_new(),
		.arena = arena,
	};

	struct walk walk = {
		.arena = planner->scratch,
		.world = world,
		.family = family,
		.sites = sites,
		.site_count = site_count,
	};

	decide_kind(planner, &walk);
	cut_levels(planner, &walk);
	prepare_memory(planner);
	return planner;
}

void steer_planner_free(struct steer_planner *planner)
{
	if (!planner)
		return;
	arena_free(planner->scratch);
	for (size_t i = 0; i < planner->level_count; i++)
		keys_done(&planner->levels[i].keys);
	free(planner);
}

static const struct spread *find_spread(
	struct steer_planner *planner, struct level *level, const uint8_t *order)
{
	keys_write(&level->keys, order, planner->key);

	const void **known = memos_get(level->spreads, planner->key);

	if (*known)
		return *known;

	struct spread *spread = ARENA_NEW(planner->scratch, struct spread);

	level->walk.order = order;
	*spread = walk_pool(&level->walk, planner->root, OVERRIDE_NONE, STEER_ANSWERS_MAX);
	*known = spread;
	return spread;
}

/* What the levels give, one behind the other; neighbours that give the same are one. */
static struct spread join_levels(const struct steer_planner *planner)
{
	struct spread_builder builder = {0};
	const struct spread *spread = planner->spreads[0];

	if (planner->kind == STEER_NODATA)
		return (struct spread){NULL, 0};
	for (size_t i = 1; i < planner->level_count; i++) {
		const struct spread *next = planner->spreads[i];

		if (!spread_is_equal(*spread, *next))
			spread_builder_add(&builder, *spread, planner->levels[i - 1].below);
		spread = next;
	}
	if (builder.count == 0)
		return *spread;
	spread_builder_add(&builder, *spread, SAMPLE_WHOLE);
	return spread_builder_finish(&builder, planner->scratch);
}

const struct steer_choice *steer_planner_choose(
	struct steer_planner *planner, const uint8_t *order, struct steer_trace *trace)
{
	for (size_t i = 0; i < planner->level_count; i++)
		planner->spreads[i] = find_spread(planner, &planner->levels[i], order);

	const void **known = memos_get(&planner->choices, planner->spreads);

	if (*known && !trace)
		return *known;

	struct spread spread = join_levels(planner);
	const struct reasons_question question = {
		.root = planner->root,
		.kind = planner->kind,
		.walk = &planner->levels[0].walk,
		.spread = &spread,
	};

	if (!*known)
		*known = freeze(planner, spread);
	if (trace)
		reasons_trace(&question, trace);
	return *known;
}
