/* SPDX-License-Identifier: Apache-2.0 */
#include "point.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

void points_done(struct points *points)
{
	free(points->items);
	free(points->slots);
	*points = (struct points){0};
}

static bool is_same(const struct point *a, const struct point *b)
{
	return a->at.latitude == b->at.latitude && a->at.longitude == b->at.longitude &&
		a->site == b->site;
}

static uint64_t hash_of(const struct point *point)
{
	uint64_t parts[3] = {[2] = point->site};
	uint64_t hash = 0;

	memcpy(&parts[0], &point->at.latitude, sizeof(parts[0]));
	memcpy(&parts[1], &point->at.longitude, sizeof(parts[1]));
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		hash = (hash ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

/* Where the point is, or where it belongs. */
static uint32_t *slot_of(const struct points *points, const struct point *point)
{
	size_t mask = points->slot_count - 1;

	for (size_t i = hash_of(point) & mask;; i = (i + 1) & mask) {
		uint32_t number = points->slots[i];

		if (number == 0 || is_same(&points->items[number - 1], point))
			return &points->slots[i];
	}
}

static void spread(struct points *points)
{
	free(points->slots);
	points->slot_count = points->slot_count > 0 ? points->slot_count * 2 : 1024;
	points->slots = memory_new(points->slot_count * sizeof(points->slots[0]));
	for (size_t i = 0; i < points->count; i++)
		*slot_of(points, &points->items[i]) = (uint32_t)(i + 1);
}

uint32_t points_add(struct points *points, struct point point)
{
	/* -0 and 0 are one point */
	point.at.latitude += 0.0;
	point.at.longitude += 0.0;
	if (points->count * 2 >= points->slot_count)
		spread(points);

	uint32_t *slot = slot_of(points, &point);

	if (*slot == 0) {
		points->items = MEMORY_GROW(points->items, points->count, &points->capacity);
		points->items[points->count++] = point;
		*slot = (uint32_t)points->count;
	}
	return *slot - 1;
}
