/* SPDX-License-Identifier: Apache-2.0 */
#include "reason.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A whole number of seconds as such, anything else in milliseconds. */
static void add_limit(const struct reason_facts *facts, struct text *reason)
{
	uint32_t ms = facts->monitor->timeout_ms;

	if (ms % 1000 == 0)
		text_print(reason, "%u s", ms / 1000);
	else
		text_print(reason, "%u ms", ms);
}

static void describe_timeout(const struct reason_facts *facts, struct text *reason)
{
	static const char *const words[] = {
		[PHASE_CONNECT] = "connect timed out after ",
		[PHASE_TLS] = "TLS handshake timed out after ",
		[PHASE_ANSWER] = "no answer within ",
		[PHASE_BODY] = "answer not complete within ",
	};

	text_add(reason, words[facts->phase]);
	add_limit(facts, reason);
}

/* What the system says, as a part of a line: without the capital letter. */
static void add_os_words(int error, struct text *reason)
{
	const char *words = strerror(error);

	text_print(reason, "%c%s", tolower((unsigned char)words[0]), words + 1);
}

static void describe_connect(const struct reason_facts *facts, struct text *reason)
{
	if (facts->os_error == EHOSTUNREACH)
		text_add(reason, "no route to host"); /* for a host and for the route to it */
	else if (facts->os_error == ECONNRESET)
		text_add(reason, "closed without a byte"); /* accepted and reset at once */
	else if (facts->os_error == ETIMEDOUT)
		text_add(reason, "connect timed out: the system gave up");
	else if (facts->os_error != 0)
		add_os_words((int)facts->os_error, reason);
	else
		text_print(reason, "cannot connect: %s", facts->detail);
}

static bool says(const struct reason_facts *facts, const char *words)
{
	return strstr(facts->detail, words) != NULL;
}

/* The end of "OpenSSL/3.0: error:0A00010B:SSL routines::wrong version number". */
static const char *last_words(const char *detail)
{
	const char *colon = strrchr(detail, ':');

	return colon && colon[1] != '\0' ? colon + 1 + strspn(colon + 1, " ") : detail;
}

/*
 * A server that closes at once may be seen to close or to reset, as our first bytes come before
 * that or after.
 */
static bool is_cut(const struct reason_facts *facts)
{
	return says(facts, "SSL_ERROR_SYSCALL") || says(facts, "unexpected eof") ||
		says(facts, "Connection reset") || says(facts, "Broken pipe");
}

static void describe_handshake(const struct reason_facts *facts, struct text *reason)
{
	if (facts->certificate->refused[0])
		text_add(reason, facts->certificate->refused);
	else if (facts->certificate->alert[0])
		text_print(reason, "TLS handshake refused by the server: %s",
			facts->certificate->alert);
	else if (is_cut(facts))
		text_add(reason,
			facts->certificate->has_heard ? "closed during TLS handshake"
						      : "closed without a byte");
	else if (says(facts, "wrong version number") || says(facts, "http request"))
		text_add(reason, "TLS handshake failed: the server does not speak TLS");
	else
		text_print(reason, "TLS handshake failed: %s", last_words(facts->detail));
}

static void describe_verification(const struct reason_facts *facts, struct text *reason)
{
	if (facts->certificate->refused[0])
		text_add(reason, facts->certificate->refused);
	else
		text_print(reason, "certificate is for %s, not %s", facts->certificate->names,
			facts->monitor->host);
}

static void describe_receive(const struct reason_facts *facts, struct text *reason)
{
	bool in_body = facts->phase == PHASE_BODY;

	/* in TLS 1.3 the client may have gone on when the server's refusal comes */
	if (facts->certificate->alert[0])
		text_print(reason, "TLS ended by the server: %s", facts->certificate->alert);
	else if (says(facts, "reset"))
		text_add(reason,
			in_body ? "connection reset in the middle of the answer"
				: "connection reset before an answer");
	else
		text_add(reason,
			in_body ? "closed in the middle of the answer"
				: "closed without an answer");
}

/* What kept the answer from coming, whole. */
static void describe_transfer(const struct reason_facts *facts, struct text *reason)
{
	switch ((int)facts->code) { /* a few of libcurl's hundred */
	case CURLE_OPERATION_TIMEDOUT:
		describe_timeout(facts, reason);
		break;
	case CURLE_COULDNT_CONNECT:
		describe_connect(facts, reason);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		describe_handshake(facts, reason);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		describe_verification(facts, reason);
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		describe_receive(facts, reason);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which anything is */
	case CURLE_WEIRD_SERVER_REPLY:
		text_add(reason, "the answer is not HTTP");
		break;
	default:
		text_print(reason, "%s (%s)", facts->detail[0] ? facts->detail : "failed",
			curl_easy_strerror(facts->code));
		break;
	}
}

static bool is_expected(const struct settings_monitor *monitor, long status)
{
	for (size_t i = 0; i < monitor->status_count; i++)
		if (status >= monitor->status[i].first && status <= monitor->status[i].last)
			return true;
	return monitor->status_count == 0; /* none was asked for */
}

static void describe_status(const struct reason_facts *facts, struct text *reason)
{
	const struct settings_monitor *monitor = facts->monitor;

	text_print(reason, "status %ld, expected ", facts->status);
	for (size_t i = 0; i < monitor->status_count; i++) {
		text_print(reason, "%s%u", i > 0 ? ", " : "", monitor->status[i].first);
		if (monitor->status[i].last != monitor->status[i].first)
			text_print(reason, "-%u", monitor->status[i].last);
	}
}

static bool holds(const struct reason_facts *facts)
{
	const char *wanted = facts->monitor->body;

	if (!wanted || wanted[0] == '\0')
		return true;
	return facts->body->size > 0 &&
		memmem(facts->body->bytes, facts->body->size, wanted, strlen(wanted)) != NULL;
}

bool reason_judge(const struct reason_facts *facts, struct text *ret_reason)
{
	if (facts->has_full_headers) {
		text_add(ret_reason, "header fields without end: more than 64 KB");
		return false;
	}
	/* a wrong status says more than what happened to the body behind it */
	if (facts->status > 0 && !is_expected(facts->monitor, facts->status)) {
		describe_status(facts, ret_reason);
		return false;
	}
	if (facts->code != CURLE_OK && !facts->has_full_body) {
		describe_transfer(facts, ret_reason);
		return false;
	}
	if (!holds(facts)) {
		text_print(ret_reason,
			facts->has_full_body ? "first 64 KB of body do not hold '%.64s'"
					     : "body does not hold '%.64s'",
			facts->monitor->body);
		return false;
	}
	return true;
}
