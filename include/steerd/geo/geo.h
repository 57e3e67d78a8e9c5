/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_GEO_H
#define GEO_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/report.h"

/*
 * geo - which sites are near a client, and for how large a network that is true.
 *
 * Databases are read into memory once, compiled and released.  What stays is a map for each distinct list of
 * sites: sorted ranges of addresses under a /16 index, each with a class; a class is one order of the sites,
 * nearest first.  The scope of an answer is where the neighbouring ranges begin (RFC 7871 7.2.1): minimal, and free of
 * overlaps by construction.  Frozen once built: [any thread].
 */
struct geo;
struct geo_map;

struct geo_point {
	double latitude;  /* degrees, north positive */
	double longitude; /* degrees, east positive */
};

struct geo_site {
	const char *name;
	struct geo_point at;
};

/* One map to be made: the sites that some pools choose among, in configured order, which breaks ties and is the order
 * for clients of unknown place. */
struct geo_map_request {
	const uint16_t *sites; /* indices into geo_request.sites, each once */
	size_t site_count;     /* 1 to 255 */
};

struct geo_request {
	/* .mmdb in either schema, or the built-in form; one is asked only about what those before it do not know.
	 * None: every place is unknown. */
	const char *const *city_paths;
	size_t city_path_count;
	/* CSV of "prefix,site" or "prefix,latitude,longitude", in any order; the longest prefix wins, exactly as it
	 * is.  NULL: none. */
	const char *networks_path;
	const struct geo_site *sites;
	size_t site_count;
	const struct geo_map_request *maps;
	size_t map_count;
	/* Nothing that a database says is told apart more finely, for resolvers do not ask so: 24 and 56 are right; 32
	 * and 64 are the finest. */
	uint8_t granularity_ipv4;
	uint8_t granularity_ipv6;
};

/* NULL and errors in `report` if a file is refused.  Borrows the request for the call only. */
struct geo *geo_build(const struct geo_request *request, struct report *report);
void geo_free(struct geo *geo); /* NULL is allowed */

const struct geo_map *geo_get_map(const struct geo *geo, size_t index);
size_t geo_size_bytes(const struct geo *geo);
/* When the oldest database was made; 0 without one. */
uint64_t geo_built_at_unix_s(const struct geo *geo);

/* Class 0: unknown place, the configured order; and known ones from which the sites happen to be in that order. */
struct geo_hit {
	uint32_t class;
	uint8_t scope_bits; /* every address that shares so many bits has this class */
	bool is_special;    /* in a special-purpose block of which the networks file says nothing */
};

/* A special-purpose address (private and so on) has class 0 and the scope of its block, or of what is left of it where
 * the networks file names the block or a part of it; a prefix around the block does not count.  IPv4 inside IPv6
 * (mapped, NAT64, 6to4) is looked up as IPv4.  [query path] */
struct geo_hit geo_map_find(const struct geo_map *map, const struct address *address);

/*
 * The class for a whole prefix, as a client sends it (RFC 7871): that of most of its addresses, with the scope of the
 * largest block around it that is of one class; when the prefix itself is of several classes, its own length
 * plus one.  Of classes that are equal in this, the one that comes first; of more than 64 ranges, a sample
 * is taken, so that no prefix costs more than some microseconds.  [query path]
 */
struct geo_hit geo_map_find_prefix(const struct geo_map *map, const struct prefix *prefix);

size_t geo_map_class_count(const struct geo_map *map);
/* The sites of a class, nearest first: indices into the map request's `sites`, all of them. */
const uint8_t *geo_map_order(const struct geo_map *map, uint32_t class);

/* Great-circle distance. */
double geo_distance_km(const struct geo_point *a, const struct geo_point *b);

/* Where an address is, for people (explain): reads the database files again, so not for the query path. */
struct geo_place {
	bool is_known;
	struct geo_point at;
	uint32_t accuracy_km;  /* how far off it may be; 0: the source does not say */
	struct prefix network; /* of the record that says so */
	char label[128];       /* "Frankfurt am Main, DE", "DE", or "" */
	char source[256];      /* the file's name, "networks.csv:12", or why it is unknown */
};
void geo_find_place(const struct geo_request *request, const struct address *address,
	struct geo_place *ret_place);

#endif
