/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/names.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "steerd/base/memory.h"

/* Each has up to four sockets; more wait for their turn. */
#define LOOKUPS_AT_ONCE 32

/*
 * What an answer may hold before it is cut to NAMES_ADDRESSES_MAX: a UDP answer has no room for
 * more.
 */
#define RECORDS_MAX 256

/* 2 s, then 4 s for the second round over the servers. */
#define QUERY_TIMEOUT_MS 2000
#define QUERY_TRIES 2

/* c-ares asks for as many; it uses one or two for each server. */
#define SOCKETS_MAX ARES_GETSOCK_MAXNUM

struct lookup_socket {
	struct lookup *lookup;
	ares_socket_t fd;
	struct event *event; /* NULL: the place is free */
};

struct lookup {
	struct names *names;
	char *host;
	names_done_fn done;
	void *context;
	bool is_running;
	ares_channel channel;
	struct lookup_socket sockets[SOCKETS_MAX];
	struct event *timer;  /* when c-ares wants to look again */
	struct event *finish; /* out of c-ares, in which it must not be destroyed */
	unsigned pending;     /* of the two queries */
	struct names_result result;
	TAILQ_ENTRY(lookup) link;
};

TAILQ_HEAD(lookup_queue, lookup);

struct names {
	struct event_base *base;
	const char *servers;
	struct lookup_queue waiting;
	struct lookup_queue running;
	size_t running_count;
};

/* ---- answers ---- */

static int compare(const void *a, const void *b)
{
	return address_compare(a, b);
}

/* 0.0.0.0 would reach this host, a group many: neither is a backend. */
static bool is_usable(const struct address *address)
{
	uint8_t first = address->bytes[0];
	bool is_group = address->family == ADDRESS_IPV4 ? first >= 224 : first == 0xff;

	return !is_group && !address_is_any(address);
}

/* Sorted, each once, and no more than fit. */
static void keep_addresses(struct names_family *family, struct address *all, size_t count)
{
	qsort(all, count, sizeof(all[0]), compare);
	for (size_t i = 0; i < count && family->count < NAMES_ADDRESSES_MAX; i++) {
		bool is_known = family->count > 0 &&
			address_is_equal(&all[i], &family->addresses[family->count - 1]);

		if (is_usable(&all[i]) && !is_known)
			family->addresses[family->count++] = all[i];
	}
	family->state = family->count > 0 ? NAMES_FOUND : NAMES_NONE;
	if (family->count == 0)
		family->why = "no address that could be a backend's";
}

static int parse_ipv4(struct names_family *family, const uint8_t *answer, int size)
{
	struct ares_addrttl records[RECORDS_MAX];
	struct address all[RECORDS_MAX];
	int count = RECORDS_MAX;
	int status = ares_parse_a_reply(answer, size, NULL, records, &count);

	if (status != ARES_SUCCESS)
		return status;
	for (int i = 0; i < count; i++) {
		all[i] = (struct address){.family = ADDRESS_IPV4};
		memcpy(all[i].bytes, &records[i].ipaddr, 4);
		if (i == 0 || (uint32_t)records[i].ttl < family->ttl_s)
			family->ttl_s = (uint32_t)records[i].ttl;
	}
	keep_addresses(family, all, (size_t)count);
	return ARES_SUCCESS;
}

static int parse_ipv6(struct names_family *family, const uint8_t *answer, int size)
{
	struct ares_addr6ttl records[RECORDS_MAX];
	struct address all[RECORDS_MAX];
	int count = RECORDS_MAX;
	int status = ares_parse_aaaa_reply(answer, size, NULL, records, &count);

	if (status != ARES_SUCCESS)
		return status;
	for (int i = 0; i < count; i++) {
		all[i] = (struct address){.family = ADDRESS_IPV6};
		memcpy(all[i].bytes, &records[i].ip6addr, 16);
		if (i == 0 || (uint32_t)records[i].ttl < family->ttl_s)
			family->ttl_s = (uint32_t)records[i].ttl;
	}
	keep_addresses(family, all, (size_t)count);
	return ARES_SUCCESS;
}

static void take(struct lookup *lookup, struct names_family *family, int status)
{
	if (status != ARES_SUCCESS) {
		bool is_none = status == ARES_ENODATA || status == ARES_ENOTFOUND;

		family->state = is_none ? NAMES_NONE : NAMES_FAILED;
		family->why = ares_strerror(status);
	}
	if (--lookup->pending == 0)
		event_active(lookup->finish, 0, 0);
}

static void on_ipv4(void *context, int status, int timeouts, unsigned char *answer, int size)
{
	struct lookup *lookup = context;
	struct names_family *family = &lookup->result.ipv4;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = parse_ipv4(family, answer, size);
	take(lookup, family, status);
}

static void on_ipv6(void *context, int status, int timeouts, unsigned char *answer, int size)
{
	struct lookup *lookup = context;
	struct names_family *family = &lookup->result.ipv6;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = parse_ipv6(family, answer, size);
	take(lookup, family, status);
}

/* ---- c-ares on the event loop ---- */

static void set_timer(struct lookup *lookup)
{
	struct timeval wait;

	if (ares_timeout(lookup->channel, NULL, &wait))
		event_add(lookup->timer, &wait);
	else
		event_del(lookup->timer);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct lookup_socket *socket = context;
	struct lookup *lookup = socket->lookup;

	ares_process_fd(lookup->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
		what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	set_timer(lookup);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct lookup *lookup = context;

	(void)fd;
	(void)what;
	ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(lookup);
}

static struct lookup_socket *find_socket(struct lookup *lookup, ares_socket_t fd)
{
	struct lookup_socket *unused = NULL;

	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		struct lookup_socket *socket = &lookup->sockets[i];

		if (socket->event && socket->fd == fd)
			return socket;
		if (!socket->event)
			unused = socket;
	}
	return unused;
}

static void want_socket(void *context, ares_socket_t fd, int readable, int writable)
{
	struct lookup *lookup = context;
	struct lookup_socket *socket = find_socket(lookup, fd);
	short wanted = EV_PERSIST;

	/* none free: the query times out, as if the server were silent */
	if (!socket)
		return;
	if (socket->event)
		event_free(socket->event);
	socket->event = NULL;
	if (!readable && !writable)
		return;
	if (readable)
		wanted |= EV_READ;
	if (writable)
		wanted |= EV_WRITE;
	socket->lookup = lookup;
	socket->fd = fd;
	socket->event = event_new(lookup->names->base, fd, wanted, on_socket, socket);
	event_add(socket->event, NULL);
}

/* ---- lookups ---- */

static void run_waiting(struct names *names);

static void lookup_free(struct lookup *lookup)
{
	struct names *names = lookup->names;

	if (lookup->is_running) {
		TAILQ_REMOVE(&names->running, lookup, link);
		names->running_count--;
		/* what is still under way is told that it ended, and asks for `finish` */
		if (lookup->channel)
			ares_destroy(lookup->channel);
	} else {
		TAILQ_REMOVE(&names->waiting, lookup, link);
	}
	event_free(lookup->timer);
	event_free(lookup->finish);
	free(lookup->host);
	free(lookup);
}

static void on_finish(evutil_socket_t fd, short what, void *context)
{
	struct lookup *lookup = context;
	struct names *names = lookup->names;
	struct names_result result = lookup->result;
	names_done_fn done = lookup->done;
	void *done_context = lookup->context;

	(void)fd;
	(void)what;
	lookup_free(lookup);
	done(done_context, &result);
	run_waiting(names);
}

static int open_channel(struct lookup *lookup)
{
	struct ares_options options = {
		.timeout = QUERY_TIMEOUT_MS,
		.tries = QUERY_TRIES,
		.sock_state_cb = want_socket,
		.sock_state_cb_data = lookup,
	};
	int status = ares_init_options(&lookup->channel, &options,
		ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);

	if (status != ARES_SUCCESS)
		lookup->channel = NULL;
	else if (lookup->names->servers)
		status = ares_set_servers_ports_csv(lookup->channel, lookup->names->servers);
	return status;
}

static void run(struct lookup *lookup)
{
	int status = open_channel(lookup);

	lookup->pending = 2;
	if (status != ARES_SUCCESS) {
		take(lookup, &lookup->result.ipv4, status);
		take(lookup, &lookup->result.ipv6, status);
		return;
	}
	ares_query(lookup->channel, lookup->host, ns_c_in, ns_t_a, on_ipv4, lookup);
	ares_query(lookup->channel, lookup->host, ns_c_in, ns_t_aaaa, on_ipv6, lookup);
	set_timer(lookup);
}

static void run_waiting(struct names *names)
{
	struct lookup *lookup;

	while (names->running_count < LOOKUPS_AT_ONCE && (lookup = TAILQ_FIRST(&names->waiting))) {
		TAILQ_REMOVE(&names->waiting, lookup, link);
		TAILQ_INSERT_TAIL(&names->running, lookup, link);
		names->running_count++;
		lookup->is_running = true;
		run(lookup);
	}
}

struct names *names_new(struct event_base *base, const char *servers)
{
	struct names *names = memory_new(sizeof(*names));

	names->base = base;
	names->servers = servers;
	TAILQ_INIT(&names->waiting);
	TAILQ_INIT(&names->running);
	return names;
}

void names_free(struct names *names)
{
	struct lookup *lookup;

	if (!names)
		return;
	while ((lookup = TAILQ_FIRST(&names->waiting)) || (lookup = TAILQ_FIRST(&names->running)))
		lookup_free(lookup);
	free(names);
}

struct lookup *lookup_start(
	struct names *names, const char *host, names_done_fn done, void *context)
{
	struct lookup *lookup = memory_new(sizeof(*lookup));

	lookup->names = names;
	lookup->host = memory_text(host);
	lookup->done = done;
	lookup->context = context;
	lookup->timer = evtimer_new(names->base, on_timer, lookup);
	lookup->finish = evtimer_new(names->base, on_finish, lookup);
	TAILQ_INSERT_TAIL(&names->waiting, lookup, link);
	run_waiting(names);
	return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
	if (!lookup)
		return;

	struct names *names = lookup->names;

	lookup_free(lookup);
	run_waiting(names);
}
