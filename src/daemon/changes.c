/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <stdlib.h>

#include "steerd/base/memory.h"

bool changes_matter(const struct verdict_table *before, const struct verdict_table *after)
{
	if (before->count != after->count)
		return true;
	for (size_t i = 0; i < after->count; i++) {
		const struct verdict *old = &before->rows[i];
		const struct verdict *new = &after->rows[i];

		if (old->target != new->target || old->state != new->state ||
			old->last_passed != new->last_passed ||
			!address_is_equal(&old->address, &new->address))
			return true;
	}
	return false;
}

/* ---- whose target it is ---- */

struct owner {
	uint32_t member; /* id of the first member that has it */
	uint32_t others;
};

static struct owner *find_owners(const struct snapshot *snapshot)
{
	struct owner *owners = memory_new((snapshot->targets.count + 1) * sizeof(*owners));
	bool *is_owned = memory_new(snapshot->targets.count + 1);

	for (uint32_t id = 0; id < snapshot->member_count; id++) {
		const struct snapshot_member *member = &snapshot->members[id];

		for (size_t i = 0; i < member->check_count; i++)
			for (size_t k = 0; k < member->checks[i].target_count; k++) {
				target_id target = member->checks[i].targets[k];

				owners[target].others += is_owned[target];
				if (!is_owned[target])
					owners[target].member = id;
				is_owned[target] = true;
			}
	}
	free(is_owned);
	return owners;
}

/* "downloads/fra-1 192.0.2.10", how many others share the target, and which monitor it is of where there are several. */
static void print_subject(const struct snapshot *snapshot, const struct owner *owner,
	const struct verdict *row, struct text *lines)
{
	const struct snapshot_member *at = &snapshot->members[owner->member];
	const struct steer_pool *pool = &snapshot->pools[at->pool];
	uint32_t monitor = snapshot->targets.targets[row->target].monitor;
	char text[ADDRESS_TEXT_SIZE];

	address_print(&row->address, text);
	text_print(lines, "%s/%s %s", pool->name, pool->members[at->member].name, text);
	if (owner->others > 0)
		text_print(lines, " (and %u more member%s)", owner->others,
			owner->others == 1 ? "" : "s");
	if (at->check_count > 1 && monitor != TARGET_NONE)
		text_print(lines, ", monitor %s,", snapshot->settings->monitors[monitor].name);
}

static void print_state(
	const struct verdict *before, const struct verdict *after, struct text *lines)
{
	char span[TEXT_DURATION_SIZE];
	uint64_t since = before->since_unix_s;

	switch ((enum verdict_state)after->state) {
	case VERDICT_DOWN:
		text_print(lines, " went down: %u check%s failed in a row, last: %s\n",
			after->streak, after->streak == 1 ? "" : "s",
			*after->reason ? after->reason : "no reason given");
		return;
	case VERDICT_DEGRADED:
		text_print(lines, " is degraded: %s\n",
			*after->reason ? after->reason : "no reason given");
		return;
	case VERDICT_UP:
		if (before->state == VERDICT_UNKNOWN) {
			text_print(lines, " is up: its first check passed\n");
			return;
		}
		text_duration(since && after->since_unix_s > since
				? (after->since_unix_s - since) * 1000
				: 0,
			span);
		text_print(lines, " is up again after %s: %u check%s passed in a row\n", span,
			after->streak, after->streak == 1 ? "" : "s");
		return;
	case VERDICT_UNKNOWN:
		text_print(lines, " is unknown until it is checked\n");
		return;
	}
}

static int compare_rows(const struct verdict *a, const struct verdict *b)
{
	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return address_compare(&a->address, &b->address);
}

/* Both tables are sorted: walked together, each row of either is met once. */
struct walk {
	const struct verdict *before; /* NULL: only after has this row */
	const struct verdict *after;
	size_t i, j;
};

static bool walk_next(
	struct walk *walk, const struct verdict_table *before, const struct verdict_table *after)
{
	bool has_before = walk->i < before->count;
	bool has_after = walk->j < after->count;
	int order;

	if (!has_before && !has_after)
		return false;
	if (has_before && has_after)
		order = compare_rows(&before->rows[walk->i], &after->rows[walk->j]);
	else
		order = has_before ? -1 : 1;
	walk->before = order <= 0 ? &before->rows[walk->i++] : NULL;
	walk->after = order >= 0 ? &after->rows[walk->j++] : NULL;
	return true;
}

size_t changes_print(const struct snapshot *snapshot, const struct verdict_table *before,
	const struct verdict_table *after, struct text *ret_lines)
{
	struct owner *owners = NULL;
	struct walk walk = {0};
	size_t count = 0;

	while (walk_next(&walk, before, after)) {
		const struct verdict *row = walk.after ? walk.after : walk.before;

		if ((walk.before && walk.after && walk.before->state == walk.after->state) ||
			row->target >= snapshot->targets.count || ++count > CHANGES_LINES_MAX)
			continue;
		if (!owners)
			owners = find_owners(snapshot);
		print_subject(snapshot, &owners[row->target], row, ret_lines);
		if (!walk.before)
			text_print(ret_lines, " is new: host %s resolves to it\n",
				snapshot->targets.targets[row->target].host);
		else if (!walk.after)
			text_print(ret_lines, " is gone: host %s does not resolve to it any more\n",
				snapshot->targets.targets[row->target].host);
		else
			print_state(walk.before, walk.after, ret_lines);
	}
	if (count > CHANGES_LINES_MAX)
		text_print(ret_lines, "... and %zu more changes; 'steerctl status' shows all\n",
			count - CHANGES_LINES_MAX);
	free(owners);
	return count;
}
