/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "columns.h"
#include "print.h"
#include "steerd/base/memory.h"
#include "steerd/base/suggest.h"
#include "steerd/control/command.h"
#include "steerd/control/request.h"
#include "steerd/control/where.h"
#include "steerd/ctl/options.h"

/* The command line, understood. */
struct command_line {
	struct request request; /* command COMMAND_COUNT: none given yet */
	const char *socket_path;
	const char *settings_path;
	size_t word_count; /* arguments by position that were taken */
	bool as_json;
	bool wants_help;
	bool wants_version;
};

/* ---- help ---- */

static void print_general_help(void)
{
	puts("usage: steerctl [OPTION]... COMMAND [ARGUMENT]...\n"
	     "\n"
	     "Asks and tells a running steerd.\n");
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		printf("  %-8s  %s\n", command_table[id].name, command_table[id].summary);
	puts("\n'steerctl COMMAND --help' says more, with examples.\n");
	option_print_help(stdout, options_steerctl, options_steerctl_count);
	puts("\nExit codes:");
	for (size_t i = 0; i <= STEERCTL_UNREACHABLE; i++)
		printf("  %zu  %s\n", i, options_steerctl_exits[i]);
}

static void print_indented(const char *lines)
{
	while (*lines) {
		size_t size = strcspn(lines, "\n");

		printf("  %.*s\n", (int)size, lines);
		lines += size + (lines[size] == '\n');
	}
}

static void print_command_help(enum command_id id)
{
	const struct command *command = &command_table[id];
	char usage[COMMAND_USAGE_SIZE];

	command_usage(id, usage);
	printf("usage: steerctl %s [--json]\n\n%s\n", usage, command->about);
	for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX && command->arguments[i].id; i++) {
		const struct argument *argument = &argument_table[command->arguments[i].id];
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s%s", argument->is_option ? "--" : "",
			argument->is_option ? argument->key : "",
			argument->is_option && *argument->shown ? " " : "", argument->shown);
		printf("  %-26s  %s\n", name, argument->help);
	}
	puts(command->arguments[0].id ? "\nExamples:" : "Examples:");
	print_indented(command->examples);
}

/* ---- the command line ---- */

/* The options of every command: an argument that stands by position has no name here. */
static size_t all_options(struct option *ret_options)
{
	size_t count = 0;

	for (; count < options_steerctl_count; count++)
		ret_options[count] = options_steerctl[count];
	for (enum argument_id id = ARGUMENT_NONE + 1; id < ARGUMENT_COUNT; id++) {
		const struct argument *argument = &argument_table[id];

		if (argument->is_option)
			ret_options[count++] = (struct option){
				.id = STEERCTL_OPTION_COMMAND + (int)id,
				.name = argument->key,
				.shown = argument->kind == ARGUMENT_FLAG ? NULL : argument->shown,
				.help = argument->help,
			};
	}
	return count;
}

static bool take_argument(
	struct request *request, enum argument_id id, const char *value, struct err *err)
{
	switch (argument_table[id].kind) {
	case ARGUMENT_TEXT:
		request->text[id] = value;
		return command_check_word(id, value, err);
	case ARGUMENT_DURATION:
		return command_parse_duration(value, &request->number[id], err);
	case ARGUMENT_FLAG:
		request->number[id] = 1;
		return true;
	}
	return false;
}

static bool take_command(struct command_line *line, const char *word, struct err *err)
{
	struct suggestion suggestion = suggest_begin(word);

	line->request.command = command_find(word);
	if (line->request.command < COMMAND_COUNT)
		return true;
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		suggest_try(&suggestion, command_table[id].name);
	if (!suggestion.best)
		return err_set(err, "unknown command '%s'", word);
	return err_set(err, "unknown command '%s'; did you mean '%s'?", word, suggestion.best);
}

static bool take_word(struct command_line *line, const char *word, struct err *err)
{
	if (line->request.command == COMMAND_COUNT)
		return take_command(line, word, err);

	const struct command *command = &command_table[line->request.command];
	enum argument_id id = line->word_count < COMMAND_ARGUMENTS_MAX
		? command->arguments[line->word_count].id
		: ARGUMENT_NONE;

	if (id == ARGUMENT_NONE || argument_table[id].is_option)
		return err_set(err, "'%s' does not take '%s'", command->name, word);
	line->word_count++;
	return take_argument(&line->request, id, word, err);
}

static bool take_option(struct command_line *line, int id, const char *value, struct err *err)
{
	if (id >= STEERCTL_OPTION_COMMAND)
		return take_argument(&line->request,
			(enum argument_id)(id - STEERCTL_OPTION_COMMAND), value, err);
	switch (id) {
	case STEERCTL_OPTION_SOCKET:
		line->socket_path = value;
		return true;
	case STEERCTL_OPTION_CONFIG:
		line->settings_path = value;
		return true;
	case STEERCTL_OPTION_JSON:
		line->as_json = true;
		return true;
	case STEERCTL_OPTION_VERSION:
		line->wants_version = true;
		return true;
	case STEERCTL_OPTION_HELP:
		line->wants_help = true;
		return true;
	}
	return err_set(err, "option %d has no meaning", id);
}

static bool parse_words(char **argv, struct command_line *line, struct err *err)
{
	struct option options[ARGUMENT_COUNT + 8];
	struct option_reader reader = {
		.options = options,
		.option_count = all_options(options),
		.arguments = argv + 1,
	};

	for (;;) {
		const char *value = NULL;
		int id = 0;

		switch (option_next(&reader, &id, &value, err)) {
		case OPTION_END:
			return true;
		case OPTION_WRONG:
			return false;
		case OPTION_WORD:
			if (!take_word(line, value, err))
				return false;
			break;
		case OPTION_IS:
			if (!take_option(line, id, value, err))
				return false;
			break;
		}
	}
}

/* What steerd would refuse as well, said before it is asked. */
static bool check_request(const struct request *request, struct err *err)
{
	struct text body = {0};
	struct request read;
	char usage[COMMAND_USAGE_SIZE];

	if (request->command == COMMAND_COUNT)
		return err_set(err, "no command; 'steerctl status' is a good start");
	request_write(request, &body);

	bool done = request_read(body.bytes, body.size, &read, err);

	if (done) {
		request_done(&read);
	} else {
		command_usage(request->command, usage);
		strncat(err->text, "\nusage: steerctl ", sizeof(err->text) - strlen(err->text) - 1);
		strncat(err->text, usage, sizeof(err->text) - strlen(err->text) - 1);
	}
	text_done(&body);
	return done;
}

/* ---- doing it ---- */

static void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int refuse(const struct command_line *line, int code, const char *text)
{
	if (line->as_json) {
		/* of one line; what is not UTF-8 cannot be said */
		json_t *reply =
			json_pack("{s:b, s:s#}", "ok", 0, "error", text, (int)strcspn(text, "\n"));

		if (!reply)
			reply = json_pack("{s:b, s:s}", "ok", 0, "error", "not UTF-8");
		print_json(reply);
		json_decref(reply);
	} else {
		fprintf(stderr, "steerctl: %s\n", text);
	}
	return code;
}

/* `check` without a daemon: steerd itself, from where this program is, else as installed, else as PATH says. */
static int check_here(const struct command_line *line)
{
	static const char *const places[] = {"/steerd", "/../sbin/steerd"};
	char own[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[size > 0 ? size : 0] = '\0';

	char *slash = strrchr(own, '/');

	for (size_t i = 0; slash && i < COUNT_OF(places); i++) {
		struct text path = {0};

		text_add_bytes(&path, own, (size_t)(slash - own));
		text_add(&path, places[i]);
		/* comes back only if it is not there */
		execl(path.bytes, "steerd", "--check", "-c", line->settings_path, (char *)NULL);
		text_done(&path);
	}
	execlp("steerd", "steerd", "--check", "-c", line->settings_path, (char *)NULL);
	return refuse(
		line, STEERCTL_UNREACHABLE, "cannot find the program steerd, which does the check");
}

/* All that a check says, and its exit code. */
static int hear_check(const struct command_line *line, struct text *ret_said)
{
	struct command_line plain = *line;
	int status = STEERCTL_UNREACHABLE << 8;
	int ends[2];
	char block[4096];

	plain.as_json = false;
	if (pipe(ends) < 0)
		return STEERCTL_UNREACHABLE;

	pid_t child = fork();

	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(check_here(&plain));
	}
	close(ends[1]);
	for (ssize_t got; (got = read(ends[0], block, sizeof(block))) > 0;)
		text_add_bytes(ret_said, block, (size_t)got);
	close(ends[0]);
	if (child > 0)
		(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : STEERCTL_UNREACHABLE;
}

/* The same as a reply: the last line says how it went, those before are mistakes and warnings. */
static int check_here_as_json(const struct command_line *line)
{
	struct text said = {0};
	json_t *reply = json_object();
	json_t *lines = json_array();

	text_add(&said, "");

	int code = hear_check(line, &said);
	char *rest = said.bytes;
	const char *last = "the check did not run";

	for (char *one; (one = strsep(&rest, "\n"));) {
		if (!*one)
			continue;
		json_array_append_new(lines, json_string(one));
		last = one;
	}
	json_object_set_new(reply, "ok", json_boolean(code == STEERCTL_DONE));
	json_object_set_new(reply, code == STEERCTL_DONE ? "message" : "error", json_string(last));
	json_array_remove(lines, json_array_size(lines) - 1);
	if (json_array_size(lines) > 0)
		json_object_set(reply, "lines", lines);
	print_json(reply);
	json_decref(lines);
	json_decref(reply);
	text_done(&said);
	return code;
}

static char *find_socket(const struct command_line *line)
{
	const char *variable = getenv(OPTIONS_SOCKET_VARIABLE);
	struct report report = {0};
	char *path;

	if (line->socket_path)
		return memory_text(line->socket_path);
	if (!line->settings_path)
		return memory_text(variable && *variable ? variable : OPTIONS_SOCKET_PATH);
	path = where_is_socket(line->settings_path, &report);
	if (!path) {
		fputs(report.lines.bytes, stderr);
		refuse(line, STEERCTL_REFUSED,
			"so the control socket is not known from there: give it with -s");
	}
	report_done(&report);
	return path;
}

static void print_reply(const struct command_line *line, const json_t *reply)
{
	bool use_colour = colour_is_wanted(stdout);

	switch (line->request.command) {
	case COMMAND_STATUS:
		print_status(reply, stdout, use_colour);
		return;
	case COMMAND_EXPLAIN:
		print_explain(reply, stdout, use_colour);
		return;
	case COMMAND_PROBE:
		print_probe(reply, stdout, use_colour);
		return;
	case COMMAND_METRICS:
		fputs(print_text(reply, "text"), stdout);
		return;
	case COMMAND_CHECK:
	case COMMAND_RELOAD:
	case COMMAND_DRAIN:
	case COMMAND_UNDRAIN:
	case COMMAND_FORCE:
	case COMMAND_RELEASE:
	case COMMAND_RETURN:
	case COMMAND_PUSH:
	case COMMAND_STOP:
	case COMMAND_COUNT:
		print_outcome(reply, stdout, use_colour);
		return;
	}
}

static void print_refusal(const struct command_line *line, const json_t *reply)
{
	const json_t *lines = json_object_get(reply, "lines");

	for (size_t i = 0; i < json_array_size(lines); i++)
		fprintf(stderr, "%s\n", json_string_value(json_array_get(lines, i)));
	refuse(line, STEERCTL_REFUSED, print_text(reply, "error"));
}

static int show(const struct command_line *line, const struct text *body)
{
	json_error_t error;
	json_t *reply = json_loadb(body->bytes, body->size, 0, &error);

	if (!reply)
		return refuse(line, STEERCTL_UNREACHABLE, "what answers is not steerd");

	bool done = json_is_true(json_object_get(reply, "ok"));

	if (line->as_json) {
		print_json(reply);
	} else if (done || print_has(reply, "checks")) {
		print_reply(line, reply);
	} else {
		print_refusal(line, reply);
	}
	json_decref(reply);
	return done ? STEERCTL_DONE : STEERCTL_REFUSED;
}

/* Longest wait for what steerd knows already: it answers within milliseconds, unless something is very wrong. */
#define ANSWER_LIMIT_MS 30000

static struct client_patience patience_for(enum command_id command)
{
	if (command == COMMAND_RELOAD || command == COMMAND_CHECK)
		return (struct client_patience){"reading configuration, zones and databases", 0};
	if (command == COMMAND_PROBE)
		return (struct client_patience){"checking", 0};
	return (struct client_patience){"waiting for steerd", ANSWER_LIMIT_MS};
}

static int ask(const struct command_line *line, const char *path)
{
	struct client client;
	struct text body = {0};
	struct err err;

	if (!client_open(&client, path, &err))
		return refuse(line, STEERCTL_UNREACHABLE, err.text);

	int code = STEERCTL_UNREACHABLE;
	const struct client_patience patience = patience_for(line->request.command);

	if (!client_ask(&client, &line->request, &patience, &body, &err)) {
		refuse(line, code, err.text);
	} else {
		if (line->request.command == COMMAND_STOP)
			client_wait_for_end(&client);
		code = show(line, &body);
	}
	text_done(&body);
	client_close(&client);
	return code;
}

int main(int argc, char **argv)
{
	struct command_line line = {.request.command = COMMAND_COUNT};
	struct err err;

	(void)argc;
	if (!parse_words(argv, &line, &err)) {
		refuse(&line, STEERCTL_USAGE, err.text);
		fprintf(stderr, "try 'steerctl --help'\n");
		return STEERCTL_USAGE;
	}
	if (line.wants_help && line.request.command < COMMAND_COUNT) {
		print_command_help(line.request.command);
		return STEERCTL_DONE;
	}
	if (line.wants_help) {
		print_general_help();
		return STEERCTL_DONE;
	}
	if (line.wants_version) {
		puts("steerctl " STEERD_VERSION);
		return STEERCTL_DONE;
	}
	if (!check_request(&line.request, &err))
		return refuse(&line, STEERCTL_USAGE, err.text);
	if (line.request.command == COMMAND_CHECK && line.settings_path)
		return line.as_json ? check_here_as_json(&line) : check_here(&line);

	char *path = find_socket(&line);
	int code = path ? ask(&line, path) : STEERCTL_REFUSED;

	free(path);
	return code;
}
