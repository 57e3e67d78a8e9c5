/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECK_MEMORY_H
#define PROBE_CHECK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * check_memory - what one check of an address leaves to the next.  Whoever orders checks keeps it for each address,
 * zeroed at first, and never looks into it; it must outlive each check that it was given to.
 */
struct check_memory {
	uint64_t day; /* since 1970, in UTC, to which `day_bytes` belongs */
	uint64_t day_bytes;
	uint64_t total_bytes; /* of the file; 0: not known */
	uint32_t turn;	      /* which position is next */
	bool has_failed;      /* the last check did: the next one may hang */
	char etag[96];	      /* of the file, cut; "": not known */
};

#endif
