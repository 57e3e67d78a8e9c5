/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "chains.h"
#include "check.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/probe/multi.h"
#include "tell.h"

/*
 * While checks run a beat tells how long the event loop takes for one round.  A handshake needs
 * some five rounds, so that a long round looks like a slow backend: above 50 ms fewer checks run at
 * once, below it more.  What hangs needs no rounds, and may be as many as there are descriptors.
 */
#define BEAT_MS 50
#define ROUND_MAX_MS 50
#define AT_ONCE_FIRST 64
#define AT_ONCE_MIN 16

/*
 * Longer than this, and the process was stopped or starved: it has no right to judge what failed
 * meanwhile.
 */
#define STARVED_MS 500
#define LOG_EVERY_MS 60000

static void beat_again(struct checks *checks)
{
	const struct timeval wait = {.tv_usec = BEAT_MS * 1000};

	checks->beat_due_at_ms = clock_monotonic_ms() + BEAT_MS;
	event_add(checks->beat, &wait);
}

static struct check *check_of(struct turn *turn)
{
	return (struct check *)((char *)turn - offsetof(struct check, turn));
}

static void begin(struct turn *turn, void *context)
{
	struct checks *checks = context;
	struct check *check = check_of(turn);

	if (checks->turns.running_count == 1)
		beat_again(checks);
	check->started_at_ms = clock_monotonic_ms();
	check_begin(check);
}

/* ---- its end ---- */

/* Off the loop: nothing of it happens any more. */
static void stop(struct check *check)
{
	struct checks *checks = check->checks;

	bool is_running = check->turn.has_place;

	turns_leave(&checks->turns, &check->turn);
	if (is_running)
		check_stop(check);
}

/* How long the beat is overdue: the length of this round. */
static uint64_t note_lag(struct checks *checks)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t lag_ms = now_ms > checks->beat_due_at_ms ? now_ms - checks->beat_due_at_ms : 0;

	if (lag_ms < STARVED_MS)
		return lag_ms;
	checks->starved_at_ms = now_ms;
	if (checks->logged_at_ms == 0 || now_ms - checks->logged_at_ms > LOG_EVERY_MS) {
		log_warning("stopped or starved for %" PRIu64
			    " ms: checks that failed meanwhile do not count",
			lag_ms);
		checks->logged_at_ms = now_ms;
	}
	return lag_ms;
}

static bool was_starved_during(const struct check *check)
{
	/* this may be the first thing to run after the pause, before the beat */
	(void)note_lag(check->checks);
	return check->checks->starved_at_ms >= check->started_at_ms;
}

/* It is tried again soon; that must not go on in silence. */
static void log_shortage(struct checks *checks)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (checks->shortage_at_ms > 0 && now_ms - checks->shortage_at_ms < LOG_EVERY_MS)
		return;
	checks->shortage_at_ms = now_ms;
	log_err("no descriptor, memory or port left for a check: it does not count");
}

/* Whether the fault may be ours. */
static bool is_void(const struct check *check, const struct judge_check *result)
{
	if (check->is_short)
		log_shortage(check->checks);
	return check->is_short || (!result->passed && was_starved_during(check));
}

static void end(struct check *check, const struct judge_check *result)
{
	struct checks *checks = check->checks;

	tell_verdict(check, result);
	stop(check);
	check->order.done(check->order.context, result);
	check_free(check);
	turns_go_on(&checks->turns);
}

void check_finish(struct check *check, CURLcode code)
{
	struct outcome outcome;

	if (check_goes_on(check, code))
		return;
	check_judge(check, code, &outcome);
	end(check, is_void(check, &outcome.result) ? NULL : &outcome.result);
	outcome_done(&outcome);
}

void check_skip(struct check *check)
{
	end(check,
		&(struct judge_check){
			.is_skipped = true,
			.at_unix_s = clock_unix_s(),
			.reason = "",
			.note = check->refused.bytes,
		});
}

static void on_done(CURL *easy, CURLcode code, void *context)
{
	struct check *check;

	(void)context;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &check);
	check_finish(check, code);
}

/* ---- how many at once ---- */

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	struct checks *checks = context;
	size_t places = checks->turns.places;

	(void)fd;
	(void)what;
	if (note_lag(checks) > ROUND_MAX_MS)
		places -= places / 4;
	else if (turns_is_full(&checks->turns))
		places += 1 + places / 16;
	if (places < AT_ONCE_MIN)
		places = AT_ONCE_MIN;
	if (places > checks->most_at_once)
		places = checks->most_at_once;
	turns_set_places(&checks->turns, places);
	if (checks->turns.running_count > 0)
		beat_again(checks);
}

struct checks *checks_new(struct event_base *base, const char *servers, size_t most_at_once)
{
	struct checks *checks = memory_new(sizeof(*checks));

	checks->base = base;
	checks->servers = servers;
	checks->chains = chains_new();
	random_seed(&checks->random);
	checks->most_at_once = most_at_once;
	turns_init(&checks->turns, most_at_once < AT_ONCE_FIRST ? most_at_once : AT_ONCE_FIRST,
		begin, checks);
	checks->beat = evtimer_new(base, on_beat, checks);
	checks->multi = multi_new(base, on_done, checks);
	return checks;
}

static void drop(struct check *check)
{
	stop(check);
	check_free(check);
}

void checks_free(struct checks *checks)
{
	struct turn *turn;

	if (!checks)
		return;
	while ((turn = turns_any(&checks->turns)))
		drop(check_of(turn));
	names_free(checks->names);
	chains_free(checks->chains);
	multi_free(checks->multi);
	event_free(checks->beat);
	free(checks);
}

struct check *check_start(struct checks *checks, const struct check_order *order)
{
	struct check *check = memory_new(sizeof(*check));

	check->checks = checks;
	check->order = *order;
	check->monitor = order->recipe->monitor;
	check->memory = order->memory ? order->memory : &check->forgotten;
	recipe_hold(order->recipe);
	turns_take(&checks->turns, &check->turn, check->memory->has_failed);
	return check;
}

void check_cancel(struct check *check)
{
	if (!check)
		return;

	struct checks *checks = check->checks;

	drop(check);
	turns_go_on(&checks->turns);
}
