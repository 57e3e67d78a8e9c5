/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_MMDB_DATA_H
#define GEO_MMDB_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * mmdb_data - values in the data section of a MaxMind DB file, or in its metadata.
 *
 * A reader remembers its first failure, so that several reads need one check: afterwards every value is of
 * type MMDB_NONE.  Nothing recurses: what is not wanted is stepped over item by item.
 */
enum mmdb_type {
	MMDB_NONE = 0, /* absent, or the reader has failed */
	MMDB_POINTER = 1,
	MMDB_STRING = 2,
	MMDB_DOUBLE = 3,
	MMDB_BYTES = 4,
	MMDB_UINT16 = 5,
	MMDB_UINT32 = 6,
	MMDB_MAP = 7,
	MMDB_INT32 = 8,
	MMDB_UINT64 = 9,
	MMDB_UINT128 = 10,
	MMDB_ARRAY = 11,
	MMDB_BOOLEAN = 14,
	MMDB_FLOAT = 15,
};

struct mmdb_reader {
	const uint8_t *bytes;
	size_t size;
	size_t item_budget;  /* how many items may still be looked at; none after a failure */
	const char *failure; /* why, or NULL */
};

/* Small enough to be returned in two registers: a description has dozens. */
struct mmdb_value {
	enum mmdb_type type;
	uint32_t
		size; /* bytes of its content; pairs of a map; items of an array; where a pointer leads */
	size_t at; /* its content */
};

/* A key of a map, made by MMDB_KEY("name"). */
struct mmdb_key {
	const char *text;
	size_t size;
};
#define MMDB_KEY(text)                                                                             \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* The value at `at`; a pointer is followed, once. */
struct mmdb_value mmdb_read_value(struct mmdb_reader *reader, size_t at);

/*
 * Looks up several keys of a map in one pass, which ends where all are found; a key that is absent gives MMDB_NONE, and
 * so do all of them if `map` is no map.
 */
void mmdb_read_map(struct mmdb_reader *reader, struct mmdb_value map, const struct mmdb_key *keys,
	size_t key_count, struct mmdb_value *ret_values);

/* Fails unless the value is a number: double or float. */
double mmdb_read_real(struct mmdb_reader *reader, struct mmdb_value value);
/* Fails unless it is an unsigned number of at most 64 bits. */
uint64_t mmdb_read_uint(struct mmdb_reader *reader, struct mmdb_value value);

#endif
