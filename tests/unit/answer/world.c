/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/arena.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* The sites of pool `near`: far enough apart that each is nearest to itself, then ant, bee, sea in a row. */
static const struct geo_site sites[] = {
	{"ant", {50, 0}},
	{"bee", {50, 20}},
	{"sea", {50, 50}},
};

static const uint8_t two[] = {192, 0, 2, 11, 192, 0, 2, 12};
static const uint8_t quarters[] = {192, 0, 2, 21, 192, 0, 2, 22};
static const uint8_t six[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6};
/* 64 addresses of each family, told apart by the last octet; filled by world_new() */
static uint8_t many_a[64 * 4];
static uint8_t many_aaaa[64 * 16];

static const struct steer_step all_of_one[] = {{UINT32_MAX, 0, 1}};
static const struct steer_step all_of_two[] = {{UINT32_MAX, 0, 2}};
static const struct steer_step all_of_many[] = {{UINT32_MAX, 0, 64}};
static const struct steer_step one_in_four[] = {{0x40000000, 0, 1}, {UINT32_MAX, 1, 1}};

static const struct steer_choice nodata = {.kind = STEER_NODATA};
static const struct steer_choice own = {.kind = STEER_STATIC};

#define ADDRESSES(size, list, bytes)                                                               \
	{                                                                                          \
		STEER_ADDRESSES, size, COUNT_OF(list), list, bytes                                 \
	}

static const struct steer_choice both = ADDRESSES(4, all_of_two, two);
static const struct steer_choice shares = ADDRESSES(4, one_in_four, quarters);
static const struct steer_choice only_six = ADDRESSES(16, all_of_one, six);
static const struct steer_choice many_ipv4 = ADDRESSES(4, all_of_many, many_a);
static const struct steer_choice many_ipv6 = ADDRESSES(16, all_of_many, many_aaaa);

static const struct {
	const char *pool;
	const struct steer_choice *choices[2];
} fixed[] = {
	{"two", {&both, &nodata}},
	{"six", {&nodata, &only_six}},
	{"shares", {&shares, &nodata}},
	{"many", {&many_ipv4, &many_ipv6}},
	{"none", {&nodata, &nodata}},
	{"spare", {&own, &own}},
};

static bool is_pool(const void *context, const char *name)
{
	(void)context;
	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		if (strcmp(name, fixed[i].pool) == 0)
			return true;
	return strcmp(name, "near") == 0 || strcmp(name, "last") == 0;
}

static const struct zone_set *read_zones(const char *directory)
{
	const struct zone_rules rules = {.is_pool = is_pool};
	const char *srcdir = getenv("srcdir");
	struct text path = {0};
	struct report report = {0};

	text_print(&path, "%s/%s", srcdir ? srcdir : ".", directory);

	struct zone_set *zones = zone_set_read(path.bytes, &rules, NULL, &report);

	if (!zones || report.error_count > 0) {
		fputs(report.lines.bytes, stderr);
		exit(1);
	}
	report_done(&report);
	text_done(&path);
	return zones;
}

static struct geo *build_geo(const char *networks_path)
{
	static const uint16_t all_sites[] = {0, 1, 2};
	static const struct geo_map_request map = {all_sites, COUNT_OF(all_sites)};
	const char *srcdir = getenv("srcdir");
	struct text path = {0};
	struct report report = {0};

	text_print(&path, "%s/tests/unit/answer/networks.csv", srcdir ? srcdir : ".");

	const struct geo_request request = {
		.networks_path = networks_path ? networks_path : path.bytes,
		.sites = sites,
		.site_count = COUNT_OF(sites),
		.maps = &map,
		.map_count = 1,
		.granularity_ipv4 = 24,
		.granularity_ipv6 = 56,
	};
	struct geo *geo = geo_build(&request, &report);

	if (!geo) {
		fputs(report.lines.bytes, stderr);
		exit(1);
	}
	report_done(&report);
	text_done(&path);
	return geo;
}

/* The addresses of the nearest two sites of a class. */
static const struct steer_choice *near_choice(
	struct arena *arena, const uint8_t *order, size_t address_size)
{
	struct steer_choice *choice = ARENA_NEW(arena, struct steer_choice);
	uint8_t *addresses = ARENA_ARRAY(arena, uint8_t, 2 * address_size);

	for (size_t i = 0; i < 2; i++) {
		uint8_t *address = addresses + i * address_size;

		if (address_size == 4)
			memcpy(address, (uint8_t[]){192, 0, 2, (uint8_t)(101 + order[i])}, 4);
		else
			memcpy(address,
				(uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0,
					0x0f, [15] = (uint8_t)(1 + order[i])},
				16);
	}
	*choice = (struct steer_choice)ADDRESSES((uint8_t)address_size, all_of_two, addresses);
	return choice;
}

static void mapped_steering(struct world *world, struct plan_steering *steering, bool is_near)
{
	const struct geo_map *map = geo_get_map(world->geo, 0);
	size_t classes = geo_map_class_count(map);

	steering->map = map;
	for (size_t family = 0; family < 2; family++) {
		const struct steer_choice **choices =
			ARENA_ARRAY(world->arena, const struct steer_choice *, classes);

		for (uint32_t class = 0; class < classes; class ++)
			choices[class] = is_near
				? near_choice(world->arena, geo_map_order(map, class),
					  family == 0 ? 4 : 16)
				: &own;
		steering->choices[family] = choices;
	}
}

static const struct plan_steering *make_steering(struct world *world, const char *pool)
{
	struct plan_steering *steering = ARENA_NEW(world->arena, struct plan_steering);

	if (strcmp(pool, "near") == 0 || strcmp(pool, "last") == 0)
		mapped_steering(world, steering, strcmp(pool, "near") == 0);
	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		if (strcmp(pool, fixed[i].pool) == 0) {
			steering->choices[0] = &fixed[i].choices[0];
			steering->choices[1] = &fixed[i].choices[1];
		}
	return steering;
}

static struct world *make_world(const char *zones, const char *networks_path)
{
	struct world *world = memory_new(sizeof(*world));

	for (size_t i = 0; i < 64; i++) {
		memcpy(many_a + 4 * i, (uint8_t[]){192, 0, 2, (uint8_t)i}, 4);
		memcpy(many_aaaa + 16 * i, six, 16);
		many_aaaa[16 * i + 15] = (uint8_t)i;
	}
	world->arena = arena_new();
	world->geo = build_geo(networks_path);
	world->plan.zones = read_zones(zones);

	size_t count = zone_set_steered_count(world->plan.zones);
	const struct plan_steering **steerings =
		ARENA_ARRAY(world->arena, const struct plan_steering *, count);

	for (uint32_t i = 0; i < count; i++)
		steerings[i] = make_steering(world, zone_set_steered(world->plan.zones, i)->pool);
	world->plan.generation = 1;
	world->plan.steerings = steerings;
	world->plan.identity = (const uint8_t *)"\5ant-1";
	world->plan.version = (const uint8_t *)"\10steerd 7";
	world->cookies = (struct cookie_keys){
		2,
		{siphash_key_read((const uint8_t *)WORLD_SECRET),
			siphash_key_read((const uint8_t *)WORLD_OLD_SECRET)},
	};
	world->plan.cookies = &world->cookies;
	world->plan.without_cookie_max = DNS_UDP_MIN;
	return world;
}

struct world *world_new(const char *networks_path)
{
	return make_world("tests/unit/answer/zones", networks_path);
}

struct world *world_new_with(const char *zones)
{
	return make_world(zones, NULL);
}

void world_free(struct world *world)
{
	zone_set_free((struct zone_set *)(uintptr_t)world->plan.zones);
	geo_free(world->geo);
	arena_free(world->arena);
	free(world);
}
