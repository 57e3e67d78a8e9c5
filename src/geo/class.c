/* SPDX-License-Identifier: Apache-2.0 */
#include "class.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sphere.h"
#include "steerd/base/memory.h"

/* Above so many sites qsort() beats insertion. */
#define INSERTION_SITES_MAX 48

/* A site while it is put in order. */
struct candidate {
	double chord2; /* -1 for the site that must be first */
	uint8_t site;
};

static uint64_t hash_of(const uint8_t *order, size_t count)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ order[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint32_t *slot_of(const struct classes *classes, const uint8_t *order)
{
	size_t mask = classes->slot_count - 1;
	size_t size = classes->site_count;

	for (size_t i = hash_of(order, size) & mask;; i = (i + 1) & mask) {
		uint32_t number = classes->slots[i];

		if (number == 0 || memcmp(classes->orders + (number - 1) * size, order, size) == 0)
			return &classes->slots[i];
	}
}

static void spread(struct classes *classes)
{
	free(classes->slots);
	classes->slot_count = classes->slot_count > 0 ? classes->slot_count * 2 : 256;
	classes->slots = memory_new(classes->slot_count * sizeof(classes->slots[0]));
	for (size_t i = 0; i < classes->count; i++)
		*slot_of(classes, classes->orders + i * classes->site_count) = (uint32_t)(i + 1);
}

static uint32_t class_of_order(struct classes *classes, const uint8_t *order)
{
	if (classes->count * 2 >= classes->slot_count)
		spread(classes);

	uint32_t *slot = slot_of(classes, order);

	if (*slot == 0) {
		classes->orders = memory_grow(
			classes->orders, classes->count, &classes->capacity, classes->site_count);
		memcpy(classes->orders + classes->count * classes->site_count, order,
			classes->site_count);
		*slot = (uint32_t)++classes->count;
	}
	return *slot - 1;
}

void classes_init(struct classes *classes, size_t site_count)
{
	uint8_t configured[UINT8_MAX];

	*classes = (struct classes){.site_count = site_count};
	for (size_t i = 0; i < site_count; i++)
		configured[i] = (uint8_t)i;
	(void)class_of_order(classes, configured);
}

void classes_done(struct classes *classes)
{
	free(classes->orders);
	free(classes->slots);
	*classes = (struct classes){0};
}

/* Total: of two sites that are equally far the one configured first is before the other. */
static inline bool is_before(const struct candidate *a, const struct candidate *b)
{
	return a->chord2 < b->chord2 || (a->chord2 == b->chord2 && a->site < b->site);
}

static int by_distance(const void *left, const void *right)
{
	return is_before(left, right) ? -1 : 1;
}

static void put_in_order(struct candidate *candidates, size_t count)
{
	if (count > INSERTION_SITES_MAX) {
		qsort(candidates, count, sizeof(candidates[0]), by_distance);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct candidate moved = candidates[i];
		size_t at = i;

		for (; at > 0 && is_before(&moved, &candidates[at - 1]); at--)
			candidates[at] = candidates[at - 1];
		candidates[at] = moved;
	}
}

void classes_of_points(struct classes *classes, const struct geo_request *request,
	const struct geo_map_request *map, const struct points *points, uint32_t *ret_classes)
{
	struct vector sites[UINT8_MAX];
	struct candidate candidates[UINT8_MAX];
	uint8_t order[UINT8_MAX] = {0};
	size_t count = map->site_count;

	for (size_t i = 0; i < count; i++) {
		sites[i] = vector_of(&request->sites[map->sites[i]].at);
		candidates[i].site = (uint8_t)i;
	}
	for (size_t number = 0; number < points->count; number++) {
		const struct point *point = &points->items[number];
		struct vector from = vector_of(&point->at);

		/* They still stand as the last point left them, often nearly right for this one. */
		for (size_t i = 0; i < count; i++) {
			uint8_t site = candidates[i].site;
			bool is_first = map->sites[site] == point->site;

			candidates[i].chord2 = is_first ? -1 : vector_chord2(&from, &sites[site]);
		}
		put_in_order(candidates, count);
		for (size_t i = 0; i < count; i++)
			order[i] = candidates[i].site;
		ret_classes[number] = class_of_order(classes, order);
	}
}
