/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"

/*
 * text - text that grows; bytes when read from a file, a line when built by hand.
 *
 * Start with `struct text text = {0};`, end with text_done().  There is always a '\0' behind the last
 * byte once anything was added, so that `text.bytes` is a C string when no byte is 0.
 */
struct text {
	char *bytes;
	size_t size;	 /* without the '\0' */
	size_t capacity; /* ours */
};

void text_done(struct text *text);
void text_clear(struct text *text);
void text_add(struct text *text, const char *words);
void text_add_bytes(struct text *text, const void *bytes, size_t size);
void text_print(struct text *text, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Room for "1 d 23 h". */
#define TEXT_DURATION_SIZE 32
/* A span in the two largest units that say enough: "850 ms", "5 s", "2 min 3 s", "1 d 4 h". */
void text_duration(uint64_t span_ms, char ret_text[static TEXT_DURATION_SIZE]);

/* Room for "2026-11-22 10:47:05". */
#define TEXT_TIME_SIZE 32
/* A point in time in UTC, to the second. */
void text_time(uint64_t unix_s, char ret_text[static TEXT_TIME_SIZE]);

/* A number of octets in the largest unit that it is whole in, added: "64 KiB", "1500 octets". */
void text_size(struct text *text, uint64_t bytes);

#endif
