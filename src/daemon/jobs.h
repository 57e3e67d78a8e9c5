/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_JOBS_H
#define DAEMON_JOBS_H

#include <stdbool.h>

#include "steerd/base/err.h"

struct event_base;

/*
 * jobs - work that must not hold the main loop: one thread of low priority that does one job after the other.
 *
 * All calls are from the thread of the event base.
 */
struct jobs;

struct job {
	void (*run)(void *context);  /* [job thread] */
	void (*done)(void *context); /* [main], after run */
	void *context;		     /* the caller's until `run` begins, and again from `done` on */
};

struct jobs *jobs_new(struct event_base *base, struct err *err);
void jobs_add(struct jobs *jobs, const struct job *job);
/* No job waits or runs, and none waits to be called done. */
bool jobs_is_idle(const struct jobs *jobs);
/* Only when idle.  NULL is allowed. */
void jobs_free(struct jobs *jobs);

#endif
