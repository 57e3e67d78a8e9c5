/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"

/*
 * listener - the sockets of one listen address: one for each thread, all on one port
 * (SO_REUSEPORT).
 */
struct listener_counts {
	size_t udp;
	size_t tcp;
};

struct listener {
	struct address_port bound; /* with the port that the kernel chose, if it was asked to */
	struct listener_counts counts;
	int *udp_fds; /* blocking */
	int *tcp_fds; /* not blocking */
};

/* Binds everything, or nothing.  A port that anyone else holds is an error, even if they would
 * share it. */
bool listener_open(struct listener *ret_listener, const struct address_port *address,
	struct listener_counts counts, struct err *err);
void listener_close(struct listener *listener);

/* A burst waits there while a worker is busy, and answers wait there while a neighbour's hardware
 * address is asked for (which can take a second).  The kernel cuts it to net.core.rmem_max and
 * wmem_max. */
#define LISTENER_BUFFER_BYTES ((size_t)4 << 20)

/* What the kernel granted the UDP sockets of that. */
struct listener_buffers {
	size_t receive_bytes;
	size_t send_bytes;
};

struct listener_buffers listener_buffers(const struct listener *listener);

/* Makes each thread that waits in recvmmsg() on the UDP sockets return, now and from now on. */
void listener_wake(const struct listener *listener);

#endif
