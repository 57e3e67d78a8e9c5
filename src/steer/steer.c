/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/steer/steer.h"

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "spread.h"
#include "steerd/base/memory.h"
#include "walk.h"

/*
 * A class matters only by the sites that its answers come from: for each nearest pool in the tree, the
 * first few of its usable sites in the class's order.  Those are the key of a choice; thousands of
 * classes have a few dozen keys.
 *
 *	class order   fra ams lhr iad ...        nearest pool with usable sites {lhr, iad, fra}, answers 2
 *	key           fra     lhr
 */
struct nearest {
	bool *is_usable; /* by position in planner->sites */
	size_t want;
};

struct memo {
	struct memo *next;
	const struct steer_choice *choice;
	uint8_t key[]; /* planner->key_size positions; UINT8_MAX where sites ran out */
};

#define MEMO_BUCKETS 256

struct steer_planner {
	const struct steer_pool *root;
	enum steer_kind kind;
	struct walk walk; /* walk.arena: thrown away with the planner */
	struct arena *arena;
	struct nearest *nearest;
	size_t nearest_count;
	size_t nearest_capacity;
	size_t key_size;
	uint8_t *key;
	struct memo *memos[MEMO_BUCKETS];
};

/* ---- What can be answered at all --------------------------------------------------------------- */

/* Whether an endpoint below the pool has, or as a name not yet resolved may get, such an address. */
static bool has_family(const struct walk *walk, const struct steer_pool *pool, bool *ret_may_get)
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];
		bool is_up;

		if (member->pool) {
			if (has_family(walk, member->pool, ret_may_get))
				return true;
			continue;
		}

		size_t count = walk_address_count(walk, member);

		if (member->is_host && count == 0)
			*ret_may_get = true;
		for (size_t k = 0; k < count; k++)
			if (walk_address(walk, member, k, &is_up)->family == walk->family)
				return true;
	}
	return false;
}

enum steer_coverage steer_pool_coverage(
	const struct steer_pool *pool, enum address_family family, const struct steer_world *world)
{
	const struct walk walk = {.world = world, .family = family};
	bool may_get = false;

	if (!has_family(&walk, pool, &may_get))
		return STEER_UNCOVERED;
	return walk_is_pool_usable(&walk, pool, OVERRIDE_NONE) ? STEER_COVERED : STEER_LOST;
}

static void decide_kind(struct steer_planner *planner)
{
	struct walk *walk = &planner->walk;
	bool may_get = false;

	planner->kind = STEER_ADDRESSES;
	if (!has_family(walk, planner->root, &may_get)) {
		planner->kind = may_get ? STEER_STATIC : STEER_NODATA;
		return;
	}
	if (walk_is_pool_usable(walk, planner->root, OVERRIDE_NONE))
		return;
	if (planner->root->when_all_down == STEER_FALLBACK)
		planner->kind = STEER_STATIC;
	walk->belief = BELIEF_OVERRIDES;
	if (!walk_is_pool_usable(walk, planner->root, OVERRIDE_NONE))
		walk->belief = BELIEF_NONE;
}

/* ---- Keys ---------------------------------------------------------------------------------------- */

static void note_usable_sites(struct steer_planner *planner, const struct steer_pool *pool,
	enum override_kind above, struct nearest *nearest)
{
	const struct walk *walk = &planner->walk;

	nearest->is_usable = ARENA_ARRAY(walk->arena, bool, walk->site_count);
	for (size_t i = 0; i < pool->member_count; i++) {
		if (!walk_is_usable(walk, &pool->members[i], above))
			continue;
		for (size_t k = 0; k < walk->site_count; k++)
			if (walk->sites[k] == pool->members[i].site)
				nearest->is_usable[k] = true;
	}
}

static void collect_nearest(
	struct steer_planner *planner, const struct steer_pool *pool, enum override_kind above)
{
	if (pool->method == STEER_NEAREST) {
		struct nearest nearest = {.want = pool->answers};

		note_usable_sites(planner, pool, above, &nearest);
		planner->nearest = MEMORY_GROW(
			planner->nearest, planner->nearest_count, &planner->nearest_capacity);
		planner->nearest[planner->nearest_count++] = nearest;
		planner->key_size += nearest.want;
	}
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (member->pool)
			collect_nearest(planner, member->pool,
				walk_override(&planner->walk, member, above));
	}
}

static void make_key(struct steer_planner *planner, const uint8_t *order)
{
	uint8_t *at = planner->key;

	memset(planner->key, UINT8_MAX, planner->key_size);
	for (size_t n = 0; n < planner->nearest_count; n++) {
		const struct nearest *nearest = &planner->nearest[n];
		size_t found = 0;

		for (size_t i = 0; i < planner->walk.site_count && found < nearest->want; i++)
			if (nearest->is_usable[order[i]])
				at[found++] = order[i];
		at += nearest->want;
	}
}

static struct memo **find_bucket(struct steer_planner *planner)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < planner->key_size; i++)
		hash = (hash ^ planner->key[i]) * 16777619u;
	return &planner->memos[hash % MEMO_BUCKETS];
}

/* ---- The choice itself --------------------------------------------------------------------------- */

static const struct steer_choice *freeze(struct steer_planner *planner, struct spread spread)
{
	struct arena *arena = planner->arena;
	struct steer_choice *choice = ARENA_NEW(arena, struct steer_choice);
	size_t size = planner->walk.family == ADDRESS_IPV4 ? 4 : 16;
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

/* ---- Reasons ------------------------------------------------------------------------------------- */

static const char *const reason_texts[] = {
	[STEER_KEPT] = "kept",
	[STEER_LAST_RESORT] = "kept: everything is down, so it is answered as if it were up",
	[STEER_LESS_NEAR] = "nearer ones are enough",
	[STEER_LOWER_PRIORITY] = "an earlier member of its pool is usable",
	[STEER_ZERO_WEIGHT] = "its weight is 0 and others are usable",
	[STEER_TWICE] = "another member has the same address",
	[STEER_HEALTH_DOWN] = "its checks fail",
	[STEER_DRAINED] = "drained",
	[STEER_FORCED_DOWN] = "forced down",
	[STEER_REPLACED] = "everything is down, and the zone's own records are answered",
	[STEER_OTHER_FAMILY] = "has no address of this family",
	[STEER_UNRESOLVED] = "its host name has not been resolved yet",
};

const char *steer_reason_text(enum steer_reason reason)
{
	return reason_texts[reason];
}

struct tracer {
	const struct steer_planner *planner;
	const struct spread *spread;
	struct steer_trace *trace;
};

/* What is handed down while the tree is described. */
struct descent {
	enum override_kind override;
	enum steer_reason unused; /* why nothing below is used; STEER_KEPT: it is used */
	uint16_t site;
};

static double share_of(const struct spread *spread, const struct steer_member *member,
	const struct address *address)
{
	uint64_t begin = 0;
	uint64_t held = 0;

	for (size_t i = 0; i < spread->count; i++) {
		const struct piece *piece = &spread->pieces[i];

		for (size_t k = 0; k < piece->count; k++)
			if (piece->picks[k].member == member &&
				address_is_equal(piece->picks[k].address, address))
				held += piece->below - begin;
		begin = piece->below;
	}
	return (double)held / (double)SAMPLE_WHOLE;
}

static bool is_used(const struct spread *spread, const struct steer_member *member)
{
	if (member->pool) {
		for (size_t i = 0; i < member->pool->member_count; i++)
			if (is_used(spread, &member->pool->members[i]))
				return true;
		return false;
	}
	for (size_t i = 0; i < spread->count; i++)
		for (size_t k = 0; k < spread->pieces[i].count; k++)
			if (spread->pieces[i].picks[k].member == member)
				return true;
	return false;
}

/* Why a usable member contributes nothing. */
static enum steer_reason why_unused(const struct tracer *tracer, const struct steer_pool *pool,
	const struct steer_member *member, enum override_kind above)
{
	if (!walk_has_weight(&tracer->planner->walk, pool, member, above))
		return STEER_ZERO_WEIGHT;
	switch (pool->method) {
	case STEER_NEAREST:
		return STEER_LESS_NEAR;
	case STEER_FAILOVER:
		return STEER_LOWER_PRIORITY;
	case STEER_WEIGHTED:
	case STEER_ALL:
		break;
	}
	return STEER_TWICE;
}

static enum steer_reason address_reason(
	const struct tracer *tracer, const struct descent *descent, bool is_up, double share)
{
	bool is_out = descent->override == OVERRIDE_DRAIN || descent->override == OVERRIDE_DOWN;
	bool is_down = is_out || (!is_up && descent->override != OVERRIDE_UP);

	if (tracer->planner->kind == STEER_STATIC)
		return STEER_REPLACED;
	if (share > 0)
		return is_down ? STEER_LAST_RESORT : STEER_KEPT;
	if (descent->override == OVERRIDE_DRAIN)
		return STEER_DRAINED;
	if (descent->override == OVERRIDE_DOWN)
		return STEER_FORCED_DOWN;
	if (is_down && tracer->planner->walk.belief == BELIEF_WHOLE)
		return STEER_HEALTH_DOWN;
	return descent->unused != STEER_KEPT ? descent->unused : STEER_TWICE;
}

static void trace_add(struct steer_trace *trace, const struct steer_candidate *candidate)
{
	trace->items = MEMORY_GROW(trace->items, trace->count, &trace->capacity);
	trace->items[trace->count++] = *candidate;
}

static void describe_endpoint(const struct tracer *tracer, const struct steer_pool *pool,
	const struct steer_member *endpoint, const struct descent *descent)
{
	const struct walk *walk = &tracer->planner->walk;
	size_t count = walk_address_count(walk, endpoint);
	struct steer_candidate candidate = {
		.pool = pool, .member = endpoint, .site = descent->site};
	bool has_any = false;

	for (size_t i = 0; i < count; i++) {
		bool is_up;
		const struct address *address = walk_address(walk, endpoint, i, &is_up);

		if (address->family != walk->family)
			continue;
		has_any = true;
		candidate.address = *address;
		candidate.share = share_of(tracer->spread, endpoint, address);
		candidate.reason = address_reason(tracer, descent, is_up, candidate.share);
		trace_add(tracer->trace, &candidate);
	}
	if (has_any)
		return;
	candidate.reason = endpoint->is_host && count == 0 ? STEER_UNRESOLVED : STEER_OTHER_FAMILY;
	trace_add(tracer->trace, &candidate);
}

static void describe_pool(
	const struct tracer *tracer, const struct steer_pool *pool, const struct descent *above)
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];
		struct descent descent = *above;

		descent.override = walk_override(&tracer->planner->walk, member, above->override);
		if (member->site != STEER_NO_SITE)
			descent.site = member->site;
		if (descent.unused == STEER_KEPT && !is_used(tracer->spread, member))
			descent.unused = why_unused(tracer, pool, member, above->override);
		if (member->pool)
			describe_pool(tracer, member->pool, &descent);
		else
			describe_endpoint(tracer, pool, member, &descent);
	}
}

/* ---- Planner ------------------------------------------------------------------------------------- */

struct steer_planner *steer_planner_new(const struct steer_pool *root, enum address_family family,
	const struct steer_world *world, const uint16_t *sites, size_t site_count,
	struct arena *arena)
{
	struct steer_planner *planner = memory_new(sizeof(*planner));

	planner->root = root;
	planner->arena = arena;
	planner->walk = (struct walk){
		.arena = arena_new(),
		.world = world,
		.family = family,
		.sites = sites,
		.site_count = site_count,
	};
	decide_kind(planner);
	collect_nearest(planner, root, OVERRIDE_NONE);
	planner->key = ARENA_ARRAY(planner->walk.arena, uint8_t, planner->key_size);
	return planner;
}

void steer_planner_free(struct steer_planner *planner)
{
	if (!planner)
		return;
	arena_free(planner->walk.arena);
	free(planner->nearest);
	free(planner);
}

static struct spread decide(struct steer_planner *planner, const uint8_t *order)
{
	planner->walk.order = order;
	if (planner->kind == STEER_NODATA)
		return (struct spread){NULL, 0};
	return walk_pool(&planner->walk, planner->root, OVERRIDE_NONE, STEER_ANSWERS_MAX);
}

const struct steer_choice *steer_planner_choose(
	struct steer_planner *planner, const uint8_t *order, struct steer_trace *trace)
{
	make_key(planner, order);

	struct memo **bucket = find_bucket(planner);

	for (struct memo *memo = *bucket; memo && !trace; memo = memo->next)
		if (memcmp(memo->key, planner->key, planner->key_size) == 0)
			return memo->choice;

	struct spread spread = decide(planner, order);
	struct memo *memo = arena_alloc(planner->walk.arena, sizeof(*memo) + planner->key_size);

	memo->choice = freeze(planner, spread);
	memcpy(memo->key, planner->key, planner->key_size);
	memo->next = *bucket;
	*bucket = memo;

	if (trace) {
		struct tracer tracer = {planner, &spread, trace};
		struct descent top = {.site = STEER_NO_SITE, .unused = STEER_KEPT};

		describe_pool(&tracer, planner->root, &top);
	}
	return memo->choice;
}
