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

static const char *const beliefs[] = {
	[BELIEF_SEEN] = NULL,
	[BELIEF_OBSERVER] = "observer",
	[BELIEF_LOSS] = "loss",
	[BELIEF_EVIDENCE] = "evidence",
	[BELIEF_FAILBACK] = "failback",
	[BELIEF_RETURN] = "return",
	[BELIEF_RAMP] = "ramp",
	[BELIEF_WITHOUT] = "without",
};

static const char *const stays_up[] = {
	[BELIEF_OBSERVER] = "so much failed at once that the fault may be ours",
	[BELIEF_LOSS] = "its pool lost as much as health may take away in a minute",
	[BELIEF_EVIDENCE] = "it is one of the last of its pool, and more failures are needed",
	[BELIEF_WITHOUT] = NULL, /* the last one: the table is as long as the enum */
};

const char *words_belief(enum belief_why why)
{
	return beliefs[why];
}

const char *words_stays_up(enum belief_why why)
{
	return stays_up[why];
}

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

void words_outcomes(const struct verdict *row, char ret_marks[static VERDICT_OUTCOMES + 1])
{
	size_t count =
		row->outcome_count < VERDICT_OUTCOMES ? row->outcome_count : VERDICT_OUTCOMES;

	for (size_t i = 0; i < count; i++) {
		uint64_t bit = UINT64_C(1) << (count - 1 - i);

		ret_marks[i] = row->outcomes_failed & bit ? 'x'
			: row->outcomes_degraded & bit	  ? '!'
							  : '.';
	}
	ret_marks[count] = '\0';
}
