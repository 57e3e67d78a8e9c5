/* SPDX-License-Identifier: Apache-2.0 */

/* The built-in form: what is written is read again, and a file that was changed is refused with one line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "atlas.h"
#include "compact.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"

#define ATTRIBUTION "made for a test"

/* Where the parts of the file below are. */
#define AT_CHECKSUM 16
#define AT_CHECKED 24
#define AT_SIZES 32
#define AT_POINTS (72 + sizeof(ATTRIBUTION) - 1)
#define AT_COUNTRIES (AT_POINTS + 8)
#define AT_RUNS (AT_POINTS + 12)

static void write_small(struct text *file)
{
	static const struct compact_point points[] = {{{50.1, 8.7}, "DE"}, {{-1.3, -103.9}, ""}};
	struct ranges ipv4 = {0};
	struct ranges ipv6 = {0};
	struct compact_source source = {
		.built_at_unix_s = 1780000000,
		.attribution = ATTRIBUTION,
		.points = points,
		.point_count = COUNT_OF(points),
		.ipv4 = &ipv4,
		.ipv6 = &ipv6,
		.ipv4_block_bits = 24,
		.ipv6_block_bits = 48,
	};

	ranges_add(&ipv4, 0, RANGE_NONE);
	ranges_add(&ipv4, 0x14000000, 0);
	ranges_add(&ipv4, 0x14000100, 1);
	ranges_add(&ipv4, 0x15000000, RANGE_NONE);
	ranges_add(&ipv4, 0xffffff00, 1);
	ranges_add(&ipv6, 0, 1);
	ranges_add(&ipv6, UINT64_C(0xffffffffffff0000), 0);
	compact_write(&source, file);
	ranges_done(&ipv4);
	ranges_done(&ipv6);
}

static void what_is_written_is_read(void **state)
{
	static const uint64_t starts[] = {0, 0x14000000, 0x14000100, 0x15000000, 0xffffff00};
	static const uint32_t values[] = {RANGE_NONE, 0, 1, RANGE_NONE, 1};
	struct text file = {0};
	struct ranges ranges = {0};
	struct compact compact;
	struct compact_point point;
	struct err err;

	(void)state;
	write_small(&file);
	assert_true(compact_is(file.bytes, file.size));
	assert_true(compact_open(file.bytes, file.size, &compact, &err));
	assert_int_equal(compact.built_at_unix_s, 1780000000);
	assert_int_equal(compact.attribution_size, strlen(ATTRIBUTION));
	assert_memory_equal(compact.attribution, ATTRIBUTION, strlen(ATTRIBUTION));
	assert_int_equal(compact.point_count, 2);
	assert_true(compact_read_point(&compact, 0, &point, &err));
	assert_true(point.at.latitude == 50.1 && point.at.longitude == 8.7);
	assert_string_equal(point.country, "DE");
	assert_true(compact_read_point(&compact, 1, &point, &err));
	assert_true(point.at.latitude == -1.3 && point.at.longitude == -103.9);
	assert_string_equal(point.country, "");

	assert_true(compact_read_runs(&compact, ADDRESS_IPV4, &ranges, &err));
	assert_int_equal(ranges.count, COUNT_OF(starts));
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		assert_true(ranges.starts[i] == starts[i]);
		assert_int_equal(ranges.values[i], values[i]);
	}
	ranges_done(&ranges);
	assert_true(compact_read_runs(&compact, ADDRESS_IPV6, &ranges, &err));
	assert_int_equal(ranges.count, 2);
	assert_true(ranges.starts[1] == UINT64_C(0xffffffffffff0000));
	ranges_done(&ranges);
	text_done(&file);
}

static void mend_checksum(uint8_t *bytes, size_t size)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = AT_CHECKED; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < 8; i++)
		bytes[AT_CHECKSUM + i] = (uint8_t)(sum >> (56 - 8 * i));
}

static bool read_all(const void *bytes, size_t size, struct err *err)
{
	struct atlas atlas;

	atlas_init(&atlas);

	bool done = atlas_add_bytes(&atlas, bytes, size, err);

	atlas_done(&atlas);
	return done;
}

/* One byte is changed; the checksum is right again. */
static const struct {
	const char *about;
	size_t at;
	uint8_t byte;
	const char *want; /* NULL: taken */
} changes[] = {
	{"another time", AT_CHECKED + 7, 1, NULL},
	{"a longer attribution", AT_SIZES + 3, sizeof(ATTRIBUTION), "it is cut off"},
	{"an endless attribution", AT_SIZES, 0xff, "it is cut off"},
	{"a shorter attribution", AT_SIZES + 3, 1, "it has 14 bytes too many"},
	{"more points", AT_SIZES + 7, 3, "it is cut off"},
	{"very many points", AT_SIZES + 4, 0xff, "it is cut off"},
	{"blocks of 33 bits", AT_SIZES + 11, 33, "its blocks have an impossible length"},
	{"blocks of 0 bits", AT_SIZES + 11, 0, "its blocks have an impossible length"},
	{"blocks of 65 bits", AT_SIZES + 27, 65, "its blocks have an impossible length"},
	{"blocks too small for the starts", AT_SIZES + 11, 23, "its run 4 of IPv4 is malformed"},
	{"a run less", AT_SIZES + 15, 4, "it has more in its columns of IPv4 than runs"},
	{"a run more", AT_SIZES + 15, 6, "its run 5 of IPv4 is malformed"},
	{"very many runs", AT_SIZES + 12, 0xff, "its run 5 of IPv4 is malformed"},
	{"no runs", AT_SIZES + 15, 0, "it has more in its columns of IPv4 than runs"},
	{"a latitude of more than 90", AT_POINTS, 0x04, "its point 0 is nowhere on Earth"},
	{"a longitude of more than 180", AT_POINTS + 4, 0x08, "its point 0 is nowhere on Earth"},
	{"a country in small letters", AT_COUNTRIES, 'd',
		"its point 0 has a country that is not two letters"},
	{"a country of one letter", AT_COUNTRIES + 1, 0,
		"its point 0 has a country that is not two letters"},
	{"half a country", AT_COUNTRIES + 2, 'D',
		"its point 1 has a country that is not two letters"},
	{"a first run that begins later", AT_RUNS, 1, "its run 0 of IPv4 is malformed"},
	{"a run that begins where the last did", AT_RUNS + 4, 0, "its run 2 of IPv4 is malformed"},
};

static void changed_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct text file = {0};
		struct err err = {"taken"};

		write_small(&file);
		file.bytes[changes[i].at] = (char)changes[i].byte;
		mend_checksum((uint8_t *)file.bytes, file.size);

		bool done = read_all(file.bytes, file.size, &err);

		if (done != (changes[i].want == NULL) ||
			(!done && strcmp(err.text, changes[i].want) != 0))
			fail_msg("%s: %s", changes[i].about, err.text);
		text_done(&file);
	}
}

static void every_cut_and_every_damage_is_seen(void **state)
{
	struct text file = {0};
	struct err err;

	(void)state;
	write_small(&file);
	for (size_t size = 0; size < file.size; size++) {
		char *exact = memory_copy(file.bytes, size);

		assert_false(read_all(exact, size, &err));
		free(exact);
	}
	for (size_t bit = 8 * sizeof("steerd geo v1\n"); bit < 8 * file.size; bit++) {
		file.bytes[bit / 8] ^= (char)(1 << bit % 8);
		if (read_all(file.bytes, file.size, &err))
			fail_msg("bit %zu of byte %zu is not seen", bit % 8, bit / 8);
		file.bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_true(read_all(file.bytes, file.size, &err));
	text_done(&file);
}

static void flipped_bits_with_a_right_checksum_never_crash(void **state)
{
	struct random random;
	struct text file = {0};
	size_t refused = 0;

	(void)state;
	random_seed_with(&random, 31);
	write_small(&file);
	for (size_t round = 0; round < 10000; round++) {
		uint8_t *exact = memory_copy(file.bytes, file.size);
		struct err err;

		for (uint32_t i = 0; i <= random_below(&random, 4); i++)
			exact[AT_CHECKED +
				random_below(&random, (uint32_t)file.size - AT_CHECKED)] ^=
				(uint8_t)(1 << random_below(&random, 8));
		mend_checksum(exact, file.size);
		refused += !read_all(exact, file.size, &err);
		free(exact);
	}
	assert_in_range(refused, 1000, 9999);
	text_done(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(changed_files_are_refused),
		cmocka_unit_test(every_cut_and_every_damage_is_seen),
		cmocka_unit_test(flipped_bits_with_a_right_checksum_never_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
