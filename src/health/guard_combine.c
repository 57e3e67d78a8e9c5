/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_combine.h"

#include <stdbool.h>

/* One address of one member, and where what is seen of it stands. */
struct subject {
	const struct guard_member *member;
	const struct guard_view *view;
	size_t index;
	const struct address *address;
};

const struct verdict *guard_combine_rows(
	const struct guard_view *view, target_id target, size_t *ret_count)
{
	*ret_count = 0;
	if (target >= view->target_count)
		return NULL;
	*ret_count = view->first[target + 1] - view->first[target];
	return view->table->rows + view->first[target];
}

static enum verdict_state seen_by_one(
	const struct guard_condition *condition, const struct subject *subject)
{
	target_id target = condition->targets[subject->member->is_host ? 0 : subject->index];
	size_t count;

	if (target == TARGET_NONE)
		return VERDICT_UP;

	const struct verdict *rows = guard_combine_rows(subject->view, target, &count);

	for (size_t i = 0; i < count; i++)
		if (address_is_equal(&rows[i].address, subject->address))
			return (enum verdict_state)rows[i].state;
	return VERDICT_UNKNOWN;
}

static enum verdict_state seen_by_enough(
	const struct guard_condition *condition, const size_t counts[static VERDICT_DOWN + 1])
{
	size_t wanted = condition->at_least;
	size_t up = counts[VERDICT_UP];
	size_t unknown = counts[VERDICT_UNKNOWN];

	if (up + unknown + counts[VERDICT_DEGRADED] < wanted)
		return VERDICT_DOWN;
	if (up + unknown < wanted)
		return VERDICT_DEGRADED;
	return up > 0 || wanted == 0 ? VERDICT_UP : VERDICT_UNKNOWN;
}

static enum verdict_state opposite(enum verdict_state state)
{
	switch (state) {
	case VERDICT_UNKNOWN:
		return VERDICT_UNKNOWN;
	case VERDICT_UP:
	case VERDICT_DEGRADED:
		return VERDICT_DOWN;
	case VERDICT_DOWN:
		return VERDICT_UP;
	}
	return VERDICT_UNKNOWN;
}

/* Recursive, but no deeper than GUARD_DEPTH_MAX, which the reader of the configuration sees to. */
static enum verdict_state seen(
	const struct guard_condition *condition, const struct subject *subject)
{
	size_t counts[VERDICT_DOWN + 1] = {0};

	switch (condition->kind) {
	case GUARD_TARGETS:
		return seen_by_one(condition, subject);
	case GUARD_NOT:
		return opposite(seen(&condition->items[0], subject));
	case GUARD_AT_LEAST:
		for (size_t i = 0; i < condition->item_count; i++)
			counts[seen(&condition->items[i], subject)]++;
		return seen_by_enough(condition, counts);
	}
	return VERDICT_UNKNOWN;
}

enum verdict_state guard_combine(const struct guard_member *member, const struct guard_view *view,
	size_t index, const struct address *address)
{
	const struct subject subject = {member, view, index, address};

	return member->condition ? seen(member->condition, &subject) : VERDICT_UP;
}

struct visit {
	const struct guard_member *member;
	guard_combine_fn each;
	void *context;
};

static void visit_targets(const struct guard_condition *condition, const struct visit *visit)
{
	size_t count = visit->member->is_host ? 1 : visit->member->address_count;

	for (size_t i = 0; i < condition->item_count; i++)
		visit_targets(&condition->items[i], visit);
	for (size_t i = 0; condition->kind == GUARD_TARGETS && i < count; i++)
		if (condition->targets[i] != TARGET_NONE)
			visit->each(visit->context, condition->targets[i]);
}

void guard_combine_targets(const struct guard_member *member, guard_combine_fn each, void *context)
{
	const struct visit visit = {member, each, context};

	if (member->condition)
		visit_targets(member->condition, &visit);
}
