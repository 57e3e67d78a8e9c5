/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAGE_CAGE_H
#define CAGE_CAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/text.h"
#include "steerd/cage/needs.h"

/*
 * cage - gives up, for good, what a prober has no need of: it is the one process that parses what strangers send.
 *
 *	at the start      no capability, no way to gain one, nobody of its user looks into it
 *	at the first      files: what its orders need (cage/needs.h), by Landlock; system calls: what no prober makes is
 *	orders            refused (cage/filter.h), by seccomp
 *
 * What was closed is never opened again: when later orders need more, or a file that it may read was put in the
 * place of another, the process ends, and steerd starts it again with another cage.  What the kernel does not have
 * is left out, and said.  Threads that were started before the orders, of which we have none, would keep their files.
 */
struct cage;

/* The first half; call it before anything is read from anyone.  A line for what could not be done is added to
 * `ret_lacks`. */
void cage_prepare(struct text *ret_lacks);

/*
 * The second half.  Takes the needs' memory.  A line for each thing that the kernel lacks, with what that means, is
 * added to `ret_lacks`.
 */
struct cage *cage_close(struct needs *needs, struct text *ret_lacks);
/* Whether these needs are met; if not, what is missing is added to `ret_why`. */
bool cage_covers(const struct cage *cage, const struct needs *needs, struct text *ret_why);
/* Whether all its files are still those that it was closed around; the same. */
bool cage_is_current(const struct cage *cage, struct text *ret_why);
/* Of the memory; the process stays in it.  NULL is allowed. */
void cage_free(struct cage *cage);

#endif
