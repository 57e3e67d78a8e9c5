/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * siphash - SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed hash that nobody without the key can foretell.
 *
 * By hand, because it stands on the query path: the interface of a library for it promises neither that it does not
 * allocate nor that it takes no lock.  [any thread, query path]
 */
#define SIPHASH_KEY_SIZE 16

struct siphash_key {
	uint64_t words[2];
};

struct siphash_key siphash_key_read(const uint8_t octets[static SIPHASH_KEY_SIZE]);
void siphash_key_write(const struct siphash_key *key, uint8_t ret_octets[static SIPHASH_KEY_SIZE]);

/* As octets the result is written from the lowest to the highest. */
uint64_t siphash(const struct siphash_key *key, const uint8_t *bytes, size_t size);

#endif
