/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOTIFY_DELIVER_H
#define NOTIFY_DELIVER_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/link/link.h"
#include "steerd/probe/orders.h"

struct event_base;

/*
 * deliver - notices on their way to who wants to hear of them, by webhook (webhook.h) or by command (runner.h).
 *
 * Each receiver has a lane of its own, so that one that is down holds up no other: its notices go one after the
 * other, in the order in which they came, for "up" must not overtake "down".  A try that fails is made again after
 * 2 s, doubling to 1024 s; what has waited for an hour when it fails is given up.  The same notice has the same id
 * each time.  A notice that is here already is not taken twice.  LINK_NOTICES_MAX wait, all lanes together: beyond
 * that the oldest is given up.
 */
struct deliver;

struct deliver_options {
	const char *servers; /* for names; NULL: those of resolv.conf */
	/* Delivered or given up; lent for the call. */
	void (*done)(void *context, const struct link_delivered *delivered);
	void *context;
};

struct deliver *deliver_new(struct event_base *base, const struct deliver_options *options);
void deliver_free(struct deliver *deliver); /* NULL is allowed */

/* Receivers go on by their names; what waits for one that is gone is given up. */
void deliver_obey(struct deliver *deliver, struct orders *orders);
/* Copies it.  After the first orders. */
void deliver_take(struct deliver *deliver, const struct link_notice *notice);

#endif
