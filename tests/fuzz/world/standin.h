/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_WORLD_STANDIN_H
#define FUZZ_WORLD_STANDIN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * standin - time and jobs, in the hands of a fuzz target.  Both clocks are one.
 */
void standin_set_clock(uint64_t unix_s);
void standin_pass_time(uint64_t seconds);

bool standin_has_job(void);
/* Half of the first job: first it runs, the next time it is done.  In between, anything may happen. */
void standin_turn_job(void);

#endif
