/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <string.h>

#include "columns.h"

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
