/* SPDX-License-Identifier: Apache-2.0 */
#include "sphere.h"

#include <math.h>

#define EARTH_RADIUS_KM 6371.0088 /* mean radius, IUGG */

struct vector vector_of(const struct geo_point *point)
{
	double latitude = point->latitude * (M_PI / 180);
	double longitude = point->longitude * (M_PI / 180);

	return (struct vector){
		cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)};
}

double geo_distance_km(const struct geo_point *a, const struct geo_point *b)
{
	struct vector from = vector_of(a);
	struct vector to = vector_of(b);
	double half_chord = sqrt(vector_chord2(&from, &to)) / 2;

	/* rounding may put antipodes a little further apart than that */
	return 2 * EARTH_RADIUS_KM * asin(fmin(half_chord, 1));
}
