/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_HINTS_H
#define ANSWER_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reply.h"
#include "steerd/plan/plan.h"

/*
 * hints - SVCB and HTTPS records whose address hints are not those of the zone file (RFC 9460 7.3).
 *
 * Those of a steered name are what the answer to A, or to AAAA, holds for the same client and random number; so both
 * families, and all records, speak of one decision.  Those that a set of zones hides are left out.  All else is copied
 * as it was made at load, and hints go where those of the zone file stood, so that the parameters stay in order.
 * [query path]
 */

/* Addresses as on the wire, `stride` octets from one to the next. */
struct hints_family {
	const uint8_t *addresses;
	size_t count; /* 0: an answer of this family is empty, or no record has hints of it */
	size_t stride;
	size_t address_size;
};

struct hints {
	const struct plan *plan;
	const struct zone_block *block;
	struct hints_family families[2]; /* [0] IPv4, [1] IPv6 */
	uint32_t ttl_s;			 /* of the records */
	bool is_steered;		 /* some record has hints that hints_find() finds */
};

/* Of a block that has places for hints. */
void hints_begin(struct hints *hints, const struct plan *plan, const struct zone_block *block);

/* Where they come from: the pool, or where that leaves the answer to the name's own A and AAAA, those. */
enum hints_origin { HINTS_NONE, HINTS_OF_POOL, HINTS_OF_ZONE };

/* The hints for clients of a class, as answer_steered() decides about A and AAAA.  They make the TTL no longer than
 * those answers'. */
enum hints_origin hints_find(
	struct hints *hints, const struct zone_match *match, uint32_t class, uint32_t random);

/* As reply_add_block(), for the answer section. */
bool hints_add(const struct hints *hints, struct reply *reply);

#endif
