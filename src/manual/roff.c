/* SPDX-License-Identifier: Apache-2.0 */
#include "roff.h"

#include <stdbool.h>
#include <string.h>

/* Longest line of the page's source; longer ones are read as well, but mandoc(1) frowns. */
#define LINE_MAX_BYTES 78

/* One octet of text; `is_literal`: a '-' is the character that people type, not a hyphen. */
static void add_octet(struct text *page, char octet, bool is_literal)
{
	switch (octet) {
	case '\\':
		text_add(page, "\\e");
		return;
	case '"':
		text_add(page, "\\(dq");
		return;
	case '-':
		text_add(page, is_literal ? "\\-" : "-");
		return;
	}
	text_add_bytes(page, &octet, 1);
}

static bool is_line_begun(const struct text *page)
{
	return page->size > 0 && page->bytes[page->size - 1] != '\n';
}

static void end_line(struct text *page)
{
	while (page->size > 0 && page->bytes[page->size - 1] == ' ')
		page->bytes[--page->size] = '\0';
	if (is_line_begun(page))
		text_add(page, "\n");
}

/* A literal amid prose is a macro on a line of its own; what follows it without a blank is its last word. */
static const char *add_literal(struct text *page, const char *prose)
{
	size_t size = strcspn(prose, "`");

	end_line(page);
	text_add(page, ".Ql ");
	for (size_t i = 0; i < size; i++)
		add_octet(page, prose[i], true);
	prose += size + (prose[size] == '`');
	if (*prose && strchr(".,;:)", *prose)) {
		text_add(page, " ");
		text_add_bytes(page, prose++, 1);
	}
	text_add(page, "\n");
	return prose + strspn(prose, " \n");
}

static size_t line_size(const struct text *page)
{
	size_t size = 0;

	while (size < page->size && page->bytes[page->size - size - 1] != '\n')
		size++;
	return size;
}

/* Is this blank the end of a sentence, of a line, or of what fits into one? */
static bool is_break(const struct text *page, const char *prose)
{
	if (*prose != ' ')
		return *prose == '\n';
	return strchr(".?!", prose[-1]) ||
		line_size(page) + 1 + strcspn(prose + 1, " \n`") > LINE_MAX_BYTES;
}

void roff_add_prose(struct text *page, const char *prose)
{
	const char *at = prose;

	while (*at) {
		if (*at == '`') {
			at = add_literal(page, at + 1);
		} else if (at > prose && is_break(page, at)) {
			end_line(page);
			at += strspn(at, " \n");
		} else {
			if (!is_line_begun(page) && strchr(".'", *at))
				text_add(page, "\\&"); /* else it were a macro */
			add_octet(page, *at++, false);
		}
	}
	end_line(page);
}

void roff_add_literal(struct text *page, const char *lines)
{
	for (; *lines; lines++) {
		if (!is_line_begun(page) && strchr(".'", *lines))
			text_add(page, "\\&");
		add_octet(page, *lines, true);
	}
	end_line(page);
}

void roff_begin(struct text *page, const char *macro)
{
	text_print(page, ".%s", macro);
}

void roff_add(struct text *page, const char *word)
{
	text_add(page, " ");
	for (; *word; word++)
		add_octet(page, *word, true);
}

void roff_end(struct text *page)
{
	text_add(page, "\n");
}
