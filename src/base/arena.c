/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* Chunks double from the first size to the last, so that a small zone costs little and a big one few
 * calls.  What is larger than half a chunk gets one of its own. */
#define FIRST_CHUNK_BYTES ((size_t)4 * 1024)
#define LAST_CHUNK_BYTES ((size_t)1024 * 1024)

struct chunk {
	struct chunk *next;
	alignas(max_align_t) uint8_t bytes[];
};

struct arena {
	struct chunk *chunks;
	uint8_t *free; /* in the newest shared chunk */
	size_t free_bytes;
	size_t next_chunk_bytes;
	size_t size_bytes;
};

struct arena *arena_new(void)
{
	struct arena *arena = memory_new(sizeof(*arena));

	arena->next_chunk_bytes = FIRST_CHUNK_BYTES;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

static uint8_t *chunk_add(struct arena *arena, size_t size)
{
	struct chunk *chunk = memory_resize(NULL, sizeof(*chunk) + size);

	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->size_bytes += sizeof(*chunk) + size;
	return chunk->bytes;
}

void *arena_alloc_raw(struct arena *arena, size_t size, size_t alignment)
{
	assert(alignment > 0 && (alignment & (alignment - 1)) == 0 &&
		alignment <= alignof(max_align_t));
	if (size == 0)
		size = 1; /* an address of its own, as for everyone */
	if (size > arena->next_chunk_bytes / 2)
		return chunk_add(arena, size);

	size_t gap = -(uintptr_t)arena->free & (alignment - 1);

	if (gap + size > arena->free_bytes) {
		arena->free = chunk_add(arena, arena->next_chunk_bytes);
		arena->free_bytes = arena->next_chunk_bytes;
		if (arena->next_chunk_bytes < LAST_CHUNK_BYTES)
			arena->next_chunk_bytes *= 2;
		gap = 0;
	}

	uint8_t *taken = arena->free + gap;

	arena->free += gap + size;
	arena->free_bytes -= gap + size;
	return taken;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc_raw(arena, size, alignof(max_align_t)), 0, size);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t item_size)
{
	size_t size;

	if (__builtin_mul_overflow(count, item_size, &size))
		size = SIZE_MAX / 2; /* more than there is: memory.c ends the process */
	return arena_alloc(arena, size);
}

char *arena_text(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(arena_alloc_raw(arena, size, 1), text, size);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_alloc_raw(arena, size, alignof(max_align_t));

	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

size_t arena_size_bytes(const struct arena *arena)
{
	return arena->size_bytes;
}
