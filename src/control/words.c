/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/words.h"

static const char *const kinds[] = {
	[OVERRIDE_NONE] = "none",
	[OVERRIDE_DRAIN] = "drain",
	[OVERRIDE_DOWN] = "down",
	[OVERRIDE_UP] = "up",
};

static const char *const kinds_done[] = {
	[OVERRIDE_NONE] = "released",
	[OVERRIDE_DRAIN] = "drained",
	[OVERRIDE_DOWN] = "forced down",
	[OVERRIDE_UP] = "forced up",
};

static const char *const verdicts[] = {
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_UP] = "up",
	[VERDICT_DEGRADED] = "degraded",
	[VERDICT_DOWN] = "down",
};

const char *words_kind(enum override_kind kind)
{
	return kinds[kind];
}

const char *words_kind_done(enum override_kind kind)
{
	return kinds_done[kind];
}

const char *words_verdict(enum verdict_state state)
{
	return verdicts[state];
}
