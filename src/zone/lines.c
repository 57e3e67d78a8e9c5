/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Longest entry.  ldns cuts RDATA at 65535 characters in silence; this leaves room for what stands before it. */
#define ENTRY_MAX 65000

/* Where the scanner stands between two characters of an entry. */
struct scan {
	unsigned parentheses; /* open ones */
	bool is_quoted;
};

void lines_done(struct lines *lines)
{
	free(lines->physical);
	text_done(&lines->entry);
}

/* One quoted or escaped or plain character; `*at` moves behind it. */
static bool scan_special(struct lines *lines, struct scan *scan, const char **at, struct err *err)
{
	char c = *(*at)++;

	switch (c) {
	case '"':
		scan->is_quoted = !scan->is_quoted;
		text_add_bytes(&lines->entry, &c, 1);
		return true;
	case '\\':
		if (**at == '\0' || **at == '\n')
			return err_set(err, "a backslash ends the line");
		text_add_bytes(&lines->entry, *at - 1, 2);
		(*at)++;
		return true;
	case '(':
		scan->parentheses++;
		break;
	case ')':
		if (scan->parentheses == 0)
			return err_set(err, "')' without '('");
		scan->parentheses--;
		break;
	default: /* a blank */
		break;
	}
	text_add_bytes(&lines->entry, " ", 1);
	return true;
}

/* Adds one physical line to the entry. */
static bool scan_line(struct lines *lines, struct scan *scan, size_t size, struct err *err)
{
	const char *at = lines->physical;
	const char *end = at + size;

	if (memchr(at, '\0', size))
		return err_set(err, "a zero byte");
	while (at < end) {
		/* within quotes only the quote and the backslash mean anything */
		size_t plain = strcspn(at, scan->is_quoted ? "\"\\\n" : "\"\\();\t\r\f\v\n");

		text_add_bytes(&lines->entry, at, plain);
		at += plain;
		if (*at == '\0' || *at == '\n' || *at == ';')
			break;
		if (!scan_special(lines, scan, &at, err))
			return false;
	}
	if (scan->is_quoted)
		return err_set(err, "'\"' is not closed on its line");
	if (lines->entry.size > ENTRY_MAX)
		return err_set(err, "an entry of more than %d characters", ENTRY_MAX);
	return true;
}

static bool is_blank(const struct text *text)
{
	return text->size == 0 || text->bytes[strspn(text->bytes, " ")] == '\0';
}

/* Reads on until the parentheses are closed; false at the end of the file. */
static bool read_physical(struct lines *lines, size_t *ret_size)
{
	ssize_t got = getline(&lines->physical, &lines->capacity, lines->file);

	if (got < 0)
		return false;
	lines->number++;
	lines->is_cut = lines->physical[got - 1] != '\n';
	*ret_size = (size_t)got;
	return true;
}

enum lines_result lines_next(struct lines *lines, struct line *ret_line, struct err *err)
{
	struct scan scan = {0};
	size_t size;

	text_clear(&lines->entry);
	while (read_physical(lines, &size)) {
		if (is_blank(&lines->entry) && scan.parentheses == 0) {
			text_clear(&lines->entry);
			ret_line->number = lines->number;
			ret_line->begins_blank =
				lines->physical[0] == ' ' || lines->physical[0] == '\t';
		}
		if (!scan_line(lines, &scan, size, err)) {
			ret_line->number = lines->number;
			return LINES_MISTAKE;
		}
		if (scan.parentheses == 0 && !is_blank(&lines->entry)) {
			ret_line->text = lines->entry.bytes;
			return LINES_ENTRY;
		}
	}
	if (ferror(lines->file) && !lines->has_failed) {
		lines->has_failed = true; /* said once, and then it is the end */
		ret_line->number = lines->number;
		(void)err_os(err, "cannot read on");
		return LINES_MISTAKE;
	}
	if (scan.parentheses == 0)
		return LINES_END;
	(void)err_set(err, "'(' is never closed");
	return LINES_MISTAKE;
}
