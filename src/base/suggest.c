/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/suggest.h"

#include <stdint.h>
#include <string.h>

/* No key and no name is longer. */
#define WORD_MAX 63

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
	size_t a_size = strlen(a);
	size_t b_size = strlen(b);
	/* rows of the table of distances between the first i letters of `a` and the first j of `b` */
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (a_size > WORD_MAX || b_size > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_size; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = min_of(replaced, min_of(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min_of(row[j], before[j - 2] + 1);
		}

		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
	}
	return above[b_size];
}

struct suggestion suggest_begin(const char *typed)
{
	size_t size = strlen(typed);

	return (struct suggestion){.typed = typed, .distance = size < 2 ? 1 : size < 6 ? 2 : 3};
}

void suggest_try(struct suggestion *suggestion, const char *word)
{
	size_t typed_size = strlen(suggestion->typed);
	size_t word_size = strlen(word);
	size_t apart = typed_size > word_size ? typed_size - word_size : word_size - typed_size;

	if (apart >= suggestion->distance)
		return;

	size_t distance = suggest_distance(suggestion->typed, word);

	if (distance < suggestion->distance) {
		suggestion->distance = distance;
		suggestion->best = word;
	}
}
