/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_POINT_H
#define GEO_POINT_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/geo/geo.h"

/*
 * point - the distinct points that databases and the networks file name, numbered.
 *
 * Many networks share a point, and what is nearest depends on the point alone.  Start with `struct points points = {0};`,
 * end with points_done().
 */
#define POINT_NO_SITE UINT16_MAX

struct point {
	struct geo_point at;
	uint16_t site; /* this one comes first, whatever the distances; or POINT_NO_SITE */
};

struct points {
	struct point *items;
	size_t count;
	/* A hash table: the number + 1 of the first point of each slot, and of the one behind each point; 0: none.  Ours. */
	uint32_t *slots;
	uint32_t *behind;
	size_t slot_count; /* a power of two */
};

void points_done(struct points *points);
/* The number of a point; the same for the same point. */
uint32_t points_add(struct points *points, struct point point);

#endif
