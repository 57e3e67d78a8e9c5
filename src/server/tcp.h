/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_TCP_H
#define SERVER_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"

#include "census.h"
#include "worker.h"

/*
 * tcp - one thread that serves TCP connections of all listen addresses.
 *
 * Each thread has listening sockets and a share of the connections of its own, so threads never
 * wait for each other; what one address may have is counted over all of them (census.h).  Two queues, each in the order in which its members run out of time, make
 * eviction and time limits O(1):
 *
 *	idle   waits for a query          idle_ms   the first is evicted when room is needed
 *	busy   a message or an answer     io_ms     the first is evicted if none is idle
 *	       is on its way
 */
struct tcp;

struct tcp_limits {
	uint32_t idle_ms;
	uint32_t io_ms;
	size_t connections;    /* at least 1 */
	struct census *census; /* borrowed; all threads share it */
};

/* What the thread listens on, borrowed until tcp_free(). */
struct tcp_sources {
	const int *listen_fds; /* not blocking */
	size_t listen_count;
	int stop_fd; /* becomes readable when the server stops */
};

/* `worker` is copied.  NULL if the system refuses what it needs. */
struct tcp *tcp_new(const struct tcp_sources *sources, const struct tcp_limits *limits,
	const struct worker *worker, struct err *err);
/* The thread must have ended or not have started; closes what connections are left.  NULL is
 * allowed. */
void tcp_free(struct tcp *tcp);

bool tcp_start(struct tcp *tcp, struct err *err);
void tcp_join(struct tcp *tcp);

/* Connections open now.  [any thread] */
size_t tcp_open(const struct tcp *tcp);

#endif
