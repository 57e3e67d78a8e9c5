/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GUARD_CROWD_H
#define TESTS_GUARD_CROWD_H

#include <stddef.h>
#include <stdint.h>

/*
 * guard_crowd - a guard with many members: pools of ten, in one above them, with every limit.
 */
struct crowd;

/* So many endpoints, each of one address. */
struct crowd *crowd_new(size_t count);
void crowd_free(struct crowd *crowd);

/* Every `nth` target fails, the others pass; 0: none fails. */
void crowd_show(struct crowd *crowd, size_t nth);
void crowd_step(struct crowd *crowd, uint64_t now_ms);
/* How many addresses are believed down. */
size_t crowd_down(const struct crowd *crowd);

#endif
