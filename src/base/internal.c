/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/internal.h"

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
	{"reserved", {{ADDRESS_IPV4, {240}}, 4}},
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

static void find_held(const struct address *address, struct address *ret_held)
{
	for (size_t i = 0; i < COUNT_OF(holders); i++) {
		if (!prefix_contains(&holders[i].block, address))
			continue;
		*ret_held = address_of_in(address->bytes + holders[i].at);
		return;
	}
}

const char *internal_what(const struct address *address, struct address *ret_reached)
{
	const char *is = what_is(address);

	*ret_reached = *address;
	if (is)
		return is;
	find_held(address, ret_reached);
	return what_is(ret_reached);
}
