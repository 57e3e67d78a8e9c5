/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/daemon/flood.h"
#include "steerd/base/memory.h"

/* Looks at one daemon, in this order. */
static const struct {
	const char *about;
	uint64_t at_ms;
	uint64_t slipped;
	uint64_t would_have_dropped;
	const char *want; /* NULL: nothing */
} looks[] = {
	{"nothing yet", 1000, 0, 0, NULL},
	{"a dry run", 2000, 0, 7,
		"queries exceed the rate limit, 7 by now: they are answered all the same, as "
		"rate-limit.dry-run says"},
	{"it goes on", 3000, 0, 900, NULL},
	{"a lull", 62999, 0, 900, NULL},
	{"which is over", 63000, 0, 901, NULL},
	{"silence", 122999, 0, 901, NULL},
	{"for a minute", 123000, 0, 901,
		"queries no longer exceed the rate limit: 901 did, within 1 min 1 s"},
	{"still silence", 200000, 0, 901, NULL},
	{"the limit holds now", 201000, 10, 901,
		"queries exceed the rate limit, 10 by now: see limited_* in the counters of "
		"'steerctl status --json'"},
	{"one second was all", 300000, 10, 901,
		"queries no longer exceed the rate limit: 10 did, within 0 ms"},
};

static void a_flood_is_two_lines(void **state)
{
	struct flood flood = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(looks); i++) {
		uint64_t counters[STATS_COUNT] = {
			[STATS_UDP_QUERIES] = 1000000 + i,
			[STATS_LIMITED_SLIPPED] = looks[i].slipped,
			[STATS_WOULD_HAVE_DROPPED] = looks[i].would_have_dropped,
		};
		struct text line = {0};
		bool got = flood_look(&flood, counters, looks[i].at_ms, &line);

		if (got != !!looks[i].want || (got && strcmp(line.bytes, looks[i].want) != 0))
			fail_msg("%s: %s", looks[i].about, got ? line.bytes : "nothing");
		text_done(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_flood_is_two_lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
