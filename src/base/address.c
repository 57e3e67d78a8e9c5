/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/address.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

bool address_parse(const char *text, struct address *ret_address)
{
	struct address address = {.family = ADDRESS_IPV4};

	if (inet_pton(AF_INET, text, address.bytes) != 1) {
		address.family = ADDRESS_IPV6;
		if (inet_pton(AF_INET6, text, address.bytes) != 1)
			return false;
	}
	*ret_address = address;
	return true;
}

void address_print(const struct address *address, char ret_text[static ADDRESS_TEXT_SIZE])
{
	int family = address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;

	if (address->family == ADDRESS_NONE)
		snprintf(ret_text, ADDRESS_TEXT_SIZE, "none");
	else
		inet_ntop(family, address->bytes, ret_text, ADDRESS_TEXT_SIZE);
}

bool address_is_equal(const struct address *a, const struct address *b)
{
	return address_compare(a, b) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool address_is_any(const struct address *address)
{
	static const uint8_t zero[16];

	return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

static bool whole_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;

	unsigned long number = strtoul(text, &end, 10);

	if (*end != '\0' || number > max)
		return false;
	*ret_number = number;
	return true;
}

bool prefix_parse(const char *text, struct prefix *ret_prefix, struct err *err)
{
	char copy[PREFIX_TEXT_SIZE];
	struct address address;
	unsigned long bits;

	if (strlen(text) >= sizeof(copy))
		return err_set(err, "'%.64s' is not a prefix", text);
	memcpy(copy, text, strlen(text) + 1);

	char *slash = strchr(copy, '/');

	if (slash)
		*slash++ = '\0';
	if (!address_parse(copy, &address))
		return err_set(err, "'%s' is not a prefix such as 192.0.2.0/24", text);
	bits = address_bits(&address);
	if (slash && !whole_number(slash, bits, &bits))
		return err_set(
			err, "'%s' has no length between 0 and %u", text, address_bits(&address));

	struct prefix prefix = prefix_of(&address, (unsigned)bits);

	if (!address_is_equal(&prefix.address, &address))
		return err_set(err, "'%s' has bits set beyond its length", text);
	*ret_prefix = prefix;
	return true;
}

void prefix_print(const struct prefix *prefix, char ret_text[static PREFIX_TEXT_SIZE])
{
	char address[ADDRESS_TEXT_SIZE];

	address_print(&prefix->address, address);
	snprintf(ret_text, PREFIX_TEXT_SIZE, "%s/%u", address, prefix->bits);
}

struct prefix prefix_of(const struct address *address, unsigned bits)
{
	struct prefix prefix = {.address.family = address->family, .bits = (uint8_t)bits};
	size_t whole = bits / 8;

	memcpy(prefix.address.bytes, address->bytes, whole);
	if (bits % 8 > 0)
		prefix.address.bytes[whole] = address->bytes[whole] & (uint8_t)(0xff00 >> bits % 8);
	return prefix;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	if (prefix->address.family != address->family)
		return false;

	struct prefix other = prefix_of(address, prefix->bits);

	return address_is_equal(&prefix->address, &other.address);
}

/* The special-purpose blocks of RFC 6890 and its registry that no user of the Internet has. */
static const struct {
	uint32_t first;
	unsigned bits;
} special_ipv4[] = {
	{0xe0000000, 3},  /* 224.0.0.0/3, multicast, reserved and broadcast */
	{0x00000000, 8},  /* 0.0.0.0/8, "this network" */
	{0x0a000000, 8},  /* 10.0.0.0/8, private */
	{0x64400000, 10}, /* 100.64.0.0/10, carrier-grade NAT (RFC 6598) */
	{0x7f000000, 8},  /* 127.0.0.0/8, loopback */
	{0xa9fe0000, 16}, /* 169.254.0.0/16, link-local */
	{0xac100000, 12}, /* 172.16.0.0/12, private */
	{0xc0000000, 24}, /* 192.0.0.0/24, protocol assignments */
	{0xc0000200, 24}, /* 192.0.2.0/24, documentation */
	{0xc0a80000, 16}, /* 192.168.0.0/16, private */
	{0xc6120000, 15}, /* 198.18.0.0/15, benchmarks */
	{0xc6336400, 24}, /* 198.51.100.0/24, documentation */
	{0xcb007100, 24}, /* 203.0.113.0/24, documentation */
};

/* A bit for each first octet that any of them has: most addresses have none of these. */
#define OCTET(n) (UINT32_C(1) << ((n) % 32))
static const uint32_t first_octets_ipv4[8] = {
	[0 / 32] = OCTET(0) | OCTET(10),
	[100 / 32] = OCTET(100) | OCTET(127),
	[169 / 32] = OCTET(169) | OCTET(172),
	[192 / 32] = OCTET(192) | OCTET(198) | OCTET(203),
	[224 / 32] = UINT32_MAX,
};

static const struct {
	uint64_t first; /* of the upper 64 bits */
	unsigned bits;
} special_ipv6[] = {
	{UINT64_C(0x0000000000000000), 8},  /* ::/8, with ::, ::1 and the mapped addresses */
	{UINT64_C(0x0100000000000000), 64}, /* 100::/64, discard */
	{UINT64_C(0x20010db800000000), 32}, /* 2001:db8::/32, documentation */
	{UINT64_C(0x3fff000000000000), 20}, /* 3fff::/20, documentation (RFC 9637) */
	{UINT64_C(0xfc00000000000000), 7},  /* fc00::/7, unique local (RFC 4193) */
	{UINT64_C(0xfe80000000000000), 10}, /* fe80::/10, link-local */
	{UINT64_C(0xff00000000000000), 8},  /* ff00::/8, multicast */
};

unsigned address_special_bits(const struct address *address)
{
	if (address->family == ADDRESS_IPV4) {
		uint32_t value;

		memcpy(&value, address->bytes, sizeof(value));
		value = be32toh(value);
		if (!(first_octets_ipv4[value >> 29] >> (value >> 24 & 31) & 1))
			return 0;
		for (size_t i = 0; i < COUNT_OF(special_ipv4); i++)
			if ((value ^ special_ipv4[i].first) >> (32 - special_ipv4[i].bits) == 0)
				return special_ipv4[i].bits;
		return 0;
	}

	uint64_t value;

	memcpy(&value, address->bytes, sizeof(value));
	value = be64toh(value);

	for (size_t i = 0; i < COUNT_OF(special_ipv6); i++)
		if ((value ^ special_ipv6[i].first) >> (64 - special_ipv6[i].bits) == 0)
			return special_ipv6[i].bits;
	return 0;
}

bool address_special_block(enum address_family family, size_t index, struct prefix *ret_block)
{
	bool is_ipv4 = family == ADDRESS_IPV4;
	struct prefix block = {.address.family = (uint8_t)family};

	if (index >= (is_ipv4 ? COUNT_OF(special_ipv4) : COUNT_OF(special_ipv6)))
		return false;

	uint64_t first =
		is_ipv4 ? (uint64_t)special_ipv4[index].first << 32 : special_ipv6[index].first;

	for (size_t i = 0; i < 8; i++)
		block.address.bytes[i] = (uint8_t)(first >> (56 - 8 * i));
	block.bits = (uint8_t)(is_ipv4 ? special_ipv4[index].bits : special_ipv6[index].bits);
	*ret_block = block;
	return true;
}

bool address_port_parse(const char *text, struct address_port *ret_value, struct err *err)
{
	char copy[ADDRESS_PORT_TEXT_SIZE];
	struct address_port value;
	unsigned long port;

	if (strlen(text) >= sizeof(copy))
		return err_set(err, "'%.64s' is not an address with a port", text);
	memcpy(copy, text, strlen(text) + 1);

	char *colon = strrchr(copy, ':');
	char *host = copy;

	if (!colon || !whole_number(colon + 1, UINT16_MAX, &port))
		return err_set(
			err, "'%s' has no port; write 192.0.2.1:53 or [2001:db8::1]:53", text);
	*colon = '\0';

	bool bracketed = *host == '[' && colon > copy && colon[-1] == ']';

	if (bracketed) {
		colon[-1] = '\0';
		host++;
	}
	if (!address_parse(host, &value.address) ||
		bracketed != (value.address.family == ADDRESS_IPV6))
		return err_set(err,
			"'%s' is not an address with a port; write 192.0.2.1:53 or "
			"[2001:db8::1]:53",
			text);
	value.port = (uint16_t)port;
	*ret_value = value;
	return true;
}

void address_port_print(
	const struct address_port *value, char ret_text[static ADDRESS_PORT_TEXT_SIZE])
{
	char address[ADDRESS_TEXT_SIZE];
	bool is_ipv6 = value->address.family == ADDRESS_IPV6;

	address_print(&value->address, address);
	snprintf(ret_text, ADDRESS_PORT_TEXT_SIZE, is_ipv6 ? "[%s]:%u" : "%s:%u", address,
		value->port);
}

socklen_t address_to_sockaddr(
	const struct address_port *value, struct sockaddr_storage *ret_sockaddr)
{
	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	if (value->address.family == ADDRESS_IPV4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret_sockaddr;

		in->sin_family = AF_INET;
		in->sin_port = htons(value->port);
		memcpy(&in->sin_addr, value->address.bytes, 4);
		return sizeof(*in);
	}

	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_sockaddr;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(value->port);
	memcpy(&in6->sin6_addr, value->address.bytes, 16);
	return sizeof(*in6);
}

struct address address_of_in6(const struct in6_addr *in6)
{
	struct address address = {.family = ADDRESS_IPV6};

	if (IN6_IS_ADDR_V4MAPPED(in6))
		return address_of_in(in6->s6_addr + 12);
	memcpy(address.bytes, in6, 16);
	return address;
}

bool address_from_sockaddr(const struct sockaddr *sockaddr, struct address_port *ret_value)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sockaddr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sockaddr;

	if (sockaddr->sa_family == AF_INET)
		*ret_value = (struct address_port){
			address_of_in((const uint8_t *)&in->sin_addr), ntohs(in->sin_port)};
	else if (sockaddr->sa_family == AF_INET6)
		*ret_value = (struct address_port){
			address_of_in6(&in6->sin6_addr), ntohs(in6->sin6_port)};
	else
		return false;
	return true;
}
