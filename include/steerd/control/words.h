/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_WORDS_H
#define CONTROL_WORDS_H

#include "steerd/health/belief.h"
#include "steerd/health/override.h"
#include "steerd/health/verdict.h"

/*
 * words - what enums are called, in JSON, on disk and in sentences.
 */
const char *words_kind(enum override_kind kind);      /* "drain" */
const char *words_kind_done(enum override_kind kind); /* "drained" */
const char *words_verdict(enum verdict_state state);  /* "down" */
const char *words_belief(enum belief_why why);	      /* "loss"; of what is simply seen NULL */
const char *words_stays_up(
	enum belief_why why); /* why it stays up though its checks fail; NULL: it does not */

/* The last checks as marks, the newest last: '.' passed, '!' passed and was not well, 'x' failed. */
void words_outcomes(const struct verdict *row, char ret_marks[static VERDICT_OUTCOMES + 1]);

#endif
