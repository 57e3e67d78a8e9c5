/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/answer/answer.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"

#include "standin.h"

#define QUERY_SIZE 40

static uint16_t id_of(const uint8_t *message)
{
	return (uint16_t)(message[0] << 8 | message[1]);
}

static void send_query(int fd, uint16_t id)
{
	uint8_t query[QUERY_SIZE];

	standin_query(query, sizeof(query), id, 0);
	assert_int_equal(send(fd, query, sizeof(query), 0), sizeof(query));
}

static size_t await_reply(int fd, uint8_t *reply, size_t size, const char *about)
{
	standin_await(fd, about);

	ssize_t received = recv(fd, reply, size, 0);

	assert_true(received >= 0);
	return (size_t)received;
}

/* More queries than fit one batch, over several workers: each is answered once. */
static void every_query_is_answered_once(void **state)
{
	enum { COUNT = 200, SOCKETS = 5 };
	struct server *server =
		standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}, .workers = 3});
	struct address_port to = server_listen(server, 0);

	(void)state;
	for (int s = 0; s < SOCKETS; s++) {
		int fd = standin_socket(SOCK_DGRAM, &to);
		bool seen[COUNT] = {false};

		for (uint16_t i = 0; i < COUNT; i++)
			send_query(fd, i);
		for (int i = 0; i < COUNT; i++) {
			uint8_t reply[ANSWER_UDP_MAX];
			size_t size = await_reply(fd, reply, sizeof(reply), "one of many");

			assert_int_equal(size, QUERY_SIZE + STANDIN_TAIL);
			assert_in_range(id_of(reply), 0, COUNT - 1);
			assert_false(seen[id_of(reply)]);
			seen[id_of(reply)] = true;
		}
		assert_int_equal(recv(fd, &(uint8_t){0}, 1, MSG_DONTWAIT), -1);
		close(fd);
	}
	assert_int_equal(standin_counter(server, STATS_UDP_QUERIES), COUNT * SOCKETS);
	assert_int_equal(standin_counter(server, STATS_NOERROR), COUNT * SOCKETS);
	assert_int_equal(standin_counter(server, STATS_SEND_FAILED), 0);
	server_stop(server);
}

static const struct {
	const char *listen;
	const char *ask;
} destinations[] = {
	{"0.0.0.0:0", "127.0.0.1"},
	{"0.0.0.0:0", "127.0.0.2"},
	{"0.0.0.0:0", "127.200.3.4"},
	{"127.0.0.3:0", "127.0.0.3"},
	{"[::]:0", "::1"},
	{"[::1]:0", "::1"},
};

/* RFC 2181 4: a socket that is not connected would take a reply from anywhere, so its source is
 * compared. */
static void replies_leave_from_the_address_that_was_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(destinations); i++) {
		const char *listen[] = {destinations[i].listen};
		struct server *server =
			standin_start(&(struct standin_options){.listen = {listen[0]}});
		struct address_port to = standin_at(server, destinations[i].ask);
		struct address_port from;
		struct sockaddr_storage kernel;
		socklen_t size = address_to_sockaddr(&to, &kernel);
		int fd = socket(kernel.ss_family, SOCK_DGRAM, 0);
		uint8_t message[QUERY_SIZE + STANDIN_TAIL];

		/* Twice, as the control buffers of the first batch are used again. */
		for (uint16_t id = 1; id <= 2; id++) {
			standin_query(message, QUERY_SIZE, id, 0);
			size = address_to_sockaddr(&to, &kernel);
			assert_int_equal(sendto(fd, message, QUERY_SIZE, 0,
						 (struct sockaddr *)&kernel, size),
				QUERY_SIZE);
			standin_await(fd, destinations[i].ask);
			size = sizeof(kernel);
			assert_int_equal(recvfrom(fd, message, sizeof(message), 0,
						 (struct sockaddr *)&kernel, &size),
				sizeof(message));
			assert_true(address_from_sockaddr((struct sockaddr *)&kernel, &from));
			assert_int_equal(id_of(message), id);
			assert_int_equal(from.port, to.port);
			if (!address_is_equal(&from.address, &to.address))
				fail_msg("%s: replied from elsewhere", destinations[i].ask);
		}
		close(fd);
		server_stop(server);
	}
}

static const struct {
	const char *about;
	size_t size;
	uint8_t flags; /* the third octet */
	bool is_answered;
} messages[] = {
	{"an empty datagram", 0, 0, false},
	{"one octet", 1, 0, false},
	{"all but a header", DNS_HEADER_SIZE - 1, 0, false},
	{"a header", DNS_HEADER_SIZE, 0, true},
	{"a response", QUERY_SIZE, 0x80, false},
	{"the longest query", DNS_QUERY_MAX, 0, true},
	{"one more", DNS_QUERY_MAX + 1, 0, true},
	{"far more", 9000, 0, true},
};

/* The client of each is seen, and a silent one delays nobody. */
static void silence_where_there_is_no_reply(void **state)
{
	struct server *server = standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}});
	struct address_port to = server_listen(server, 0);
	int fd = standin_socket(SOCK_DGRAM, &to);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		uint8_t query[9000] = {0, 1};
		uint8_t reply[9000];

		query[2] = messages[i].flags;
		assert_int_equal(send(fd, query, messages[i].size, 0), (ssize_t)messages[i].size);
		send_query(fd, 2);

		size_t size = await_reply(fd, reply, sizeof(reply), messages[i].about);

		if ((id_of(reply) == 1) != messages[i].is_answered)
			fail_msg("%s", messages[i].about);
		assert_true(size <= ANSWER_UDP_MAX);
		assert_memory_equal(reply + size - STANDIN_TAIL, &to.address, sizeof(to.address));
		if (messages[i].is_answered)
			await_reply(fd, reply, sizeof(reply), "the query after it");
		assert_int_equal(id_of(reply), 2);
	}
	close(fd);
	server_stop(server);
}

/* A query from any port, and from the address that it is sent to, as a raw socket of loopback does. */
static void send_forged(int raw, const struct address_port *to, uint16_t source_port)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(to, &kernel);
	/* RFC 768: source, destination, length, no checksum */
	uint8_t packet[8 + QUERY_SIZE] = {(uint8_t)(source_port >> 8), (uint8_t)source_port,
		(uint8_t)(to->port >> 8), (uint8_t)to->port, 0, sizeof(packet)};

	assert_int_equal(sendto(raw, packet, sizeof(packet), 0, (struct sockaddr *)&kernel, size),
		sizeof(packet));
}

/* Only who may open a raw socket can forge this one. */
static void source_port_zero_is_dropped(void **state)
{
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	(void)state;
	if (raw < 0)
		skip();

	struct server *server = standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}});
	struct address_port to = server_listen(server, 0);
	int fd = standin_socket(SOCK_DGRAM, &to);
	uint8_t reply[ANSWER_UDP_MAX];

	send_forged(raw, &to, 0); /* RFC 768: no port to answer to */
	send_query(fd, 7);
	await_reply(fd, reply, sizeof(reply), "the query after it");
	assert_int_equal(id_of(reply), 7);
	assert_int_equal(standin_counter(server, STATS_UDP_QUERIES), 2);
	assert_int_equal(standin_counter(server, STATS_SILENT), 1);
	assert_int_equal(standin_counter(server, STATS_NOERROR), 1);
	close(fd);
	close(raw);
	server_stop(server);
}

/* What one network gets of 20 queries, of which 2 have a valid cookie. */
static const struct {
	const char *about;
	struct standin_options options;
	uint64_t answered; /* in full */
	uint64_t slipped;
	uint64_t silent;
	enum stats_counter counter;
	uint64_t counted;
} limits[] = {
	{"no limit", {.burst = 3, .slip = 1}, 20, 0, 0, STATS_LIMITED_SLIPPED, 0},
	{"below it", {.responses = 1, .burst = 18, .slip = 1}, 20, 0, 0, STATS_LIMITED_SLIPPED, 0},
	{"slip 1", {.responses = 1, .burst = 3, .slip = 1}, 5, 15, 0, STATS_LIMITED_SLIPPED, 15},
	{"slip 0", {.responses = 1, .burst = 3, .slip = 0}, 5, 0, 15, STATS_LIMITED_DROPPED, 15},
	{"a dry run of slip 1", {.responses = 1, .burst = 3, .slip = 1, .is_dry_run = true}, 20, 0,
		0, STATS_WOULD_HAVE_SLIPPED, 15},
	{"a dry run of slip 0", {.responses = 1, .burst = 3, .slip = 0, .is_dry_run = true}, 20, 0,
		0, STATS_WOULD_HAVE_DROPPED, 15},
	{"an exempt network",
		{.responses = 1,
			.burst = 3,
			.slip = 0,
			.exempt = &(
				const struct prefix){{.family = ADDRESS_IPV4, .bytes = {127}}, 8}},
		20, 0, 0, STATS_LIMITED_DROPPED, 0},
};

static void what_exceeds_the_limit_is_limited(void **state)
{
	enum { QUERIES = 20, COOKIES_FROM = 18, MORE = 100 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct standin_options options = limits[i].options;

		options.listen[0] = "127.0.0.1:0";

		struct server *server = standin_start(&options);
		struct address_port to = server_listen(server, 0);
		int fd = standin_socket(SOCK_DGRAM, &to);
		uint64_t answered = 0;
		uint64_t slipped = 0;
		uint64_t replies = limits[i].answered + limits[i].slipped;

		for (uint16_t id = 0; id < QUERIES; id++) {
			uint8_t query[QUERY_SIZE];

			standin_query(query, sizeof(query), id, MORE);
			query[3] = id >= COOKIES_FROM;
			assert_int_equal(send(fd, query, sizeof(query), 0), sizeof(query));
		}
		while (replies-- > 0) {
			uint8_t reply[ANSWER_UDP_MAX];
			size_t size = await_reply(fd, reply, sizeof(reply), limits[i].about);
			bool has_tc = reply[2] & 0x02;

			assert_int_equal(size, QUERY_SIZE + STANDIN_TAIL + (has_tc ? 0 : MORE));
			assert_false(has_tc && id_of(reply) >= COOKIES_FROM);
			answered += !has_tc;
			slipped += has_tc;
		}
		if (answered != limits[i].answered || slipped != limits[i].slipped ||
			standin_counter(server, limits[i].counter) != limits[i].counted ||
			standin_counter(server, STATS_NOERROR) != answered)
			fail_msg("%s: %u in full, %u slipped", limits[i].about, (unsigned)answered,
				(unsigned)slipped);
		assert_int_equal(recv(fd, &(uint8_t){0}, 1, MSG_DONTWAIT), -1);
		close(fd);
		server_stop(server);
	}
}

/* Who is silent costs no reply: what gets none is not counted. */
static void silence_uses_nothing_up(void **state)
{
	struct server *server = standin_start(
		&(struct standin_options){.listen = {"127.0.0.1:0"}, .responses = 1, .burst = 1});
	struct address_port to = server_listen(server, 0);
	int fd = standin_socket(SOCK_DGRAM, &to);
	uint8_t response[QUERY_SIZE] = {0, 1, 0x80};
	uint8_t reply[ANSWER_UDP_MAX];

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(send(fd, response, sizeof(response), 0), sizeof(response));
	send_query(fd, 7);
	await_reply(fd, reply, sizeof(reply), "the query after them");
	assert_int_equal(id_of(reply), 7);
	assert_int_equal(standin_counter(server, STATS_SILENT), 10);
	close(fd);
	server_stop(server);
}

/* A query that claims to be from the very socket that it is sent to: its answer comes back as a response, and that is the
 * end of it. */
static void a_query_from_ourselves_is_no_loop(void **state)
{
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	(void)state;
	if (raw < 0)
		skip();

	struct server *server = standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}});
	struct address_port to = server_listen(server, 0);
	int fd = standin_socket(SOCK_DGRAM, &to);
	uint8_t reply[ANSWER_UDP_MAX];

	send_forged(raw, &to, to.port);	       /* RFC 768: the port to answer to is its own */
	for (uint16_t id = 1; id <= 3; id++) { /* by the second its reply has come back */
		send_query(fd, id);
		await_reply(fd, reply, sizeof(reply), "a query after it");
	}
	assert_int_equal(standin_counter(server, STATS_NOERROR), 1 + 3);
	assert_int_equal(standin_counter(server, STATS_SILENT), 1);
	assert_int_equal(standin_counter(server, STATS_UDP_QUERIES), 2 + 3);
	close(fd);
	close(raw);
	server_stop(server);
}

/* A client that cannot be reached costs its own reply and no other. */
static void a_reply_that_cannot_be_sent_is_counted(void **state)
{
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	(void)state;
	if (raw < 0)
		skip();

	struct server *server = standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}});
	struct address_port to = server_listen(server, 0);
	int fd = standin_socket(SOCK_DGRAM, &to);
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&to, &kernel);
	/* RFC 791 3.1; from 192.0.2.1, which nothing that is bound to loopback can reach.  A
	 * kernel that looks at sources (rp_filter) drops it before us. */
	uint8_t packet[20 + 8 + QUERY_SIZE] = {0x45, 0, 0, sizeof(packet), 0, 0, 0, 0, 64,
		IPPROTO_UDP, 0, 0, 192, 0, 2, 1, 127, 0, 0, 1, 0, 99, (uint8_t)(to.port >> 8),
		(uint8_t)to.port, 0, 8 + QUERY_SIZE};
	uint8_t reply[ANSWER_UDP_MAX];

	assert_int_equal(sendto(raw, packet, sizeof(packet), 0, (struct sockaddr *)&kernel, size),
		sizeof(packet));
	send_query(fd, 7);
	await_reply(fd, reply, sizeof(reply), "the query after it");
	assert_int_equal(id_of(reply), 7);
	assert_int_equal(standin_counter(server, STATS_UDP_QUERIES),
		1 + standin_counter(server, STATS_SEND_FAILED));
	close(fd);
	close(raw);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_query_is_answered_once),
		cmocka_unit_test(replies_leave_from_the_address_that_was_asked),
		cmocka_unit_test(silence_where_there_is_no_reply),
		cmocka_unit_test(source_port_zero_is_dropped),
		cmocka_unit_test(what_exceeds_the_limit_is_limited),
		cmocka_unit_test(silence_uses_nothing_up),
		cmocka_unit_test(a_query_from_ourselves_is_no_loop),
		cmocka_unit_test(a_reply_that_cannot_be_sent_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
