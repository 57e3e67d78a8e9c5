/* SPDX-License-Identifier: Apache-2.0 */
#include "probes.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "checks.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

struct probe {
	struct probes *probes;
	struct probe_order order;
	void *run; /* the kind's; NULL: it could not be started */
	struct err why;
	struct event *failed; /* tells it, from the event loop */
	LIST_ENTRY(probe) link;
};

struct probes {
	struct event_base *base;
	struct checks *checks;
	LIST_HEAD(, probe) running;
};

/* ---- kinds ---- */

/* `start` gives what `cancel` takes, or NULL with the reason; it calls on_done(), with the probe for a context, later. */
struct kind {
	void *(*start)(struct probe *probe, struct err *err);
	void (*cancel)(void *run);
};

static void on_done(void *context, const struct judge_check *result);

static void *start_http(struct probe *probe, struct err *err)
{
	const struct orders *orders = probe->order.orders;
	size_t monitor = (size_t)(probe->order.monitor - orders->link.monitors);
	const struct check_order order = {
		.monitor = probe->order.monitor,
		.address = probe->order.address,
		.trust = orders->trust[monitor],
		.done = on_done,
		.context = probe,
	};

	if (!order.trust) {
		err_set(err, "%s", orders->trust_why[monitor]);
		return NULL;
	}
	return check_start(probe->probes->checks, &order);
}

static void cancel_http(void *run)
{
	check_cancel(run);
}

static const struct kind kinds[] = {
	[KIND_HTTPS] = {start_http, cancel_http},
	[KIND_HTTP] = {start_http, cancel_http},
};

/* ---- what all have in common ---- */

/* But for the orders, in which what is told may lie. */
static void probe_free(struct probe *probe)
{
	LIST_REMOVE(probe, link);
	if (probe->failed)
		event_free(probe->failed);
	free(probe);
}

static void on_done(void *context, const struct judge_check *result)
{
	struct probe *probe = context;
	struct probe_order order = probe->order;

	probe_free(probe);
	order.done(order.context, result);
	orders_drop(order.orders);
}

static void on_failed(evutil_socket_t fd, short what, void *context)
{
	struct probe *probe = context;
	struct err why = probe->why;

	(void)fd;
	(void)what;
	on_done(probe, &(struct judge_check){.at_unix_s = clock_unix_s(), .reason = why.text});
}

static void fail_later(struct probe *probe)
{
	const struct timeval at_once = {0};

	probe->failed = evtimer_new(probe->probes->base, on_failed, probe);
	event_add(probe->failed, &at_once);
}

static void *start(struct probe *probe)
{
	enum settings_kind which = probe->order.monitor->kind;

	if (which < COUNT_OF(kinds) && kinds[which].start)
		return kinds[which].start(probe, &probe->why);
	err_set(&probe->why, "this prober has no checks of that kind");
	return NULL;
}

struct probe *probe_start(struct probes *probes, const struct probe_order *order)
{
	struct probe *probe = memory_new(sizeof(*probe));

	probe->probes = probes;
	probe->order = *order;
	orders_hold(order->orders);
	LIST_INSERT_HEAD(&probes->running, probe, link);
	probe->run = start(probe);
	if (!probe->run)
		fail_later(probe);
	return probe;
}

void probe_cancel(struct probe *probe)
{
	if (!probe)
		return;
	if (probe->run)
		kinds[probe->order.monitor->kind].cancel(probe->run);

	struct orders *orders = probe->order.orders;

	probe_free(probe);
	orders_drop(orders);
}

struct probes *probes_new(struct event_base *base, size_t most_at_once)
{
	struct probes *probes = memory_new(sizeof(*probes));

	probes->base = base;
	probes->checks = checks_new(base, most_at_once);
	LIST_INIT(&probes->running);
	return probes;
}

void probes_free(struct probes *probes)
{
	struct probe *probe;

	if (!probes)
		return;
	while ((probe = LIST_FIRST(&probes->running)))
		probe_cancel(probe);
	checks_free(probes->checks);
	free(probes);
}
