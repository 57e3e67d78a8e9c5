/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "chains.h"
#include "check.h"
#include "request.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/dial.h"
#include "steerd/outbound/multi.h"
#include "tell.h"

/* TLS and frames of HTTP/2, beyond what is in proportion to the answer. */
#define RECEIVED_AROUND 65536

/* ---- its end ---- */

/* Nothing of it happens any more. */
static void stop(struct check *check)
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

static void discard(struct check *check)
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

static void end(struct check *check, const struct judge_check *result)
{
	stop(check);
	check->order.done(check->order.context, result);
	discard(check);
}

/* ---- one request ---- */

/* It is over, also where libcurl does not know that. */
static void finish(struct check *check, CURLcode code);

static void ask(struct check *check)
{
	long timeout_ms = (long)check_left_ms(check);

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
	finish(check, CURLE_COULDNT_RESOLVE_HOST);
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
	check->limit_ms = check_left_ms(check) > 0 ? check_limit_ms(check) : 0;
	finish(check, CURLE_OPERATION_TIMEDOUT);
}

static void on_no_budget(evutil_socket_t fd, short what, void *context)
{
	struct check *check = context;

	(void)fd;
	(void)what;
	end(check,
		&(struct judge_check){
			.is_skipped = true,
			.at_unix_s = clock_unix_s(),
			.reason = "",
			.note = check->refused.bytes,
		});
}

/* Later, from the event loop: who ordered it does not know it yet. */
static void skip_later(struct check *check)
{
	const struct timeval at_once = {0};

	check->limit = evtimer_new(check->checks->base, on_no_budget, check);
	event_add(check->limit, &at_once);
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

static void begin(struct check *check)
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

/* ---- from one to the next, or to the end ---- */

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

static bool goes_on(struct check *check, CURLcode code)
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

static void judge(struct check *check, CURLcode code, struct outcome *ret_outcome)
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

static void finish(struct check *check, CURLcode code)
{
	struct outcome outcome;

	if (goes_on(check, code))
		return;
	judge(check, code, &outcome);
	end(check, check->is_short ? NULL : &outcome.result);
	outcome_done(&outcome);
}

static void on_done(CURL *easy, CURLcode code, void *context)
{
	struct check *check;

	(void)context;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &check);
	finish(check, code);
}

/* ---- the whole ---- */

struct checks *checks_new(struct event_base *base, const char *servers)
{
	struct checks *checks = memory_new(sizeof(*checks));

	checks->base = base;
	checks->servers = servers;
	checks->chains = chains_new();
	random_seed(&checks->random);
	checks->multi = multi_new(base, on_done, NULL);
	return checks;
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	names_free(checks->names);
	chains_free(checks->chains);
	multi_free(checks->multi);
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
	begin(check);
	return check;
}

void check_cancel(struct check *check)
{
	if (!check)
		return;
	stop(check);
	discard(check);
}
