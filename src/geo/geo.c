/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/geo/geo.h"

#include <assert.h>
#include <stdlib.h>

#include "atlas.h"
#include "class.h"
#include "embedded.h"
#include "map.h"
#include "network.h"
#include "range.h"
#include "steerd/base/memory.h"

struct geo {
	struct geo_map **maps;
	size_t map_count;
	uint64_t built_at_unix_s;
};

/* What lies over the databases in one family: special blocks, the networks file, blocks that embed IPv4. */
struct overlay {
	struct range_prefix *items;
	size_t count;
	size_t capacity;
};

/* Of two equal prefixes, the higher wins. */
enum { RANK_SPECIAL, RANK_NETWORK, RANK_EMBEDDED };

static uint64_t position_of(const struct address *address)
{
	size_t size = address->family == ADDRESS_IPV4 ? 4 : 8;
	uint64_t position = 0;

	for (size_t i = 0; i < size; i++)
		position = position << 8 | address->bytes[i];
	return position;
}

static void overlay_add(
	struct overlay *overlay, const struct prefix *prefix, uint32_t value, uint8_t rank)
{
	overlay->items = MEMORY_GROW(overlay->items, overlay->count, &overlay->capacity);
	overlay->items[overlay->count++] = (struct range_prefix){
		.start = position_of(&prefix->address),
		.value = value,
		.bits = prefix->bits < 64 ? prefix->bits : 64,
		.rank = rank,
	};
}

/* Of points and marks; RANGE_NONE where the databases decide. */
static void lay_out(const struct networks *networks, enum address_family family,
	struct points *points, struct ranges *ret_ranges)
{
	struct overlay overlay = {0};
	struct prefix special;

	for (size_t i = 0; address_special_block(family, i, &special); i++)
		overlay_add(&overlay, &special, MAP_MARK_FIRST + MAP_MARK_SPECIAL, RANK_SPECIAL);
	for (size_t i = 0; family == ADDRESS_IPV6 && i < EMBEDDED_COUNT; i++)
		overlay_add(&overlay, embedded_prefix((enum embedded)i),
			MAP_MARK_FIRST + MAP_MARK_EMBEDDED + (uint32_t)i, RANK_EMBEDDED);
	for (size_t i = 0; i < networks->count; i++) {
		const struct network *network = &networks->items[i];
		struct point point = {network->at, network->site};

		if (network->prefix.address.family == family)
			overlay_add(&overlay, &network->prefix, points_add(points, point),
				RANK_NETWORK);
	}
	ranges_of_prefixes(
		overlay.items, overlay.count, family == ADDRESS_IPV4 ? 32 : 64, ret_ranges);
	free(overlay.items);
}

/* Everything that is known of one family, before it matters which sites there are. */
struct family {
	const struct ranges *databases; /* of points */
	struct ranges overlay;		/* of points and marks */
	unsigned space_bits;
	unsigned granularity;
};

static void points_to_classes(const struct ranges *points, const uint32_t *classes, uint32_t none,
	struct ranges *ret_ranges)
{
	for (size_t i = 0; i < points->count; i++) {
		uint32_t value = points->values[i];

		if (value == RANGE_NONE)
			value = none;
		else if (value < MAP_MARK_FIRST)
			value = classes[value];
		ranges_add(ret_ranges, points->starts[i], value);
	}
}

static void compile(const struct family *family, const uint32_t *class_of_point, size_t class_count,
	struct ranges *ret_ranges)
{
	struct ranges exact = {0};
	struct ranges coarse = {0};
	struct ranges overlay = {0};

	points_to_classes(family->databases, class_of_point, 0, &exact);
	ranges_make_coarse(&exact, family->space_bits, family->granularity, class_count, &coarse);
	ranges_done(&exact);
	points_to_classes(&family->overlay, class_of_point, RANGE_NONE, &overlay);
	ranges_lay_over(&overlay, &coarse, ret_ranges);
	ranges_done(&overlay);
	ranges_done(&coarse);
}

static struct geo_map *build_map(const struct geo_request *request,
	const struct geo_map_request *map_request, const struct points *points,
	const struct family families[2])
{
	uint32_t *class_of_point = memory_new(points->count * sizeof(class_of_point[0]));
	struct ranges ranges[2] = {{0}};
	struct classes classes;

	classes_init(&classes, map_request->site_count);
	classes_of_points(&classes, request, map_request, points, class_of_point);
	for (size_t i = 0; i < 2; i++)
		compile(&families[i], class_of_point, classes.count, &ranges[i]);

	struct geo_map *map = map_new(&ranges[0], &ranges[1], &classes);

	for (size_t i = 0; i < 2; i++)
		ranges_done(&ranges[i]);
	classes_done(&classes);
	free(class_of_point);
	return map;
}

static struct geo *build_maps(
	const struct geo_request *request, struct atlas *atlas, const struct networks *networks)
{
	struct geo *geo = memory_new(sizeof(*geo));
	struct family families[2] = {
		{&atlas->ipv4, {0}, 32, request->granularity_ipv4},
		{&atlas->ipv6, {0}, 64, request->granularity_ipv6},
	};

	lay_out(networks, ADDRESS_IPV4, &atlas->points, &families[0].overlay);
	lay_out(networks, ADDRESS_IPV6, &atlas->points, &families[1].overlay);
	geo->built_at_unix_s = atlas->built_at_unix_s;
	geo->map_count = request->map_count;
	geo->maps = memory_new(request->map_count * sizeof(geo->maps[0]));
	for (size_t i = 0; i < request->map_count; i++)
		geo->maps[i] = build_map(request, &request->maps[i], &atlas->points, families);
	ranges_done(&families[0].overlay);
	ranges_done(&families[1].overlay);
	return geo;
}

struct geo *geo_build(const struct geo_request *request, struct report *report)
{
	size_t errors_before = report->error_count;
	struct networks networks = {0};
	struct geo *geo = NULL;
	struct atlas atlas;
	struct err err;

	assert(request->granularity_ipv4 <= 32 && request->granularity_ipv6 <= 64);
	for (size_t i = 0; i < request->map_count; i++)
		assert(request->maps[i].site_count >= 1 &&
			request->maps[i].site_count <= UINT8_MAX);
	atlas_init(&atlas);
	for (size_t i = 0; i < request->city_path_count; i++)
		if (!atlas_add_file(&atlas, request->city_paths[i], &err))
			report_error(report, (struct report_place){request->city_paths[i], 0, 0},
				"%s", err.text);
	if (request->networks_path)
		networks_read(request->networks_path, request, &networks, report);
	if (report->error_count == errors_before)
		geo = build_maps(request, &atlas, &networks);
	networks_done(&networks);
	atlas_done(&atlas);
	memory_give_back(); /* an atlas is larger than its maps */
	return geo;
}

void geo_free(struct geo *geo)
{
	if (!geo)
		return;
	for (size_t i = 0; i < geo->map_count; i++)
		map_free(geo->maps[i]);
	free(geo->maps);
	free(geo);
}

const struct geo_map *geo_get_map(const struct geo *geo, size_t index)
{
	return geo->maps[index];
}

size_t geo_size_bytes(const struct geo *geo)
{
	size_t size = sizeof(*geo) + geo->map_count * sizeof(geo->maps[0]);

	for (size_t i = 0; i < geo->map_count; i++)
		size += map_size_bytes(geo->maps[i]);
	return size;
}

uint64_t geo_built_at_unix_s(const struct geo *geo)
{
	return geo->built_at_unix_s;
}
