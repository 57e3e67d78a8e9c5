/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_COLUMNS_H
#define CTL_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "steerd/base/err.h"

/*
 * columns - text in aligned columns, coloured when a person looks.
 *
 *	struct columns columns = {0};
 *	columns_add(&columns, COLOUR_NONE, "MEMBER");
 *	columns_add(&columns, COLOUR_NONE, "STATE");
 *	columns_end_row(&columns);
 *	...
 *	columns_print(&columns, stdout, use_colour);      also ends it
 */
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_FAINT, COLOUR_BOLD };

#define COLUMNS_MAX 8

struct columns_row {
	char *cells[COLUMNS_MAX]; /* heap; NULL: empty */
	enum colour colours[COLUMNS_MAX];
};

struct columns {
	struct columns_row *rows; /* heap */
	size_t count;
	size_t capacity;
	size_t cell; /* the next one of the row that is being filled */
	bool is_open;
};

/* The next cell of the row.  NULL: empty. */
void columns_add(struct columns *columns, enum colour colour, const char *text);
void columns_addf(struct columns *columns, enum colour colour, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void columns_end_row(struct columns *columns);
void columns_print(struct columns *columns, FILE *out, bool use_colour);

/* Before and after coloured text; "" without colour. */
const char *colour_begin(enum colour colour, bool use_colour);
const char *colour_end(enum colour colour, bool use_colour);
/* A terminal, and nobody said NO_COLOR (no-color.org). */
bool colour_is_wanted(FILE *out);

#endif
