/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/*
 * memory - heap memory that is always there.
 *
 * When the system has none left the process ends here, with one line, and nowhere else.
 * [any thread]; never on the query path.
 */

/* `size` zeroed bytes; the caller frees them with free(). */
void *memory_new(size_t size);
/* The same on a boundary that malloc() does not promise, and alone up to the next one: `alignment` is a power of two. */
void *memory_new_aligned(size_t alignment, size_t size);
/* The same for a large table that is looked up at random: in large pages if the system has them, because every look-up would
 * wait for the address of its page to be found, and then for what is there. */
void *memory_new_table(size_t size);
void *memory_resize(void *old, size_t size);
char *memory_text(const char *text);
void *memory_copy(const void *bytes, size_t size);

/* Returns to the system what was freed: for those who just freed much that lay among what stays. */
void memory_give_back(void);

/*
 * Makes room for one more item at the end of a growing array; returns the array.
 *
 *	list->items = MEMORY_GROW(list->items, list->count, &list->capacity);
 *	list->items[list->count++] = item;
 */
#define MEMORY_GROW(array, count, capacity)                                                        \
	memory_grow((array), (count), (capacity), sizeof((array)[0]))
void *memory_grow(void *array, size_t count, size_t *capacity, size_t item_size);

/* How many items an array has whose size the compiler knows. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
