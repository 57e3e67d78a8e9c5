/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_ATLAS_H
#define GEO_ATLAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "point.h"
#include "range.h"
#include "steerd/base/err.h"

/*
 * atlas - what city databases say, before it matters which sites there are: for every address, a point.
 *
 * It lives while maps are built.  Start with atlas_init(), end with atlas_done().
 */
struct atlas {
	struct points points;
	struct ranges ipv4; /* of numbers of points; RANGE_NONE: unknown */
	struct ranges ipv6;
	uint64_t built_at_unix_s; /* the oldest; 0: no database yet */
};

/* Larger databases are refused. */
#define ATLAS_FILE_SIZE_MAX ((size_t)1 << 30)

void atlas_init(struct atlas *atlas);
void atlas_done(struct atlas *atlas);

/* Adds a database, .mmdb or built-in; it says something only where those before it know nothing. */
bool atlas_add_file(struct atlas *atlas, const char *path, struct err *err);
/* The same for a file's bytes. */
bool atlas_add_bytes(struct atlas *atlas, const void *bytes, size_t size, struct err *err);

#endif
