/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_LINES_H
#define ZONE_LINES_H

#include <stdbool.h>
#include <stdio.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * lines - a zone file cut into entries (RFC 1035 5.1): comments gone, parentheses resolved, one entry one text.
 *
 * ldns does this as well, but then nobody knows on which line an entry began, and one open quote takes the rest of
 * the file with it.  What is cut here is all that ldns is given to read.
 */
struct lines {
	FILE *file;	 /* borrowed */
	char *physical;	 /* the line being read */
	size_t capacity; /* of `physical` */
	unsigned number; /* of `physical`, from 1 */
	bool has_failed; /* the file cannot be read any further */
	bool is_cut;	 /* the last line that was read has no end: perhaps the file is not whole */
	struct text entry;
};

struct line {
	char *text;	   /* the entry, blanks between its fields; may be written to */
	unsigned number;   /* where it began */
	bool begins_blank; /* no owner: that of the entry before it */
};

enum lines_result { LINES_ENTRY, LINES_MISTAKE, LINES_END };

/* Starts with `struct lines lines = {.file = file};`, ends with lines_done(). */
void lines_done(struct lines *lines);

/*
 * The next entry that is not empty; it lasts until the next call.  After a mistake, which is at `ret_line->number`,
 * reading goes on with the next line.
 */
enum lines_result lines_next(struct lines *lines, struct line *ret_line, struct err *err);

#endif
