/* SPDX-License-Identifier: Apache-2.0 */
#include "memos.h"

#include <stdint.h>
#include <string.h>

struct memo {
	struct memo *next;
	const void *value;
	uint8_t key[]; /* memos->key_size */
};

static struct memo **find_bucket(struct memos *memos, const uint8_t *key)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < memos->key_size; i++)
		hash = (hash ^ key[i]) * 16777619u;
	return &memos->buckets[hash % MEMOS_BUCKETS];
}

const void **memos_get(struct memos *memos, const void *key)
{
	struct memo **bucket = find_bucket(memos, key);

	for (struct memo *memo = *bucket; memo; memo = memo->next)
		if (memcmp(memo->key, key, memos->key_size) == 0)
			return &memo->value;

	struct memo *memo = arena_alloc(memos->arena, sizeof(*memo) + memos->key_size);

	memo->next = *bucket;
	memo->value = NULL;
	memcpy(memo->key, key, memos->key_size);
	*bucket = memo;
	return &memo->value;
}
