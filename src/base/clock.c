/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/clock.h"

#include <time.h>

static uint64_t read_ms(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
	/* BOOTTIME goes on while the machine sleeps: a verdict from before a suspend is old. */
	return read_ms(CLOCK_BOOTTIME);
}

uint64_t clock_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_unix_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

uint64_t clock_unix_s(void)
{
	return clock_unix_ms() / 1000;
}
