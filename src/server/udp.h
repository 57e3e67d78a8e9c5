/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_UDP_H
#define SERVER_UDP_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/err.h"

#include "worker.h"

/*
 * udp - one thread on one UDP socket: receive a batch, answer it, send a batch.
 *
 * How many replies a network gets is limited (limit.h) by what the settings of the plan say.
 * While it serves it calls the kernel to receive and to send, and for nothing else.
 */
struct udp;

/* What the thread has of a listen address. */
struct udp_share {
	int fd;		     /* borrowed until udp_free() */
	size_t thread_count; /* that share its load, so that each grants a share of its rate limit */
	size_t limit_table;  /* networks that this one remembers for it */
};

/* `worker` is copied. */
struct udp *udp_new(const struct udp_share *share, const struct worker *worker);
/* The thread must have ended or not have started; NULL is allowed. */
void udp_free(struct udp *udp);

bool udp_start(struct udp *udp, struct err *err);
void udp_join(struct udp *udp);

#endif
