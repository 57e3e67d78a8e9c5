/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_ANSWER_H
#define ANSWER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/plan/plan.h"
#include "steerd/stats/stats.h"

/*
 * answer - query bytes in, response bytes out.
 *
 * A pure function of the plan, the client, the query and a random number: it allocates nothing, locks nothing,
 * logs nothing and calls no kernel.  [query path]
 */
struct answer_client {
	struct address address; /* where the packet came from */
	bool is_tcp;
};

/* Longest response over UDP, and room that a caller gives for one over TCP. */
#define ANSWER_UDP_MAX 1232
#define ANSWER_TCP_MAX 65535

/* Octets written to `out`, which has room for ANSWER_UDP_MAX or ANSWER_TCP_MAX by transport; 0: no reply. */
size_t answer_query(const struct plan *plan, const struct answer_client *client,
	const uint8_t *query, size_t query_size, uint64_t random, struct stats *stats,
	uint8_t *out);

#endif
