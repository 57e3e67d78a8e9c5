/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/link/hearsay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/health/verdict.h"

static void word_free(struct word *word)
{
	free(word->key);
	free(word->reason);
}

void hearsay_done(struct hearsay *hearsay)
{
	for (size_t i = 0; i < hearsay->count; i++)
		word_free(&hearsay->words[i]);
	free(hearsay->words);
	*hearsay = (struct hearsay){0};
}

/* Where the word for that key is, or would be. */
static size_t find_place(const struct hearsay *hearsay, const char *key, bool *ret_found)
{
	size_t low = 0;
	size_t high = hearsay->count;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(hearsay->words[middle].key, key);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A line, whatever was said, and no longer than a verdict keeps: the other end of the link takes nothing else. */
static char *reason_of(const struct word *word)
{
	char *reason = memory_text(word->reason ? word->reason : "");
	size_t size = strnlen(reason, VERDICT_REASON_SIZE - 1);

	reason[size] = '\0';
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)reason[i] < 0x20 || reason[i] == 0x7f)
			reason[i] = '?';
	return reason;
}

void hearsay_put(struct hearsay *hearsay, const struct word *word)
{
	struct word copy = {
		.key = memory_text(word->key),
		.state = word->state,
		.reason = reason_of(word),
		.said_at_ms = word->said_at_ms,
	};
	bool found;
	size_t place = find_place(hearsay, word->key, &found);

	if (found) {
		word_free(&hearsay->words[place]);
	} else {
		hearsay->words = MEMORY_GROW(hearsay->words, hearsay->count, &hearsay->capacity);
		memmove(&hearsay->words[place + 1], &hearsay->words[place],
			(hearsay->count - place) * sizeof(hearsay->words[0]));
		hearsay->count++;
	}
	hearsay->words[place] = copy;
}

const struct word *hearsay_find(const struct hearsay *hearsay, const char *key)
{
	bool found;
	size_t place = find_place(hearsay, key, &found);

	return found ? &hearsay->words[place] : NULL;
}

static int compare_keys(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

void hearsay_prune(struct hearsay *hearsay, const struct target_list *targets)
{
	const char **keys;
	size_t kept = 0;

	if (hearsay->count == 0)
		return;
	keys = memory_new(targets->count * sizeof(keys[0]));
	for (size_t i = 0; i < targets->count; i++)
		keys[i] = targets->targets[i].key;
	qsort(keys, targets->count, sizeof(keys[0]), compare_keys);
	for (size_t i = 0; i < hearsay->count; i++) {
		struct word *word = &hearsay->words[i];
		const char *key = word->key;

		if (bsearch(&key, keys, targets->count, sizeof(keys[0]), compare_keys))
			hearsay->words[kept++] = *word;
		else
			word_free(word);
	}
	hearsay->count = kept;
	free(keys);
}
