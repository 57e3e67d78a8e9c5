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
	free(points->behind);
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

static uint32_t *slot_of(const struct points *points, const struct point *point)
{
	return &points->slots[hash_of(point) & (points->slot_count - 1)];
}

static void put_first(struct points *points, uint32_t number)
{
	uint32_t *slot = slot_of(points, &points->items[number]);

	points->behind[number] = *slot;
	*slot = number + 1;
}

/* Room for as many points as there are slots. */
static void spread(struct points *points)
{
	points->slot_count = points->slot_count > 0 ? points->slot_count * 2 : 1024;
	points->items = memory_resize(points->items, points->slot_count * sizeof(points->items[0]));
	points->behind =
		memory_resize(points->behind, points->slot_count * sizeof(points->behind[0]));
	free(points->slots);
	points->slots = memory_new(points->slot_count * sizeof(points->slots[0]));
	for (uint32_t number = 0; number < points->count; number++)
		put_first(points, number);
}

uint32_t points_add(struct points *points, struct point point)
{
	/* -0 and 0 are one point */
	point.at.latitude += 0.0;
	point.at.longitude += 0.0;
	if (points->count == points->slot_count)
		spread(points);

	uint32_t next = *slot_of(points, &point);

	for (; next != 0; next = points->behind[next - 1])
		if (is_same(&points->items[next - 1], &point))
			return next - 1;

	uint32_t number = (uint32_t)points->count++;

	points->items[number] = point;
	put_first(points, number);
	return number;
}
