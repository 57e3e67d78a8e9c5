/* SPDX-License-Identifier: Apache-2.0 */

/* Programs that behave, and programs that do everything else. */

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/runner.h"

/* For machines that hang. */
#define WAIT_MAX_MS 20000

struct world {
	struct event_base *base;
	struct runner *runner;
	char directory[64];
};

/* What came of one run. */
struct told {
	bool is_done;
	struct run_result result;
	char line[RUN_LINE_MAX + 1];
};

static int make_world(void **state)
{
	struct world *world = memory_new(sizeof(*world));

	world->base = event_base_new();
	world->runner = runner_new(world->base, 4);
	snprintf(world->directory, sizeof(world->directory), "/tmp/steerd-runner-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	*state = world;
	return 0;
}

static int end_world(void **state)
{
	struct world *world = *state;
	char command[128];

	runner_free(world->runner);
	event_base_free(world->base);
	snprintf(command, sizeof(command), "rm -rf %s", world->directory);
	assert_int_equal(system(command), 0);
	free(world);
	/* whatever happened, nobody is left to be waited for */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

static void on_run(void *context, const struct run_result *result)
{
	struct told *told = context;

	assert_false(told->is_done);
	told->is_done = true;
	told->result = *result;
	snprintf(told->line, sizeof(told->line), "%s", result->line);
	told->result.line = told->line;
}

static struct run *start_command(
	struct world *world, const char *const *command, uint32_t timeout_ms, struct told *ret_told)
{
	static const char *const environment[] = {"STEERD_MONITOR=script", "STEERD_HOST=", NULL};

	*ret_told = (struct told){.is_done = false};
	return run_start(world->runner,
		&(struct run_order){
			.command = command,
			.environment = environment,
			.timeout_ms = timeout_ms,
			.done = on_run,
			.context = ret_told,
		});
}

static struct run *start(
	struct world *world, const char *script, uint32_t timeout_ms, struct told *ret_told)
{
	const char *const command[] = {"/bin/sh", "-c", script, "sh", world->directory, NULL};

	return start_command(world, command, timeout_ms, ret_told);
}

static void await(struct world *world, const struct told *told, const char *about)
{
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;

	while (!told->is_done) {
		if (event_base_loop(world->base, EVLOOP_ONCE) != 0 ||
			clock_monotonic_ms() > end_at_ms)
			fail_msg("did not end: %s", about);
	}
}

/* The process is gone, or soon will be: a signal that was sent takes its time. */
static void await_death(long pid)
{
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%ld", pid);
	while (stat(path, &status) == 0) {
		char stat_path[80];
		char line[256] = "";
		FILE *file;

		snprintf(stat_path, sizeof(stat_path), "%s/stat", path);
		file = fopen(stat_path, "r");
		if (!file)
			return;
		if (!fgets(line, sizeof(line), file))
			line[0] = '\0';
		fclose(file);
		/* a zombie of whoever adopted it */
		if (strstr(line, ") Z ") || strstr(line, ") X "))
			return;
		if (clock_monotonic_ms() > end_at_ms)
			fail_msg("process %ld lives: %s", pid, line);
		usleep(1000);
	}
}

/* ---- each end by its name ---- */

static const struct {
	const char *about;
	const char *script;
	uint32_t timeout_ms;
	enum run_end end;
	int code;
	const char *line;
} cases[] = {
	{"it passes", "exit 0", 10000, RUN_EXITED, 0, ""},
	{"its exit code", "exit 7", 10000, RUN_EXITED, 7, ""},
	{"its first line", "echo all is well; echo more; exit 3", 10000, RUN_EXITED, 3,
		"all is well"},
	{"a line without an end", "printf 'no newline'", 10000, RUN_EXITED, 0, "no newline"},
	{"an empty first line is the line", "echo; echo second", 10000, RUN_EXITED, 0, ""},
	{"a line that comes in pieces", "printf one; sleep 0.05; printf ' two'; echo; echo three",
		10000, RUN_EXITED, 0, "one two"},
	{"what a signal does", "kill -SEGV $$", 10000, RUN_KILLED, SIGSEGV, ""},
	{"a signal that we use as well", "kill -TERM $$", 10000, RUN_KILLED, SIGTERM, ""},
	{"its time is over", "exec sleep 60", 100, RUN_TIMED_OUT, 0, ""},
	{"what it said before its time was over", "echo slow disk; exec sleep 60", 200,
		RUN_TIMED_OUT, 0, "slow disk"},
	{"it ends well when it is told to, which is too late",
		"trap 'exit 0' TERM; sleep 60 & wait", 100, RUN_TIMED_OUT, 0, ""},
	{"it floods", "echo first; exec cat /dev/zero", 10000, RUN_FLOODED, 0, "first"},
	{"it floods one line", "exec cat /dev/zero", 10000, RUN_FLOODED, 0, ""},
	{"there is nothing to read", "read -r line && exit 1; exit 0", 10000, RUN_EXITED, 0, ""},
	{"it leads a group", "test $$ = $(ps -o pgid= -p $$)", 10000, RUN_EXITED, 0, ""},
	{"no core dump", "test $(ulimit -c) = 0", 10000, RUN_EXITED, 0, ""},
	{"no descriptor but the first three",
		"for fd in /proc/self/fd/*; do n=${fd##*/}; "
		"[ -e \"$fd\" ] && [ $n -gt 2 ] && echo $fd && exit 1; done; exit 0",
		10000, RUN_EXITED, 0, ""},
};

static void each_end(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct told told;

		start(world, cases[i].script, cases[i].timeout_ms, &told);
		assert_false(told.is_done);
		await(world, &told, cases[i].about);
		if (told.result.end != cases[i].end || told.result.code != cases[i].code ||
			strcmp(told.line, cases[i].line) != 0)
			fail_msg("%s: end %d, code %d, line '%s'", cases[i].about, told.result.end,
				told.result.code, told.line);
	}
}

/* The whole environment but what is the shell's own, sorted. */
static void environment(void **state)
{
	static const char *const command[] = {"/bin/sh", "-c",
		"/usr/bin/env | /usr/bin/grep -v -e ^PWD= -e ^_= | /usr/bin/sort | /usr/bin/tr "
		"'\\n' '|'",
		NULL};
	struct world *world = *state;
	struct told told;

	setenv("STEERD_SECRET_OF_THE_PROBER", "x", 1);
	start_command(world, command, 10000, &told);
	await(world, &told, "env");
	unsetenv("STEERD_SECRET_OF_THE_PROBER");

	assert_non_null(strstr(told.line, "LANG=C.UTF-8|"));
	assert_non_null(strstr(told.line, RUN_PATH));
	assert_non_null(strstr(told.line, "STEERD_HOST=|STEERD_MONITOR=script|"));
	assert_non_null(strstr(told.line, RUN_TMPDIR "|"));
	assert_null(strstr(told.line, "SECRET"));
	assert_null(strstr(told.line, "HOME="));
}

/* More than a pipe would hold, from its beginning to its end; and nothing where there is nothing. */
static void input(void **state)
{
	static const char *const command[] = {
		"/bin/sh", "-c", "/usr/bin/wc -c; /usr/bin/readlink /proc/self/fd/0", NULL};
	struct world *world = *state;
	struct told told = {.is_done = false};
	char *much = memory_new(200001);

	memset(much, 'x', 200000);
	run_start(world->runner,
		&(struct run_order){.command = command,
			.input = much,
			.timeout_ms = 10000,
			.done = on_run,
			.context = &told});
	free(much);
	await(world, &told, "much to read");
	assert_string_equal(told.line, "200000");
	start_command(world, command, 10000, &told);
	await(world, &told, "nothing to read");
	assert_string_equal(told.line, "0");
}

/* ---- what cannot be started ---- */

static void make_file(const struct world *world, const char *name, const char *text, mode_t mode,
	char ret_path[static 128])
{
	snprintf(ret_path, 128, "%s/%s", world->directory, name);

	int fd = open(ret_path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void not_started(void **state)
{
	struct world *world = *state;
	char plain[128];
	char orphan[128];
	char shapeless[128];

	make_file(world, "plain", "#!/bin/sh\nexit 0\n", 0644, plain);
	make_file(world, "orphan", "#!/nonexistent/sh\nexit 0\n", 0755, orphan);
	make_file(world, "shapeless", "exit 0\n", 0755, shapeless);

	const struct {
		const char *path;
		int error;
	} wrong[] = {
		{"/nonexistent/check", ENOENT}, {plain, EACCES}, {world->directory, EACCES},
		{orphan, ENOENT}, {shapeless, ENOEXEC}, /* no shell takes it for its own */
	};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const char *const command[] = {wrong[i].path, NULL};
		struct told told;

		start_command(world, command, 10000, &told);
		assert_false(told.is_done);
		await(world, &told, wrong[i].path);
		if (told.result.end != RUN_NOT_STARTED || told.result.code != wrong[i].error)
			fail_msg("%s: end %d, code %d", wrong[i].path, told.result.end,
				told.result.code);
	}
}

/* ---- what does not want to end ---- */

static void ignores_sigterm(void **state)
{
	struct world *world = *state;
	struct told told;

	start(world, "trap '' TERM; while :; do sleep 0.05; done", 100, &told);
	await(world, &told, "one that ignores SIGTERM");
	assert_int_equal(told.result.end, RUN_TIMED_OUT);
	assert_true(told.result.took_ms >= 1100); /* its time and its grace */
}

/* A child in the background holds the pipe and outlives its parent: the run is over all the same. */
static void leaves_a_child(void **state)
{
	struct world *world = *state;
	struct told told;

	start(world, "sleep 600 & echo $!; exit 0", 10000, &told);
	await(world, &told, "one that leaves a child");
	assert_int_equal(told.result.end, RUN_EXITED);
	assert_true(told.result.took_ms < 10000);
	assert_true(atol(told.line) > 1);
	await_death(atol(told.line));
}

static void child_that_ignores_sigterm(void **state)
{
	struct world *world = *state;
	struct told told;

	start(world, "(trap '' TERM; while :; do sleep 0.05; done) & echo $!; wait", 100, &told);
	await(world, &told, "one whose child ignores SIGTERM");
	assert_int_equal(told.result.end, RUN_TIMED_OUT);
	await_death(atol(told.line));
}

/* ---- many ---- */

static size_t count_lines(const struct world *world, const char *name)
{
	char path[128];
	char line[64];
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/%s", world->directory, name);

	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file))
		count++;
	if (file)
		fclose(file);
	return count;
}

/* Each run waits for the test: as many have begun as may, no more, and none is forgotten. */
static void at_once(void **state)
{
	enum { RUNS = 9, AT_ONCE = 3 };
	struct world *world = *state;
	struct told told[RUNS];
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;
	char gate[128];

	runner_set_at_once(world->runner, AT_ONCE);
	for (size_t i = 0; i < RUNS; i++)
		start(world, "echo x >>$1/begun; while ! [ -e $1/gate ]; do sleep 0.01; done",
			15000, &told[i]);
	while (count_lines(world, "begun") < AT_ONCE && clock_monotonic_ms() < end_at_ms)
		usleep(1000);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
	assert_int_equal(count_lines(world, "begun"), AT_ONCE);
	make_file(world, "gate", "", 0644, gate);
	for (size_t i = 0; i < RUNS; i++) {
		await(world, &told[i], "one of many");
		assert_int_equal(told[i].result.end, RUN_EXITED);
	}
	assert_int_equal(count_lines(world, "begun"), RUNS);
}

static void cancel(void **state)
{
	struct world *world = *state;
	struct told running;
	struct told waiting;
	struct told next;

	runner_set_at_once(world->runner, 1);

	struct run *first = start(world, "exec sleep 600", 15000, &running);
	struct run *second = start(world, "exit 0", 15000, &waiting);

	start(world, "echo next", 15000, &next);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
	run_cancel(second);
	run_cancel(first);
	run_cancel(NULL);
	await(world, &next, "the one that waited behind those that were cancelled");
	assert_string_equal(next.line, "next");
	assert_false(running.is_done);
	assert_false(waiting.is_done);
}

/* All that runs, and all that waits, is gone with the runner; end_world() looks for the processes. */
static void freed_while_running(void **state)
{
	struct world *world = *state;
	struct told told[6];

	for (size_t i = 0; i < COUNT_OF(told); i++)
		start(world, "trap '' TERM; while :; do sleep 0.05; done", 15000, &told[i]);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
}

/* Our own limit is as it was. */
static void limits_stay(void **state)
{
	struct world *world = *state;
	struct rlimit before;
	struct rlimit behind;
	struct told told;

	assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
	start(world, "exit 0", 10000, &told);
	await(world, &told, "any");
	assert_int_equal(getrlimit(RLIMIT_CORE, &behind), 0);
	assert_int_equal(before.rlim_cur, behind.rlim_cur);
	assert_int_equal(before.rlim_max, behind.rlim_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_end, make_world, end_world),
		cmocka_unit_test_setup_teardown(environment, make_world, end_world),
		cmocka_unit_test_setup_teardown(input, make_world, end_world),
		cmocka_unit_test_setup_teardown(not_started, make_world, end_world),
		cmocka_unit_test_setup_teardown(ignores_sigterm, make_world, end_world),
		cmocka_unit_test_setup_teardown(leaves_a_child, make_world, end_world),
		cmocka_unit_test_setup_teardown(child_that_ignores_sigterm, make_world, end_world),
		cmocka_unit_test_setup_teardown(at_once, make_world, end_world),
		cmocka_unit_test_setup_teardown(cancel, make_world, end_world),
		cmocka_unit_test_setup_teardown(freed_while_running, make_world, end_world),
		cmocka_unit_test_setup_teardown(limits_stay, make_world, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
