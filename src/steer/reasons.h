/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REASONS_H
#define REASONS_H

#include "spread.h"
#include "steerd/steer/steer.h"
#include "walk.h"

/*
 * reasons - why each address of a tree is, or is not, among those that a choice holds.
 */
struct reasons_question {
	const struct steer_pool *root;
	enum steer_kind kind;
	const struct walk
		*walk; /* as it was settled for the first level, in which most is usable */
	const struct spread *spread; /* what was chosen */
};

/* Adds a candidate for each address, in configured order. */
void reasons_trace(const struct reasons_question *question, struct steer_trace *trace);

#endif
