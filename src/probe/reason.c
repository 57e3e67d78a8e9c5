/* SPDX-License-Identifier: Apache-2.0 */
#include "reason.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "expect.h"
#include "steerd/outbound/terms.h"

static void describe_timeout(const struct reason_facts *facts, struct text *reason)
{
	static const char *const words[] = {
		[PHASE_RESOLVE] = "name of the redirect not resolved within ",
		[PHASE_CONNECT] = "connect timed out after ",
		[PHASE_TLS] = "TLS handshake timed out after ",
		[PHASE_ANSWER] = "no answer within ",
		[PHASE_BODY] = "answer not complete within ",
	};

	text_add(reason, words[facts->phase]);
	terms_limit(facts->limit_ms > 0 ? facts->limit_ms : facts->monitor->timeout_ms, reason);
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
		terms_os((int)facts->os_error, reason);
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
		text_print(reason, "certificate is for %s, not %s", facts->certificate->leaf.names,
			facts->name);
}

/* "the answer is not HTTP: header without colon" */
static void describe_nonsense(const struct reason_facts *facts, struct text *reason)
{
	text_add(reason, "the answer is not HTTP");
	if (facts->detail[0] != '\0')
		text_print(reason, ": %c%s", tolower((unsigned char)facts->detail[0]),
			facts->detail + 1);
}

static void describe_receive(const struct reason_facts *facts, struct text *reason)
{
	bool in_body = facts->phase == PHASE_BODY;

	if (says(facts, "chunked-encoding")) {
		describe_nonsense(facts, reason);
		return;
	}
	if (says(facts, "nghttp2")) {
		text_print(reason, "HTTP/2 broken: %s", last_words(facts->detail));
		return;
	}
	/* in TLS 1.3 the client may have gone on when the server's refusal comes */
	if (facts->certificate->alert[0])
		text_print(reason, "TLS ended by the server: %s", facts->certificate->alert);
	else if (says(facts, "reset"))
		text_add(reason,
			in_body ? "connection reset in the middle of the answer"
				: "connection reset before an answer");
	else if (in_body)
		text_add(reason, "closed in the middle of the answer");
	else if (facts->monitor->is_http2) /* libcurl does not tell */
		text_add(reason, "closed without an answer, or its answer is not HTTP/2");
	else
		text_add(reason, "closed without an answer");
}

/* "HTTP/2 stream 1 was not closed cleanly: REFUSED_STREAM (err 7)" */
static void describe_http2(const struct reason_facts *facts, struct text *reason)
{
	const char *name = strstr(facts->detail, "cleanly: ");
	size_t size = name ? strcspn(name + 9, " (") : 0;

	if (size > 0)
		text_print(reason, "HTTP/2 stream reset by the server: %.*s", (int)size, name + 9);
	else
		text_print(reason, "HTTP/2 broken: %s",
			facts->detail[0] ? facts->detail : curl_easy_strerror(facts->code));
}

/* What kept the answer from coming, whole. */
static void describe_transfer(const struct reason_facts *facts, struct text *reason)
{
	if (facts->goaway[0] && facts->code != CURLE_OPERATION_TIMEDOUT) {
		text_print(reason, "HTTP/2 GOAWAY from the server: %s", facts->goaway);
		return;
	}
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
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		describe_http2(facts, reason);
		break;
	case CURLE_BAD_CONTENT_ENCODING:
		text_print(reason, "body cannot be decoded: %s",
			facts->detail[0] ? facts->detail : "broken");
		break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which anything is */
		text_add(reason, "the answer is not HTTP");
		break;
	case CURLE_WEIRD_SERVER_REPLY:
		describe_nonsense(facts, reason);
		break;
	default:
		text_print(reason, "%s (%s)", facts->detail[0] ? facts->detail : "failed",
			curl_easy_strerror(facts->code));
		break;
	}
}

static struct range_answer range_answer_of(
	const struct reason_facts *facts, uint8_t sha256[static 32])
{
	const struct answer *answer = facts->answer;

	return (struct range_answer){
		.status = answer->status,
		.content_range = answer->content_range,
		.etag = answer->etag,
		.body_bytes = answer->body_bytes,
		.has_more = answer->has_more,
		.sha256 = answer_digest(answer, sha256) ? sha256 : NULL,
	};
}

static bool judge_head(
	const struct reason_facts *facts, const struct range_answer *range, struct text *reason)
{
	if (facts->ask)
		return range_judge_head(facts->monitor, facts->ask, range, reason);
	return expect_status(facts->monitor, facts->answer->status, reason);
}

/* Whether the header fields came to their end, and agree. */
static bool judge_fields_whole(const struct reason_facts *facts, struct text *reason)
{
	bool is_open = facts->answer->is_open;

	/* libcurl has no room for a line that is longer than all lines may be together */
	if (facts->has_full_headers || (is_open && facts->code == CURLE_OUT_OF_MEMORY))
		text_add(reason, "header fields without end: more than 64 KB");
	else if (is_open && facts->code == CURLE_OK) /* to libcurl, an answer without a body */
		text_add(reason, "closed within the header fields");
	else if (facts->answer->has_two_lengths)
		text_add(reason, "the answer is not HTTP: two values of Content-Length");
	else
		return true;
	return false;
}

static bool is_flood(const struct reason_facts *facts)
{
	return facts->certificate->received_max > 0 &&
		facts->certificate->received > facts->certificate->received_max;
}

bool reason_judge(const struct reason_facts *facts, struct text *ret_reason)
{
	uint8_t sha256[32];
	const struct range_answer range = range_answer_of(facts, sha256);

	if (facts->refused[0]) {
		text_add(ret_reason, facts->refused);
		return false;
	}
	if (!judge_fields_whole(facts, ret_reason))
		return false;
	/* a wrong status says more than what happened to the body behind it */
	if (facts->answer->status > 0 && !judge_head(facts, &range, ret_reason))
		return false;
	/* a body that goes on is cut by us, where an error comes from it */
	if (facts->code != CURLE_OK && !facts->answer->has_more && is_flood(facts)) {
		text_add(ret_reason, "sends without end, but no answer");
		return false;
	}
	if (facts->code != CURLE_OK && !facts->answer->has_more) {
		describe_transfer(facts, ret_reason);
		return false;
	}
	if (!expect_fields(facts->answer, ret_reason))
		return false;
	return facts->ask ? range_judge_body(facts->monitor, facts->ask, &range, ret_reason)
			  : expect_body(facts->answer, ret_reason);
}
