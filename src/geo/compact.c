/* SPDX-License-Identifier: Apache-2.0 */
#include "compact.h"

#include <math.h>
#include <string.h>

#include "steerd/base/memory.h"

static const char magic[16] = "steerd geo v1\n";

#define CHECKSUM_AT sizeof(magic)
#define CHECKED_AT (CHECKSUM_AT + 8)
#define HEADER_SIZE (CHECKED_AT + 8 + 10 * 4)
#define POINT_SIZE 6 /* in all its columns */

/* FNV-1a of 64 bits (Fowler, Noll, Vo): against damage, not against people. */
static uint64_t checksum(const uint8_t *bytes, size_t size)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static uint64_t read_number(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

bool compact_is(const void *bytes, size_t size)
{
	return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

/* Takes the next `size` bytes of the body. */
static const uint8_t *take(const uint8_t **body, size_t *left, size_t size, bool *is_cut)
{
	const uint8_t *part = *body;

	if (size > *left) {
		*is_cut = true;
		return part;
	}
	*body += size;
	*left -= size;
	return part;
}

static void take_runs(struct compact_runs *runs, const uint8_t **body, size_t *left, bool *is_cut)
{
	runs->starts = take(body, left, runs->starts_size, is_cut);
	runs->values = take(body, left, runs->values_size, is_cut);
}

static struct compact_runs read_runs_header(const uint8_t *header)
{
	return (struct compact_runs){
		.block_bits = (unsigned)read_number(header, 4),
		.count = read_number(header + 4, 4),
		.starts_size = read_number(header + 8, 4),
		.values_size = read_number(header + 12, 4),
	};
}

bool compact_open(const void *bytes, size_t size, struct compact *ret_compact, struct err *err)
{
	const uint8_t *header = bytes;
	bool is_cut = false;

	if (!compact_is(bytes, size))
		return err_set(err, "it is no built-in database");
	if (size < HEADER_SIZE)
		return err_set(err, "it is cut off");

	struct compact compact = {
		.built_at_unix_s = read_number(header + CHECKED_AT, 8),
		.attribution_size = read_number(header + CHECKED_AT + 8, 4),
		.point_count = read_number(header + CHECKED_AT + 12, 4),
		.ipv4 = read_runs_header(header + CHECKED_AT + 16),
		.ipv6 = read_runs_header(header + CHECKED_AT + 32),
	};
	const uint8_t *body = header + HEADER_SIZE;
	size_t left = size - HEADER_SIZE;

	compact.attribution = (const char *)take(&body, &left, compact.attribution_size, &is_cut);
	compact.points = take(&body, &left, compact.point_count * POINT_SIZE, &is_cut);
	take_runs(&compact.ipv4, &body, &left, &is_cut);
	take_runs(&compact.ipv6, &body, &left, &is_cut);
	if (is_cut)
		return err_set(err, "it is cut off");
	if (left > 0)
		return err_set(err, "it has %zu bytes too many", left);
	if (checksum(header + CHECKED_AT, size - CHECKED_AT) !=
		read_number(header + CHECKSUM_AT, 8))
		return err_set(err, "it is damaged: its checksum does not match");
	if (compact.ipv4.block_bits == 0 || compact.ipv4.block_bits > 32 ||
		compact.ipv6.block_bits == 0 || compact.ipv6.block_bits > 64)
		return err_set(err, "its blocks have an impossible length");
	*ret_compact = compact;
	return true;
}

bool compact_read_point(const struct compact *compact, size_t index,
	struct compact_point *ret_point, struct err *err)
{
	size_t column = compact->point_count * 2;
	int16_t latitude = (int16_t)read_number(compact->points + index * 2, 2);
	int16_t longitude = (int16_t)read_number(compact->points + column + index * 2, 2);
	const uint8_t *country = compact->points + 2 * column + index * 2;
	bool is_letters =
		country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z';

	if (latitude < -900 || latitude > 900 || longitude < -1800 || longitude > 1800)
		return err_set(err, "its point %zu is nowhere on Earth", index);
	if (!is_letters && (country[0] != 0 || country[1] != 0))
		return err_set(err, "its point %zu has a country that is not two letters", index);
	*ret_point = (struct compact_point){
		.at = {latitude / 10.0, longitude / 10.0},
		.country = {(char)country[0], (char)country[1]},
	};
	return true;
}

/* A column of numbers that is being read; failed: it ended in the middle of one, or one is too long. */
struct column {
	const uint8_t *at;
	const uint8_t *end;
	bool is_failed;
};

static uint64_t column_next(struct column *column)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 63 && column->at < column->end; shift += 7) {
		uint8_t byte = *column->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	column->is_failed = true;
	return 0;
}

bool compact_read_runs(const struct compact *compact, enum address_family family,
	struct ranges *ret_ranges, struct err *err)
{
	bool is_ipv4 = family == ADDRESS_IPV4;
	const struct compact_runs *runs = is_ipv4 ? &compact->ipv4 : &compact->ipv6;
	unsigned shift = (is_ipv4 ? 32 : 64) - runs->block_bits;
	uint64_t last_block = range_mask(runs->block_bits);
	struct column starts = {runs->starts, runs->starts + runs->starts_size, false};
	struct column values = {runs->values, runs->values + runs->values_size, false};
	uint64_t block = 0;

	if (runs->count == 0)
		ranges_add(ret_ranges, 0, RANGE_NONE);
	for (size_t i = 0; i < runs->count; i++) {
		uint64_t distance = column_next(&starts);
		uint64_t value = column_next(&values);

		if (starts.is_failed || values.is_failed || value > compact->point_count ||
			(distance == 0) != (i == 0) || distance > last_block - block)
			return err_set(err, "its run %zu of IPv%d is malformed", i, (int)family);
		block += distance;
		ranges_add(ret_ranges, block << shift,
			value == 0 ? RANGE_NONE : (uint32_t)(value - 1));
	}
	if (starts.at != starts.end || values.at != values.end)
		return err_set(err, "it has more in its columns of IPv%d than runs", (int)family);
	return true;
}

static void write_number(struct text *bytes, uint64_t number, size_t count)
{
	for (size_t i = count; i-- > 0;)
		text_add_bytes(bytes, &(uint8_t){(uint8_t)(number >> 8 * i)}, 1);
}

static void column_add(struct text *column, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		text_add_bytes(column, &(uint8_t){(uint8_t)(number | 0x80)}, 1);
	text_add_bytes(column, &(uint8_t){(uint8_t)number}, 1);
}

static void write_runs(
	const struct ranges *runs, unsigned shift, struct text *starts, struct text *values)
{
	uint64_t block = 0;

	for (size_t i = 0; i < runs->count; i++) {
		uint32_t value = runs->values[i];

		column_add(starts, (runs->starts[i] >> shift) - block);
		column_add(values, value == RANGE_NONE ? 0 : (uint64_t)value + 1);
		block = runs->starts[i] >> shift;
	}
}

static void write_points(const struct compact_source *source, struct text *body)
{
	for (size_t i = 0; i < source->point_count; i++)
		write_number(body, (uint64_t)lround(source->points[i].at.latitude * 10), 2);
	for (size_t i = 0; i < source->point_count; i++)
		write_number(body, (uint64_t)lround(source->points[i].at.longitude * 10), 2);
	for (size_t i = 0; i < source->point_count; i++)
		text_add_bytes(body, source->points[i].country, 2);
}

void compact_write(const struct compact_source *source, struct text *ret_bytes)
{
	struct text columns[4] = {{0}};
	struct text body = {0};
	size_t attribution_size = strlen(source->attribution);

	write_runs(source->ipv4, 32 - source->ipv4_block_bits, &columns[0], &columns[1]);
	write_runs(source->ipv6, 64 - source->ipv6_block_bits, &columns[2], &columns[3]);
	write_number(&body, source->built_at_unix_s, 8);
	write_number(&body, attribution_size, 4);
	write_number(&body, source->point_count, 4);
	write_number(&body, source->ipv4_block_bits, 4);
	write_number(&body, source->ipv4->count, 4);
	write_number(&body, columns[0].size, 4);
	write_number(&body, columns[1].size, 4);
	write_number(&body, source->ipv6_block_bits, 4);
	write_number(&body, source->ipv6->count, 4);
	write_number(&body, columns[2].size, 4);
	write_number(&body, columns[3].size, 4);
	text_add_bytes(&body, source->attribution, attribution_size);
	write_points(source, &body);
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		text_add_bytes(&body, columns[i].bytes, columns[i].size);
		text_done(&columns[i]);
	}
	text_add_bytes(ret_bytes, magic, sizeof(magic));
	write_number(ret_bytes, checksum((const uint8_t *)body.bytes, body.size), 8);
	text_add_bytes(ret_bytes, body.bytes, body.size);
	text_done(&body);
}
