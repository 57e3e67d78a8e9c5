/* SPDX-License-Identifier: Apache-2.0 */
#include "phases.h"

#include <time.h>

#include "steerd/outbound/terms.h"

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void phases_init(struct phases *phases, struct event_base *base, uint32_t whole_ms,
	event_callback_fn over, void *context)
{
	*phases = (struct phases){.timer = evtimer_new(base, over, context),
		.started_at_us = now_us(),
		.whole_ms = whole_ms};
	phases->phase_at_us = phases->started_at_us;
}

void phases_done(struct phases *phases)
{
	event_free(phases->timer);
}

void phases_begin(struct phases *phases, uint32_t phase_ms)
{
	uint64_t now = now_us();
	uint64_t end = phases->started_at_us + (uint64_t)phases->whole_ms * 1000;
	uint64_t phase_end = now + (uint64_t)phase_ms * 1000;

	phases->phase_at_us = now;
	phases->phase_ms = 0;
	if (phase_ms > 0 && phase_end < end) {
		phases->phase_ms = phase_ms;
		end = phase_end;
	}

	uint64_t wait_us = end > now ? end - now : 0;
	const struct timeval wait = {
		.tv_sec = (time_t)(wait_us / 1000000), .tv_usec = (suseconds_t)(wait_us % 1000000)};

	event_add(phases->timer, &wait);
}

void phases_end(struct phases *phases, const char *phase, struct findings *findings)
{
	findings_add(findings, FINDING_PHASE, phase, "", now_us() - phases->phase_at_us);
}

void phases_print_limit(const struct phases *phases, struct text *ret_text)
{
	terms_limit(phases->phase_ms > 0 ? phases->phase_ms : phases->whole_ms, ret_text);
}

uint32_t phases_took_ms(const struct phases *phases)
{
	return (uint32_t)((now_us() - phases->started_at_us + 999) / 1000);
}
