/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* jansson refuses for two reasons: no memory, or octets that are no UTF-8, which text_value() keeps from it. */
static void must(int refused)
{
	if (refused)
		abort();
}

void json_put(json_t *object, const char *key, json_t *value)
{
	/* keys are ours: nobody needs to look whether they are UTF-8 */
	must(json_object_set_new_nocheck(object, key, value));
}

void json_push(json_t *array, json_t *value)
{
	must(json_array_append_new(array, value));
}

static json_t *text_value(const char *text)
{
	if (!text)
		return json_null();

	json_t *value = json_string(text);

	if (value)
		return value;

	/* An operator's file may hold any octet; a reply may not. */
	char *clean = memory_text(text);

	for (char *at = clean; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	value = json_string(clean);
	free(clean);
	return value;
}

void json_put_text(json_t *object, const char *key, const char *text)
{
	json_put(object, key, text_value(text));
}

void json_push_text(json_t *array, const char *text)
{
	json_push(array, text_value(text));
}

void json_push_line(json_t *array, const char *fmt, ...)
{
	va_list args;
	char line[1024];

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	json_push_text(array, line);
}

void json_put_number(json_t *object, const char *key, uint64_t number)
{
	json_put(object, key, json_integer((json_int_t)number));
}

void json_put_time(json_t *object, const char *key, uint64_t unix_s)
{
	json_put(object, key, unix_s ? json_integer((json_int_t)unix_s) : json_null());
}

static int add_bytes(const char *bytes, size_t size, void *text)
{
	text_add_bytes(text, bytes, size);
	return 0;
}

void json_write(const json_t *json, size_t flags, struct text *ret_text)
{
	must(json_dump_callback(json, add_bytes, ret_text, flags));
}
