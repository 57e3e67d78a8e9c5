/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_DAEMON_OUTSIDE_H
#define TEST_DAEMON_OUTSIDE_H

#include <stdint.h>

/*
 * outside - what a world asks the outside for, as a test decides it: both clocks, and the log, whose lines are kept.  The
 * linker takes these instead of the library's.
 */

/* Both clocks; the wall clock is 1700000000 s ahead. */
void outside_set_ms(uint64_t now_ms);
uint64_t outside_now_ms(void);

/* The lines since the last call, each with '!' before an error and '\n' behind; the caller frees them. */
char *outside_lines(void);

#endif
