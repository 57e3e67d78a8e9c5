/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

/*
 * A table as bytes:
 *
 *	"SVT2"  generation:8  count:4  row...  crc:4 (of all before it)
 *
 * and a row, which is VERDICT_ROW_SIZE octets long whatever it says:
 *
 *	target:4  family:1  address:16  state:1  since:8  checked:8  latency:4  streak:2
 *	passed:1  was_up:1  recovered:1  flaps:1  held_until:8  changed_at:8 (three times)
 *	outcome_count:1  failed:8  degraded:8  p50:4  p95:4  rate:4
 *	certificate_until:8  certificate:64  issuer:64  reason:160  note:96
 *
 * with zeros behind an IPv4 address and behind each text.  The last octet of the magic is the
 * version: another form gets another digit, and this reader refuses it.
 */
static const char magic[4] = {'S', 'V', 'T', '2'};

#define CRC_SIZE 4

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

static void write_texts(const struct verdict *row, struct text *ret_bytes)
{
	/* zeros to their ends, as judge.c leaves them */
	text_add_bytes(ret_bytes, row->certificate, sizeof(row->certificate));
	text_add_bytes(ret_bytes, row->issuer, sizeof(row->issuer));
	text_add_bytes(ret_bytes, row->reason, sizeof(row->reason));
	text_add_bytes(ret_bytes, row->note, sizeof(row->note));
}

static void write_row(const struct verdict *row, struct text *ret_bytes)
{
	bytes_write_u32(ret_bytes, row->target);
	bytes_write_u8(ret_bytes, row->address.family);
	text_add_bytes(ret_bytes, row->address.bytes, sizeof(row->address.bytes));
	bytes_write_u8(ret_bytes, row->state);
	bytes_write_u64(ret_bytes, row->since_unix_s);
	bytes_write_u64(ret_bytes, row->checked_at_unix_s);
	bytes_write_u32(ret_bytes, row->latency_ms);
	bytes_write_u16(ret_bytes, row->streak);
	bytes_write_u8(ret_bytes, row->last_passed);
	bytes_write_u8(ret_bytes, row->was_up);
	bytes_write_u8(ret_bytes, row->has_recovered);
	bytes_write_u8(ret_bytes, row->flaps);
	bytes_write_u64(ret_bytes, row->held_until_unix_s);
	for (size_t i = 0; i < VERDICT_CHANGES; i++)
		bytes_write_u64(ret_bytes, row->changed_at_unix_s[i]);
	bytes_write_u8(ret_bytes, row->outcome_count);
	bytes_write_u64(ret_bytes, row->outcomes_failed);
	bytes_write_u64(ret_bytes, row->outcomes_degraded);
	bytes_write_u32(ret_bytes, row->latency_p50_ms);
	bytes_write_u32(ret_bytes, row->latency_p95_ms);
	bytes_write_u32(ret_bytes, row->rate_kbit_s);
	bytes_write_u64(ret_bytes, row->certificate_until_unix_s);
	write_texts(row, ret_bytes);
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

/* It goes to terminals: no control character, a zero at the end, and nothing but zeros behind it. */
static bool read_words(struct bytes_reader *reader, char *ret_text, size_t size)
{
	const char *text = (const char *)bytes_read_raw(reader, size);

	if (!text || text[size - 1] != '\0')
		return false;

	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	for (size_t i = length; i < size; i++)
		if (text[i] != '\0')
			return false;
	memcpy(ret_text, text, size);
	return true;
}

static bool read_texts(struct bytes_reader *reader, struct verdict *ret_row)
{
	return read_words(reader, ret_row->certificate, sizeof(ret_row->certificate)) &&
		read_words(reader, ret_row->issuer, sizeof(ret_row->issuer)) &&
		read_words(reader, ret_row->reason, sizeof(ret_row->reason)) &&
		read_words(reader, ret_row->note, sizeof(ret_row->note));
}

static bool read_address(struct bytes_reader *reader, struct address *ret_address)
{
	static const uint8_t zeros[sizeof(ret_address->bytes)];
	uint8_t family = bytes_read_u8(reader);
	const uint8_t *octets = bytes_read_raw(reader, sizeof(ret_address->bytes));

	if (!octets || (family != ADDRESS_IPV4 && family != ADDRESS_IPV6))
		return false;

	size_t size = family == ADDRESS_IPV4 ? 4 : 16;

	if (memcmp(octets + size, zeros, sizeof(zeros) - size) != 0)
		return false;
	*ret_address = (struct address){.family = family};
	memcpy(ret_address->bytes, octets, size);
	return true;
}

static void read_history(struct bytes_reader *reader, struct verdict *ret_row)
{
	ret_row->was_up = bytes_read_bool(reader);
	ret_row->has_recovered = bytes_read_bool(reader);
	ret_row->flaps = bytes_read_u8(reader);
	ret_row->held_until_unix_s = bytes_read_u64(reader);
	for (size_t i = 0; i < VERDICT_CHANGES; i++)
		ret_row->changed_at_unix_s[i] = bytes_read_u64(reader);
	ret_row->outcome_count = bytes_read_u8(reader);
	ret_row->outcomes_failed = bytes_read_u64(reader);
	ret_row->outcomes_degraded = bytes_read_u64(reader);
	ret_row->latency_p50_ms = bytes_read_u32(reader);
	ret_row->latency_p95_ms = bytes_read_u32(reader);
	ret_row->rate_kbit_s = bytes_read_u32(reader);
	ret_row->certificate_until_unix_s = bytes_read_u64(reader);
}

/* No check is of two kinds, none is there that was not made, and the last one is as the row says. */
static bool has_possible_outcomes(const struct verdict *row)
{
	uint64_t all = row->outcomes_failed | row->outcomes_degraded;

	if (row->outcome_count > VERDICT_OUTCOMES ||
		(row->outcomes_failed & row->outcomes_degraded) != 0 ||
		(row->outcome_count < VERDICT_OUTCOMES && all >> row->outcome_count != 0))
		return false;
	return row->outcome_count == 0 || row->last_passed == !(row->outcomes_failed & 1);
}

static bool is_possible(const struct verdict *row)
{
	bool is_whole = row->last_passed && !(row->outcomes_degraded & 1);

	return row->target != TARGET_NONE && row->state <= VERDICT_DOWN &&
		has_possible_outcomes(row) && row->latency_p50_ms <= row->latency_p95_ms &&
		!(is_whole && row->reason[0] != '\0');
}

static bool read_row(struct bytes_reader *reader, struct verdict *ret_row)
{
	ret_row->target = bytes_read_u32(reader);
	if (!read_address(reader, &ret_row->address))
		return false;
	ret_row->state = bytes_read_u8(reader);
	ret_row->since_unix_s = bytes_read_u64(reader);
	ret_row->checked_at_unix_s = bytes_read_u64(reader);
	ret_row->latency_ms = bytes_read_u32(reader);
	ret_row->streak = bytes_read_u16(reader);
	ret_row->last_passed = bytes_read_bool(reader);
	read_history(reader, ret_row);
	return read_texts(reader, ret_row) && !reader->failed && is_possible(ret_row);
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
	/* before memory is asked for: a count that is not that of the bytes */
	if (table.count > reader.left / VERDICT_ROW_SIZE)
		return err_set(err, "the verdicts are cut short");
	if (reader.left > table.count * VERDICT_ROW_SIZE)
		return err_set(err, "%zu octets follow the last row of the verdicts",
			reader.left - table.count * VERDICT_ROW_SIZE);

	table.rows = memory_new(table.count * sizeof(table.rows[0]));
	if (!read_rows(&reader, &table, err)) {
		free(table.rows);
		return false;
	}
	*ret_table = table;
	return true;
}
