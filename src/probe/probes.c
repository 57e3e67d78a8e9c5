/* SPDX-License-Identifier: Apache-2.0 */
#include "probes.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "check_dns.h"
#include "check_exec.h"
#include "check_memory.h"
#include "check_tcp.h"
#include "checks.h"
#include "pulse.h"
#include "push.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/outbound/runner.h"
#include "steerd/outbound/terms.h"
#include "turns.h"

/* Programs, until orders say how many. */
#define EXEC_AT_ONCE 8

#define SHORTAGE_LOG_EVERY_MS 60000

struct probe {
	struct probes *probes;
	struct probe_order order;
	const struct kind *kind;
	struct turn turn; /* of kinds that take turns */
	bool has_begun;
	void *run; /* the kind's; NULL: it has not begun, or could not be started */
	uint64_t started_at_ms;
	struct err why;
	struct event *failed; /* tells it, from the event loop */
	LIST_ENTRY(probe) link;
};

struct probes {
	struct event_base *base;
	struct checks *checks;
	struct turns turns;
	struct runner *runner;
	struct pulse *pulse;
	struct push *push;
	uint64_t shortage_at_ms; /* that it was logged; 0: never */
	LIST_HEAD(, probe) running;
};

/* ---- kinds ---- */

/* `start` gives what `cancel` takes, or NULL with the reason ("": none that says anything of the target); it calls on_done(), with the probe for a context, later. */
struct kind {
	void *(*start)(struct probe *probe, struct err *err);
	void (*cancel)(void *run);
	bool is_timed; /* it fails by a time limit, and so is void where this process had no time */
	bool may_be_slow; /* slower-than is of the whole, and judged here */
	bool takes_turns; /* each has a socket, and there may be thousands */
};

static void on_done(void *context, const struct judge_check *result);

/* What a kind gets: the same order, but it is told here that it is done. */
static struct probe_order order_of(struct probe *probe)
{
	struct probe_order order = probe->order;

	order.done = on_done;
	order.context = probe;
	return order;
}

static void *start_http(struct probe *probe, struct err *err)
{
	const struct orders *orders = probe->order.orders;
	size_t monitor = (size_t)(probe->order.monitor - orders->link.monitors);
	const struct check_order order = {
		.recipe = orders->recipes[monitor],
		.address = probe->order.address,
		.reach = &orders->reach,
		.memory = probe->order.memory,
		.findings = probe->order.findings,
		.done = on_done,
		.context = probe,
	};

	if (!order.recipe) {
		err_set(err, "%s", orders->recipe_why[monitor]);
		return NULL;
	}
	return check_start(probe->probes->checks, &order);
}

static void cancel_http(void *run)
{
	check_cancel(run);
}

static void *start_exec(struct probe *probe, struct err *err)
{
	const struct probe_order order = order_of(probe);

	(void)err;
	return check_exec_start(probe->probes->runner, &order);
}

static void cancel_exec(void *run)
{
	check_exec_cancel(run);
}

/* Whether a check may connect to that very address and port. */
static bool may_connect(const struct probe *probe, struct err *err)
{
	const struct probe_order *order = &probe->order;
	const struct address_port to = {order->address, order->monitor->port};
	struct text why = {0};
	bool is_allowed = reach_is_allowed(&order->orders->reach, &to,
				  order->monitor->allows_internal, &why) ||
		err_set(err, "%s", why.bytes);

	text_done(&why);
	return is_allowed;
}

static void *start_dns(struct probe *probe, struct err *err)
{
	const struct probe_order order = order_of(probe);

	if (!may_connect(probe, err))
		return NULL;
	return check_dns_start(probe->probes->base, &order, err);
}

static void cancel_dns(void *run)
{
	check_dns_cancel(run);
}

static void *start_tcp(struct probe *probe, struct err *err)
{
	const struct probe_order order = order_of(probe);

	if (!may_connect(probe, err))
		return NULL;
	return check_tcp_start(probe->probes->base, &order, err);
}

static void cancel_tcp(void *run)
{
	check_tcp_cancel(run);
}

static void *start_push(struct probe *probe, struct err *err)
{
	const struct probe_order order = order_of(probe);

	(void)err;
	return push_check_start(probe->probes->push, &order);
}

static void cancel_push(void *run)
{
	push_check_cancel(run);
}

static const struct kind kinds[] = {
	[KIND_HTTPS] = {.start = start_http,
		.cancel = cancel_http,
		.is_timed = true,
		.takes_turns = true},
	[KIND_HTTP] = {.start = start_http,
		.cancel = cancel_http,
		.is_timed = true,
		.takes_turns = true},
	[KIND_TCP] = {.start = start_tcp,
		.cancel = cancel_tcp,
		.is_timed = true,
		.may_be_slow = true,
		.takes_turns = true},
	[KIND_DNS] = {.start = start_dns,
		.cancel = cancel_dns,
		.is_timed = true,
		.may_be_slow = true,
		.takes_turns = true},
	[KIND_EXEC] = {.start = start_exec,
		.cancel = cancel_exec,
		.is_timed = true,
		.may_be_slow = true},
	[KIND_PUSH] = {.start = start_push, .cancel = cancel_push},
};

/* ---- what all have in common ---- */

/* But for the orders, in which what is told may lie. */
static void probe_free(struct probe *probe)
{
	LIST_REMOVE(probe, link);
	if (probe->kind && probe->kind->takes_turns)
		turns_leave(&probe->probes->turns, &probe->turn);
	if (probe->has_begun && probe->kind->is_timed)
		pulse_drop(probe->probes->pulse);
	if (probe->failed)
		event_free(probe->failed);
	free(probe);
}

static void tell(struct probe *probe, const struct judge_check *result)
{
	struct probe_order order = probe->order;
	struct probes *probes = probe->probes;

	if (order.memory && result && !result->is_skipped)
		order.memory->has_failed = !result->passed;
	probe_free(probe);
	order.done(order.context, result);
	orders_drop(order.orders);
	turns_go_on(&probes->turns);
}

/* A check that passed whole, but took longer than the monitor likes. */
static bool is_slow(const struct probe *probe, const struct judge_check *result)
{
	uint32_t limit_ms = probe->order.monitor->slower_than_ms;

	return probe->kind->may_be_slow && result->passed && !result->is_degraded && limit_ms > 0 &&
		result->latency_ms > limit_ms;
}

static void tell_slow(struct probe *probe, const struct judge_check *result)
{
	struct judge_check slow = *result;
	struct text reason = {0};

	text_print(&reason, "slow: took %u ms, more than ", result->latency_ms);
	terms_limit(probe->order.monitor->slower_than_ms, &reason);
	slow.is_degraded = true;
	slow.reason = reason.bytes;
	tell(probe, &slow);
	text_done(&reason);
}

/* It is void, and tried again soon; that must not go on in silence. */
static void tell_shortage(struct probe *probe)
{
	struct probes *probes = probe->probes;
	uint64_t now_ms = clock_monotonic_ms();

	if (probes->shortage_at_ms == 0 ||
		now_ms - probes->shortage_at_ms >= SHORTAGE_LOG_EVERY_MS) {
		probes->shortage_at_ms = now_ms;
		log_err("no descriptor, memory or port left for a check: it does not count");
	}
	tell(probe, NULL);
}

/* Whether it failed while this process had no time for it. */
static bool was_starved(const struct probe *probe, const struct judge_check *result)
{
	return probe->kind->is_timed && !result->passed && !result->is_skipped &&
		pulse_is_missed_since(probe->probes->pulse, probe->started_at_ms);
}

static void on_done(void *context, const struct judge_check *result)
{
	struct probe *probe = context;

	if (!result)
		tell_shortage(probe);
	else if (was_starved(probe, result))
		tell(probe, NULL);
	else if (is_slow(probe, result))
		tell_slow(probe, result);
	else
		tell(probe, result);
}

static void on_failed(evutil_socket_t fd, short what, void *context)
{
	struct probe *probe = context;
	struct err why = probe->why;

	(void)fd;
	(void)what;
	if (why.text[0] == '\0')
		tell_shortage(probe);
	else
		tell(probe, &(struct judge_check){.at_unix_s = clock_unix_s(), .reason = why.text});
}

static void fail_later(struct probe *probe)
{
	const struct timeval at_once = {0};

	probe->failed = evtimer_new(probe->probes->base, on_failed, probe);
	event_add(probe->failed, &at_once);
}

static const struct kind *find_kind(enum settings_kind which, struct err *err)
{
	if (which < COUNT_OF(kinds) && kinds[which].start)
		return &kinds[which];
	err_set(err, "this prober has no checks of that kind");
	return NULL;
}

static void begin(struct probe *probe)
{
	probe->has_begun = true;
	probe->started_at_ms = clock_monotonic_ms();
	if (probe->kind->is_timed)
		pulse_hold(probe->probes->pulse);
	probe->run = probe->kind->start(probe, &probe->why);
	if (!probe->run)
		fail_later(probe);
}

static void on_turn(struct turn *turn, void *context)
{
	(void)context;
	begin((struct probe *)((char *)turn - offsetof(struct probe, turn)));
}

struct probe *probe_start(struct probes *probes, const struct probe_order *order)
{
	struct probe *probe = memory_new(sizeof(*probe));

	probe->probes = probes;
	probe->order = *order;
	probe->kind = find_kind(order->monitor->kind, &probe->why);
	orders_hold(order->orders);
	LIST_INSERT_HEAD(&probes->running, probe, link);
	if (!probe->kind)
		fail_later(probe);
	else if (probe->kind->takes_turns)
		turns_take(
			&probes->turns, &probe->turn, order->memory && order->memory->has_failed);
	else
		begin(probe);
	return probe;
}

void probe_cancel(struct probe *probe)
{
	if (!probe)
		return;

	struct orders *orders = probe->order.orders;
	struct probes *probes = probe->probes;

	if (probe->run)
		probe->kind->cancel(probe->run);
	probe_free(probe);
	orders_drop(orders);
	turns_go_on(&probes->turns);
}

void probes_obey(struct probes *probes, const struct orders *orders)
{
	size_t at_once = SIZE_MAX;

	for (size_t i = 0; i < orders->link.monitor_count; i++) {
		const struct settings_monitor *monitor = &orders->link.monitors[i];

		if (monitor->kind == KIND_EXEC && monitor->at_once < at_once)
			at_once = monitor->at_once;
	}
	runner_set_at_once(probes->runner, at_once == SIZE_MAX ? EXEC_AT_ONCE : at_once);
	push_obey(probes->push, orders);
}

void probes_take_word(struct probes *probes, const struct link_pushed *pushed)
{
	push_take(probes->push, pushed);
}

static void on_beat(void *context, uint64_t late_ms)
{
	struct probes *probes = context;

	turns_adapt(&probes->turns, late_ms);
}

struct probes *probes_new(struct event_base *base, const char *servers, size_t most_at_once)
{
	struct probes *probes = memory_new(sizeof(*probes));

	probes->base = base;
	probes->checks = checks_new(base, servers);
	turns_init(&probes->turns, most_at_once, on_turn, probes);
	probes->runner = runner_new(base, EXEC_AT_ONCE);
	probes->pulse = pulse_new(base, on_beat, probes);
	probes->push = push_new(base);
	LIST_INIT(&probes->running);
	return probes;
}

void probes_free(struct probes *probes)
{
	struct probe *probe;

	if (!probes)
		return;
	turns_set_places(&probes->turns, 0); /* nobody begins any more */
	while ((probe = LIST_FIRST(&probes->running)))
		probe_cancel(probe);
	checks_free(probes->checks);
	runner_free(probes->runner);
	pulse_free(probes->pulse);
	push_free(probes->push);
	free(probes);
}
