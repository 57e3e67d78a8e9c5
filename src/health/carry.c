/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/health/verdict.h"

/* The old targets in the order of their keys, to find one in. */
struct key_index {
	const struct target **sorted;
	size_t count;
	const struct target *first; /* of the list: gives the id back */
};

static int compare_keys(const void *a, const void *b)
{
	const struct target *const *left = a;
	const struct target *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

static struct key_index index_keys(const struct target_list *list)
{
	struct key_index index = {.count = list ? list->count : 0};

	if (index.count == 0)
		return index;
	index.first = list->targets;
	index.sorted = memory_new(index.count * sizeof(index.sorted[0]));
	for (size_t i = 0; i < index.count; i++)
		index.sorted[i] = &list->targets[i];
	qsort(index.sorted, index.count, sizeof(index.sorted[0]), compare_keys);
	return index;
}

static target_id old_id_of(const struct key_index *index, const struct target *target)
{
	if (index->count == 0)
		return TARGET_NONE;

	const struct target **found = bsearch(
		&target, index->sorted, index->count, sizeof(index->sorted[0]), compare_keys);

	return found ? (target_id)(*found - index->first) : TARGET_NONE;
}

static void add_row(struct verdict_table *table, size_t *capacity, const struct verdict *row)
{
	table->rows = MEMORY_GROW(table->rows, table->count, capacity);
	table->rows[table->count++] = *row;
}

static struct verdict new_row(const struct target *target, uint64_t now_unix_s)
{
	return (struct verdict){
		.address = target->address,
		.state = VERDICT_UNKNOWN,
		.since_unix_s = now_unix_s,
	};
}

/* Whatever `previous` says, a target that nobody checks is up, and nothing holds it down. */
static struct verdict kept_row(
	const struct verdict *row, const struct target *target, target_id id, uint64_t now_unix_s)
{
	struct verdict kept = *row;

	if (target->monitor == TARGET_NONE && kept.state != VERDICT_UP)
		kept = (struct verdict){
			.address = row->address,
			.state = VERDICT_UP,
			.since_unix_s = now_unix_s,
		};
	kept.target = id;
	return kept;
}

void verdict_table_carry(const struct target_list *targets, const struct verdict_table *previous,
	const struct target_list *previous_targets, uint64_t now_unix_s,
	struct verdict_table *ret_table)
{
	struct key_index index = index_keys(previous ? previous_targets : NULL);
	struct verdict_table table = {.generation = targets->generation};
	size_t capacity = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->targets[i];
		struct verdict fresh = new_row(target, now_unix_s);
		target_id old = old_id_of(&index, target);
		size_t count = 0;
		const struct verdict *rows =
			old == TARGET_NONE ? NULL : verdict_table_find(previous, old, &count);

		if (!target->host) {
			/* exactly one row, for this very address, whatever an old file says */
			bool is_known =
				count == 1 && address_is_equal(&rows[0].address, &target->address);

			rows = is_known ? rows : &fresh;
			count = 1;
		}
		for (size_t k = 0; k < count; k++) {
			struct verdict kept = kept_row(&rows[k], target, (target_id)i, now_unix_s);

			add_row(&table, &capacity, &kept);
		}
	}
	free(index.sorted);
	*ret_table = table;
}
