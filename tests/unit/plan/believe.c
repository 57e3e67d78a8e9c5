/* SPDX-License-Identifier: Apache-2.0 */
#include "believe.h"

#include <stdlib.h>

#include "steerd/base/memory.h"

/* The rows of the last member that has begun end at first[member_count]. */
static void add_row(struct belief_table *table, size_t *capacity, const struct address *address,
	const struct verdict *row)
{
	uint8_t state = row ? row->state : VERDICT_UP;
	uint32_t *end = &table->first[table->member_count];

	table->rows = MEMORY_GROW(table->rows, *end, capacity);
	table->rows[(*end)++] = (struct belief){
		.address = *address,
		.seen = state,
		.state = state,
		.share = state == VERDICT_DOWN ? 0 : BELIEF_WHOLE,
		.since_unix_s = row ? row->since_unix_s : 0,
	};
}

static void add_member(const struct snapshot_member *checked, const struct settings_member *member,
	const struct verdict_table *verdicts, struct belief_table *table, size_t *capacity)
{
	const target_id *targets = checked->check_count > 0 ? checked->checks[0].targets : NULL;
	const struct verdict *rows = NULL;
	size_t count = 0;

	if (member->host)
		rows = verdict_table_find(verdicts, targets[0], &count);
	for (size_t i = 0; i < count; i++)
		add_row(table, capacity, &rows[i].address, &rows[i]);
	for (size_t i = 0; i < member->address_count; i++) {
		if (targets)
			rows = verdict_table_find(verdicts, targets[i], &count);
		add_row(table, capacity, &member->addresses[i], count > 0 ? rows : NULL);
	}
}

void believe(const struct snapshot *snapshot, const struct verdict_table *verdicts,
	struct believed *ret_believed)
{
	const struct settings *settings = snapshot->settings;
	struct belief_table table = {0};
	size_t capacity = 0;

	table.first = memory_new((snapshot->member_count + 1) * sizeof(table.first[0]));
	while (table.member_count < snapshot->member_count) {
		const struct snapshot_member *at = &snapshot->members[table.member_count++];

		table.first[table.member_count] = table.first[table.member_count - 1];
		add_member(at, &settings->pools[at->pool].members[at->member], verdicts, &table,
			&capacity);
	}
	ret_believed->beliefs = table;
	ret_believed->pools = memory_new(settings->pool_count * sizeof(ret_believed->pools[0]));
}

void believed_done(struct believed *believed)
{
	belief_table_done(&believed->beliefs);
	free(believed->pools);
}

struct plan *believe_plan(const struct snapshot *snapshot, const struct verdict_table *verdicts,
	const struct override_list *overrides, const struct plan *previous)
{
	struct believed believed;

	believe(snapshot, verdicts, &believed);

	const struct plan_beliefs beliefs = {&believed.beliefs, believed.pools};
	struct plan *plan = plan_build(snapshot, &beliefs, overrides, previous);

	believed_done(&believed);
	return plan;
}
