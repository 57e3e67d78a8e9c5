/* SPDX-License-Identifier: Apache-2.0 */

/* geo as other rooms see it: files in, class and scope out; small worlds against brute force. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "compact.h"
#include "mmdb_writer.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/geo/geo.h"

/* A directory for the files of a test. */
struct place_for_files {
	char *directory;
	char paths[4][128];
	size_t count;
};

static int enter(void **state)
{
	struct place_for_files *files = memory_new(sizeof(*files));

	files->directory = memory_text("/tmp/test_geo.XXXXXX");
	if (!mkdtemp(files->directory))
		fail_msg("no directory for files");
	*state = files;
	return 0;
}

static void remove_files(struct place_for_files *files)
{
	while (files->count > 0)
		unlink(files->paths[--files->count]);
}

static int leave(void **state)
{
	struct place_for_files *files = *state;

	remove_files(files);
	rmdir(files->directory);
	free(files->directory);
	free(files);
	return 0;
}

static const char *put(struct place_for_files *files, const char *name, struct text *bytes)
{
	char *path = files->paths[files->count++];

	assert_true(files->count <= COUNT_OF(files->paths));
	snprintf(path, sizeof(files->paths[0]), "%s/%s", files->directory, name);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes->bytes, 1, bytes->size, file), bytes->size);
	assert_int_equal(fclose(file), 0);
	text_done(bytes);
	return path;
}

static const char *put_line(struct place_for_files *files, const char *name, const char *line)
{
	struct text text = {0};

	text_add(&text, line);
	return put(files, name, &text);
}

static const struct geo_site three_sites[] = {
	{"fra", {50.11, 8.68}}, {"iad", {38.95, -77.45}}, {"sin", {1.35, 103.99}}};
static const uint16_t three_numbers[] = {0, 1, 2};
static const struct geo_map_request three_map = {three_numbers, 3};

static struct geo_request three_request(
	const char *const *paths, size_t count, const char *networks)
{
	return (struct geo_request){
		.city_paths = paths,
		.city_path_count = count,
		.networks_path = networks,
		.sites = three_sites,
		.site_count = COUNT_OF(three_sites),
		.maps = &three_map,
		.map_count = 1,
		.granularity_ipv4 = 24,
		.granularity_ipv6 = 56,
	};
}

static struct geo *must_build(const struct geo_request *request)
{
	struct report report = {0};
	struct geo *geo = geo_build(request, &report);

	if (!geo)
		fail_msg("%s", report.lines.bytes);
	assert_null(report.lines.bytes);
	return geo;
}

static struct geo_hit find(const struct geo *geo, const char *text)
{
	struct prefix prefix;
	struct err err;

	assert_true(prefix_parse(text, &prefix, &err));
	return geo_map_find_prefix(geo_get_map(geo, 0), &prefix);
}

/* The name of the first site of a hit, or "-" for class 0. */
static const char *first_site(const struct geo *geo, struct geo_hit hit)
{
	if (hit.class == 0)
		return "-";
	return three_sites[geo_map_order(geo_get_map(geo, 0), hit.class)[0]].name;
}

/* Networks, a query and what comes of it. */
static const struct {
	const char *networks;
	const char *query;
	const char *site;
	unsigned scope;
} queries[] = {
	/* the example of overlapping networks: the longer one is never covered by the shorter one's scope */
	{"10.0.0.0/8,fra\n10.1.0.0/16,sin\n", "10.2.3.0/24", "-", 15},
	{"20.0.0.0/8,sin\n20.1.0.0/16,iad\n", "20.2.3.0/24", "sin", 15},
	{"20.0.0.0/8,sin\n20.1.0.0/16,iad\n", "20.1.3.0/24", "iad", 16},
	{"20.0.0.0/8,sin\n20.1.0.0/16,iad\n", "20.128.0.1", "sin", 9},
	{"20.0.0.0/8,sin\n", "21.0.0.1", "-", 8},
	{"20.0.0.0/8,sin\n", "20.0.0.0/7", "sin", 8}, /* of equals, the first */
	{"20.0.0.0/8,sin\n21.0.0.0/10,iad\n", "20.0.0.0/7", "sin", 8},
	/* networks are exact, whatever the granularity of databases */
	{"20.0.0.7/32,sin\n", "20.0.0.7", "sin", 32},
	{"20.0.0.7/32,sin\n", "20.0.0.6", "-", 32},
	{"20.0.0.7/32,sin\n", "20.0.0.0/24", "-", 25},
	{"2a00:1:2:3::/64,sin\n", "2a00:1:2:3::/64", "sin", 64},
	{"2a00:1:2:3::/64,sin\n", "2a00:1:2:3:4:5:6:7", "sin", 64},
	{"2a00:1:2:3::/64,sin\n", "2a00:1:2::/56", "-", 57},
	{"2a00:1:2:3::/64,sin\n", "2a00::/16", "-", 17},
	{"2a00::/16,sin\n", "2a00:1:2:300::/56", "sin", 16},
	/* special blocks have their own scope, unless a network inside is named */
	{"", "10.1.2.0/24", "-", 8},
	{"", "172.16.5.0/24", "-", 12},
	{"", "192.168.1.1", "-", 16},
	{"", "127.0.0.1", "-", 8},
	{"", "fd00::1", "-", 7},
	{"", "2001:db8::1", "-", 32},
	{"", "100::1", "-", 64},
	{"0.0.0.0/0,sin\n", "10.1.2.0/24", "-", 8},
	{"0.0.0.0/0,sin\n", "11.1.2.0/24", "sin", 8},
	{"10.0.0.0/8,sin\n", "10.1.2.0/24", "sin", 8},
	{"10.1.0.0/16,sin\n", "10.1.2.0/24", "sin", 16},
	{"10.1.0.0/16,sin\n", "10.2.2.0/24", "-", 15},
	{"::/0,sin\n", "2001:db8::1", "-", 32},
	{"::/0,sin\n", "2a00::1", "sin", 5},
	/* IPv4 inside IPv6 is IPv4 */
	{"20.0.0.0/8,sin\n", "::ffff:20.1.2.0/120", "sin", 96 + 8},
	{"20.0.0.0/8,sin\n", "64:ff9b::20.1.2.3", "sin", 96 + 8},
	{"20.0.0.0/8,sin\n", "2002:1401:200::/40", "sin", 16 + 8},
	{"20.0.0.0/8,sin\n", "2002:1401:203::1", "sin", 16 + 8},
	{"20.0.0.0/8,sin\n", "2002:1401:200:4:5::/80", "sin", 16 + 8},
	{"20.0.0.0/8,sin\n", "::ffff:10.1.2.3", "-", 96 + 8},
	{"20.0.0.0/8,sin\n21.0.0.0/10,iad\n", "::ffff:20.0.0.0/103", "sin", 96 + 8},
	{"::/0,fra\n20.0.0.0/8,sin\n", "2002:1401:200::/40", "sin", 16 + 8},
	/* and what is beside it does not cover it */
	{"", "::1", "-", 81},
	{"", "::/64", "-", 65},
	{"", "::/80", "-", 81},
	{"", "::fffe:0:0/96", "-", 96},
	{"", "0:0:0:1::1", "-", 64},
	{"", "1::1", "-", 16},
	{"", "64:ff9b:0:0:8000::/65", "-", 65},
	{"", "64:ff9b:1::1", "-", 48},
	{"", "64:ff9b::/90", "-", 91}, /* with them, and as long as their prefix goes */
	{"", "::/8", "-", 9},
	{"", "2002::/15", "-", 16},
	{"", "2003::1", "-", 16},
	/* nothing at all */
	{"", "20.0.0.1", "-", 4},
	{"", "0.0.0.0/0", "-", 1},
	{"", "::/0", "-", 1},
};

static void networks_special_blocks_and_embedded_addresses(void **state)
{
	struct place_for_files *files = *state;

	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		const char *path = put_line(files, "networks.csv", queries[i].networks);
		struct geo_request request = three_request(NULL, 0, path);
		struct geo *geo = must_build(&request);
		struct geo_hit hit = find(geo, queries[i].query);
		/* `fra` first is the configured order */
		const char *site = first_site(geo, hit);

		if (strcmp(site, queries[i].site) != 0 || hit.scope_bits != queries[i].scope)
			fail_msg("case %zu, %s: %s /%u", i, queries[i].query, site, hit.scope_bits);
		geo_free(geo);
		remove_files(files);
	}
}

/* The scope that a map gives stays within the special-purpose block, so answers need not look for it: no two of the
 * blocks are neighbours that would make a larger one. */
static void special_blocks_keep_to_themselves(void **state)
{
	static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
	struct place_for_files *files = *state;
	const char *path = put_line(files, "networks.csv", "10.64.0.0/16,sin\n");
	struct geo_request request = three_request(NULL, 0, path);
	struct geo *geo = must_build(&request);
	struct random random;

	random_seed_with(&random, 24);
	for (size_t round = 0; round < 20000; round++) {
		enum address_family family = families[round % 2];
		struct prefix block;

		if (!address_special_block(family, random_below(&random, 16), &block))
			continue;
		for (unsigned bit = block.bits; bit < 8 * address_size(&block.address); bit++)
			if (random_below(&random, 2) == 1)
				block.address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);

		struct geo_hit hit = geo_map_find(geo_get_map(geo, 0), &block.address);

		if (hit.is_special && hit.scope_bits < block.bits)
			fail_msg("round %zu: /%u of a /%u", round, hit.scope_bits, block.bits);
	}
	geo_free(geo);
	remove_files(files);
}

static const struct {
	const char *networks;
	const char *order; /* of 20.0.0.1 */
} orders[] = {
	{"20.0.0.0/8,fra\n", "fra iad sin"},
	{"20.0.0.0/8,iad\n", "iad fra sin"},
	{"20.0.0.0/8,sin\n", "sin fra iad"},
	{"20.0.0.0/8,35.7,139.7\n", "sin fra iad"},
	{"20.0.0.0/8,37.4,-122\n", "iad fra sin"},
	{"20.0.0.0/8,-33.9,18.4\n", "fra sin iad"},
	{"", "fra iad sin"},
};

static void the_rest_is_in_order_of_distance(void **state)
{
	struct place_for_files *files = *state;

	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		const char *path = put_line(files, "networks.csv", orders[i].networks);
		struct geo_request request = three_request(NULL, 0, path);
		struct geo *geo = must_build(&request);
		const uint8_t *order =
			geo_map_order(geo_get_map(geo, 0), find(geo, "20.0.0.1").class);
		char got[64];

		snprintf(got, sizeof(got), "%s %s %s", three_sites[order[0]].name,
			three_sites[order[1]].name, three_sites[order[2]].name);
		if (strcmp(got, orders[i].order) != 0)
			fail_msg("%s: %s", orders[i].networks, got);
		geo_free(geo);
		remove_files(files);
	}
}

/* A site that is named comes first even where another stands at the same place. */
static void a_named_site_beats_its_neighbour(void **state)
{
	static const struct geo_site twins[] = {{"a", {10, 10}}, {"b", {10, 10}}, {"c", {20, 20}}};
	static const uint16_t without_b[] = {2, 0};
	const struct geo_map_request maps[] = {{three_numbers, 3}, {without_b, 2}};
	struct geo_request request =
		three_request(NULL, 0, put_line(*state, "networks.csv", "20.0.0.0/8,b\n"));
	struct address address;

	request.sites = twins;
	request.maps = maps;
	request.map_count = 2;

	struct geo *geo = must_build(&request);
	const struct geo_map *map = geo_get_map(geo, 0);

	assert_true(address_parse("20.0.0.1", &address));
	assert_memory_equal(geo_map_order(map, geo_map_find(map, &address).class), "\1\0\2", 3);
	/* and where it is not among the sites, its place still counts */
	map = geo_get_map(geo, 1);
	assert_memory_equal(geo_map_order(map, geo_map_find(map, &address).class), "\1\0", 2);
	geo_free(geo);
	remove_files(*state);
}

static void write_file(unsigned ip_version, const char *prefix, double latitude, double longitude,
	struct text *file)
{
	struct mmdb_writer writer = {.ip_version = ip_version, .record_bits = 24};

	writer_add(&writer, prefix, writer_nested(&writer, latitude, longitude, "XX", "Somewhere"));
	writer_finish(&writer, file);
}

static void several_files_complete_each_other(void **state)
{
	struct place_for_files *files = *state;
	struct text file = {0};
	const char *paths[3];

	write_file(4, "20.0.0.0/8", 1, 104, &file);
	paths[0] = put(files, "ipv4.mmdb", &file);
	write_file(6, "2a00::/16", 1, 104, &file);
	paths[1] = put(files, "ipv6.mmdb", &file);
	write_file(6, "20.0.0.0/7", 39, -77, &file);
	paths[2] = put(files, "more.mmdb", &file);

	struct geo_request request = three_request(paths, 3, NULL);
	struct geo *geo = must_build(&request);

	assert_string_equal(first_site(geo, find(geo, "20.0.0.1")), "sin");
	assert_string_equal(first_site(geo, find(geo, "21.0.0.1")), "iad");
	assert_string_equal(first_site(geo, find(geo, "22.0.0.1")), "-");
	assert_string_equal(first_site(geo, find(geo, "2a00::1")), "sin");
	assert_string_equal(first_site(geo, find(geo, "2a01::1")), "-");
	assert_int_equal(geo_built_at_unix_s(geo), 1780000000);
	geo_free(geo);
	remove_files(files);
}

static void files_that_are_refused(void **state)
{
	struct place_for_files *files = *state;
	struct mmdb_writer writer = {.ip_version = 4, .record_bits = 24};
	struct text country = {0};
	struct text file = {0};
	struct text want = {0};
	struct report report = {0};
	const char *paths[3];

	put_map(&country, 1);
	put_string(&country, "country_code");
	put_string(&country, "DE");
	writer_add(&writer, "20.0.0.0/8", writer_bytes(&writer, country.bytes, country.size));
	writer_finish(&writer, &file);
	text_done(&country);
	paths[0] = put(files, "country.mmdb", &file);
	paths[1] = put_line(files, "text.mmdb", "this is no database");
	paths[2] = "/nonexistent/city.mmdb";

	const char *networks = put_line(files, "networks.csv", "20.0.0.0/8,nowhere\n");
	struct geo_request request = three_request(paths, 3, networks);

	assert_null(geo_build(&request, &report));
	text_print(&want,
		"%s: it holds no positions: is it a city database?\n"
		"%s: it is no MaxMind DB: there is no metadata at its end\n"
		"%s: cannot open '%s': No such file or directory\n"
		"%s:1: there is no site 'nowhere'\n",
		paths[0], paths[1], paths[2], paths[2], networks);
	assert_string_equal(report.lines.bytes, want.bytes);
	assert_int_equal(report.error_count, 4);
	text_done(&want);
	report_done(&report);
	remove_files(files);

	request = three_request(NULL, 0, "/nonexistent/networks.csv");
	assert_null(geo_build(&request, &report));
	assert_string_equal(report.lines.bytes,
		"/nonexistent/networks.csv: cannot open '/nonexistent/networks.csv': No such file "
		"or "
		"directory\n");
	report_done(&report);
}

/*
 * A small world: 4096 neighbouring addresses (or /64s of IPv6), a random database and random networks; in an array, what
 * each must be.
 */
#define AREA_BITS 12
#define AREA_SIZE 4096
#define SITES 5
#define PREFIXES_MAX 24

struct rule {
	struct prefix prefix;
	struct geo_point at;
	int site; /* -1: a point */
};

struct small_world {
	enum address_family family;
	uint64_t base; /* of the area, among 32 or 64 bits */
	unsigned space_bits;
	unsigned granularity;
	struct geo_site sites[SITES];
	struct rule database[PREFIXES_MAX];
	size_t database_count;
	struct rule networks[PREFIXES_MAX];
	size_t network_count;
	uint8_t orders[AREA_SIZE][SITES];
	int labels[AREA_SIZE]; /* equal where the answers must be equal */
};

static struct address address_at(const struct small_world *world, size_t index)
{
	struct address address = {.family = (uint8_t)world->family};
	uint64_t value = (world->base + index) << (64 - world->space_bits);

	for (size_t i = 0; i < 8; i++)
		address.bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	return address;
}

static struct geo_point draw_point(struct random *random)
{
	return (struct geo_point){random_below(random, 160000) / 1000.0 - 80,
		random_below(random, 360000) / 1000.0 - 180};
}

/* Prefixes in the area, shorter ones first; each once. */
static size_t draw_rules(const struct small_world *world, struct random *random, bool has_sites,
	struct rule rules[PREFIXES_MAX])
{
	size_t wanted = random_below(random, PREFIXES_MAX);
	size_t count = 0;

	for (unsigned bits = world->space_bits - AREA_BITS; bits <= world->space_bits; bits++) {
		for (size_t i = 0; i < 1 + wanted / AREA_BITS && count < wanted; i++) {
			struct address address = address_at(world, random_below(random, AREA_SIZE));
			struct rule rule = {prefix_of(&address, bits), draw_point(random), -1};
			bool is_new = count == 0 ||
				memcmp(&rules[count - 1].prefix, &rule.prefix,
					sizeof(rule.prefix)) != 0;

			for (size_t j = 0; j < count; j++)
				is_new = is_new &&
					(rules[j].prefix.bits != bits ||
						!address_is_equal(&rules[j].prefix.address,
							&rule.prefix.address));
			if (has_sites && random_below(random, 2) == 0)
				rule.site = (int)random_below(random, SITES);
			if (is_new)
				rules[count++] = rule;
		}
	}
	return count;
}

static double haversine(const struct geo_point *a, const struct geo_point *b)
{
	double radian = 3.14159265358979323846 / 180;
	double height = sin((b->latitude - a->latitude) * radian / 2);
	double width = sin((b->longitude - a->longitude) * radian / 2);

	return height * height +
		cos(a->latitude * radian) * cos(b->latitude * radian) * width * width;
}

static void order_from(
	const struct small_world *world, const struct rule *rule, uint8_t order[SITES])
{
	double distances[SITES];
	const struct geo_point *from = rule->site < 0 ? &rule->at : &world->sites[rule->site].at;

	for (size_t i = 0; i < SITES; i++) {
		distances[i] = (int)i == rule->site ? -1 : haversine(from, &world->sites[i].at);
		order[i] = (uint8_t)i;
	}
	for (size_t i = 0; i < SITES; i++)
		for (size_t j = i + 1; j < SITES; j++)
			if (distances[order[j]] < distances[order[i]]) {
				uint8_t swap = order[i];

				order[i] = order[j];
				order[j] = swap;
			}
}

static const struct rule *longest(
	const struct rule *rules, size_t count, const struct address *address)
{
	const struct rule *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&rules[i].prefix, address) &&
			(!best || rules[i].prefix.bits > best->prefix.bits))
			best = &rules[i];
	return best;
}

static const uint8_t configured[SITES] = {0, 1, 2, 3, 4};

/* The database alone, in whole blocks. */
static void fill_from_database(struct small_world *world)
{
	size_t block = (size_t)1 << (world->space_bits - world->granularity);
	static uint8_t fine[AREA_SIZE][SITES];

	for (size_t i = 0; i < AREA_SIZE; i++) {
		struct address address = address_at(world, i);
		const struct rule *rule = longest(world->database, world->database_count, &address);

		memcpy(fine[i], configured, SITES);
		if (rule)
			order_from(world, rule, fine[i]);
	}
	for (size_t first = 0; first < AREA_SIZE; first += block) {
		size_t best = first;
		size_t best_count = 0;

		for (size_t i = first; i < first + block; i++) {
			size_t same = 0;

			if (i > first && memcmp(fine[i], fine[i - 1], SITES) == 0)
				continue;
			for (size_t j = first; j < first + block; j++)
				same += memcmp(fine[i], fine[j], SITES) == 0;
			if (same > best_count) {
				best = i;
				best_count = same;
			}
		}
		for (size_t i = first; i < first + block; i++)
			memcpy(world->orders[i], fine[best], SITES);
	}
}

static void fill(struct small_world *world)
{
	fill_from_database(world);
	for (size_t i = 0; i < AREA_SIZE; i++) {
		struct address address = address_at(world, i);
		unsigned special = address_special_bits(&address);
		const struct rule *rule = longest(world->networks, world->network_count, &address);
		bool is_network = rule && rule->prefix.bits >= special;

		if (is_network)
			order_from(world, rule, world->orders[i]);
		else if (special > 0)
			memcpy(world->orders[i], configured, SITES);
		/* a special block is told apart from its neighbours, even of the same order */
		world->labels[i] = !is_network && special > 0 ? 1 : 0;
		for (size_t site = 0; site < SITES; site++)
			world->labels[i] = world->labels[i] * SITES + world->orders[i][site];
	}
}

static struct small_world *draw_world(struct random *random, enum address_family family)
{
	static const uint32_t bases[] = {0x14000000, 0xc0000000, 0xcb007000, 0xac100000};
	struct small_world *world = memory_new(sizeof(*world));
	bool is_ipv4 = family == ADDRESS_IPV4;

	world->family = family;
	world->space_bits = is_ipv4 ? 32 : 64;
	world->base = is_ipv4 ? bases[random_below(random, 4)] : UINT64_C(0x2a000001000ff000);
	world->granularity = world->space_bits - (unsigned[]){8, 8, 4, 0}[random_below(random, 4)];
	for (size_t i = 0; i < SITES; i++)
		world->sites[i] = (struct geo_site){
			(const char *[]){"a", "b", "c", "d", "e"}[i], draw_point(random)};
	world->database_count = draw_rules(world, random, false, world->database);
	world->network_count = draw_rules(world, random, true, world->networks);
	fill(world);
	return world;
}

static const char *put_database(struct place_for_files *files, const struct small_world *world)
{
	struct mmdb_writer writer = {.ip_version = 6, .record_bits = 28};
	struct text file = {0};

	/* so that the file holds a position at all */
	writer_add(&writer, "3000::/16", writer_nested(&writer, 1, 2, "XX", "Nowhere"));
	for (size_t i = 0; i < world->database_count; i++) {
		const struct rule *rule = &world->database[i];

		writer_add_prefix(&writer, &rule->prefix,
			writer_nested(
				&writer, rule->at.latitude, rule->at.longitude, "XX", "City"));
	}
	writer_finish(&writer, &file);
	return put(files, "city.mmdb", &file);
}

static const char *put_networks(
	struct place_for_files *files, const struct small_world *world, bool is_backwards)
{
	struct text file = {0};

	text_add(&file, "# made for a test\n");
	for (size_t i = 0; i < world->network_count; i++) {
		const struct rule *rule =
			&world->networks[is_backwards ? world->network_count - 1 - i : i];
		char prefix[PREFIX_TEXT_SIZE];

		prefix_print(&rule->prefix, prefix);
		if (rule->site >= 0)
			text_print(&file, "%s,%s\n", prefix, world->sites[rule->site].name);
		else
			text_print(&file, "%s,%.3f,%.3f\n", prefix, rule->at.latitude,
				rule->at.longitude);
	}
	return put(files, is_backwards ? "backwards.csv" : "networks.csv", &file);
}

static struct geo *build_world(struct place_for_files *files, const struct small_world *world,
	const uint16_t *numbers, bool is_backwards)
{
	const char *path = put_database(files, world);
	const struct geo_map_request map = {numbers, SITES};
	struct geo_request request = {
		.city_paths = &path,
		.city_path_count = 1,
		.networks_path = put_networks(files, world, is_backwards),
		.sites = world->sites,
		.site_count = SITES,
		.maps = &map,
		.map_count = 1,
		.granularity_ipv4 = 32,
		.granularity_ipv6 = 64,
	};

	if (world->family == ADDRESS_IPV4)
		request.granularity_ipv4 = (uint8_t)world->granularity;
	else
		request.granularity_ipv6 = (uint8_t)world->granularity;

	struct geo *geo = must_build(&request);

	remove_files(files);
	return geo;
}

static bool is_uniform(const struct small_world *world, size_t index, unsigned bits)
{
	size_t count = (size_t)1 << (world->space_bits - bits);
	size_t first = index & ~(count - 1);

	for (size_t i = 1; i < count; i++)
		if (world->labels[first + i] != world->labels[first])
			return false;
	return true;
}

static void check_world(const struct small_world *world, const struct geo_map *map)
{
	unsigned area = world->space_bits - AREA_BITS;
	bool is_mixed = !is_uniform(world, 0, area);

	for (size_t i = 0; i < AREA_SIZE; i++) {
		struct address address = address_at(world, i);
		struct geo_hit hit = geo_map_find(map, &address);
		unsigned bits = hit.scope_bits;

		if (memcmp(geo_map_order(map, hit.class), world->orders[i], SITES) != 0)
			fail_msg("address %zu has another order", i);
		if (!is_mixed)
			continue;
		if (bits <= area || !is_uniform(world, i, bits))
			fail_msg("address %zu: /%u is of several classes", i, bits);
		if (is_uniform(world, i, bits - 1))
			fail_msg("address %zu: /%u could be shorter", i, bits);
	}
}

static void small_worlds_are_as_brute_force_says(void **state)
{
	struct random random;

	random_seed_with(&random, 21);
	for (size_t round = 0; round < 120; round++) {
		struct small_world *world =
			draw_world(&random, round % 2 == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6);
		static const uint16_t numbers[SITES] = {0, 1, 2, 3, 4};
		struct geo *geo = build_world(*state, world, numbers, false);

		check_world(world, geo_get_map(geo, 0));
		geo_free(geo);
		free(world);
	}
}

/* Places are all known here, so that the configured order has nothing to say. */
static void the_order_of_configuration_changes_nothing(void **state)
{
	static const uint16_t forwards[SITES] = {0, 1, 2, 3, 4};
	static const uint16_t shuffled[SITES] = {3, 1, 4, 0, 2};
	struct random random;

	random_seed_with(&random, 22);
	for (size_t round = 0; round < 40; round++) {
		struct small_world *world = draw_world(&random, ADDRESS_IPV6);
		struct address any = {.family = ADDRESS_IPV6};

		/* the first rule holds for everyone */
		world->database_count += world->database_count == 0;
		world->database[0] = (struct rule){prefix_of(&any, 1), draw_point(&random), -1};

		struct geo *geos[2] = {
			build_world(*state, world, forwards, false),
			build_world(*state, world, shuffled, true),
		};

		for (size_t i = 0; i < AREA_SIZE; i++) {
			struct address address = address_at(world, i);
			const struct geo_map *maps[2] = {
				geo_get_map(geos[0], 0), geo_get_map(geos[1], 0)};
			struct geo_hit hits[2] = {
				geo_map_find(maps[0], &address), geo_map_find(maps[1], &address)};
			const uint8_t *first = geo_map_order(maps[0], hits[0].class);
			const uint8_t *second = geo_map_order(maps[1], hits[1].class);

			assert_int_equal(hits[0].scope_bits, hits[1].scope_bits);
			for (size_t site = 0; site < SITES; site++)
				assert_int_equal(forwards[first[site]], shuffled[second[site]]);
		}
		geo_free(geos[0]);
		geo_free(geos[1]);
		free(world);
	}
}

/* More classes than 16 bits can number. */
static void very_many_classes(void **state)
{
	enum { MANY_SITES = 60, MANY_POINTS = 100000 };
	struct place_for_files *files = *state;
	struct geo_site *sites = memory_new(MANY_SITES * sizeof(sites[0]));
	struct compact_point *points = memory_new(MANY_POINTS * sizeof(points[0]));
	uint16_t numbers[MANY_SITES];
	struct ranges ipv4 = {0}, ipv6 = {0};
	struct random random;
	struct text file = {0};

	random_seed_with(&random, 23);
	for (uint16_t i = 0; i < MANY_SITES; i++) {
		sites[i] = (struct geo_site){"site", draw_point(&random)};
		numbers[i] = i;
	}
	ranges_add(&ipv4, 0, RANGE_NONE);
	ranges_add(&ipv6, 0, RANGE_NONE);
	for (uint32_t i = 0; i < MANY_POINTS; i++) {
		struct geo_point at = draw_point(&random);

		points[i].at = (struct geo_point){
			round(at.latitude * 10) / 10, round(at.longitude * 10) / 10};
		ranges_add(&ipv4, UINT64_C(0x14000000) + 256 * i, i);
	}

	struct compact_source source = {
		.built_at_unix_s = 5,
		.attribution = "made for a test",
		.points = points,
		.point_count = MANY_POINTS,
		.ipv4 = &ipv4,
		.ipv6 = &ipv6,
		.ipv4_block_bits = 24,
		.ipv6_block_bits = 48,
	};

	compact_write(&source, &file);

	const char *path = put(files, "many.geo", &file);
	const struct geo_map_request map_request = {numbers, MANY_SITES};
	struct geo_request request = three_request(&path, 1, NULL);

	request.sites = sites;
	request.site_count = MANY_SITES;
	request.maps = &map_request;

	struct geo *geo = must_build(&request);
	const struct geo_map *map = geo_get_map(geo, 0);

	assert_true(geo_map_class_count(map) > 65536);
	for (uint32_t i = 0; i < MANY_POINTS; i += 97) {
		struct prefix prefix = {
			{ADDRESS_IPV4, {(uint8_t)(20 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i}},
			24};
		struct geo_hit hit = geo_map_find_prefix(map, &prefix);
		const uint8_t *order = geo_map_order(map, hit.class);

		for (size_t site = 1; site < MANY_SITES; site++)
			assert_true(geo_distance_km(&points[i].at, &sites[order[site - 1]].at) <=
				geo_distance_km(&points[i].at, &sites[order[site]].at) + 1e-6);
	}
	geo_free(geo);
	ranges_done(&ipv4);
	ranges_done(&ipv6);
	free(points);
	free(sites);
	remove_files(files);
}

static const struct {
	const char *address;
	const char *label;
	const char *network;
	const char *source;
} places[] = {
	{"20.1.2.3", "Somewhere, XX", "20.0.0.0/8", "city.mmdb"},
	{"::ffff:20.1.2.3", "Somewhere, XX", "20.0.0.0/8", "city.mmdb"},
	{"20.7.0.1", "site sin", "20.7.0.0/16", "networks.csv:2"},
	{"20.8.0.1", "", "20.8.0.0/16", "networks.csv:3"},
	{"10.1.2.3", "", "10.0.0.0/8", "10.0.0.0/8 is for special purposes (RFC 6890)"},
	{"10.9.0.1", "site fra", "10.9.0.0/16", "networks.csv:5"},
	{"99.0.0.1", "", "99.0.0.1/32", "no database knows it"},
	{"2a00::1", "", "2a00::1/128", "no database knows it"},
};

static void places_for_people(void **state)
{
	struct place_for_files *files = *state;
	const char *networks = put_line(files, "networks.csv",
		"# ours\n20.7.0.0/16,sin\n20.8.0.0/16,1,2\n\n10.9.0.0/16,fra\n");
	struct text file = {0};
	struct geo_place place;
	struct address address;

	write_file(4, "20.0.0.0/8", 1, 104, &file);

	const char *path = put(files, "city.mmdb", &file);
	struct geo_request request = three_request(&path, 1, networks);

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		char network[PREFIX_TEXT_SIZE];

		assert_true(address_parse(places[i].address, &address));
		geo_find_place(&request, &address, &place);
		prefix_print(&place.network, network);
		if (strcmp(place.label, places[i].label) != 0 ||
			strcmp(network, places[i].network) != 0 ||
			strcmp(place.source, places[i].source) != 0)
			fail_msg("%s: '%s' %s '%s'", places[i].address, place.label, network,
				place.source);
		assert_int_equal(place.accuracy_km, *places[i].label == 'S' ? 50 : 0);
	}
	remove_files(files);

	/* what is gone is said, not hidden */
	assert_true(address_parse("20.1.2.3", &address));
	geo_find_place(&request, &address, &place);
	assert_false(place.is_known);
	assert_non_null(strstr(place.source, "city.mmdb': No such file or directory"));
}

static const struct {
	struct geo_point a, b;
	double km;
} distances[] = {
	{{0, 0}, {0, 0}, 0},
	{{0, 0}, {0, 180}, 20015.1},
	{{90, 0}, {-90, 0}, 20015.1},
	{{50.11, 8.68}, {38.95, -77.45}, 6553.3},
	{{0, 179.5}, {0, -179.5}, 111.2},
};

static void great_circles(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(distances); i++) {
		double km = geo_distance_km(&distances[i].a, &distances[i].b);

		if (fabs(km - distances[i].km) > distances[i].km * 0.001)
			fail_msg("case %zu: %f km", i, km);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_special_blocks_and_embedded_addresses),
		cmocka_unit_test(special_blocks_keep_to_themselves),
		cmocka_unit_test(the_rest_is_in_order_of_distance),
		cmocka_unit_test(a_named_site_beats_its_neighbour),
		cmocka_unit_test(several_files_complete_each_other),
		cmocka_unit_test(files_that_are_refused),
		cmocka_unit_test(small_worlds_are_as_brute_force_says),
		cmocka_unit_test(the_order_of_configuration_changes_nothing),
		cmocka_unit_test(very_many_classes),
		cmocka_unit_test(places_for_people),
		cmocka_unit_test(great_circles),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
