/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "steerd/base/err.h"

struct in6_addr;

/*
 * address - IP addresses, prefixes of them, and addresses with a port.
 *
 * Plain values: copied, compared, never allocated.  The bytes are in network order, as on the wire.
 * [any thread]
 */
enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

struct address {
	uint8_t family;	   /* enum address_family */
	uint8_t bytes[16]; /* IPv4 uses the first four; the rest is zero */
};

struct prefix {
	struct address address; /* the bits after `bits` are zero */
	uint8_t bits;
};

struct address_port {
	struct address address;
	uint16_t port;
};

#define ADDRESS_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_SIZE (ADDRESS_TEXT_SIZE + 4)
#define ADDRESS_PORT_TEXT_SIZE (ADDRESS_TEXT_SIZE + 8)

/* 32 or 128. */
static inline unsigned address_bits(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 32 : 128;
}

/* 4 or 16. */
static inline size_t address_size(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 4 : 16;
}

/* "192.0.2.1" or "2001:db8::1"; no scope, no brackets. */
bool address_parse(const char *text, struct address *ret_address);
void address_print(const struct address *address, char ret_text[static ADDRESS_TEXT_SIZE]);
bool address_is_equal(const struct address *a, const struct address *b);
/* <0, 0, >0: IPv4 before IPv6, then by value. */
int address_compare(const struct address *a, const struct address *b);

/* Wildcard of its family (0.0.0.0 or ::). */
bool address_is_any(const struct address *address);

/* "192.0.2.0/24"; without "/n" the whole address.  Bits set beyond the length are a mistake. */
bool prefix_parse(const char *text, struct prefix *ret_prefix, struct err *err);
void prefix_print(const struct prefix *prefix, char ret_text[static PREFIX_TEXT_SIZE]);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
/* The address with all bits from `bits` on cleared. */
struct prefix prefix_of(const struct address *address, unsigned bits);

/*
 * The length of the special-purpose block (RFC 6890: private, loopback, link-local, documentation,
 * multicast and the like) that holds the address, 0 for an address of the open Internet.
 * [query path]
 */
unsigned address_special_bits(const struct address *address);
/* Those blocks one by one, from index 0 on; false behind the last of the family. */
bool address_special_block(enum address_family family, size_t index, struct prefix *ret_block);

/* "192.0.2.1:53" or "[2001:db8::1]:53". */
bool address_port_parse(const char *text, struct address_port *ret_value, struct err *err);
void address_port_print(
	const struct address_port *value, char ret_text[static ADDRESS_PORT_TEXT_SIZE]);

/* To and from the kernel's form; the length is returned.  IPv4-mapped IPv6 becomes IPv4. */
socklen_t address_to_sockaddr(
	const struct address_port *value, struct sockaddr_storage *ret_sockaddr);
bool address_from_sockaddr(const struct sockaddr *sockaddr, struct address_port *ret_value);
/* The address alone, for who knows the family.  [query path] */
static inline struct address address_of_in(const uint8_t octets[static 4])
{
	struct address address = {.family = ADDRESS_IPV4};

	memcpy(address.bytes, octets, 4);
	return address;
}
struct address address_of_in6(const struct in6_addr *in6);

#endif
