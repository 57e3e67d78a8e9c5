/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_KEEP_H
#define DAEMON_KEEP_H

#include <stdbool.h>

#include "steerd/base/err.h"
#include "steerd/plan/snapshot.h"

/*
 * keep - what of a world is on disk: when it goes there, and how a world begins with it.
 *
 * Main thread only; verdicts are written by the thread of jobs.h.
 */
struct world;

/* At once.  False: it is tried again by keep_again(), and `save_error` of the world says why. */
bool keep_overrides(struct world *world, struct err *err);
/* Of cookies, if no file said them: the next start, and other servers, are to know them too. */
void keep_secrets(struct world *world);

/* Every second: what could not be saved; verdicts and beliefs, in the background. */
void keep_again(struct world *world);
void keep_when_due(struct world *world);
/* At the end, without a thread. */
void keep_now(struct world *world);

/* Verdicts of the snapshot's targets, and what was believed of them; the guard has its rules. */
void keep_read_verdicts(struct world *world, const struct snapshot *snapshot);
void keep_read_overrides(struct world *world);

#endif
