/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "steerd/base/clock.h"

void random_octets(void *ret_octets, size_t size)
{
	uint8_t *at = ret_octets;

	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			perror("steerd: the system has no random numbers");
			abort();
		}
		at += got;
		size -= (size_t)got;
	}
}

/* splitmix64 (Vigna, public domain algorithm): spreads a seed with few bits over a whole word. */
static uint64_t spread(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void random_seed_with(struct random *random, uint64_t seed)
{
	random->state[0] = spread(&seed);
	random->state[1] = spread(&seed);
}

void random_seed(struct random *random)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = clock_unix_ms();
	random_seed_with(random, seed);
}
