/* SPDX-License-Identifier: Apache-2.0 */

/* Members with a host name: the real prober asks a name server that the test plays. */

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

#include "rig.h"
#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

#define TYPE_A 1
#define TYPE_AAAA 28
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3

/* What the server says from now on. */
struct script {
	uint8_t rcode_ipv4;
	uint8_t rcode_ipv6;
	const char *ipv4[4];
	const char *ipv6[4];
};

struct name_server {
	int fd;
	struct event *readable;
	const struct script *script;
	size_t asked; /* since the script began */
	size_t asked_ipv6;
};

static void write_record(struct text *out, uint16_t type, const char *address_text)
{
	struct address address;

	assert_true(address_parse(address_text, &address));
	bytes_write_u16(out, 0xc00c); /* the name of the question */
	bytes_write_u16(out, type);
	bytes_write_u16(out, 1);
	bytes_write_u32(out, 3600);
	bytes_write_u16(out, (uint16_t)address_size(&address));
	text_add_bytes(out, address.bytes, address_size(&address));
}

/* The question of a query without EDNS is all that follows its header. */
static void write_answer(
	struct name_server *server, const uint8_t *query, size_t size, struct text *out)
{
	uint16_t type = (uint16_t)(query[size - 4] << 8 | query[size - 3]);
	const struct script *script = server->script;
	uint8_t rcode = type == TYPE_A ? script->rcode_ipv4 : script->rcode_ipv6;
	const char *const *addresses = type == TYPE_A ? script->ipv4 : script->ipv6;
	uint16_t count = 0;

	while (rcode == 0 && count < 4 && addresses[count])
		count++;
	text_add_bytes(out, query, 2);
	bytes_write_u16(out, (uint16_t)(0x8180 | rcode));
	bytes_write_u16(out, 1);
	bytes_write_u16(out, count);
	bytes_write_u32(out, 0);
	text_add_bytes(out, query + 12, size - 12);
	for (uint16_t i = 0; i < count; i++)
		write_record(out, type, addresses[i]);
	server->asked++;
	server->asked_ipv6 += type == TYPE_AAAA;
}

static void on_query(evutil_socket_t fd, short what, void *context)
{
	struct name_server *server = context;
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	uint8_t query[512];
	ssize_t size = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
	struct text out = {0};

	(void)what;
	assert_true(size > 16);
	write_answer(server, query, (size_t)size, &out);
	assert_int_equal(
		sendto(fd, out.bytes, out.size, 0, (struct sockaddr *)&from, from_size), out.size);
	text_done(&out);
}

/* Opens it, and tells the prober by the environment. */
static void open_name_server(struct name_server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	char text[32];

	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(address.sin_port));
	setenv("STEERD_PROBER_NAMESERVERS", text, 1);
}

static void say(struct name_server *server, const struct script *script)
{
	server->script = script;
	server->asked = 0;
	server->asked_ipv6 = 0;
}

/* "T ADDRESS STATE[,...]": all rows, states as ? unknown, U up, G degraded, D down. */
static void print_table(const struct verdict_table *table, struct text *ret_text)
{
	text_clear(ret_text);
	text_add(ret_text, "");
	for (size_t i = 0; i < table->count; i++) {
		char address[ADDRESS_TEXT_SIZE];

		address_print(&table->rows[i].address, address);
		text_print(ret_text, "%s%u %s %c", i > 0 ? ", " : "", table->rows[i].target,
			address, "?UGD"[table->rows[i].state]);
	}
}

static bool table_reads(const struct rig_steerd *steerd, const void *context)
{
	struct text text = {0};
	bool is_so;

	print_table(&steerd->table, &text);
	is_so = strcmp(text.bytes, context) == 0;
	text_done(&text);
	return is_so;
}

static bool ipv6_was_asked(const struct rig_steerd *steerd, const void *context)
{
	const struct name_server *server = context;

	(void)steerd;
	/* the queries go out in turn, so that the one for IPv4 came before it */
	return server->asked_ipv6 > 0;
}

static bool has_more_tables(const struct rig_steerd *steerd, const void *context)
{
	return steerd->table_count > *(const size_t *)context;
}

static void wait_two_tables(struct rig_steerd *steerd)
{
	for (int i = 0; i < 2; i++) {
		size_t count = steerd->table_count;

		rig_wait(steerd, has_more_tables, &count, "another table");
	}
}

/* Addresses in any order, twice, and two that no backend can have. */
static const struct script first = {
	.ipv4 = {"127.0.0.12", "0.0.0.0", "127.0.0.11", "127.0.0.12"},
	.rcode_ipv6 = RCODE_SERVFAIL,
};
static const struct script nothing = {.rcode_ipv4 = RCODE_NXDOMAIN, .rcode_ipv6 = RCODE_NXDOMAIN};
static const struct script half = {.rcode_ipv4 = RCODE_SERVFAIL, .ipv6 = {"2001:db8::1"}};
static const struct script moved = {.ipv4 = {"127.0.0.13", "127.0.0.12"}};

static void addresses_of_a_name(void **state)
{
	struct rig_certificates certificates;
	struct rig_server server = {.name = "twelve", .listen = "127.0.0.12:0"};
	struct rig_backend backend;
	struct rig_steerd steerd;
	struct name_server names = {.script = &first};
	char *ca_path;

	(void)state;
	rig_make_certificates(&certificates);
	ca_path = rig_certificate_path(&certificates, "ca.pem");
	rig_start_backend(&backend, &certificates, &server, 1);
	open_name_server(&names);

	struct settings_monitor monitor = rig_monitor("m", server.port, ca_path);
	const struct target targets[] = {
		{.key = "m@cdn.example", .host = "cdn.example"},
		{.key = "@cdn.example", .host = "cdn.example", .monitor = TARGET_NONE},
	};
	const struct link_orders orders = {
		.targets = {.generation = 1, .targets = targets, .count = 2},
		.monitors = &monitor,
		.monitor_count = 1,
	};

	monitor.timeout_ms = 1000;
	rig_start_steerd(&steerd, RIG_PROBER, &orders);
	names.readable = event_new(steerd.base, names.fd, EV_READ | EV_PERSIST, on_query, &names);
	event_add(names.readable, NULL);

	/*
	 * each address is checked; that the name has no IPv6 address is not known, and asked again
	 * soon
	 */
	rig_wait(&steerd, table_reads,
		"0 127.0.0.11 D, 0 127.0.0.12 U, 1 127.0.0.11 U, 1 127.0.0.12 U",
		"two addresses of each name");
	assert_string_equal(steerd.table.rows[0].reason, "connection refused");

	/* a name that vanishes keeps what it had */
	uint64_t since = steerd.table.rows[1].since_unix_s;

	say(&names, &nothing);
	rig_wait(&steerd, ipv6_was_asked, &names, "the name asked again");
	wait_two_tables(&steerd);
	assert_true(table_reads(
		&steerd, "0 127.0.0.11 D, 0 127.0.0.12 U, 1 127.0.0.11 U, 1 127.0.0.12 U"));

	/* a family that cannot be had keeps what it had while the other one comes */
	say(&names, &half);
	rig_wait(&steerd, table_reads,
		"0 127.0.0.11 D, 0 127.0.0.12 U, 0 2001:db8::1 D, "
		"1 127.0.0.11 U, 1 127.0.0.12 U, 1 2001:db8::1 U",
		"the other family");

	/* an address that is gone is dropped, one that stays keeps its verdict */
	say(&names, &moved);
	rig_wait(&steerd, table_reads,
		"0 127.0.0.12 U, 0 127.0.0.13 D, 1 127.0.0.12 U, 1 127.0.0.13 U",
		"another address");
	assert_int_equal(steerd.table.rows[0].since_unix_s, since);

	rig_stop_steerd(&steerd);
	event_free(names.readable);
	close(names.fd);
	rig_stop_backend(&backend);
	rig_remove_certificates(&certificates);
	free(ca_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
