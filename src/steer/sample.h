/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"

/*
 * sample - some of a few, in proportion to their weights, as a step function of one random number.
 *
 * Systematic sampling (Madow 1949): lay the weights end to end on a line, scaled so that `want` of them
 * are `want` units long, and take whatever lies under a comb of teeth one unit apart that is shifted by the
 * random number.  What is longer than a unit is always taken, and the rest share what is left.
 */
#define SAMPLE_WHOLE (UINT64_C(1) << 32) /* the random number is below it */

struct sample {
	uint64_t below;		/* holds for random numbers below it, from the sample before on */
	const uint16_t *chosen; /* indices, rising */
	size_t count;
};

/* `ret_samples` cover [0, SAMPLE_WHOLE); at most `count` of them.  All weights must be above 0, and
 * count below 65536.  Memory is from `arena`. */
size_t sample_split(struct arena *arena, const uint32_t *weights, size_t count, size_t want,
	struct sample **ret_samples);

#endif
