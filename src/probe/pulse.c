/* SPDX-License-Identifier: Apache-2.0 */
#include "pulse.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"

/* Seldom enough to cost nothing; what it finds late is the same. */
#define BEAT_MS 50

/* Later than this is no busy machine any more. */
#define MISSED_MS 500
#define LOG_EVERY_MS 60000

struct pulse {
	struct event *beat;
	void (*on_beat)(void *context, uint64_t late_ms);
	void *context;
	unsigned holders;
	uint64_t due_at_ms;
	uint64_t missed_at_ms; /* last; 0: never */
	uint64_t logged_at_ms; /* that one was; 0: never */
};

static void beat_again(struct pulse *pulse)
{
	const struct timeval wait = {.tv_usec = BEAT_MS * 1000};

	pulse->due_at_ms = clock_monotonic_ms() + BEAT_MS;
	event_add(pulse->beat, &wait);
}

/* How late the beat is now. */
static uint64_t look(struct pulse *pulse)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t late_ms = now_ms > pulse->due_at_ms ? now_ms - pulse->due_at_ms : 0;

	if (late_ms < MISSED_MS)
		return late_ms;
	pulse->missed_at_ms = now_ms;
	if (pulse->logged_at_ms == 0 || now_ms - pulse->logged_at_ms >= LOG_EVERY_MS) {
		log_warning("stopped or starved for %" PRIu64
			    " ms: checks that failed meanwhile do not count",
			late_ms);
		pulse->logged_at_ms = now_ms;
	}
	return late_ms;
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
	struct pulse *pulse = context;

	(void)fd;
	(void)what;
	pulse->on_beat(pulse->context, look(pulse));
	if (pulse->holders > 0)
		beat_again(pulse);
}

struct pulse *pulse_new(
	struct event_base *base, void (*on_beat)(void *context, uint64_t late_ms), void *context)
{
	struct pulse *pulse = memory_new(sizeof(*pulse));

	pulse->on_beat = on_beat;
	pulse->context = context;
	pulse->beat = evtimer_new(base, on_time, pulse);
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
	(void)look(pulse);
	return pulse->missed_at_ms >= since_monotonic_ms && pulse->missed_at_ms > 0;
}
