/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/health/verdict.c */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/health/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes are refused, or are a table that is written back as the very same bytes. */
static void try_table(const uint8_t *data, size_t size)
{
	struct verdict_table table;
	struct text again = {0};
	struct err err;

	if (!verdict_table_read(data, size, &table, &err))
		return;
	verdict_table_write(&table, &again);
	assert(again.size == size && memcmp(again.bytes, data, size) == 0);
	text_done(&again);
	verdict_table_done(&table);
}

/* As they are, and with a checksum that fits, which no chance would find. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text sealed = {0};

	try_table(data, size);
	text_add_bytes(&sealed, data, size);
	bytes_write_u32(&sealed, bytes_crc32(data, size));
	try_table((const uint8_t *)sealed.bytes, sealed.size);
	text_done(&sealed);
	return 0;
}
