/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* [fixed] once log_start() returned */
static const char *log_program = "steerd";
static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_to_journal;

static const struct {
	const char *journal; /* sd-daemon(3) */
	const char *word;
} levels[] = {
	[LOG_LEVEL_ERR] = {"<3>", "error: "},
	[LOG_LEVEL_WARNING] = {"<4>", "warning: "},
	[LOG_LEVEL_NOTICE] = {"<5>", ""},
	[LOG_LEVEL_INFO] = {"<6>", ""},
	[LOG_LEVEL_DEBUG] = {"<7>", "debug: "},
};

void log_start(const char *program, enum log_level most)
{
	log_program = program;
	log_most = most;
	log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

static void put_line(enum log_level level, const char *words, size_t size)
{
	char line[2048];
	int used = log_to_journal
		? snprintf(line, sizeof(line), "%s", levels[level].journal)
		: snprintf(line, sizeof(line), "%s: %s", log_program, levels[level].word);
	size_t room = sizeof(line) - (size_t)used - 1;

	if (size > room)
		size = room;
	memcpy(line + used, words, size);
	line[(size_t)used + size] = '\n';
	/* stderr that cannot be written is not worth dying for */
	if (write(STDERR_FILENO, line, (size_t)used + size + 1) < 0)
		return;
}

static void put(enum log_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static void put(enum log_level level, const char *fmt, va_list args)
{
	char words[1536];

	if (level > log_most)
		return;

	int size = vsnprintf(words, sizeof(words), fmt, args);

	if (size < 0)
		return;
	put_line(level, words, (size_t)size < sizeof(words) ? (size_t)size : sizeof(words) - 1);
}

#define DEFINE_LOG(name, level)                                                                    \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		put(level, fmt, args);                                                             \
		va_end(args);                                                                      \
	}

DEFINE_LOG(log_err, LOG_LEVEL_ERR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_notice, LOG_LEVEL_NOTICE)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void log_lines(enum log_level level, const char *lines)
{
	if (level > log_most)
		return;
	while (*lines) {
		size_t size = strcspn(lines, "\n");

		put_line(level, lines, size);
		lines += size + (lines[size] == '\n');
	}
}
