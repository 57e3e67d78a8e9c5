/* SPDX-License-Identifier: Apache-2.0 */
#include "atlas.h"

#include <stdlib.h>
#include <string.h>

#include "compact.h"
#include "mmdb.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

void atlas_init(struct atlas *atlas)
{
	*atlas = (struct atlas){.built_at_unix_s = 0};
	ranges_add(&atlas->ipv4, 0, RANGE_NONE);
	ranges_add(&atlas->ipv6, 0, RANGE_NONE);
}

void atlas_done(struct atlas *atlas)
{
	points_done(&atlas->points);
	ranges_done(&atlas->ipv4);
	ranges_done(&atlas->ipv6);
}

/* What one file says. */
struct sheet {
	struct ranges ipv4;
	struct ranges ipv6;
	uint64_t built_at_unix_s;
};

/* Where descriptions were read before: an open hash table from their offset to their point. */
struct known {
	struct {
		uint32_t key; /* offset + 1; 0: free */
		uint32_t point;
	} * slots;
	size_t slot_count; /* a power of two */
	size_t count;
};

/* IPv6 networks longer than /64 share the upper half of their address: the point of most of it is taken. */
struct deep {
	uint64_t start;
	struct {
		uint32_t point;
		uint64_t weight;
	} items[64]; /* more than so many points in one /64 are not told apart */
	size_t count;
};

struct survey {
	const struct mmdb *mmdb;
	struct points *points;
	struct ranges *ranges;
	struct known known;
	size_t last_described_at;
	uint32_t last_point;
	struct deep deep;
	size_t position_count;
};

static size_t known_slot(const struct known *known, uint32_t key)
{
	size_t mask = known->slot_count - 1;
	size_t i = (key * UINT32_C(0x9e3779b9) >> 7) & mask;

	while (known->slots[i].key != 0 && known->slots[i].key != key)
		i = (i + 1) & mask;
	return i;
}

static void known_add(struct known *known, uint32_t key, uint32_t point)
{
	if (known->count * 4 >= known->slot_count * 3) {
		struct known larger = {
			.slot_count = known->slot_count > 0 ? known->slot_count * 2 : 4096};

		larger.slots = memory_new(larger.slot_count * sizeof(larger.slots[0]));
		for (size_t i = 0; i < known->slot_count; i++)
			if (known->slots[i].key != 0)
				larger.slots[known_slot(&larger, known->slots[i].key)] =
					known->slots[i];
		larger.count = known->count;
		free(known->slots);
		*known = larger;
	}

	size_t slot = known_slot(known, key);

	known->slots[slot].key = key;
	known->slots[slot].point = point;
	known->count++;
}

/* The point that a description names, RANGE_NONE if it names none. */
static bool survey_point(
	struct survey *survey, size_t described_at, uint32_t *ret_point, struct err *err)
{
	uint32_t key = (uint32_t)described_at + 1;
	struct mmdb_position position;
	uint32_t point = RANGE_NONE;

	if (survey->known.slot_count > 0) {
		size_t slot = known_slot(&survey->known, key);

		if (survey->known.slots[slot].key == key) {
			*ret_point = survey->known.slots[slot].point;
			return true;
		}
	}
	if (!mmdb_read_position(survey->mmdb, described_at, &position, err))
		return false;
	if (position.is_known) {
		point = points_add(survey->points, (struct point){position.at, POINT_NO_SITE});
		survey->position_count++;
	}
	known_add(&survey->known, key, point);
	*ret_point = point;
	return true;
}

static void deep_end(struct deep *deep, struct ranges *ranges)
{
	size_t best = 0;

	if (deep->count == 0)
		return;
	for (size_t i = 1; i < deep->count; i++)
		if (deep->items[i].weight > deep->items[best].weight)
			best = i;
	ranges_add(ranges, deep->start, deep->items[best].point);
	deep->count = 0;
}

static void deep_add(struct deep *deep, struct ranges *ranges, const struct mmdb_network *network,
	uint32_t point)
{
	uint64_t weight = network->bits < 128 ? UINT64_C(1) << (127 - network->bits) : 0;
	size_t i = 0;

	if (deep->start != network->start)
		deep_end(deep, ranges);
	deep->start = network->start;
	while (i < deep->count && deep->items[i].point != point)
		i++;
	if (i == COUNT_OF(deep->items))
		return;
	if (i == deep->count) {
		deep->items[i].point = point;
		deep->items[i].weight = 0;
		deep->count++;
	}
	deep->items[i].weight += weight;
}

static bool survey_network(void *context, const struct mmdb_network *network, struct err *err)
{
	struct survey *survey = context;

	if (network->described_at != survey->last_described_at) {
		survey->last_point = RANGE_NONE;
		survey->last_described_at = network->described_at;
		if (network->described_at != MMDB_NOTHING &&
			!survey_point(survey, network->described_at, &survey->last_point, err))
			return false;
	}
	if (network->bits > 64) {
		deep_add(&survey->deep, survey->ranges, network, survey->last_point);
		return true;
	}
	deep_end(&survey->deep, survey->ranges);
	ranges_add(survey->ranges, network->start, survey->last_point);
	return true;
}

static bool read_mmdb(
	const void *bytes, size_t size, struct points *points, struct sheet *sheet, struct err *err)
{
	struct mmdb mmdb;

	if (!mmdb_open(bytes, size, &mmdb, err))
		return false;

	struct survey survey = {
		.mmdb = &mmdb,
		.points = points,
		.ranges = &sheet->ipv4,
		.last_described_at = MMDB_NOTHING,
		.last_point = RANGE_NONE,
	};
	bool done = mmdb_walk(&mmdb, ADDRESS_IPV4, survey_network, &survey, err);

	survey.ranges = &sheet->ipv6;
	done = done && mmdb_walk(&mmdb, ADDRESS_IPV6, survey_network, &survey, err);
	deep_end(&survey.deep, &sheet->ipv6);
	free(survey.known.slots);
	if (done && survey.position_count == 0)
		return err_set(err, "it holds no positions: is it a city database?");
	sheet->built_at_unix_s = mmdb.built_at_unix_s;
	return done;
}

/* Replaces the numbers of a file's points by ours. */
static void renumber(struct ranges *ranges, const uint32_t *numbers)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->values[i] != RANGE_NONE)
			ranges->values[i] = numbers[ranges->values[i]];
}

static bool read_compact(
	const void *bytes, size_t size, struct points *points, struct sheet *sheet, struct err *err)
{
	struct compact compact;

	if (!compact_open(bytes, size, &compact, err) ||
		!compact_read_runs(&compact, ADDRESS_IPV4, &sheet->ipv4, err) ||
		!compact_read_runs(&compact, ADDRESS_IPV6, &sheet->ipv6, err))
		return false;

	uint32_t *numbers = memory_new(compact.point_count * sizeof(numbers[0]));
	struct compact_point point;
	bool done = true;

	for (size_t i = 0; i < compact.point_count && done; i++) {
		done = compact_read_point(&compact, i, &point, err);
		if (done)
			numbers[i] = points_add(points, (struct point){point.at, POINT_NO_SITE});
	}
	if (done) {
		renumber(&sheet->ipv4, numbers);
		renumber(&sheet->ipv6, numbers);
		sheet->built_at_unix_s = compact.built_at_unix_s;
	}
	free(numbers);
	return done;
}

static bool is_blank(const struct ranges *ranges)
{
	return ranges->count == 1 && ranges->values[0] == RANGE_NONE;
}

/* `ranges`, and `under` where they know nothing; takes what `under` holds. */
static void lay_under(struct ranges *ranges, struct ranges *under)
{
	struct ranges both = {0};

	if (is_blank(under))
		return;
	if (is_blank(ranges)) {
		both = *under;
		*under = (struct ranges){0};
	} else {
		ranges_lay_over(ranges, under, &both);
	}
	ranges_done(ranges);
	*ranges = both;
}

bool atlas_add_bytes(struct atlas *atlas, const void *bytes, size_t size, struct err *err)
{
	struct sheet sheet = {.built_at_unix_s = 0};
	bool done = compact_is(bytes, size) ? read_compact(bytes, size, &atlas->points, &sheet, err)
					    : read_mmdb(bytes, size, &atlas->points, &sheet, err);

	if (done) {
		lay_under(&atlas->ipv4, &sheet.ipv4);
		lay_under(&atlas->ipv6, &sheet.ipv6);
		if (atlas->built_at_unix_s == 0 || sheet.built_at_unix_s < atlas->built_at_unix_s)
			atlas->built_at_unix_s = sheet.built_at_unix_s;
	}
	ranges_done(&sheet.ipv4);
	ranges_done(&sheet.ipv6);
	return done;
}

bool atlas_add_file(struct atlas *atlas, const char *path, struct err *err)
{
	struct text file = {0};

	if (!file_read(path, ATLAS_FILE_SIZE_MAX, &file, err))
		return false;

	bool done = atlas_add_bytes(atlas, file.bytes, file.size, err);

	text_done(&file);
	return done;
}
