/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PUSH_FILE_H
#define PROBE_PUSH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/arena.h"
#include "steerd/base/report.h"

/*
 * push_file - the text of a file that says how targets are.  Pure.
 *
 *	# written by the fleet manager
 *	192.0.2.10      up
 *	2001:db8::10    degraded  disk 3 of 12 is gone
 *	*               down      not in the list
 *
 * A line is an address or `*`, for all that have no line of their own; a state; and a reason, to the end of the line.
 */
#define PUSH_FILE_MAX ((size_t)16 << 20) /* octets */
#define PUSH_FILE_LINE_MAX 1024

struct push_entry {
	struct address address; /* ADDRESS_NONE: `*` */
	uint8_t state;		/* enum verdict_state: up, degraded or down */
	const char *reason;
	unsigned line;
};

struct push_entries {
	const struct push_entry *items; /* by address, `*` first */
	size_t count;
};

/* A file whose last line has no end is being written: not to be read yet. */
bool push_file_is_whole(const char *bytes, size_t size);

/* False if there is any mistake; all, up to a score, are in the report.  Memory is from `arena`. */
bool push_file_parse(const char *bytes, size_t size, const char *path, struct arena *arena,
	struct push_entries *ret_entries, struct report *report);

/* The line for an address, or that for all others; NULL: there is none. */
const struct push_entry *push_file_find(
	const struct push_entries *entries, const struct address *address);

#endif
