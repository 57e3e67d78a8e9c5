/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE_SIZE ((size_t)2 << 20)

static _Noreturn void end_of_memory(size_t size)
{
	fprintf(stderr, "steerd: out of memory: %zu bytes more are not to be had\n", size);
	abort();
}

void *memory_new(size_t size)
{
	void *fresh = calloc(1, size > 0 ? size : 1);

	if (!fresh)
		end_of_memory(size);
	return fresh;
}

void *memory_new_aligned(size_t alignment, size_t size)
{
	void *fresh;

	size = (size + alignment - 1) / alignment * alignment;
	if (posix_memalign(&fresh, alignment, size > 0 ? size : alignment) != 0)
		end_of_memory(size);
	return memset(fresh, 0, size);
}

void *memory_new_table(size_t size)
{
	void *fresh;

	if (size < LARGE_PAGE_SIZE)
		return memory_new(size);
	if (posix_memalign(&fresh, LARGE_PAGE_SIZE, size) != 0)
		end_of_memory(size);
	(void)madvise(fresh, size,
		MADV_HUGEPAGE); /* before the first touch; a kernel without them says no */
	return memset(fresh, 0, size);
}

void *memory_resize(void *old, size_t size)
{
	void *fresh = realloc(old, size > 0 ? size : 1);

	if (!fresh)
		end_of_memory(size);
	return fresh;
}

char *memory_text(const char *text)
{
	return memory_copy(text, strlen(text) + 1);
}

void *memory_copy(const void *bytes, size_t size)
{
	void *fresh = memory_new(size);

	if (size > 0)
		memcpy(fresh, bytes, size);
	return fresh;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t item_size)
{
	if (count < *capacity)
		return array;

	size_t wanted = *capacity > 0 ? *capacity * 2 : 8;
	size_t bytes;

	if (__builtin_mul_overflow(wanted, item_size, &bytes))
		end_of_memory(SIZE_MAX);
	array = memory_resize(array, bytes);
	*capacity = wanted;
	return array;
}

void memory_give_back(void)
{
	(void)malloc_trim(0);
}
