/* SPDX-License-Identifier: Apache-2.0 */
#include "prober.h"

#include <ares.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <inttypes.h>

#include "reports.h"
#include "steerd/base/log.h"
#include "steerd/cage/cage.h"
#include "steerd/link/link.h"
#include "steerd/link/stream.h"
#include "steerd/notify/deliver.h"
#include "steerd/outbound/algorithms.h"
#include "steerd/probe/orders.h"
#include "steerd/probe/watches.h"

#define CAGE_EVERY_S 1

struct prober {
	struct event_base *base;
	struct stream stream;
	struct event *readable;
	struct event *tick; /* is the cage still what it was? */
	struct reports *reports;
	struct watches *watches;
	struct deliver *deliver;
	struct orders *orders; /* held; NULL before the first */
	struct cage *cage;     /* NULL before the first orders */
	bool is_again;	       /* what is lacking was said by the one before */
	int exit_code;
};

static void end(struct prober *prober, int exit_code)
{
	prober->exit_code = exit_code;
	event_base_loopbreak(prober->base);
}

/* ---- to steerd ---- */

static void make_table(void *context, struct verdict_table *ret_table)
{
	struct prober *prober = context;

	watches_get_table(prober->watches, ret_table);
}

static void on_change(void *context, size_t row, uint8_t state)
{
	struct prober *prober = context;

	reports_change(prober->reports, row, state);
}

static void on_found(void *context, const struct link_findings *findings)
{
	struct prober *prober = context;

	reports_add_findings(prober->reports, findings);
}

static void on_delivered(void *context, const struct link_delivered *delivered)
{
	struct prober *prober = context;

	reports_add_delivered(prober->reports, delivered);
}

/* ---- the cage ---- */

/* To be started again, with another cage. */
static void renew(struct prober *prober, struct text *why)
{
	log_info("ends to start again with other rights: %s", why->bytes);
	text_clear(why);
	end(prober, PROBER_EXIT_RENEW);
}

/* Once for each steerd, not for each prober. */
static void say_lacks(const struct prober *prober, struct text *lacks)
{
	if (lacks->size > 0)
		log_lines(prober->is_again ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, lacks->bytes);
	text_done(lacks);
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
	say_lacks(prober, &text);
	needs_done(&needs);
	return is_covered;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct prober *prober = context;
	struct text why = {0};

	(void)fd;
	(void)what;
	if (prober->cage && !cage_is_current(prober->cage, &why))
		renew(prober, &why);
	text_done(&why);
}

/* ---- from steerd ---- */

static bool take_word(struct prober *prober, const struct stream_frame *frame, struct err *err)
{
	struct arena *arena = arena_new();
	struct link_pushed pushed;
	bool done = link_read_pushed(frame->body, frame->body_size, arena, &pushed, err);

	if (done)
		watches_take_word(prober->watches, &pushed);
	arena_free(arena);
	return done;
}

static bool take_orders(struct prober *prober, const struct stream_frame *frame, struct err *err)
{
	struct orders *orders = orders_read(frame->body, frame->body_size, prober->orders, err);

	if (!orders)
		return false;
	if (!enclose(prober, &orders->link)) {
		orders_drop(orders);
		return true;
	}
	watches_obey(prober->watches, orders);
	verdict_table_done(&orders->link.verdicts); /* they go on in the watches; megabytes */
	deliver_obey(prober->deliver, orders);
	orders_drop(prober->orders);
	prober->orders = orders;
	reports_begin(prober->reports);
	log_info("orders of generation %" PRIu64 ": %zu targets", orders->link.targets.generation,
		orders->link.targets.count);
	return true;
}

static bool take_inquiry(struct prober *prober, const struct stream_frame *frame, struct err *err)
{
	struct arena *arena = arena_new();
	struct link_inquiry inquiry;
	bool taken = link_read_inquiry(frame->body, frame->body_size, arena, &inquiry, err);

	if (taken)
		watches_inquire(prober->watches, &inquiry);
	arena_free(arena);
	return taken;
}

static bool take_notice(struct prober *prober, const struct stream_frame *frame, struct err *err)
{
	struct arena *arena = arena_new();
	struct link_notice notice;
	bool taken = link_read_notice(frame->body, frame->body_size, arena, &notice, err);

	if (taken)
		deliver_take(prober->deliver, &notice);
	arena_free(arena);
	return taken;
}

static bool obey(struct prober *prober, const struct stream_frame *frame, struct err *err)
{
	switch (frame->kind) {
	case LINK_ORDERS:
		return take_orders(prober, frame, err);
	case LINK_INQUIRY:
		return take_inquiry(prober, frame, err);
	case LINK_PUSHED:
		return take_word(prober, frame, err);
	case LINK_NOTICE:
		return take_notice(prober, frame, err);
	case LINK_VERDICTS:
	case LINK_STATES:
	case LINK_FINDINGS:
	case LINK_DELIVERED:
		break;
	}
	return err_set(err, "what a prober says came in place of orders");
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
	} else if (prober->stream.in.size == 0) {
		text_done(&prober->stream.in); /* orders are long, and seldom */
	}
}

/* ---- the whole ---- */

static void start(struct prober *prober, const struct prober_options *options)
{
	const struct watches_options watches_options = {
		.servers = options->servers,
		.most_at_once = options->most_at_once,
		.changed = on_change,
		.found = on_found,
		.context = prober,
	};
	const struct deliver_options deliver_options = {
		.servers = options->servers,
		.done = on_delivered,
		.context = prober,
	};
	const struct timeval every = {.tv_sec = CAGE_EVERY_S};

	prober->base = event_base_new();
	prober->stream.fd = options->fd;
	prober->watches = watches_new(prober->base, &watches_options);
	prober->deliver = deliver_new(prober->base, &deliver_options);
	prober->readable =
		event_new(prober->base, options->fd, EV_READ | EV_PERSIST, on_readable, prober);
	prober->tick = event_new(prober->base, -1, EV_PERSIST, on_tick, prober);
	prober->reports = reports_new(prober->base, &prober->stream, make_table, prober);
	event_add(prober->readable, NULL);
	event_add(prober->tick, &every);
}

static void stop(struct prober *prober)
{
	watches_free(prober->watches);
	deliver_free(prober->deliver);
	orders_drop(prober->orders);
	cage_free(prober->cage);
	event_free(prober->readable);
	event_free(prober->tick);
	reports_free(prober->reports);
	event_base_free(prober->base);
	stream_done(&prober->stream);
}

int prober_run(const struct prober_options *options)
{
	struct prober prober = {.is_again = options->is_again};
	struct text lacks = {0};

	cage_prepare(&lacks);
	say_lacks(&prober, &lacks);
	if (!algorithms_restrict())
		log_info("OpenSSL is as this machine configures it: a check costs more");
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
