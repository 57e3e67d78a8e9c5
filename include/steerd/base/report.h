/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * report - every mistake in the files that people write, each on one line.
 *
 * A reader of such a file says report_error() or report_warning() and goes on with the next record; who
 * called it refuses the file if `error_count` rose.  The lines are interface: tests compare them whole.
 *
 *	zones/example.com.zone:12: TTL '1x' is not a number
 *	steerd.yaml:7:9: unknown key 'timout'; did you mean 'timeout'?
 *	warning: zones/example.com.zone:9: ...
 *
 * Control characters in what is quoted are shown as "\DDD".
 *
 * Start with `struct report report = {0};`, end with report_done().
 */
struct report {
	struct text lines; /* each ends with '\n' */
	size_t error_count;
	size_t warning_count;
};

struct report_place {
	const char *path;
	unsigned line;	 /* from 1; 0: the file as a whole */
	unsigned column; /* from 1; 0: unknown */
};

void report_done(struct report *report);
void report_error(struct report *report, struct report_place place, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void report_warning(struct report *report, struct report_place place, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* What the daemon did about it: neither error nor warning. */
void report_note(struct report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
