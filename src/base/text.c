/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "steerd/base/memory.h"

void text_done(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

void text_clear(struct text *text)
{
	text->size = 0;
	if (text->bytes)
		text->bytes[0] = '\0';
}

/* Makes room for `more` bytes and the '\0' behind them. */
static void reserve(struct text *text, size_t more)
{
	size_t need = text->size + more + 1;

	if (need <= text->capacity)
		return;

	size_t capacity = text->capacity * 2 > need ? text->capacity * 2 : need;

	text->bytes = memory_resize(text->bytes, capacity);
	text->capacity = capacity;
}

void text_add_bytes(struct text *text, const void *bytes, size_t size)
{
	reserve(text, size);
	if (size > 0)
		memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
}

void text_add(struct text *text, const char *words)
{
	text_add_bytes(text, words, strlen(words));
}

void text_print(struct text *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int size = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (size <= 0)
		return;

	reserve(text, (size_t)size);
	va_start(args, fmt);
	vsnprintf(text->bytes + text->size, (size_t)size + 1, fmt, args);
	va_end(args);
	text->size += (size_t)size;
}

void text_duration(uint64_t span_ms, char ret_text[static TEXT_DURATION_SIZE])
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
	size_t large = 0;

	while (large + 1 < COUNT_OF(units) && span_ms < units[large].ms)
		large++;

	uint64_t whole = span_ms / units[large].ms;
	uint64_t rest = span_ms % units[large].ms;
	bool is_exact = large + 1 >= COUNT_OF(units) || units[large].ms == 1000 ||
		rest < units[large + 1].ms;

	if (is_exact)
		snprintf(ret_text, TEXT_DURATION_SIZE, "%" PRIu64 " %s", whole, units[large].name);
	else
		snprintf(ret_text, TEXT_DURATION_SIZE, "%" PRIu64 " %s %" PRIu64 " %s", whole,
			units[large].name, rest / units[large + 1].ms, units[large + 1].name);
}

void text_time(uint64_t unix_s, char ret_text[static TEXT_TIME_SIZE])
{
	time_t time = (time_t)unix_s;
	struct tm parts;

	if (!gmtime_r(&time, &parts) ||
		strftime(ret_text, TEXT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		snprintf(ret_text, TEXT_TIME_SIZE, "%" PRIu64, unix_s);
}

void text_size(struct text *text, uint64_t bytes)
{
	static const char *const units[] = {"octets", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (unit + 1 < COUNT_OF(units) && bytes > 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	text_print(text, "%" PRIu64 " %s", bytes, units[unit]);
}
