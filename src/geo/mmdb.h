/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_MMDB_H
#define GEO_MMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/geo/geo.h"

/*
 * mmdb - a strict reader of MaxMind DB files, version 2 (the format's specification is MaxMind's).
 *
 *	[ search tree ][ 16 zero bytes ][ data section ][ marker ][ metadata ]
 *
 * A node of the tree is two records, for bit 0 and bit 1: the number of another node, or "nothing", or where in the
 * data section the network is described.  Any file may come in: nothing is read outside its bytes, nothing
 * recurses, and work is bounded (nodes may form a loop or share children: a walk has a budget of
 * visits; a description, one of items).
 */
struct mmdb {
	const uint8_t *tree;
	uint32_t node_count;
	unsigned record_bits; /* 24, 28 or 32 */
	unsigned ip_version;  /* 4 or 6 */
	uint32_t ipv4_root;   /* where ::/96 leads, or the root */
	unsigned ipv4_depth;  /* how many bits led there: 96 or fewer, 0 if ip_version is 4 */
	const uint8_t *data;
	size_t data_size;
	uint64_t built_at_unix_s;
};

/* Borrows the bytes for as long as `ret_mmdb` is used. */
bool mmdb_open(const void *bytes, size_t size, struct mmdb *ret_mmdb, struct err *err);

/* No description. */
#define MMDB_NOTHING SIZE_MAX

struct mmdb_network {
	uint64_t start;	     /* the address if IPv4, else its upper 64 bits */
	unsigned bits;	     /* 0 to 32 or 128 */
	size_t described_at; /* in the data section, or MMDB_NOTHING */
};

/* False stops the walk. */
typedef bool (*mmdb_network_fn)(void *context, const struct mmdb_network *network, struct err *err);

/*
 * Calls for each network of a family in the order of addresses, without gaps.  In IPv6, what leads to the same
 * place as ::/96 (itself, and aliases such as 2002::/16) has no description: those addresses are IPv4.
 */
bool mmdb_walk(const struct mmdb *mmdb, enum address_family family, mmdb_network_fn call,
	void *context, struct err *err);

/* The network that holds an address, and where it is described. */
bool mmdb_find(const struct mmdb *mmdb, const struct address *address, struct prefix *ret_network,
	size_t *ret_described_at, struct err *err);

/* What a description says about the position, in MaxMind's schema (location.latitude) or the flat one (latitude). */
struct mmdb_position {
	bool is_known;
	struct geo_point at;
	uint32_t accuracy_km; /* 0: not said */
};
bool mmdb_read_position(const struct mmdb *mmdb, size_t described_at,
	struct mmdb_position *ret_position, struct err *err);

/* Who lives there, in English; "" if not said. */
struct mmdb_names {
	char city[96];
	char country[3]; /* ISO 3166 */
};
bool mmdb_read_names(const struct mmdb *mmdb, size_t described_at, struct mmdb_names *ret_names,
	struct err *err);

#endif
