/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_hold.h"

#include "guard_pools.h"
#include "guard_rows.h"

/* The share of one that has just come back is one part of so many; no plan is made more often than once a second for it. */
#define RAMP_PARTS 16
#define RAMP_STEP_MIN_MS 1000

static const struct guard_pool *pool_of(const struct guard *guard, const struct guard_row *row)
{
	return &guard->rules->pools[guard->rules->members[row->member].pool];
}

/* ---- up ---- */

static void come_back(struct guard *guard, struct guard_row *row, uint8_t seen)
{
	row->health = seen;
	row->up_ms = GUARD_NEVER;
	row->is_returned = false;
	row->hold = BELIEF_SEEN;
	row->ramp_ms = pool_of(guard, row)->slow_start_ms > 0 ? guard->now_ms : GUARD_NEVER;
}

/* What was believed down and is not seen down any more. */
static void recover(
	struct guard *guard, const struct guard_input *input, struct guard_row *row, uint8_t seen)
{
	const struct guard_pool *pool = pool_of(guard, row);

	if (seen == VERDICT_UNKNOWN) {
		/* its monitor is another one and has not said anything yet */
		row->up_ms = GUARD_NEVER;
		row->hold = BELIEF_FAILBACK;
		return;
	}
	if (row->up_ms == GUARD_NEVER)
		row->up_ms = guard->now_ms;
	if (row->is_returned) {
		come_back(guard, row, seen);
		return;
	}

	bool is_early = guard->now_ms - row->up_ms < pool->failback_ms;

	if (is_early && !input->is_stale)
		guard_rows_wake(guard, row->up_ms + pool->failback_ms);
	if (input->is_stale && row->hold == BELIEF_RETURN)
		return; /* as it was */
	if (is_early || input->is_stale)
		row->hold = BELIEF_FAILBACK;
	else if (pool->has_manual_return)
		row->hold = BELIEF_RETURN;
	else
		come_back(guard, row, seen);
}

static void see(
	struct guard *guard, const struct guard_input *input, struct guard_row *row, uint8_t seen)
{
	row->was_up = row->was_up || seen == VERDICT_UP || seen == VERDICT_DEGRADED;
	/* what is known when rules come into force is taken as it is, unless it may be our own fault */
	if (row->is_new && guard->is_fresh &&
		!(seen == VERDICT_DOWN && guard->sights.shown.is_suspect))
		row->health = seen;
	row->is_new = false;
	if (seen == VERDICT_DOWN) {
		if (row->down_ms == GUARD_NEVER)
			row->down_ms = guard->now_ms;
		row->up_ms = GUARD_NEVER;
		row->is_returned = false;
		if (row->health == VERDICT_DOWN)
			row->hold = BELIEF_SEEN;
		return;
	}
	row->down_ms = GUARD_NEVER;
	if (row->health == VERDICT_DOWN) {
		recover(guard, input, row, seen);
		return;
	}
	row->health = seen;
	row->hold = BELIEF_SEEN;
}

bool guard_hold_see(
	struct guard *guard, const struct guard_input *input, const struct guard_view *view)
{
	bool has_changed = false;

	for (uint32_t id = 0; id < guard->beliefs.member_count; id++) {
		const struct guard_member *member = &guard->rules->members[id];
		uint32_t first = guard->beliefs.first[id];

		for (uint32_t i = first; i < guard->beliefs.first[id + 1]; i++) {
			struct belief *belief = &guard->beliefs.rows[i];
			uint8_t seen =
				(uint8_t)guard_combine(member, view, i - first, &belief->address);

			has_changed = has_changed || belief->seen != seen;
			belief->seen = seen;
			see(guard, input, &guard->rows[i], seen);
		}
	}
	return has_changed;
}

/* ---- down ---- */

static void remember(struct guard_capacity *capacity, uint32_t pool)
{
	capacity->before[pool] = capacity->sums[pool];
}

/* The pools on the way up, as they are before something is tried. */
static void remember_all(struct guard *guard, uint32_t pool)
{
	struct guard_capacity *capacity = &guard->capacity;

	remember(capacity, pool);
	for (uint32_t i = capacity->edge_first[pool]; i < capacity->edge_first[pool + 1]; i++)
		remember(capacity, guard->rules->members[capacity->edges[i]].pool);
}

/* One address may go whatever it takes with it: else a pool of few could lose none. */
static bool is_too_much(const struct guard_pool *pool, const struct guard_account *before,
	const struct guard_account *after)
{
	return before->lost > 0 && pool->loss_percent < 100 &&
		guard_pools_compare(after->lost, after->total, pool->loss_percent) > 0;
}

/* What is left then is nothing for one kind of query, or counts as nothing. */
static bool is_one_of_the_last(const struct guard_pool *pool, const struct guard_account *before,
	const struct guard_account *after)
{
	for (size_t i = 0; i < 2; i++)
		if (before->usable[i] > 0 && after->usable[i] == 0)
			return true;
	return guard_pools_judge(pool, after) > guard_pools_judge(pool, before);
}

/* Why a pool cannot do without what has just been taken from its sum; `row` is what was. */
static enum belief_why judge_pool(
	const struct guard *guard, const struct guard_row *row, uint32_t pool)
{
	const struct guard_pool *this = &guard->rules->pools[pool];
	const struct guard_account *before = &guard->capacity.before[pool];
	const struct guard_account *after = &guard->capacity.sums[pool];
	uint32_t evidence_ms = guard->rules->members[row->member].evidence_ms;
	bool is_own = pool == guard->rules->members[row->member].pool;

	/* what one member of a failover pool loses the next one takes over: no more is lost by that */
	if ((is_own || !this->is_failover) && is_too_much(this, before, after))
		return BELIEF_LOSS;
	if (is_one_of_the_last(this, before, after) && guard->now_ms - row->down_ms < evidence_ms)
		return BELIEF_EVIDENCE;
	return BELIEF_SEEN;
}

/* The same of all pools on the way up: the limit comes before the evidence, for it takes longer. */
static enum belief_why judge_all(const struct guard *guard, const struct guard_row *row)
{
	const struct guard_capacity *capacity = &guard->capacity;
	uint32_t pool = guard->rules->members[row->member].pool;
	enum belief_why why = judge_pool(guard, row, pool);

	for (uint32_t i = capacity->edge_first[pool];
		why != BELIEF_LOSS && i < capacity->edge_first[pool + 1]; i++) {
		uint32_t above = guard->rules->members[capacity->edges[i]].pool;
		enum belief_why this = judge_pool(guard, row, above);

		why = this != BELIEF_SEEN && why != BELIEF_LOSS ? this : why;
	}
	return why;
}

/* Takes the row's address from its pools, and gives it back if that must not be yet. */
static enum belief_why try_without(
	struct guard *guard, const struct guard_input *input, size_t index)
{
	const struct guard_row *row = &guard->rows[index];
	size_t family = guard_pools_family(&guard->beliefs.rows[index].address);
	struct guard_account whole = guard->capacity.parts[row->member];
	struct guard_account part = whole;

	/* one that goes a second time within the minute is no second loss, and not the first of others */
	if (row->lost_ms != GUARD_NEVER && guard->now_ms - row->lost_ms < GUARD_POOLS_LOSS_MS) {
		part.lost -= row->capacity;
		guard_pools_put(guard, input, row->member, &part);
	}
	remember_all(guard, guard->rules->members[row->member].pool);
	part.left -= row->capacity;
	part.lost += row->capacity;
	part.usable[family]--;
	part.sound = part.usable[0] + part.usable[1] > 0;
	guard_pools_put(guard, input, row->member, &part);

	enum belief_why why = judge_all(guard, row);

	if (why != BELIEF_SEEN)
		guard_pools_put(guard, input, row->member, &whole);
	return why;
}

static void go_down(struct guard_row *row)
{
	row->health = VERDICT_DOWN;
	row->hold = BELIEF_SEEN;
	row->ramp_ms = GUARD_NEVER;
	row->up_ms = GUARD_NEVER;
}

static bool is_held_already(const struct guard_row *row)
{
	return row->hold == BELIEF_OBSERVER || row->hold == BELIEF_LOSS ||
		row->hold == BELIEF_EVIDENCE;
}

static void try_to_go(struct guard *guard, const struct guard_input *input, size_t index)
{
	struct guard_row *row = &guard->rows[index];
	uint32_t evidence_ms = guard->rules->members[row->member].evidence_ms;

	if (guard_pools_override(input, row->member) != OVERRIDE_NONE) {
		go_down(row);
		return;
	}
	if (guard->sights.shown.is_suspect) {
		row->hold = BELIEF_OBSERVER;
		return;
	}
	if (input->is_stale) {
		row->hold = is_held_already(row) ? row->hold : BELIEF_EVIDENCE;
		return;
	}
	row->hold = (uint8_t)try_without(guard, input, index);
	if (row->hold == BELIEF_EVIDENCE)
		guard_rows_wake(guard, row->down_ms + evidence_ms);
	if (row->hold != BELIEF_SEEN)
		return;
	go_down(row);
	row->lost_ms = guard->now_ms;
}

/* When what went within the last minute does not count any more. */
static void wake_for_loss(struct guard *guard)
{
	for (size_t i = 0; i < guard_rows_count(guard); i++)
		if (guard->rows[i].lost_ms != GUARD_NEVER)
			guard_rows_wake(guard, guard->rows[i].lost_ms + GUARD_POOLS_LOSS_MS);
}

/* What came of one look at all that fail. */
struct round {
	size_t gone;
	size_t held;
	size_t held_for_loss;
};

static struct round let_go_once(struct guard *guard, const struct guard_input *input)
{
	struct round round = {0};

	for (size_t i = 0; i < guard_rows_count(guard); i++) {
		const struct guard_row *row = &guard->rows[i];

		if (guard->beliefs.rows[i].seen != VERDICT_DOWN || row->health == VERDICT_DOWN)
			continue;
		try_to_go(guard, input, i);
		round.gone += row->health == VERDICT_DOWN;
		round.held += row->health != VERDICT_DOWN;
		round.held_for_loss += row->hold == BELIEF_LOSS;
	}
	return round;
}

void guard_hold_let_go(struct guard *guard, const struct guard_input *input)
{
	struct round round;

	/* what goes may free an earlier one: of a pool that is in panic now the next are not the last any more */
	do
		round = let_go_once(guard, input);
	while (round.gone > 0 && round.held > 0);
	if (round.held_for_loss > 0 && !input->is_stale)
		wake_for_loss(guard);
}

/* ---- what is published ---- */

/* In parts of BELIEF_WHOLE. */
static uint8_t ramp_of(struct guard *guard, struct guard_row *row)
{
	uint32_t slow_ms = pool_of(guard, row)->slow_start_ms;
	uint32_t step_ms = slow_ms / (RAMP_PARTS - 1);
	uint64_t done_ms;

	if (row->ramp_ms == GUARD_NEVER)
		return BELIEF_WHOLE;
	if (guard->now_ms - row->ramp_ms >= slow_ms) {
		row->ramp_ms = GUARD_NEVER;
		return BELIEF_WHOLE;
	}
	step_ms = step_ms > RAMP_STEP_MIN_MS ? step_ms : RAMP_STEP_MIN_MS;
	done_ms = (guard->now_ms - row->ramp_ms) / step_ms * step_ms;
	guard_rows_wake(guard, row->ramp_ms + done_ms + step_ms);
	guard_rows_wake(guard, row->ramp_ms + slow_ms);
	return (uint8_t)(BELIEF_WHOLE / RAMP_PARTS * (1 + done_ms * (RAMP_PARTS - 1) / slow_ms));
}

static uint8_t share_of(struct guard *guard, struct guard_row *row, uint8_t state)
{
	unsigned share = ramp_of(guard, row);

	if (state == VERDICT_DOWN)
		return 0;
	if (state == VERDICT_DEGRADED)
		share = share * pool_of(guard, row)->degraded_share / BELIEF_WHOLE;
	return share > 0 ? (uint8_t)share : 1;
}

/* While what its pool needs is gone: what `without` says, unless it is worse already. */
static uint8_t state_of(const struct guard_row *row, const struct guard_pool *pool, bool is_without)
{
	uint8_t health = row->health;

	if (!is_without || health == VERDICT_DOWN || pool->without == VERDICT_UP)
		return health;
	return pool->without == VERDICT_DOWN ? VERDICT_DOWN : VERDICT_DEGRADED;
}

static uint8_t why_of(const struct guard_row *row, bool is_without)
{
	if (row->hold != BELIEF_SEEN || row->health == VERDICT_DOWN)
		return row->hold;
	if (is_without)
		return BELIEF_WITHOUT;
	return row->ramp_ms != GUARD_NEVER ? BELIEF_RAMP : BELIEF_SEEN;
}

static bool publish_row(struct guard *guard, size_t index, bool is_without)
{
	struct guard_row *row = &guard->rows[index];
	struct belief *belief = &guard->beliefs.rows[index];
	const struct belief before = *belief;

	belief->state = state_of(row, pool_of(guard, row), is_without);
	belief->share = share_of(guard, row, belief->state);
	belief->why = why_of(row, is_without);
	if (belief->state != before.state || before.since_unix_s == 0)
		belief->since_unix_s = guard->now_unix_s;
	return belief->state != before.state || belief->share != before.share ||
		belief->why != before.why;
}

bool guard_hold_publish(struct guard *guard, uint32_t pool)
{
	const struct guard_pool *this = &guard->rules->pools[pool];
	bool is_without = guard_pools_is_without(guard, pool);
	bool has_changed = false;

	for (size_t i = 0; i < this->member_count; i++) {
		uint32_t id = this->members[i];

		for (uint32_t k = guard->beliefs.first[id]; k < guard->beliefs.first[id + 1]; k++)
			has_changed = publish_row(guard, k, is_without) || has_changed;
	}
	return has_changed;
}
