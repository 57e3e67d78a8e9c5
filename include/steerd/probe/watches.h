/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_WATCHES_H
#define PROBE_WATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/health/verdict.h"
#include "steerd/probe/orders.h"

struct event_base;
struct link_pushed;

/*
 * watches - the targets of the orders: when each is checked, which addresses a host name has, and
 * what came of it.
 *
 *	watch: one target ──▶ slots: one for each address, each with its verdict, its time
 *	                             and at most one check
 *
 * Each slot is checked every `every` from the start of one check to the start of the next, give or
 * take a tenth, so that targets do not march in step; the first checks are spread over a second.
 * After the first failure of one that was well the next check comes `recheck` after the end of that
 * one, if that is sooner; and until it is down none comes later than `every`.
 */
struct watches;

struct watches_options {
	const char *servers; /* for names; NULL: those of resolv.conf */
	size_t most_at_once; /* checks */
	/* A row of the last table has another state.  An address that came or went is in the next. */
	void (*changed)(void *context, size_t row, uint8_t state);
	/* What an inquiry found; lent for the call. */
	void (*found)(void *context, const struct link_findings *findings);
	void *context;
};

struct watches *watches_new(struct event_base *base, const struct watches_options *options);
void watches_free(struct watches *watches); /* NULL is allowed */

/* What was watched and still is goes on as if nothing had happened; the rest begins or ends. */
void watches_obey(struct watches *watches, struct orders *orders);

/* Someone says how a target of a `push` monitor is: its addresses are judged by it at once. */
void watches_take_word(struct watches *watches, const struct link_pushed *pushed);

/* All verdicts, for the generation of the orders; the caller ends the table. */
void watches_get_table(struct watches *watches, struct verdict_table *ret_table);

/*
 * One check now, outside the schedule, with all that it finds; it changes no verdict.  What comes
 * of it goes to `found`, at once where nothing of that key and address is checked.
 */
void watches_inquire(struct watches *watches, const struct link_inquiry *inquiry);

#endif
