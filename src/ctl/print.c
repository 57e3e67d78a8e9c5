/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <string.h>

#include "columns.h"
#include "steerd/base/memory.h"

const char *print_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t print_number(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 ? (uint64_t)number : 0;
}

bool print_has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value && !json_is_null(value);
}

static const struct {
	const char *state;
	enum colour colour;
} state_colours[] = {
	{"up", COLOUR_GOOD},
	{"running", COLOUR_GOOD},
	{"forced-up", COLOUR_WARN},
	{"partly", COLOUR_WARN},
	{"degraded", COLOUR_WARN},
	{"unknown", COLOUR_WARN},
	{"drained", COLOUR_WARN},
	{"waits", COLOUR_WARN},
	{"silent", COLOUR_BAD},
	{"panic", COLOUR_BAD},
	{"down", COLOUR_BAD},
	{"forced-down", COLOUR_BAD},
	{"unresolved", COLOUR_BAD},
};

enum colour print_state_colour(const char *state)
{
	for (size_t i = 0; i < COUNT_OF(state_colours); i++)
		if (strcmp(state, state_colours[i].state) == 0)
			return state_colours[i].colour;
	return COLOUR_NONE;
}

const char *print_span_since(const json_t *object, const char *key, uint64_t now_unix_s,
	char ret_span[static TEXT_DURATION_SIZE])
{
	uint64_t since_unix_s = print_number(object, key);

	ret_span[0] = '\0';
	if (since_unix_s && now_unix_s <= since_unix_s)
		strcpy(ret_span, "< 1 s");
	else if (since_unix_s)
		text_duration((now_unix_s - since_unix_s) * 1000, ret_span);
	return ret_span;
}

static void print_lines(const json_t *lines, const char *before, FILE *out)
{
	for (size_t i = 0; i < json_array_size(lines); i++)
		fprintf(out, "%s%s\n", before, json_string_value(json_array_get(lines, i)));
}

void print_outcome(const json_t *reply, FILE *out, bool use_colour)
{
	const json_t *warnings = json_object_get(reply, "warnings");

	print_lines(json_object_get(reply, "lines"), "", out);
	fprintf(out, "%s\n", print_text(reply, "message"));
	for (size_t i = 0; i < json_array_size(warnings); i++)
		fprintf(out, "%swarning:%s %s\n", colour_begin(COLOUR_WARN, use_colour),
			colour_end(COLOUR_WARN, use_colour),
			json_string_value(json_array_get(warnings, i)));
}
