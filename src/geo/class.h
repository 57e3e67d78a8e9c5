/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_CLASS_H
#define GEO_CLASS_H

#include <stddef.h>
#include <stdint.h>

#include "point.h"
#include "steerd/geo/geo.h"

/*
 * class - the distinct orders of a map's sites, numbered; 0 is the configured one.
 *
 * An order is complete, so whatever is down, the first site of it that is up is the nearest.  Start with
 * classes_init(), end with classes_done().
 */
struct classes {
	size_t site_count;
	uint8_t *orders; /* site_count for each class: indices into the map request's sites */
	size_t count;
	size_t capacity;
	uint32_t *slots;   /* hash table of numbers + 1; ours */
	size_t slot_count; /* a power of two */
};

void classes_init(struct classes *classes, size_t site_count);
void classes_done(struct classes *classes);

/* The class of each point, for one map of the request; adds those that are new. */
void classes_of_points(struct classes *classes, const struct geo_request *request,
	const struct geo_map_request *map, const struct points *points, uint32_t *ret_classes);

#endif
