/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "dial.h"
#include "request.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/probe/multi.h"
#include "tell.h"

/* TLS and frames of HTTP/2, beyond what is in proportion to the answer. */
#define RECEIVED_AROUND 65536

static void after_ms(struct event *event, uint32_t ms)
{
	const struct timeval wait = {
		.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	event_add(event, &wait);
}

/* ---- one request ---- */

static uint32_t limit_of(const struct settings_monitor *monitor, enum reason_phase phase)
{
	const uint32_t limits[] = {
		[PHASE_RESOLVE] = monitor->resolve_ms,
		[PHASE_CONNECT] = monitor->connect_ms,
		[PHASE_TLS] = monitor->tls_ms,
		[PHASE_ANSWER] = monitor->first_byte_ms,
		[PHASE_BODY] = 0, /* the whole has a limit, and a body may be big */
	};

	return limits[phase];
}

/* Of the whole check; 0: none. */
static uint32_t left_ms(const struct check *check)
{
	uint64_t used_ms = (clock_monotonic_us() - check->began_at_us) / 1000;

	return used_ms < check->monitor->timeout_ms
		? (uint32_t)(check->monitor->timeout_ms - used_ms)
		: 0;
}

void check_enter(struct check *check, enum reason_phase phase)
{
	uint32_t limit_ms = limit_of(check->monitor, phase);

	check->phase = phase;
	check->phase_at_us[phase] = clock_monotonic_us();
	/* in the others it is libcurl that ends the whole */
	if (phase == PHASE_RESOLVE && (limit_ms == 0 || limit_ms > left_ms(check)))
		limit_ms = left_ms(check) + 1;
	if (check->limit && limit_ms > 0)
		after_ms(check->limit, limit_ms);
	else if (check->limit)
		event_del(check->limit);
}

static void ask(struct check *check)
{
	long timeout_ms = (long)left_ms(check);

	check_enter(check, PHASE_CONNECT);
	request_aim(check, timeout_ms > 0 ? timeout_ms : 1); /* 0 would be for ever */
	multi_add(check->checks->multi, check->easy);
}

static void on_resolved(void *context, const struct names_result *result)
{
	struct check *check = context;
	const struct names_family *found =
		result->ipv4.state == NAMES_FOUND ? &result->ipv4 : &result->ipv6;

	check->lookup = NULL;
	if (found->state == NAMES_FOUND) {
		check->address = found->addresses[0];
		ask(check);
		return;
	}
	text_print(&check->refused, "redirects to %s, which cannot be resolved: %s",
		check->hops[check->hop_count - 1].host,
		result->ipv4.state == NAMES_FAILED ? result->ipv4.why : result->ipv6.why);
	check_finish(check, CURLE_COULDNT_RESOLVE_HOST);
}

/* libcurl would ask in a thread, and wait for that to end when the check is over before. */
static void resolve(struct check *check)
{
	struct checks *checks = check->checks;
	const char *host = check->hops[check->hop_count - 1].host;

	if (address_parse(host, &check->address)) {
		ask(check);
		return;
	}
	if (!checks->names)
		checks->names = names_new(checks->base, checks->servers);
	check_enter(check, PHASE_RESOLVE);
	check->lookup = lookup_start(checks->names, host, on_resolved, check);
}

/* ---- from first to last ---- */

static void on_limit(evutil_socket_t fd, short what, void *context)
{
	struct check *check = context;

	(void)fd;
	(void)what;
	check->limit_ms = left_ms(check) > 0 ? limit_of(check->monitor, check->phase) : 0;
	check_finish(check, CURLE_OPERATION_TIMEDOUT);
}

static void on_no_budget(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	check_skip(context);
}

/* Later, from the event loop: who ordered it does not know it yet. */
static void skip_later(struct check *check)
{
	check->limit = evtimer_new(check->checks->base, on_no_budget, check);
	after_ms(check->limit, 0);
}

static bool has_limits(const struct settings_monitor *monitor)
{
	return monitor->resolve_ms > 0 || monitor->connect_ms > 0 || monitor->tls_ms > 0 ||
		monitor->first_byte_ms > 0 || monitor->redirect_host;
}

/* What no answer has: its header fields, its body, and as much again for what is around them. */
static uint64_t received_max(const struct check *check)
{
	return 2 * (ANSWER_HEADERS_MAX + check->answer->body_max) + RECEIVED_AROUND;
}

static void get_ready(struct check *check)
{
	struct checks *checks = check->checks;
	bool tells_all = check->order.findings != NULL;

	check->easy = curl_easy_init();
	if (!check->easy)
		abort(); /* out of memory, as base/memory.c would say */
	if (has_limits(check->monitor))
		check->limit = evtimer_new(checks->base, on_limit, check);
	if (check->monitor->range_bytes > 0)
		range_choose(check->monitor, check->memory, &checks->random, &check->ask);
	check->sight.trust = check->order.recipe->trust;
	check->sight.chains = checks->chains;
	check->sight.keeps_chain = tells_all;
	check->answer = memory_new(sizeof(*check->answer));
	check->hops = memory_new((REDIRECT_MAX + 1) * sizeof(check->hops[0]));
	answer_init(check->answer, check->order.recipe);
	check->answer->keeps_all = tells_all;
	check->sight.received_max = received_max(check);
	check->address = check->order.address;
	redirect_begin(check->monitor, &check->hops[0]);
	check->hop_count = 1;
	request_prepare(check);
}

void check_begin(struct check *check)
{
	check->began_at_us = clock_monotonic_us();
	if (check->monitor->range_bytes > 0 &&
		!range_has_budget(check->monitor, check->memory, clock_unix_s(), &check->refused)) {
		skip_later(check);
		return;
	}
	get_ready(check);
	ask(check);
}

/* ---- its end ---- */

/* Forgets the request that is over, but for where it went. */
static void forget(struct check *check)
{
	multi_remove(check->checks->multi, check->easy);
	check->spent_bytes += check->answer->body_bytes;
	answer_reset(check->answer);
	sight_done(&check->sight);
	check->sight = (struct sight){
		.trust = check->sight.trust,
		.chains = check->sight.chains,
		.keeps_chain = check->sight.keeps_chain,
		.received_max = check->sight.received_max,
	};
	memset(check->phase_at_us, 0, sizeof(check->phase_at_us));
	check->tls_protocol = NULL;
	check->detail[0] = '\0';
	check->has_socket = false;
}

bool check_goes_on(struct check *check, CURLcode code)
{
	const struct answer *answer = check->answer;
	bool is_whole = code == CURLE_OK || code == CURLE_WRITE_ERROR; /* or cut by us */
	struct hop next;

	if (!is_whole || check->has_full_headers ||
		!redirect_is_one(check->monitor, answer->status, answer->location) ||
		!redirect_follow(check->monitor, check->hops, check->hop_count, answer->location,
			&next, &check->refused))
		return false;
	check->redirect_status = answer->status;
	check->ended_at_us = clock_monotonic_us();
	tell_hop(check);
	forget(check);
	check->hops[check->hop_count++] = next;
	if (next.is_own) {
		check->address = check->order.address;
		ask(check);
	} else {
		resolve(check);
	}
	return true;
}

void check_judge(struct check *check, CURLcode code, struct outcome *ret_outcome)
{
	check->ended_at_us = clock_monotonic_us();

	struct outcome_facts facts = {
		.transfer = {.monitor = check->monitor,
			.certificate = &check->sight,
			.answer = check->answer,
			.ask = check->monitor->range_bytes > 0 ? &check->ask : NULL,
			.name = check->hops[check->hop_count - 1].host,
			.refused = check->refused.size > 0 ? check->refused.bytes : "",
			.goaway = check->goaway,
			.detail = check->detail,
			.code = code,
			.limit_ms = check->limit_ms,
			.phase = check->phase,
			.has_full_headers = check->has_full_headers},
		.memory = check->memory,
		.took_us = check->ended_at_us - check->began_at_us,
		.now_unix_s = clock_unix_s(),
	};

	curl_easy_getinfo(check->easy, CURLINFO_OS_ERRNO, &facts.transfer.os_error);
	if (code == CURLE_COULDNT_CONNECT && check->refused.size == 0 &&
		dial_is_our_fault((int)facts.transfer.os_error))
		check->is_short = true;
	outcome_judge(&facts, ret_outcome);
	tell_hop(check);
}

void check_stop(struct check *check)
{
	if (check->limit)
		event_free(check->limit);
	if (!check->easy)
		return;
	lookup_cancel(check->lookup);
	multi_remove(check->checks->multi, check->easy);
	curl_easy_cleanup(check->easy);
	range_spend(check->memory, clock_unix_s(), check->spent_bytes + check->answer->body_bytes);
}

void check_free(struct check *check)
{
	curl_slist_free_all(check->connect_to);
	for (size_t i = 0; i < check->hop_count; i++)
		hop_done(&check->hops[i]);
	sight_done(&check->sight);
	text_done(&check->refused);
	if (check->answer)
		answer_done(check->answer);
	free(check->answer);
	free(check->hops);
	recipe_drop(check->order.recipe);
	free(check);
}
