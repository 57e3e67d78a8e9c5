/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_RUNNER_H
#define OUTBOUND_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/cage/needs.h"

struct event_base;

/*
 * runner - programs of the operator, run without a shell, each with a time limit; the event loop never waits for one.
 *
 * A program gets /dev/null to read, or what the order says, our stderr, a pipe for its stdout, no other descriptor, no
 * core dump, default signals, and of the environment PATH, LANG=C.UTF-8, TMPDIR and what the order says.  It leads a process group of its own.  When
 * it ends, whatever of the group is left is killed; when its time is over the group gets SIGTERM, and SIGKILL a second
 * later.  What writes more than RUN_OUTPUT_MAX is ended the same way.  A program that leaves its group (setsid) is on
 * its own.  No SIGCHLD handler is needed or touched: a descriptor of the process tells its end.  The caller must not
 * wait for any child (waitpid(-1)).
 */
struct runner;
struct run;

#define RUN_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define RUN_TMPDIR "TMPDIR=" NEEDS_SCRATCH
#define RUN_OUTPUT_MAX 65536
#define RUN_LINE_MAX 160 /* octets that are kept of the first line */

enum run_end {
	RUN_EXITED,	 /* by itself: `code` is its exit code */
	RUN_KILLED,	 /* by a signal that we did not send: `code` is the signal */
	RUN_TIMED_OUT,	 /* ended by us */
	RUN_FLOODED,	 /* ended by us: it wrote too much */
	RUN_NOT_STARTED, /* `code` is the errno */
};

struct run_result {
	enum run_end end;
	int code;
	uint32_t took_ms;
	const char *
		line; /* the first of its output, without the end; control characters are left as they are; "" */
};

/* The run is over; the callee may start and cancel others. */
typedef void (*run_done_fn)(void *context, const struct run_result *result);

struct run_order {
	const char *const *command; /* an absolute path and arguments; ends with NULL */
	const char *const
		*environment; /* "NAME=value", beside PATH and LANG; ends with NULL; NULL: none */
	const char *input;    /* what it reads from its stdin; NULL: /dev/null */
	uint32_t timeout_ms;  /* from its start, not while it waits for its turn */
	run_done_fn done;     /* never called within run_start() */
	void *context;
};

/* At most `at_once` programs run; what is started beyond waits for its turn. */
struct runner *runner_new(struct event_base *base, size_t at_once);
void runner_set_at_once(struct runner *runner, size_t at_once); /* at least 1 */
/* Cancels what runs.  NULL is allowed. */
void runner_free(struct runner *runner);

/* Copies command, environment and input. */
struct run *run_start(struct runner *runner, const struct run_order *order);
/* Kills the group at once.  NULL is allowed. */
void run_cancel(struct run *run);

#endif
