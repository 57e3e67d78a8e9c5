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

/* One place of so many is not for checks that may hang. */
#define SOUND_PART 4

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

/* ---- who is next ---- */

static struct check_queue *queue_of(struct check *check)
{
	if (check->is_running)
		return &check->checks->running;
	return check->is_suspect ? &check->checks->suspects : &check->checks->waiting;
}

/*
 * Who came first.  But those whose last check failed, which may hang as long as they are allowed to, leave a quarter of the
 * places to the others: a region that is gone must not delay what is known of those that live.
 */
static struct check *next(const struct checks *checks)
{
	struct check *sound = TAILQ_FIRST(&checks->waiting);
	struct check *suspect = TAILQ_FIRST(&checks->suspects);

	if (checks->suspect_count >= checks->at_once - checks->at_once / SOUND_PART)
		suspect = NULL;
	if (!sound || !suspect)
		return sound ? sound : suspect;
	return sound->turn < suspect->turn ? sound : suspect;
}

/* Lets who is next run, as long as there is room. */
static void run_waiting(struct checks *checks)
{
	struct check *check;

	while (checks->running_count < checks->at_once && (check = next(checks))) {
		if (checks->running_count == 0)
			beat_again(checks);
		TAILQ_REMOVE(queue_of(check), check, link);
		TAILQ_INSERT_TAIL(&checks->running, check, link);
		checks->running_count++;
		checks->suspect_count += check->is_suspect;
		check->is_running = true;
		check->started_at_ms = clock_monotonic_ms();
		check_begin(check);
	}
}

/* ---- its end ---- */

/* Off the loop: nothing of it happens any more. */
static void stop(struct check *check)
{
	struct checks *checks = check->checks;

	TAILQ_REMOVE(queue_of(check), check, link);
	if (!check->is_running)
		return;
	checks->running_count--;
	checks->suspect_count -= check->is_suspect;
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
	if (result && !result->is_skipped)
		check->memory->has_failed = !result->passed;
	check->order.done(check->order.context, result);
	check_free(check);
	run_waiting(checks);
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

	(void)fd;
	(void)what;
	if (note_lag(checks) > ROUND_MAX_MS)
		checks->at_once -= checks->at_once / 4;
	else if (checks->running_count >= checks->at_once || !TAILQ_EMPTY(&checks->suspects))
		checks->at_once += 1 + checks->at_once / 16;
	if (checks->at_once < AT_ONCE_MIN)
		checks->at_once = AT_ONCE_MIN;
	if (checks->at_once > checks->most_at_once)
		checks->at_once = checks->most_at_once;
	run_waiting(checks);
	if (checks->running_count > 0)
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
	TAILQ_INIT(&checks->waiting);
	TAILQ_INIT(&checks->suspects);
	TAILQ_INIT(&checks->running);
	checks->at_once = most_at_once < AT_ONCE_FIRST ? most_at_once : AT_ONCE_FIRST;
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
	struct check *check;

	if (!checks)
		return;
	while ((check = TAILQ_FIRST(&checks->waiting)) ||
		(check = TAILQ_FIRST(&checks->suspects)) || (check = TAILQ_FIRST(&checks->running)))
		drop(check);
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
	check->is_suspect = check->memory->has_failed;
	check->turn = checks->turn++;
	recipe_hold(order->recipe);
	TAILQ_INSERT_TAIL(queue_of(check), check, link);
	run_waiting(checks);
	return check;
}

void check_cancel(struct check *check)
{
	if (!check)
		return;

	struct checks *checks = check->checks;

	drop(check);
	run_waiting(checks);
}
