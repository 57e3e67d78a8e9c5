/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The default database as the build unpacked it, against a slow reference that reads the same file by itself: for each
 * /24 of IPv4 an element of an array, great circles by the haversine, no index, no class.
 */

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/geo/geo.h"

#define DATABASE "geo/default.geo" /* tests run in the build directory */
#define BLOCKS ((size_t)1 << 24)
#define NOWHERE UINT32_MAX

static const struct geo_site sites[] = {
	{"fra", {50.11, 8.68}},
	{"iad", {38.95, -77.45}},
	{"sin", {1.35, 103.99}},
	{"gru", {-23.43, -46.47}},
	{"sjc", {37.36, -121.93}},
	{"nrt", {35.76, 140.39}},
	{"syd", {-33.95, 151.18}},
	{"bom", {19.09, 72.87}},
	{"jnb", {-26.14, 28.25}},
	{"lhr", {51.47, -0.45}},
	{"dfw", {32.90, -97.04}},
	{"dxb", {25.25, 55.36}},
};
static const uint16_t all_sites[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint16_t some_backwards[] = {7, 5, 2, 0};
static const struct geo_map_request map_requests[] = {
	{all_sites, COUNT_OF(all_sites)},
	{some_backwards, COUNT_OF(some_backwards)},
};
static const char *const paths[] = {DATABASE};
static const struct geo_request request = {
	.city_paths = paths,
	.city_path_count = 1,
	.sites = sites,
	.site_count = COUNT_OF(sites),
	.maps = map_requests,
	.map_count = COUNT_OF(map_requests),
	.granularity_ipv4 = 24,
	.granularity_ipv6 = 56,
};

/* What the reference knows. */
struct world {
	struct geo *geo;
	struct geo_point *points;
	uint32_t *points_ipv4; /* of each /24 */
	uint64_t *starts_ipv6; /* upper 64 bits */
	uint32_t *points_ipv6;
	size_t count_ipv6;
};

static uint64_t number(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static uint64_t next(const uint8_t **column)
{
	uint64_t value = 0;
	unsigned shift = 0;

	do {
		value |= (uint64_t)(**column & 127) << shift;
		shift += 7;
	} while (*(*column)++ & 128);
	return value;
}

static void read_world(struct world *world)
{
	struct text file = {0};
	struct err err;

	if (!file_read(DATABASE, (size_t)1 << 30, &file, &err))
		fail_msg("%s", err.text);

	const uint8_t *header = (const uint8_t *)file.bytes + 32;
	size_t point_count = number(header + 4, 4);
	size_t runs_ipv4 = number(header + 12, 4);
	const uint8_t *points = header + 40 + number(header, 4);
	const uint8_t *starts = points + 6 * point_count;
	const uint8_t *values = starts + number(header + 16, 4);
	uint64_t at = 0;

	assert_int_equal(number(header + 8, 4), 24);
	assert_int_equal(number(header + 24, 4), 48);
	world->points = memory_new(point_count * sizeof(world->points[0]));
	for (size_t i = 0; i < point_count; i++)
		world->points[i] = (struct geo_point){(int16_t)number(points + 2 * i, 2) / 10.0,
			(int16_t)number(points + 2 * (point_count + i), 2) / 10.0};

	world->points_ipv4 = memory_new(BLOCKS * sizeof(world->points_ipv4[0]));
	for (size_t i = 0; i < runs_ipv4; i++) {
		uint32_t point = 0;

		at += next(&starts);
		point = (uint32_t)next(&values) - 1;
		for (size_t block = at; block < BLOCKS && i + 1 == runs_ipv4; block++)
			world->points_ipv4[block] = point;

		const uint8_t *ahead = starts;
		uint64_t end = i + 1 < runs_ipv4 ? at + next(&ahead) : at;

		for (size_t block = at; block < end; block++)
			world->points_ipv4[block] = point;
	}

	world->count_ipv6 = number(header + 28, 4);
	world->starts_ipv6 = memory_new(world->count_ipv6 * sizeof(world->starts_ipv6[0]));
	world->points_ipv6 = memory_new(world->count_ipv6 * sizeof(world->points_ipv6[0]));
	starts = values;
	values = starts + number(header + 32, 4);
	at = 0;
	for (size_t i = 0; i < world->count_ipv6; i++) {
		at += next(&starts);
		world->starts_ipv6[i] = at << 16;
		world->points_ipv6[i] = (uint32_t)next(&values) - 1;
	}
	text_done(&file);
}

static int build_world(void **state)
{
	struct world *world = memory_new(sizeof(*world));
	struct report report = {0};

	world->geo = geo_build(&request, &report);
	if (!world->geo)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	read_world(world);
	*state = world;
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;

	geo_free(world->geo);
	free(world->points);
	free(world->points_ipv4);
	free(world->starts_ipv6);
	free(world->points_ipv6);
	free(world);
	return 0;
}

static double haversine_km(const struct geo_point *a, const struct geo_point *b)
{
	double radian = 3.14159265358979323846 / 180;
	double height = sin((b->latitude - a->latitude) * radian / 2);
	double width = sin((b->longitude - a->longitude) * radian / 2);
	double square = height * height +
		cos(a->latitude * radian) * cos(b->latitude * radian) * width * width;

	return 2 * 6371.0088 * asin(sqrt(fmin(square, 1)));
}

static struct address address_ipv4(uint32_t value)
{
	return (struct address){.family = ADDRESS_IPV4,
		.bytes = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
			(uint8_t)value}};
}

static struct address address_ipv6(uint64_t upper, uint64_t lower)
{
	struct address address = {.family = ADDRESS_IPV6};

	for (size_t i = 0; i < 8; i++) {
		address.bytes[i] = (uint8_t)(upper >> (56 - 8 * i));
		address.bytes[8 + i] = (uint8_t)(lower >> (56 - 8 * i));
	}
	return address;
}

static uint32_t point_ipv6(const struct world *world, uint64_t upper)
{
	size_t low = 0;
	size_t high = world->count_ipv6;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (world->starts_ipv6[middle] <= upper)
			low = middle;
		else
			high = middle;
	}
	return world->points_ipv6[low];
}

static void check_class(
	const struct world *world, size_t map_number, struct address address, uint32_t point)
{
	const struct geo_map *map = geo_get_map(world->geo, map_number);
	const uint16_t *numbers = map_requests[map_number].sites;
	struct geo_hit hit = geo_map_find(map, &address);
	const uint8_t *order = geo_map_order(map, hit.class);
	char text[ADDRESS_TEXT_SIZE];
	double last = -1;

	address_print(&address, text);
	if (address_special_bits(&address) > 0 || point == NOWHERE) {
		if (hit.class != 0)
			fail_msg("%s is nowhere but has class %u", text, hit.class);
		return;
	}
	for (size_t i = 0; i < map_requests[map_number].site_count; i++) {
		double km = haversine_km(&world->points[point], &sites[numbers[order[i]]].at);

		if (km < last - 1e-6)
			fail_msg("%s: site %zu is %f km away, the one before it %f km", text, i, km,
				last);
		last = km;
	}
}

static void every_order_is_by_great_circle(void **state)
{
	const struct world *world = *state;
	struct random random;
	size_t known = 0;

	random_seed_with(&random, 11);
	for (size_t i = 0; i < 100000; i++) {
		uint32_t value = (uint32_t)random_next(&random);

		known += world->points_ipv4[value >> 8] != NOWHERE;
		check_class(world, i % 2, address_ipv4(value), world->points_ipv4[value >> 8]);
	}
	assert_in_range(known, 70000, 99999);
}

static void every_order_of_ipv6_is_by_great_circle(void **state)
{
	const struct world *world = *state;
	struct random random;

	random_seed_with(&random, 12);
	for (size_t i = 0; i < 100000; i++) {
		size_t run = random_below(&random, (uint32_t)world->count_ipv6);
		uint64_t upper = world->starts_ipv6[run] + (random_next(&random) & 0xffff);
		struct address address = address_ipv6(upper, random_next(&random));

		/* 2002::/16 and what is around mapped addresses is judged by the IPv4 inside */
		if (upper >> 48 == 0x2002 || upper >> 48 == 0)
			continue;
		check_class(world, i % 2, address, point_ipv6(world, upper));
	}
}

/* What an answer depends on, for each /24: the class, or that it is a special block; and where it ends to be so. */
struct labels {
	uint32_t *of;
	uint32_t *last_alike;
};

static struct labels labels_new(const struct geo_map *map)
{
	struct labels labels = {
		.of = memory_new(BLOCKS * sizeof(labels.of[0])),
		.last_alike = memory_new(BLOCKS * sizeof(labels.last_alike[0])),
	};

	for (size_t block = BLOCKS; block-- > 0;) {
		struct address address = address_ipv4((uint32_t)block << 8 | 77);
		bool is_special = address_special_bits(&address) > 0;
		bool is_alike;

		labels.of[block] = is_special ? UINT32_MAX : geo_map_find(map, &address).class;
		is_alike = block + 1 < BLOCKS && labels.of[block + 1] == labels.of[block];
		labels.last_alike[block] =
			is_alike ? labels.last_alike[block + 1] : (uint32_t)block;
	}
	return labels;
}

static void labels_free(struct labels *labels)
{
	free(labels->of);
	free(labels->last_alike);
}

static bool is_uniform(const struct labels *labels, uint32_t address, unsigned bits)
{
	uint32_t mask = (uint32_t)(BLOCKS - 1) >> bits;
	uint32_t block = address >> 8;

	return labels->last_alike[block & ~mask] >= (block | mask);
}

static void scopes_are_sound_and_minimal(void **state)
{
	const struct world *world = *state;
	const struct geo_map *map = geo_get_map(world->geo, 0);
	struct labels labels = labels_new(map);
	struct random random;

	random_seed_with(&random, 13);
	for (size_t i = 0; i < 200000; i++) {
		uint32_t value = (uint32_t)random_next(&random);

		/* Half of them stand on either side of a boundary. */
		if (i % 2 == 0)
			value = (labels.last_alike[value >> 8] << 8 | 0xff) + (i % 4 == 0);

		struct address address = address_ipv4(value);
		unsigned bits = geo_map_find(map, &address).scope_bits;

		if (bits > 24 || !is_uniform(&labels, value, bits))
			fail_msg("%08" PRIx32 "/%u is of several classes", value, bits);
		if (bits > 0 && is_uniform(&labels, value, bits - 1))
			fail_msg("%08" PRIx32 "/%u could be shorter", value, bits);

		/* Every address inside has the same block: none overlap. */
		uint32_t rest = (uint32_t)(UINT64_C(0xffffffff) >> bits);
		struct address other =
			address_ipv4(value ^ ((uint32_t)random_next(&random) & rest));

		assert_int_equal(geo_map_find(map, &other).scope_bits, bits);
	}
	labels_free(&labels);
}

/* Where the class changes among the addresses of IPv6 that registries give out. */
#define REGION_FIRST (UINT64_C(0x2400) << 48)
#define REGION_LAST ((UINT64_C(0x3000) << 48) - 1)

struct changes {
	uint64_t *starts;
	size_t count;
	size_t capacity;
};

static void find_changes(
	const struct world *world, const struct geo_map *map, struct changes *changes)
{
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i < world->count_ipv6; i++) {
		struct address address = address_ipv6(world->starts_ipv6[i], 0);

		if (world->starts_ipv6[i] < REGION_FIRST || world->starts_ipv6[i] > REGION_LAST)
			continue;

		uint32_t class = geo_map_find(map, &address).class;

		if (class == last)
			continue;
		changes->starts = MEMORY_GROW(changes->starts, changes->count, &changes->capacity);
		changes->starts[changes->count++] = world->starts_ipv6[i];
		last = class;
	}
}

/* The first change behind a position, or the end of the region. */
static uint64_t change_behind(const struct changes *changes, uint64_t position)
{
	size_t low = 0;
	size_t high = changes->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (changes->starts[middle] <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low < changes->count ? changes->starts[low] : REGION_LAST + 1;
}

static void scopes_of_ipv6_are_sound_and_minimal(void **state)
{
	const struct world *world = *state;
	const struct geo_map *map = geo_get_map(world->geo, 0);
	struct changes changes = {NULL, 0, 0};
	struct random random;

	find_changes(world, map, &changes);
	assert_true(changes.count > 10000);
	random_seed_with(&random, 15);
	for (size_t i = 0; i < 200000; i++) {
		uint64_t at = changes.starts[random_below(&random, (uint32_t)changes.count)];
		uint64_t upper = i % 3 == 0 ? at
			: i % 3 == 1	    ? at + (random_next(&random) & 0xffffffff)
					    : at - 1;
		struct address address = address_ipv6(upper, random_next(&random));
		struct geo_hit hit = geo_map_find(map, &address);

		if (upper < REGION_FIRST || upper > REGION_LAST)
			continue;
		assert_in_range(hit.scope_bits, 5, 64);

		uint64_t rest = hit.scope_bits == 64 ? 0 : UINT64_MAX >> hit.scope_bits;
		uint64_t parent_rest = rest << 1 | 1;

		if (change_behind(&changes, upper & ~rest) <= (upper | rest))
			fail_msg("%016" PRIx64 "/%u is of several classes", upper, hit.scope_bits);
		if ((upper & ~parent_rest) >= REGION_FIRST &&
			(upper | parent_rest) <= REGION_LAST &&
			change_behind(&changes, upper & ~parent_rest) > (upper | parent_rest))
			fail_msg("%016" PRIx64 "/%u could be shorter", upper, hit.scope_bits);
	}
	free(changes.starts);
}

static void prefixes_take_the_class_of_most(void **state)
{
	const struct world *world = *state;
	const struct geo_map *map = geo_get_map(world->geo, 0);
	struct labels labels = labels_new(map);
	uint32_t *votes = memory_new(geo_map_class_count(map) * sizeof(votes[0]));
	struct random random;

	random_seed_with(&random, 14);
	for (size_t i = 0; i < 20000; i++) {
		struct address address = address_ipv4((uint32_t)random_next(&random));
		unsigned bits = 18 + random_below(&random, 7); /* 64 ranges or fewer: counted */
		struct prefix prefix = prefix_of(&address, bits);
		struct geo_hit hit = geo_map_find_prefix(map, &prefix);
		size_t first = number(prefix.address.bytes, 3);
		size_t count = (size_t)1 << (24 - bits);
		uint32_t most = 0;

		for (size_t j = 0; j < count; j++) {
			uint32_t label =
				labels.of[first + j] == UINT32_MAX ? 0 : labels.of[first + j];

			votes[label]++;
			most = votes[label] > most ? votes[label] : most;
		}
		if (votes[hit.class] != most)
			fail_msg("round %zu: %u of %zu have class %u, but %u another", i,
				votes[hit.class], count, hit.class, most);
		if (is_uniform(&labels, (uint32_t)first << 8, bits))
			assert_true(hit.scope_bits <= bits);
		else
			assert_int_equal(hit.scope_bits, bits + 1);
		for (size_t j = 0; j < count; j++)
			votes[labels.of[first + j] == UINT32_MAX ? 0 : labels.of[first + j]] = 0;
	}
	free(votes);
	labels_free(&labels);
}

/* The largest prefixes are judged by samples; still most of a continent's registry is near its own sites. */
static void short_prefixes_are_answered(void **state)
{
	const struct world *world = *state;
	const struct geo_map *map = geo_get_map(world->geo, 0);

	for (unsigned bits = 0; bits <= 12; bits++) {
		struct address address = address_ipv4(0x51000000); /* 81/8 is mostly European */
		struct prefix prefix = prefix_of(&address, bits);
		struct geo_hit hit = geo_map_find_prefix(map, &prefix);

		assert_true(hit.class < geo_map_class_count(map));
		assert_int_equal(hit.scope_bits, bits + 1);
		if (bits == 8) {
			uint16_t first = all_sites[geo_map_order(map, hit.class)[0]];

			assert_true(first == 0 || first == 9);
		}
	}
}

static const struct {
	const char *address;
	const char *country;
	const char *network;
} known_places[] = {
	{"193.0.6.139", "NL", NULL},   /* RIPE NCC, Amsterdam */
	{"202.12.29.175", "AU", NULL}, /* APNIC, Brisbane */
	{"2001:67c:2e8::1", "NL", NULL},
	{"::ffff:193.0.6.139", "NL", NULL},
	{"10.1.2.3", "", "10.0.0.0/8"},
	{"127.0.0.1", "", "127.0.0.0/8"},
	{"::1", "", "::/8"},
};

static void places_are_found_for_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(known_places); i++) {
		struct address address;
		struct geo_place place;
		char text[PREFIX_TEXT_SIZE];

		assert_true(address_parse(known_places[i].address, &address));
		geo_find_place(&request, &address, &place);
		if (place.is_known != (*known_places[i].country != '\0') ||
			strcmp(place.label, known_places[i].country) != 0)
			fail_msg(
				"%s: '%s', %s", known_places[i].address, place.label, place.source);
		if (place.is_known)
			assert_string_equal(place.source, "default.geo");
		prefix_print(&place.network, text);
		if (known_places[i].network)
			assert_string_equal(text, known_places[i].network);
	}
}

static void it_says_how_old_and_how_large_it_is(void **state)
{
	const struct world *world = *state;

	assert_true(geo_built_at_unix_s(world->geo) > UINT64_C(1748736000)); /* June 2025 */
	assert_in_range(geo_size_bytes(world->geo), 5000000, 60000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_is_by_great_circle),
		cmocka_unit_test(every_order_of_ipv6_is_by_great_circle),
		cmocka_unit_test(scopes_are_sound_and_minimal),
		cmocka_unit_test(scopes_of_ipv6_are_sound_and_minimal),
		cmocka_unit_test(prefixes_take_the_class_of_most),
		cmocka_unit_test(short_prefixes_are_answered),
		cmocka_unit_test(places_are_found_for_people),
		cmocka_unit_test(it_says_how_old_and_how_large_it_is),
	};

	return cmocka_run_group_tests(tests, build_world, free_world);
}
