/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MMDB_WRITER_H
#define TESTS_MMDB_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/text.h"

/*
 * mmdb_writer - small MaxMind DB files for tests.
 *
 *	struct mmdb_writer writer = {.ip_version = 6, .record_bits = 28};
 *	writer_add(&writer, "192.0.2.0/24", writer_nested(&writer, 50.1, 8.7, "DE", "Frankfurt"));
 *	writer_finish(&writer, &file);
 *
 * Networks are added in any order that puts a longer one behind those around it.
 */
struct mmdb_writer {
	unsigned ip_version;
	unsigned record_bits;
	int64_t (*nodes)[2]; /* a node, or WRITER_EMPTY, or WRITER_LEAF - offset */
	size_t count;
	size_t capacity;
	struct text data;
};

#define WRITER_EMPTY ((int64_t)-1)
#define WRITER_LEAF ((int64_t)-2)

/* Values in the data section; where they begin is returned. */
size_t writer_nested(struct mmdb_writer *writer, double latitude, double longitude,
	const char *country, const char *city);
size_t writer_flat(struct mmdb_writer *writer, float latitude, float longitude, const char *country,
	const char *city);
size_t writer_bytes(struct mmdb_writer *writer, const void *bytes, size_t size);

/* Parts of values, appended where they stand. */
void put_map(struct text *text, size_t pairs);
void put_string(struct text *text, const char *string);
void put_double(struct text *text, double value);
void put_float(struct text *text, float value);
void put_uint(struct text *text, unsigned type, uint64_t value, size_t size);

void writer_add(struct mmdb_writer *writer, const char *prefix, size_t described_at);
void writer_add_prefix(
	struct mmdb_writer *writer, const struct prefix *prefix, size_t described_at);
/* Makes an IPv6 prefix lead to where ::/96 leads. */
void writer_alias(struct mmdb_writer *writer, const char *prefix);

/* The file; ends the writer. */
void writer_finish(struct mmdb_writer *writer, struct text *ret_file);
/* Metadata of any kind behind a tree and data of any kind. */
void writer_metadata(struct text *file, uint64_t node_count, unsigned record_bits,
	unsigned ip_version, uint64_t built_at_unix_s);

#endif
