/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_LIVE_H
#define PLAN_LIVE_H

#include <stdbool.h>

#include "steerd/plan/plan.h"

/*
 * live - the one pointer that is published (RCU, liburcu's QSBR flavour).
 *
 * A thread that reads registers, and says when it holds no plan: live_offline()/live_online() around each wait for
 * queries.  Reading costs one load.
 */
struct live;

struct live *live_new(struct plan *first); /* takes ownership */
void live_free(struct live *live);	   /* after all readers have left; NULL is allowed */

/* [reader] */
void live_join(void);
void live_leave(void);
void live_offline(void);
void live_online(void);

/* [reader] The plan to answer from; valid until this thread is next offline.  [query path] */
const struct plan *live_get(const struct live *live);
/* [main] The same for the one thread that publishes. */
const struct plan *live_current(const struct live *live);

/* [main] Takes ownership of `next` and frees the plan before it once no reader can see it.  A plan that is not newer
 * than the one served is freed instead: false. */
bool live_publish(struct live *live, struct plan *next);

#endif
