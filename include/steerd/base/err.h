/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define PRINTF_LIKE(format_index, first_index)                                                     \
	__attribute__((format(printf, format_index, first_index)))

/*
 * err - why something failed, in one line.
 *
 * The caller owns the struct, usually on its stack; a function that fails fills it and returns false.
 * Each err_* call returns false, so that failing is one statement:
 *
 *	if (fd < 0)
 *		return err_os(err, "cannot open '%s'", path);
 *
 * Not for the query path: packet code uses enums.
 */
struct err {
	char text[512]; /* lower case, no full stop, subject in 'quotes' */
};

/* Stores the line. */
bool err_set(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Stores the line and ": " and what errno says. */
bool err_os(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Puts "context: " in front of the line that is there. */
bool err_within(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
