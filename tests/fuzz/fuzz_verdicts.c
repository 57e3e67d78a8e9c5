/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/health/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes are refused, or are a table that is written back as the very same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict_table table;
	struct text again = {0};
	struct err err;

	if (!verdict_table_read(data, size, &table, &err))
		return 0;
	verdict_table_write(&table, &again);
	assert(again.size == size && memcmp(again.bytes, data, size) == 0);
	text_done(&again);
	verdict_table_done(&table);
	return 0;
}
