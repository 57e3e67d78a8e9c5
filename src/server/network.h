/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_NETWORK_H
#define SERVER_NETWORK_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "steerd/base/address.h"
#include "steerd/base/random.h"

/*
 * network - the network that a client is in, as one word, and a hash of such words that clients cannot aim.
 *
 * [query path]
 */
struct network_masks {
	uint64_t ipv4;
	uint64_t ipv6;
};

/* Addresses that have so many bits in common are one network: of IPv4 1 to 32, of IPv6 1 to 64. */
static inline struct network_masks network_masks_of(unsigned ipv4_bits, unsigned ipv6_bits)
{
	return (struct network_masks){
		.ipv4 = UINT64_MAX << (32 - ipv4_bits), .ipv6 = UINT64_MAX << (64 - ipv6_bits)};
}

/* One of IPv4 has the upper octet of IPv6 multicast, where no packet comes from. */
static inline uint64_t network_of(const struct network_masks *masks, const struct address *address)
{
	uint64_t ipv6;
	uint32_t ipv4;

	if (address->family == ADDRESS_IPV4) {
		memcpy(&ipv4, address->bytes, sizeof(ipv4));
		return UINT64_C(0xff) << 56 | (be32toh(ipv4) & masks->ipv4);
	}
	memcpy(&ipv6, address->bytes, sizeof(ipv6));
	return be64toh(ipv6) & masks->ipv6;
}

/*
 * Multiply-shift (Dietzfelbinger 1996) over the halves of the word, which is strongly universal: of
 * all keys, one in 2^n makes the upper n bits of the hashes of two given networks the same, whichever those
 * are (n up to 33).  That holds while nobody sees what comes of it.
 */
struct network_key {
	uint64_t factors[2];
	uint64_t addend;
};

static inline struct network_key network_key_of(struct random *random)
{
	return (struct network_key){
		{random_next(random), random_next(random)}, random_next(random)};
}

/* The upper bits are what to use. */
static inline uint64_t network_hash(const struct network_key *key, uint64_t network)
{
	return key->factors[0] * (uint32_t)network + key->factors[1] * (network >> 32) +
		key->addend;
}

#endif
