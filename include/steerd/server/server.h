/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/config/settings.h"
#include "steerd/plan/live.h"
#include "steerd/stats/stats.h"

/*
 * server - sockets and the threads that answer on them.
 *
 * For each listen address each worker has a UDP socket of its own (SO_REUSEPORT) and a thread that
 * blocks on it, so that no worker waits for another.  TCP has a thread for each worker, with
 * listening sockets and a share of `tcp_connections` of its own, so that UDP never waits for TCP.
 * Replies leave from the address that was asked (RFC 2181 4).  How many replies a network gets over
 * UDP is limited by the settings of the plan that is live, so that a reload changes it.
 */
struct server;

/* Binds everything first, then starts the threads; on failure nothing is left behind.  `live`
 * must outlive it. */
struct server *server_start(
	const struct settings *settings, const struct live *live, struct err *err);
/* Ends the threads, which finish what they are answering; NULL is allowed. */
void server_stop(struct server *server);

/* What was bound: with port 0 in the settings, the port that the kernel chose. */
size_t server_listen_count(const struct server *server);
struct address_port server_listen(const struct server *server, size_t index);

/* What the buffers of UDP sockets should have, and what the kernel granted. */
struct server_buffers {
	size_t wanted_bytes;
	size_t receive_bytes;
	size_t send_bytes;
};

struct server_buffers server_buffers(const struct server *server);

/* Counters of all threads, summed.  [any thread] */
void server_stats(const struct server *server, uint64_t ret_sum[static STATS_COUNT]);
/* TCP connections that may be open: as many as the settings say, or as the limit on open files allows. */
size_t server_tcp_room(const struct server *server);
/* TCP connections open now. */
size_t server_tcp_open(const struct server *server);

#endif
