/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/outbound/reach.h"

#define ALLOWED NULL

static const struct {
	const char *to; /* with a port */
	const char *what;
} cases[] = {
	{"192.0.2.1:443", ALLOWED},
	{"[2001:db8::1]:443", ALLOWED},
	/* private networks are where backends live */
	{"10.0.0.1:443", ALLOWED},
	{"172.16.0.1:443", ALLOWED},
	{"192.168.1.1:443", ALLOWED},
	{"100.64.0.1:443", ALLOWED},
	{"[fd00::1]:443", ALLOWED},
	{"0.0.0.0:443", "0.0.0.0 is no address of a host"},
	{"0.1.2.3:443", "0.1.2.3 is no address of a host"},
	{"[::]:443", ":: is no address of a host"},
	{"1.0.0.0:443", ALLOWED},
	{"126.255.255.255:443", ALLOWED},
	{"127.0.0.1:443", "127.0.0.1 is loopback"},
	{"127.255.255.254:443", "127.255.255.254 is loopback"},
	{"128.0.0.0:443", ALLOWED},
	{"[::1]:443", "::1 is loopback"},
	{"169.253.255.255:80", ALLOWED},
	{"169.254.169.254:80", "169.254.169.254 is link-local"},
	{"169.255.0.0:80", ALLOWED},
	{"[fe80::1]:80", "fe80::1 is link-local"},
	{"[febf::1]:80", "febf::1 is link-local"},
	{"[fec0::1]:80", ALLOWED},
	{"223.255.255.255:80", ALLOWED},
	{"224.0.0.1:80", "224.0.0.1 is multicast"},
	{"239.255.255.255:80", "239.255.255.255 is multicast"},
	{"240.0.0.1:80", "240.0.0.1 is reserved"},
	{"[ff02::1]:80", "ff02::1 is multicast"},
	{"255.255.255.255:80", "255.255.255.255 is broadcast"},
	{"255.255.255.254:80", "255.255.255.254 is reserved"},
	/* what holds an IPv4 address is what it holds */
	{"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1 holds 127.0.0.1, which is loopback"},
	{"[::ffff:192.0.2.1]:80", ALLOWED},
	{"[::127.0.0.1]:80", "::127.0.0.1 holds 127.0.0.1, which is loopback"},
	{"[::2]:80", "::2 holds 0.0.0.2, which is no address of a host"},
	{"[2002:7f00:1::1]:80", "2002:7f00:1::1 holds 127.0.0.1, which is loopback"},
	{"[2002:c000:201::1]:80", ALLOWED},
	{"[64:ff9b::a9fe:a9fe]:80",
		"64:ff9b::a9fe:a9fe holds 169.254.169.254, which is link-local"},
	{"[64:ff9b::192.0.2.1]:80", ALLOWED},
	{"[64:ff9b:1::127.0.0.1]:80", "64:ff9b:1::7f00:1 holds 127.0.0.1, which is loopback"},
	{"[64:ff9b:2::127.0.0.1]:80", ALLOWED},
	/* our own sockets */
	{"192.0.2.53:53", "192.0.2.53:53 is a socket of steerd itself"},
	{"192.0.2.53:443", ALLOWED},
	{"192.0.2.54:53", ALLOWED},
	{"[2001:db8::53]:5353", "[2001:db8::53]:5353 is a socket of steerd itself"},
	{"[2001:db8::53]:53", ALLOWED},
	{"[::ffff:192.0.2.53]:53", "[::ffff:192.0.2.53]:53 is a socket of steerd itself"},
};

static struct address_port parse(const char *text)
{
	struct address_port value;
	struct err err;

	if (!address_port_parse(text, &value, &err))
		fail_msg("%s", err.text);
	return value;
}

static void blocks_and_own_sockets(void **state)
{
	const struct address_port own[] = {parse("192.0.2.53:53"), parse("[2001:db8::53]:5353")};
	const struct reach reach = {.own = own, .own_count = COUNT_OF(own)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address_port to = parse(cases[i].to);
		struct text what = {0};
		bool is_internal = reach_is_internal(&reach, &to, &what);

		if (is_internal != (cases[i].what != ALLOWED))
			fail_msg("%s: %s", cases[i].to, is_internal ? what.bytes : "allowed");
		if (is_internal)
			assert_string_equal(what.bytes, cases[i].what);
		text_done(&what);
	}
}

static void reason_says_what_allows_it(void **state)
{
	const struct reach reach = {0};
	struct address_port to = parse("127.0.0.1:443");
	struct text why = {0};

	(void)state;
	assert_true(reach_is_allowed(&reach, &to, true, &why));
	assert_int_equal(why.size, 0);
	assert_false(reach_is_allowed(&reach, &to, false, &why));
	assert_string_equal(why.bytes,
		"not checked: 127.0.0.1 is loopback; 'allow-internal: yes' in the monitor allows "
		"it");
	text_done(&why);
}

/* Every address of this machine, those refused anyhow aside, is reached by a wildcard's port. */
static void wildcard_listens_on_every_address(void **state)
{
	const struct address_port own[] = {parse("0.0.0.0:53"), parse("[::]:53")};
	const struct reach reach = {.own = own, .own_count = COUNT_OF(own)};
	const struct reach none = {0};
	const char *const others[] = {"192.0.2.1:53", "[2001:db8::1]:53"};
	struct ifaddrs *list;
	size_t tried = 0;

	(void)state;
	assert_int_equal(getifaddrs(&list), 0);
	for (const struct ifaddrs *item = list; item; item = item->ifa_next) {
		struct text what = {0};
		struct address_port to;

		if (!item->ifa_addr || !(item->ifa_flags & IFF_UP) ||
			!address_from_sockaddr(item->ifa_addr, &to))
			continue;
		to.port = 53;
		if (!reach_is_internal(&none, &to, &what)) {
			assert_true(reach_is_internal(&reach, &to, &what));
			to.port = 54;
			assert_false(reach_is_internal(&reach, &to, &what));
			tried++;
		}
		text_done(&what);
	}
	freeifaddrs(list);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct text what = {0};
		struct address_port to = parse(others[i]);

		assert_false(reach_is_internal(&reach, &to, &what));
		text_done(&what);
	}
	if (tried == 0)
		print_message("this machine has no address but those of loopback and links\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_and_own_sockets),
		cmocka_unit_test(reason_says_what_allows_it),
		cmocka_unit_test(wildcard_listens_on_every_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
