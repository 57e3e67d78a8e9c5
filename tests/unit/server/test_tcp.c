/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/answer/answer.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"

#include "standin.h"

#define PREFIX 2
#define QUERY_SIZE 40
#define SEGMENT_SIZE (PREFIX + QUERY_SIZE)

/* A query with its length in front. */
static void segment_write(uint8_t *segment, size_t size, uint16_t id, uint16_t more)
{
	segment[0] = (uint8_t)(size >> 8);
	segment[1] = (uint8_t)size;
	standin_query(segment + PREFIX, size, id, more);
}

static void send_all(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void send_query(int fd, uint16_t id)
{
	uint8_t segment[SEGMENT_SIZE];

	segment_write(segment, QUERY_SIZE, id, 0);
	send_all(fd, segment, sizeof(segment));
}

static void read_all(int fd, uint8_t *bytes, size_t size, const char *about)
{
	while (size > 0) {
		standin_await(fd, about);

		ssize_t received = recv(fd, bytes, size, 0);

		if (received <= 0)
			fail_msg("%s: the connection ended", about);
		bytes += received;
		size -= (size_t)received;
	}
}

/* Reads one answer and compares its id; gives its size. */
static size_t await_answer(int fd, uint16_t id, const char *about)
{
	static uint8_t answer[DNS_MESSAGE_MAX];
	uint8_t prefix[PREFIX];

	read_all(fd, prefix, sizeof(prefix), about);

	size_t size = (size_t)(prefix[0] << 8 | prefix[1]);

	assert_true(size >= DNS_HEADER_SIZE);
	read_all(fd, answer, size, about);
	if ((answer[0] << 8 | answer[1]) != id)
		fail_msg("%s: id %u instead of %u", about, answer[0] << 8 | answer[1], id);
	return size;
}

/* How long the connection may stay, as the standin's answer has it. */
static unsigned await_told_ds(int fd)
{
	uint8_t answer[PREFIX + QUERY_SIZE + STANDIN_TAIL];

	read_all(fd, answer, sizeof(answer), "an answer");
	return (unsigned)(answer[PREFIX + 10] << 8 | answer[PREFIX + 11]);
}

/* Nothing more is to come but the end. */
static void await_end(int fd, const char *about)
{
	uint8_t octet;

	standin_await(fd, about);

	ssize_t received = recv(fd, &octet, 1, 0);

	if (received > 0 || (received < 0 && errno != ECONNRESET))
		fail_msg("%s: not ended", about);
}

static const struct {
	const char *listen;
	const char *ask;
} families[] = {
	{"127.0.0.1:0", "127.0.0.1"},
	{"0.0.0.0:0", "127.0.0.2"},
	{"[::1]:0", "::1"},
	{"[::]:0", "::1"},
};

static void answers_over_each_family(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		const char *listen = families[i].listen;
		struct server *server =
			standin_start(&(struct standin_options){.listen = {listen}});
		struct address_port to = standin_at(server, families[i].ask);
		int fd = standin_socket(SOCK_STREAM, &to);

		send_query(fd, 1);
		assert_int_equal(await_answer(fd, 1, listen), QUERY_SIZE + STANDIN_TAIL);
		standin_await_open(server, 1);
		close(fd);
		server_stop(server);
	}
}

static struct server *start_one(const struct standin_options *options, int *ret_fd)
{
	struct standin_options with_listen = *options;

	with_listen.listen[0] = "127.0.0.1:0";

	struct server *server = standin_start(&with_listen);
	struct address_port to = server_listen(server, 0);

	*ret_fd = standin_socket(SOCK_STREAM, &to);
	return server;
}

static int connect_again(const struct server *server)
{
	struct address_port to = server_listen(server, 0);

	return standin_socket(SOCK_STREAM, &to);
}

static int socket_from(const char *address, const struct address_port *to)
{
	struct address_port from = {0};
	struct sockaddr_storage kernel;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(address_parse(address, &from.address));

	socklen_t size = address_to_sockaddr(&from, &kernel);

	assert_int_equal(bind(fd, (const struct sockaddr *)&kernel, size), 0);
	size = address_to_sockaddr(to, &kernel);
	assert_int_equal(connect(fd, (const struct sockaddr *)&kernel, size), 0);
	return fd;
}

/* RFC 7766 6.2.1.1: many queries in one write, each answered once; ours also in order. */
static void pipelined_queries_are_answered_in_order(void **state)
{
	enum { COUNT = 100 };
	static uint8_t segments[COUNT * SEGMENT_SIZE];
	int fd;
	struct server *server = start_one(&(struct standin_options){0}, &fd);

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++)
		segment_write(segments + i * SEGMENT_SIZE, QUERY_SIZE, i, 0);
	send_all(fd, segments, sizeof(segments));
	for (uint16_t i = 0; i < COUNT; i++)
		await_answer(fd, i, "pipelined");
	assert_int_equal(standin_counter(server, STATS_TCP_QUERIES), COUNT);
	assert_int_equal(standin_counter(server, STATS_TCP_CONNECTIONS), 1);
	close(fd);
	server_stop(server);
}

/* Many long answers, far more than any buffer holds, to a client that reads them only when all
 * is asked. */
static void long_answers_wait_for_a_slow_reader(void **state)
{
	enum { COUNT = 400, MORE = DNS_MESSAGE_MAX - QUERY_SIZE - STANDIN_TAIL };
	static uint8_t segments[COUNT * SEGMENT_SIZE];
	int fd;
	struct server *server = start_one(&(struct standin_options){0}, &fd);

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++)
		segment_write(segments + i * SEGMENT_SIZE, QUERY_SIZE, i, i % 2 ? MORE : 100);
	send_all(fd, segments, sizeof(segments));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (uint16_t i = 0; i < COUNT; i++) {
		size_t size = await_answer(fd, i, "a long answer");

		assert_int_equal(size, QUERY_SIZE + STANDIN_TAIL + (i % 2 ? MORE : 100));
	}
	await_end(fd, "all was answered");
	close(fd);
	server_stop(server);
}

static const struct {
	const char *about;
	size_t pieces[4]; /* octets of one write; the last one writes the rest */
} splits[] = {
	{"within the prefix", {1}},
	{"behind the prefix", {2}},
	{"within the header", {1, 1, 5}},
	{"before the last octet", {SEGMENT_SIZE - 1}},
	{"within the next prefix", {SEGMENT_SIZE + 1}},
	{"behind the next prefix", {SEGMENT_SIZE, 2}},
	{"thrice", {3, 30, SEGMENT_SIZE}},
};

/* Each piece is seen alone: the next is sent when the kernel has had this one acknowledged. */
static void send_piece(int fd, const uint8_t *bytes, size_t size)
{
	struct tcp_info info;
	socklen_t info_size = sizeof(info);

	send_all(fd, bytes, size);
	do {
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_size), 0);
	} while (info.tcpi_unacked > 0);
}

/* RFC 7766 8: a length and a message are octets of a stream, however they are cut. */
static void a_message_may_come_in_pieces(void **state)
{
	int fd;
	struct server *server = start_one(&(struct standin_options){0}, &fd);
	uint8_t segments[3 * SEGMENT_SIZE];

	(void)state;
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
	for (uint16_t i = 0; i < 3; i++)
		segment_write(segments + i * SEGMENT_SIZE, QUERY_SIZE, i, 0);
	for (size_t i = 0; i < COUNT_OF(splits); i++) {
		size_t at = 0;

		for (size_t k = 0; splits[i].pieces[k] > 0; at += splits[i].pieces[k++])
			send_piece(fd, segments + at, splits[i].pieces[k]);
		send_piece(fd, segments + at, sizeof(segments) - at);
		for (uint16_t k = 0; k < 3; k++)
			await_answer(fd, k, splits[i].about);
	}
	for (size_t at = 0; at < sizeof(segments); at++)
		send_piece(fd, segments + at, 1);
	for (uint16_t k = 0; k < 3; k++)
		await_answer(fd, k, "octet by octet");
	close(fd);
	server_stop(server);
}

static const struct {
	const char *about;
	uint16_t size;
	bool is_answered;
} lengths[] = {
	{"nothing", 0, false},
	{"one octet", 1, false},
	{"less than a header", DNS_HEADER_SIZE - 1, false},
	{"a header", DNS_HEADER_SIZE, true},
	{"the longest query", DNS_QUERY_MAX, true},
	{"one octet more", DNS_QUERY_MAX + 1, false},
	{"the longest message", DNS_MESSAGE_MAX, false},
	{"the beginning of an HTTP request", 'G' << 8 | 'E', false},
};

/* What was asked before a length that no query has is answered; then the connection ends, at
 * once. */
static void a_length_that_no_query_has_ends_the_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		static uint8_t segments[SEGMENT_SIZE + PREFIX + DNS_QUERY_MAX];
		int fd;
		struct server *server = start_one(&(struct standin_options){0}, &fd);
		uint16_t size = lengths[i].size;
		const char *about = lengths[i].about;

		segment_write(segments, QUERY_SIZE, 1, 0);
		segment_write(segments + SEGMENT_SIZE,
			lengths[i].is_answered ? size : DNS_HEADER_SIZE, 2, 0);
		segments[SEGMENT_SIZE] = (uint8_t)(size >> 8);
		segments[SEGMENT_SIZE + 1] = (uint8_t)size;
		send_all(fd, segments, SEGMENT_SIZE + PREFIX + (lengths[i].is_answered ? size : 0));
		await_answer(fd, 1, about);
		if (lengths[i].is_answered)
			await_answer(fd, 2, about);
		else
			await_end(fd, about);
		close(fd);
		server_stop(server);
	}
}

/* No answer to a response, and the connection serves on. */
static void a_response_gets_silence(void **state)
{
	int fd;
	struct server *server = start_one(&(struct standin_options){0}, &fd);
	uint8_t segments[2 * SEGMENT_SIZE];

	(void)state;
	segment_write(segments, QUERY_SIZE, 1, 0);
	segments[PREFIX + 2] |= 0x80;
	segment_write(segments + SEGMENT_SIZE, QUERY_SIZE, 2, 0);
	send_all(fd, segments, sizeof(segments));
	await_answer(fd, 2, "the query behind a response");
	assert_int_equal(standin_counter(server, STATS_SILENT), 1);
	close(fd);
	server_stop(server);
}

static void a_half_closed_connection_gets_its_answers(void **state)
{
	int fd;
	struct server *server = start_one(&(struct standin_options){0}, &fd);
	uint8_t segments[3 * SEGMENT_SIZE];

	(void)state;
	for (uint16_t i = 0; i < 3; i++)
		segment_write(segments + i * SEGMENT_SIZE, QUERY_SIZE, i, 0);
	send_all(fd, segments, sizeof(segments) - 1); /* the third is never finished */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	await_answer(fd, 0, "half closed");
	await_answer(fd, 1, "half closed");
	await_end(fd, "half closed");
	close(fd);
	server_stop(server);
}

static const struct {
	const char *about;
	size_t asked; /* queries before */
	size_t begun; /* octets of the next */
	uint32_t idle_ms;
	uint32_t io_ms;
} silences[] = {
	{"never asked", 0, 0, 20, 0},
	{"asked once", 1, 0, 20, 0},
	{"half a prefix", 0, 1, 0, 20},
	{"a message without its end", 0, SEGMENT_SIZE - 1, 0, 20},
	{"a second message without its end", 1, 20, 0, 20},
};

static void silent_clients_run_out_of_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(silences); i++) {
		int fd;
		struct standin_options options = {
			.idle_ms = silences[i].idle_ms, .io_ms = silences[i].io_ms};
		struct server *server = start_one(&options, &fd);
		uint8_t segments[2 * SEGMENT_SIZE];

		segment_write(segments, QUERY_SIZE, 0, 0);
		segment_write(segments + SEGMENT_SIZE, QUERY_SIZE, 0, 0);
		send_all(fd, segments, silences[i].asked * SEGMENT_SIZE + silences[i].begun);
		if (silences[i].asked > 0)
			await_answer(fd, 0, silences[i].about);
		await_end(fd, silences[i].about);
		assert_int_equal(standin_counter(server, STATS_TCP_TIMEOUTS), 1);
		standin_await_open(server, 0);
		close(fd);
		server_stop(server);
	}
}

/* One octet at a time, each well within the limit: the limit is for the message. */
static void octets_alone_buy_no_time(void **state)
{
	int fd;
	struct server *server = start_one(&(struct standin_options){.io_ms = 100}, &fd);
	uint8_t segment[PREFIX + DNS_QUERY_MAX];
	size_t at = 0;

	(void)state;
	segment_write(segment, DNS_QUERY_MAX, 1, 0);
	while (at < sizeof(segment) && send(fd, segment + at, 1, MSG_NOSIGNAL) == 1) {
		at++;
		usleep(5000);
	}
	assert_in_range(at, 1, sizeof(segment) - 1);
	assert_int_equal(standin_counter(server, STATS_TCP_TIMEOUTS), 1);
	close(fd);
	server_stop(server);
}

/* It asks for more than the kernel buffers and reads none of it; others are served meanwhile. */
static void a_client_that_never_reads_runs_out_of_time(void **state)
{
	enum { COUNT = 400, MORE = 60000 };
	static uint8_t segments[COUNT * SEGMENT_SIZE];
	int fd;
	struct server *server = start_one(&(struct standin_options){.io_ms = 200}, &fd);
	int other = connect_again(server);

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++)
		segment_write(segments + i * SEGMENT_SIZE, QUERY_SIZE, i, MORE);
	send_all(fd, segments, sizeof(segments));
	for (uint16_t i = 0; standin_counter(server, STATS_TCP_TIMEOUTS) == 0; i++) {
		send_query(other, i);
		await_answer(other, i, "another client");
	}
	standin_await_open(server, 1);
	assert_true(standin_counter(server, STATS_NOERROR) > 0);
	close(fd);
	close(other);
	server_stop(server);
}

/* RFC 9210 4.5 */
static void the_longest_idle_makes_room(void **state)
{
	int fds[4];
	struct server *server = start_one(&(struct standin_options){.connections = 3}, &fds[0]);

	(void)state;
	send_query(fds[0], 0);
	await_answer(fds[0], 0, "the first");
	for (uint16_t i = 1; i < 3; i++) {
		fds[i] = connect_again(server);
		send_query(fds[i], i);
		await_answer(fds[i], i, "one of three");
	}
	/* The first asks again, a while later as clocks tell it, so the second is the longest
	 * idle. */
	send_query(fds[0], 10);
	await_answer(fds[0], 10, "the first again");
	fds[3] = connect_again(server);
	send_query(fds[3], 3);
	await_answer(fds[3], 3, "the fourth");
	await_end(fds[1], "the second makes room");
	for (uint16_t i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		send_query(fds[i], 20);
		await_answer(fds[i], 20, "who stays");
	}
	standin_await_open(server, 3);
	assert_int_equal(standin_counter(server, STATS_TCP_EVICTED), 1);
	assert_int_equal(standin_counter(server, STATS_TCP_TIMEOUTS), 0);
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
	server_stop(server);
}

/* Who has begun a message stays while another is idle; but a cap full of such clients locks
 * nobody out. */
static void who_is_busy_makes_room_last(void **state)
{
	int busy;
	struct server *server = start_one(&(struct standin_options){.connections = 2}, &busy);
	uint8_t segments[2 * SEGMENT_SIZE];

	(void)state;
	segment_write(segments, QUERY_SIZE, 1, 0);
	segment_write(segments + SEGMENT_SIZE, QUERY_SIZE, 2, 0);
	send_all(busy, segments, SEGMENT_SIZE + 1);
	await_answer(busy, 1, "the busy one");

	int idle = connect_again(server);

	send_query(idle, 3);
	await_answer(idle, 3, "the idle one");

	int third = connect_again(server);

	send_all(third, segments, SEGMENT_SIZE + 1);
	await_answer(third, 1, "the third");
	await_end(idle, "the idle one");

	int fourth = connect_again(server);

	send_query(fourth, 4);
	await_answer(fourth, 4, "the fourth");
	await_end(busy, "the one that is busy for longest");
	assert_int_equal(standin_counter(server, STATS_TCP_EVICTED), 2);
	close(busy);
	close(idle);
	close(third);
	close(fourth);
	server_stop(server);
}

/* Whichever threads they come to, new clients are served and the cap holds. */
static void threads_share_the_cap(void **state)
{
	enum { CLIENTS = 50, CAP = 5 };
	int fds[CLIENTS];
	struct standin_options options = {.connections = CAP, .workers = 3};
	struct server *server = start_one(&options, &fds[0]);

	(void)state;
	for (uint16_t i = 0; i < CLIENTS; i++) {
		if (i > 0)
			fds[i] = connect_again(server);
		send_query(fds[i], i);
		await_answer(fds[i], i, "a new client");
		assert_in_range(server_tcp_open(server), 1, CAP);
	}
	assert_int_equal(
		standin_counter(server, STATS_TCP_EVICTED), CLIENTS - server_tcp_open(server));
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
	server_stop(server);
}

/* RFC 7766 6.2.2: whichever threads they come to, an address has no more than it may, the newcomer is served, and who
 * asked last stays. */
static void an_address_has_no_more_than_it_may(void **state)
{
	enum { CLIENTS = 40, CAP = 7 };
	int fds[CLIENTS];
	int other;
	struct standin_options options = {.per_address = CAP, .workers = 3};
	struct server *server = start_one(&options, &fds[0]);
	struct address_port to = server_listen(server, 0);

	(void)state;
	other = socket_from("127.0.0.9", &to);
	for (uint16_t i = 0; i < CLIENTS; i++) {
		if (i > 0)
			fds[i] = connect_again(server);
		send_query(fds[i], i);
		await_answer(fds[i], i, "a new client");
		usleep(2000); /* so that clocks tell who asked last */
	}
	for (size_t i = 0; i < CLIENTS - CAP; i++)
		await_end(fds[i], "who asked before them");
	for (uint16_t i = CLIENTS - CAP; i < CLIENTS; i++) {
		send_query(fds[i], i);
		await_answer(fds[i], i, "who asked last");
	}
	send_query(other, 99);
	await_answer(other, 99, "another address");
	standin_await_open(server, CAP + 1);
	assert_int_equal(standin_counter(server, STATS_TCP_CAPPED), CLIENTS - CAP);
	assert_int_equal(standin_counter(server, STATS_TCP_EVICTED), 0);
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(other);
	server_stop(server);
}

/* One that does not read and three that hold a begun message: they go for newcomers of their network, of which none is
 * locked out. */
static void who_only_holds_goes_first(void **state)
{
	enum { CAP = 4, ASKED = 400, MORE = 60000 };
	static uint8_t segments[ASKED * SEGMENT_SIZE];
	int holders[CAP];
	int askers[CAP];
	struct standin_options options = {.per_network = CAP, .workers = 2};
	struct server *server = start_one(&options, &holders[0]);

	(void)state;
	for (uint16_t i = 0; i < ASKED; i++)
		segment_write(segments + i * SEGMENT_SIZE, QUERY_SIZE, i, MORE);
	send_all(holders[0], segments, sizeof(segments));
	for (size_t i = 1; i < CAP; i++) {
		holders[i] = connect_again(server);
		send_all(holders[i], segments, SEGMENT_SIZE - 1);
	}
	standin_await_open(server, CAP);
	usleep(5000); /* so that clocks tell who got on last */
	for (uint16_t i = 0; i < CAP; i++) {
		askers[i] = connect_again(server);
		send_query(askers[i], i);
		await_answer(askers[i], i, "a newcomer");
	}
	for (size_t i = 1; i < CAP; i++)
		await_end(holders[i], "who only holds");
	for (uint16_t i = 0; i < CAP; i++) {
		send_query(askers[i], i);
		await_answer(askers[i], i, "a newcomer again");
	}
	standin_await_open(server, CAP);
	assert_int_equal(standin_counter(server, STATS_TCP_CAPPED), CAP);
	for (size_t i = 0; i < CAP; i++) {
		close(holders[i]);
		close(askers[i]);
	}
	server_stop(server);
}

/* Connections that are reset as soon as they are there, whatever was sent on them before. */
static void a_storm_of_resets_leaves_nothing(void **state)
{
	enum { CLIENTS = 1000 };
	int other;
	struct standin_options options = {.connections = 4000, .workers = 2};
	struct server *server = start_one(&options, &other);
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	uint8_t segment[SEGMENT_SIZE];

	(void)state;
	segment_write(segment, QUERY_SIZE, 1, 60000);
	for (size_t i = 0; i < CLIENTS; i++) {
		int fd = connect_again(server);

		send_all(fd, segment, i % (SEGMENT_SIZE + 1));
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
		close(fd);
	}
	send_query(other, 2);
	await_answer(other, 2, "who was there before");
	standin_await_open(server, 1);
	close(other);
	server_stop(server);
}

/* RFC 7828 3.4: with room for ten, those who ask while nine are open are told to go. */
static void clients_are_told_when_room_is_nearly_gone(void **state)
{
	enum { CAP = 10, IDLE_MS = 30000 };
	int fds[CAP];
	struct standin_options options = {.connections = CAP, .idle_ms = IDLE_MS};
	struct server *server = start_one(&options, &fds[0]);

	(void)state;
	for (uint16_t i = 0; i < CAP; i++) {
		if (i > 0)
			fds[i] = connect_again(server);
		standin_await_open(server, (size_t)i + 1);
		for (uint16_t again = 0; again < 2;
			again++) { /* counted before the second at the latest */
			send_query(fds[i], i);

			unsigned told_ds = await_told_ds(fds[i]);
			unsigned want_ds = i + 1 < CAP - 1 ? IDLE_MS / 100 : 0;

			if (again > 0 && told_ds != want_ds)
				fail_msg("%u open: told %u", i + 1u, told_ds);
		}
	}
	for (size_t i = 0; i < CAP; i++)
		close(fds[i]);
	server_stop(server);
}

/* A child process has copies of all sockets until its exec(); what happens on them is not ours
 * any more. */
static void a_child_with_copies_of_connections_changes_nothing(void **state)
{
	int first;
	int child_waits[2];
	struct server *server = start_one(&(struct standin_options){.connections = 1}, &first);

	(void)state;
	assert_int_equal(pipe(child_waits), 0);
	send_query(first, 1);
	await_answer(first, 1, "before the child");

	pid_t child = fork();

	if (child == 0) {
		close(child_waits[1]);
		(void)!read(child_waits[0], &(char){0}, 1); /* until the other end is closed */
		_exit(0);
	}

	int second = connect_again(server);

	send_query(second, 2);
	await_answer(second, 2, "who makes the first go");
	send_query(first, 3); /* the child's copy hears it */
	for (uint16_t i = 0; i < 10; i++) {
		send_query(second, i);
		await_answer(second, i, "beside a child");
	}
	assert_int_equal(standin_counter(server, STATS_TCP_QUERIES), 12);
	close(child_waits[0]);
	close(child_waits[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(first);
	close(second);
	server_stop(server);
}

/* Leaves the process without a free descriptor; gives the limit to set again. */
static struct rlimit take_all_descriptors(void)
{
	struct rlimit before;
	int lowest_free = dup(STDIN_FILENO);

	assert_true(lowest_free >= 0);
	close(lowest_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);

	struct rlimit none = {.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static void connect_to(int fd, const struct server *server)
{
	struct address_port to = server_listen(server, 0);
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&to, &kernel);

	assert_int_equal(connect(fd, (const struct sockaddr *)&kernel, size), 0);
}

static void out_of_descriptors_the_longest_idle_makes_room(void **state)
{
	int first;
	struct server *server = start_one(&(struct standin_options){0}, &first);
	int second = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	send_query(first, 1);
	await_answer(first, 1, "the first");

	struct rlimit before = take_all_descriptors();

	connect_to(second, server);
	send_query(second, 2);
	await_answer(second, 2, "the second");
	await_end(first, "the first makes room");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(standin_counter(server, STATS_TCP_EVICTED), 1);
	close(first);
	close(second);
	server_stop(server);
}

/* The limit on open files is looked at when the server starts. */
static void room_is_what_descriptors_allow(void **state)
{
	static const struct {
		rlim_t files;
		uint32_t wanted;
		size_t want;
	} cases[] = {
		{1024, 100, 100},
		{1024, 800, 800},
		{1024, 1000, 1024 - 128 - 2 * 3},
		{140, 1000, 140 - 128 - 2 * 3},
		{100, 1000, 1},
	};
	struct rlimit before;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rlimit files = {.rlim_cur = cases[i].files, .rlim_max = before.rlim_max};
		struct standin_options options = {
			.listen = {"127.0.0.1:0"}, .workers = 2, .connections = cases[i].wanted};

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);

		struct server *server = standin_start(&options);

		assert_int_equal(server_tcp_room(server), cases[i].want);
		server_stop(server);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void out_of_descriptors_with_nobody_to_evict_it_waits(void **state)
{
	struct server *server = standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}});
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;

	struct rlimit before = take_all_descriptors();

	connect_to(fd, server);
	send_query(fd, 1);
	usleep(20000); /* it tries at once; whether it has tried by now changes nothing below */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	await_answer(fd, 1, "once there are descriptors again");
	close(fd);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_over_each_family),
		cmocka_unit_test(pipelined_queries_are_answered_in_order),
		cmocka_unit_test(long_answers_wait_for_a_slow_reader),
		cmocka_unit_test(a_message_may_come_in_pieces),
		cmocka_unit_test(a_length_that_no_query_has_ends_the_connection),
		cmocka_unit_test(a_response_gets_silence),
		cmocka_unit_test(a_half_closed_connection_gets_its_answers),
		cmocka_unit_test(silent_clients_run_out_of_time),
		cmocka_unit_test(octets_alone_buy_no_time),
		cmocka_unit_test(a_client_that_never_reads_runs_out_of_time),
		cmocka_unit_test(the_longest_idle_makes_room),
		cmocka_unit_test(who_is_busy_makes_room_last),
		cmocka_unit_test(threads_share_the_cap),
		cmocka_unit_test(an_address_has_no_more_than_it_may),
		cmocka_unit_test(who_only_holds_goes_first),
		cmocka_unit_test(a_storm_of_resets_leaves_nothing),
		cmocka_unit_test(clients_are_told_when_room_is_nearly_gone),
		cmocka_unit_test(a_child_with_copies_of_connections_changes_nothing),
		cmocka_unit_test(room_is_what_descriptors_allow),
		cmocka_unit_test(out_of_descriptors_the_longest_idle_makes_room),
		cmocka_unit_test(out_of_descriptors_with_nobody_to_evict_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
