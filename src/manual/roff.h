/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MANUAL_ROFF_H
#define MANUAL_ROFF_H

#include "steerd/base/text.h"

/*
 * roff - text as mdoc(7) takes it.
 */

/* Prose: each sentence on a line of its own, `words` in backquotes as literals.  Ends with a line break. */
void roff_add_prose(struct text *page, const char *prose);

/* Lines as they are, for a literal display. */
void roff_add_literal(struct text *page, const char *lines);

/* A line of a macro begins (roff_macro), takes words that stand for themselves (roff_add), and ends (roff_end). */
void roff_begin(struct text *page, const char *macro);
void roff_add(struct text *page, const char *word);
void roff_end(struct text *page);

#endif
