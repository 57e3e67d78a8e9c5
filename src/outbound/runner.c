/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/runner.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

/* Between SIGTERM and SIGKILL. */
#define GRACE_MS 1000

/*
 * A run:  waiting ──▶ running ──▶ (told to end ──▶) its process ended ──▶ done
 *
 * A run that is cancelled while it runs is killed, has no `done` any more, and goes when its process does.
 */
struct run {
	struct runner *runner;
	char **command;
	char **environment;
	char *input; /* or NULL */
	uint32_t timeout_ms;
	run_done_fn done; /* NULL: cancelled */
	void *context;
	pid_t pid;   /* 0: waits, or could not be started */
	int process; /* a descriptor that is readable when it has ended */
	int output;
	struct event *ended;
	struct event *readable;
	struct event *limit;
	uint64_t started_at_ms;
	bool is_told; /* to end */
	bool has_line;
	size_t output_size;
	size_t line_size;
	char line[RUN_LINE_MAX + 1];
	enum run_end end;
	int code;
	TAILQ_ENTRY(run) link; /* in `waiting` or in `running` */
};

TAILQ_HEAD(run_queue, run);

struct runner {
	struct event_base *base;
	struct run_queue waiting;
	struct run_queue running;
	size_t running_count;
	size_t at_once;
};

static void run_waiting(struct runner *runner);

static void after(struct event *event, uint32_t wait_ms)
{
	const struct timeval wait = {
		.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

	event_add(event, &wait);
}

/* ---- lists of words ---- */

static void words_free(char **words)
{
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
}

/* Those of `first`, then those of `more`; either may be NULL. */
static char **words_join(const char *const *first, const char *const *more)
{
	const char *const *lists[] = {first, more};
	char **words = memory_new(sizeof(words[0]));
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (const char *const *at = lists[i]; at && *at; at++) {
			words = memory_resize(words, (count + 2) * sizeof(words[0]));
			words[count++] = memory_text(*at);
			words[count] = NULL;
		}
	return words;
}

/* ---- its end ---- */

/* The leader is not yet waited for, so that the number of the group is still its own. */
static void signal_group(const struct run *run, int number)
{
	if (run->pid > 0)
		kill(-run->pid, number);
}

static void run_free(struct run *run)
{
	if (run->ended)
		event_free(run->ended);
	if (run->readable)
		event_free(run->readable);
	if (run->limit)
		event_free(run->limit);
	if (run->process >= 0)
		close(run->process);
	if (run->output >= 0)
		close(run->output);
	words_free(run->command);
	words_free(run->environment);
	free(run->input);
	free(run);
}

static void finish(struct run *run)
{
	struct runner *runner = run->runner;
	const struct run_result result = {
		.end = run->end,
		.code = run->code,
		.took_ms = (uint32_t)(clock_monotonic_ms() - run->started_at_ms),
		.line = run->line,
	};

	TAILQ_REMOVE(&runner->running, run, link);
	runner->running_count--;
	if (run->done)
		run->done(run->context, &result);
	run_free(run);
	run_waiting(runner);
}

/* After SIGKILL, or when it has ended: at once, but for what the kernel still does for it. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Asks it to end, and does more than ask when it has not. */
static void tell(struct run *run, enum run_end why)
{
	run->is_told = true;
	run->end = why;
	signal_group(run, SIGTERM);
	after(run->limit, GRACE_MS);
}

static void on_limit(evutil_socket_t fd, short what, void *context)
{
	struct run *run = context;

	(void)fd;
	(void)what;
	if (run->pid == 0)
		finish(run); /* that could not be started */
	else if (run->is_told)
		signal_group(run, SIGKILL);
	else
		tell(run, RUN_TIMED_OUT);
}

/* ---- what it says ---- */

static void keep_line(struct run *run, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !run->has_line; i++) {
		if (bytes[i] == '\n')
			run->has_line = true;
		else if (bytes[i] == '\0' || run->line_size == RUN_LINE_MAX)
			run->has_line = true; /* cut */
		else
			run->line[run->line_size++] = bytes[i];
	}
}

/* What is there now; false when there is no more to come. */
static bool take_output(struct run *run)
{
	char piece[4096];
	ssize_t size;

	while (run->output_size <= RUN_OUTPUT_MAX) {
		size = read(run->output, piece, sizeof(piece));
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return size < 0 && errno == EAGAIN;
		run->output_size += (size_t)size;
		keep_line(run, piece, (size_t)size);
	}
	if (!run->is_told)
		tell(run, RUN_FLOODED);
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct run *run = context;

	(void)fd;
	(void)what;
	if (!take_output(run))
		event_del(run->readable);
}

static void on_ended(evutil_socket_t fd, short what, void *context)
{
	struct run *run = context;

	(void)fd;
	(void)what;
	(void)take_output(run);
	/* what it started and left behind */
	signal_group(run, SIGKILL);

	int status = wait_for(run->pid);

	if (!run->is_told) {
		run->end = WIFSIGNALED(status) ? RUN_KILLED : RUN_EXITED;
		run->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	}
	finish(run);
}

/* ---- its start ---- */

/* What it is to read, from its beginning, in memory: a pipe would have to be fed; or an errno, negative. */
static int open_input(const struct run *run)
{
	int fd = run->input ? memfd_create("input", MFD_CLOEXEC)
			    : open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t size = run->input ? strlen(run->input) : 0;

	if (fd >= 0 && (pwrite(fd, run->input, size, 0) == (ssize_t)size || !run->input))
		return fd;

	int error = errno;

	if (fd >= 0)
		close(fd);
	return -error;
}

/* With `input` for its stdin, `output` for its stdout; 0 or an errno. */
static int spawn(struct run *run, int input, int output)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all;
	sigset_t none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);

	int error = posix_spawn(
		&run->pid, run->command[0], &files, &attributes, run->command, run->environment);

	if (error != 0)
		run->pid = 0;
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/*
 * A limit cannot be given to posix_spawn(): ours is lowered for the moment, which one thread may do.  The hard limit
 * stays, as it could not be raised again.
 */
static int spawn_without_core(struct run *run, int output)
{
	int input = open_input(run);

	if (input < 0)
		return -input;

	struct rlimit before = {0};
	bool is_known = getrlimit(RLIMIT_CORE, &before) == 0;
	struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};

	if (is_known)
		setrlimit(RLIMIT_CORE, &none);

	int error = spawn(run, input, output);

	if (is_known)
		setrlimit(RLIMIT_CORE, &before);
	close(input);
	return error;
}

static int watch_process(struct run *run)
{
	run->process = pidfd_open(run->pid, 0);
	if (run->process >= 0)
		return 0;

	int error = errno;

	/* what cannot be watched must not run */
	signal_group(run, SIGKILL);
	wait_for(run->pid);
	run->pid = 0;
	return error;
}

/* 0 or an errno. */
static int launch(struct run *run)
{
	int pipe_ends[2];

	if (pipe2(pipe_ends, O_CLOEXEC) < 0)
		return errno;
	run->output = pipe_ends[0];

	/* our end alone: the program's is another description */
	int error = fcntl(run->output, F_SETFL, O_NONBLOCK) < 0
		? errno
		: spawn_without_core(run, pipe_ends[1]);

	close(pipe_ends[1]);
	return error == 0 ? watch_process(run) : error;
}

static void begin(struct run *run)
{
	struct event_base *base = run->runner->base;

	run->started_at_ms = clock_monotonic_ms();
	run->limit = evtimer_new(base, on_limit, run);
	run->code = launch(run);
	if (run->code != 0) {
		run->end = RUN_NOT_STARTED;
		after(run->limit, 0);
		return;
	}
	run->ended = event_new(base, run->process, EV_READ, on_ended, run);
	run->readable = event_new(base, run->output, EV_READ | EV_PERSIST, on_readable, run);
	event_add(run->ended, NULL);
	event_add(run->readable, NULL);
	after(run->limit, run->timeout_ms);
}

static void run_waiting(struct runner *runner)
{
	struct run *run;

	while (runner->running_count < runner->at_once && (run = TAILQ_FIRST(&runner->waiting))) {
		TAILQ_REMOVE(&runner->waiting, run, link);
		TAILQ_INSERT_TAIL(&runner->running, run, link);
		runner->running_count++;
		begin(run);
	}
}

/* ---- the whole ---- */

struct runner *runner_new(struct event_base *base, size_t at_once)
{
	struct runner *runner = memory_new(sizeof(*runner));

	runner->base = base;
	TAILQ_INIT(&runner->waiting);
	TAILQ_INIT(&runner->running);
	runner_set_at_once(runner, at_once);
	return runner;
}

void runner_set_at_once(struct runner *runner, size_t at_once)
{
	runner->at_once = at_once > 0 ? at_once : 1;
	run_waiting(runner);
}

void runner_free(struct runner *runner)
{
	struct run *run;

	if (!runner)
		return;
	while ((run = TAILQ_FIRST(&runner->waiting))) {
		TAILQ_REMOVE(&runner->waiting, run, link);
		run_free(run);
	}
	while ((run = TAILQ_FIRST(&runner->running))) {
		TAILQ_REMOVE(&runner->running, run, link);
		signal_group(run, SIGKILL);
		if (run->pid > 0)
			wait_for(run->pid);
		run_free(run);
	}
	free(runner);
}

struct run *run_start(struct runner *runner, const struct run_order *order)
{
	static const char *const always[] = {RUN_PATH, "LANG=C.UTF-8", RUN_TMPDIR, NULL};
	struct run *run = memory_new(sizeof(*run));

	run->runner = runner;
	run->command = words_join(order->command, NULL);
	run->environment = words_join(always, order->environment);
	run->input = order->input ? memory_text(order->input) : NULL;
	run->timeout_ms = order->timeout_ms;
	run->done = order->done;
	run->context = order->context;
	run->process = -1;
	run->output = -1;
	TAILQ_INSERT_TAIL(&runner->waiting, run, link);
	run_waiting(runner);
	return run;
}

void run_cancel(struct run *run)
{
	if (!run)
		return;
	run->done = NULL;
	if (run->limit) {
		/* it goes when its process does */
		run->is_told = true;
		signal_group(run, SIGKILL);
		return;
	}
	TAILQ_REMOVE(&run->runner->waiting, run, link);
	run_free(run);
}
