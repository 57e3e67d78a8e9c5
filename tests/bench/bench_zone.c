/* SPDX-License-Identifier: Apache-2.0 */

/* Loads a zone of N names with one A record each, and looks names up in it. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/base/report.h"
#include "steerd/dns/dns.h"
#include "steerd/zone/zone.h"

#define LOOKUPS 2000000

static double now_s(void)
{
	struct timespec time;

	/* of this process: other work on the machine is not ours */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double resident_bytes(void)
{
	unsigned long size = 0;
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file && fscanf(file, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static bool is_pool(const void *context, const char *name)
{
	(void)context;
	(void)name;
	return true;
}

static void write_zone(const char *path, size_t count)
{
	FILE *file = fopen(path, "w");

	if (!file) {
		perror(path);
		exit(1);
	}
	fprintf(file,
		"$TTL 3600\n@ SOA ns1 host 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n");
	for (size_t i = 0; i < count; i++)
		fprintf(file, "host%zu A 10.%zu.%zu.%zu\n", i, i >> 16 & 255, i >> 8 & 255,
			i & 255);
	fclose(file);
}

/* ns for each look-up of a name that `prefix` and a random number make. */
static double look_up(
	const struct zone_set *set, const char *prefix, size_t count, enum zone_outcome want)
{
	static struct {
		uint8_t wire[64];
		size_t size;
	} names[65536];
	struct random random;
	struct zone_match match;
	size_t wrong = 0;

	random_seed_with(&random, 1);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct name_key key;
		struct err err;
		char text[64];

		snprintf(text, sizeof(text), "%s%" PRIu32 ".bench.example.", prefix,
			random_below(&random, (uint32_t)count));
		if (!name_parse(text, &key, &err))
			exit(1);
		memcpy(names[i].wire, key.wire, key.size);
		names[i].size = key.size;
	}

	double start = now_s();

	for (size_t i = 0; i < LOOKUPS; i++) {
		struct name_key key;

		(void)name_key_read(
			names[i % COUNT_OF(names)].wire, names[i % COUNT_OF(names)].size, &key);
		zone_set_find(set, &key, DNS_TYPE_A, &match);
		wrong += match.outcome != want;
	}
	if (wrong > 0)
		printf("%zu wrong outcomes\n", wrong);
	return (now_s() - start) * 1e9 / LOOKUPS;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	char directory[] = "/tmp/bench-zone-XXXXXX";
	char path[64];
	struct report report = {0};
	struct rusage usage;
	const struct zone_rules rules = {.is_pool = is_pool};

	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/bench.example.zone", directory);
	write_zone(path, count);

	double start = now_s();
	struct zone_set *set = zone_set_read(directory, &rules, NULL, &report);
	double loaded = now_s();

	if (!set || report.error_count > 0) {
		fprintf(stderr, "%s", report.lines.bytes);
		return 1;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("names          %zu\n", count);
	printf("load           %.2f s\n", loaded - start);
	printf("kept           %.1f MB\n", (double)zone_set_size_bytes(set) / 1e6);
	printf("resident       %.1f MB, at most %.1f MB\n", resident_bytes() / 1e6,
		(double)usage.ru_maxrss * 1024 / 1e6);

	struct zone_set *again = zone_set_read(directory, &rules, set, &report);

	printf("reload, same   %.2f s\n", now_s() - loaded);
	printf("look-up, hit   %.0f ns (reading the name included)\n",
		look_up(set, "host", count, ZONE_NODE));
	printf("look-up, miss  %.0f ns\n", look_up(set, "none", count, ZONE_MISSING));
	zone_set_free(again);
	zone_set_free(set);
	report_done(&report);
	unlink(path);
	rmdir(directory);
	return 0;
}
