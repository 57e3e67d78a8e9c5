/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard_rig.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"

/*
 * Random worlds, through which verdicts, overrides, reloads, restarts, silence and time pass in any order; after each step a
 * slow reference says what must hold:
 *
 *	- nothing goes down while the observer is suspect;
 *	- in any minute health takes no more of a pool than its limit allows, or one address;
 *	- what makes a pool worse, or leaves nothing of a family, was seen down for as long as the evidence takes;
 *	- what comes back was well for the failback delay, and with an operator's word where one is needed;
 *	- nothing changes before it is due, and nothing when nothing does;
 *	- when all is quiet, what is believed is what is seen.
 *
 * What the reference knows of capacity it counts anew each time, from the addresses up, in floating point.
 */
#define WORLDS 60
#define EVENTS_IN_WORLD 1500
#define STEPS_AT_LEAST 100000
#define MINUTE_MS 60000

/* A model that never came into a state shows nothing about it. */
struct met {
	size_t steps;
	size_t whys[BELIEF_WITHOUT + 1];
	size_t pools[BELIEF_POOL_LOST + 1];
	size_t suspicions;
};

struct model {
	struct rig rig;
	struct random random;
	uint64_t seed;
	size_t step;
	/* of each row */
	struct {
		uint8_t health;	  /* at the step before, whatever its pool needs */
		uint64_t down_ms; /* seen down since; UINT64_MAX */
		uint64_t up_ms;	  /* believed down and seen well since; UINT64_MAX */
		uint64_t lost_ms; /* taken away by health, last; UINT64_MAX */
		bool is_returned;
	} rows[RIG_TARGETS];
	bool is_fresh; /* the next step takes what it sees */
	struct met *met;
};

static void fail_at(const struct model *model, const char *what)
{
	fail_msg("seed %llu, step %zu at %llu ms: %s", (unsigned long long)model->seed, model->step,
		(unsigned long long)model->rig.now_ms, what);
}

static uint32_t pick(struct model *model, uint32_t below)
{
	return random_below(&model->random, below);
}

static uint32_t pick_of(struct model *model, const uint32_t *values, size_t count)
{
	return values[pick(model, (uint32_t)count)];
}
#define PICK_OF(model, ...)                                                                        \
	pick_of((model), (const uint32_t[]){__VA_ARGS__},                                          \
		COUNT_OF(((const uint32_t[]){__VA_ARGS__})))

/* ---- a world ---- */

/* Pool 0 holds 1 and 2 and perhaps endpoints; 3 needs one of them; 4 are canaries. */
static void make_pools(struct model *model)
{
	struct rig *rig = &model->rig;

	for (uint32_t i = 0; i < 5; i++) {
		struct guard_pool *pool = &rig->pools[rig_pool(rig)];

		pool->panic_percent = (uint8_t)PICK_OF(model, 0, 0, 30, 50, 80);
		pool->loss_percent = (uint8_t)PICK_OF(model, 0, 20, 34, 50, 100, 100);
		pool->failback_ms = PICK_OF(model, 0, 0, 5000, 90000);
		pool->slow_start_ms = PICK_OF(model, 0, 0, 3000, 60000);
		pool->has_manual_return = pick(model, 5) == 0;
	}
	rig->pools[0].is_failover = pick(model, 2) == 0;
	rig->pools[1].is_fenced = pick(model, 3) == 0;
	rig->pools[3].needs = pick(model, 3);
	rig->pools[3].without = (uint8_t)PICK_OF(model, VERDICT_UP, VERDICT_DEGRADED, VERDICT_DOWN);
}

static void make_members(struct model *model)
{
	struct rig *rig = &model->rig;

	for (uint32_t child = 1; child <= 2; child++)
		rig->members[rig_child(rig, 0, child)].capacity = PICK_OF(model, 0, 0, 10, 40);
	for (uint32_t pool = 0; pool < 5; pool++) {
		uint32_t count = pool == 0 ? pick(model, 2) : 1 + pick(model, 5);

		for (uint32_t i = 0; i < count; i++) {
			size_t addresses = 1 + pick(model, 2);
			uint32_t id = rig_endpoint(rig, pool, addresses, pick(model, 3));

			rig->members[id].capacity = PICK_OF(model, 0, 0, 10, 30);
			rig->members[id].evidence_ms = PICK_OF(model, 0, 15000, 15000, 100000);
		}
	}
}

static void make_world(struct model *model)
{
	struct rig *rig = &model->rig;

	rig_init(rig);
	make_pools(model);
	make_members(model);
	rig->rules.canaries = pick(model, 2) == 0 ? GUARD_NONE : 4;
	rig->rules.suspect_percent = (uint8_t)PICK_OF(model, 50, 70, 100);
	rig->rules.suspect_networks = 3;
	rig->rules.suspect_window_ms = 20000;
	rig->rules.confirm_ms = 60000;
	rig_use(rig);
	for (size_t i = 0; i < rig->target_count; i++)
		model->rows[i].down_ms = model->rows[i].up_ms = model->rows[i].lost_ms = UINT64_MAX;
	model->is_fresh = true;
	rig->now_ms = 1 + pick(model, 100000);
}

/* ---- the reference ---- */

static const struct guard_member *member_of(const struct model *model, size_t row, uint32_t *ret_id)
{
	const struct belief_table *beliefs = guard_beliefs(model->rig.guard);
	uint32_t id = 0;

	while (beliefs->first[id + 1] <= row)
		id++;
	*ret_id = id;
	return &model->rig.members[id];
}

struct sum {
	double total;
	double left;
	double lost;
	unsigned lost_count;
	unsigned addresses[2];
	unsigned usable[2];
	unsigned sound;
};

static bool is_out(uint8_t override)
{
	return override == OVERRIDE_DRAIN || override == OVERRIDE_DOWN;
}

static bool is_recent(const struct model *model, uint64_t at_ms)
{
	return at_ms != UINT64_MAX && model->rig.now_ms - at_ms < MINUTE_MS;
}

static enum belief_pool judge(const struct guard_pool *pool, const struct sum *sum)
{
	if (sum->usable[0] + sum->usable[1] == 0)
		return BELIEF_POOL_LOST;
	if (pool->is_failover)
		return sum->sound > 0 ? BELIEF_POOL_SOUND : BELIEF_POOL_PANIC;
	/* a capacity that is divided is rounded, here another way than there */
	return sum->left > 0 && sum->left * 100 >= sum->total * (pool->panic_percent - 0.01)
		? BELIEF_POOL_SOUND
		: BELIEF_POOL_PANIC;
}

static struct sum sum_of(const struct model *model, uint32_t pool);

static struct sum sum_of_child(const struct model *model, uint32_t id)
{
	const struct guard_member *member = &model->rig.members[id];
	struct sum sum = sum_of(model, member->child);
	uint8_t override = model->rig.overrides[id];
	double scale = member->capacity > 0 ? member->capacity / sum.total : 1;

	if (is_out(override) || sum.total <= 0)
		return (struct sum){0};
	sum.sound = judge(&model->rig.pools[member->child], &sum) == BELIEF_POOL_SOUND;
	if (!sum.sound && model->rig.pools[member->child].is_fenced) {
		sum.sound = true;
		sum.left = sum.total;
		memcpy(sum.usable, sum.addresses, sizeof(sum.usable));
	}
	sum.left = sum.sound ? sum.left * scale : 0;
	sum.lost *= scale;
	sum.total *= scale;
	return sum;
}

static struct sum sum_of_endpoint(const struct model *model, uint32_t id)
{
	const struct belief_table *beliefs = guard_beliefs(model->rig.guard);
	const struct guard_member *member = &model->rig.members[id];
	size_t count;
	const struct belief *rows = belief_table_find(beliefs, id, &count);
	double each = (member->capacity > 0 ? member->capacity : 1) / (double)count;
	uint8_t override = model->rig.overrides[id];
	struct sum sum = {0};

	for (size_t i = 0; !is_out(override) && i < count; i++) {
		size_t index = beliefs->first[id] + i;
		bool is_up = override == OVERRIDE_UP || model->rows[index].health != VERDICT_DOWN;
		bool is_lost = is_recent(model, model->rows[index].lost_ms);

		sum.total += each;
		sum.left += is_up ? each : 0;
		sum.lost += is_lost ? each : 0;
		sum.lost_count += is_lost;
		sum.addresses[rows[i].address.family == ADDRESS_IPV6]++;
		sum.usable[rows[i].address.family == ADDRESS_IPV6] += is_up;
		sum.sound = sum.sound || is_up;
	}
	return sum;
}

static struct sum sum_of(const struct model *model, uint32_t pool)
{
	const struct guard_pool *this = &model->rig.pools[pool];
	struct sum sum = {0};

	for (size_t i = 0; i < this->member_count; i++) {
		uint32_t id = this->members[i];
		struct sum part = model->rig.members[id].child == GUARD_NONE
			? sum_of_endpoint(model, id)
			: sum_of_child(model, id);

		sum.total += part.total;
		sum.left += part.left;
		sum.lost += part.lost;
		sum.lost_count += part.lost_count;
		sum.addresses[0] += part.addresses[0];
		sum.addresses[1] += part.addresses[1];
		sum.usable[0] += part.usable[0];
		sum.usable[1] += part.usable[1];
		sum.sound += part.sound;
	}
	return sum;
}

/* Whether a pool holds another, or is it, where operators did not take it out. */
static bool holds(const struct model *model, uint32_t above, uint32_t pool)
{
	if (above == pool)
		return true;
	for (size_t i = 0; i < model->rig.pools[above].member_count; i++) {
		uint32_t id = model->rig.pools[above].members[i];

		if (model->rig.members[id].child == pool && !is_out(model->rig.overrides[id]))
			return true;
	}
	return false;
}

/* ---- what must hold after a step ---- */

/* Its own health: `without` may hide it, and what is held is up whatever it is. */
static uint8_t health_of(const struct model *model, size_t row)
{
	const struct belief *belief = &guard_beliefs(model->rig.guard)->rows[row];

	switch ((enum belief_why)belief->why) {
	case BELIEF_SEEN:
	case BELIEF_FAILBACK:
	case BELIEF_RETURN:
		return belief->state;
	case BELIEF_OBSERVER:
	case BELIEF_LOSS:
	case BELIEF_EVIDENCE:
	case BELIEF_RAMP:
	case BELIEF_WITHOUT:
		return VERDICT_UP;
	}
	return VERDICT_UNKNOWN;
}

/* What a failover pool loses below its own members another of them takes over. */
static void check_limit(const struct model *model, uint32_t pool)
{
	struct sum sum = sum_of(model, pool);
	uint8_t percent = model->rig.pools[pool].loss_percent;

	if (model->rig.pools[pool].is_failover)
		return;
	if (percent < 100 && sum.lost_count > 1 && sum.lost * 100 > sum.total * (percent + 0.2))
		fail_at(model, "health took more than the limit");
}

/* Nothing that went had been seen down for long: so it may not have made the pool worse. */
static void check_evidence(const struct model *model, uint32_t pool, const struct sum *before)
{
	struct sum after = sum_of(model, pool);
	const struct guard_pool *this = &model->rig.pools[pool];

	if (judge(this, &after) > judge(this, before) ||
		(before->usable[0] > 0 && after.usable[0] == 0) ||
		(before->usable[1] > 0 && after.usable[1] == 0))
		fail_at(model, "one of the last went without the evidence that it takes");
}

struct removed {
	bool any[RIG_POOLS];	    /* health took something from the pool, or one below */
	bool is_patient[RIG_POOLS]; /* and of that something had been seen down long enough */
};

static void note_removal(struct model *model, size_t row, struct removed *removed)
{
	uint32_t id;
	const struct guard_member *member = member_of(model, row, &id);
	uint64_t down_ms = model->rows[row].down_ms;

	if (model->rig.overrides[id] != OVERRIDE_NONE || model->is_fresh)
		return;
	if (guard_observer(model->rig.guard)->is_suspect)
		fail_at(model, "an address went down while the observer is suspect");
	if (model->rig.is_stale)
		fail_at(model, "an address went down without news");
	if (guard_beliefs(model->rig.guard)->rows[row].seen != VERDICT_DOWN)
		fail_at(model, "an address went down that was not seen down");
	model->rows[row].lost_ms = model->rig.now_ms;
	for (uint32_t pool = 0; pool < model->rig.rules.pool_count; pool++) {
		if (!holds(model, pool, member->pool))
			continue;
		removed->any[pool] = true;
		removed->is_patient[pool] = removed->is_patient[pool] ||
			model->rig.now_ms - down_ms >= member->evidence_ms;
	}
}

static void note_recovery(struct model *model, size_t row)
{
	uint32_t id;
	const struct guard_pool *pool = &model->rig.pools[member_of(model, row, &id)->pool];
	uint64_t up_ms = model->rows[row].up_ms;

	if (model->rows[row].is_returned)
		return;
	if (pool->has_manual_return)
		fail_at(model, "an address came back without a word");
	if (up_ms == UINT64_MAX || model->rig.now_ms - up_ms < pool->failback_ms)
		fail_at(model, "an address came back before its delay was over");
}

/* What is seen, and since when. */
static void note_seen(struct model *model)
{
	const struct belief_table *beliefs = guard_beliefs(model->rig.guard);

	for (size_t i = 0; i < model->rig.target_count; i++) {
		uint8_t seen = beliefs->rows[i].seen;
		bool was_down = model->rows[i].health == VERDICT_DOWN;

		if (seen != VERDICT_DOWN)
			model->rows[i].down_ms = UINT64_MAX;
		else if (model->rows[i].down_ms == UINT64_MAX)
			model->rows[i].down_ms = model->rig.now_ms;
		if (!was_down || seen == VERDICT_DOWN || seen == VERDICT_UNKNOWN)
			model->rows[i].up_ms = UINT64_MAX;
		else if (model->rows[i].up_ms == UINT64_MAX)
			model->rows[i].up_ms = model->rig.now_ms;
		if (seen == VERDICT_DOWN)
			model->rows[i].is_returned = false;
	}
}

/* What no need touches is what the reference makes of its addresses. */
static void check_pools(const struct model *model)
{
	for (uint32_t pool = 0; pool < model->rig.rules.pool_count; pool++) {
		struct sum sum = sum_of(model, pool);

		if (model->rig.pools[pool].needs == GUARD_NONE &&
			guard_pools(model->rig.guard)[pool].state !=
				judge(&model->rig.pools[pool], &sum))
			fail_at(model, "a pool is not what its addresses make it");
	}
}

static void take_recoveries(struct model *model)
{
	for (size_t i = 0; i < model->rig.target_count; i++) {
		uint8_t is = health_of(model, i);

		if (is == VERDICT_DOWN)
			continue;
		if (model->rows[i].health == VERDICT_DOWN && !model->is_fresh)
			note_recovery(model, i);
		model->rows[i].up_ms = UINT64_MAX;
		model->rows[i].is_returned = false;
		model->rows[i].health = is;
	}
}

static void take_removals(struct model *model, struct removed *removed)
{
	for (size_t i = 0; i < model->rig.target_count; i++) {
		if (model->rows[i].health == VERDICT_DOWN || health_of(model, i) != VERDICT_DOWN)
			continue;
		note_removal(model, i, removed);
		model->rows[i].health = VERDICT_DOWN;
	}
}

static void check_step(struct model *model)
{
	struct sum before[RIG_POOLS];
	struct removed removed = {0};

	note_seen(model);
	take_recoveries(model);
	for (uint32_t pool = 0; pool < model->rig.rules.pool_count; pool++)
		before[pool] = sum_of(model, pool);
	take_removals(model, &removed);
	for (uint32_t pool = 0; pool < model->rig.rules.pool_count; pool++) {
		if (!removed.any[pool])
			continue;
		check_limit(model, pool);
		if (!removed.is_patient[pool])
			check_evidence(model, pool, &before[pool]);
	}
	check_pools(model);
	if (guard_due_at_ms(model->rig.guard) <= model->rig.now_ms)
		fail_at(model, "it is due in the past");
	model->is_fresh = false;
}

static void note_met(struct model *model)
{
	const struct belief_table *beliefs = guard_beliefs(model->rig.guard);

	model->met->steps++;
	model->met->suspicions += guard_observer(model->rig.guard)->is_suspect;
	for (size_t i = 0; i < model->rig.target_count; i++)
		model->met->whys[beliefs->rows[i].why]++;
	for (size_t i = 0; i < model->rig.rules.pool_count; i++)
		model->met->pools[guard_pools(model->rig.guard)[i].state]++;
}

/* ---- what happens ---- */

static bool step_at(struct model *model, uint64_t now_ms)
{
	char letters[RIG_TARGETS + 1];
	bool has_changed = rig_step(&model->rig, now_ms);

	model->step++;
	check_step(model);
	note_met(model);
	rig_believed(&model->rig, letters); /* which has its own doubts */
	if (rig_step(&model->rig, now_ms))
		fail_at(model, "the same again is a change");
	return has_changed;
}

static void pass_time(struct model *model, uint64_t span_ms)
{
	uint64_t until_ms = model->rig.now_ms + span_ms;

	for (;;) {
		uint64_t due_ms = guard_due_at_ms(model->rig.guard);
		uint64_t quiet_ms = (due_ms <= until_ms ? due_ms : until_ms + 1) - 1;

		if (quiet_ms > model->rig.now_ms && step_at(model, quiet_ms))
			fail_at(model, "something changed that was not due");
		if (due_ms > until_ms)
			return;
		step_at(model, due_ms);
	}
}

static void show(struct model *model, size_t target, uint8_t state)
{
	struct verdict *row = &model->rig.rows[target];

	row->state = state;
	rig_check(&model->rig, row);
	row->last_passed = state != VERDICT_DOWN;
}

/* Targets change, one or many at once. */
static void show_some(struct model *model)
{
	uint32_t some = PICK_OF(model, 1, 1, 2, 5, 20);
	uint8_t state = (uint8_t)PICK_OF(
		model, VERDICT_UP, VERDICT_UP, VERDICT_DOWN, VERDICT_DOWN, VERDICT_DEGRADED);

	if (model->rig.is_stale)
		return;
	for (uint32_t i = 0; i < some; i++)
		show(model, pick(model, (uint32_t)model->rig.target_count), state);
	step_at(model, model->rig.now_ms + pick(model, 2));
}

/* All are checked again, and are what they are. */
static void show_all(struct model *model)
{
	if (model->rig.is_stale)
		return;
	rig_show(&model->rig, "");
	step_at(model, model->rig.now_ms);
}

static void override_one(struct model *model)
{
	uint32_t id = pick(model, (uint32_t)model->rig.rules.member_count);
	bool is_pool = model->rig.members[id].child != GUARD_NONE;

	model->rig.overrides[id] = (uint8_t)PICK_OF(
		model, OVERRIDE_NONE, OVERRIDE_NONE, OVERRIDE_DRAIN, OVERRIDE_DOWN, OVERRIDE_UP);
	if (is_pool && model->rig.overrides[id] == OVERRIDE_UP)
		model->rig.overrides[id] = OVERRIDE_NONE;
	step_at(model, model->rig.now_ms);
}

static void return_one(struct model *model, uint32_t id)
{
	const struct belief_table *beliefs = guard_beliefs(model->rig.guard);
	size_t count = 0;

	for (uint32_t i = beliefs->first[id]; i < beliefs->first[id + 1]; i++)
		if (beliefs->rows[i].why == BELIEF_RETURN && !model->rows[i].is_returned) {
			model->rows[i].is_returned = true;
			count++;
		}
	if (guard_return(model->rig.guard, id) != count)
		fail_at(model, "a word lets back others than those who wait");
	step_at(model, model->rig.now_ms);
}

static void restart(struct model *model)
{
	struct guard *next = guard_new();
	struct text bytes = {0};
	struct err err;

	guard_write(model->rig.guard, &bytes);
	guard_set_rules(next, &model->rig.rules);
	if (!guard_read(next, bytes.bytes, bytes.size, model->rig.now_ms, &err))
		fail_at(model, err.text);
	guard_free(model->rig.guard);
	model->rig.guard = next;
	text_done(&bytes);
	step_at(model, model->rig.now_ms);
}

static void something(struct model *model)
{
	static const uint32_t spans_ms[] = {1, 100, 1000, 5000, 20000, 70000};

	switch (pick(model, 16)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		show_some(model);
		return;
	case 5:
	case 6:
		show_all(model);
		return;
	case 7:
		override_one(model);
		return;
	case 8:
		return_one(model, pick(model, (uint32_t)model->rig.rules.member_count));
		return;
	case 9:
		restart(model);
		return;
	case 10:
		rig_use(&model->rig);
		step_at(model, model->rig.now_ms);
		return;
	case 11:
		model->rig.is_stale = pick(model, 3) == 0;
		step_at(model, model->rig.now_ms);
		return;
	default:
		pass_time(model, pick_of(model, spans_ms, COUNT_OF(spans_ms)));
		return;
	}
}

/* ---- the end ---- */

/* Nothing happens any more but that each is checked again and again; some pass, and each who waits gets a word. */
static void come_to_rest(struct model *model)
{
	struct rig *rig = &model->rig;

	rig->is_stale = false;
	memset(rig->overrides, 0, sizeof(rig->overrides));
	show(model, 0, VERDICT_UP);
	show(model, rig->target_count - 1, VERDICT_UP); /* a canary */
	for (size_t i = 0; i < 4 * rig->target_count; i++) {
		rig_show(rig, "");
		step_at(model, rig->now_ms);
		for (uint32_t id = 0; id < rig->rules.member_count; id++)
			return_one(model, id);
		pass_time(model, MINUTE_MS);
	}
}

static void check_rest(const struct model *model)
{
	const struct belief_table *beliefs = guard_beliefs(model->rig.guard);

	if (guard_observer(model->rig.guard)->is_suspect)
		fail_at(model, "it is still suspect");
	if (guard_due_at_ms(model->rig.guard) != UINT64_MAX)
		fail_at(model, "something is still due");
	for (size_t i = 0; i < model->rig.target_count; i++) {
		const struct belief *belief = &beliefs->rows[i];
		bool has_return = belief->why == BELIEF_FAILBACK && belief->seen == VERDICT_UNKNOWN;

		if (belief->state != belief->seen && belief->why != BELIEF_WITHOUT && !has_return)
			fail_at(model, "what is believed is still not what is seen");
	}
}

static void run_world(uint64_t seed, struct met *met)
{
	struct model model = {.seed = seed, .met = met};

	random_seed_with(&model.random, seed);
	make_world(&model);
	step_at(&model, model.rig.now_ms);
	for (size_t i = 0; i < EVENTS_IN_WORLD; i++)
		something(&model);
	come_to_rest(&model);
	check_rest(&model);
	rig_done(&model.rig);
}

static void random_worlds(void **state)
{
	struct met met = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++)
		run_world(seed, &met);
	assert_true(met.steps >= STEPS_AT_LEAST);
	assert_true(met.suspicions > 0);
	for (size_t i = 0; i < COUNT_OF(met.whys); i++)
		if (met.whys[i] < 1000)
			fail_msg("why %zu was met %zu times only", i, met.whys[i]);
	for (size_t i = 0; i < COUNT_OF(met.pools); i++)
		if (met.pools[i] < 1000)
			fail_msg("state %zu of a pool was met %zu times only", i, met.pools[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
