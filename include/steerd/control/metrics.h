/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include <stddef.h>

#include "steerd/base/text.h"

/*
 * metrics - numbers for a monitoring system, in the text format of Prometheus (version 0.0.4).
 *
 * One table says of each its name, its type, what it means and its labels; what `steerctl metrics` prints and the manual page are
 * made from it.  Units are seconds, octets and parts of one; times are in seconds since 1970.
 */
struct control_facts;

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4"

/* All that is known now, a line for each series.  The text is UTF-8 and ends with '\n'. */
void metrics_print(const struct control_facts *facts, struct text *ret_text);

struct metrics_info {
	const char *name;   /* valid until the next call, as all of them */
	const char *type;   /* "gauge", "counter" */
	const char *help;   /* a phrase: no full stop, no line end, no backslash */
	const char *labels; /* "pool, member"; "": none */
};

size_t metrics_count(void);
struct metrics_info metrics_info(size_t index);

#endif
