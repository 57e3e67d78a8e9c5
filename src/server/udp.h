/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_UDP_H
#define SERVER_UDP_H

#include <stdbool.h>

#include "steerd/base/err.h"

#include "worker.h"

/*
 * udp - one thread on one UDP socket: receive a batch, answer it, send a batch.
 *
 * While it serves it calls the kernel to receive and to send, and for nothing else.
 */
struct udp;

/* Borrows `fd` until udp_free(); `worker` is copied. */
struct udp *udp_new(int fd, const struct worker *worker);
/* The thread must have ended or not have started; NULL is allowed. */
void udp_free(struct udp *udp);

bool udp_start(struct udp *udp, struct err *err);
void udp_join(struct udp *udp);

#endif
