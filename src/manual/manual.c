/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints a manual page from its source: `manual docs/man/steerd.yaml.5.in`.
 *
 * A source is mdoc(7) in which a line "@settings WORDS" stands for a section made from a table (section.h), and
 * @VERSION@ and the like for what the build was configured with.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "section.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"

#define SOURCE_MAX_BYTES ((size_t)1 << 20)

static const struct {
	const char *name;
	section_fn *add;
} sections[] = {
	{"arguments", section_arguments},
	{"commands", section_commands},
	{"exits", section_exits},
	{"metrics", section_metrics},
	{"options", section_options},
	{"settings", section_settings},
};

static const struct {
	const char *name;
	const char *value;
} constants[] = {
	{"@VERSION@", STEERD_VERSION},
	{"@SYSCONFDIR@", STEERD_SYSCONFDIR},
	{"@DATADIR@", STEERD_DATADIR},
	{"@LIBEXECDIR@", STEERD_LIBEXECDIR},
};

static bool add_section(struct text *page, const char *line, struct err *err)
{
	size_t size = strcspn(line, " ");

	for (size_t i = 0; i < COUNT_OF(sections); i++)
		if (strlen(sections[i].name) == size && strncmp(sections[i].name, line, size) == 0)
			return sections[i].add(page, line + size + strspn(line + size, " "), err);
	return err_set(err, "unknown section '%s'", line);
}

static void add_line(struct text *page, const char *line)
{
	while (*line) {
		size_t plain = strcspn(line, "@");

		text_add_bytes(page, line, plain);
		line += plain;
		if (!*line)
			break;

		size_t i = 0;

		while (i < COUNT_OF(constants) &&
			strncmp(line, constants[i].name, strlen(constants[i].name)) != 0)
			i++;
		if (i < COUNT_OF(constants)) {
			text_add(page, constants[i].value);
			line += strlen(constants[i].name);
		} else {
			text_add_bytes(page, line++, 1);
		}
	}
	text_add(page, "\n");
}

static bool print_page(const char *path, struct text *page, struct err *err)
{
	struct text source = {0};
	bool done = true;
	char *rest;

	if (!file_read(path, SOURCE_MAX_BYTES, &source, err))
		return false;
	rest = source.bytes;
	for (unsigned number = 1; done && rest && *rest; number++) {
		char *line = strsep(&rest, "\n");

		if (line[0] == '@' && line[1] >= 'a' && line[1] <= 'z')
			done = add_section(page, line + 1, err) ||
				err_within(err, "%s:%u", path, number);
		else
			add_line(page, line);
	}
	text_done(&source);
	return done;
}

int main(int argc, char **argv)
{
	struct text page = {0};
	struct err err;

	if (argc != 2) {
		fprintf(stderr, "usage: %s SOURCE\n", argv[0]);
		return 2;
	}
	if (!print_page(argv[1], &page, &err)) {
		fprintf(stderr, "%s\n", err.text);
		text_done(&page);
		return 1;
	}

	bool is_written = fwrite(page.bytes, 1, page.size, stdout) == page.size;

	text_done(&page);
	return is_written && fflush(stdout) == 0 ? 0 : 1;
}
