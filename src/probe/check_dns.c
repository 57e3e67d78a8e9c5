/* SPDX-License-Identifier: Apache-2.0 */
#include "check_dns.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns_talk.h"
#include "phases.h"
#include "steerd/base/bytes.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/outbound/dial.h"
#include "steerd/outbound/terms.h"

#define MESSAGE_MAX 65535

/* Addresses that are named in a reason. */
#define ADDRESSES_SHOWN 3

/*
 *	UDP: asked ──▶ asked again ──▶ judged
 *	        └──────────┴─ truncated ─▶ TCP: connecting ──▶ asked ──▶ judged
 */
enum stage { STAGE_UDP, STAGE_CONNECT, STAGE_TCP };

struct check_dns {
	struct event_base *base;
	struct probe_order order;
	struct dns_talk_question question;
	struct phases phases;
	enum stage stage;
	bool was_truncated; /* over UDP: this is the second attempt */
	unsigned tries;	    /* over UDP */
	unsigned unrelated; /* what came, and answered something else */
	int fd;
	struct event *readable;
	struct event *writable;
	struct text out; /* TCP: a length and the query */
	size_t sent;
	struct text in;
};

static void drop_socket(struct check_dns *check)
{
	if (check->readable)
		event_free(check->readable);
	if (check->writable)
		event_free(check->writable);
	if (check->fd >= 0)
		close(check->fd);
	check->readable = NULL;
	check->writable = NULL;
	check->fd = -1;
}

static void check_free(struct check_dns *check)
{
	drop_socket(check);
	phases_done(&check->phases);
	text_done(&check->out);
	text_done(&check->in);
	free(check);
}

/* ---- its end ---- */

/* `reason` NULL: it passed.  Takes the text. */
static void finish(struct check_dns *check, struct text *reason)
{
	struct probe_order order = check->order;
	struct text words = {0};
	struct judge_check result = {
		.passed = !reason,
		.latency_ms = phases_took_ms(&check->phases),
		.at_unix_s = clock_unix_s(),
	};

	if (reason) {
		text_add(
			&words, check->was_truncated ? "truncated UDP answer, and over TCP: " : "");
		text_add(&words, reason->bytes);
		text_done(reason);
		result.reason = words.bytes;
	}
	check_free(check);
	order.done(order.context, &result);
	text_done(&words);
}

static void fail(struct check_dns *check, const char *words)
{
	struct text reason = {0};

	text_add(&reason, words);
	finish(check, &reason);
}

static void fail_os(struct check_dns *check, int error)
{
	struct text reason = {0};

	terms_os(error, &reason);
	finish(check, &reason);
}

/* ---- the answer ---- */

static void print_addresses(const struct address *addresses, size_t count, struct text *reason)
{
	char address[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < count && i < ADDRESSES_SHOWN; i++) {
		address_print(&addresses[i], address);
		text_print(reason, "%s%s", i > 0 ? ", " : "", address);
	}
	if (count > ADDRESSES_SHOWN)
		text_print(reason, " and %zu more", count - ADDRESSES_SHOWN);
}

static void describe_others(
	const struct check_dns *check, const struct dns_talk_reply *reply, struct text *reason)
{
	const struct settings_monitor *monitor = check->order.monitor;
	size_t unseen = reply->record_count - reply->address_count;

	text_add(reason, "answers ");
	print_addresses(reply->addresses, reply->address_count, reason);
	if (unseen > 0)
		text_print(reason, " (and %zu more)", unseen);
	text_add(
		reason, monitor->expected_address_count > 1 ? ", expected one of " : ", expected ");
	print_addresses(monitor->expected_addresses, monitor->expected_address_count, reason);
}

/* Whether it passes; if not, why. */
static bool judge(
	const struct check_dns *check, const struct dns_talk_reply *reply, struct text *reason)
{
	if (reply->record_count == 0) {
		text_add(reason, "answers without ");
		dns_talk_print_type(check->question.type, reason);
		text_print(reason, " records of %s", check->order.monitor->question);
		return false;
	}
	if (check->question.expected_count > 0 && !reply->is_expected) {
		describe_others(check, reply, reason);
		return false;
	}
	return true;
}

static void tell_answer(const struct check_dns *check, const struct dns_talk_reply *reply)
{
	struct text value = {0};

	text_print(&value, "%zu ", reply->record_count);
	dns_talk_print_type(check->question.type, &value);
	text_add(&value, reply->address_count > 0 ? ": " : "");
	print_addresses(reply->addresses, reply->address_count, &value);
	findings_add(check->order.findings, FINDING_HEADER, "answer", value.bytes, 0);
	text_done(&value);
}

static void open_tcp(struct check_dns *check);

/* False: it was no answer to the question; else the check goes on elsewhere, or is over. */
static bool take_message(struct check_dns *check, const void *bytes, size_t size)
{
	struct dns_talk_reply reply;
	struct text reason = {0};
	enum dns_talk_sense sense = dns_talk_read(&check->question, bytes, size, &reply);

	if (sense == DNS_TALK_UNRELATED) {
		check->unrelated++;
		return false;
	}
	phases_end(&check->phases, "answer", check->order.findings);
	switch (sense) {
	case DNS_TALK_UNRELATED: /* above */
	case DNS_TALK_MALFORMED:
		text_print(&reason, "malformed answer: %s", reply.why);
		finish(check, &reason);
		break;
	case DNS_TALK_TRUNCATED:
		if (check->stage == STAGE_UDP)
			open_tcp(check);
		else
			fail(check, "truncated");
		break;
	case DNS_TALK_RCODE:
		text_add(&reason, "answers ");
		dns_talk_print_rcode(reply.rcode, &reason);
		finish(check, &reason);
		break;
	case DNS_TALK_ANSWER:
		tell_answer(check, &reply);
		finish(check, judge(check, &reply, &reason) ? NULL : &reason);
		break;
	}
	return true;
}

/* ---- time ---- */

/* For an answer, in all. */
static uint32_t answer_ms(const struct check_dns *check)
{
	uint32_t whole_ms = check->order.monitor->timeout_ms;
	uint32_t first_ms = check->order.monitor->first_byte_ms;

	return first_ms > 0 && first_ms < whole_ms ? first_ms : whole_ms;
}

static void ask_by_udp(struct check_dns *check);

static void on_over(evutil_socket_t fd, short what, void *context)
{
	struct check_dns *check = context;
	struct text reason = {0};

	(void)fd;
	(void)what;
	if (check->stage == STAGE_UDP && check->tries == 1) {
		ask_by_udp(check);
		return;
	}
	if (check->stage == STAGE_CONNECT) {
		text_add(&reason, "connect timed out after ");
		phases_print_limit(&check->phases, &reason);
	} else {
		text_add(&reason, "no answer within ");
		terms_limit(answer_ms(check), &reason);
	}
	if (check->unrelated > 0)
		text_print(&reason, "; %u message%s came that answered something else",
			check->unrelated, check->unrelated == 1 ? "" : "s");
	finish(check, &reason);
}

/* ---- over UDP ---- */

static void on_datagram(evutil_socket_t fd, short what, void *context)
{
	struct check_dns *check = context;
	uint8_t message[MESSAGE_MAX];
	ssize_t size;

	(void)what;
	/* one at a time: whoever sends many delays nobody else */
	size = recv(fd, message, sizeof(message), MSG_DONTWAIT);
	if (size >= 0)
		(void)take_message(check, message, (size_t)size);
	else if (errno != EAGAIN && errno != EINTR)
		fail_os(check, errno);
}

static void ask_by_udp(struct check_dns *check)
{
	struct text query = {0};
	uint32_t half_ms = answer_ms(check) / 2;
	uint32_t rest_ms = answer_ms(check) - half_ms;

	dns_talk_write_query(&check->question, &query);
	check->tries++;
	phases_begin(&check->phases, check->tries == 1 ? half_ms : rest_ms);

	/* an error of the first try is told by the second, or it is one that reading tells as well */
	(void)send(check->fd, query.bytes, query.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	text_done(&query);
}

static bool open_udp(struct check_dns *check, const struct address_port *to, struct err *err)
{
	check->fd = dial_open(to, SOCK_DGRAM, err);
	if (check->fd < 0)
		return false;
	check->stage = STAGE_UDP;
	check->readable =
		event_new(check->base, check->fd, EV_READ | EV_PERSIST, on_datagram, check);
	event_add(check->readable, NULL);
	ask_by_udp(check);
	return true;
}

/* ---- over TCP ---- */

static void on_stream(evutil_socket_t fd, short what, void *context)
{
	struct check_dns *check = context;
	char piece[4096];
	ssize_t size = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

	(void)what;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size < 0 && errno != ECONNRESET) {
		fail_os(check, errno);
		return;
	}
	if (size <= 0) {
		fail(check,
			check->in.size > 0 ? "closed in the middle of the answer"
					   : "closed without an answer");
		return;
	}
	text_add_bytes(&check->in, piece, (size_t)size);

	struct bytes_reader reader = {
		.at = (const uint8_t *)check->in.bytes, .left = check->in.size};
	size_t wanted = bytes_read_u16(&reader);

	if (reader.failed || reader.left < wanted)
		return;
	if (!take_message(check, reader.at, wanted))
		fail(check, "answers something else than what was asked");
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct check_dns *check = context;

	(void)what;
	if (check->stage == STAGE_CONNECT) {
		int error = dial_error(fd);

		if (error != 0) {
			fail_os(check, error);
			return;
		}
		phases_end(&check->phases, "connect", check->order.findings);
		check->stage = STAGE_TCP;
		phases_begin(&check->phases, check->order.monitor->first_byte_ms);
		event_add(check->readable, NULL);
	}

	ssize_t size = send(fd, check->out.bytes + check->sent, check->out.size - check->sent,
		MSG_DONTWAIT | MSG_NOSIGNAL);

	/* that the other end is gone is told by reading */
	if (size > 0)
		check->sent += (size_t)size;
	if (size >= 0 && check->sent < check->out.size)
		event_add(check->writable, NULL);
}

static bool dial_tcp(struct check_dns *check, struct err *err)
{
	const struct address_port to = {check->order.address, check->order.monitor->port};
	struct text query = {0};

	check->fd = dial_open(&to, SOCK_STREAM, err);
	if (check->fd < 0)
		return false;
	dns_talk_write_query(&check->question, &query);
	bytes_write_u16(&check->out, (uint16_t)query.size);
	text_add_bytes(&check->out, query.bytes, query.size);
	text_done(&query);
	check->stage = STAGE_CONNECT;
	check->readable = event_new(check->base, check->fd, EV_READ | EV_PERSIST, on_stream, check);
	check->writable = event_new(check->base, check->fd, EV_WRITE, on_writable, check);
	event_add(check->writable, NULL);
	phases_begin(&check->phases, check->order.monitor->connect_ms);
	return true;
}

static void open_tcp(struct check_dns *check)
{
	struct err err;

	drop_socket(check);
	check->was_truncated = true;
	if (dial_tcp(check, &err))
		return;
	if (err.text[0]) {
		fail(check, err.text);
		return;
	}

	/* our own fault: it says nothing */
	struct probe_order order = check->order;

	check_free(check);
	order.done(order.context, NULL);
}

/* ---- the whole ---- */

static void tell_request(const struct check_dns *check)
{
	const struct settings_monitor *monitor = check->order.monitor;
	struct address_port to = {check->order.address, monitor->port};
	char address[ADDRESS_PORT_TEXT_SIZE];
	struct text value = {0};

	address_port_print(&to, address);
	text_print(&value, "%s ", monitor->question);
	dns_talk_print_type(monitor->question_type, &value);
	text_print(&value, " of %s over %s", address, monitor->uses_tcp ? "TCP" : "UDP");
	findings_add(check->order.findings, FINDING_REQUEST, "dns", value.bytes, 0);
	text_done(&value);
}

/* False if the monitor asks for what is no name. */
static bool make_question(const struct probe_order *order, struct dns_talk_question *ret_question)
{
	if (!dns_talk_parse_name(order->monitor->question, ret_question))
		return false;
	ret_question->type = order->monitor->question_type;
	ret_question->expected = order->monitor->expected_addresses;
	ret_question->expected_count = order->monitor->expected_address_count;
	random_octets(&ret_question->id, sizeof(ret_question->id));
	return true;
}

struct check_dns *check_dns_start(
	struct event_base *base, const struct probe_order *order, struct err *err)
{
	const struct address_port to = {order->address, order->monitor->port};
	struct check_dns *check = memory_new(sizeof(*check));

	check->base = base;
	check->order = *order;
	check->fd = -1;
	phases_init(&check->phases, base, order->monitor->timeout_ms, on_over, check);

	bool begins = make_question(order, &check->question) ||
		err_set(err, "'%s' is no name", order->monitor->question);

	if (begins)
		tell_request(check);
	begins = begins &&
		(order->monitor->uses_tcp ? dial_tcp(check, err) : open_udp(check, &to, err));
	if (begins)
		return check;
	check_free(check);
	return NULL;
}

void check_dns_cancel(struct check_dns *check)
{
	check_free(check);
}
