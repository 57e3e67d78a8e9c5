/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_MIX_H
#define ANSWER_MIX_H

#include "ask.h"
#include "steerd/base/random.h"

/*
 * mix - queries of all kinds for the world of the tests, the same for the same seed: names that exist, in any case, and
 * names below them; all types, flags, sizes and client subnets; some of them damaged.
 */
#define MIX_NAMES_MAX 80

struct mix {
	struct random random;
	size_t name_count;
	struct name_key names[MIX_NAMES_MAX];
};

void mix_init(struct mix *mix, uint64_t seed);
void mix_next(struct mix *mix, struct ask *ret_ask);
/* One that is well-formed. */
void mix_next_whole(struct mix *mix, struct ask *ret_ask);

#endif
