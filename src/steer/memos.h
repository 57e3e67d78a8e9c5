/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMOS_H
#define MEMOS_H

#include <stddef.h>

#include "steerd/base/arena.h"

/*
 * memos - what was decided already, by keys of one size.  Memory is from an arena.
 */
#define MEMOS_BUCKETS 256

struct memos {
	struct arena *arena;
	size_t key_size; /* octets */
	struct memo *buckets[MEMOS_BUCKETS];
};

/* Where what belongs to a key stands; NULL stands there as long as nobody has put something. */
const void **memos_get(struct memos *memos, const void *key);

#endif
