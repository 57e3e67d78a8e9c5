/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_TCP_H
#define SERVER_TCP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"

#include "worker.h"

/*
 * tcp - one thread that serves TCP connections of all listen addresses.
 *
 * Threads share the listening sockets; a connection stays with the thread that accepted it.  Two queues, each in the order
 * in which its members run out of time, make eviction and time limits O(1):
 *
 *	idle   waits for a query          tcp_idle_ms   the first is evicted when room is needed
 *	busy   a message or an answer     tcp_io_ms     the first is evicted if none is idle
 *	       is on its way
 */
struct tcp;

/* What the threads have in common; it must outlive them. */
struct tcp_common {
	const int *listen_fds;	/* [fixed] not blocking */
	size_t listen_count;	/* [fixed] */
	int stop_fd;		/* [fixed] an eventfd that becomes readable when the server stops */
	uint32_t idle_ms;	/* [fixed] */
	uint32_t io_ms;		/* [fixed] */
	size_t connections_max; /* [fixed] of all threads together */
	atomic_size_t open;	/* connections of all threads */
};

/* `worker` is copied.  NULL if the system refuses what it needs. */
struct tcp *tcp_new(struct tcp_common *common, const struct worker *worker, struct err *err);
/* The thread must have ended or not have started; closes what connections are left.  NULL is allowed. */
void tcp_free(struct tcp *tcp);

bool tcp_start(struct tcp *tcp, struct err *err);
void tcp_join(struct tcp *tcp);

#endif
