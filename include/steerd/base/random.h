/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * random - numbers that nobody relies on to be secret, but for random_octets(): shares, jitter, rotation.
 *
 * Each thread has its own state; a test chooses the seed.  xoroshiro128++ (Blackman and Vigna, public domain
 * algorithm): 2 words of state, no system call.
 */
struct random {
	uint64_t state[2];
};

/* What nobody can foretell, from the kernel's generator: for secrets.  Ends the process if there is none. */
void random_octets(void *ret_octets, size_t size);

/* From the kernel's generator. */
void random_seed(struct random *random);
/* The same sequence for the same seed. */
void random_seed_with(struct random *random, uint64_t seed);
/* [query path] */
static inline uint64_t random_next(struct random *random)
{
	uint64_t a = random->state[0];
	uint64_t b = random->state[1];
	uint64_t sum = a + b;
	uint64_t result = (sum << 17 | sum >> 47) + a;

	b ^= a;
	random->state[0] = (a << 49 | a >> 15) ^ b ^ b << 21;
	random->state[1] = b << 28 | b >> 36;
	return result;
}

/* Uniform in [0, below); `below` must be below 2^32. */
static inline uint32_t random_below(struct random *random, uint32_t below)
{
	return (uint32_t)((random_next(random) >> 32) * below >> 32);
}

#endif
