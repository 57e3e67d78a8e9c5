/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../plan/believe.h"
#include "files.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/control/control.h"
#include "steerd/control/frame.h"

/*
 * The socket itself, with real connections.  Who answers is not asked for what it knows here: test_reply.c does
 * that; requests are check, reload and stop, explain once, and those that are refused before.
 */
struct stage {
	char directory[64];
	char *path;
	struct event_base *base;
	struct control *control;
	struct control_call *call; /* what read() got last */
	enum control_reading what;
	size_t read_count;
	struct control_work work; /* what is to be done aside */
	struct plan *plan;	  /* what explain is asked about; else NULL */
	bool is_stopped;
};

static void on_read(void *context, enum control_reading what, struct control_call *call)
{
	struct stage *stage = context;

	stage->call = call;
	stage->what = what;
	stage->read_count++;
}

static void on_work(void *context, const struct control_work *work)
{
	struct stage *stage = context;

	stage->work = *work;
}

static void describe(void *context, struct control_facts *ret_facts)
{
	static const struct verdict_table none;
	static const struct override_list no_overrides;
	const struct stage *stage = context;

	*ret_facts = (struct control_facts){
		.plan = stage->plan, .verdicts = &none, .overrides = &no_overrides};
}

static void on_stop(void *context)
{
	struct stage *stage = context;

	stage->is_stopped = true;
}

static bool start(struct stage *stage, struct err *err)
{
	const struct control_actions actions = {
		.context = stage,
		.describe = describe,
		.read = on_read,
		.work = on_work,
		.stop = on_stop,
	};

	stage->control = control_start(stage->base, stage->path, &actions, err);
	return stage->control != NULL;
}

static int set_up(void **state)
{
	struct stage *stage = memory_new(sizeof(*stage));
	struct text path = {0};
	struct err err;

	strcpy(stage->directory, "/tmp/steerd-control-XXXXXX");
	if (!mkdtemp(stage->directory))
		return -1;
	text_print(&path, "%s/run/control", stage->directory);
	stage->path = path.bytes;
	stage->base = event_base_new();
	if (!start(stage, &err))
		fail_msg("%s", err.text);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	char *run = file_path_beside(stage->path, ".");

	control_stop(stage->control);
	event_base_free(stage->base);
	(void)unlink(stage->path);
	run[strlen(run) - 2] = '\0'; /* without "/." */
	assert_int_equal(rmdir(run), 0);
	assert_int_equal(rmdir(stage->directory), 0);
	free(run);
	free(stage->path);
	free(stage);
	return 0;
}

static int dial(const struct stage *stage)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, stage->path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail_msg("%s: %s", stage->path, strerror(errno));
	return fd;
}

static void say(int fd, const char *json)
{
	struct text frame = {0};

	frame_add(&frame, json, strlen(json));
	assert_int_equal(send(fd, frame.bytes, frame.size, 0), frame.size);
	text_done(&frame);
}

/* Turns the loop until the other end has closed or a reply is whole; "" is a connection that ended without one. */
static char *hear(struct stage *stage, int fd)
{
	struct text bytes = {0};
	size_t body_size = 0;

	text_add(&bytes, "");
	for (;;) {
		char block[4096];
		ssize_t got = recv(fd, block, sizeof(block), MSG_DONTWAIT);

		if (got == 0)
			break;
		if (got > 0)
			text_add_bytes(&bytes, block, (size_t)got);
		if (frame_find(bytes.bytes, bytes.size, FRAME_REPLY_MAX, &body_size) == FRAME_WHOLE)
			break;
		if (got < 0)
			event_base_loop(stage->base, EVLOOP_ONCE);
	}
	memmove(bytes.bytes, bytes.bytes + (body_size ? FRAME_HEADER : 0), body_size);
	bytes.bytes[body_size] = '\0';
	return bytes.bytes;
}

static void assert_hears(struct stage *stage, int fd, const char *want)
{
	char *got = hear(stage, fd);

	if (!strstr(got, want))
		fail_msg("'%s' is not in '%s'", want, got);
	free(got);
}

static bool is_closed(struct stage *stage, int fd)
{
	char octet;

	for (int turns = 0; turns < 100; turns++) {
		ssize_t got = recv(fd, &octet, 1, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return true;
		event_base_loop(stage->base, EVLOOP_NONBLOCK);
	}
	return false;
}

static void turn_until_read(struct stage *stage, size_t count)
{
	while (stage->read_count < count)
		event_base_loop(stage->base, EVLOOP_ONCE);
}

/* ---- the tests ---- */

static void mode_of_the_socket(void **state)
{
	struct stage *stage = *state;
	struct stat status;

	assert_int_equal(stat(stage->path, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0660);
}

static const struct {
	const char *json;
	enum control_reading want;
} readings[] = {
	{"{\"command\":\"check\"}", CONTROL_CHECK},
	{"{\"command\":\"reload\"}", CONTROL_RELOAD},
	{"{\"command\":\"reload\",\"force\":false}", CONTROL_RELOAD},
	{"{\"command\":\"reload\",\"force\":true}", CONTROL_RELOAD_FORCE},
};

static void replies_that_take_time(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(readings); i++) {
		const struct control_outcome outcome = {
			.done = i % 2 == 0,
			.message = "so it went",
			.lines = "a:1: x\nb:2: y\n",
			.generation = 4,
		};
		int fd = dial(stage);

		say(fd, readings[i].json);
		turn_until_read(stage, i + 1);
		assert_int_equal(stage->what, readings[i].want);
		control_finish(stage->call, &outcome);
		assert_hears(stage, fd,
			i % 2 == 0 ? "{\"ok\":true,\"message\":\"so it went\",\"lines\":[\"a:1: "
				     "x\",\"b:2: y\"],\"generation\":4}"
				   : "{\"ok\":false,\"error\":\"so it went\",\"lines\":[\"a:1: "
				     "x\",\"b:2: y\"],\"generation\":4}");
		assert_true(is_closed(stage, fd));
		close(fd);
	}
}

static void others_are_answered_meanwhile(void **state)
{
	const struct control_outcome outcome = {.done = true, .message = "late"};
	struct stage *stage = *state;
	int slow = dial(stage);
	int quick = dial(stage);

	say(slow, "{\"command\":\"reload\"}");
	turn_until_read(stage, 1);
	say(quick, "{\"command\":\"what\"}");
	assert_hears(stage, quick, "there is no command 'what'");
	control_finish(stage->call, &outcome);
	assert_hears(stage, slow, "late");
	close(slow);
	close(quick);
}

static struct plan *plan_of(const struct files *files)
{
	static const struct override_list no_overrides;
	struct report report = {0};
	struct verdict_table verdicts = {0};
	const struct snapshot *snapshot =
		snapshot_read(files->settings_path, &(struct snapshot_options){0}, &report);

	if (!snapshot)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	verdict_table_carry(&snapshot->targets, NULL, NULL, 0, &verdicts);

	struct plan *plan = believe_plan(snapshot, &verdicts, &no_overrides, NULL);

	verdict_table_done(&verdicts);
	snapshot_release(snapshot); /* the plan holds it */
	return plan;
}

/* The place of a client is looked up in files: aside, and with what is served when that is done. */
static void explain_is_worked_on_aside(void **state)
{
	struct stage *stage = *state;
	struct files files;
	int fd = dial(stage);
	int wrong = dial(stage);

	files_init(&files);
	stage->plan = plan_of(&files);
	say(wrong, "{\"command\":\"explain\",\"name\":\"dl.files.example\",\"client\":\"here\"}");
	assert_hears(stage, wrong, "{\"ok\":false,\"error\":\"client: ");
	assert_null(stage->work.run);
	say(fd,
		"{\"command\":\"explain\",\"name\":\"dl.files.example\",\"client\":\"198.18.0."
		"1\"}");
	while (!stage->work.run)
		event_base_loop(stage->base, EVLOOP_ONCE);
	plan_free(stage->plan);
	stage->plan = plan_of(&files);
	stage->work.run(stage->work.context);
	stage->work.done(stage->work.context);
	assert_hears(stage, fd, "198.18.0.0/16\",\"label\":\"site fra\"");
	plan_free(stage->plan);
	files_done(&files);
	close(fd);
	close(wrong);
}

static void caller_that_left(void **state)
{
	const struct control_outcome outcome = {.done = true, .message = "late"};
	struct stage *stage = *state;
	int fd = dial(stage);

	say(fd, "{\"command\":\"reload\"}");
	turn_until_read(stage, 1);
	close(fd);
	event_base_loop(stage->base, EVLOOP_NONBLOCK);
	control_finish(stage->call, &outcome);
	event_base_loop(stage->base, EVLOOP_NONBLOCK);
	/* and it still serves */
	fd = dial(stage);
	say(fd, "{}");
	assert_hears(stage, fd, "the request has no 'command'");
	close(fd);
}

static void stop_is_last(void **state)
{
	struct stage *stage = *state;
	int fd = dial(stage);

	say(fd, "{\"command\":\"stop\"}");
	assert_hears(stage, fd, "\"message\":\"stopped\"");
	while (!stage->is_stopped)
		event_base_loop(stage->base, EVLOOP_ONCE);
	/* open until the process is gone */
	assert_false(is_closed(stage, fd));
	control_stop(stage->control);
	stage->control = NULL;
	assert_true(is_closed(stage, fd));
	assert_int_equal(access(stage->path, F_OK), -1);
	close(fd);
}

static void octet_by_octet(void **state)
{
	struct stage *stage = *state;
	struct text frame = {0};
	int fd = dial(stage);

	frame_add(&frame, "{\"command\":1}", 13);
	for (size_t i = 0; i < frame.size; i++) {
		assert_int_equal(send(fd, frame.bytes + i, 1, 0), 1);
		event_base_loop(stage->base, EVLOOP_NONBLOCK);
	}
	assert_hears(stage, fd, "the request has no 'command'");
	text_done(&frame);
	close(fd);
}

static const struct {
	const char *about;
	const char *bytes;
	size_t size;
} strangers[] = {
	{"an empty frame", "\0\0\0\0", 4},
	{"a frame of a gigabyte", "\x40\0\0\0", 4},
	{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
};

static void what_is_no_request(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(strangers); i++) {
		int fd = dial(stage);

		assert_int_equal(
			send(fd, strangers[i].bytes, strangers[i].size, 0), strangers[i].size);
		assert_hears(stage, fd, "the request is empty or larger than 64 KiB");
		assert_true(is_closed(stage, fd));
		close(fd);
	}
}

static void one_that_leaves_in_the_middle(void **state)
{
	struct stage *stage = *state;

	for (size_t size = 0; size < 6; size++) {
		int fd = dial(stage);

		assert_int_equal(send(fd, "\0\0\0\11{\"c", size, 0), size);
		close(fd);
		event_base_loop(stage->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(stage->read_count, 0);
}

static void more_than_there_is_room_for(void **state)
{
	struct stage *stage = *state;
	int fds[70];
	size_t refused = 0;

	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = dial(stage);
		event_base_loop(stage->base, EVLOOP_NONBLOCK);
	}
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		char octet;

		refused += recv(fds[i], &octet, 1, MSG_DONTWAIT) == 0;
		close(fds[i]);
	}
	assert_int_equal(refused, 6);
	for (int turns = 0; turns < 10; turns++)
		event_base_loop(stage->base, EVLOOP_NONBLOCK);

	int fd = dial(stage);

	say(fd, "{}");
	assert_hears(stage, fd, "the request has no 'command'");
	close(fd);
}

static void path_in_use(void **state)
{
	struct stage *stage = *state;
	struct stage other = {.base = stage->base, .path = stage->path};
	struct err err;

	assert_false(start(&other, &err));
	assert_non_null(strstr(err.text, "another steerd listens on the control socket"));
	/* and the first one still does */
	close(dial(stage));
}

static void path_left_behind(void **state)
{
	struct stage *stage = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct err err;

	control_stop(stage->control);
	strcpy(address.sun_path, stage->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); /* as after kill -9: the name stays, nobody listens */
	if (!start(stage, &err))
		fail_msg("%s", err.text);
	close(dial(stage));
}

static void paths_that_cannot_be(void **state)
{
	struct stage *stage = *state;
	struct stage other = {.base = stage->base};
	struct text path = {0};
	struct err err;
	int fd;

	text_print(&path, "%s/no/such/control", stage->directory);
	other.path = path.bytes;
	assert_false(start(&other, &err));
	assert_non_null(strstr(err.text, "make it, or set 'control' to another place"));

	text_clear(&path);
	text_print(&path, "%s/file", stage->directory);
	other.path = path.bytes;
	fd = open(path.bytes, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_false(start(&other, &err));
	assert_non_null(strstr(err.text, "is in the way of the control socket"));
	assert_int_equal(unlink(path.bytes), 0);

	text_clear(&path);
	for (int i = 0; i < 30; i++)
		text_add(&path, "/tmp");
	other.path = path.bytes;
	assert_false(start(&other, &err));
	assert_non_null(strstr(err.text, "is longer than 107 octets"));
	text_done(&path);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(mode_of_the_socket),
		ON_STAGE(replies_that_take_time),
		ON_STAGE(others_are_answered_meanwhile),
		ON_STAGE(explain_is_worked_on_aside),
		ON_STAGE(caller_that_left),
		ON_STAGE(stop_is_last),
		ON_STAGE(octet_by_octet),
		ON_STAGE(what_is_no_request),
		ON_STAGE(one_that_leaves_in_the_middle),
		ON_STAGE(more_than_there_is_room_for),
		ON_STAGE(path_in_use),
		ON_STAGE(path_left_behind),
		ON_STAGE(paths_that_cannot_be),
	};

	signal(SIGPIPE, SIG_IGN); /* as steerd does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
