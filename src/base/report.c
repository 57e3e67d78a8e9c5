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

/* The words of files are quoted as they are, but a control character becomes "\DDD", as zone files have it: a line stays
 * one, and no file gives orders to the terminal of who reads it. */
static void add_words(struct report *report, const char *words)
{
	for (const char *at = words; *at; at++) {
		unsigned char octet = (unsigned char)*at;

		if (octet < ' ' || octet == 0x7f)
			text_print(&report->lines, "\\%03u", octet);
		else
			text_add_bytes(&report->lines, at, 1);
	}
}

static void add_line(
	struct report *report, const char *kind, const struct report_place *place, const char *line)
{
	text_add(&report->lines, kind);
	if (place) {
		add_words(report, place->path);
		if (place->line > 0)
			text_print(&report->lines, ":%u", place->line);
		if (place->line > 0 && place->column > 0)
			text_print(&report->lines, ":%u", place->column);
		text_add(&report->lines, ": ");
	}
	add_words(report, line);
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
