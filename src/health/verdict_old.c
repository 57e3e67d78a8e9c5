/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
#include "steerd/health/verdict.h"

/*
 * A table as it stood in the state file before rows had a size: the first start after an upgrade goes on from it.
 *
 *	"SVT1"  generation:8  count:4  row...  crc:4 (of all before it)
 *
 *	target:4  family:1  address:4|16  state:1  since:8  checked:8  latency:4  streak:2  passed:1
 *	length:2  reason
 */
static const char magic[4] = {'S', 'V', 'T', '1'};

#define CRC_SIZE 4
#define ROW_SIZE_MIN (4 + 1 + 4 + 1 + 8 + 8 + 4 + 2 + 1 + 2)

/* The reason goes to terminals: nothing in it may be a control character. */
static bool read_reason(struct bytes_reader *reader, char ret_reason[static VERDICT_REASON_SIZE])
{
	size_t size;
	const char *reason = bytes_read_text(reader, &size);

	if (!reason || size >= VERDICT_REASON_SIZE)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)reason[i] < 0x20 || reason[i] == 0x7f)
			return false;
	memcpy(ret_reason, reason, size);
	return true;
}

static bool read_row(struct bytes_reader *reader, struct verdict *ret_row)
{
	*ret_row = (struct verdict){0};
	ret_row->target = bytes_read_u32(reader);
	ret_row->address = bytes_read_address(reader);
	ret_row->state = bytes_read_u8(reader);
	ret_row->since_unix_s = bytes_read_u64(reader);
	ret_row->checked_at_unix_s = bytes_read_u64(reader);
	ret_row->latency_ms = bytes_read_u32(reader);
	ret_row->streak = bytes_read_u16(reader);
	ret_row->last_passed = bytes_read_bool(reader);
	ret_row->was_up = ret_row->state == VERDICT_UP;
	return read_reason(reader, ret_row->reason) && !reader->failed &&
		ret_row->target != TARGET_NONE && ret_row->address.family != ADDRESS_NONE &&
		ret_row->state <= VERDICT_DOWN &&
		!(ret_row->last_passed && ret_row->reason[0] != '\0');
}

static bool is_before(const struct verdict *a, const struct verdict *b)
{
	if (a->target != b->target)
		return a->target < b->target;
	return address_compare(&a->address, &b->address) < 0;
}

static bool read_rows(struct bytes_reader *reader, struct verdict_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (!read_row(reader, &table->rows[i]) ||
			(i > 0 && !is_before(&table->rows[i - 1], &table->rows[i])))
			return false;
	return reader->left == 0;
}

bool verdict_table_read_old(
	const void *bytes, size_t size, struct verdict_table *ret_table, struct err *err)
{
	struct bytes_reader reader = {.at = bytes, .left = size};
	const uint8_t *start = bytes_read_raw(&reader, sizeof(magic));
	struct verdict_table table = {.generation = bytes_read_u64(&reader)};

	table.count = bytes_read_u32(&reader);
	if (reader.failed || reader.left < CRC_SIZE || memcmp(start, magic, sizeof(magic)) != 0)
		return err_set(err, "these are not verdicts that this version can read");

	struct bytes_reader tail = {.at = start + size - CRC_SIZE, .left = CRC_SIZE};

	reader.left -= CRC_SIZE;
	if (bytes_read_u32(&tail) != bytes_crc32(bytes, size - CRC_SIZE))
		return err_set(err, "the checksum of the verdicts is wrong");
	if (table.count > reader.left / ROW_SIZE_MIN)
		return err_set(err, "the verdicts are cut short");
	table.rows = memory_new(table.count * sizeof(table.rows[0]));
	if (!read_rows(&reader, &table)) {
		free(table.rows);
		return err_set(err, "the verdicts cannot be");
	}
	*ret_table = table;
	return true;
}
