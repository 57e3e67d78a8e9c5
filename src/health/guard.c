/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/guard.h"

#include <stdlib.h>

#include "guard_combine.h"
#include "guard_hold.h"
#include "guard_observer.h"
#include "guard_pools.h"
#include "guard_rows.h"
#include "steerd/base/memory.h"

/* Before the first ones. */
static const struct guard_rules no_rules = {.canaries = GUARD_NONE, .suspect_percent = 100};

struct guard *guard_new(void)
{
	struct guard *guard = memory_new(sizeof(*guard));

	guard->rules = &no_rules;
	guard->beliefs.first = memory_new(sizeof(guard->beliefs.first[0]));
	guard->due_ms = GUARD_NEVER;
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	belief_table_done(&guard->beliefs);
	free(guard->rows);
	free(guard->pools);
	guard_pools_done(&guard->capacity);
	guard_observer_done(&guard->sights);
	free(guard);
}

void guard_set_rules(struct guard *guard, const struct guard_rules *rules)
{
	const struct guard_rules *before = guard->rules;
	size_t count;

	guard->rules = rules;
	guard->is_fresh = true;
	guard_pools_set_rules(guard, before);

	struct guard_known *known = guard_rows_carry(guard, before, &count);

	guard_rows_make(guard, known, count, NULL);
	free(known);
}

/* `at_ms` as if the clock had stood still since the prober was heard last. */
static uint64_t without_silence(const struct guard *guard, uint64_t at_ms)
{
	if (at_ms == GUARD_NEVER)
		return GUARD_NEVER;
	return at_ms < guard->heard_ms ? at_ms + (guard->now_ms - guard->heard_ms) : guard->now_ms;
}

/* What was seen for so long was not while nobody looked. */
static void end_silence(struct guard *guard)
{
	for (size_t i = 0; i < guard_rows_count(guard); i++) {
		guard->rows[i].down_ms = without_silence(guard, guard->rows[i].down_ms);
		guard->rows[i].up_ms = without_silence(guard, guard->rows[i].up_ms);
	}
	guard->sights.since_ms = without_silence(guard, guard->sights.since_ms);
}

static void take_time(struct guard *guard, const struct guard_input *input)
{
	if (input->now_ms > guard->now_ms)
		guard->now_ms = input->now_ms;
	guard->now_unix_s = input->now_unix_s;
	guard->due_ms = GUARD_NEVER;
	if (guard->is_silent && !input->is_stale)
		end_silence(guard);
	if (!input->is_stale)
		guard->heard_ms = guard->now_ms;
	guard->is_silent = input->is_stale;
}

bool guard_step(struct guard *guard, const struct guard_input *input)
{
	take_time(guard, input);

	bool has_other_rows = guard_observer_follow(guard, input->verdicts);
	const struct guard_view view = {
		input->verdicts, guard->sights.first, guard->sights.target_count};
	bool has_changed = has_other_rows && guard_rows_follow(guard, &view);

	has_changed = guard_observer_look(guard, input) || has_changed;
	has_changed = guard_hold_see(guard, input, &view) || has_changed;
	guard_pools_count(guard, input);
	guard_hold_let_go(guard, input);
	for (size_t i = 0; i < guard->rules->pool_count; i++) {
		uint32_t pool = guard->capacity.order[i];

		has_changed = guard_hold_publish(guard, pool) || has_changed;
		has_changed = guard_pools_publish(guard, input, pool) || has_changed;
	}
	guard->is_fresh = false;
	return has_changed;
}

uint64_t guard_due_at_ms(const struct guard *guard)
{
	return guard->due_ms;
}

const struct belief_table *guard_beliefs(const struct guard *guard)
{
	return &guard->beliefs;
}

const struct guard_pool_state *guard_pools(const struct guard *guard)
{
	return guard->pools;
}

const struct guard_observer *guard_observer(const struct guard *guard)
{
	return &guard->sights.shown;
}

size_t guard_return(struct guard *guard, uint32_t member)
{
	size_t count = 0;

	for (uint32_t i = guard->beliefs.first[member]; i < guard->beliefs.first[member + 1]; i++) {
		if (guard->rows[i].health != VERDICT_DOWN || guard->rows[i].hold != BELIEF_RETURN ||
			guard->rows[i].is_returned)
			continue;
		guard->rows[i].is_returned = true;
		count++;
	}
	return count;
}
