/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_OPTION_H
#define CONTROL_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "steerd/base/err.h"

/*
 * option - a program's command line by a table: read, explained, and printed in its manual page.
 */
struct option {
	int id;		   /* what option_next() gives, from 1 */
	char letter;	   /* 0: only the long form */
	const char *name;  /* "log-level" */
	const char *shown; /* of its value, "LEVEL"; NULL: it takes none */
	const char *help;  /* one line */
};

/* Starts with {.options = ..., .option_count = ..., .arguments = argv + 1}. */
struct option_reader {
	const struct option *options;
	size_t option_count;
	char *const *arguments; /* ends with NULL */
	size_t at;
	const char *cluster; /* letters left of "-ab" */
	bool only_words;     /* "--" was seen */
};

enum option_found {
	OPTION_END,
	OPTION_IS,    /* an option of the table: `ret_id` and, if it takes one, `ret_value` */
	OPTION_WORD,  /* not an option: `ret_value` */
	OPTION_WRONG, /* `err` says what */
};

/* Options and words may stand in any order. */
enum option_found option_next(
	struct option_reader *reader, int *ret_id, const char **ret_value, struct err *err);

/* One aligned line for each option. */
void option_print_help(FILE *out, const struct option *options, size_t count);

#endif
