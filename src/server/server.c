/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/server/server.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "steerd/base/memory.h"

#include "census.h"
#include "listener.h"
#include "tcp.h"
#include "udp.h"
#include "worker.h"

/* Counts are of what exists, so that server_stop() also undoes a start that failed half way. */
struct server {
	atomic_bool is_stopping;
	int stop_fd;		    /* an eventfd for the TCP threads; -1: none */
	struct listener *listeners; /* [fixed] */
	size_t listener_count;
	struct listener_counts threads; /* [fixed] of each listen address for UDP, of all for TCP */
	int *tcp_fds;			/* by thread, then by listener */
	struct stats *stats;		/* one for each thread: first UDP, then TCP */
	const struct stats **stats_list;
	size_t stats_count;
	struct udp **udps; /* one for each listen address and worker; threads that run */
	size_t udp_count;
	struct tcp **tcps; /* threads that run */
	size_t tcp_count;
	size_t tcp_connections; /* [fixed] that they may have */
	struct census *census;	/* of the TCP threads */
};

/* Descriptors for all but sockets of clients: files that a reload reads, control connections, the
 * prober, the log. */
#define DESCRIPTORS_KEPT 128

/* What the limit on open files leaves for connections, if that is less than is wanted. */
static size_t fit_connections(const struct settings *settings)
{
	/* of each worker: its UDP and TCP sockets, and what TCP waits with */
	rlim_t others =
		DESCRIPTORS_KEPT + settings->workers * (2 * (rlim_t)settings->listen_count + 1);
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY ||
		files.rlim_cur >= others + settings->tcp_connections)
		return settings->tcp_connections;
	return files.rlim_cur > others ? files.rlim_cur - others : 1;
}

static bool open_listeners(struct server *server, const struct settings *settings, struct err *err)
{
	server->listeners = memory_new(settings->listen_count * sizeof(server->listeners[0]));
	for (size_t i = 0; i < settings->listen_count; i++) {
		struct listener *listener = &server->listeners[i];

		if (!listener_open(listener, &settings->listen[i], server->threads, err))
			return false;
		server->listener_count++;
	}
	return true;
}

static bool prepare_tcp(struct server *server, struct err *err)
{
	size_t count = server->threads.tcp * server->listener_count;

	server->tcp_fds = memory_new(count * sizeof(server->tcp_fds[0]));
	for (size_t i = 0; i < count; i++)
		server->tcp_fds[i] = server->listeners[i % server->listener_count]
					     .tcp_fds[i / server->listener_count];
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return server->stop_fd >= 0 || err_os(err, "cannot make an eventfd");
}

static void prepare_stats(struct server *server, size_t thread_count)
{
	server->stats =
		memory_new_aligned(_Alignof(struct stats), thread_count * sizeof(server->stats[0]));
	server->stats_list = memory_new(thread_count * sizeof(server->stats_list[0]));
	server->stats_count = thread_count;
	for (size_t i = 0; i < thread_count; i++)
		server->stats_list[i] = &server->stats[i];
}

static bool start_udp(struct server *server, const struct udp_share *share,
	const struct worker *worker, struct err *err)
{
	struct udp *udp = udp_new(share, worker);

	if (!udp_start(udp, err)) {
		udp_free(udp);
		return false;
	}
	server->udps[server->udp_count++] = udp;
	return true;
}

static bool start_tcp(struct server *server, const struct tcp_limits *limits,
	const struct worker *worker, struct err *err)
{
	struct tcp_sources sources = {
		.listen_fds = &server->tcp_fds[server->tcp_count * server->listener_count],
		.listen_count = server->listener_count,
		.stop_fd = server->stop_fd,
	};
	struct tcp *tcp = tcp_new(&sources, limits, worker, err);

	if (!tcp || !tcp_start(tcp, err)) {
		tcp_free(tcp);
		return false;
	}
	server->tcps[server->tcp_count++] = tcp;
	return true;
}

static bool start_udp_threads(struct server *server, const struct settings *settings,
	struct worker *worker, struct err *err)
{
	size_t workers = server->threads.udp;
	size_t count = server->listener_count * workers;

	server->udps = memory_new(count * sizeof(server->udps[0]));
	for (size_t i = 0; i < count; i++, worker->stats++) {
		struct udp_share share = {
			.fd = server->listeners[i / workers].udp_fds[i % workers],
			.thread_count = workers,
			.limit_table = settings->limit_table,
		};

		if (!start_udp(server, &share, worker, err))
			return false;
	}
	return true;
}

static bool start_tcp_threads(struct server *server, const struct settings *settings,
	struct worker *worker, struct err *err)
{
	size_t count = server->threads.tcp;
	struct census_limits census_limits = {
		.per_address = settings->tcp_per_address,
		.per_network = settings->tcp_per_network,
	};
	struct random random; /* which nothing else is drawn from */

	random_seed(&random);
	server->census = census_new(&census_limits, server->tcp_connections, &random);

	struct tcp_limits limits = {
		.idle_ms = settings->tcp_idle_ms,
		.io_ms = settings->tcp_io_ms,
		.census = server->census,
	};

	server->tcps = memory_new(count * sizeof(server->tcps[0]));
	for (size_t i = 0; i < count; i++, worker->stats++) {
		bool has_one_more = i < server->tcp_connections % count;

		limits.connections = server->tcp_connections / count + has_one_more;
		if (!start_tcp(server, &limits, worker, err))
			return false;
	}
	return true;
}

static bool start_threads(struct server *server, const struct settings *settings,
	const struct live *live, struct err *err)
{
	prepare_stats(server, server->listener_count * server->threads.udp + server->threads.tcp);

	struct worker worker = {
		.live = live, .is_stopping = &server->is_stopping, .stats = server->stats};

	return start_udp_threads(server, settings, &worker, err) &&
		start_tcp_threads(server, settings, &worker, err);
}

struct server *server_start(
	const struct settings *settings, const struct live *live, struct err *err)
{
	assert(settings->listen_count > 0 && settings->workers > 0 &&
		settings->tcp_connections > 0);

	struct server *server = memory_new(sizeof(*server));

	server->stop_fd = -1;
	server->threads.udp = settings->workers;
	server->tcp_connections = fit_connections(settings);
	/* No thread without room for a connection. */
	server->threads.tcp = settings->workers < server->tcp_connections ? settings->workers
									  : server->tcp_connections;
	if (open_listeners(server, settings, err) && prepare_tcp(server, err) &&
		start_threads(server, settings, live, err))
		return server;
	server_stop(server);
	return NULL;
}

static void tell_threads(struct server *server)
{
	atomic_store_explicit(&server->is_stopping, true, memory_order_release);
	if (server->stop_fd >= 0)
		(void)eventfd_write(server->stop_fd, 1);
	for (size_t i = 0; i < server->listener_count; i++)
		listener_wake(&server->listeners[i]);
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	tell_threads(server);
	for (size_t i = 0; i < server->udp_count; i++) {
		udp_join(server->udps[i]);
		udp_free(server->udps[i]);
	}
	for (size_t i = 0; i < server->tcp_count; i++) {
		tcp_join(server->tcps[i]);
		tcp_free(server->tcps[i]);
	}
	census_free(server->census);
	for (size_t i = 0; i < server->listener_count; i++)
		listener_close(&server->listeners[i]);
	if (server->stop_fd >= 0)
		close(server->stop_fd);
	free(server->listeners);
	free(server->tcp_fds);
	free(server->udps);
	free(server->tcps);
	free(server->stats);
	free(server->stats_list);
	free(server);
}

size_t server_listen_count(const struct server *server)
{
	return server->listener_count;
}

struct address_port server_listen(const struct server *server, size_t index)
{
	assert(index < server->listener_count);
	return server->listeners[index].bound;
}

void server_stats(const struct server *server, uint64_t ret_sum[static STATS_COUNT])
{
	stats_sum(server->stats_list, server->stats_count, ret_sum);
}

struct server_buffers server_buffers(const struct server *server)
{
	struct listener_buffers granted = listener_buffers(&server->listeners[0]);

	return (struct server_buffers){
		.wanted_bytes = LISTENER_BUFFER_BYTES,
		.receive_bytes = granted.receive_bytes,
		.send_bytes = granted.send_bytes,
	};
}

size_t server_tcp_room(const struct server *server)
{
	return server->tcp_connections;
}

size_t server_tcp_open(const struct server *server)
{
	size_t open = 0;

	for (size_t i = 0; i < server->tcp_count; i++)
		open += tcp_open(server->tcps[i]);
	return open;
}
