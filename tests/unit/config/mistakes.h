/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONFIG_MISTAKES_H
#define TESTS_CONFIG_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * mistakes - files that are wrong, and what is said about them: whole lines, because people and tools read them.
 */
struct mistake {
	const char *about;
	const char *yaml;
	const char *want; /* without "steerd.yaml" in front of the first line */
};

/* How many of the files do not meet their want; says which. */
size_t mistakes_refused(const struct mistake *mistakes, size_t count);
/* The same of files that are taken with a warning; `want` is whole. */
size_t mistakes_warned(const struct mistake *mistakes, size_t count);

/* Test functions of tables. */
#define REFUSES(table)                                                                             \
	static void table##_refused(void **state)                                                  \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(mistakes_refused(table, COUNT_OF(table)), 0);                     \
	}
#define WARNS(table)                                                                               \
	static void table##_given(void **state)                                                    \
	{                                                                                          \
		(void)state;                                                                       \
		assert_int_equal(mistakes_warned(table, COUNT_OF(table)), 0);                      \
	}

#endif
