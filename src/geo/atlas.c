/* SPDX-License-Identifier: Apache-2.0 */
#include "atlas.h"

#include <stdlib.h>
#include <string.h>

#include "compact.h"
#include "mmdb.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "survey.h"

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

static bool is_blank(const struct ranges *ranges)
{
	return ranges->count == 1 && ranges->values[0] == RANGE_NONE;
}

static bool read_mmdb(
	const void *bytes, size_t size, struct points *points, struct sheet *sheet, struct err *err)
{
	struct mmdb mmdb;

	if (!mmdb_open(bytes, size, &mmdb, err))
		return false;

	sheet->built_at_unix_s = mmdb.built_at_unix_s;
	if (!survey_mmdb(&mmdb, points, &sheet->ipv4, &sheet->ipv6, err))
		return false;
	if (is_blank(&sheet->ipv4) && is_blank(&sheet->ipv6))
		return err_set(err, "it holds no positions: is it a city database?");
	return true;
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
