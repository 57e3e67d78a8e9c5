/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"

/*
 * listener - the sockets of one listen address: a UDP socket for each worker and one TCP socket, all on one port.
 */
struct listener {
	struct address_port bound; /* with the port that the kernel chose, if it was asked to */
	size_t udp_count;
	int *udp_fds; /* blocking */
	int tcp_fd;   /* not blocking */
};

/* Binds everything, or nothing.  A port that anyone else holds is an error, even if they would share it. */
bool listener_open(struct listener *ret_listener, const struct address_port *address,
	size_t udp_count, struct err *err);
void listener_close(struct listener *listener);

/* Makes each thread that waits in recvmmsg() on these sockets return, now and from now on. */
void listener_wake(const struct listener *listener);

#endif
