/* SPDX-License-Identifier: Apache-2.0 */
#include "section.h"

#include <stdio.h>
#include <string.h>

#include "roff.h"
#include "steerd/base/memory.h"
#include "steerd/ctl/options.h"
#include "steerd/daemon/options.h"

static void add_option(struct text *page, const struct option *option)
{
	roff_begin(page, "It");
	if (option->letter)
		text_print(page, " Fl %c , ", option->letter);
	text_print(page, " Fl \\-%s", option->name);
	if (option->shown) {
		text_add(page, " Ar");
		roff_add(page, option->shown);
	}
	roff_end(page);
	roff_add_prose(page, option->help);
}

bool section_options(struct text *page, const char *program, struct err *err)
{
	bool is_steerd = strcmp(program, "steerd") == 0;
	const struct option *options = is_steerd ? options_steerd : options_steerctl;
	size_t count = is_steerd ? options_steerd_count : options_steerctl_count;

	if (!is_steerd && strcmp(program, "steerctl") != 0)
		return err_set(err, "'%s' has no options", program);
	text_add(page, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < count; i++)
		add_option(page, &options[i]);
	text_add(page, ".El\n");
	return true;
}

static void add_exit(struct text *page, int code, const char *meaning)
{
	text_print(page, ".It %d\n", code);
	roff_add_prose(page, meaning);
}

bool section_exits(struct text *page, const char *program, struct err *err)
{
	bool is_steerd = strcmp(program, "steerd") == 0;

	if (!is_steerd && strcmp(program, "steerctl") != 0)
		return err_set(err, "'%s' has no exit codes", program);
	text_add(page, ".Bl -tag -width Ds\n");
	if (is_steerd)
		for (size_t i = 0; i < options_steerd_exit_count; i++)
			add_exit(page, options_steerd_exits[i].code,
				options_steerd_exits[i].meaning);
	else
		for (int code = 0; code <= STEERCTL_UNREACHABLE; code++)
			add_exit(page, code, options_steerctl_exits[code]);
	text_add(page, ".El\n");
	return true;
}
