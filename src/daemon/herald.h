/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_HERALD_H
#define DAEMON_HERALD_H

#include <stdbool.h>

#include "jobs.h"
#include "steerd/control/control.h"
#include "steerd/link/link.h"
#include "world.h"

/*
 * herald - tells people what goes wrong: looks at what is believed each second, has notices made of what is due,
 * gives them to the prober, and keeps them until it says what became of them.
 *
 *	world ─▶ troubles ─▶ notices (health) ─▶ JSON (control) ─▶ outbox ─▶ prober ─▶ settled, and on disk
 *
 * Only what arrived, or was given up, is written down as told: what steerd took with it when it ended is told by
 * the next one.  Main thread only.
 */
struct herald;

struct herald_options {
	const struct world *world; /* outlives it */
	struct jobs *jobs;	   /* for saving */
	/* To the prober, if it runs; if not, herald_repeat() comes later. */
	void (*send)(void *context, const struct link_notice *notice);
	void *context;
};

/* Goes on from what was told before. */
struct herald *herald_new(const struct herald_options *options);
/* When no job of it runs.  NULL is allowed. */
void herald_free(struct herald *herald);

/* Every second.  `prober_why`: it does not run, or says nothing; NULL: all is well. */
void herald_tick(struct herald *herald, const char *prober_why);
/* Another snapshot: other receivers, maybe. */
void herald_renew(struct herald *herald);
/* Another prober has its orders, and knows of no notice. */
void herald_repeat(struct herald *herald);
/* What became of one. */
void herald_settle(struct herald *herald, const struct link_delivered *delivered);
/* For status; its text is valid until the next call of anything here. */
void herald_describe(const struct herald *herald, struct control_notices *ret_notices);
/* At the end, without a thread. */
void herald_save(struct herald *herald);

#endif
