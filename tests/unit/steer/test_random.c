/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/steer/steer.h"

/*
 * Random trees, beliefs, states of pools and overrides: what must hold of every choice, and what it is by a slow
 * reference, which knows no levels and no groups but asks for each sixty-fourth of the random numbers anew.
 */
#define ROUNDS 20000
#define POOLS_MAX 32
#define MEMBERS_MAX 64
#define ROWS_MAX 192
#define SITES 5

struct tree {
	struct random random;
	struct steer_pool pools[POOLS_MAX]; /* the first is the root */
	size_t pool_count;
	struct steer_member members[MEMBERS_MAX];
	size_t member_count;
	uint32_t first[MEMBERS_MAX + 1];
	struct belief rows[ROWS_MAX];
	struct belief_table beliefs;
	struct guard_pool_state states[POOLS_MAX];
	uint8_t overrides[MEMBERS_MAX];
	struct steer_world world;
	uint16_t most_answers;
	uint32_t different; /* addresses: with fewer than there are rows, some are there twice */
};

static const uint16_t sites[SITES] = {0, 1, 2, 3, 4};

static uint32_t draw(struct tree *tree, uint32_t below)
{
	return random_below(&tree->random, below);
}

/* ---- Trees ----------------------------------------------------------------------------------------- */

static uint32_t grow_pool(struct tree *tree, unsigned depth);

static void grow_member(struct tree *tree, struct steer_member *member, unsigned depth)
{
	static const uint16_t weights[] = {0, 1, 1, 2, 7};

	*member = (struct steer_member){
		.name = "m",
		.id = (uint32_t)(member - tree->members),
		.site = sites[draw(tree, SITES)],
		.weight = weights[draw(tree, COUNT_OF(weights))],
	};
	if (depth > 0 && draw(tree, 3) == 0 && tree->pool_count < POOLS_MAX &&
		tree->member_count + 4 < MEMBERS_MAX)
		member->pool = &tree->pools[grow_pool(tree, depth - 1)];
}

/* The index of a pool with one to four members, which stand together. */
static uint32_t grow_pool(struct tree *tree, unsigned depth)
{
	static const enum steer_method methods[] = {
		STEER_NEAREST, STEER_FAILOVER, STEER_WEIGHTED, STEER_ALL};
	static const enum steer_all_down all_downs[] = {
		STEER_SERVE_ALL, STEER_FALLBACK, STEER_LAST_GOOD, STEER_FENCED};
	uint32_t id = (uint32_t)tree->pool_count++;
	struct steer_pool *pool = &tree->pools[id];
	struct steer_member *members = &tree->members[tree->member_count];

	*pool = (struct steer_pool){
		.name = "p",
		.id = id,
		.method = methods[draw(tree, COUNT_OF(methods))],
		.when_all_down = all_downs[draw(tree, COUNT_OF(all_downs))],
		.answers = (uint16_t)(1 + draw(tree, tree->most_answers)),
		.members = members,
		.member_count = 1 + draw(tree, 4),
	};
	tree->member_count += pool->member_count;
	for (size_t i = 0; i < pool->member_count; i++)
		grow_member(tree, &members[i], depth);
	return id;
}

/* Up, down, or partly; how likely each is is another matter in each tree. */
static uint8_t draw_share(struct tree *tree, uint32_t down_of_8, uint32_t partly_of_8)
{
	if (draw(tree, 8) < down_of_8)
		return 0;
	return draw(tree, 8) < partly_of_8 ? (uint8_t)(1 + draw(tree, BELIEF_WHOLE)) : BELIEF_WHOLE;
}

static void draw_rows(struct tree *tree)
{
	uint32_t count = 0;
	uint32_t down = draw(tree, 9);
	uint32_t partly = draw(tree, 9);

	for (size_t id = 0; id < tree->member_count; id++) {
		uint32_t of_member = tree->members[id].pool ? 0 : draw(tree, 4);

		for (uint32_t i = 0; i < of_member; i++, count++) {
			struct belief *row = &tree->rows[count];

			*row = (struct belief){
				.address = {ADDRESS_IPV4,
					{10, 0, 0, (uint8_t)(count % tree->different)}},
				.share = draw_share(tree, down, partly),
				.why = (uint8_t)draw(tree, BELIEF_WITHOUT + 1),
				.is_last_good = draw(tree, 3) == 0,
			};
			row->state = row->share == 0 ? VERDICT_DOWN
				: draw(tree, 4) == 0 ? VERDICT_DEGRADED
						     : VERDICT_UP;
			if (draw(tree, 4) == 0)
				row->address = (struct address){
					ADDRESS_IPV6, {0x20, [15] = (uint8_t)count}};
		}
		tree->first[id + 1] = count;
	}
	tree->beliefs = (struct belief_table){tree->member_count, tree->first, tree->rows};
}

static void draw_tree(struct tree *tree, uint16_t most_answers, uint32_t different)
{
	uint32_t failed = draw(tree, 4);
	uint32_t said = draw(tree, 3);

	tree->pool_count = 0;
	tree->member_count = 0;
	tree->most_answers = most_answers;
	tree->different = different;
	(void)grow_pool(tree, 3);
	draw_rows(tree);
	for (size_t i = 0; i < tree->pool_count; i++)
		tree->states[i].state = draw(tree, 4) < failed
			? (uint8_t)(BELIEF_POOL_PANIC + draw(tree, 2))
			: BELIEF_POOL_SOUND;
	for (size_t i = 0; i < tree->member_count; i++)
		tree->overrides[i] =
			draw(tree, 4) < said ? (uint8_t)draw(tree, OVERRIDE_UP + 1) : OVERRIDE_NONE;
	tree->world = (struct steer_world){&tree->beliefs, tree->states, tree->overrides};
}

static void shuffle(struct tree *tree, uint8_t order[static SITES])
{
	for (uint8_t i = 0; i < SITES; i++) {
		uint8_t at = (uint8_t)draw(tree, i + 1u);

		order[i] = order[at];
		order[at] = i;
	}
}

/* ---- The reference --------------------------------------------------------------------------------- */

/* What is asked of a row, the strictest first. */
enum mode { HAS_PART, HAS_ANY_PART, WAS_GOOD, NOT_TAKEN_OUT, IS_THERE };

struct reference {
	const struct tree *tree;
	enum address_family family;
	const uint8_t *order;
	unsigned part; /* of BELIEF_WHOLE: for which random numbers */
	bool is_far;   /* a fence with nothing left inside does not hold them */
};

static bool is_row_usable(
	const struct reference *at, const struct belief *row, uint8_t override, enum mode mode)
{
	if (row->address.family != at->family)
		return false;
	if (mode == IS_THERE || override == OVERRIDE_UP)
		return true;
	if (override != OVERRIDE_NONE)
		return false;
	return (mode == HAS_PART && row->share > at->part) ||
		(mode == HAS_ANY_PART && row->share > 0) ||
		(mode == WAS_GOOD && row->is_last_good) || mode == NOT_TAKEN_OUT;
}

static uint8_t override_of(
	const struct reference *at, const struct steer_member *member, uint8_t above)
{
	uint8_t own = at->tree->overrides[member->id];

	return own != OVERRIDE_NONE ? own : above;
}

static bool is_fence(const struct steer_pool *pool, uint8_t override)
{
	return pool->when_all_down == STEER_FENCED &&
		(override == OVERRIDE_NONE || override == OVERRIDE_UP);
}

static bool has_usable(const struct reference *at, const struct steer_pool *pool, uint8_t override,
	enum mode mode);

/* Whether what is left of the pool is enough, as far as that is asked. */
static bool is_enough(
	const struct reference *at, const struct steer_pool *pool, uint8_t override, enum mode mode)
{
	bool is_asked = mode <= HAS_ANY_PART && override != OVERRIDE_UP;

	return !(is_asked && at->tree->states[pool->id].state != BELIEF_POOL_SOUND) &&
		has_usable(at, pool, override, mode);
}

static bool is_usable(const struct reference *at, const struct steer_member *member, uint8_t above,
	enum mode mode)
{
	uint8_t override = override_of(at, member, above);

	if (member->pool && is_fence(member->pool, override) && !at->is_far)
		return has_usable(at, member->pool, OVERRIDE_NONE, IS_THERE);
	if (member->pool)
		return is_enough(at, member->pool, override, mode);
	for (uint32_t i = at->tree->first[member->id]; i < at->tree->first[member->id + 1]; i++)
		if (is_row_usable(at, &at->tree->rows[i], override, mode))
			return true;
	return false;
}

static bool has_usable(
	const struct reference *at, const struct steer_pool *pool, uint8_t override, enum mode mode)
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (is_usable(at, &pool->members[i], override, mode))
			return true;
	return false;
}

/* The strictest mode, from one on, in which something is left of a pool in whose place there is nothing. */
static enum mode find_mode(const struct reference *at, const struct steer_pool *pool,
	uint8_t override, enum mode mode, bool goes_by_good)
{
	while (mode < IS_THERE &&
		((mode == WAS_GOOD && !goes_by_good) || !is_enough(at, pool, override, mode)))
		mode++;
	return mode;
}

/* Members that stand for each other: those of a site, one, or all. */
static size_t next_group(const struct reference *at, const struct steer_pool *pool, size_t number,
	bool in_group[static 4])
{
	size_t count = 0;

	for (size_t i = 0; i < pool->member_count; i++) {
		in_group[i] = pool->method == STEER_NEAREST
			? pool->members[i].site == sites[at->order[number]]
			: pool->method == STEER_FAILOVER ? i == number
							 : true;
		count += in_group[i];
	}
	return count;
}

static void add_shares(const struct reference *at, const struct steer_pool *pool, uint8_t override,
	enum mode mode, double share, double shares[static ROWS_MAX]);

static void add_member(const struct reference *at, const struct steer_member *member, uint8_t above,
	enum mode mode, double share, double shares[static ROWS_MAX])
{
	uint8_t override = override_of(at, member, above);
	unsigned usable = 0;

	if (member->pool) {
		if (is_fence(member->pool, override))
			mode = find_mode(at, member->pool, override, mode, mode == WAS_GOOD);
		add_shares(at, member->pool, override, mode, share, shares);
		return;
	}
	for (uint32_t i = at->tree->first[member->id]; i < at->tree->first[member->id + 1]; i++)
		usable += is_row_usable(at, &at->tree->rows[i], override, mode);
	for (uint32_t i = at->tree->first[member->id]; i < at->tree->first[member->id + 1]; i++)
		if (is_row_usable(at, &at->tree->rows[i], override, mode))
			shares[i] += share / usable;
}

/* Whether any of a group has an address of the family, whatever is known of it. */
static bool is_there(
	const struct reference *at, const struct steer_pool *pool, const bool in_group[static 4])
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (in_group[i] && is_usable(at, &pool->members[i], OVERRIDE_NONE, IS_THERE))
			return true;
	return false;
}

/* What a group gives; false: nothing. */
static bool add_group(const struct reference *at, const struct steer_pool *pool,
	bool in_group[static 4], uint8_t override, enum mode mode, double share,
	double shares[static ROWS_MAX])
{
	double weight = 0;
	double count = 0;

	for (size_t i = 0; i < pool->member_count; i++) {
		in_group[i] = in_group[i] && is_usable(at, &pool->members[i], override, mode);
		weight += in_group[i] ? pool->members[i].weight : 0;
		count += in_group[i];
	}
	for (size_t i = 0; i < pool->member_count; i++)
		if (in_group[i] && (weight == 0 || pool->members[i].weight > 0))
			add_member(at, &pool->members[i], override, mode,
				share *
					(weight == 0 ? 1 / count
						     : pool->members[i].weight / weight),
				shares);
	return count > 0;
}

/* Of a pool with one answer, whose addresses are all different. */
static void add_shares(const struct reference *at, const struct steer_pool *pool, uint8_t override,
	enum mode mode, double share, double shares[static ROWS_MAX])
{
	struct reference far = *at;
	bool is_home = true;
	bool in_group[4];

	far.is_far = true;
	if (pool->method != STEER_NEAREST) {
		for (size_t number = 0; number < 4; number++)
			if (next_group(at, pool, number, in_group) > 0 &&
				add_group(at, pool, in_group, override, mode, share, shares))
				return;
		return;
	}
	for (size_t number = 0; number < SITES; number++) {
		(void)next_group(at, pool, number, in_group);

		bool is_passed = is_there(at, pool, in_group);

		if (add_group(is_home ? at : &far, pool, in_group, override, mode, share, shares))
			return;
		is_home = is_home && !is_passed;
	}
	for (size_t number = 0; number < SITES; number++) {
		(void)next_group(at, pool, number, in_group);
		if (add_group(at, pool, in_group, override, mode, share, shares))
			return;
	}
}

static enum mode find_root_mode(const struct reference *at)
{
	const struct steer_pool *root = &at->tree->pools[0];

	return find_mode(at, root, OVERRIDE_NONE, HAS_PART, root->when_all_down == STEER_LAST_GOOD);
}

/* ---- What must hold -------------------------------------------------------------------------------- */

static size_t find_address(const struct tree *tree, const struct steer_choice *choice, size_t index)
{
	for (size_t i = 0; i < tree->first[tree->member_count]; i++)
		if (address_size(&tree->rows[i].address) == choice->address_size &&
			memcmp(tree->rows[i].address.bytes,
				choice->addresses + index * choice->address_size,
				choice->address_size) == 0)
			return i;
	fail_msg("an address that is not of the tree");
	return 0;
}

static void measure(
	const struct tree *tree, const struct steer_choice *choice, double shares[static ROWS_MAX])
{
	double begin = 0;

	for (size_t i = 0; i < choice->step_count; i++) {
		const struct steer_step *step = &choice->steps[i];
		double below = i + 1 < choice->step_count ? step->below / 0x1p32 : 1;

		assert_true(below > begin);
		for (size_t k = 0; k < step->count; k++)
			shares[find_address(tree, choice, step->first + k)] += below - begin;
		begin = below;
	}
}

static bool has_family(const struct tree *tree, enum address_family family)
{
	const struct reference at = {.tree = tree, .family = family};

	return has_usable(&at, &tree->pools[0], OVERRIDE_NONE, IS_THERE);
}

static bool has_unresolved(const struct tree *tree)
{
	for (size_t i = 0; i < tree->member_count; i++)
		if (!tree->members[i].pool && tree->first[i] == tree->first[i + 1])
			return true;
	return false;
}

/* Never empty where there is an address, and STEER_STATIC only where someone wants that. */
static void check_kind(const struct reference *at, const struct steer_choice *choice)
{
	const struct tree *tree = at->tree;
	bool is_failed = find_root_mode(at) > HAS_ANY_PART;

	if (!has_family(tree, at->family)) {
		assert_int_equal(choice->kind, has_unresolved(tree) ? STEER_STATIC : STEER_NODATA);
		assert_int_equal(choice->step_count, 0);
		return;
	}
	assert_int_equal(choice->kind,
		is_failed && tree->pools[0].when_all_down == STEER_FALLBACK ? STEER_STATIC
									    : STEER_ADDRESSES);
	assert_true(choice->step_count > 0);
	for (size_t i = 0; i < choice->step_count; i++)
		assert_true(
			choice->steps[i].count > 0 && choice->steps[i].count <= STEER_ANSWERS_MAX);
}

/* Of a pool alone that operators forced nothing up in: for each random number only what is usable there is answered. */
static void check_usable(const struct reference *at, const struct steer_choice *choice)
{
	const struct tree *tree = at->tree;
	struct reference part = *at;

	if (tree->pool_count > 1 || memchr(tree->overrides, OVERRIDE_UP, tree->member_count))
		return;
	for (part.part = 0; part.part < BELIEF_WHOLE; part.part++) {
		const struct steer_step *step =
			steer_choice_step(choice, part.part << 26 | 0x1234567);
		enum mode mode = find_root_mode(&part);

		for (size_t k = 0; k < step->count; k++) {
			size_t row = find_address(tree, choice, step->first + k);

			assert_true(mode > HAS_ANY_PART || tree->rows[row].share > 0);
			assert_true(mode > HAS_PART || tree->rows[row].share > part.part);
		}
	}
}

/* What rules each member: its own override, or the nearest above. */
static void find_overrides(const struct reference *at, const struct steer_pool *pool, uint8_t above,
	uint8_t ret_overrides[static MEMBERS_MAX])
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		ret_overrides[member->id] = override_of(at, member, above);
		if (member->pool)
			find_overrides(at, member->pool, ret_overrides[member->id], ret_overrides);
	}
}

/* Whether a reason can be true of a row. */
static bool is_plausible(enum steer_reason reason, const struct belief *row, uint8_t override)
{
	bool is_up = override == OVERRIDE_UP || (override == OVERRIDE_NONE && row->share > 0);
	bool is_seen = override == OVERRIDE_NONE;

	switch (reason) {
	case STEER_KEPT:
	case STEER_LESS_NEAR:
	case STEER_LOWER_PRIORITY:
	case STEER_ZERO_WEIGHT:
	case STEER_TWICE:
	case STEER_REPLACED:
		return reason != STEER_KEPT || is_up;
	case STEER_HELD_OBSERVER:
		return is_seen && is_up && row->why == BELIEF_OBSERVER;
	case STEER_HELD_LOSS:
		return is_seen && is_up && row->why == BELIEF_LOSS;
	case STEER_HELD_EVIDENCE:
		return is_seen && is_up && row->why == BELIEF_EVIDENCE;
	case STEER_DEGRADED:
		return is_seen && is_up && row->state == VERDICT_DEGRADED;
	case STEER_RAMP:
		return is_seen && is_up && row->why == BELIEF_RAMP;
	case STEER_WITHOUT:
		return is_seen && is_up && row->why == BELIEF_WITHOUT;
	case STEER_POOL_FAILED: /* also what a fence inside would answer with */
		return override == OVERRIDE_NONE || override == OVERRIDE_UP;
	case STEER_NOT_LAST:
		return is_seen && is_up && !row->is_last_good;
	case STEER_PANIC:
		return is_seen && !is_up;
	case STEER_LAST_USABLE:
		return is_seen && !is_up && row->is_last_good;
	case STEER_LAST_RESORT:
		return !is_up;
	case STEER_HEALTH_DOWN:
		return is_seen && !is_up;
	case STEER_WAITS_DELAY:
		return is_seen && !is_up && row->why == BELIEF_FAILBACK;
	case STEER_WAITS_RETURN:
		return is_seen && !is_up && row->why == BELIEF_RETURN;
	case STEER_NEEDS_LOST:
		return is_seen && !is_up && row->why == BELIEF_WITHOUT;
	case STEER_DRAINED:
		return override == OVERRIDE_DRAIN;
	case STEER_FORCED_DOWN:
		return override == OVERRIDE_DOWN;
	case STEER_OTHER_FAMILY:
	case STEER_UNRESOLVED:
		break;
	}
	return false;
}

static void check_trace(const struct reference *at, const struct steer_choice *choice,
	const struct steer_trace *trace)
{
	uint8_t overrides[MEMBERS_MAX];

	find_overrides(at, &at->tree->pools[0], OVERRIDE_NONE, overrides);
	for (size_t i = 0; i < trace->count; i++) {
		const struct steer_candidate *candidate = &trace->items[i];
		enum steer_reason reason = candidate->reason;
		bool is_static = choice->kind == STEER_STATIC;

		if (!candidate->belief) {
			assert_true(reason == STEER_OTHER_FAMILY || reason == STEER_UNRESOLVED);
			continue;
		}
		assert_true(address_is_equal(&candidate->address, &candidate->belief->address));
		assert_int_equal(is_static, reason == STEER_REPLACED);
		assert_int_equal(!is_static && candidate->share > 0, steer_reason_is_kept(reason));
		if (!is_plausible(reason, candidate->belief, overrides[candidate->member->id]))
			fail_msg("'%s' of share %u, why %u, override %u", steer_reason_text(reason),
				candidate->belief->share, candidate->belief->why,
				overrides[candidate->member->id]);
	}
}

static bool is_same_choice(const struct steer_choice *a, const struct steer_choice *b)
{
	if (a->kind != b->kind || a->step_count != b->step_count)
		return false;
	for (size_t i = 0; i < a->step_count; i++)
		if (a->steps[i].below != b->steps[i].below ||
			a->steps[i].count != b->steps[i].count ||
			memcmp(a->addresses + a->steps[i].first * a->address_size,
				b->addresses + b->steps[i].first * b->address_size,
				(size_t)a->steps[i].count * a->address_size) != 0)
			return false;
	return true;
}

/* A planner that knows others already gives the same as one that is asked for the first time. */
static void check_memory(
	const struct reference *at, struct steer_planner *planner, struct arena *arena)
{
	struct steer_planner *fresh = steer_planner_new(
		&at->tree->pools[0], at->family, &at->tree->world, sites, SITES, arena);
	const struct steer_choice *want = steer_planner_choose(fresh, at->order, NULL);
	const struct steer_choice *got = steer_planner_choose(planner, at->order, NULL);

	steer_planner_free(fresh);
	assert_true(is_same_choice(got, want));
}

static void choices_hold(void **state)
{
	struct tree *tree = memory_new(sizeof(*tree));

	(void)state;
	random_seed_with(&tree->random, 11);
	for (int round = 0; round < ROUNDS; round++) {
		draw_tree(tree, 3, ROWS_MAX);

		struct arena *arena = arena_new();
		struct reference at = {
			.tree = tree, .family = draw(tree, 2) == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6};
		struct steer_planner *planner = steer_planner_new(
			&tree->pools[0], at.family, &tree->world, sites, SITES, arena);

		for (int i = 0; i < 6; i++) {
			uint8_t order[SITES] = {0};
			struct steer_trace trace = {0};
			double shares[ROWS_MAX] = {0};

			shuffle(tree, order);
			at.order = order;
			check_memory(&at, planner, arena);

			const struct steer_choice *choice =
				steer_planner_choose(planner, order, &trace);

			check_kind(&at, choice);
			measure(tree, choice, shares);
			if (choice->kind == STEER_ADDRESSES)
				check_usable(&at, choice);
			check_trace(&at, choice, &trace);
			free(trace.items);
		}
		steer_planner_free(planner);
		arena_free(arena);
	}
	free(tree);
}

/* With one answer from each pool: the share of each address is what arithmetic says. */
static void shares_are_what_the_reference_says(void **state)
{
	struct tree *tree = memory_new(sizeof(*tree));

	(void)state;
	random_seed_with(&tree->random, 12);
	for (int round = 0; round < ROUNDS; round++) {
		double want[ROWS_MAX] = {0};
		double got[ROWS_MAX] = {0};
		uint8_t order[SITES] = {0};

		draw_tree(tree, 1, ROWS_MAX);
		shuffle(tree, order);

		struct arena *arena = arena_new();
		struct reference at = {.tree = tree, .family = ADDRESS_IPV4, .order = order};
		struct steer_planner *planner = steer_planner_new(
			&tree->pools[0], at.family, &tree->world, sites, SITES, arena);

		for (at.part = 0; at.part < BELIEF_WHOLE; at.part++)
			add_shares(&at, &tree->pools[0], OVERRIDE_NONE, find_root_mode(&at),
				1.0 / BELIEF_WHOLE, want);
		measure(tree, steer_planner_choose(planner, order, NULL), got);
		for (size_t i = 0; i < tree->first[tree->member_count]; i++)
			if (fabs(want[i] - got[i]) > 1e-7)
				fail_msg("round %d: address %zu has %.9f, not %.9f", round, i,
					got[i], want[i]);
		steer_planner_free(planner);
		arena_free(arena);
	}
	free(tree);
}

/* An address that is there twice leaves a place open, for which further sites matter. */
static void classes_share_what_is_the_same(void **state)
{
	struct tree *tree = memory_new(sizeof(*tree));

	(void)state;
	random_seed_with(&tree->random, 13);
	for (int round = 0; round < ROUNDS / 10; round++) {
		draw_tree(tree, 3, 5);

		struct arena *arena = arena_new();
		struct reference at = {.tree = tree, .family = ADDRESS_IPV4};
		struct steer_planner *planner = steer_planner_new(
			&tree->pools[0], at.family, &tree->world, sites, SITES, arena);

		for (int i = 0; i < 60; i++) {
			uint8_t order[SITES] = {0};

			shuffle(tree, order);
			at.order = order;
			check_memory(&at, planner, arena);
		}
		steer_planner_free(planner);
		arena_free(arena);
	}
	free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_hold),
		cmocka_unit_test(shares_are_what_the_reference_says),
		cmocka_unit_test(classes_share_what_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
