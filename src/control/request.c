/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "steerd/base/memory.h"

static bool takes(enum command_id command, enum argument_id argument)
{
	for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX; i++)
		if (command_table[command].arguments[i].id == argument)
			return argument != ARGUMENT_NONE;
	return false;
}

static enum argument_id argument_find(enum command_id command, const char *key)
{
	for (enum argument_id id = ARGUMENT_NONE + 1; id < ARGUMENT_COUNT; id++)
		if (takes(command, id) && strcmp(argument_table[id].key, key) == 0)
			return id;
	return ARGUMENT_NONE;
}

/* Texts go to logs and terminals, which obey control characters. */
static bool is_printable(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f)
			return false;
	return true;
}

static bool read_text(const json_t *value, const struct argument *argument, const char **ret_text,
	struct err *err)
{
	if (!json_is_string(value))
		return err_set(err, "'%s' is not a text", argument->key);
	if (json_string_length(value) > argument->size_max)
		return err_set(
			err, "'%s' is longer than %u octets", argument->key, argument->size_max);
	if (!is_printable(json_string_value(value)))
		return err_set(err, "'%s' has a control character in it", argument->key);
	*ret_text = json_string_value(value);
	return true;
}

static bool read_argument(
	const json_t *value, enum argument_id id, struct request *request, struct err *err)
{
	const struct argument *argument = &argument_table[id];

	switch (argument->kind) {
	case ARGUMENT_TEXT:
		return read_text(value, argument, &request->text[id], err);
	case ARGUMENT_DURATION:
		if (!json_is_integer(value) || json_integer_value(value) < 1 ||
			json_integer_value(value) > COMMAND_DURATION_MAX_S)
			return err_set(err, "'%s' is not a count of seconds, 1 to %d",
				argument->key, COMMAND_DURATION_MAX_S);
		request->number[id] = (uint64_t)json_integer_value(value);
		return true;
	case ARGUMENT_FLAG:
		if (!json_is_boolean(value))
			return err_set(err, "'%s' is neither true nor false", argument->key);
		request->number[id] = json_is_true(value);
		return true;
	}
	return err_set(err, "'%s' has no kind", argument->key);
}

static bool read_command(const json_t *json, enum command_id *ret_command, struct err *err)
{
	const json_t *name = json_object_get(json, "command");

	if (!json_is_object(json))
		return err_set(err, "the request is not an object");
	if (!json_is_string(name))
		return err_set(err, "the request has no 'command'");
	*ret_command = command_find(json_string_value(name));
	if (*ret_command == COMMAND_COUNT)
		return err_set(err,
			"there is no command '%.64s'; steerctl and steerd may be of "
			"different versions",
			is_printable(json_string_value(name)) ? json_string_value(name) : "?");
	return true;
}

static bool has_all(const struct request *request, struct err *err)
{
	const struct command *command = &command_table[request->command];

	for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX; i++) {
		enum argument_id id = command->arguments[i].id;

		if (command->arguments[i].is_required && !request->text[id])
			return err_set(
				err, "'%s' needs '%s'", command->name, argument_table[id].key);
	}
	return true;
}

static bool read_object(json_t *json, struct request *request, struct err *err)
{
	const char *key;
	json_t *value;

	if (!read_command(json, &request->command, err))
		return false;
	json_object_foreach (json, key, value) {
		enum argument_id id = argument_find(request->command, key);

		if (strcmp(key, "command") == 0)
			continue;
		if (id == ARGUMENT_NONE)
			return err_set(err, "'%s' takes no '%.64s'",
				command_table[request->command].name,
				is_printable(key) ? key : "?");
		if (!read_argument(value, id, request, err))
			return false;
	}
	return has_all(request, err);
}

bool request_read(const void *bytes, size_t size, struct request *ret_request, struct err *err)
{
	struct request request = {0};
	json_error_t error;

	request.json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	if (!request.json)
		return err_set(err, "the request is not JSON: %s", error.text);
	if (!read_object(request.json, &request, err)) {
		request_done(&request);
		return false;
	}
	*ret_request = request;
	return true;
}

void request_done(struct request *request)
{
	json_decref(request->json);
	*request = (struct request){0};
}

void request_write(const struct request *request, struct text *ret_bytes)
{
	json_t *json = json_object();

	json_put_text(json, "command", command_table[request->command].name);
	for (enum argument_id id = ARGUMENT_NONE + 1; id < ARGUMENT_COUNT; id++) {
		const struct argument *argument = &argument_table[id];

		if (argument->kind == ARGUMENT_TEXT && request->text[id])
			json_put_text(json, argument->key, request->text[id]);
		if (argument->kind == ARGUMENT_DURATION && request->number[id])
			json_put_number(json, argument->key, request->number[id]);
		if (argument->kind == ARGUMENT_FLAG && request->number[id])
			json_put(json, argument->key, json_true());
	}
	json_write(json, JSON_COMPACT, ret_bytes);
	json_decref(json);
}
