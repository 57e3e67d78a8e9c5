/* SPDX-License-Identifier: Apache-2.0 */
#include "standin.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/answer/answer.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"

#define PATIENCE_MS 10000

struct answered answer_query(const struct plan *plan, const struct answer_client *client,
	const uint8_t *query, size_t query_size, uint64_t random, struct stats *stats, uint8_t *out)
{
	(void)plan;
	(void)random;
	if (query_size < DNS_HEADER_SIZE || query[2] & 0x80) {
		stats_add(stats, STATS_SILENT, 1);
		return (struct answered){0};
	}

	size_t room = client->is_tcp ? ANSWER_TCP_MAX : ANSWER_UDP_MAX;
	bool has_cookie = query[3] != 0;
	bool is_limited = client->is_limited && !has_cookie;
	size_t more = is_limited ? 0 : (size_t)(query[4] << 8 | query[5]);
	size_t size = query_size + more + STANDIN_TAIL;

	if (size > room || query_size > DNS_QUERY_MAX)
		query_size = DNS_HEADER_SIZE, size = DNS_HEADER_SIZE + STANDIN_TAIL;
	memcpy(out, query, query_size);
	memset(out + query_size, 'x', size - query_size);
	if (client->is_tcp) { /* ARCOUNT has it */
		out[10] = (uint8_t)(client->idle_ds >> 8);
		out[11] = (uint8_t)client->idle_ds;
	}
	memcpy(out + size - STANDIN_TAIL, &client->address, STANDIN_TAIL);
	out[2] |= is_limited ? 0x82 : 0x80;
	stats_add(stats, STATS_NOERROR, !is_limited);
	return (struct answered){.size = size, .has_cookie = has_cookie};
}

/* What a plan has that the server itself reads. */
struct standin_plan {
	struct standin_plan *before;
	struct live *live;
	struct plan plan;
	struct snapshot snapshot;
	struct settings settings;
};

/* answer_query() above needs nothing of a plan, so nothing but settings is in it.  They stay for the life of the
 * test program. */
static const struct live *standin_live(const struct settings *settings)
{
	static struct standin_plan *last;
	struct standin_plan *whole = memory_new(sizeof(*whole));

	whole->before = last;
	whole->settings = *settings;
	whole->snapshot = (struct snapshot){.generation = 1, .settings = &whole->settings};
	whole->plan.snapshot = &whole->snapshot;
	whole->live = live_new(&whole->plan);
	last = whole;
	return whole->live;
}

struct server *standin_try(const struct standin_options *options, struct err *err)
{
	struct address_port listen[3] = {0};
	struct settings settings = {
		.listen = listen,
		.workers = options->workers ? options->workers : 1,
		.tcp_connections = options->connections ? options->connections : 100,
		.tcp_per_address = options->per_address,
		.tcp_per_network = options->per_network,
		.tcp_idle_ms = options->idle_ms ? options->idle_ms : 60000,
		.tcp_io_ms = options->io_ms ? options->io_ms : 60000,
		.limit_responses = options->responses,
		.limit_burst = options->burst ? options->burst : 1,
		.limit_slip = options->slip,
		.limit_ipv4_bits = 24,
		.limit_ipv6_bits = 56,
		.limit_is_dry_run = options->is_dry_run,
		.limit_exempt = options->exempt,
		.limit_exempt_count = options->exempt != NULL,
		.limit_table = 1024,
	};

	for (size_t i = 0; i < 3 && options->listen[i]; i++)
		if (!address_port_parse(options->listen[i], &listen[settings.listen_count++], err))
			return NULL;
	return server_start(&settings, standin_live(&settings), err);
}

struct server *standin_start(const struct standin_options *options)
{
	struct err err;
	struct server *server = standin_try(options, &err);

	if (!server)
		fail_msg("%s", err.text);
	return server;
}

uint64_t standin_counter(const struct server *server, enum stats_counter counter)
{
	uint64_t sum[STATS_COUNT];

	server_stats(server, sum);
	return sum[counter];
}

void standin_query(uint8_t *query, size_t size, uint16_t id, uint16_t more)
{
	memset(query, 0, size);
	query[0] = (uint8_t)(id >> 8);
	query[1] = (uint8_t)id;
	query[4] = (uint8_t)(more >> 8);
	query[5] = (uint8_t)more;
}

void standin_await(int fd, const char *about)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
		fail_msg("%s: nothing came", about);
}

void standin_await_open(const struct server *server, size_t count)
{
	for (int waited_ms = 0; server_tcp_open(server) != count; waited_ms++) {
		if (waited_ms > PATIENCE_MS)
			fail_msg("%zu connections are open", server_tcp_open(server));
		usleep(1000);
	}
}

struct address_port standin_at(const struct server *server, const char *address)
{
	struct address_port at = server_listen(server, 0);

	assert_true(address_parse(address, &at.address));
	return at;
}

int standin_socket(int type, const struct address_port *to)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(to, &kernel);
	int fd = socket(kernel.ss_family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&kernel, size) != 0)
		fail_msg("cannot connect");
	return fd;
}
