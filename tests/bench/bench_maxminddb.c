/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints what a look-up costs with libmaxminddb, for the same addresses as bench_geo: finding the record alone, and
 * reading the position in it, which is what a server without a table made at load has to do for each query.
 *
 *	bench_maxminddb FILE
 */

#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clients.h"
#include "steerd/base/memory.h"

struct endpoint {
	struct sockaddr_storage kernel;
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double read_number(MMDB_entry_s *entry, const char *name)
{
	MMDB_entry_data_s data;

	if (MMDB_get_value(entry, &data, "location", name, NULL) == MMDB_SUCCESS && data.has_data)
		return data.double_value;
	return 0;
}

static void measure(const MMDB_s *database, const struct endpoint *endpoints, const char *name,
	bool reads_position)
{
	double sum = 0;
	size_t found = 0;
	double begun = now_ns();

	for (size_t i = 0; i < CLIENTS; i++) {
		int error;
		MMDB_lookup_result_s result = MMDB_lookup_sockaddr(
			database, (const struct sockaddr *)&endpoints[i].kernel, &error);

		found += result.found_entry;
		sum += result.netmask;
		if (reads_position && result.found_entry)
			sum += read_number(&result.entry, "latitude") +
				read_number(&result.entry, "longitude");
	}
	printf("%s%s: %.1f ns a look-up (%zu found, check %.0f)\n", name,
		reads_position ? " with position" : "", (now_ns() - begun) / (double)CLIENTS, found,
		sum);
}

static void measure_family(const MMDB_s *database, enum address_family family, const char *name)
{
	struct endpoint *endpoints = memory_new(CLIENTS * sizeof(endpoints[0]));
	struct random random;

	random_seed_with(&random, 1);

	struct address *addresses = clients_draw(family, &random);

	for (size_t i = 0; i < CLIENTS; i++) {
		struct address_port at = {.address = addresses[i], .port = 53};

		(void)address_to_sockaddr(&at, &endpoints[i].kernel);
	}
	measure(database, endpoints, name, false);
	measure(database, endpoints, name, true);
	free(addresses);
	free(endpoints);
}

int main(int argc, char **argv)
{
	MMDB_s database;

	if (argc != 2 || MMDB_open(argv[1], MMDB_MODE_MMAP, &database) != MMDB_SUCCESS) {
		fprintf(stderr, "usage: bench_maxminddb FILE\n");
		return 2;
	}
	measure_family(&database, ADDRESS_IPV4, "IPv4");
	measure_family(&database, ADDRESS_IPV6, "IPv6");
	MMDB_close(&database);
	return 0;
}
