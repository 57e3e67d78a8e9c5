/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_FLOOD_H
#define DAEMON_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/text.h"
#include "steerd/stats/stats.h"

/*
 * flood - says when queries begin to exceed the rate limit, and when that is over: two lines for an
 * attack, not one for each packet.  Pure: counters and time are arguments.  [main]
 */
struct flood {
	bool is_on;
	uint64_t begun_at_ms;
	uint64_t last_at_ms; /* that a query exceeded it */
	uint64_t before;     /* queries above the limit before it began */
	uint64_t seen;	     /* until the last look */
};

/* It is over when no query exceeded the limit for so long: attacks come in waves. */
#define FLOOD_OVER_MS 60000

/* Looks at the counters again; true: there is a line to log. */
bool flood_look(struct flood *flood, const uint64_t counters[static STATS_COUNT], uint64_t now_ms,
	struct text *ret_line);

#endif
