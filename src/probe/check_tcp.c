/* SPDX-License-Identifier: Apache-2.0 */
#include "check_tcp.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "days.h"
#include "handshake.h"
#include "phases.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/dial.h"
#include "steerd/outbound/terms.h"
#include "tell.h"

/* Of what came in place of the text, as much is shown. */
#define SHOWN_MAX 32

/* connecting ──▶ (TLS ──▶) sent, waiting for the text ──▶ judged */
enum stage { STAGE_CONNECT, STAGE_TLS, STAGE_TALK };

struct check_tcp {
	struct event_base *base;
	struct probe_order order;
	struct phases phases;
	enum stage stage;
	int fd; /* while it connects; then it is the stream's */
	struct event *writable;
	struct bufferevent *stream;
	SSL *tls; /* the stream's; NULL: plain */
	struct sight sight;
	struct text in;
};

static void check_free(struct check_tcp *check)
{
	if (check->writable)
		event_free(check->writable);
	if (check->fd >= 0)
		close(check->fd);
	/* it may outlive us by a moment */
	if (check->tls)
		SSL_set_msg_callback(check->tls, NULL);
	/* the descriptor, and the TLS connection, go with it */
	if (check->stream)
		bufferevent_free(check->stream);
	else
		SSL_free(check->tls);
	ERR_clear_error();
	sight_done(&check->sight);
	phases_done(&check->phases);
	text_done(&check->in);
	free(check);
}

/* ---- its end ---- */

/* What the last days of the certificate make of a check that passed. */
static void judge_days(const struct check_tcp *check, struct judge_check *result, struct text *line)
{
	const struct certificate *leaf = &check->sight.leaf;
	enum days days = days_judge(check->order.monitor, leaf, result->at_unix_s);

	if (days == DAYS_FINE)
		return;
	days_describe(leaf, result->at_unix_s, line);
	result->passed = days != DAYS_FAIL;
	result->is_degraded = days == DAYS_DEGRADE;
	if (days == DAYS_WARN)
		result->note = line->bytes;
	else
		result->reason = line->bytes;
}

/* `reason` NULL: it passed, but for its certificate.  Takes the text. */
static void finish(struct check_tcp *check, struct text *reason)
{
	struct probe_order order = check->order;
	struct text words = {0};
	struct certificate leaf = check->sight.leaf;
	struct judge_check result = {
		.passed = !reason,
		.latency_ms = phases_took_ms(&check->phases),
		.at_unix_s = clock_unix_s(),
		.certificate_until_unix_s = leaf.until_unix_s,
		.certificate = leaf.names,
		.issuer = leaf.issuer,
	};

	if (reason) {
		words = *reason;
		result.reason = words.bytes;
	} else {
		judge_days(check, &result, &words);
	}
	tell_chain(&check->sight, order.findings);
	check_free(check);
	order.done(order.context, &result);
	text_done(&words);
}

static void fail_connect(struct check_tcp *check, int error)
{
	struct text reason = {0};

	/* accepted, and reset at once */
	if (error == ECONNRESET)
		text_add(&reason, "closed without a byte");
	else
		terms_os(error, &reason);
	finish(check, &reason);
}

/* What came in place of the text. */
static void add_what_came(const struct check_tcp *check, struct text *reason)
{
	text_print(reason, "%zu octet%s came: ", check->in.size, check->in.size == 1 ? "" : "s");
	terms_quote(check->in.bytes, check->in.size, SHOWN_MAX, reason);
}

static void add_expected(const struct check_tcp *check, struct text *reason)
{
	const char *expect = check->order.monitor->expect;

	terms_quote(expect, strlen(expect), 64, reason);
}

/* ---- time ---- */

static bool expects(const struct check_tcp *check)
{
	return check->order.monitor->expect && check->order.monitor->expect[0];
}

static void on_over(evutil_socket_t fd, short what, void *context)
{
	static const char *const words[] = {
		[STAGE_CONNECT] = "connect timed out after ",
		[STAGE_TLS] = "TLS handshake timed out after ",
		[STAGE_TALK] = "no answer within ",
	};
	struct check_tcp *check = context;
	struct text reason = {0};

	(void)fd;
	(void)what;
	bool has_other = check->in.size > 0 && expects(check);

	if (has_other) {
		add_expected(check, &reason);
		text_add(&reason, " did not come within ");
	} else {
		text_add(&reason, words[check->stage]);
	}
	phases_print_limit(&check->phases, &reason);
	if (has_other) {
		text_add(&reason, "; ");
		add_what_came(check, &reason);
	}
	finish(check, &reason);
}

/* ---- what is said ---- */

/* Whether the last `fresh` octets, with those before them, hold the text; what is before was looked at. */
static bool has_come(const struct check_tcp *check, size_t fresh)
{
	const char *expect = check->order.monitor->expect;
	size_t size = fresh + strlen(expect) - 1;

	if (size > check->in.size)
		size = check->in.size;
	return size > 0 &&
		memmem(check->in.bytes + check->in.size - size, size, expect, strlen(expect)) !=
		NULL;
}

static void pass(struct check_tcp *check, const char *phase)
{
	phases_end(&check->phases, phase, check->order.findings);
	finish(check, NULL);
}

static void fail_without_text(struct check_tcp *check)
{
	struct text reason = {0};

	text_print(&reason, "first %zu octets do not hold ", check->in.size);
	add_expected(check, &reason);
	finish(check, &reason);
}

static void on_readable(struct bufferevent *stream, void *context)
{
	struct check_tcp *check = context;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t room = CHECK_TCP_MAX - check->in.size;
	size_t size = evbuffer_get_length(input);
	bool is_first = check->in.size == 0;

	if (size > room)
		size = room;
	if (size > 0)
		text_add_bytes(&check->in, evbuffer_pullup(input, (ssize_t)size), size);
	evbuffer_drain(input, size);
	/* the first octet is here: from now on the whole alone limits it */
	if (is_first && check->in.size > 0) {
		phases_end(&check->phases, "first byte", check->order.findings);
		phases_begin(&check->phases, 0);
	}
	if (!expects(check))
		return; /* whatever it says */
	if (has_come(check, size))
		pass(check, "text");
	else if (check->in.size >= CHECK_TCP_MAX)
		fail_without_text(check);
}

/* All is written. */
static void on_written(struct bufferevent *stream, void *context)
{
	struct check_tcp *check = context;

	(void)stream;
	if (check->stage == STAGE_TALK && !expects(check))
		pass(check, "send");
}

static void talk(struct check_tcp *check)
{
	const struct settings_monitor *monitor = check->order.monitor;
	bool sends = monitor->send && monitor->send[0];

	check->stage = STAGE_TALK;
	if (!sends && !expects(check)) {
		finish(check, NULL);
		return;
	}
	phases_begin(&check->phases, expects(check) ? monitor->first_byte_ms : 0);
	if (sends)
		bufferevent_write(check->stream, monitor->send, strlen(monitor->send));
	bufferevent_enable(check->stream, EV_READ | EV_WRITE);
}

/* ---- how it ends before that ---- */

static void fail_handshake(struct check_tcp *check)
{
	const struct handshake_failure failure = {
		.tls = check->tls,
		.sight = &check->sight,
		.name = handshake_name(check->order.monitor),
		.error = bufferevent_get_openssl_error(check->stream),
	};
	struct text reason = {0};

	handshake_describe(&failure, &reason);
	finish(check, &reason);
}

/* Closed, or reset, while it talked. */
static void fail_talk(struct check_tcp *check, short what)
{
	const char *how =
		what & BEV_EVENT_ERROR && errno == ECONNRESET ? "connection reset" : "closed";
	struct text reason = {0};

	if (check->sight.alert[0]) {
		/* in TLS 1.3 the client may have gone on when the server's refusal comes */
		text_print(&reason, "TLS ended by the server: %s", check->sight.alert);
	} else if (!expects(check)) {
		text_print(&reason, "%s before all was sent", how);
	} else if (check->in.size == 0) {
		text_print(&reason, "%s without an answer", how);
	} else {
		text_print(&reason, "%s before ", how);
		add_expected(check, &reason);
		text_add(&reason, "; ");
		add_what_came(check, &reason);
	}
	finish(check, &reason);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
	struct check_tcp *check = context;

	(void)stream;
	if (what & BEV_EVENT_CONNECTED) {
		phases_end(&check->phases, "tls", check->order.findings);
		findings_add(check->order.findings, FINDING_TLS, "protocol",
			SSL_get_version(check->tls), 0);
		findings_add(check->order.findings, FINDING_TLS, "cipher",
			SSL_get_cipher_name(check->tls), 0);
		talk(check);
	} else if (check->stage == STAGE_TLS) {
		fail_handshake(check);
	} else {
		fail_talk(check, what);
	}
}

/* ---- its beginning ---- */

static void open_stream(struct check_tcp *check)
{
	const struct settings_monitor *monitor = check->order.monitor;

	check->stream = check->tls
		? bufferevent_openssl_socket_new(check->base, check->fd, check->tls,
			  BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE)
		: bufferevent_socket_new(check->base, check->fd, BEV_OPT_CLOSE_ON_FREE);
	if (!check->stream)
		abort(); /* out of memory */
	check->fd = -1;
	bufferevent_setcb(check->stream, on_readable, on_written, on_event, check);
	bufferevent_setwatermark(check->stream, EV_READ, 0, CHECK_TCP_MAX);
	if (!check->tls) {
		talk(check);
		return;
	}
	check->stage = STAGE_TLS;
	phases_begin(&check->phases, monitor->tls_ms);
	bufferevent_enable(check->stream, EV_READ | EV_WRITE);
}

static void on_connected(evutil_socket_t fd, short what, void *context)
{
	struct check_tcp *check = context;
	int error = dial_error(fd);

	(void)what;
	if (error != 0) {
		fail_connect(check, error);
		return;
	}
	phases_end(&check->phases, "connect", check->order.findings);
	open_stream(check);
}

static bool begin_tls(struct check_tcp *check, struct err *err)
{
	const struct orders *orders = check->order.orders;
	size_t index = (size_t)(check->order.monitor - orders->link.monitors);
	const struct recipe *recipe = orders->recipes[index];

	if (recipe_needs_trust(check->order.monitor) && !orders->trust[index])
		return err_set(err, "%s", orders->trust_why[index]);
	if (!recipe)
		return err_set(err, "%s", orders->recipe_why[index]);
	check->sight.keeps_chain = check->order.findings != NULL;
	check->tls = handshake_new(recipe, &check->sight, err);
	return check->tls != NULL;
}

static bool begin(struct check_tcp *check, struct err *err)
{
	const struct settings_monitor *monitor = check->order.monitor;
	const struct address_port to = {check->order.address, monitor->port};

	if (monitor->is_tls && !begin_tls(check, err))
		return false;
	check->fd = dial_open(&to, SOCK_STREAM, err);
	if (check->fd < 0)
		return false;
	check->writable = event_new(check->base, check->fd, EV_WRITE, on_connected, check);
	event_add(check->writable, NULL);
	phases_begin(&check->phases, monitor->connect_ms);
	return true;
}

static void tell_request(const struct check_tcp *check)
{
	struct address_port to = {check->order.address, check->order.monitor->port};
	char address[ADDRESS_PORT_TEXT_SIZE];

	address_port_print(&to, address);
	findings_add(check->order.findings, FINDING_REQUEST,
		check->order.monitor->is_tls ? "tcp over TLS" : "tcp", address, 0);
}

struct check_tcp *check_tcp_start(
	struct event_base *base, const struct probe_order *order, struct err *err)
{
	struct check_tcp *check = memory_new(sizeof(*check));

	check->base = base;
	check->order = *order;
	check->fd = -1;
	phases_init(&check->phases, base, order->monitor->timeout_ms, on_over, check);
	tell_request(check);
	if (begin(check, err))
		return check;
	check_free(check);
	return NULL;
}

void check_tcp_cancel(struct check_tcp *check)
{
	check_free(check);
}
