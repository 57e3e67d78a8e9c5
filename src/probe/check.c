/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <event2/event.h>

#include "steerd/base/clock.h"

uint32_t check_limit_ms(const struct check *check)
{
	const struct settings_monitor *monitor = check->monitor;
	const uint32_t limits[] = {
		[PHASE_RESOLVE] = monitor->resolve_ms,
		[PHASE_CONNECT] = monitor->connect_ms,
		[PHASE_TLS] = monitor->tls_ms,
		[PHASE_ANSWER] = monitor->first_byte_ms,
		[PHASE_BODY] = 0, /* the whole has a limit, and a body may be big */
	};

	return limits[check->phase];
}

uint32_t check_left_ms(const struct check *check)
{
	uint64_t used_ms = (clock_monotonic_us() - check->began_at_us) / 1000;

	return used_ms < check->monitor->timeout_ms
		? (uint32_t)(check->monitor->timeout_ms - used_ms)
		: 0;
}

static void wake_after(struct check *check, uint32_t ms)
{
	const struct timeval wait = {
		.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	event_add(check->limit, &wait);
}

void check_enter(struct check *check, enum reason_phase phase)
{
	uint32_t limit_ms;

	check->phase = phase;
	check->phase_at_us[phase] = clock_monotonic_us();
	limit_ms = check_limit_ms(check);
	/* in the others it is libcurl that ends the whole */
	if (phase == PHASE_RESOLVE && (limit_ms == 0 || limit_ms > check_left_ms(check)))
		limit_ms = check_left_ms(check) + 1;
	if (check->limit && limit_ms > 0)
		wake_after(check, limit_ms);
	else if (check->limit)
		event_del(check->limit);
}
