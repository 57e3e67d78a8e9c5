/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_KEEP_H
#define DAEMON_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "jobs.h"
#include "steerd/base/err.h"
#include "steerd/control/state.h"
#include "steerd/health/guard.h"
#include "steerd/health/override.h"
#include "steerd/health/verdict.h"
#include "steerd/plan/snapshot.h"

/*
 * keep - what of a world is on disk: when it goes there, and how a world begins with it.
 *
 * Main thread only; verdicts are written by the thread of jobs.h.
 */
struct keep {
	struct state *state; /* owned */
	struct jobs *jobs;
	struct err error;     /* text "": what was saved last is on disk */
	uint64_t saved_at_ms; /* monotonic; of the verdicts, when that began */
	bool is_unsaved;      /* verdicts that matter are not on disk */
	bool is_saving;
	bool has_unsaved_overrides;
	bool has_unsaved_secrets; /* of cookies: made because there was no file */
	uint64_t tried_at_ms;	  /* monotonic; when these two were to be saved last */
};

/* What is kept, as it is now; lent for a call. */
struct keep_view {
	const struct snapshot *snapshot;
	const struct verdict_table *verdicts; /* of its targets */
	const struct guard *guard;	      /* with its rules */
	const struct override_list *overrides;
};

void keep_init(struct keep *keep, struct state *state, struct jobs *jobs);
void keep_done(struct keep *keep);

/* At once.  False: it is tried again by keep_again(), and `keep->error` says why. */
bool keep_overrides(struct keep *keep, const struct override_list *overrides, struct err *err);
/* Of cookies, if no file said them: the next start, and other servers, are to know them too. */
void keep_secrets(struct keep *keep, const struct snapshot *snapshot);

/* Every second: what could not be saved; verdicts and beliefs, in the background. */
void keep_again(struct keep *keep, const struct keep_view *view);
void keep_when_due(struct keep *keep, const struct keep_view *view);
/* At the end, without a thread. */
void keep_now(struct keep *keep, const struct keep_view *view);

/* Verdicts of the snapshot's targets, and what was believed of them; the guard has its rules. */
void keep_read_verdicts(struct keep *keep, const struct snapshot *snapshot, struct guard *guard,
	struct verdict_table *ret_verdicts);
void keep_read_overrides(struct keep *keep, struct override_list *ret_overrides);

#endif
