/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/*
 * suggest - what a mistyped word was probably meant to be.
 *
 *	struct suggestion suggestion = suggest_begin("timout");
 *	for each word that would be right
 *		suggest_try(&suggestion, word);
 *	suggestion.best is "timeout", or NULL if none is near
 *
 * Near is one slip in a word of up to five letters, two in a longer one; nothing is near a single letter.  The words must
 * outlive the suggestion.  [any thread]
 */
struct suggestion {
	const char *typed;
	const char *best;
	size_t distance; /* of `best`; before there is one, what is too far */
};

struct suggestion suggest_begin(const char *typed);
void suggest_try(struct suggestion *suggestion, const char *word);

/* Letters to insert, remove, replace, or swap with their neighbour until one text is the other;
 * texts longer than 63 bytes are as far apart as can be (SIZE_MAX). */
size_t suggest_distance(const char *a, const char *b);

#endif
