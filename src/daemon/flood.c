/* SPDX-License-Identifier: Apache-2.0 */
#include "flood.h"

#include <inttypes.h>

static void print_begin(const uint64_t *counters, const struct flood *flood, struct text *ret_line)
{
	bool is_dry_run = counters[STATS_LIMITED_SLIPPED] + counters[STATS_LIMITED_DROPPED] == 0;

	text_print(ret_line, "queries exceed the rate limit, %" PRIu64 " by now: %s",
		flood->seen - flood->before,
		is_dry_run ? "they are answered all the same, as rate-limit.dry-run says"
			   : "see limited_* in the counters of 'steerctl status --json'");
}

static void print_end(const struct flood *flood, struct text *ret_line)
{
	char lasted[TEXT_DURATION_SIZE];

	text_duration(flood->last_at_ms - flood->begun_at_ms, lasted);
	text_print(ret_line, "queries no longer exceed the rate limit: %" PRIu64 " did, within %s",
		flood->seen - flood->before, lasted);
}

bool flood_look(struct flood *flood, const uint64_t counters[static STATS_COUNT], uint64_t now_ms,
	struct text *ret_line)
{
	uint64_t limited = counters[STATS_LIMITED_SLIPPED] + counters[STATS_LIMITED_DROPPED] +
		counters[STATS_WOULD_HAVE_SLIPPED] + counters[STATS_WOULD_HAVE_DROPPED];
	bool was_on = flood->is_on;

	if (limited > flood->seen) {
		flood->is_on = true;
		flood->last_at_ms = now_ms;
	}
	if (flood->is_on && !was_on) {
		flood->begun_at_ms = now_ms;
		flood->before = flood->seen;
	}
	flood->seen = limited;
	if (flood->is_on && now_ms - flood->last_at_ms >= FLOOD_OVER_MS)
		flood->is_on = false;
	if (flood->is_on == was_on)
		return false;
	if (flood->is_on)
		print_begin(counters, flood, ret_line);
	else
		print_end(flood, ret_line);
	return true;
}
