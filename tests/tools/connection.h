/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <event2/util.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <sys/queue.h>

#include "answer.h"
#include "faults.h"

struct event_base;

/*
 * connection - one connection of a server: TLS, a request, and what the server's fault makes of it.
 *
 * TLS works on memory, so that each of its octets can be held back, cut or sent slowly as any other.
 */
struct connection;
LIST_HEAD(connection_list, connection);

/* What a server is to its connections. */
struct server_face {
	struct event_base *base;
	SSL_CTX *tls; /* NULL: it speaks HTTP without TLS */
	const struct fault *fault;
	unsigned number; /* behind NAME= */
	struct answer_page page;
	struct connection_list open;
	unsigned long connections;
	unsigned long requests;
	uint64_t last_at_ms;	 /* a connection came; 0: none did */
	uint64_t longest_gap_ms; /* between two that came */
	uint64_t longest_ask_ms; /* from a connection to the whole request on it */
};

/* A connection that was just taken; its fault is the server's of this moment. */
void connection_begin(struct server_face *server, evutil_socket_t fd);
void connection_end_all(struct server_face *server);

#endif
