/* SPDX-License-Identifier: Apache-2.0 */
#include "complaints.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* Longest line; what is longer is cut. */
#define LINE_SIZE 1000

static void add(struct complaints *complaints, struct complaint complaint, const char *line)
{
	if (complaints->count >= COMPLAINTS_MAX)
		return;
	complaint.line = memory_text(line);
	complaints->items =
		MEMORY_GROW(complaints->items, complaints->count, &complaints->capacity);
	complaints->items[complaints->count++] = complaint;
}

void complain(struct complaints *complaints, struct report_place place, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	add(complaints, (struct complaint){.place = place}, line);
	complaints->error_count++;
}

void complain_warn(struct complaints *complaints, struct report_place place, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	add(complaints, (struct complaint){.place = place, .is_warning = true}, line);
}

static int compare_places(const void *left, const void *right)
{
	const struct report_place *a = &((const struct complaint *)left)->place;
	const struct report_place *b = &((const struct complaint *)right)->place;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return strcmp(
		((const struct complaint *)left)->line, ((const struct complaint *)right)->line);
}

void complaints_tell(struct complaints *complaints, struct report *report)
{
	if (complaints->count > 0)
		qsort(complaints->items, complaints->count, sizeof(complaints->items[0]),
			compare_places);
	for (size_t i = 0; i < complaints->count; i++) {
		struct complaint *complaint = &complaints->items[i];

		if (complaint->is_warning)
			report_warning(report, complaint->place, "%s", complaint->line);
		else
			report_error(report, complaint->place, "%s", complaint->line);
		free(complaint->line);
	}
	if (complaints->error_count >= COMPLAINTS_MAX)
		report_error(report, (struct report_place){.path = complaints->path},
			"too many mistakes; the first %d are shown", COMPLAINTS_MAX);
	free(complaints->items);
	*complaints = (struct complaints){.path = complaints->path};
}

struct shown show(const char *text)
{
	struct shown shown;
	size_t size = strlen(text);
	bool is_cut = size >= sizeof(shown.text) - strlen("...");

	if (is_cut) {
		size = sizeof(shown.text) - 1 - strlen("...");
		while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80)
			size--; /* not in the middle of a character of UTF-8 */
	}
	for (size_t i = 0; i < size; i++)
		shown.text[i] = (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	memcpy(shown.text + size, is_cut ? "..." : "", is_cut ? 4 : 1);
	return shown;
}
