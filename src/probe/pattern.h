/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PATTERN_H
#define PROBE_PATTERN_H

#include <stddef.h>

#include "steerd/base/err.h"

/*
 * pattern - regular expressions (PCRE2) over what strangers send: whatever that is, a match takes milliseconds.
 *
 * Octets, not characters: a body need not be UTF-8.
 */
struct pattern;

enum pattern_result { PATTERN_MATCHES, PATTERN_DIFFERS, PATTERN_GAVE_UP };

/* NULL if it is none: "missing closing parenthesis at 'ab(c'". */
struct pattern *pattern_new(const char *expression, struct err *err);
void pattern_free(struct pattern *pattern); /* NULL is allowed */

/* Whether it matches anywhere in the octets; given up when that takes more work than is reasonable. */
enum pattern_result pattern_search(const struct pattern *pattern, const void *octets, size_t size);

#endif
