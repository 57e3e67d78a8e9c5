/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/memory.h"
#include "steerd/control/words.h"
#include "view.h"

/* ---- what is believed as a whole ---- */

static void observer_problem(const struct view *view, json_t *problems)
{
	const struct guard_observer *observer = view->facts->observer;
	uint64_t now = view->facts->now_unix_s;
	char span[TEXT_DURATION_SIZE];

	if (!observer || !observer->is_suspect)
		return;
	text_duration(
		now > observer->since_unix_s ? (now - observer->since_unix_s) * 1000 : 0, span);
	if (observer->are_canaries_down)
		json_push_line(problems,
			"for %s no canary answers: this host may be cut off, so nothing goes down",
			span);
	else
		json_push_line(problems,
			"for %s %u of %u checks fail, in %u networks at once: the fault may be "
			"ours, so nothing goes down",
			span, observer->failing, observer->checked, observer->networks);
}

static void panic_problem(const struct view *view, size_t index, json_t *problems)
{
	const struct settings_pool *pool = view->pools[index].pool;
	const struct guard_pool_state *state = &view->states[index];
	const char *then = view_all_down_words(view, &view->pools[index]);

	if (state->state != BELIEF_POOL_PANIC)
		return;
	if (pool->panic_percent > 0 && pool->method != METHOD_FAILOVER)
		json_push_line(problems,
			"pool %s is in panic: %u%% of its capacity is left, and panic-below is "
			"%u%%: %s",
			pool->name, state->percent, pool->panic_percent, then);
	else
		json_push_line(problems, "pool %s is in panic: no member of it is sound: %s",
			pool->name, then);
}

static void pool_problems(const struct view *view, json_t *problems)
{
	for (size_t i = 0; i < view->pool_count; i++) {
		const struct settings_pool *pool = view->pools[i].pool;
		const char *lost = view_lost_words(&view->pools[i]);

		if (lost && pool->member_count > 0)
			json_push_line(problems, "pool %s has no usable %s: %s", pool->name, lost,
				view_all_down_words(view, &view->pools[i]));
		else
			panic_problem(view, i, problems);
		if (view->states[i].is_without)
			json_push_line(problems,
				"pool %s serves without pool %s, which it needs: its addresses "
				"count as %s",
				pool->name, view->settings->pools[pool->needs].name,
				pool->without == WITHOUT_UP		? "up"
					: pool->without == WITHOUT_DOWN ? "down"
									: "degraded");
	}
}

/* ---- the daemon and its prober ---- */

static void prober_problem(const struct control_prober *prober, json_t *problems)
{
	char span[TEXT_DURATION_SIZE];

	text_duration(prober->heard_ms, span);
	if (prober->heard_ms == UINT64_MAX)
		strcpy(span, "the start");
	if (prober->state == CONTROL_PROBER_DOWN)
		json_push_line(problems,
			"the prober does not run%s%s: health stays as it was; it is started again",
			prober->why ? ": " : "", prober->why ? prober->why : "");
	if (prober->state == CONTROL_PROBER_SILENT)
		json_push_line(problems,
			"the prober has said nothing %s %s: health stays as it was",
			prober->heard_ms == UINT64_MAX ? "since" : "for", span);
	if (prober->refused > 0)
		json_push_line(problems,
			"the prober said what cannot be, %" PRIu64
			" time%s, and was replaced: are steerd "
			"and steerd-prober of one version?",
			prober->refused, prober->refused == 1 ? "" : "s");
}

/* So long, and a receiver does not answer: one that is slow has had several tries. */
#define NOTICES_LATE_MS 60000

static void notices_problem(const struct control_notices *notices, json_t *problems)
{
	char span[TEXT_DURATION_SIZE];

	if (notices->waiting == 0 || notices->oldest_ms < NOTICES_LATE_MS)
		return;
	text_duration(notices->oldest_ms, span);
	json_push_line(problems, "%zu notification%s cannot be delivered, the oldest for %s",
		notices->waiting, notices->waiting == 1 ? "" : "s", span);
}

static void cookie_problem(const struct snapshot *snapshot, json_t *problems)
{
	if (snapshot->secrets == SNAPSHOT_SECRETS_OF_RUN)
		json_push_line(problems,
			"'%s' is wrong: DNS cookies are made with a secret of this run, which no "
			"other "
			"server knows",
			snapshot->secrets_path);
}

/* It is allowed, and it is loud: what such a check says a user's browser may not say. */
static void unverified_problems(const struct settings *settings, json_t *problems)
{
	for (size_t i = 0; i < settings->monitor_count; i++) {
		const struct settings_monitor *monitor = &settings->monitors[i];

		if (monitor->is_tls && !monitor->verifies)
			json_push_line(problems,
				"monitor %s does not verify certificates (verify: no): it passes "
				"where users are refused",
				monitor->name);
	}
}

/* ---- addresses ---- */

/* One address of a member that an override does not rule. */
struct sight {
	const struct view *view;
	const struct view_member *member;
	const struct belief *belief;
	const struct verdict *verdict; /* that says most; NULL: none does */
	char address[ADDRESS_TEXT_SIZE];
};

static const char *reason_of(const struct sight *sight)
{
	return sight->verdict && *sight->verdict->reason ? sight->verdict->reason : NULL;
}

static void PRINTF_LIKE(3, 4)
	push_sight(const struct sight *sight, json_t *problems, const char *fmt, ...)
{
	const char *reason = reason_of(sight);
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	json_push_line(problems, "%s/%s %s %s%s%s", sight->member->pool->name,
		sight->member->member->name, sight->address, what, reason ? ": " : "",
		reason ? reason : "");
}

static bool was_ever_up(const struct sight *sight)
{
	return !sight->verdict || sight->verdict->was_up;
}

static void down_problem(const struct sight *sight, json_t *problems)
{
	const struct belief *belief = sight->belief;
	uint64_t now = sight->view->facts->now_unix_s;
	char span[TEXT_DURATION_SIZE];

	text_duration(now > belief->since_unix_s ? (now - belief->since_unix_s) * 1000 : 0, span);
	if (belief->why == BELIEF_RETURN)
		push_sight(sight, problems, "is well again and waits: 'steerctl return %s/%s'",
			sight->member->pool->name, sight->member->member->name);
	else if (!was_ever_up(sight))
		push_sight(sight, problems, "is down for %s and never passed a check", span);
	else
		push_sight(sight, problems, "is down for %s", span);
}

static void address_problem(const struct sight *sight, json_t *problems)
{
	const struct belief *belief = sight->belief;
	const char *stays_up = words_stays_up(belief->why);

	if (belief->state == VERDICT_DOWN)
		down_problem(sight, problems);
	else if (belief->seen == VERDICT_DOWN && stays_up)
		push_sight(sight, problems, "fails, and stays up, for %s", stays_up);
	else if (belief->state == VERDICT_DEGRADED && belief->why != BELIEF_WITHOUT)
		push_sight(sight, problems, "is degraded");
}

static void member_problems(const struct view *view, json_t *problems)
{
	for (size_t i = 0; i < view->member_count; i++) {
		struct sight sight = {.view = view, .member = &view->members[i]};
		size_t count;
		const struct belief *beliefs = view_beliefs(view, sight.member, &count);

		if (sight.member->state == VIEW_UNRESOLVED)
			json_push_line(problems, "%s/%s: its host %s has no address yet",
				sight.member->pool->name, sight.member->member->name,
				sight.member->member->host);
		for (size_t k = 0; k < count; k++) {
			sight.belief = &beliefs[k];
			sight.verdict = view_telling(view, sight.member, &beliefs[k].address);
			address_print(&beliefs[k].address, sight.address);
			address_problem(&sight, problems);
		}
	}
}

/* ---- certificates ---- */

/* The row of a monitor whose certificate ends first: the same one often stands on every address. */
static const struct verdict *first_to_end(const struct view *view, uint32_t monitor)
{
	const struct verdict_table *table = view->facts->verdicts;
	const struct target_list *targets = &view->facts->plan->snapshot->targets;
	const struct verdict *first = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct verdict *row = &table->rows[i];

		if (targets->targets[row->target].monitor == monitor &&
			row->certificate_until_unix_s &&
			(!first || row->certificate_until_unix_s < first->certificate_until_unix_s))
			first = row;
	}
	return first;
}

static void certificate_problems(const struct view *view, json_t *problems)
{
	for (uint32_t i = 0; i < view->settings->monitor_count; i++) {
		const struct settings_monitor *monitor = &view->settings->monitors[i];
		uint64_t now = view->facts->now_unix_s;
		const struct verdict *row =
			monitor->certificate_warn_days > 0 ? first_to_end(view, i) : NULL;
		char address[ADDRESS_TEXT_SIZE];
		char span[TEXT_DURATION_SIZE];
		char time[TEXT_TIME_SIZE];

		if (!row || row->certificate_until_unix_s <= now ||
			row->certificate_until_unix_s - now >
				(uint64_t)monitor->certificate_warn_days * 86400)
			continue;
		address_print(&row->address, address);
		text_time(row->certificate_until_unix_s, time);
		text_duration((row->certificate_until_unix_s - now) * 1000, span);
		json_push_line(problems,
			"the certificate for %s by %s ends in %s, at %s UTC (monitor %s, %s)",
			row->certificate, row->issuer, span, time, monitor->name, address);
	}
}

json_t *reply_problems(const struct view *view)
{
	const struct control_facts *facts = view->facts;
	json_t *problems = json_array();

	observer_problem(view, problems);
	pool_problems(view, problems);
	prober_problem(&facts->prober, problems);
	if (facts->state_error)
		json_push_line(problems, "state is not saved: %s", facts->state_error);
	if (facts->reload.at_unix_s && !facts->reload.done) {
		char time[TEXT_TIME_SIZE];

		text_time(facts->reload.at_unix_s, time);
		json_push_line(problems,
			"the files had mistakes when they were read at %s UTC: see 'steerctl "
			"check'",
			time);
	}
	notices_problem(&facts->notices, problems);
	cookie_problem(facts->plan->snapshot, problems);
	unverified_problems(view->settings, problems);
	certificate_problems(view, problems);
	member_problems(view, problems);
	return problems;
}
