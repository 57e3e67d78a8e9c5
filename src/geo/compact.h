/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_COMPACT_H
#define GEO_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "range.h"
#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/geo/geo.h"

/*
 * compact - the built-in form of a city database: points and runs of networks, made small for the source tree.
 *
 *	magic       16 bytes "steerd geo v1\n\0\0"
 *	checksum    64 bits, FNV-1a of all that follows
 *	built at    64 bits, seconds since 1970
 *	sizes       32 bits each: attribution, points, then for IPv4 and for IPv6: bits of a block, runs, bytes of the
 *	            column of starts, bytes of the column of values
 *	attribution the line that the licence asks for (`strings` shows it)
 *	points      columns: latitudes, longitudes (16 bits each, tenths of a degree), countries (2 letters, or zeros)
 *	runs        of IPv4, then of IPv6: a column of starts (in blocks, each the distance from the one before; the first
 *	            is 0) and a column of values (0: nothing is known, else the point's number + 1)
 *
 * Numbers are in network order; those in columns of runs have 7 bits in each byte, the lowest first, and the top bit
 * says that more follow.  Columns because they compress better.  A reader trusts nothing of it.
 */
struct compact_runs {
	unsigned block_bits;
	size_t count;
	const uint8_t *starts;
	size_t starts_size;
	const uint8_t *values;
	size_t values_size;
};

struct compact {
	uint64_t built_at_unix_s;
	const char *attribution;
	size_t attribution_size;
	const uint8_t *points;
	size_t point_count;
	struct compact_runs ipv4;
	struct compact_runs ipv6;
};

/* Whether a file is of this form, by its magic. */
bool compact_is(const void *bytes, size_t size);
/* Borrows the bytes for as long as `ret_compact` is used. */
bool compact_open(const void *bytes, size_t size, struct compact *ret_compact, struct err *err);

/* Its country is "" if none is known. */
struct compact_point {
	struct geo_point at;
	char country[3];
};
bool compact_read_point(const struct compact *compact, size_t index,
	struct compact_point *ret_point, struct err *err);

/* The values are numbers of points, or RANGE_NONE. */
bool compact_read_runs(const struct compact *compact, enum address_family family,
	struct ranges *ret_ranges, struct err *err);

/* What compact_write() takes: runs as ranges whose starts are multiples of a block. */
struct compact_source {
	uint64_t built_at_unix_s;
	const char *attribution;
	const struct compact_point *points;
	size_t point_count;
	const struct ranges *ipv4;
	const struct ranges *ipv6;
	unsigned ipv4_block_bits;
	unsigned ipv6_block_bits;
};
void compact_write(const struct compact_source *source, struct text *ret_bytes);

#endif
