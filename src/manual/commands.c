/* SPDX-License-Identifier: Apache-2.0 */
#include "section.h"

#include <ctype.h>
#include <string.h>

#include "roff.h"
#include "steerd/control/command.h"
#include "steerd/control/metrics.h"

/* "[--for TIME]" */
static void add_argument(struct text *page, const struct argument *argument, bool is_required)
{
	text_add(page, is_required ? "" : " Oo");
	if (argument->is_option) {
		text_add(page, " Fl \\-");
		text_add(page, argument->key);
	}
	if (!argument->is_option || *argument->shown) {
		text_add(page, " Ar");
		roff_add(page, argument->shown);
	}
	text_add(page, is_required ? "" : " Oc");
}

/* "end a drain": "End a drain." */
static void add_summary(struct text *page, const char *summary)
{
	struct text sentence = {0};

	text_print(&sentence, "%c%s.", toupper((unsigned char)*summary), summary + 1);
	roff_add_prose(page, sentence.bytes);
	text_done(&sentence);
}

static void add_examples(struct text *page, const char *examples)
{
	text_add(page, ".Bd -literal -offset indent\n");
	roff_add_literal(page, examples);
	text_add(page, ".Ed\n");
}

bool section_commands(struct text *page, const char *words, struct err *err)
{
	(void)words;
	(void)err;
	text_add(page, ".Bl -tag -width Ds\n");
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		const struct command *command = &command_table[id];

		roff_begin(page, "It Ic");
		roff_add(page, command->name);
		for (size_t i = 0;
			i < COMMAND_ARGUMENTS_MAX && command->arguments[i].id != ARGUMENT_NONE; i++)
			add_argument(page, &argument_table[command->arguments[i].id],
				command->arguments[i].is_required);
		roff_end(page);
		add_summary(page, command->summary);
		roff_add_prose(page, command->about);
		add_examples(page, command->examples);
	}
	text_add(page, ".El\n");
	return true;
}

bool section_arguments(struct text *page, const char *words, struct err *err)
{
	(void)words;
	(void)err;
	text_add(page, ".Bl -tag -width Ds\n");
	for (enum argument_id id = ARGUMENT_NONE + 1; id < ARGUMENT_COUNT; id++) {
		roff_begin(page, "It");
		add_argument(page, &argument_table[id], true);
		roff_end(page);
		roff_add_prose(page, argument_table[id].help);
	}
	text_add(page, ".El\n");
	return true;
}

bool section_metrics(struct text *page, const char *words, struct err *err)
{
	(void)words;
	(void)err;
	text_add(page, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < metrics_count(); i++) {
		const struct metrics_info info = metrics_info(i);
		struct text meaning = {0};

		roff_begin(page, "It Li");
		roff_add(page, info.name);
		roff_end(page);
		text_print(&meaning, "%s%s", strcmp(info.type, "counter") == 0 ? "(counter) " : "",
			info.help);
		if (*info.labels)
			text_print(&meaning, "; by %s", info.labels);
		text_add(&meaning, ".");
		roff_add_prose(page, meaning.bytes);
		text_done(&meaning);
	}
	text_add(page, ".El\n");
	return true;
}
