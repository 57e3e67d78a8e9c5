/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

/*
 * A table as bytes:
 *
 *	"SVT1"  generation:8  count:4  row...  crc:4 (of all before it)
 *
 * and a row:
 *
 *	target:4  family:1  address:4|16  state:1  since:8  checked:8  latency:4  streak:2  passed:1
 *	length:2  reason
 *
 * The last octet of the magic is the version: another form gets another digit, and this reader
 * refuses it.
 */
static const char magic[4] = {'S', 'V', 'T', '1'};

#define CRC_SIZE 4
#define ROW_SIZE_MIN (4 + 1 + 4 + 1 + 8 + 8 + 4 + 2 + 1 + 2)

void verdict_table_done(struct verdict_table *table)
{
	free(table->rows);
	*table = (struct verdict_table){0};
}

/* The first row whose target is not below `target`. */
static size_t lower_bound(const struct verdict_table *table, target_id target)
{
	size_t low = 0;
	size_t high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->rows[middle].target < target)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct verdict *verdict_table_find(
	const struct verdict_table *table, target_id target, size_t *ret_count)
{
	size_t first = lower_bound(table, target);
	size_t end = first;

	while (end < table->count && table->rows[end].target == target)
		end++;
	*ret_count = end - first;
	return end > first ? &table->rows[first] : NULL;
}

static void write_row(const struct verdict *row, struct text *ret_bytes)
{
	bytes_write_u32(ret_bytes, row->target);
	bytes_write_address(ret_bytes, &row->address);
	bytes_write_u8(ret_bytes, row->state);
	bytes_write_u64(ret_bytes, row->since_unix_s);
	bytes_write_u64(ret_bytes, row->checked_at_unix_s);
	bytes_write_u32(ret_bytes, row->latency_ms);
	bytes_write_u16(ret_bytes, row->streak);
	bytes_write_u8(ret_bytes, row->last_passed);
	bytes_write_text(ret_bytes, row->reason);
}

void verdict_table_write(const struct verdict_table *table, struct text *ret_bytes)
{
	size_t start = ret_bytes->size;

	text_add_bytes(ret_bytes, magic, sizeof(magic));
	bytes_write_u64(ret_bytes, table->generation);
	bytes_write_u32(ret_bytes, (uint32_t)table->count);
	for (size_t i = 0; i < table->count; i++)
		write_row(&table->rows[i], ret_bytes);
	bytes_write_u32(ret_bytes, bytes_crc32(ret_bytes->bytes + start, ret_bytes->size - start));
}

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
	memset(ret_reason, 0, VERDICT_REASON_SIZE);
	memcpy(ret_reason, reason, size);
	return true;
}

static bool read_row(struct bytes_reader *reader, struct verdict *ret_row)
{
	ret_row->target = bytes_read_u32(reader);
	ret_row->address = bytes_read_address(reader);
	ret_row->state = bytes_read_u8(reader);
	ret_row->since_unix_s = bytes_read_u64(reader);
	ret_row->checked_at_unix_s = bytes_read_u64(reader);
	ret_row->latency_ms = bytes_read_u32(reader);
	ret_row->streak = bytes_read_u16(reader);
	ret_row->last_passed = bytes_read_bool(reader);
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

static bool read_rows(struct bytes_reader *reader, struct verdict_table *table, struct err *err)
{
	for (size_t i = 0; i < table->count; i++) {
		if (!read_row(reader, &table->rows[i]))
			return err_set(err, "row %zu of the verdicts cannot be", i + 1);
		if (i > 0 && !is_before(&table->rows[i - 1], &table->rows[i]))
			return err_set(err, "row %zu of the verdicts is out of order", i + 1);
	}
	if (reader->left > 0)
		return err_set(err, "%zu octets follow the last row of the verdicts", reader->left);
	return true;
}

bool verdict_table_read(
	const void *bytes, size_t size, struct verdict_table *ret_table, struct err *err)
{
	struct bytes_reader reader = {.at = bytes, .left = size};
	const uint8_t *start = bytes_read_raw(&reader, sizeof(magic));
	struct verdict_table table = {.generation = bytes_read_u64(&reader)};

	table.count = bytes_read_u32(&reader);
	if (reader.failed || reader.left < CRC_SIZE)
		return err_set(err, "the verdicts are cut short");
	if (memcmp(start, magic, sizeof(magic)) != 0)
		return err_set(err, "these are not verdicts that this version can read");

	struct bytes_reader tail = {.at = start + size - CRC_SIZE, .left = CRC_SIZE};

	reader.left -= CRC_SIZE;
	if (bytes_read_u32(&tail) != bytes_crc32(bytes, size - CRC_SIZE))
		return err_set(err, "the checksum of the verdicts is wrong");
	/* before memory is asked for: a count that the bytes cannot hold */
	if (table.count > reader.left / ROW_SIZE_MIN)
		return err_set(err, "the verdicts are cut short");

	table.rows = memory_new(table.count * sizeof(table.rows[0]));
	if (!read_rows(&reader, &table, err)) {
		free(table.rows);
		return false;
	}
	*ret_table = table;
	return true;
}
