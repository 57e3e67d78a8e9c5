/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PROBES_H
#define PROBE_PROBES_H

#include <stddef.h>

#include "steerd/base/address.h"
#include "steerd/health/judge.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"
#include "steerd/probe/orders.h"

struct event_base;
struct findings;
struct check_memory;
struct link_pushed;

/*
 * probes - one way to start and to cancel a check of any kind.
 *
 * What a kind does is in a file of its own (checks.h, check_tcp.h, ...); here is what all have in common: who holds the
 * orders, that a check is void when this process was stopped or starved while it ran, and that a slow one is degraded.
 */
struct probes;
struct probe;

/*
 * What came of it, lent for the call; the callee may start and cancel probes.  NULL: it says nothing, for this process
 * was stopped, starved or short of something while it ran, or other orders came.
 */
typedef void (*probe_done_fn)(void *context, const struct judge_check *result);

struct probe_order {
	struct orders *orders; /* held by the probe */
	const struct settings_monitor *monitor;
	const struct target *target;
	struct address address;
	enum verdict_state last_state; /* of this address */
	struct check_memory
		*memory; /* what one check of this address leaves to the next; NULL: nothing */
	struct findings *findings; /* where to tell everything; NULL: nobody asked */
	probe_done_fn done;	   /* never called within probe_start() */
	void *context;
};

/*
 * At most `most_at_once` checks that connect run, fewer where this process cannot keep up; what is started beyond waits for
 * its turn (turns.h), those whose last check failed so that the others never wait for them.  `servers` resolve what
 * redirects lead to, as for names_new().
 */
struct probes *probes_new(struct event_base *base, const char *servers, size_t most_at_once);
/* Cancels what runs.  NULL is allowed. */
void probes_free(struct probes *probes);

/* What orders say for all probes. */
void probes_obey(struct probes *probes, const struct orders *orders);

/* The probe is over, and its address void, when `done` was called or probe_cancel(). */
struct probe *probe_start(struct probes *probes, const struct probe_order *order);
void probe_cancel(struct probe *probe); /* NULL is allowed */

/* Someone says how a target is; probes that are started from now on judge by it. */
void probes_take_word(struct probes *probes, const struct link_pushed *pushed);

#endif
