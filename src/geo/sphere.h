/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_SPHERE_H
#define GEO_SPHERE_H

#include "steerd/geo/geo.h"

/*
 * sphere - points as unit vectors: the squared length of the chord between two orders distances as the great
 * circle does, and needs no trigonometry for each pair.
 */
struct vector {
	double x, y, z;
};

struct vector vector_of(const struct geo_point *point);

static inline double vector_chord2(const struct vector *a, const struct vector *b)
{
	double x = a->x - b->x;
	double y = a->y - b->y;
	double z = a->z - b->z;

	return x * x + y * y + z * z;
}

#endif
