/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/*
 * arena - memory that is freed together.
 *
 * Everything a snapshot points to comes from its arena; nothing inside is freed alone.
 * One thread builds; once built, any thread may read.
 */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is allowed */

/* `size` zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same without zeroes and with `alignment` (a power of two): for dense bytes, 1. */
void *arena_alloc_raw(struct arena *arena, size_t size, size_t alignment);
/* A copy, for as long as the arena lives. */
char *arena_text(struct arena *arena, const char *text);
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* Bytes taken from the system. */
size_t arena_size_bytes(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))
void *arena_alloc_array(struct arena *arena, size_t count, size_t item_size);

#endif
