/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints how long a database takes to compile, what is kept of it and what a look-up costs.
 *
 *	bench_geo SITES FILE...
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/geo/geo.h"

static const struct geo_site places[] = {
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

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static size_t resident_bytes(const char *field)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	size_t kib = 0;

	while (status && fgets(line, sizeof(line), status)) {
		size_t value;
		char name[64];

		if (sscanf(line, "%63[^:]: %zu", name, &value) == 2 && strcmp(name, field) == 0)
			kib = value;
	}
	if (status)
		fclose(status);
	return kib * 1024;
}

static void measure(const struct geo_map *map, const char *name, const struct address *addresses)
{
	uint64_t sum = 0;
	uint64_t scopes = 0;
	uint64_t begun = now_ns();

	for (size_t round = 0; round < 4; round++)
		for (size_t i = 0; i < CLIENTS; i++) {
			struct geo_hit hit = geo_map_find(map, &addresses[i]);

			sum += hit.class;
			scopes += hit.scope_bits;
		}

	double each = (double)(now_ns() - begun) / (4.0 * (double)CLIENTS);

	begun = now_ns();
	for (size_t i = 0, at = 0; i < CLIENTS; i++) {
		struct geo_hit hit = geo_map_find(map, &addresses[at & (CLIENTS - 1)]);

		at = i + 1 + (hit.class >> 31); /* the next one waits for this one */
	}
	printf("%s: %.1f ns a look-up, %.1f ns when each waits for the last (mean scope /%.1f, "
	       "check %llx)\n",
		name, each, (double)(now_ns() - begun) / (double)CLIENTS,
		(double)scopes / (4.0 * (double)CLIENTS), (unsigned long long)sum);
}

int main(int argc, char **argv)
{
	size_t site_count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct random random;

	if (site_count < 1 || site_count > 255) {
		fprintf(stderr, "usage: bench_geo SITES FILE...\n");
		return 2;
	}
	random_seed_with(&random, 1);

	struct geo_site sites[255];
	uint16_t numbers[255];

	for (size_t i = 0; i < site_count; i++) {
		sites[i] = places[i % COUNT_OF(places)];
		if (i >= COUNT_OF(places)) {
			sites[i].at.latitude = random_below(&random, 120) - 55.0;
			sites[i].at.longitude = random_below(&random, 360) - 180.0;
		}
		numbers[i] = (uint16_t)i;
	}

	struct geo_map_request map_request = {numbers, site_count};
	struct geo_request request = {
		.city_paths = (const char *const *)argv + 2,
		.city_path_count = (size_t)argc - 2,
		.sites = sites,
		.site_count = site_count,
		.maps = &map_request,
		.map_count = 1,
		.granularity_ipv4 = 24,
		.granularity_ipv6 = 56,
	};
	struct report report = {0};
	uint64_t begun = now_ns();
	struct geo *geo = geo_build(&request, &report);

	if (!geo) {
		fputs(report.lines.bytes, stderr);
		return 1;
	}

	const struct geo_map *map = geo_get_map(geo, 0);

	printf("build: %.3f s; kept: %.1f MB; peak of the process: %.1f MB; classes: %zu\n",
		(double)(now_ns() - begun) / 1e9, (double)geo_size_bytes(geo) / 1e6,
		(double)resident_bytes("VmHWM") / 1e6, geo_map_class_count(map));

	struct address *ipv4 = clients_draw(ADDRESS_IPV4, &random);
	struct address *ipv6 = clients_draw(ADDRESS_IPV6, &random);

	measure(map, "IPv4", ipv4);
	measure(map, "IPv6", ipv6);
	free(ipv4);
	free(ipv6);
	geo_free(geo);
	report_done(&report);
	return 0;
}
