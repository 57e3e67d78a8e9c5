/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_COMPLAINTS_H
#define CONFIG_COMPLAINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/report.h"

/*
 * complaints - what is wrong with one file, gathered in any order and told in the order of the file.
 *
 * The first COMPLAINTS_MAX are kept: a file that is wrong throughout must not cost memory without end.
 */
#define COMPLAINTS_MAX 100

struct complaint {
	struct report_place place;
	bool is_warning;
	char *line; /* heap */
};

struct complaints {
	const char *path;
	struct complaint *items; /* heap */
	size_t count;
	size_t capacity;
	size_t error_count; /* all of them, kept or not */
};

/* Starts with {.path = ...}.  A mistake, which refuses the file. */
void complain(struct complaints *complaints, struct report_place place, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void complain_warn(struct complaints *complaints, struct report_place place, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* Moves all of it to the report, and ends. */
void complaints_tell(struct complaints *complaints, struct report *report);

/* Text from the file as it may stand in a line: cut when long, without control characters. */
struct shown {
	char text[72];
};
struct shown show(const char *text);

#endif
