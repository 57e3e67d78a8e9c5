/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/report.h"

#include <stdarg.h>
#include <stdio.h>

/* Longest line of a report; what is longer is cut. */
#define LINE_SIZE 1024

void report_done(struct report *report)
{
	text_done(&report->lines);
	*report = (struct report){0};
}

static void add_line(
	struct report *report, const char *kind, const struct report_place *place, const char *line)
{
	text_add(&report->lines, kind);
	if (place) {
		text_add(&report->lines, place->path);
		if (place->line > 0)
			text_print(&report->lines, ":%u", place->line);
		if (place->line > 0 && place->column > 0)
			text_print(&report->lines, ":%u", place->column);
		text_add(&report->lines, ": ");
	}
	text_add(&report->lines, line);
	text_add(&report->lines, "\n");
}

void report_error(struct report *report, struct report_place place, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	add_line(report, "", &place, line);
	report->error_count++;
}

void report_warning(struct report *report, struct report_place place, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	add_line(report, "warning: ", &place, line);
	report->warning_count++;
}

void report_note(struct report *report, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	add_line(report, "", NULL, line);
}
