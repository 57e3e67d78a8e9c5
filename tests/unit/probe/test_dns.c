/* SPDX-License-Identifier: Apache-2.0 */

/* Questions to a name server that the test plays, on real sockets, and every way to answer them wrongly. */

#include <arpa/inet.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns_talk.h"
#include "one.h"
#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

#define TYPE_A 1
#define TYPE_SOA 6
#define TYPE_TXT 16
#define TYPE_AAAA 28

/* ---- a server ---- */

enum over { OVER_UDP, OVER_TCP };

/* What to do with a query; octets added to `out` go back. */
typedef void (*answer_fn)(const uint8_t *query, size_t size, enum over over, struct text *out);

struct server {
	struct event_base *base;
	answer_fn answer;
	int udp;
	int listener;
	int stream; /* the last connection; -1: none */
	struct event *on_udp;
	struct event *on_listener;
	struct event *on_stream;
	size_t asked_by_udp;
	size_t asked_by_tcp;
	uint16_t ids[2]; /* of the last two */
	uint16_t ports[2];
	uint16_t port;
};

static void note(struct server *server, const uint8_t *query, size_t size)
{
	assert_true(size >= 17);
	server->ids[0] = server->ids[1];
	server->ids[1] = (uint16_t)(query[0] << 8 | query[1]);
}

static void on_udp(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	uint8_t query[512];
	ssize_t size = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
	struct text out = {0};

	(void)what;
	note(server, query, (size_t)size);
	server->ports[0] = server->ports[1];
	server->ports[1] = ntohs(from.sin_port);
	server->asked_by_udp++;
	server->answer(query, (size_t)size, OVER_UDP, &out);
	if (out.size > 0)
		assert_int_equal(
			sendto(fd, out.bytes, out.size, 0, (struct sockaddr *)&from, from_size),
			out.size);
	text_done(&out);
}

static void close_stream(struct server *server)
{
	if (server->on_stream)
		event_free(server->on_stream);
	if (server->stream >= 0)
		close(server->stream);
	server->on_stream = NULL;
	server->stream = -1;
}

static void on_stream(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;
	uint8_t query[512];
	ssize_t size = recv(fd, query, sizeof(query), 0);
	struct text out = {0};

	(void)what;
	if (size <= 0) {
		close_stream(server);
		return;
	}
	note(server, query + 2, (size_t)size - 2);
	server->asked_by_tcp++;
	server->answer(query + 2, (size_t)size - 2, OVER_TCP, &out);
	if (out.size > 0)
		assert_int_equal(send(fd, out.bytes, out.size, MSG_NOSIGNAL), out.size);
	else
		close_stream(server);
	text_done(&out);
}

static void on_listener(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;

	(void)what;
	close_stream(server);
	server->stream = accept(fd, NULL, NULL);
	server->on_stream =
		event_new(server->base, server->stream, EV_READ | EV_PERSIST, on_stream, server);
	event_add(server->on_stream, NULL);
}

/* Both sockets on one port. */
static void open_server(struct server *server, struct event_base *base)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*server = (struct server){.base = base, .stream = -1};
	do {
		address.sin_port = 0;
		server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
		assert_int_equal(
			getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
		if (bind(server->udp, (struct sockaddr *)&address, size) == 0)
			break;
		close(server->udp);
		close(server->listener);
	} while (true);
	assert_int_equal(listen(server->listener, 8), 0);
	server->port = ntohs(address.sin_port);
	server->on_udp = event_new(base, server->udp, EV_READ | EV_PERSIST, on_udp, server);
	server->on_listener =
		event_new(base, server->listener, EV_READ | EV_PERSIST, on_listener, server);
	event_add(server->on_udp, NULL);
	event_add(server->on_listener, NULL);
}

static void close_server(struct server *server)
{
	close_stream(server);
	event_free(server->on_udp);
	event_free(server->on_listener);
	close(server->udp);
	close(server->listener);
}

/* ---- messages ---- */

/* The header, and the question where `questions` is 1. */
static void add_head(
	const uint8_t *query, size_t size, uint16_t flags, uint16_t answers, struct text *out)
{
	text_add_bytes(out, query, 2);
	bytes_write_u16(out, flags);
	bytes_write_u16(out, 1);
	bytes_write_u16(out, answers);
	bytes_write_u32(out, 0);
	text_add_bytes(out, query + 12, size - 12);
}

static void add_record(struct text *out, uint16_t type, const void *data, uint16_t size)
{
	bytes_write_u16(out, 0xc00c);
	bytes_write_u16(out, type);
	bytes_write_u16(out, 1);
	bytes_write_u32(out, 60);
	bytes_write_u16(out, size);
	text_add_bytes(out, data, size);
}

static void add_address(struct text *out, const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	add_record(out, address.family == ADDRESS_IPV4 ? TYPE_A : TYPE_AAAA, address.bytes,
		(uint16_t)address_size(&address));
}

/* A whole message, with its length in front of it where that belongs. */
static void send_out(struct text *message, enum over over, struct text *out)
{
	if (over == OVER_TCP)
		bytes_write_u16(out, (uint16_t)message->size);
	text_add_bytes(out, message->bytes, message->size);
	text_done(message);
}

static void answer_with(const uint8_t *query, size_t size, enum over over, struct text *out,
	const char *const *addresses)
{
	struct text message = {0};
	uint16_t count = 0;

	while (addresses[count])
		count++;
	add_head(query, size, 0x8400, count, &message);
	for (uint16_t i = 0; i < count; i++)
		add_address(&message, addresses[i]);
	send_out(&message, over, out);
}

static void good(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	answer_with(query, size, over, out, (const char *const[]){"192.0.2.1", NULL});
}

static void other(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	answer_with(query, size, over, out, (const char *const[]){"192.0.2.9", NULL});
}

static void several(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	answer_with(query, size, over, out,
		(const char *const[]){
			"192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8", "192.0.2.9", NULL});
}

/* More than are kept: the last one counts as well. */
static void many(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	struct text message = {0};
	char address[32];

	add_head(query, size, 0x8400, 24, &message);
	for (int i = 24; i > 0; i--) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		add_address(&message, address);
	}
	send_out(&message, over, out);
}

static void ipv6(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	answer_with(query, size, over, out, (const char *const[]){"2001:db8::1", NULL});
}

static void text_record(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	struct text message = {0};

	add_head(query, size, 0x8400, 1, &message);
	add_record(&message, TYPE_TXT, "\2ok", 3);
	send_out(&message, over, out);
}

/* An alias, and the address of what it leads to. */
static void alias(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	static const uint8_t target[] = {4, 'e', 'd', 'g', 'e', 0xc0, 0x10};
	struct text message = {0};

	add_head(query, size, 0x8400, 2, &message);
	add_record(&message, 5, target, sizeof(target));
	add_address(&message, "192.0.2.1");
	send_out(&message, over, out);
}

static void nothing(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	answer_with(query, size, over, out, (const char *const[]){NULL});
}

static void with_flags(
	const uint8_t *query, size_t size, enum over over, struct text *out, uint16_t flags)
{
	struct text message = {0};

	add_head(query, size, flags, 0, &message);
	send_out(&message, over, out);
}

static void nxdomain(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	with_flags(query, size, over, out, 0x8403);
}

static void servfail(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	with_flags(query, size, over, out, 0x8182);
}

static void refused(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	with_flags(query, size, over, out, 0x8105);
}

static void rcode_12(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	with_flags(query, size, over, out, 0x810c);
}

static void bare_formerr(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	struct text message = {0};

	(void)size;
	text_add_bytes(&message, query, 2);
	bytes_write_u16(&message, 0x8101);
	bytes_write_u64(&message, 0);
	send_out(&message, over, out);
}

static void truncated(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	if (over == OVER_UDP)
		with_flags(query, size, over, out, 0x8600);
	else
		good(query, size, over, out);
}

static void truncated_always(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	with_flags(query, size, over, out, 0x8600);
}

static void truncated_then_closed(
	const uint8_t *query, size_t size, enum over over, struct text *out)
{
	if (over == OVER_UDP)
		with_flags(query, size, over, out, 0x8600);
}

static void silent(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	(void)query;
	(void)size;
	(void)over;
	(void)out;
}

/* The message is changed by `spoil` before it goes. */
static void spoiled(const uint8_t *query, size_t size, enum over over, struct text *out,
	void (*spoil)(struct text *message))
{
	struct text message = {0};

	add_head(query, size, 0x8400, 1, &message);
	add_address(&message, "192.0.2.1");
	spoil(&message);
	send_out(&message, over, out);
}

static void spoil_id(struct text *message)
{
	message->bytes[0] = (char)~message->bytes[0];
}

static void other_id(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_id);
}

static void spoil_question(struct text *message)
{
	message->bytes[14] = 'x';
}

static void other_question(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_question);
}

static void spoil_case(struct text *message)
{
	message->bytes[13] = 'W';
}

static void other_case(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_case);
}

static void spoil_end(struct text *message)
{
	message->size -= 2;
}

static void cut_short(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_end);
}

static void spoil_tail(struct text *message)
{
	text_add(message, "x");
}

static void too_long(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_tail);
}

static void spoil_pointer(struct text *message)
{
	/* the owner of the record: to itself */
	message->bytes[message->size - 15] = (char)(message->size - 16);
}

static void loop(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_pointer);
}

static void spoil_length(struct text *message)
{
	message->bytes[message->size - 5] = 3;
	message->size--;
}

static void short_address(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_length);
}

static void spoil_response(struct text *message)
{
	message->bytes[2] = 0x04;
}

static void echo(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	spoiled(query, size, over, out, spoil_response);
}

/* ---- the checks ---- */

static const struct {
	const char *about;
	answer_fn answer;
	uint16_t type;
	const char *expected[3];
	bool by_tcp;
	const char *want;
} cases[] = {
	{"any address", good, TYPE_A, {NULL}, false, "up"},
	{"the address", good, TYPE_A, {"192.0.2.1"}, false, "up"},
	{"one of two", good, TYPE_A, {"192.0.2.2", "192.0.2.1"}, false, "up"},
	{"the last of many", many, TYPE_A, {"192.0.2.1"}, false, "up"},
	{"IPv6", ipv6, TYPE_AAAA, {"2001:db8::1"}, false, "up"},
	{"an alias before it", alias, TYPE_A, {"192.0.2.1"}, false, "up"},
	{"another type", text_record, TYPE_TXT, {NULL}, false, "up"},
	{"another case of letters", other_case, TYPE_A, {NULL}, false, "up"},
	{"over TCP", good, TYPE_A, {"192.0.2.1"}, true, "up"},
	{"truncated", truncated, TYPE_A, {"192.0.2.1"}, false, "up"},
	{"another address", other, TYPE_A, {"192.0.2.1"}, false,
		"down: answers 192.0.2.9, expected 192.0.2.1"},
	{"other addresses", several, TYPE_A, {"192.0.2.1", "192.0.2.2"}, true,
		"down: answers 192.0.2.5, 192.0.2.6, 192.0.2.7 and 2 more, expected one of "
		"192.0.2.1, 192.0.2.2"},
	{"no record", nothing, TYPE_A, {NULL}, false,
		"down: answers without A records of www.files.example"},
	{"none of the type", text_record, TYPE_A, {NULL}, false,
		"down: answers without A records of www.files.example"},
	{"none of a type without a name", text_record, 731, {NULL}, false,
		"down: answers without TYPE731 records of www.files.example"},
	{"an alias alone is no SOA", alias, TYPE_SOA, {NULL}, false,
		"down: answers without SOA records of www.files.example"},
	{"NXDOMAIN", nxdomain, TYPE_A, {NULL}, false, "down: answers NXDOMAIN: no such name"},
	{"SERVFAIL", servfail, TYPE_A, {NULL}, true, "down: answers SERVFAIL: it cannot answer"},
	{"REFUSED", refused, TYPE_A, {NULL}, false,
		"down: answers REFUSED: it does not answer that for us"},
	{"an unknown error", rcode_12, TYPE_A, {NULL}, false, "down: answers RCODE 12"},
	{"an error without the question", bare_formerr, TYPE_A, {NULL}, false,
		"down: answers FORMERR: it does not understand the question"},
	{"truncated over TCP as well", truncated_always, TYPE_A, {NULL}, false,
		"down: truncated UDP answer, and over TCP: truncated"},
	{"truncated, and then closed", truncated_then_closed, TYPE_A, {NULL}, false,
		"down: truncated UDP answer, and over TCP: closed without an answer"},
	{"closed over TCP", silent, TYPE_A, {NULL}, true, "down: closed without an answer"},
	{"silence", silent, TYPE_A, {NULL}, false, "down: no answer within 200 ms"},
	{"another id", other_id, TYPE_A, {NULL}, false,
		"down: no answer within 200 ms; 2 messages came that answered something else"},
	{"another question", other_question, TYPE_A, {NULL}, false,
		"down: no answer within 200 ms; 2 messages came that answered something else"},
	{"another question over TCP", other_question, TYPE_A, {NULL}, true,
		"down: answers something else than what was asked"},
	{"the query itself", echo, TYPE_A, {NULL}, false,
		"down: no answer within 200 ms; 2 messages came that answered something else"},
	{"a record that is cut short", cut_short, TYPE_A, {NULL}, false,
		"down: malformed answer: a record is cut short"},
	{"too long", too_long, TYPE_A, {NULL}, false,
		"down: malformed answer: octets behind its end"},
	{"a name that points to itself", loop, TYPE_A, {NULL}, true,
		"down: malformed answer: a name points forwards"},
	{"an address of three octets", short_address, TYPE_A, {NULL}, false,
		"down: malformed answer: an address of the wrong length"},
};

static void each_answer(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_DNS);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	one.monitor.timeout_ms = 200;
	one.monitor.question = "www.files.example";
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address expected[3];
		size_t count = 0;

		for (; count < 3 && cases[i].expected[count]; count++)
			assert_true(address_parse(cases[i].expected[count], &expected[count]));
		server.answer = cases[i].answer;
		one.monitor.question_type = cases[i].type;
		one.monitor.expected_addresses = expected;
		one.monitor.expected_address_count = count;
		one.monitor.uses_tcp = cases[i].by_tcp;
		/* what has nothing to wait for gets all the time that it wants */
		one.monitor.timeout_ms = strstr(cases[i].want, "200 ms") ? 200 : 10000;
		one_expect(&one, cases[i].want, cases[i].about);
	}
	close_server(&server);
	one_done(&one);
}

/* The first query is lost on the way. */
static void lose_first(const uint8_t *query, size_t size, enum over over, struct text *out)
{
	static bool is_second;

	is_second = !is_second;
	if (!is_second)
		good(query, size, over, out);
}

static void asks_again(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_DNS);
	open_server(&server, one.base);
	server.answer = lose_first;
	one.monitor.port = server.port;
	one.monitor.timeout_ms = 2000;
	one.monitor.question = "www.files.example.";
	one.monitor.question_type = TYPE_A;
	one_expect(&one, "up", "a query that is lost is sent again");
	assert_int_equal(server.asked_by_udp, 2);
	assert_int_equal(server.asked_by_tcp, 0);
	close_server(&server);
	one_done(&one);
}

/* What an attacker would have to guess differs from check to check. */
static void ids_and_ports(void **state)
{
	struct server server;
	struct one one;
	bool ids_differ = false;
	bool ports_differ = false;

	(void)state;
	one_init(&one, KIND_DNS);
	open_server(&server, one.base);
	server.answer = good;
	one.monitor.port = server.port;
	one.monitor.question = "www.files.example";
	one.monitor.question_type = TYPE_A;
	for (int i = 0; i < 8; i++) {
		one_expect(&one, "up", "a good one");
		ids_differ |= i > 0 && server.ids[0] != server.ids[1];
		ports_differ |= i > 0 && server.ports[0] != server.ports[1];
	}
	assert_true(ids_differ && ports_differ);
	close_server(&server);
	one_done(&one);
}

static void nobody_there(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_DNS);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	one.monitor.question = ".";
	one.monitor.question_type = TYPE_SOA;
	close_server(&server);
	one_expect(&one, "down: connection refused", "a closed port over UDP");
	one.monitor.uses_tcp = true;
	one_expect(&one, "down: connection refused", "a closed port over TCP");
	one.monitor.question = "a..b";
	one_expect(&one, "down: 'a..b' is no name", "a question that cannot be asked");
	one_done(&one);
}

static void cancelled(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_DNS);
	open_server(&server, one.base);
	server.answer = silent;
	one.monitor.port = server.port;
	one.monitor.question = "www.files.example";
	one.monitor.question_type = TYPE_A;
	one_start(&one);
	event_base_loop(one.base, EVLOOP_NONBLOCK);
	one_cancel(&one);
	server.answer = good;
	one_expect(&one, "up", "the next one");
	assert_true(one.findings.count >= 3);
	assert_int_equal(one.findings.items[0].section, FINDING_REQUEST);
	close_server(&server);
	one_done(&one);
}

/* ---- names ---- */

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	const char *want; /* the wire form; NULL: no name */
	size_t size;
} names[] = {
	{".", "", 1},
	{"a", "\1a", 3},
	{"a.", "\1a", 3},
	{"www.files.example", "\3www\5files\7example", 19},
	{"_steer.dl", "\6_steer\2dl", 11},
	{"a\\.b", "\3a.b", 5},
	{"a\\046b", "\3a.b", 5},
	{"\\\\", "\1\\", 3},
	{LABEL_63, "\77" LABEL_63, 65},
	{LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61,
		"\77" LABEL_63 "\77" LABEL_63 "\77" LABEL_63 "\75" LABEL_61, 255},
	{"", NULL, 0},
	{"..", NULL, 0},
	{".a", NULL, 0},
	{"a..b", NULL, 0},
	{"a..", NULL, 0},
	{"\\", NULL, 0},
	{"a\\", NULL, 0},
	{"\\25", NULL, 0},
	{"\\256", NULL, 0},
	{LABEL_63 "a", NULL, 0},
	{LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61 "a", NULL, 0},
};

static void parse_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct dns_talk_question question = {.name_size = 0};
		bool is_name = dns_talk_parse_name(names[i].text, &question);

		if (is_name != (names[i].want != NULL))
			fail_msg("'%s' is %s name", names[i].text, is_name ? "a" : "no");
		if (!is_name)
			continue;
		assert_int_equal(question.name_size, names[i].size);
		assert_memory_equal(question.name, names[i].want, names[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer),
		cmocka_unit_test(asks_again),
		cmocka_unit_test(ids_and_ports),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(parse_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
