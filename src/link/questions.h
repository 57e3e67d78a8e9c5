/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_QUESTIONS_H
#define LINK_QUESTIONS_H

#include <stdint.h>

#include "steerd/link/supervise.h"

struct event_base;

/*
 * questions - inquiries that wait for their findings, each for as long as it may.
 *
 * Who asked is told once, from the event loop; those that are left when it is freed, then.
 */
struct questions;

/* What is asked beyond these is told that it is too much. */
#define QUESTIONS_MAX 256

struct questions *questions_new(struct event_base *base);
void questions_free(struct questions *questions); /* NULL is allowed */

/*
 * Begins to wait; the id to ask with.  0: there is nothing to ask, and who asked will be told why:
 * there are too many, or `why_not` where it is not NULL.
 */
uint64_t questions_add(
	struct questions *questions, const struct supervise_inquiry *inquiry, const char *why_not);

/* Tells who asked with that id; nobody, if he has been told already. */
void questions_answer(struct questions *questions, const struct link_findings *findings);

/* Tells all that nobody is there any more who would answer. */
void questions_give_up(struct questions *questions, const char *why);

#endif
