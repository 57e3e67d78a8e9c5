/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_HEARSAY_H
#define LINK_HEARSAY_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/health/target.h"

/*
 * hearsay - what others say of targets of `push` monitors: the last word on each, and when it was said.
 *
 * Both ends of the link keep it: the prober to judge by it, steerd to say it again to the next prober when one dies.
 *
 * Start with `struct hearsay hearsay = {0};`, end with hearsay_done().
 */
struct word {
	char *key; /* of the target */
	uint8_t state; /* enum verdict_state; VERDICT_UNKNOWN: nobody has said anything since `said_at_ms` */
	char *reason;
	int64_t said_at_ms; /* monotonic; below zero: before the machine started */
};

struct hearsay {
	struct word *words; /* by key */
	size_t count;
	size_t capacity;
};

void hearsay_done(struct hearsay *hearsay);

/* Copies the word, in place of the one that was there; its reason cut to a verdict's, control characters made '?'. */
void hearsay_put(struct hearsay *hearsay, const struct word *word);
/* NULL if there is none; lent until the next word is put. */
const struct word *hearsay_find(const struct hearsay *hearsay, const char *key);
/* Forgets what was said of targets that are not in the list. */
void hearsay_prune(struct hearsay *hearsay, const struct target_list *targets);

#endif
