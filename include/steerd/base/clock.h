/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/*
 * clock - the two clocks.  Timers use the monotonic one; the wall clock is for people and certificates.
 *
 * Pure functions take time as an argument; only the four programs and their loops ask here.  [any thread]
 */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);
uint64_t clock_unix_s(void);
uint64_t clock_unix_ms(void);

#endif
