/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a look of the guard costs: one step over many addresses in pools of ten, under one pool, with every limit.
 *
 *	bench_guard ADDRESSES ROUNDS
 *
 * A round goes through what may happen to them: all is well, a third fails, all fail, all come back; 20 steps each, 7 s apart.  For
 * each a line goes to stdout, the CPU time of a step in microseconds:
 *
 *	kind=calm median_us=N worst_us=N down=N
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit/health/guard_crowd.h"
#include "steerd/base/memory.h"

#define STEPS 20
#define STEP_MS 7000

static const struct {
	const char *kind;
	size_t failing; /* every so-manyth */
} phases[] = {{"calm", 0}, {"third", 3}, {"storm", 1}, {"recovery", 0}};

static uint64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The steps of one phase, added to `took_us`. */
static void run_phase(struct crowd *crowd, size_t phase, uint64_t *now_ms, uint64_t *took_us)
{
	for (size_t i = 0; i < STEPS; i++) {
		crowd_show(crowd, phases[phase].failing);
		*now_ms += STEP_MS;

		uint64_t begin_us = cpu_us();

		crowd_step(crowd, *now_ms);
		took_us[i] = cpu_us() - begin_us;
	}
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
	size_t samples = STEPS * rounds;
	uint64_t *took_us[COUNT_OF(phases)];
	size_t down[COUNT_OF(phases)];
	uint64_t now_ms = 0;
	struct crowd *crowd;

	if (argc > 3 || count == 0 || rounds == 0) {
		fprintf(stderr, "usage: bench_guard ADDRESSES ROUNDS\n");
		return 2;
	}
	crowd = crowd_new(count);
	crowd_step(crowd, now_ms);
	for (size_t phase = 0; phase < COUNT_OF(phases); phase++)
		took_us[phase] = memory_new(samples * sizeof(took_us[phase][0]));
	for (size_t round = 0; round < rounds; round++)
		for (size_t phase = 0; phase < COUNT_OF(phases); phase++) {
			run_phase(crowd, phase, &now_ms, took_us[phase] + round * STEPS);
			down[phase] = crowd_down(crowd);
		}
	for (size_t phase = 0; phase < COUNT_OF(phases); phase++) {
		qsort(took_us[phase], samples, sizeof(took_us[phase][0]), compare);
		printf("kind=%s median_us=%llu worst_us=%llu down=%zu\n", phases[phase].kind,
			(unsigned long long)took_us[phase][samples / 2],
			(unsigned long long)took_us[phase][samples - 1], down[phase]);
		free(took_us[phase]);
	}
	crowd_free(crowd);
	return 0;
}
