/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_SUPERVISE_H
#define LINK_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/health/verdict.h"
#include "steerd/link/link.h"

struct event_base;

/*
 * supervise - steerd's end of the socket pair: starts steerd-prober, gives it orders, takes its
 * verdicts, starts it again.
 *
 * The prober may die at any moment and costs nothing but news: it is started again after 100 ms,
 * doubling to 5 s with each death, from 100 ms anew once it has lived for 10 s.  A prober that sends
 * no table for 10 s hangs; it is killed and counts as dead, and so is one that sends what cannot be.  One that ends
 * with PROBER_EXIT_RENEW did so on purpose: it is
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
	 * then leaves `*table` zeroed; else they are freed.  False: its rows are not those of the
	 * targets, so this prober is not to be believed.
	 */
	bool (*verdicts)(void *context, struct verdict_table *table);
	/*
	 * The states of the rows of the table that was given last, as they are now: after a change,
	 * and before the next table says why.  Of its generation and with as many rows; lent.
	 */
	void (*states)(void *context, const struct link_states *states);
	/* What became of a notice; lent.  May be NULL. */
	void (*delivered)(void *context, const struct link_delivered *delivered);
	/*
	 * It runs, with this process id, and was sent its orders; or it ended, and why: "killed by signal 9", "cannot be
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
	uint64_t states_count;	   /* states frames that were taken */
	uint64_t stale_count;	   /* tables and states that were dropped: for older orders */
	uint64_t refused_count;	   /* whatever cannot be, each of which ended a prober */
	uint64_t heard_bytes;	   /* of whole frames */
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

/* What an inquiry found, lent for the call; or NULL, and why there is nothing. */
typedef void (*supervise_found_fn)(
	void *context, const struct link_findings *findings, const char *why);

/* A check to be made now, beside the schedule: of the target of that key, at that address. */
struct supervise_inquiry {
	const char *key;
	struct address address;
	uint32_t wait_ms; /* the monitor's timeout, and what the way there and back may take */
	supervise_found_fn found;
	void *context;
};

/*
 * Asks the prober.  `found` is called once, later: with the findings, or when they did not come in
 * time, there is no such target any more, or the prober does not run or ended; at the latest within
 * supervise_free().
 */
void supervise_inquire(struct supervise *supervise, const struct supervise_inquiry *inquiry);
/*
 * Someone says how a target of a `push` monitor is.  It is sent at once, and kept, as the last word on that target, for
 * as long as the orders have it: the next prober is told again, with its age, right after its orders, so that a word
 * that comes while none runs is not lost.  That the target is there, and its monitor of that kind, is the caller's to
 * know; the prober passes over what it does not know.  `pushed` is copied.
 */
void supervise_push(struct supervise *supervise, const struct link_pushed *pushed);

/* To be delivered.  What the prober did not yet say to be done is told to the next one by who is called: `started`. */
void supervise_tell(struct supervise *supervise, const struct link_notice *notice);

void supervise_get_state(const struct supervise *supervise, struct supervise_state *ret_state);

/*
 * Closes the socket, upon which the prober ends; waits for it for up to a second, then kills it.
 * NULL is allowed.
 */
void supervise_free(struct supervise *supervise);

#endif
