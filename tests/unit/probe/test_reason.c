/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reason.h"
#include "steerd/base/memory.h"

/* The faults that a test cannot make for real stand here beside a few that test_prober.c makes. */
static const struct {
	const char *want; /* NULL: passed */
	CURLcode code;
	const char *detail;
	long os_error;
	long status;
	enum reason_phase phase;
	struct sight certificate;
	const char *body;
	const char *refused;
	const char *goaway;
	uint32_t timeout_ms;
	uint32_t limit_ms;
	bool full_headers;
	bool full_body;
} cases[] = {
	{.want = NULL, .status = 200, .body = "it is ok"},
	{.want = NULL, .status = 299, .body = "ok"},
	{.want = NULL, .status = 200, .body = "ok", .code = CURLE_WRITE_ERROR, .full_body = true},
	{.want = "status 300, expected 200-299, 404", .status = 300, .body = "ok"},
	{.want = "status 199, expected 200-299, 404", .status = 199, .body = "ok"},
	{.want = "status 999, expected 200-299, 404", .status = 999, .body = "ok"},
	{.want = NULL, .status = 404, .body = "ok"},
	{.want = "body does not hold 'ok'", .status = 200, .body = ""},
	{.want = "body does not hold 'ok'", .status = 200, .body = "OK o k"},
	{.want = "first 64 KiB of body do not hold 'ok'",
		.status = 200,
		.body = "x",
		.code = CURLE_WRITE_ERROR,
		.full_body = true},
	{.want = "header fields without end: more than 64 KB",
		.status = 500,
		.code = CURLE_WRITE_ERROR,
		.full_headers = true},

	{.want = "connection refused", .code = CURLE_COULDNT_CONNECT, .os_error = ECONNREFUSED},
	{.want = "no route to host", .code = CURLE_COULDNT_CONNECT, .os_error = EHOSTUNREACH},
	{.want = "network is unreachable", .code = CURLE_COULDNT_CONNECT, .os_error = ENETUNREACH},
	{.want = "operation not permitted", .code = CURLE_COULDNT_CONNECT, .os_error = EPERM},
	{.want = "closed without a byte", .code = CURLE_COULDNT_CONNECT, .os_error = ECONNRESET},
	{.want = "connect timed out: the system gave up",
		.code = CURLE_COULDNT_CONNECT,
		.os_error = ETIMEDOUT},
	{.want = "cannot connect: odd", .code = CURLE_COULDNT_CONNECT, .detail = "odd"},

	{.want = "connect timed out after 2 s",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_CONNECT},
	{.want = "connect timed out after 1500 ms",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_CONNECT,
		.timeout_ms = 1500},
	{.want = "TLS handshake timed out after 2 s",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_TLS},
	{.want = "connect timed out after 500 ms",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_CONNECT,
		.limit_ms = 500},
	{.want = "name of the redirect not resolved within 1 s",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_RESOLVE,
		.limit_ms = 1000},
	{.want = "no answer within 2 s", .code = CURLE_OPERATION_TIMEDOUT, .phase = PHASE_ANSWER},
	{.want = "answer not complete within 2 s",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_BODY,
		.status = 200},
	{.want = "status 500, expected 200-299, 404",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_BODY,
		.status = 500},

	{.want = "closed without a byte",
		.code = CURLE_SSL_CONNECT_ERROR,
		.detail = "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to a"},
	{.want = "closed without a byte",
		.code = CURLE_SSL_CONNECT_ERROR,
		.detail = "Send failure: Broken pipe"},
	{.want = "closed during TLS handshake",
		.code = CURLE_SSL_CONNECT_ERROR,
		.detail = "error:0A000126:SSL routines::unexpected eof while reading",
		.certificate = {.has_heard = true}},
	{.want = "closed during TLS handshake",
		.code = CURLE_SSL_CONNECT_ERROR,
		.detail = "OpenSSL SSL_connect: Connection reset by peer in connection to a",
		.certificate = {.has_heard = true}},
	{.want = "TLS handshake refused by the server: handshake failure",
		.code = CURLE_SSL_CONNECT_ERROR,
		.detail = "error:0A000410:SSL routines::sslv3 alert handshake failure",
		.certificate = {.has_heard = true, .alert = "handshake failure"}},
	{.want = "TLS handshake failed: unsupported protocol",
		.code = CURLE_SSL_CONNECT_ERROR,
		.detail = "error:0A000102:SSL routines::unsupported protocol",
		.certificate = {.has_heard = true}},
	{.want = "TLS handshake failed: odd", .code = CURLE_SSL_CONNECT_ERROR, .detail = "odd"},
	{.want = "TLS handshake failed: odd:", .code = CURLE_SSL_CONNECT_ERROR, .detail = "odd:"},

	{.want = "certificate expired on 2026-11-02",
		.code = CURLE_PEER_FAILED_VERIFICATION,
		.certificate = {.refused = "certificate expired on 2026-11-02"}},
	{.want = "certificate is for a, b and 2 more, not dl.files.example",
		.code = CURLE_PEER_FAILED_VERIFICATION,
		.certificate = {.leaf.names = "a, b and 2 more"}},

	{.want = "closed without an answer", .code = CURLE_GOT_NOTHING, .phase = PHASE_ANSWER},
	{.want = "connection reset before an answer",
		.code = CURLE_RECV_ERROR,
		.detail = "OpenSSL SSL_read: Connection reset by peer, errno 104",
		.phase = PHASE_ANSWER},
	{.want = "connection reset in the middle of the answer",
		.code = CURLE_RECV_ERROR,
		.detail = "OpenSSL SSL_read: Connection reset by peer, errno 104",
		.phase = PHASE_BODY,
		.status = 200},
	{.want = "closed in the middle of the answer",
		.code = CURLE_PARTIAL_FILE,
		.phase = PHASE_BODY,
		.status = 200},
	{.want = "TLS ended by the server: certificate required",
		.code = CURLE_RECV_ERROR,
		.phase = PHASE_ANSWER,
		.certificate = {.alert = "certificate required"}},
	{.want = "HTTP/2 GOAWAY from the server: ENHANCE_YOUR_CALM",
		.code = CURLE_SEND_ERROR,
		.goaway = "ENHANCE_YOUR_CALM"},
	{.want = "no answer within 2 s",
		.code = CURLE_OPERATION_TIMEDOUT,
		.phase = PHASE_ANSWER,
		.goaway = "NO_ERROR"},
	{.want = "HTTP/2 stream reset by the server: INTERNAL_ERROR",
		.code = CURLE_HTTP2_STREAM,
		.detail = "HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)"},
	{.want = "HTTP/2 broken: nghttp2 recv error -501: Received bad client magic byte string",
		.code = CURLE_HTTP2,
		.detail = "nghttp2 recv error -501: Received bad client magic byte string"},
	{.want = "HTTP/2 broken: Error in the HTTP2 framing layer", .code = CURLE_HTTP2},
	{.want = "body cannot be decoded: broken", .code = CURLE_BAD_CONTENT_ENCODING},
	{.want = "body cannot be decoded: Error while processing content unencoding: x",
		.code = CURLE_BAD_CONTENT_ENCODING,
		.detail = "Error while processing content unencoding: x",
		.status = 200},
	{.want = "the server does not speak HTTP/2",
		.code = CURLE_ABORTED_BY_CALLBACK,
		.refused = "the server does not speak HTTP/2",
		.status = 200},
	{.want = "the answer is not HTTP", .code = CURLE_UNSUPPORTED_PROTOCOL},
	{.want = "the answer is not HTTP", .code = CURLE_WEIRD_SERVER_REPLY},
	{.want = "failed (Out of memory)", .code = CURLE_OUT_OF_MEMORY},
	{.want = "Too big (Out of memory)", .code = CURLE_OUT_OF_MEMORY, .detail = "Too big"},
};

static void each_fault_in_words(void **state)
{
	static const struct settings_status_range expected[] = {{200, 299}, {404, 404}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct settings_monitor monitor = {
			.host = "dl.files.example",
			.timeout_ms = cases[i].timeout_ms > 0 ? cases[i].timeout_ms : 2000,
			.status = expected,
			.status_count = COUNT_OF(expected),
			.body = "ok",
		};
		const struct recipe recipe = {.monitor = &monitor};
		struct text reason = {0};
		struct answer answer;
		const struct reason_facts facts = {
			.monitor = &monitor,
			.certificate = &cases[i].certificate,
			.answer = &answer,
			.name = "dl.files.example",
			.refused = cases[i].refused ? cases[i].refused : "",
			.goaway = cases[i].goaway ? cases[i].goaway : "",
			.code = cases[i].code,
			.detail = cases[i].detail ? cases[i].detail : "",
			.os_error = cases[i].os_error,
			.limit_ms = cases[i].limit_ms,
			.phase = cases[i].phase,
			.has_full_headers = cases[i].full_headers,
		};

		answer_init(&answer, &recipe);
		answer.status = cases[i].status;
		answer.has_more = cases[i].full_body;
		if (cases[i].body)
			text_add(&answer.body, cases[i].body);

		bool passed = reason_judge(&facts, &reason);

		if (passed != (cases[i].want == NULL))
			fail_msg("case %zu: %s", i, passed ? "passed" : reason.bytes);
		if (!passed && strcmp(reason.bytes, cases[i].want) != 0)
			fail_msg("case %zu: '%s', not '%s'", i, reason.bytes, cases[i].want);
		answer_done(&answer);
		text_done(&reason);
	}
}

static void nothing_is_asked_of_a_monitor_that_asks_nothing(void **state)
{
	const struct settings_monitor monitor = {.timeout_ms = 1000};
	const struct recipe recipe = {.monitor = &monitor};
	const struct sight certificate = {.trust = NULL};
	struct answer answer;
	struct text reason = {0};
	const struct reason_facts facts = {.monitor = &monitor,
		.certificate = &certificate,
		.answer = &answer,
		.refused = "",
		.goaway = "",
		.detail = ""};

	(void)state;
	answer_init(&answer, &recipe);
	answer.status = 500;
	assert_true(reason_judge(&facts, &reason));
	assert_int_equal(reason.size, 0);
	answer_done(&answer);
	text_done(&reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_in_words),
		cmocka_unit_test(nothing_is_asked_of_a_monitor_that_asks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
