/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "steerd/base/err.h"

/*
 * log - one line to stderr for people and for journald.
 *
 * The level is written in front as journald reads it (<3>, <4>, ...) when stderr is the journal
 * (JOURNAL_STREAM is set), else as a word.  [any thread]; a line is one write().
 * Never on the query path, and not in the rooms `base` to `answer`: those return what they have to say.
 */
enum log_level {
	LOG_LEVEL_ERR,	   /* someone must act */
	LOG_LEVEL_WARNING, /* degraded but answering */
	LOG_LEVEL_NOTICE,  /* state changed */
	LOG_LEVEL_INFO,	   /* routine */
	LOG_LEVEL_DEBUG,   /* for developers */
};

/* Once, before threads start: who writes ("steerd"), and the chattiest level that is still written. */
void log_start(const char *program, enum log_level most);

void log_err(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_notice(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A report, line by line, at one level. */
void log_lines(enum log_level level, const char *lines);

#endif
