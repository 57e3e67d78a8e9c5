/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes the default database: city databases in, the built-in form out.  Run by scripts/make-default-geo, and by
 * nothing that serves.
 *
 *	make_default OUT KILOMETRES ATTRIBUTION FILE...
 *
 * What is lost: IPv4 is told apart by /24 and IPv6 by /48, of which each takes the point that most of it has; points
 * stand at tenths of a degree; and neighbouring blocks take the point of the first of them for as long as theirs are
 * within so many kilometres of it and in the same country.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atlas.h"
#include "compact.h"
#include "mmdb.h"
#include "point.h"
#include "range.h"
#include "sphere.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"

#define IPV4_BLOCK_BITS 24
#define IPV6_BLOCK_BITS 48

/* The point of networks that no database knows. */
#define UNKNOWN 0

struct survey {
	const struct mmdb *mmdb;
	struct points points; /* their country takes the place of the site */
	struct ranges *ranges;
};

static bool survey_point(
	struct survey *survey, size_t described_at, uint32_t *ret_point, struct err *err)
{
	struct mmdb_position position;
	struct mmdb_names names;

	if (!mmdb_read_position(survey->mmdb, described_at, &position, err) ||
		!mmdb_read_names(survey->mmdb, described_at, &names, err))
		return false;

	uint8_t first = (uint8_t)names.country[0];
	uint8_t second = first != 0 ? (uint8_t)names.country[1] : 0;
	struct point point = {
		.at = {round(position.at.latitude * 10) / 10,
			round(position.at.longitude * 10) / 10},
		.site = (uint16_t)(first << 8 | second),
	};

	*ret_point = position.is_known ? points_add(&survey->points, point) : UNKNOWN;
	return true;
}

static bool survey_network(void *context, const struct mmdb_network *network, struct err *err)
{
	struct survey *survey = context;
	uint32_t point = UNKNOWN;

	if (network->described_at != MMDB_NOTHING &&
		!survey_point(survey, network->described_at, &point, err))
		return false;
	/* of a /64 that is divided, the last part is taken: such are few, and blocks are larger */
	ranges_add(survey->ranges, network->start, point);
	return true;
}

static bool survey_file(struct survey *survey, const char *path, struct ranges families[2],
	uint64_t *built_at_unix_s, struct err *err)
{
	static const enum address_family family[2] = {ADDRESS_IPV4, ADDRESS_IPV6};
	struct text file = {0};
	struct mmdb mmdb;
	bool done = file_read(path, ATLAS_FILE_SIZE_MAX, &file, err) &&
		mmdb_open(file.bytes, file.size, &mmdb, err);

	survey->mmdb = &mmdb;
	for (size_t i = 0; i < 2 && done; i++) {
		struct ranges fresh = {0};

		survey->ranges = &fresh;
		done = mmdb_walk(&mmdb, family[i], survey_network, survey, err);
		if (done && fresh.count > families[i].count) {
			ranges_done(&families[i]);
			families[i] = fresh;
		} else {
			ranges_done(&fresh);
		}
	}
	if (done && (*built_at_unix_s == 0 || mmdb.built_at_unix_s < *built_at_unix_s))
		*built_at_unix_s = mmdb.built_at_unix_s;
	text_done(&file);
	return done;
}

/* Neighbours that are near each other become one run, within a country. */
static void merge_near(const struct ranges *ranges, const struct points *points,
	double tolerance_km, struct ranges *ret_runs)
{
	uint32_t run = UINT32_MAX;

	for (size_t i = 0; i < ranges->count; i++) {
		uint32_t value = ranges->values[i];
		bool is_near = run != UINT32_MAX && run != UNKNOWN && value != UNKNOWN &&
			points->items[run].site == points->items[value].site &&
			geo_distance_km(&points->items[run].at, &points->items[value].at) <=
				tolerance_km;

		if (!is_near)
			run = value;
		ranges_add(ret_runs, ranges->starts[i], run);
	}
}

/* Numbers points by how many runs they have, so that those of most runs have the shortest numbers. */
struct use {
	uint32_t point;
	uint32_t count;
};

static int by_use(const void *left, const void *right)
{
	const struct use *a = left;
	const struct use *b = right;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->point < b->point ? -1 : 1;
}

static size_t number_by_use(
	struct ranges runs[2], const struct points *points, struct compact_point *ret_points)
{
	struct use *uses = memory_new(points->count * sizeof(uses[0]));
	uint32_t *numbers = memory_new(points->count * sizeof(numbers[0]));
	size_t count = 0;

	for (size_t i = 0; i < points->count; i++)
		uses[i].point = (uint32_t)i;
	for (size_t family = 0; family < 2; family++)
		for (size_t i = 0; i < runs[family].count; i++)
			uses[runs[family].values[i]].count++;
	uses[UNKNOWN].count = 0;
	qsort(uses, points->count, sizeof(uses[0]), by_use);
	for (; count < points->count && uses[count].count > 0; count++) {
		const struct point *point = &points->items[uses[count].point];

		numbers[uses[count].point] = (uint32_t)count;
		ret_points[count] = (struct compact_point){
			.at = point->at,
			.country = {(char)(point->site >> 8), (char)(point->site & 0xff)},
		};
	}
	numbers[UNKNOWN] = RANGE_NONE;
	for (size_t family = 0; family < 2; family++)
		for (size_t i = 0; i < runs[family].count; i++)
			runs[family].values[i] = numbers[runs[family].values[i]];
	free(uses);
	free(numbers);
	return count;
}

/* Networks as runs, both of numbers of points; ends the networks. */
static void make_runs(const struct points *points, double tolerance_km, struct ranges networks[2],
	struct ranges ret_runs[2])
{
	static const unsigned space_bits[2] = {32, 64};
	static const unsigned block_bits[2] = {IPV4_BLOCK_BITS, IPV6_BLOCK_BITS};

	for (size_t i = 0; i < 2; i++) {
		struct ranges coarse = {0};

		ranges_make_coarse(
			&networks[i], space_bits[i], block_bits[i], points->count, &coarse);
		merge_near(&coarse, points, tolerance_km, &ret_runs[i]);
		ranges_done(&coarse);
		ranges_done(&networks[i]);
	}
}

static bool write_runs(const char *out, const char *attribution, uint64_t built_at_unix_s,
	const struct points *points, struct ranges runs[2], struct err *err)
{
	struct compact_point *compact_points =
		memory_new(points->count * sizeof(compact_points[0]));
	size_t point_count = number_by_use(runs, points, compact_points);
	char day[TEXT_TIME_SIZE];
	struct text line = {0};
	struct text bytes = {0};

	text_time(built_at_unix_s, day);
	text_print(&line, "%s; data of %.7s\n", attribution, day);

	struct compact_source source = {
		.built_at_unix_s = built_at_unix_s,
		.attribution = line.bytes,
		.points = compact_points,
		.point_count = point_count,
		.ipv4 = &runs[0],
		.ipv6 = &runs[1],
		.ipv4_block_bits = IPV4_BLOCK_BITS,
		.ipv6_block_bits = IPV6_BLOCK_BITS,
	};

	compact_write(&source, &bytes);
	printf("%s: %zu points, %zu runs of IPv4, %zu of IPv6, %zu bytes\n", out, point_count,
		runs[0].count, runs[1].count, bytes.size);

	bool done = file_replace(out, FILE_MODE, bytes.bytes, bytes.size, err);

	text_done(&bytes);
	text_done(&line);
	free(compact_points);
	return done;
}

static bool make(const char *out, double tolerance_km, const char *attribution, char **paths,
	struct err *err)
{
	struct survey survey = {.mmdb = NULL};
	struct ranges networks[2] = {{0}};
	struct ranges runs[2] = {{0}};
	uint64_t built_at_unix_s = 0;
	bool done = true;

	/* nowhere on Earth, so that no network has it */
	(void)points_add(&survey.points, (struct point){{1000, 1000}, POINT_NO_SITE});
	for (; *paths && done; paths++)
		done = survey_file(&survey, *paths, networks, &built_at_unix_s, err) ||
			err_within(err, "%s", *paths);
	if (done) {
		make_runs(&survey.points, tolerance_km, networks, runs);
		done = write_runs(out, attribution, built_at_unix_s, &survey.points, runs, err);
	}
	for (size_t i = 0; i < 2; i++) {
		ranges_done(&networks[i]);
		ranges_done(&runs[i]);
	}
	points_done(&survey.points);
	return done;
}

int main(int argc, char **argv)
{
	struct err err;

	if (argc < 5) {
		fprintf(stderr, "usage: make_default OUT KILOMETRES ATTRIBUTION FILE...\n");
		return 2;
	}
	if (!make(argv[1], strtod(argv[2], NULL), argv[3], argv + 4, &err)) {
		fprintf(stderr, "make_default: %s\n", err.text);
		return 1;
	}
	return 0;
}
