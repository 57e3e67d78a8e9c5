/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/probe/prober.h"

#include <ares.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <inttypes.h>

#include "cage.h"
#include "orders.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "stream.h"
#include "watches.h"

/* A whole table goes out this often, changed or not: steerd knows by it that we live. */
#define TABLE_EVERY_S 1

/*
 * A change goes out at once; the next one waits for the rest of this, so that many at a time cost
 * one table each 5 ms.
 */
#define CHANGE_GAP_MS 5

struct prober {
	struct event_base *base;
	struct stream stream;
	struct event *readable;
	struct event *writable;
	struct event *tick;
	struct event *changed; /* pending: a table is to be sent */
	struct watches *watches;
	struct orders *orders; /* held; NULL before the first */
	struct cage *cage;     /* NULL before the first orders */
	uint64_t sent_at_ms;
	bool is_behind; /* steerd has not yet read the last table, and it is out of date */
	int exit_code;
};

static void end(struct prober *prober, int exit_code)
{
	prober->exit_code = exit_code;
	event_base_loopbreak(prober->base);
}

/* ---- to steerd ---- */

static void flush(struct prober *prober)
{
	struct err err;

	/* that steerd is gone is seen by the reader */
	if (stream_flush(&prober->stream, &err) && prober->stream.out.size > 0)
		event_add(prober->writable, NULL);
}

static void send_table(struct prober *prober)
{
	struct verdict_table table;

	if (!prober->orders)
		return;
	/*
	 * never more than one table waits; the next is made from what is known when this one is
	 * gone
	 */
	if (prober->stream.out.size > 0) {
		prober->is_behind = true;
		return;
	}
	prober->is_behind = false;
	prober->sent_at_ms = clock_monotonic_ms();
	watches_get_table(prober->watches, &table);
	link_write_verdicts(&table, &prober->stream.out);
	verdict_table_done(&table);
	flush(prober);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct prober *prober = context;

	(void)fd;
	(void)what;
	flush(prober);
	if (prober->is_behind && prober->stream.out.size == 0)
		send_table(prober);
}

static void on_table_due(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	send_table(context);
}

/* ---- the cage ---- */

/* To be started again, with another cage. */
static void renew(struct prober *prober, struct text *why)
{
	log_info("ends to start again with other rights: %s", why->bytes);
	text_clear(why);
	end(prober, PROBER_EXIT_RENEW);
}

/* False: these orders need more than we have. */
static bool enclose(struct prober *prober, const struct link_orders *orders)
{
	struct needs needs;
	struct text text = {0};
	bool is_covered = true;

	needs_find(orders, &needs);
	if (prober->cage) {
		is_covered = cage_covers(prober->cage, &needs, &text);
		if (!is_covered)
			renew(prober, &text);
	} else {
		prober->cage = cage_close(&needs, &text);
	}
	if (text.size > 0)
		log_lines(LOG_LEVEL_WARNING, text.bytes);
	text_done(&text);
	needs_done(&needs);
	return is_covered;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct prober *prober = context;
	struct text why = {0};

	if (prober->cage && !cage_is_current(prober->cage, &why))
		renew(prober, &why);
	else
		on_table_due(fd, what, context);
	text_done(&why);
}

static void on_change(void *context)
{
	struct prober *prober = context;
	uint64_t since_ms = clock_monotonic_ms() - prober->sent_at_ms;
	struct timeval wait = {0};

	if (since_ms < CHANGE_GAP_MS)
		wait.tv_usec = (suseconds_t)(CHANGE_GAP_MS - since_ms) * 1000;
	if (!event_pending(prober->changed, EV_TIMEOUT, NULL))
		event_add(prober->changed, &wait);
}

/* ---- from steerd ---- */

static bool obey(struct prober *prober, const struct stream_frame *frame, struct err *err)
{
	if (frame->kind != LINK_ORDERS)
		return err_set(err, "verdicts came in place of orders");

	struct orders *orders = orders_read(frame->body, frame->body_size, prober->orders, err);

	if (!orders)
		return false;
	if (!enclose(prober, &orders->link)) {
		orders_drop(orders);
		return true;
	}
	watches_obey(prober->watches, orders);
	orders_drop(prober->orders);
	prober->orders = orders;
	log_info("orders of generation %" PRIu64 ": %zu targets", orders->link.targets.generation,
		orders->link.targets.count);
	return true;
}

static bool obey_all(struct prober *prober, struct err *err)
{
	for (;;) {
		struct stream_frame frame;
		bool found;

		if (!stream_peek(&prober->stream, &found, &frame, err))
			return false;
		if (!found)
			return true;
		if (!obey(prober, &frame, err))
			return false;
		stream_drop(&prober->stream, &frame);
		if (prober->exit_code == PROBER_EXIT_RENEW)
			return true;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct prober *prober = context;
	struct err err = {.text = ""};
	struct err nonsense;
	bool lives = stream_receive(&prober->stream, &err);

	(void)fd;
	(void)what;
	if (!obey_all(prober, &nonsense)) {
		log_err("orders refused: %s", nonsense.text);
		end(prober, PROBER_EXIT_REFUSED);
	} else if (!lives) {
		end(prober, PROBER_EXIT_DONE);
	}
}

/* ---- the whole ---- */

static void start(struct prober *prober, const struct prober_options *options)
{
	const struct watches_options watches_options = {
		.servers = options->servers,
		.most_at_once = options->most_at_once,
		.changed = on_change,
		.context = prober,
	};
	const struct timeval every = {.tv_sec = TABLE_EVERY_S};

	prober->base = event_base_new();
	prober->stream.fd = options->fd;
	prober->watches = watches_new(prober->base, &watches_options);
	prober->readable =
		event_new(prober->base, options->fd, EV_READ | EV_PERSIST, on_readable, prober);
	prober->writable = event_new(prober->base, options->fd, EV_WRITE, on_writable, prober);
	prober->tick = event_new(prober->base, -1, EV_PERSIST, on_tick, prober);
	prober->changed = evtimer_new(prober->base, on_table_due, prober);
	event_add(prober->readable, NULL);
	event_add(prober->tick, &every);
}

static void stop(struct prober *prober)
{
	watches_free(prober->watches);
	orders_drop(prober->orders);
	cage_free(prober->cage);
	event_free(prober->readable);
	event_free(prober->writable);
	event_free(prober->tick);
	event_free(prober->changed);
	event_base_free(prober->base);
	stream_done(&prober->stream);
}

int prober_run(const struct prober_options *options)
{
	struct prober prober = {.exit_code = 0};

	cage_prepare();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		log_err("libcurl or c-ares cannot be started");
		return 1;
	}
	start(&prober, options);
	event_base_dispatch(prober.base);
	stop(&prober);
	ares_library_cleanup();
	curl_global_cleanup();
	return prober.exit_code;
}
