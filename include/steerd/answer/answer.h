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
	/* UDP: without a good cookie, the reply has no record: a client that sent a cookie gets BADCOOKIE and asks again
	 * with the one it gets, every other gets TC, and asks over TCP if it is no forgery.
	 * Whoever limits counts it. */
	bool is_limited;
	/* UDP: the reply has 512 octets at most; more cannot be sent whole to this client. */
	bool is_short;
	/* TCP: how long the connection may stay without a query, in tenths of a second. */
	uint16_t idle_ds;
	/* The lower 32 bits: ages are told in serial arithmetic (RFC 1982 3.2). */
	uint32_t now_unix_s;
};

/* What became of a query.  In two registers, as it is: packed into one it would have to be taken apart. */
struct answered {
	size_t size; /* octets of the reply; 0: none */
	/* It came with a cookie that we made for its address, so that is no forgery (RFC 7873 5.2.5). */
	bool has_cookie;
};

/* Longest response over UDP, and room that a caller gives for one over TCP. */
#define ANSWER_UDP_MAX 1232
#define ANSWER_TCP_MAX 65535

/* Writes the reply to `out`, which has room for ANSWER_UDP_MAX or ANSWER_TCP_MAX by transport. */
struct answered answer_query(const struct plan *plan, const struct answer_client *client,
	const uint8_t *query, size_t query_size, uint64_t random, struct stats *stats,
	uint8_t *out);

#endif
