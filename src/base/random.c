/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/random.h"

#include <sys/random.h>

#include "steerd/base/clock.h"

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
