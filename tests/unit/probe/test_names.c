/* SPDX-License-Identifier: Apache-2.0 */

/* Members with a host name: the real prober asks a name server that the test plays. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver.h"
#include "rig.h"
#include "steerd/base/memory.h"

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
	const struct resolver *server = context;

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
static const struct resolver_script first = {
	.ipv4 = {"127.0.0.12", "0.0.0.0", "127.0.0.11", "127.0.0.12"},
	.rcode_ipv6 = RESOLVER_SERVFAIL,
};
static const struct resolver_script nothing = {
	.rcode_ipv4 = RESOLVER_NXDOMAIN, .rcode_ipv6 = RESOLVER_NXDOMAIN};
static const struct resolver_script half = {
	.rcode_ipv4 = RESOLVER_SERVFAIL, .ipv6 = {"2001:db8::1"}};
static const struct resolver_script moved = {.ipv4 = {"127.0.0.13", "127.0.0.12"}};

static void addresses_of_a_name(void **state)
{
	struct rig_certificates certificates;
	struct rig_server server = {.name = "twelve", .listen = "127.0.0.12:0"};
	struct rig_backend backend;
	struct rig_steerd steerd;
	struct resolver names;
	char *ca_path;

	(void)state;
	rig_make_certificates(&certificates);
	ca_path = rig_certificate_path(&certificates, "ca.pem");
	rig_start_backend(&backend, &certificates, &server, 1);
	resolver_open(&names, &first);
	/* tells the prober */
	setenv("STEERD_PROBER_NAMESERVERS", names.address, 1);

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
	resolver_serve(&names, steerd.base);

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

	resolver_say(&names, &nothing);
	rig_wait(&steerd, ipv6_was_asked, &names, "the name asked again");
	wait_two_tables(&steerd);
	assert_true(table_reads(
		&steerd, "0 127.0.0.11 D, 0 127.0.0.12 U, 1 127.0.0.11 U, 1 127.0.0.12 U"));

	/* a family that cannot be had keeps what it had while the other one comes */
	resolver_say(&names, &half);
	rig_wait(&steerd, table_reads,
		"0 127.0.0.11 D, 0 127.0.0.12 U, 0 2001:db8::1 D, "
		"1 127.0.0.11 U, 1 127.0.0.12 U, 1 2001:db8::1 U",
		"the other family");

	/* an address that is gone is dropped, one that stays keeps its verdict */
	resolver_say(&names, &moved);
	rig_wait(&steerd, table_reads,
		"0 127.0.0.12 U, 0 127.0.0.13 D, 1 127.0.0.12 U, 1 127.0.0.13 U",
		"another address");
	assert_int_equal(steerd.table.rows[0].since_unix_s, since);

	rig_stop_steerd(&steerd);
	resolver_close(&names);
	rig_stop_backend(&backend);
	rig_remove_certificates(&certificates);
	free(ca_path);
}

/* ---- names that lead to where no backend is ---- */

static const struct resolver_script inside = {
	.ipv4 = {"127.0.0.12", "169.254.169.254", "198.51.100.53"},
	.ipv6 = {"::1", "64:ff9b::7f00:1"},
};

static const char *const inside_reasons[] = {
	"127.0.0.12 is loopback",
	"169.254.169.254 is link-local",
	"198.51.100.53:443 is a socket of steerd itself",
	"::1 is loopback",
	"64:ff9b::7f00:1 holds 127.0.0.1, which is loopback",
};

static void names_that_lead_inside(void **state)
{
	struct rig_steerd steerd;
	struct resolver names;
	struct settings_monitor monitor = rig_monitor("m", 443, NULL);
	const struct target target = {.key = "m@evil.example", .host = "evil.example"};
	struct address_port own = {.port = 443};
	const struct link_orders orders = {
		.targets = {.generation = 1, .targets = &target, .count = 1},
		.monitors = &monitor,
		.monitor_count = 1,
		.own = &own,
		.own_count = 1,
	};

	(void)state;
	assert_true(address_parse("198.51.100.53", &own.address));
	monitor.allows_internal = false;
	resolver_open(&names, &inside);
	setenv("STEERD_PROBER_NAMESERVERS", names.address, 1);
	rig_start_steerd(&steerd, RIG_PROBER, &orders);
	resolver_serve(&names, steerd.base);
	rig_wait(&steerd, table_reads,
		"0 127.0.0.12 D, 0 169.254.169.254 D, 0 198.51.100.53 D, 0 ::1 D, "
		"0 64:ff9b::7f00:1 D",
		"each is refused");
	for (size_t i = 0; i < COUNT_OF(inside_reasons); i++) {
		char want[160];

		snprintf(want, sizeof(want),
			"not checked: %s; 'allow-internal: yes' in the monitor allows it",
			inside_reasons[i]);
		assert_string_equal(steerd.table.rows[i].reason, want);
	}
	rig_stop_steerd(&steerd);
	resolver_close(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_a_name),
		cmocka_unit_test(names_that_lead_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
