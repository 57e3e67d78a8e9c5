/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_WORLD_ASKER_H
#define FUZZ_WORLD_ASKER_H

#include <stddef.h>
#include <stdint.h>

#include "../../unit/answer/ask.h"
#include "steerd/base/random.h"
#include "steerd/plan/plan.h"

/*
 * asker - queries to one plan, and what must be true of every answer whatever happened to the world:
 *
 *	it stands before the strict decoder
 *	a steered name has an answer, never NXDOMAIN or SERVFAIL, and it is not empty if its pool has an address at all
 *	the addresses are the pool's, those that one of its hosts has now, or the zone's own
 *	hints of its HTTPS records are those answers (RFC 9460 7.3)
 *
 * Each thread has its own.
 */
struct asker {
	struct random random;
	struct stats stats;
	struct ask ask;
	uint8_t out[ANSWER_UDP_MAX];
	struct decoded decoded;
	size_t size; /* of the last answer, in `out` */
};

/* A query for the `index`th steered name of a plan that has some: the rest is drawn.  Then asks and checks it. */
void asker_ask_steered(struct asker *asker, const struct plan *plan, uint32_t index);
/* For each steered name once. */
void asker_ask_all(struct asker *asker, const struct plan *plan);
/* Any octets. */
void asker_ask_raw(struct asker *asker, const struct plan *plan, const uint8_t *query, size_t size);

/* Of what a fixed lot of queries is answered with. */
uint64_t asker_digest(struct asker *asker, const struct plan *plan);

/* A name that the node stands for: "*" becomes "x". */
size_t asker_name(const struct zone_steered *steered, uint8_t ret_wire[static DNS_NAME_MAX]);

#endif
