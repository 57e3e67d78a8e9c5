/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/belief.h"

#include <stdlib.h>

#include "steerd/base/memory.h"

void belief_table_done(struct belief_table *table)
{
	free(table->first);
	free(table->rows);
	*table = (struct belief_table){0};
}

void belief_table_copy(const struct belief_table *table, struct belief_table *ret_copy)
{
	size_t bounds = table->member_count + 1;

	*ret_copy = (struct belief_table){
		.member_count = table->member_count,
		.first = memory_copy(table->first, bounds * sizeof(table->first[0])),
		.rows = memory_copy(
			table->rows, table->first[table->member_count] * sizeof(table->rows[0])),
	};
}
