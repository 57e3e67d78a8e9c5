/* SPDX-License-Identifier: Apache-2.0 */
#include "mmdb_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

static void put_byte(struct text *text, unsigned byte)
{
	text_add_bytes(text, &(uint8_t){(uint8_t)byte}, 1);
}

static void put_number(struct text *text, uint64_t number, size_t size)
{
	for (size_t i = size; i-- > 0;)
		put_byte(text, (unsigned)(number >> 8 * i) & 0xff);
}

void put_map(struct text *text, size_t pairs)
{
	put_byte(text, 7u << 5 | (unsigned)pairs);
}

void put_string(struct text *text, const char *string)
{
	size_t size = strlen(string);

	if (size < 29) {
		put_byte(text, 2u << 5 | (unsigned)size);
	} else {
		put_byte(text, 2u << 5 | 29);
		put_byte(text, (unsigned)size - 29);
	}
	text_add_bytes(text, string, size);
}

void put_double(struct text *text, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_byte(text, 3u << 5 | 8);
	put_number(text, bits, 8);
}

void put_float(struct text *text, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_byte(text, 4);
	put_byte(text, 15 - 7);
	put_number(text, bits, 4);
}

void put_uint(struct text *text, unsigned type, uint64_t value, size_t size)
{
	if (type < 8) {
		put_byte(text, type << 5 | (unsigned)size);
	} else {
		put_byte(text, (unsigned)size);
		put_byte(text, type - 7);
	}
	put_number(text, value, size);
}

size_t writer_bytes(struct mmdb_writer *writer, const void *bytes, size_t size)
{
	size_t at = writer->data.size;

	text_add_bytes(&writer->data, bytes, size);
	return at;
}

size_t writer_nested(struct mmdb_writer *writer, double latitude, double longitude,
	const char *country, const char *city)
{
	struct text *data = &writer->data;
	size_t names_at = data->size;

	/* {"en": city}, to be pointed to */
	put_map(data, 1);
	put_string(data, "en");
	put_string(data, city);

	size_t at = data->size;

	put_map(data, 3);
	put_string(data, "city");
	put_map(data, 2);
	put_string(data, "geoname_id");
	put_uint(data, 6, 2925533, 4);
	put_string(data, "names");
	put_byte(data, 1u << 5 | 3u << 3); /* a pointer of 32 bits */
	put_number(data, names_at, 4);
	put_string(data, "country");
	put_map(data, 1);
	put_string(data, "iso_code");
	put_string(data, country);
	put_string(data, "location");
	put_map(data, 4);
	put_string(data, "accuracy_radius");
	put_uint(data, 5, 50, 2);
	put_string(data, "latitude");
	put_double(data, latitude);
	put_string(data, "longitude");
	put_double(data, longitude);
	put_string(data, "time_zone");
	put_string(data, "Europe/Somewhere_With_A_Very_Long_Name");
	return at;
}

size_t writer_flat(struct mmdb_writer *writer, float latitude, float longitude, const char *country,
	const char *city)
{
	struct text *data = &writer->data;
	size_t at = data->size;

	put_map(data, 4);
	put_string(data, "city");
	put_string(data, city);
	put_string(data, "country_code");
	put_string(data, country);
	put_string(data, "latitude");
	put_float(data, latitude);
	put_string(data, "longitude");
	put_float(data, longitude);
	return at;
}

static int64_t new_node(struct mmdb_writer *writer, int64_t children)
{
	writer->nodes = MEMORY_GROW(writer->nodes, writer->count, &writer->capacity);
	writer->nodes[writer->count][0] = children;
	writer->nodes[writer->count][1] = children;
	return (int64_t)writer->count++;
}

/* Puts a value at the end of a path of bits. */
static void set_path(struct mmdb_writer *writer, const uint8_t *bytes, unsigned bits, int64_t value)
{
	size_t node = 0;

	assert(bits > 0);
	if (writer->count == 0)
		(void)new_node(writer, WRITER_EMPTY);
	for (unsigned i = 0;; i++) {
		unsigned bit = bytes[i / 8] >> (7 - i % 8) & 1u;
		int64_t child = writer->nodes[node][bit];

		if (i + 1 == bits) {
			writer->nodes[node][bit] = value;
			return;
		}
		if (child < 0) {
			child = new_node(writer, child);
			writer->nodes[node][bit] = child;
		}
		node = (size_t)child;
	}
}

void writer_add_prefix(struct mmdb_writer *writer, const struct prefix *prefix, size_t described_at)
{
	bool is_inside_ipv6 = prefix->address.family == ADDRESS_IPV4 && writer->ip_version == 6;
	uint8_t bytes[16] = {0};

	memcpy(bytes + (is_inside_ipv6 ? 12 : 0), prefix->address.bytes,
		address_size(&prefix->address));
	set_path(writer, bytes, prefix->bits + (is_inside_ipv6 ? 96u : 0),
		WRITER_LEAF - (int64_t)described_at);
}

void writer_add(struct mmdb_writer *writer, const char *text, size_t described_at)
{
	struct prefix prefix;
	struct err err;

	if (!prefix_parse(text, &prefix, &err))
		abort();
	writer_add_prefix(writer, &prefix, described_at);
}

void writer_alias(struct mmdb_writer *writer, const char *text)
{
	struct prefix prefix;
	struct err err;
	int64_t node = 0;

	if (!prefix_parse(text, &prefix, &err))
		abort();
	for (unsigned i = 0; i < 96; i++)
		node = writer->nodes[node][0];
	set_path(writer, prefix.address.bytes, prefix.bits, node);
}

static void put_node(struct text *file, unsigned record_bits, const uint64_t records[2])
{
	if (record_bits == 28) {
		put_number(file, records[0] & 0xffffff, 3);
		put_byte(file, (unsigned)(records[0] >> 24 << 4 | records[1] >> 24));
		put_number(file, records[1] & 0xffffff, 3);
		return;
	}
	put_number(file, records[0], record_bits / 8);
	put_number(file, records[1], record_bits / 8);
}

void writer_metadata(struct text *file, uint64_t node_count, unsigned record_bits,
	unsigned ip_version, uint64_t built_at_unix_s)
{
	text_add(file, "\xab\xcd\xefMaxMind.com");
	put_map(file, 6);
	put_string(file, "binary_format_major_version");
	put_uint(file, 5, 2, 1);
	put_string(file, "node_count");
	put_uint(file, 6, node_count, 4);
	put_string(file, "record_size");
	put_uint(file, 5, record_bits, 2);
	put_string(file, "ip_version");
	put_uint(file, 5, ip_version, 1);
	put_string(file, "build_epoch");
	put_uint(file, 9, built_at_unix_s, 8);
	put_string(file, "database_type");
	put_string(file, "Test-City");
}

void writer_finish(struct mmdb_writer *writer, struct text *ret_file)
{
	static const uint8_t separator[16];

	if (writer->count == 0)
		(void)new_node(writer, WRITER_EMPTY);
	for (size_t i = 0; i < writer->count; i++) {
		uint64_t records[2];

		for (size_t bit = 0; bit < 2; bit++) {
			int64_t child = writer->nodes[i][bit];

			records[bit] = (uint64_t)child;
			if (child == WRITER_EMPTY)
				records[bit] = writer->count;
			else if (child < 0)
				records[bit] = writer->count + 16 + (uint64_t)(WRITER_LEAF - child);
		}
		put_node(ret_file, writer->record_bits, records);
	}
	text_add_bytes(ret_file, separator, sizeof(separator));
	text_add_bytes(ret_file, writer->data.bytes, writer->data.size);
	writer_metadata(ret_file, writer->count, writer->record_bits, writer->ip_version,
		UINT64_C(1780000000));
	text_done(&writer->data);
	free(writer->nodes);
}
