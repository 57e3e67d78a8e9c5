/* SPDX-License-Identifier: Apache-2.0 */
#include "reach.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/memory.h"

/* Blocks without a single host behind them, or with this one (RFC 6890, RFC 4291 2.4). */
static const struct {
	const char *is;
	struct prefix block;
} internal[] = {
	{"no address of a host", {{ADDRESS_IPV4, {0}}, 8}}, /* Linux connects to itself */
	{"loopback", {{ADDRESS_IPV4, {127}}, 8}},
	{"link-local", {{ADDRESS_IPV4, {169, 254}}, 16}},
	{"multicast", {{ADDRESS_IPV4, {224}}, 4}},
	{"broadcast", {{ADDRESS_IPV4, {255, 255, 255, 255}}, 32}},
	{"no address of a host", {{ADDRESS_IPV6, {0}}, 128}},
	{"loopback", {{ADDRESS_IPV6, {[15] = 1}}, 128}},
	{"link-local", {{ADDRESS_IPV6, {0xfe, 0x80}}, 10}},
	{"multicast", {{ADDRESS_IPV6, {0xff}}, 8}},
};

/* Blocks whose addresses hold an IPv4 address, which is what is reached in the end. */
static const struct {
	struct prefix block;
	size_t at; /* octet */
} holders[] = {
	{{{ADDRESS_IPV6, {[10] = 0xff, 0xff}}, 96}, 12},   /* mapped (RFC 4291 2.5.5.2) */
	{{{ADDRESS_IPV6, {0}}, 96}, 12},		   /* compatible, of old (2.5.5.1) */
	{{{ADDRESS_IPV6, {0x20, 0x02}}, 16}, 2},	   /* 6to4 (RFC 3056 2) */
	{{{ADDRESS_IPV6, {0, 0x64, 0xff, 0x9b}}, 96}, 12}, /* NAT64 (RFC 6052 2.1) */
	{{{ADDRESS_IPV6, {0, 0x64, 0xff, 0x9b, 0, 1}}, 48},
		12}, /* NAT64 within a site (RFC 8215) */
};

static const char *what_is(const struct address *address)
{
	for (size_t i = 0; i < COUNT_OF(internal); i++)
		if (prefix_contains(&internal[i].block, address))
			return internal[i].is;
	return NULL;
}

static bool held_by(const struct address *address, struct address *ret_held)
{
	for (size_t i = 0; i < COUNT_OF(holders); i++) {
		if (!prefix_contains(&holders[i].block, address))
			continue;
		*ret_held = address_of_in(address->bytes + holders[i].at);
		return true;
	}
	return false;
}

/* A socket that is connected, which for UDP sends nothing, has the address that it would send from: to reach itself a
 * machine sends from the very address that it sends to. */
static bool is_of_this_machine(const struct address_port *to)
{
	struct sockaddr_storage sockaddr;
	socklen_t size = address_to_sockaddr(to, &sockaddr);
	int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct address_port from;

	if (fd < 0)
		return false;

	bool is_known = connect(fd, (struct sockaddr *)&sockaddr, size) == 0;

	size = sizeof(sockaddr);
	is_known = is_known && getsockname(fd, (struct sockaddr *)&sockaddr, &size) == 0 &&
		address_from_sockaddr((struct sockaddr *)&sockaddr, &from);
	close(fd);
	return is_known && address_is_equal(&from.address, &to->address);
}

static bool is_own(const struct reach *reach, const struct address_port *to)
{
	for (size_t i = 0; i < reach->own_count; i++) {
		const struct address_port *own = &reach->own[i];

		if (own->port != to->port)
			continue;
		if (address_is_equal(&own->address, &to->address))
			return true;
		if (own->address.family == to->address.family && address_is_any(&own->address) &&
			is_of_this_machine(to))
			return true;
	}
	return false;
}

bool reach_is_internal(
	const struct reach *reach, const struct address_port *to, struct text *ret_what)
{
	const char *is = what_is(&to->address);
	struct address_port held = *to;
	bool is_held = !is && held_by(&to->address, &held.address);
	char text[ADDRESS_PORT_TEXT_SIZE];
	char held_text[ADDRESS_TEXT_SIZE];

	address_print(&to->address, text);
	address_print(&held.address, held_text);
	if (is_held)
		is = what_is(&held.address);
	if (is && is_held)
		text_print(ret_what, "%s holds %s, which is %s", text, held_text, is);
	else if (is)
		text_print(ret_what, "%s is %s", text, is);
	if (is)
		return true;
	if (!is_own(reach, &held))
		return false;
	address_port_print(to, text);
	text_print(ret_what, "%s is a socket of steerd itself", text);
	return true;
}

bool reach_is_allowed(const struct reach *reach, const struct address_port *to,
	bool allows_internal, struct text *ret_why)
{
	struct text what = {0};

	if (allows_internal)
		return true;

	bool is_allowed = !reach_is_internal(reach, to, &what);

	if (!is_allowed)
		text_print(ret_why,
			"not checked: %s; 'allow-internal: yes' in the monitor allows it",
			what.bytes);
	text_done(&what);
	return is_allowed;
}
