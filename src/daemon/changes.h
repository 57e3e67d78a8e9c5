/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CHANGES_H
#define DAEMON_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/text.h"
#include "steerd/health/verdict.h"
#include "steerd/plan/snapshot.h"

/*
 * changes - what differs between two verdict tables of one snapshot, for answers and for people.  Pure.
 */

/* Whether answers, or what `explain` says of them, may differ. */
bool changes_matter(const struct verdict_table *before, const struct verdict_table *after);

/* A backend that takes a thousand names with it need not take the journal as well. */
#define CHANGES_LINES_MAX 50

/*
 * One line for each change, as operators say it; the count of lines is returned:
 *	downloads/fra-1 192.0.2.10 went down: 3 checks failed in a row, last: connect timed out after 2 s
 *	downloads/fra-1 192.0.2.10 is up again after 5 min: 2 checks passed in a row
 */
size_t changes_print(const struct snapshot *snapshot, const struct verdict_table *before,
	const struct verdict_table *after, struct text *ret_lines);

#endif
