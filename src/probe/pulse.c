/* SPDX-License-Identifier: Apache-2.0 */
#include "pulse.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

/* Seldom enough to cost nothing; what it finds late is the same. */
#define BEAT_MS 100

/* Later than this is no busy machine any more. */
#define MISSED_MS 500

struct pulse {
	struct event *beat;
	unsigned holders;
	uint64_t due_at_ms;
	uint64_t missed_at_ms; /* last; 0: never */
};

static void beat_again(struct pulse *pulse)
{
	const struct timeval wait = {.tv_usec = BEAT_MS * 1000};

	pulse->due_at_ms = clock_monotonic_ms() + BEAT_MS;
	event_add(pulse->beat, &wait);
}

static void look(struct pulse *pulse)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms >= pulse->due_at_ms + MISSED_MS)
		pulse->missed_at_ms = now_ms;
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	look(context);
	beat_again(context);
}

struct pulse *pulse_new(struct event_base *base)
{
	struct pulse *pulse = memory_new(sizeof(*pulse));

	pulse->beat = evtimer_new(base, on_beat, pulse);
	return pulse;
}

void pulse_free(struct pulse *pulse)
{
	if (!pulse)
		return;
	event_free(pulse->beat);
	free(pulse);
}

void pulse_hold(struct pulse *pulse)
{
	if (pulse->holders++ == 0)
		beat_again(pulse);
}

void pulse_drop(struct pulse *pulse)
{
	if (--pulse->holders == 0)
		event_del(pulse->beat);
}

bool pulse_is_missed_since(struct pulse *pulse, uint64_t since_monotonic_ms)
{
	/* this may be the first thing to run after the pause, before the beat */
	look(pulse);
	return pulse->missed_at_ms >= since_monotonic_ms && pulse->missed_at_ms > 0;
}
