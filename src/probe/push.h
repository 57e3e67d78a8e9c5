/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PUSH_H
#define PROBE_PUSH_H

#include "probes.h"
#include "steerd/link/link.h"

/*
 * push - checks that ask nobody: they judge by the last word on a target, from the control socket or from a watched file.
 *
 * Of two words the newer holds; a file's are as old as the file.  A word that is older than the monitor's max-age says
 * no more than what `on-stale` makes of it, and the result says so.  While nobody has said anything, and max-age is not
 * over since the first check, a check is skipped: what is known of the target stays.  With `on-stale: last` that goes on
 * for as long as it takes.
 *
 * A file is looked at by each check and read when it has changed.  One that cannot be read, has a mistake, or has not
 * been written to its end is not taken: what it said before goes on, and grows old.
 */
struct push;
struct push_check;

struct push *push_new(struct event_base *base);
void push_free(struct push *push); /* NULL is allowed */

/* It is over as soon as the event loop runs. */
struct push_check *push_check_start(struct push *push, const struct probe_order *order);
void push_check_cancel(struct push_check *check);

/* A word has come: checks that are started from now on judge by it. */
void push_take(struct push *push, const struct link_pushed *pushed);

/* Forgets what is said of targets, and in files, that the orders do not know. */
void push_obey(struct push *push, const struct orders *orders);

#endif
