/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* One item's stretch of the line, in units of which a tooth distance has `unit`. */
struct stretch {
	uint64_t begin;
	uint64_t length;
	bool is_certain;
};

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Marks those whose share of the `want` places is a whole place; returns the places left. */
static size_t find_certain(const uint32_t *weights, size_t count, size_t want, struct stretch *line,
	uint64_t *ret_unit)
{
	bool again;

	do {
		uint64_t sum = 0;

		again = false;
		for (size_t i = 0; i < count; i++)
			sum += line[i].is_certain ? 0 : weights[i];
		*ret_unit = sum;
		for (size_t i = 0; i < count && want > 0; i++) {
			if (line[i].is_certain || want * (uint64_t)weights[i] < sum)
				continue;
			line[i].is_certain = true;
			want--;
			again = true;
			break; /* the others' shares have changed */
		}
	} while (again);
	return want;
}

/* Whether a comb shifted by `shift` has a tooth on the stretch. */
static bool is_under_comb(const struct stretch *stretch, uint64_t shift, uint64_t unit)
{
	uint64_t to_next_tooth = (shift + unit - stretch->begin % unit) % unit;

	return stretch->is_certain || to_next_tooth < stretch->length;
}

static void choose(struct arena *arena, const struct stretch *line, size_t count, uint64_t shift,
	uint64_t unit, struct sample *sample)
{
	uint16_t *chosen = ARENA_ARRAY(arena, uint16_t, count);

	sample->chosen = chosen;
	for (size_t i = 0; i < count; i++)
		if (is_under_comb(&line[i], shift, unit))
			chosen[sample->count++] = (uint16_t)i;
}

static size_t take_all(struct arena *arena, size_t count, struct sample *sample)
{
	uint16_t *chosen = ARENA_ARRAY(arena, uint16_t, count);

	for (size_t i = 0; i < count; i++)
		chosen[i] = (uint16_t)i;
	*sample = (struct sample){SAMPLE_WHOLE, chosen, count};
	return 1;
}

size_t sample_split(struct arena *arena, const uint32_t *weights, size_t count, size_t want,
	struct sample **ret_samples)
{
	struct sample *samples = ARENA_ARRAY(arena, struct sample, count + 1);

	*ret_samples = samples;
	if (count <= want)
		return take_all(arena, count, samples);

	struct stretch *line = ARENA_ARRAY(arena, struct stretch, count);
	uint64_t *shifts = ARENA_ARRAY(arena, uint64_t, count + 1);
	uint64_t unit;
	uint64_t end = 0;
	size_t shift_count = 0;
	size_t used = 0;

	want = find_certain(weights, count, want, line, &unit);
	for (size_t i = 0; i < count; i++) {
		if (line[i].is_certain)
			continue;
		line[i].begin = end;
		line[i].length = want * (uint64_t)weights[i];
		shifts[shift_count++] = end % unit;
		end += line[i].length;
	}

	/* What lies under the comb changes only where a stretch begins, which is where another ends. */
	qsort(shifts, shift_count, sizeof(shifts[0]), compare_u64);
	shifts[shift_count] = unit;
	for (size_t i = 0; i < shift_count; i++) {
		if (shifts[i] == shifts[i + 1])
			continue;
		samples[used].below =
			(uint64_t)(((unsigned __int128)shifts[i + 1] * SAMPLE_WHOLE) / unit);
		choose(arena, line, count, shifts[i], unit, &samples[used]);
		used++;
	}
	return used;
}
