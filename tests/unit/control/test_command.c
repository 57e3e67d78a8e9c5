/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/control/command.h"
#include "steerd/control/frame.h"
#include "steerd/control/option.h"
#include "steerd/control/request.h"

/* ---- frames ---- */

static const struct {
	const char *about;
	const char *bytes;
	size_t size;
	enum frame_state want;
	size_t want_size;
} frames[] = {
	{"nothing", "", 0, FRAME_PARTIAL, 0},
	{"half a header", "\0\0\0", 3, FRAME_PARTIAL, 0},
	{"a header alone", "\0\0\0\2", 4, FRAME_PARTIAL, 0},
	{"half a body", "\0\0\0\2{", 5, FRAME_PARTIAL, 0},
	{"whole", "\0\0\0\2{}", 6, FRAME_WHOLE, 2},
	{"whole, and more behind it", "\0\0\0\2{}x", 7, FRAME_WHOLE, 2},
	{"empty", "\0\0\0\0", 4, FRAME_TOO_LARGE, 0},
	{"one too many", "\0\0\0\x0b", 4, FRAME_TOO_LARGE, 0},
	{"as large as may be", "\0\0\0\x0a", 4, FRAME_PARTIAL, 0},
	{"as large as can be said", "\xff\xff\xff\xff", 4, FRAME_TOO_LARGE, 0},
	{"a line of text", "GET / HTTP/1.1\r\n", 16, FRAME_TOO_LARGE, 0},
};

static void frame_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(frames); i++) {
		size_t body_size = 0;
		enum frame_state got = frame_find(frames[i].bytes, frames[i].size, 10, &body_size);

		if (got != frames[i].want || body_size != frames[i].want_size)
			fail_msg("%s: %d, %zu", frames[i].about, (int)got, body_size);
	}
}

static void frame_there_and_back(void **state)
{
	struct text frame = {0};
	char *body = memory_new(70000);
	size_t body_size = 0;

	(void)state;
	memset(body, 'x', 70000);
	frame_add(&frame, body, 70000);
	assert_int_equal(frame.size, 70000 + FRAME_HEADER);
	assert_int_equal(
		frame_find(frame.bytes, frame.size, FRAME_REPLY_MAX, &body_size), FRAME_WHOLE);
	assert_int_equal(body_size, 70000);
	assert_int_equal(frame_find(frame.bytes, frame.size, FRAME_REQUEST_MAX, &body_size),
		FRAME_TOO_LARGE);
	free(body);
	text_done(&frame);
}

/* ---- requests ---- */

static const struct {
	const char *json;
	const char *want; /* the error; NULL: taken, and written again as it was */
} requests[] = {
	{"{\"command\":\"status\"}", NULL},
	{"{\"command\":\"status\",\"subject\":\"site:fra\"}", NULL},
	{"{\"command\":\"explain\",\"name\":\"a.\",\"client\":\"192.0.2.0/24\"}", NULL},
	{"{\"command\":\"explain\",\"name\":\"a.\",\"type\":\"AAAA\",\"client\":\"::/0\"}", NULL},
	{"{\"command\":\"drain\",\"subject\":\"a/b\",\"reason\":\"\xc3\xa4 \\\" b\",\"for\":7200}",
		NULL},
	{"{\"command\":\"reload\",\"force\":true}", NULL},
	{"{\"command\":\"force\",\"subject\":\"a\",\"state\":\"up\"}", NULL},
	{"{\"command\":\"stop\"}", NULL},
	{"", "the request is not JSON: '[' or '{' expected near end of file"},
	{"{\"command\":\"status\"} x", "the request is not JSON: end of file expected near 'x'"},
	{"{\"command\":\"status\",\"command\":\"stop\"}",
		"the request is not JSON: duplicate object key near '\"command\"'"},
	{"[]", "the request is not an object"},
	{"[{\"command\":\"status\"}]", "the request is not an object"},
	{"{}", "the request has no 'command'"},
	{"{\"command\":1}", "the request has no 'command'"},
	{"{\"command\":null}", "the request has no 'command'"},
	{"{\"command\":\"\"}",
		"there is no command ''; steerctl and steerd may be of different versions"},
	{"{\"command\":\"reboot\"}",
		"there is no command 'reboot'; steerctl and steerd may be of different versions"},
	{"{\"command\":\"\\u001b[2J\"}",
		"there is no command '?'; steerctl and steerd may be of different versions"},
	{"{\"command\":\"status\",\"force\":true}", "'status' takes no 'force'"},
	{"{\"command\":\"stop\",\"now\":1}", "'stop' takes no 'now'"},
	{"{\"command\":\"stop\",\"\\u0007\":1}", "'stop' takes no '?'"},
	{"{\"command\":\"drain\"}", "'drain' needs 'subject'"},
	{"{\"command\":\"drain\",\"subject\":null}", "'subject' is not a text"},
	{"{\"command\":\"drain\",\"subject\":7}", "'subject' is not a text"},
	{"{\"command\":\"drain\",\"subject\":\"a\\nb\"}",
		"'subject' has a control character in it"},
	{"{\"command\":\"drain\",\"subject\":\"a\",\"reason\":\"\\u007f\"}",
		"'reason' has a control character in it"},
	{"{\"command\":\"drain\",\"subject\":\"a\",\"for\":0}",
		"'for' is not a count of seconds, 1 to 315360000"},
	{"{\"command\":\"drain\",\"subject\":\"a\",\"for\":-5}",
		"'for' is not a count of seconds, 1 to 315360000"},
	{"{\"command\":\"drain\",\"subject\":\"a\",\"for\":315360001}",
		"'for' is not a count of seconds, 1 to 315360000"},
	{"{\"command\":\"drain\",\"subject\":\"a\",\"for\":\"2h\"}",
		"'for' is not a count of seconds, 1 to 315360000"},
	{"{\"command\":\"drain\",\"subject\":\"a\",\"for\":1.5}",
		"'for' is not a count of seconds, 1 to 315360000"},
	{"{\"command\":\"reload\",\"force\":1}", "'force' is neither true nor false"},
	{"{\"command\":\"reload\",\"force\":\"true\"}", "'force' is neither true nor false"},
	{"{\"command\":\"explain\",\"name\":\"a.\"}", "'explain' needs 'client'"},
	{"{\"command\":\"explain\",\"client\":\"::\"}", "'explain' needs 'name'"},
	{"{\"command\":\"explain\",\"name\":\"a\",\"client\":\"::\",\"type\":"
	 "\"AAAAAAAAAAAAAAAAA\"}",
		"'type' is longer than 16 octets"},
	{"{\"command\":\"force\",\"subject\":\"a\"}", "'force' needs 'state'"},
	{"{\"command\":\"status\",\"subject\":\"\xff\"}",
		"the request is not JSON: unable to decode byte 0xff near '\"'"},
	{"{\"command\":\"status\",\"subject\":\"\\u0000\"}",
		"the request is not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near "
		"'\"\\u0000\"'"},
};

static void request_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		const char *json = requests[i].json;
		struct request request;
		struct text again = {0};
		struct err err = {""};
		bool done = request_read(json, strlen(json), &request, &err);

		if (done != !requests[i].want)
			fail_msg("%s: %s", json, done ? "taken" : err.text);
		if (!done) {
			if (strcmp(err.text, requests[i].want) != 0)
				fail_msg("%s: %s", json, err.text);
			continue;
		}
		request_write(&request, &again);
		request_done(&request);

		struct request second;

		if (!request_read(again.bytes, again.size, &second, &err))
			fail_msg("%s, again: %s", json, err.text);

		struct text third = {0};

		request_write(&second, &third);
		assert_string_equal(again.bytes, third.bytes);
		assert_int_equal(strlen(json), again.size);
		request_done(&second);
		text_done(&again);
		text_done(&third);
	}
}

static void request_cut_anywhere(void **state)
{
	static const char json[] =
		"{\"command\":\"drain\",\"subject\":\"a/b\",\"reason\":\"x\",\"for\":7200}";

	(void)state;
	for (size_t size = 0; size < sizeof(json) - 1; size++) {
		struct request request;
		struct err err;

		if (request_read(json, size, &request, &err))
			fail_msg("%zu octets were taken", size);
	}
}

static void request_too_deep(void **state)
{
	struct text json = {0};
	struct request request;
	struct err err;

	(void)state;
	for (int i = 0; i < 60000; i++)
		text_add(&json, "[");
	assert_false(request_read(json.bytes, json.size, &request, &err));
	text_done(&json);
}

static void request_subject_at_its_limit(void **state)
{
	(void)state;
	for (size_t size = 511; size <= 513; size++) {
		struct text json = {0};
		struct request request;
		struct err err;

		text_add(&json, "{\"command\":\"drain\",\"subject\":\"");
		for (size_t i = 0; i < size; i++)
			text_add(&json, "a");
		text_add(&json, "\"}");

		bool done = request_read(json.bytes, json.size, &request, &err);

		assert_int_equal(done, size <= 512);
		if (done)
			request_done(&request);
		text_done(&json);
	}
}

/* ---- what is typed ---- */

static const struct {
	const char *text;
	uint64_t want; /* 0: refused */
} durations[] = {
	{"90", 90},
	{"1", 1},
	{"30s", 30},
	{"15min", 900},
	{"15m", 900},
	{"2h", 7200},
	{"7d", 604800},
	{"3650d", 315360000},
	{"", 0},
	{"0", 0},
	{"0h", 0},
	{"h", 0},
	{"-1h", 0},
	{"+1h", 0},
	{"1.5h", 0},
	{"2 h", 0},
	{"2hours", 0},
	{"2H", 0},
	{"1y", 0},
	{"3651d", 0},
	{"999999999d", 0},
	{"99999999999999999999", 0},
};

static void duration_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(durations); i++) {
		uint64_t seconds = 0;
		struct err err;
		bool done = command_parse_duration(durations[i].text, &seconds, &err);

		if (done != (durations[i].want > 0) || seconds != durations[i].want)
			fail_msg("'%s': %d, %llu", durations[i].text, done,
				(unsigned long long)seconds);
	}
}

/* Every command can be found, says what it does and how, and puts what stands by position first. */
static void command_table_is_whole(void **state)
{
	(void)state;
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		const struct command *command = &command_table[id];
		bool options_begun = false;

		assert_int_equal(command_find(command->name), id);
		assert_true(*command->summary && *command->about && *command->examples);
		assert_non_null(strstr(command->examples, command->name));
		for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX && command->arguments[i].id; i++) {
			bool is_option = argument_table[command->arguments[i].id].is_option;

			if (options_begun && !is_option)
				fail_msg("%s: a word stands behind an option", command->name);
			options_begun = options_begun || is_option;
		}
	}
	assert_int_equal(command_find(""), COMMAND_COUNT);
	assert_int_equal(command_find("Status"), COMMAND_COUNT);
	assert_int_equal(command_find("stat"), COMMAND_COUNT);
}

static void command_usages(void **state)
{
	static const struct {
		enum command_id id;
		const char *want;
	} usages[] = {
		{COMMAND_STATUS, "status [SUBJECT]"},
		{COMMAND_EXPLAIN, "explain NAME [TYPE] --client ADDRESS[/LENGTH]"},
		{COMMAND_RELOAD, "reload [--force]"},
		{COMMAND_FORCE, "force up|down SUBJECT [--reason TEXT] [--for TIME]"},
		{COMMAND_STOP, "stop"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(usages); i++) {
		char usage[COMMAND_USAGE_SIZE];

		command_usage(usages[i].id, usage);
		assert_string_equal(usage, usages[i].want);
	}
}

static const struct option options[] = {
	{1, 'c', "config", "FILE", "a file"},
	{2, 0, "json", NULL, "as JSON"},
	{3, 'v', "verbose", NULL, "more"},
};

/* A command line and how it is understood: "id=value", "word:x", "!error"; up to the first error. */
static const struct {
	const char *words[5];
	const char *want;
} lines[] = {
	{{NULL}, ""},
	{{"-c", "f"}, "1=f "},
	{{"-cf"}, "1=f "},
	{{"--config", "f", "x"}, "1=f word:x "},
	{{"--config=f"}, "1=f "},
	{{"--config="}, "1= "},
	{{"x", "--json", "y", "-v"}, "word:x 2 word:y 3 "},
	{{"-vvcf"}, "3 3 1=f "},
	{{"-vc", "f"}, "3 1=f "},
	{{"--", "--json", "-v"}, "word:--json word:-v "},
	{{"-"}, "word:- "},
	{{"-c"}, "!'--config' needs a value: --config FILE"},
	{{"--config"}, "!'--config' needs a value: --config FILE"},
	{{"--json=1"}, "!'--json' takes no value"},
	{{"--jsno"}, "!unknown option '--jsno'; did you mean '--json'?"},
	{{"--quiet"}, "!unknown option '--quiet'"},
	{{"--quiet=1"}, "!unknown option '--quiet'"},
	{{"-x"}, "!unknown option '-x'"},
	{{"-vx"}, "3 !unknown option '-x'"},
	{{"x", "-c"}, "word:x !'--config' needs a value: --config FILE"},
};

static void option_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct option_reader reader = {
			.options = options,
			.option_count = COUNT_OF(options),
			.arguments = (char *const *)lines[i].words,
		};
		struct text got = {0};
		enum option_found found;

		text_add(&got, "");
		do {
			const char *value = NULL;
			int id = 0;
			struct err err;

			found = option_next(&reader, &id, &value, &err);
			if (found == OPTION_WORD)
				text_print(&got, "word:%s ", value);
			else if (found == OPTION_WRONG)
				text_print(&got, "!%s", err.text);
			else if (found == OPTION_IS)
				text_print(&got, value ? "%d=%s " : "%d ", id, value);
		} while (found == OPTION_IS || found == OPTION_WORD);
		if (strcmp(got.bytes, lines[i].want) != 0)
			fail_msg("line %zu: '%s', not '%s'", i, got.bytes, lines[i].want);
		text_done(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_bounds),
		cmocka_unit_test(frame_there_and_back),
		cmocka_unit_test(request_texts),
		cmocka_unit_test(request_cut_anywhere),
		cmocka_unit_test(request_too_deep),
		cmocka_unit_test(request_subject_at_its_limit),
		cmocka_unit_test(duration_texts),
		cmocka_unit_test(command_table_is_whole),
		cmocka_unit_test(command_usages),
		cmocka_unit_test(option_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
