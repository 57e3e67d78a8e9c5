/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBER_REPORTS_H
#define PROBER_REPORTS_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/health/verdict.h"
#include "steerd/link/link.h"
#include "steerd/link/stream.h"

struct event_base;

/*
 * reports - what the prober tells steerd, and when: constant work, however many targets fail.
 *
 * The whole table goes out when orders came and then each second, changed or not.  A change between
 * two tables goes out at once as the states of all rows, two bits each, and those after it in one
 * frame each REPORTS_GAP_MS: of 10,000 targets that is 2.5 KB beside a table of 5 MB.  While steerd
 * does not read nothing is queued but what it is told then, the newest table or states.
 */
struct reports;

#define REPORTS_TABLE_EVERY_MS 1000
/* An answer is to follow within 100 ms; more often would make a storm dearer than a calm for who must wake up each time. */
#define REPORTS_GAP_MS 80

/* Makes the table of now; reports ends it. */
typedef void (*reports_table_fn)(void *context, struct verdict_table *ret_table);

/* Writes to `stream`, which it does not own. */
struct reports *reports_new(
	struct event_base *base, struct stream *stream, reports_table_fn table, void *context);
void reports_free(struct reports *reports); /* NULL is allowed */

/* Orders came: from now on there are tables, the first at once. */
void reports_begin(struct reports *reports);

/* Row `row` of the last table has another state. */
void reports_change(struct reports *reports, size_t row, uint8_t state);

void reports_add_findings(struct reports *reports, const struct link_findings *findings);
void reports_add_delivered(struct reports *reports, const struct link_delivered *delivered);

#endif
