/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_OUTCOME_H
#define PROBE_OUTCOME_H

#include "reason.h"
#include "steerd/health/judge.h"

/*
 * outcome - what a check that is over means: passed, degraded or failed, why, and what else was seen.  Pure, but for
 * `memory`, in which the file's ETag and size are kept for the next check.
 */
struct outcome_facts {
	struct reason_facts transfer;
	struct check_memory *memory;
	uint64_t took_us; /* of the whole check */
	uint64_t now_unix_s;
};

struct outcome {
	struct judge_check result; /* its texts are of the fields below and of the facts */
	struct text reason;
	struct text note;
};

void outcome_judge(const struct outcome_facts *facts, struct outcome *ret_outcome);
void outcome_done(struct outcome *outcome);

#endif
