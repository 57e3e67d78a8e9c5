/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/dial.h"
#include "tell.h"

/*
 * There may be thousands at a time that hang.  A slice comes faster in larger pieces; else what is asked and what is
 * answered are small.
 */
#define REQUEST_BUFFER 16384 /* the least that libcurl takes */
#define ANSWER_BUFFER 4096
#define SLICE_BUFFER 65536
#define TLS_FRAGMENT 4096 /* of what we send */

/* ---- what libcurl hands us while a request runs ---- */

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct check *check = context;

	if (check->phase < PHASE_BODY)
		check_enter(check, PHASE_BODY);
	if (answer_add_line(check->answer, bytes, size * count))
		return size * count;
	check->has_full_headers = true;
	return 0;
}

/* Something else than a slice may be the whole file: its status has said what it is. */
static bool is_worth_reading(const struct check *check)
{
	return check->monitor->range_bytes == 0 || check->answer->status == 206;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct check *check = context;

	/* 0: it ends here, and what came is judged */
	return is_worth_reading(check) &&
			answer_add_body(check->answer, bytes, size * count, clock_monotonic_us())
		? size * count
		: 0;
}

static CURLcode on_tls(CURL *easy, void *tls, void *context)
{
	struct check *check = context;
	const struct recipe *recipe = check->order.recipe;
	const struct hop *hop = &check->hops[check->hop_count - 1];

	(void)easy;
	check_enter(check, PHASE_TLS);
	sight_watch(tls, &check->sight);
	SSL_CTX_set_max_send_fragment(tls, TLS_FRAGMENT);
	if (!recipe->certificate || !hop->is_own)
		return CURLE_OK;
	if (SSL_CTX_use_certificate(tls, recipe->certificate) != 1 ||
		SSL_CTX_use_PrivateKey(tls, recipe->key) != 1 ||
		SSL_CTX_set1_chain(tls, recipe->issuers) != 1)
		return CURLE_SSL_CERTPROBLEM;
	return CURLE_OK;
}

/* RFC 9113 7, by number. */
static const char *const http2_errors[] = {
	"NO_ERROR",
	"PROTOCOL_ERROR",
	"INTERNAL_ERROR",
	"FLOW_CONTROL_ERROR",
	"SETTINGS_TIMEOUT",
	"STREAM_CLOSED",
	"FRAME_SIZE_ERROR",
	"REFUSED_STREAM",
	"CANCEL",
	"COMPRESSION_ERROR",
	"CONNECT_ERROR",
	"ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY",
	"HTTP_1_1_REQUIRED",
};

/* A GOAWAY is told nowhere else: "received GOAWAY, error=11, last_stream=0", in some versions misspelt. */
static int on_words(CURL *easy, curl_infotype type, char *words, size_t size, void *context)
{
	static const char begin[] = "GOAWAY, error=";
	struct check *check = context;
	const char *at = type == CURLINFO_TEXT ? memmem(words, size, begin, strlen(begin)) : NULL;
	char number[16];

	(void)easy;
	if (!at)
		return 0;
	at += strlen(begin);
	snprintf(number, sizeof(number), "%.*s", (int)(size - (size_t)(at - words)), at);

	unsigned long error = strtoul(number, NULL, 10);

	if (error < COUNT_OF(http2_errors))
		snprintf(check->goaway, sizeof(check->goaway), "%s", http2_errors[error]);
	else
		snprintf(check->goaway, sizeof(check->goaway), "error %lu", error);
	return 0;
}

/* Whether a connection to that address may be made; if not, why is kept. */
static bool may_connect(struct check *check, const struct sockaddr *sockaddr)
{
	struct address_port to;

	if (!check->order.reach)
		return true;
	return address_from_sockaddr(sockaddr, &to) &&
		reach_is_allowed(
			check->order.reach, &to, check->monitor->allows_internal, &check->refused);
}

/*
 * The one place where connections of checks begin.  libcurl makes a second one of its own accord when HTTP/2 refuses the
 * stream: that is what is to be found, not to be mended.
 */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct check *check = context;

	(void)purpose;
	if (check->has_socket || !may_connect(check, &to->addr))
		return CURL_SOCKET_BAD;
	check->has_socket = true;

	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);

	check->is_short = fd < 0 && dial_is_our_fault(errno);
	return fd;
}

static bool speaks_http2(CURL *easy)
{
	const struct curl_tlssessioninfo *session = NULL;
	const unsigned char *protocol = NULL;
	unsigned size = 0;

	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK &&
		session->internals)
		SSL_get0_alpn_selected(session->internals, &protocol, &size);
	return size == 2 && memcmp(protocol, "h2", 2) == 0;
}

/* Connected, with TLS and all: the request is about to be sent. */
static int on_ready(void *context, char *remote, char *local, int remote_port, int local_port)
{
	struct check *check = context;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	if (check->monitor->is_http2 && check->hops[check->hop_count - 1].is_tls &&
		!speaks_http2(check->easy)) {
		text_add(&check->refused, "the server does not speak HTTP/2");
		return CURL_PREREQFUNC_ABORT;
	}
	tell_connection(check);
	check_enter(check, PHASE_ANSWER);
	return CURL_PREREQFUNC_OK;
}

/* ---- what libcurl is told ---- */

static void set_method(struct check *check)
{
	const struct settings_monitor *monitor = check->monitor;
	const char *method = monitor->method ? monitor->method : "GET";
	bool has_body = monitor->request_body != NULL;

	/* RFC 9110 15.4: after 303, and by custom after 301 and 302, a GET */
	if (check->hop_count > 1 && check->redirect_status != 307 &&
		check->redirect_status != 308) {
		method = strcmp(method, "HEAD") == 0 ? "HEAD" : "GET";
		has_body = false;
	}
	if (has_body) {
		curl_easy_setopt(check->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)strlen(monitor->request_body));
		curl_easy_setopt(check->easy, CURLOPT_POSTFIELDS, monitor->request_body);
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(check->easy, CURLOPT_NOBODY, 1L);
	} else {
		curl_easy_setopt(check->easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(check->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_http(struct check *check)
{
	const struct settings_monitor *monitor = check->monitor;
	long version = monitor->is_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
	bool reads_body = monitor->body || monitor->body_regex || monitor->body_sha256;

	curl_easy_setopt(check->easy, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(check->easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(check->easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(check->easy, CURLOPT_USERAGENT, "steerd-prober/" STEERD_VERSION);
	/*
	 * Compressed bodies are asked for where the body is looked at, as browsers do, and decoded.  Elsewhere, and of
	 * a slice, nobody needs to.
	 */
	if (reads_body && monitor->range_bytes == 0)
		curl_easy_setopt(check->easy, CURLOPT_ACCEPT_ENCODING, "");
	if (monitor->is_http2) {
		curl_easy_setopt(check->easy, CURLOPT_VERBOSE, 1L);
		curl_easy_setopt(check->easy, CURLOPT_DEBUGFUNCTION, on_words);
		curl_easy_setopt(check->easy, CURLOPT_DEBUGDATA, check);
	}
	if (monitor->range_bytes > 0) {
		struct text range = {0};

		range_print(&check->ask, &range);
		curl_easy_setopt(check->easy, CURLOPT_RANGE, range.bytes);
		text_done(&range);
	}
}

static void set_connection(struct check *check)
{
	bool verifies = check->order.recipe->trust != NULL;

	curl_easy_setopt(check->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(check->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(check->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(check->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(check->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(check->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(check->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(check->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(check->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(check->easy, CURLOPT_SSL_VERIFYPEER, verifies ? 1L : 0L);
	curl_easy_setopt(check->easy, CURLOPT_SSL_VERIFYHOST, verifies ? 2L : 0L);
	curl_easy_setopt(check->easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(check->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/*
	 * The CA certificates are ours, read once and shared: libcurl would parse the whole system
	 * store for each connection.  Without its own cache, too, which knows one store and could
	 * give it to another monitor.
	 */
	curl_easy_setopt(check->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(check->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(check->easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(check->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(check->easy, CURLOPT_SSL_CTX_DATA, check);
	curl_easy_setopt(check->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(check->easy, CURLOPT_OPENSOCKETDATA, check);
	curl_easy_setopt(check->easy, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(check->easy, CURLOPT_PREREQDATA, check);
}

static void set_buffers(struct check *check)
{
	curl_easy_setopt(check->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)REQUEST_BUFFER);
	curl_easy_setopt(check->easy, CURLOPT_BUFFERSIZE,
		(long)(check->monitor->range_bytes > 0 ? SLICE_BUFFER : ANSWER_BUFFER));
}

static void set_answer(struct check *check)
{
	curl_easy_setopt(check->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(check->easy, CURLOPT_HEADERDATA, check);
	curl_easy_setopt(check->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(check->easy, CURLOPT_WRITEDATA, check);
	curl_easy_setopt(check->easy, CURLOPT_ERRORBUFFER, check->detail);
	curl_easy_setopt(check->easy, CURLOPT_PRIVATE, check);
}

void request_prepare(struct check *check)
{
	set_connection(check);
	set_http(check);
	set_buffers(check);
	set_answer(check);
}

void request_aim(struct check *check, long timeout_ms)
{
	const struct recipe *recipe = check->order.recipe;
	const struct hop *hop = &check->hops[check->hop_count - 1];
	struct address_port to = {check->address, hop->port};
	struct text text = {0};
	char address[ADDRESS_PORT_TEXT_SIZE];

	address_port_print(&to, address);
	text_print(&text, "::%s", address); /* whatever host and port the URL has */
	curl_slist_free_all(check->connect_to);
	check->connect_to = curl_slist_append(NULL, text.bytes);
	text_done(&text);
	curl_easy_setopt(check->easy, CURLOPT_CONNECT_TO, check->connect_to);
	curl_easy_setopt(check->easy, CURLOPT_URL, hop->url.bytes);
	curl_easy_setopt(check->easy, CURLOPT_HTTPHEADER,
		hop->is_own ? recipe->request : recipe->request_elsewhere);
	curl_easy_setopt(check->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(check->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	set_method(check);
}
