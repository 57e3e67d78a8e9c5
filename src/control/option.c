/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/option.h"

#include <string.h>

#include "steerd/base/suggest.h"
#include "steerd/base/text.h"

/* The value stands in the next argument. */
static enum option_found take_value(struct option_reader *reader, const struct option *option,
	const char **ret_value, struct err *err)
{
	const char *value = reader->arguments[reader->at];

	if (!value) {
		err_set(err, "'--%s' needs a value: --%s %s", option->name, option->name,
			option->shown);
		return OPTION_WRONG;
	}
	reader->at++;
	*ret_value = value;
	return OPTION_IS;
}

static enum option_found unknown(
	const struct option_reader *reader, const char *name, struct err *err)
{
	struct suggestion suggestion = suggest_begin(name);

	for (size_t i = 0; i < reader->option_count; i++)
		suggest_try(&suggestion, reader->options[i].name);
	if (suggestion.best)
		err_set(err, "unknown option '--%s'; did you mean '--%s'?", name, suggestion.best);
	else
		err_set(err, "unknown option '--%s'", name);
	return OPTION_WRONG;
}

static enum option_found read_long(struct option_reader *reader, const char *text, int *ret_id,
	const char **ret_value, struct err *err)
{
	size_t size = strcspn(text, "=");

	for (size_t i = 0; i < reader->option_count; i++) {
		const struct option *option = &reader->options[i];

		if (strlen(option->name) != size || strncmp(option->name, text, size) != 0)
			continue;
		*ret_id = option->id;
		if (!option->shown && text[size] == '=') {
			err_set(err, "'--%s' takes no value", option->name);
			return OPTION_WRONG;
		}
		if (!option->shown)
			return OPTION_IS;
		if (text[size] != '=')
			return take_value(reader, option, ret_value, err);
		*ret_value = text + size + 1;
		return OPTION_IS;
	}

	struct text name = {0};

	text_add_bytes(&name, text, size);
	unknown(reader, name.bytes, err);
	text_done(&name);
	return OPTION_WRONG;
}

static enum option_found read_letter(
	struct option_reader *reader, int *ret_id, const char **ret_value, struct err *err)
{
	char letter = *reader->cluster++;

	for (size_t i = 0; i < reader->option_count; i++) {
		const struct option *option = &reader->options[i];

		if (option->letter != letter)
			continue;
		*ret_id = option->id;
		if (!option->shown)
			return OPTION_IS;

		const char *rest = reader->cluster;

		reader->cluster = NULL;
		if (!*rest)
			return take_value(reader, option, ret_value, err);
		*ret_value = rest;
		return OPTION_IS;
	}
	err_set(err, "unknown option '-%c'", letter);
	return OPTION_WRONG;
}

enum option_found option_next(
	struct option_reader *reader, int *ret_id, const char **ret_value, struct err *err)
{
	if (reader->cluster && *reader->cluster)
		return read_letter(reader, ret_id, ret_value, err);

	const char *text = reader->arguments[reader->at];

	if (!text)
		return OPTION_END;
	reader->at++;
	if (!reader->only_words && strcmp(text, "--") == 0) {
		reader->only_words = true;
		return option_next(reader, ret_id, ret_value, err);
	}
	if (reader->only_words || text[0] != '-' || !text[1]) {
		*ret_value = text;
		return OPTION_WORD;
	}
	if (text[1] == '-')
		return read_long(reader, text + 2, ret_id, ret_value, err);
	reader->cluster = text + 1;
	return read_letter(reader, ret_id, ret_value, err);
}

void option_print_help(FILE *out, const struct option *options, size_t count)
{
	size_t widest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t width = strlen(options[i].name) +
			(options[i].shown ? strlen(options[i].shown) + 1 : 0);

		widest = width > widest ? width : widest;
	}
	for (size_t i = 0; i < count; i++) {
		const struct option *option = &options[i];
		int left = (int)(widest - strlen(option->name));

		if (option->letter)
			fprintf(out, "  -%c, --%s", option->letter, option->name);
		else
			fprintf(out, "      --%s", option->name);
		fprintf(out, "%s%-*s  %s\n", option->shown ? " " : "",
			option->shown ? left - 1 : left, option->shown ? option->shown : "",
			option->help);
	}
}
