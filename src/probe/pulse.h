/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PULSE_H
#define PROBE_PULSE_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;

/*
 * pulse - whether this process was stopped or starved for a while, and so has no right to judge what failed meanwhile.
 *
 * A beat that comes late tells it.  There is one only while someone holds the pulse.
 */
struct pulse;

/* `on_beat` is called with how late the beat is, which is how long the event loop took for a round. */
struct pulse *pulse_new(
	struct event_base *base, void (*on_beat)(void *context, uint64_t late_ms), void *context);
void pulse_free(struct pulse *pulse); /* NULL is allowed */

void pulse_hold(struct pulse *pulse);
void pulse_drop(struct pulse *pulse);

/* Whether it missed a beat since then; to be asked while the pulse is held. */
bool pulse_is_missed_since(struct pulse *pulse, uint64_t since_monotonic_ms);

#endif
