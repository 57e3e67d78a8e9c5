/* SPDX-License-Identifier: Apache-2.0 */
#include "tcp.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

#include "connection.h"

/* Events taken from the kernel at once, and connections accepted in a row: between them every
 * connection gets a turn. */
#define EVENTS_MAX 64
#define ACCEPTS_MAX 64

/* How long nothing is accepted when the process is out of descriptors and has no connection to
 * evict: the listening socket would report itself ready without end. */
#define ACCEPT_PAUSE_MS 100

/* Room is nearly gone when one part in so many is left. */
#define ROOM_KEPT 10

/* What an event is about: first in whatever epoll points to. */
enum source { SOURCE_STOP, SOURCE_LISTENER, SOURCE_CLIENT };

struct listening {
	enum source source;
	int fd;
};

struct client {
	enum source source;
	enum connection_wait wait;
	uint64_t due_at_ms;	 /* out of time */
	struct client *previous; /* in the queue of its wait */
	struct client *next;
	struct census_member member;
	struct connection connection;
};

/* In the order of due_at_ms, as all members have the same limit. */
struct queue {
	struct client *first;
	struct client *last;
	uint32_t limit_ms;
};

struct tcp {
	struct worker worker;
	struct tcp_limits limits; /* [fixed] */
	atomic_size_t open;	  /* connections; others read it */
	int epoll_fd;
	enum source stop;
	struct listening *listening; /* [fixed] */
	size_t listen_count;
	uint64_t accept_at_ms; /* accepting is paused until then; 0: it is not */
	uint64_t now_ms;       /* when the events at hand were taken */
	struct queue idle;
	struct queue busy;
	struct connection_desk desk;
};

static struct queue *queue_of(struct tcp *tcp, enum connection_wait wait)
{
	return wait == CONNECTION_IDLE ? &tcp->idle : &tcp->busy;
}

static void queue_add(struct queue *queue, struct client *client, uint64_t now_ms)
{
	atomic_store_explicit(&client->member.got_on_at_ms, now_ms, memory_order_relaxed);
	client->due_at_ms = now_ms + queue->limit_ms;
	client->previous = queue->last;
	client->next = NULL;
	if (queue->last)
		queue->last->next = client;
	else
		queue->first = client;
	queue->last = client;
}

static void queue_remove(struct queue *queue, struct client *client)
{
	if (client->previous)
		client->previous->next = client->next;
	else
		queue->first = client->next;
	if (client->next)
		client->next->previous = client->previous;
	else
		queue->last = client->previous;
}

static bool watch(struct tcp *tcp, int operation, int fd, uint32_t events, void *source)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(tcp->epoll_fd, operation, fd, &event) == 0;
}

static bool watch_listening(struct tcp *tcp)
{
	for (size_t i = 0; i < tcp->listen_count; i++) {
		struct listening *listening = &tcp->listening[i];

		if (!watch(tcp, EPOLL_CTL_ADD, listening->fd, EPOLLIN, listening))
			return false;
	}
	return true;
}

static void accept_pause(struct tcp *tcp)
{
	for (size_t i = 0; i < tcp->listen_count; i++)
		(void)watch(tcp, EPOLL_CTL_DEL, tcp->listening[i].fd, 0, NULL);
	tcp->accept_at_ms = tcp->now_ms + ACCEPT_PAUSE_MS;
}

static void accept_resume(struct tcp *tcp)
{
	if (tcp->accept_at_ms == 0 || tcp->accept_at_ms > tcp->now_ms)
		return;
	if (watch_listening(tcp))
		tcp->accept_at_ms = 0;
	else
		accept_pause(tcp);
}

/* Closing alone would not end the events: a child process that has not come to its exec() yet
 * has a copy of the socket, which would go on to report itself under a pointer to who is gone. */
static void client_close(struct tcp *tcp, struct client *client)
{
	(void)watch(tcp, EPOLL_CTL_DEL, client->connection.fd, 0, NULL);
	census_leave(tcp->limits.census, &client->member);
	queue_remove(queue_of(tcp, client->wait), client);
	connection_done(&client->connection);
	free(client);
	atomic_fetch_sub_explicit(&tcp->open, 1, memory_order_relaxed);
}

/* Makes room: the longest idle goes, or if none is idle who keeps us waiting longest. */
static bool evict(struct tcp *tcp)
{
	struct client *client = tcp->idle.first ? tcp->idle.first : tcp->busy.first;

	if (!client)
		return false;
	stats_add(tcp->worker.stats, STATS_TCP_EVICTED, 1);
	client_close(tcp, client);
	return true;
}

/* Takes ownership of `fd`. */
static void client_new(struct tcp *tcp, int fd, const struct sockaddr_storage *kernel)
{
	struct address_port from;

	stats_add(tcp->worker.stats, STATS_TCP_CONNECTIONS, 1);
	if (!address_from_sockaddr((const struct sockaddr *)kernel, &from)) {
		close(fd);
		return;
	}
	if (tcp_open(tcp) >= tcp->limits.connections)
		(void)evict(tcp);

	struct client *client = memory_new(sizeof(*client));

	client->source = SOURCE_CLIENT;
	client->wait = CONNECTION_IDLE;
	client->connection.fd = fd;
	client->connection.client = from.address;
	client->member.fd = fd;
	client->member.address = from.address;
	atomic_fetch_add_explicit(&tcp->open, 1, memory_order_relaxed);
	queue_add(&tcp->idle, client, tcp->now_ms);
	stats_add(tcp->worker.stats, STATS_TCP_CAPPED,
		census_join(tcp->limits.census, &client->member));
	if (!watch(tcp, EPOLL_CTL_ADD, fd, EPOLLIN, client))
		client_close(tcp, client);
}

/*
 * What clients are told of how long a connection may stay: 0, for "close it", when our own room is
 * nearly gone (RFC 7828 3.4), so that those who listen go before anybody is evicted.
 */
static uint16_t told_idle_ds(const struct tcp *tcp)
{
	size_t nearly_full = tcp->limits.connections - tcp->limits.connections / ROOM_KEPT;

	/* An hour at most: it is no longer than the field. */
	return tcp_open(tcp) < nearly_full ? (uint16_t)(tcp->limits.idle_ms / 100) : 0;
}

/* Without a free descriptor accept4() fails before it looks whether anyone is there. */
static bool is_someone_there(int listen_fd)
{
	struct pollfd poll_fd = {.fd = listen_fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

static void accept_clients(struct tcp *tcp, int listen_fd)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		int fd = accept4(
			listen_fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			client_new(tcp, fd, &from);
			continue;
		}
		switch (errno) {
		case EAGAIN:
			return;
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			if (!is_someone_there(listen_fd))
				return;
			if (evict(tcp))
				break;
			accept_pause(tcp);
			return;
		default:
			break; /* this one went away before we came to it; the next may not have */
		}
	}
}

static void client_serve(struct tcp *tcp, struct client *client)
{
	bool has_progress;
	enum connection_wait before = client->wait;
	enum connection_wait wait =
		connection_serve(&client->connection, &tcp->desk, &has_progress);

	/* Octets alone buy no time: only a whole message, or answers that are read, do. */
	if (wait == before && !has_progress)
		return;
	if (wait == CONNECTION_OVER) {
		client_close(tcp, client);
		return;
	}
	queue_remove(queue_of(tcp, before), client);
	client->wait = wait;
	queue_add(queue_of(tcp, wait), client, tcp->now_ms);

	/* Who does not read is not read from. */
	if ((wait == CONNECTION_WRITING) != (before == CONNECTION_WRITING))
		(void)watch(tcp, EPOLL_CTL_MOD, client->connection.fd,
			wait == CONNECTION_WRITING ? EPOLLOUT : EPOLLIN, client);
}

/* Clients first: accepting may evict one of them, and no event may point to who is gone. */
static void serve_events(struct tcp *tcp, const struct epoll_event *events, size_t count)
{
	const struct listening *ready[EVENTS_MAX];
	size_t ready_count = 0;

	for (size_t i = 0; i < count; i++) {
		const enum source *source = events[i].data.ptr;

		switch (*source) {
		case SOURCE_STOP:
			break;
		case SOURCE_LISTENER:
			ready[ready_count++] = events[i].data.ptr;
			break;
		case SOURCE_CLIENT:
			client_serve(tcp, events[i].data.ptr);
			break;
		}
	}
	for (size_t i = 0; i < ready_count; i++)
		accept_clients(tcp, ready[i]->fd);
}

static void queue_expire(struct tcp *tcp, const struct queue *queue)
{
	while (queue->first && queue->first->due_at_ms <= tcp->now_ms) {
		stats_add(tcp->worker.stats, STATS_TCP_TIMEOUTS, 1);
		client_close(tcp, queue->first);
	}
}

/* Until the next moment at which something is due; -1: nothing is. */
static int wait_ms(const struct tcp *tcp)
{
	uint64_t due_at_ms = UINT64_MAX;
	uint64_t now_ms = clock_monotonic_ms();

	if (tcp->idle.first)
		due_at_ms = tcp->idle.first->due_at_ms;
	if (tcp->busy.first && tcp->busy.first->due_at_ms < due_at_ms)
		due_at_ms = tcp->busy.first->due_at_ms;
	if (tcp->accept_at_ms > 0 && tcp->accept_at_ms < due_at_ms)
		due_at_ms = tcp->accept_at_ms;
	if (due_at_ms == UINT64_MAX)
		return -1;
	if (due_at_ms <= now_ms)
		return 0;
	return due_at_ms - now_ms < INT_MAX ? (int)(due_at_ms - now_ms) : INT_MAX;
}

static void *run(void *argument)
{
	struct tcp *tcp = argument;
	struct epoll_event events[EVENTS_MAX];

	live_join();
	while (!worker_is_stopping(&tcp->worker)) {
		live_offline();
		int count = epoll_wait(tcp->epoll_fd, events, EVENTS_MAX, wait_ms(tcp));

		live_online();
		tcp->now_ms = clock_monotonic_ms();
		tcp->desk.now_unix_s = (uint32_t)clock_unix_s();
		tcp->desk.idle_ds = told_idle_ds(tcp);
		tcp->desk.plan = live_get(tcp->worker.live);
		if (count > 0)
			serve_events(tcp, events, (size_t)count);
		queue_expire(tcp, &tcp->idle);
		queue_expire(tcp, &tcp->busy);
		accept_resume(tcp);
	}
	live_leave();
	return NULL;
}

struct tcp *tcp_new(const struct tcp_sources *sources, const struct tcp_limits *limits,
	const struct worker *worker, struct err *err)
{
	struct tcp *tcp = memory_new_aligned(WORKER_ALIGNMENT, sizeof(*tcp));

	tcp->worker = *worker;
	tcp->limits = *limits;
	tcp->stop = SOURCE_STOP;
	tcp->idle.limit_ms = limits->idle_ms;
	tcp->busy.limit_ms = limits->io_ms;
	tcp->desk.stats = worker->stats;
	random_seed(&tcp->desk.random);
	tcp->listen_count = sources->listen_count;
	tcp->listening = memory_new(tcp->listen_count * sizeof(tcp->listening[0]));
	for (size_t i = 0; i < tcp->listen_count; i++)
		tcp->listening[i] = (struct listening){SOURCE_LISTENER, sources->listen_fds[i]};
	tcp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (tcp->epoll_fd < 0 || !watch_listening(tcp) ||
		!watch(tcp, EPOLL_CTL_ADD, sources->stop_fd, EPOLLIN, &tcp->stop)) {
		err_os(err, "cannot wait for TCP connections");
		tcp_free(tcp);
		return NULL;
	}
	return tcp;
}

void tcp_free(struct tcp *tcp)
{
	if (!tcp)
		return;
	while (tcp->idle.first)
		client_close(tcp, tcp->idle.first);
	while (tcp->busy.first)
		client_close(tcp, tcp->busy.first);
	if (tcp->epoll_fd >= 0)
		close(tcp->epoll_fd);
	free(tcp->listening);
	free(tcp);
}

bool tcp_start(struct tcp *tcp, struct err *err)
{
	return worker_start(&tcp->worker, "tcp", run, tcp, err);
}

void tcp_join(struct tcp *tcp)
{
	worker_join(&tcp->worker);
}

size_t tcp_open(const struct tcp *tcp)
{
	return atomic_load_explicit(&tcp->open, memory_order_relaxed);
}
