/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "fixed.h"
#include "jobs.h"
#include "steerd/base/text.h"
#include "steerd/control/control.h"
#include "world.h"

/*
 * reload - the files are read aside, in the job thread; what is right is swapped in, what is not leaves everything as it was.
 *
 * Requests that come while one is read wait for their turn.  Main thread only.
 */
struct reload {
	const char *path; /* of steerd.yaml */
	struct jobs *jobs;
	struct world *world;
	const struct fixed *fixed;
	void (*swapped)(void *context); /* after a snapshot was swapped in */
	void *context;

	STAILQ_HEAD(, reading) readings; /* the first is being read */

	/* How the last one went. */
	uint64_t at_unix_s; /* 0: none yet */
	bool done;
	struct text lines;
	bool is_signalled; /* a SIGHUP's reload waits: another SIGHUP adds nothing to it */
};

/* After the fields above `readings` are set. */
void reload_init(struct reload *reload);
/* `call` is finished at the end; NULL for a SIGHUP. */
void reload_start(struct reload *reload, enum control_reading what, struct control_call *call);
void reload_done(struct reload *reload);

/* Each line at its level. */
void reload_log_report(const struct report *report);
/* "3 zones, 12 steered names" */
void reload_print_counts(const struct snapshot *snapshot, struct text *ret_text);
/* The same, and ", 4 pools, 9 members". */
void reload_print_all_counts(const struct snapshot *snapshot, struct text *ret_text);

#endif
