/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/answer/answer.h"
#include "steerd/base/address.h"
#include "steerd/base/random.h"
#include "steerd/plan/plan.h"
#include "steerd/stats/stats.h"

/*
 * connection - DNS over one TCP connection (RFC 7766): octets in, answers out, in the order of the
 * queries.
 *
 *	socket ─▶ input ─▶ answer_query() ─▶ output ─▶ socket
 *
 * Input and output are buffers of the thread, lent to one connection after another; a connection
 * owns memory only for what is left over: a message that has begun, and answers that the client
 * does not read.  While such answers wait nothing is read and nothing is answered, so that both are
 * bounded by the size of the buffers and an idle connection owns nothing.
 */
#define CONNECTION_INPUT_SIZE 8192
/* Answers are sent together once they are this much; behind it there is room for one more of any
 * size. */
#define CONNECTION_OUTPUT_FULL 16384
#define CONNECTION_PREFIX_SIZE 2 /* RFC 1035 4.2.2: the length before each message */

/* What a thread lends. */
struct connection_desk {
	const struct plan *plan;
	struct stats *stats;
	struct random random;
	uint32_t now_unix_s;
	uint16_t idle_ds; /* what clients are told, in tenths of a second */
	size_t input_size;
	size_t output_size;
	uint8_t input[CONNECTION_INPUT_SIZE];
	uint8_t output[CONNECTION_OUTPUT_FULL + CONNECTION_PREFIX_SIZE + ANSWER_TCP_MAX];
};

struct connection_rest {
	uint8_t *bytes; /* NULL: none */
	size_t size;
};

struct connection {
	int fd;
	struct address client;
	bool has_ended;		       /* nothing that the client may still send is read */
	struct connection_rest input;  /* not answered yet */
	struct connection_rest output; /* not taken by the kernel yet */
};

/* What a connection waits for. */
enum connection_wait {
	CONNECTION_IDLE,    /* a query */
	CONNECTION_READING, /* the rest of one */
	CONNECTION_WRITING, /* the client, to read its answers */
	CONNECTION_OVER,    /* nothing: close it */
};

/*
 * Reads, answers and writes what can be without waiting.  `ret_has_progress`: a message was
 * answered, or the client took some of what had waited.  (The kernel says that there is room once a
 * third of its buffer is free: to read octet by octet is no progress.)
 */
enum connection_wait connection_serve(
	struct connection *connection, struct connection_desk *desk, bool *ret_has_progress);
/* Closes the socket. */
void connection_done(struct connection *connection);

#endif
