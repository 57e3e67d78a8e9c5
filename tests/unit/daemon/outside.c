/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* ---- clocks ---- */

#define BEGIN_UNIX_MS UINT64_C(1700000000000)

static uint64_t now_ms;

void outside_set_ms(uint64_t ms)
{
	now_ms = ms;
}

uint64_t outside_now_ms(void)
{
	return now_ms;
}

uint64_t clock_monotonic_ms(void)
{
	return now_ms;
}

uint64_t clock_monotonic_us(void)
{
	return now_ms * 1000;
}

uint64_t clock_unix_ms(void)
{
	return BEGIN_UNIX_MS + now_ms;
}

uint64_t clock_unix_s(void)
{
	return clock_unix_ms() / 1000;
}

/* ---- log ---- */

static struct text said;

char *outside_lines(void)
{
	char *lines = memory_text(said.bytes ? said.bytes : "");

	text_done(&said);
	return lines;
}

void log_start(const char *program, enum log_level most)
{
	(void)program;
	(void)most;
}

static void keep(enum log_level level, const char *line, size_t size)
{
	if (level == LOG_LEVEL_DEBUG || level == LOG_LEVEL_INFO)
		return;
	if (level == LOG_LEVEL_ERR)
		text_add(&said, "!");
	text_add_bytes(&said, line, size);
	text_add(&said, "\n");
}

void log_lines(enum log_level level, const char *lines)
{
	while (*lines) {
		size_t size = strcspn(lines, "\n");

		keep(level, lines, size);
		lines += size + (lines[size] == '\n');
	}
}

#define DEFINE_LOG(name, level)                                                                    \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		char line[1536];                                                                   \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		(void)vsnprintf(line, sizeof(line), fmt, args);                                    \
		va_end(args);                                                                      \
		keep(level, line, strlen(line));                                                   \
	}

DEFINE_LOG(log_err, LOG_LEVEL_ERR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_notice, LOG_LEVEL_NOTICE)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
