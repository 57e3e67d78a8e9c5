/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "certificate.h"
#include "reason.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/*
 * While checks run a beat tells how long the event loop takes for one round.  A handshake needs
 * some five rounds, so that a long round looks like a slow backend: above 50 ms fewer checks run at
 * once, below it more.  What hangs needs no rounds, and may be as many as there are descriptors.
 */
#define BEAT_MS 50
#define ROUND_MAX_MS 50
#define AT_ONCE_FIRST 64
#define AT_ONCE_MIN 16

/*
 * Longer than this, and the process was stopped or starved: it has no right to judge what failed
 * meanwhile.
 */
#define STARVED_MS 500
#define STARVED_LOG_EVERY_MS 60000

struct check {
	struct checks *checks;
	struct check_order order;
	CURL *easy; /* NULL: waits for its turn */
	struct curl_slist *connect_to;
	char detail[CURL_ERROR_SIZE];
	struct certificate_sight sight;
	struct text body;
	bool is_connected; /* TLS began: libcurl's own times do not tell TCP from TLS */
	size_t headers_size;
	size_t body_size;
	uint64_t started_at_ms;	 /* once `easy` is there */
	TAILQ_ENTRY(check) link; /* in `waiting` or in `running` */
};

TAILQ_HEAD(check_queue, check);

struct checks {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct check_queue waiting;
	struct check_queue running;
	size_t running_count;
	size_t at_once; /* as many as keep the rounds short */
	size_t most_at_once;
	struct event *beat;
	uint64_t beat_due_at_ms;
	uint64_t starved_at_ms; /* last; 0: never */
	uint64_t logged_at_ms;	/* that it was */
};

/* ---- what libcurl hands us while a check runs ---- */

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct check *check = context;

	(void)bytes;
	check->headers_size += size * count;
	return check->headers_size <= REASON_HEADERS_MAX ? size * count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct check *check = context;
	size_t total = size * count;
	size_t room = REASON_BODY_MAX - check->body_size;
	size_t kept = total < room ? total : room;

	if (check->order.monitor->body)
		text_add_bytes(&check->body, bytes, kept);
	check->body_size += kept;
	/* full: it ends here, and what came is judged */
	return check->body_size < REASON_BODY_MAX ? total : 0;
}

static CURLcode on_tls(CURL *easy, void *tls, void *context)
{
	struct check *check = context;

	(void)easy;
	check->is_connected = true;
	certificate_watch(tls, check->order.trust, &check->sight);
	return CURLE_OK;
}

/* ---- one request ---- */

static void set_target(struct check *check)
{
	const struct settings_monitor *monitor = check->order.monitor;
	struct address_port to = {check->order.address, monitor->port};
	struct text text = {0};
	char address[ADDRESS_PORT_TEXT_SIZE];

	text_print(&text, "https://%s:%u%s", monitor->host, monitor->port, monitor->path);
	curl_easy_setopt(check->easy, CURLOPT_URL, text.bytes);
	text_clear(&text);
	address_port_print(&to, address);
	text_print(&text, "::%s", address); /* whatever host and port the URL has */
	check->connect_to = curl_slist_append(NULL, text.bytes);
	curl_easy_setopt(check->easy, CURLOPT_CONNECT_TO, check->connect_to);
	text_done(&text);

	curl_easy_setopt(check->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(check->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(check->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(check->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(check->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(check->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(check->easy, CURLOPT_USERAGENT, "steerd-prober/" STEERD_VERSION);
	curl_easy_setopt(check->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(check->easy, CURLOPT_HTTP09_ALLOWED, 0L);
}

static void set_connection(struct check *check)
{
	long timeout_ms = (long)check->order.monitor->timeout_ms;

	curl_easy_setopt(check->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(check->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(check->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	curl_easy_setopt(check->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(check->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(check->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(check->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(check->easy, CURLOPT_SSL_VERIFYHOST, 2L);
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

static void beat_again(struct checks *checks)
{
	const struct timeval wait = {.tv_usec = BEAT_MS * 1000};

	checks->beat_due_at_ms = clock_monotonic_ms() + BEAT_MS;
	event_add(checks->beat, &wait);
}

/* Lets the first that waits run, as long as there is room. */
static void run_waiting(struct checks *checks)
{
	struct check *check;

	while (checks->running_count < checks->at_once && (check = TAILQ_FIRST(&checks->waiting))) {
		if (checks->running_count == 0)
			beat_again(checks);
		TAILQ_REMOVE(&checks->waiting, check, link);
		TAILQ_INSERT_TAIL(&checks->running, check, link);
		checks->running_count++;
		check->started_at_ms = clock_monotonic_ms();
		check->easy = curl_easy_init();
		if (!check->easy)
			abort(); /* out of memory, as base/memory.c would say */
		set_target(check);
		set_connection(check);
		set_answer(check);
		curl_multi_add_handle(checks->multi, check->easy);
	}
}

/* ---- its end ---- */

static void check_free(struct check *check)
{
	struct checks *checks = check->checks;

	if (check->easy) {
		TAILQ_REMOVE(&checks->running, check, link);
		checks->running_count--;
		curl_multi_remove_handle(checks->multi, check->easy);
		curl_easy_cleanup(check->easy);
	} else {
		TAILQ_REMOVE(&checks->waiting, check, link);
	}
	curl_slist_free_all(check->connect_to);
	text_done(&check->body);
	X509_STORE_free(check->order.trust);
	free(check);
}

static curl_off_t time_of(CURL *easy, CURLINFO which)
{
	curl_off_t time_us = 0;

	curl_easy_getinfo(easy, which, &time_us);
	return time_us;
}

static enum reason_phase phase_of(const struct check *check)
{
	if (!check->is_connected)
		return PHASE_CONNECT;
	if (time_of(check->easy, CURLINFO_APPCONNECT_TIME_T) == 0)
		return PHASE_TLS;
	return check->headers_size == 0 ? PHASE_ANSWER : PHASE_BODY;
}

/* How long the beat is overdue: the length of this round. */
static uint64_t note_lag(struct checks *checks)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t lag_ms = now_ms > checks->beat_due_at_ms ? now_ms - checks->beat_due_at_ms : 0;

	if (lag_ms < STARVED_MS)
		return lag_ms;
	checks->starved_at_ms = now_ms;
	if (checks->logged_at_ms == 0 || now_ms - checks->logged_at_ms > STARVED_LOG_EVERY_MS) {
		log_warning("stopped or starved for %" PRIu64
			    " ms: checks that failed meanwhile do not count",
			lag_ms);
		checks->logged_at_ms = now_ms;
	}
	return lag_ms;
}

static bool was_starved_during(const struct check *check)
{
	/* this may be the first thing to run after the pause, before the beat */
	(void)note_lag(check->checks);
	return check->checks->starved_at_ms >= check->started_at_ms;
}

static void finish(struct check *check, CURLcode code)
{
	struct reason_facts facts = {
		.monitor = check->order.monitor,
		.certificate = &check->sight,
		.body = &check->body,
		.code = code,
		.detail = check->detail,
		.phase = phase_of(check),
		.has_full_headers = check->headers_size > REASON_HEADERS_MAX,
		.has_full_body = check->body_size == REASON_BODY_MAX,
	};
	struct text reason = {0};
	struct judge_check result = {
		.latency_ms =
			(uint32_t)((time_of(check->easy, CURLINFO_TOTAL_TIME_T) + 999) / 1000),
		.at_unix_s = clock_unix_s(),
	};

	curl_easy_getinfo(check->easy, CURLINFO_RESPONSE_CODE, &facts.status);
	curl_easy_getinfo(check->easy, CURLINFO_OS_ERRNO, &facts.os_error);
	result.passed = reason_judge(&facts, &reason);
	result.reason = reason.bytes;

	struct checks *checks = check->checks;
	check_done_fn done = check->order.done;
	void *context = check->order.context;
	bool is_void = !result.passed && was_starved_during(check);

	check_free(check);
	done(context, is_void ? NULL : &result);
	text_done(&reason);
	run_waiting(checks);
}

static void finish_all(struct checks *checks)
{
	int left;

	for (CURLMsg *message; (message = curl_multi_info_read(checks->multi, &left));) {
		struct check *check;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &check);
		finish(check, message->data.result); /* the message is void from here on */
	}
}

/* ---- libcurl on the event loop ---- */

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct checks *checks = context;
	int ready =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(checks->multi, fd, ready, &running);
	finish_all(checks);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct checks *checks = context;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(checks->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_all(checks);
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	struct checks *checks = context;

	(void)fd;
	(void)what;
	if (note_lag(checks) > ROUND_MAX_MS)
		checks->at_once -= checks->at_once / 4;
	else if (checks->running_count >= checks->at_once)
		checks->at_once += 1 + checks->at_once / 16;
	if (checks->at_once < AT_ONCE_MIN)
		checks->at_once = AT_ONCE_MIN;
	if (checks->at_once > checks->most_at_once)
		checks->at_once = checks->most_at_once;
	run_waiting(checks);
	if (checks->running_count > 0)
		beat_again(checks);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *fd_context)
{
	struct checks *checks = context;
	struct event *event = fd_context;
	short wanted = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what & CURL_POLL_IN)
			wanted |= EV_READ;
		if (what & CURL_POLL_OUT)
			wanted |= EV_WRITE;
		event = event_new(checks->base, fd, wanted, on_socket, checks);
		event_add(event, NULL);
	}
	curl_multi_assign(checks->multi, fd, event);
	return 0;
}

static int want_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct checks *checks = context;
	struct timeval timeout = {
		.tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};

	(void)multi;
	if (timeout_ms < 0)
		event_del(checks->timer);
	else
		event_add(checks->timer, &timeout);
	return 0;
}

struct checks *checks_new(struct event_base *base, size_t most_at_once)
{
	struct checks *checks = memory_new(sizeof(*checks));

	checks->base = base;
	checks->most_at_once = most_at_once;
	TAILQ_INIT(&checks->waiting);
	TAILQ_INIT(&checks->running);
	checks->at_once = most_at_once < AT_ONCE_FIRST ? most_at_once : AT_ONCE_FIRST;
	checks->timer = evtimer_new(base, on_timer, checks);
	checks->beat = evtimer_new(base, on_beat, checks);
	checks->multi = curl_multi_init();
	if (!checks->multi || !checks->timer || !checks->beat)
		abort(); /* out of memory */
	curl_multi_setopt(checks->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(checks->multi, CURLMOPT_SOCKETDATA, checks);
	curl_multi_setopt(checks->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(checks->multi, CURLMOPT_TIMERDATA, checks);
	return checks;
}

void checks_free(struct checks *checks)
{
	struct check *check;

	if (!checks)
		return;
	while ((check = TAILQ_FIRST(&checks->waiting)) || (check = TAILQ_FIRST(&checks->running)))
		check_free(check);
	curl_multi_cleanup(checks->multi);
	event_free(checks->timer);
	event_free(checks->beat);
	free(checks);
}

struct check *check_start(struct checks *checks, const struct check_order *order)
{
	struct check *check = memory_new(sizeof(*check));

	check->checks = checks;
	check->order = *order;
	X509_STORE_up_ref(order->trust);
	TAILQ_INSERT_TAIL(&checks->waiting, check, link);
	run_waiting(checks);
	return check;
}

void check_cancel(struct check *check)
{
	if (!check)
		return;

	struct checks *checks = check->checks;

	check_free(check);
	run_waiting(checks);
}
