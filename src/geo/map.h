/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_MAP_H
#define GEO_MAP_H

#include <stddef.h>

#include "class.h"
#include "embedded.h"
#include "range.h"
#include "steerd/geo/geo.h"

/* Values of ranges that are no class: special-purpose blocks, and blocks of IPv6 in which IPv4 is embedded. */
enum { MAP_MARK_SPECIAL = 0, MAP_MARK_EMBEDDED = 1, MAP_MARK_COUNT = 1 + EMBEDDED_COUNT };
#define MAP_MARK_FIRST (RANGE_NONE - MAP_MARK_COUNT)

/* Freezes ranges of classes and marks (MAP_MARK_FIRST + one of the above), which it renumbers: classes without a range
 * are left out. */
struct geo_map *map_new(struct ranges *ipv4, struct ranges *ipv6, const struct classes *classes);
void map_free(struct geo_map *map);
size_t map_size_bytes(const struct geo_map *map);

#endif
