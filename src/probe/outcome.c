/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <inttypes.h>

#include "days.h"
#include "steerd/outbound/terms.h"

void outcome_done(struct outcome *outcome)
{
	text_done(&outcome->reason);
	text_done(&outcome->note);
}

/* The first of several words begins the line. */
static struct text *another(struct text *line, const char *between)
{
	if (line->size > 0)
		text_add(line, between);
	return line;
}

/* What its last days mean. */
static enum days days_of(const struct outcome_facts *facts)
{
	return days_judge(
		facts->transfer.monitor, &facts->transfer.certificate->leaf, facts->now_unix_s);
}

static void describe_end(const struct outcome_facts *facts, struct text *line)
{
	days_describe(&facts->transfer.certificate->leaf, facts->now_unix_s, line);
}

/* ---- what does not fail it, but is not well ---- */

static void judge_speed(const struct outcome_facts *facts, struct text *reason)
{
	const struct settings_monitor *monitor = facts->transfer.monitor;
	uint64_t took_ms = (facts->took_us + 999) / 1000; /* as it is told */

	if (monitor->slower_than_ms == 0 || took_ms <= monitor->slower_than_ms)
		return;
	text_print(another(reason, "; "), "slow: took %" PRIu64 " ms, more than ", took_ms);
	terms_limit(monitor->slower_than_ms, reason);
}

static void judge_rate(const struct outcome_facts *facts, struct text *reason)
{
	struct text line = {0};

	if (range_is_slow(
		    facts->transfer.monitor, range_rate(&facts->transfer.answer->meter), &line))
		text_add(another(reason, "; "), line.bytes);
	text_done(&line);
}

static void judge_weaknesses(const struct outcome_facts *facts, struct outcome *outcome)
{
	enum days days = days_of(facts);

	judge_rate(facts, &outcome->reason);
	judge_speed(facts, &outcome->reason);
	if (days == DAYS_DEGRADE)
		describe_end(facts, another(&outcome->reason, "; "));
	else if (days == DAYS_WARN)
		describe_end(facts, another(&outcome->note, ", "));
	outcome->result.is_degraded = outcome->reason.size > 0;
}

static bool judge_etag(const struct outcome_facts *facts, struct text *reason)
{
	const struct answer *answer = facts->transfer.answer;
	const struct range_answer range = {
		.etag = answer->etag,
		.content_range = answer->content_range,
	};

	return !facts->transfer.ask ||
		range_judge_etag(facts->transfer.monitor, facts->memory, &range, reason);
}

static bool judge_certificate(const struct outcome_facts *facts, struct text *reason)
{
	if (days_of(facts) != DAYS_FAIL)
		return true;
	describe_end(facts, reason);
	return false;
}

/* ---- the whole ---- */

static uint32_t rate_kbit_s(const struct answer *answer)
{
	uint64_t rate = range_rate(&answer->meter) / 1000;

	return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

void outcome_judge(const struct outcome_facts *facts, struct outcome *ret_outcome)
{
	const struct certificate *leaf = &facts->transfer.certificate->leaf;
	struct outcome *outcome = ret_outcome;

	*outcome = (struct outcome){
		.result = {.latency_ms = (uint32_t)((facts->took_us + 999) / 1000),
			.at_unix_s = facts->now_unix_s,
			.rate_kbit_s = rate_kbit_s(facts->transfer.answer),
			.certificate_until_unix_s = leaf->until_unix_s,
			.certificate = leaf->names,
			.issuer = leaf->issuer},
	};
	if (leaf->until_unix_s > 0 && !facts->transfer.monitor->verifies)
		text_add(&outcome->note, "not verified");
	outcome->result.passed = reason_judge(&facts->transfer, &outcome->reason) &&
		judge_etag(facts, &outcome->reason) && judge_certificate(facts, &outcome->reason);
	if (outcome->result.passed)
		judge_weaknesses(facts, outcome);
	/* what matters more comes first: a note has little room */
	answer_print_caches(facts->transfer.answer, &outcome->note);
	outcome->result.reason = outcome->reason.bytes;
	outcome->result.note = outcome->note.bytes;
}
