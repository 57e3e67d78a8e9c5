/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_SUPERVISE_H
#define PROBE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "steerd/base/err.h"
#include "steerd/health/verdict.h"
#include "steerd/probe/link.h"

struct event_base;

/*
 * supervise - steerd's end of the socket pair: starts steerd-prober, gives it orders, takes its
 * verdicts, starts it again.
 *
 * The prober may die at any moment and costs nothing but news: it is started again after 100 ms,
 * doubling to 5 s with each death, from 100 ms anew once it has lived for 10 s.  A prober that says
 * nothing for 10 s hangs; it is killed and counts as dead.  One that ends with PROBER_EXIT_RENEW did so on purpose: it is
 * started again at once, which is no death, and nobody is called.  All calls and callbacks are on the
 * thread of the event base; no SIGCHLD handler is needed or touched, and the caller must not wait
 * for any child (waitpid(-1)), nor free the thing within a callback.  The prober inherits stderr and
 * a few harmless variables of the environment, nothing else.
 */
struct supervise;

struct supervise_callbacks {
	/*
	 * Asks for the orders that hold now: at each start, and after supervise_renew().  They are
	 * written to a frame before the callback's caller goes on; pointers need to live no longer
	 * than until the event loop runs again.
	 */
	void (*orders)(void *context, struct link_orders *ret_orders);
	/*
	 * A whole table, checked, of the generation of the orders that were asked for last; what
	 * comes for older orders is dropped before it gets here.  The callee may take the rows: it
	 * then leaves `*table` zeroed; else they are freed.
	 */
	void (*verdicts)(void *context, struct verdict_table *table);
	/*
	 * It runs, with this process id; or it ended, and why: "killed by signal 9", "cannot be
	 * started: ...".  May be NULL.
	 */
	void (*started)(void *context, pid_t pid);
	void (*ended)(void *context, const char *why);
	void *context;
};

/* Where the prober stands, for `status`. */
struct supervise_state {
	pid_t pid;		   /* 0: not running; it will be started again */
	uint64_t started_at_ms;	   /* monotonic; of this or the last one */
	uint64_t heard_at_ms;	   /* monotonic; the last whole table that was taken; 0: none yet */
	uint64_t table_count;	   /* taken */
	uint64_t stale_count;	   /* dropped: for older orders */
	uint32_t restart_count;	   /* deaths so far */
	uint32_t renew_count;	   /* ended on purpose, to start again with other rights */
	uint32_t next_start_in_ms; /* 0 when it runs */
};

/*
 * Starts the program at `path`, which must be absolute or relative with a '/'.  Copies `path` and
 * `callbacks`.  Calls `orders` before it returns; a prober that cannot be started is tried again as
 * one that died.
 */
struct supervise *supervise_new(
	struct event_base *base, const char *path, const struct supervise_callbacks *callbacks);

/* Asks for orders again and sends them: after a reload. */
void supervise_renew(struct supervise *supervise);

void supervise_get_state(const struct supervise *supervise, struct supervise_state *ret_state);

/*
 * Closes the socket, upon which the prober ends; waits for it for up to a second, then kills it.
 * NULL is allowed.
 */
void supervise_free(struct supervise *supervise);

#endif
