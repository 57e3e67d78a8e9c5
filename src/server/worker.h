/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "steerd/base/err.h"
#include "steerd/plan/live.h"
#include "steerd/stats/stats.h"

/*
 * worker - what each thread of the server gets, whichever transport it serves.
 */
#define WORKER_ALIGNMENT 128 /* of what one thread writes to: cache lines are fetched in pairs */

struct worker {
	const struct live *live;	/* [fixed] */
	struct stats *stats;		/* its own */
	const atomic_bool *is_stopping; /* [main] sets it once */
	pthread_t thread;		/* [main] */
};

static inline bool worker_is_stopping(const struct worker *worker)
{
	return atomic_load_explicit(worker->is_stopping, memory_order_acquire);
}

/* Starts the thread with all signals blocked: signals are the main thread's.  `name`: at most 15
 * letters. */
bool worker_start(struct worker *worker, const char *name, void *(*run)(void *), void *argument,
	struct err *err);
/* Waits for its end; it must have been told. */
void worker_join(struct worker *worker);

#endif
