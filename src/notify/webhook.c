/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/multi.h"
#include "steerd/outbound/names.h"
#include "steerd/outbound/reach.h"

#define ANSWER_MAX 65536

struct webhooks {
	struct event_base *base;
	struct names *names;
	struct multi *multi;
};

struct webhook {
	struct webhooks *webhooks;
	struct webhook_order order;
	char *host; /* of the URL, without brackets */
	uint16_t port;
	struct event *broken;  /* fires when it cannot even begin */
	struct lookup *lookup; /* under way, or NULL */
	CURL *easy;	       /* under way, or NULL */
	struct curl_slist *resolved;
	struct curl_slist *headers;
	char detail[CURL_ERROR_SIZE];
	struct text refused; /* why an address is not connected to */
	struct text why;
	size_t answer_size;
};

/* ---- its end ---- */

static void webhook_free(struct webhook *webhook)
{
	lookup_cancel(webhook->lookup);
	if (webhook->easy)
		curl_easy_cleanup(webhook->easy);
	if (webhook->broken)
		event_free(webhook->broken);
	curl_slist_free_all(webhook->resolved);
	curl_slist_free_all(webhook->headers);
	text_done(&webhook->refused);
	text_done(&webhook->why);
	free(webhook->host);
	orders_drop(webhook->order.orders);
	free(webhook);
}

/* `why` is empty when it arrived. */
static void finish(struct webhook *webhook)
{
	struct text why = webhook->why;
	const struct webhook_order order = webhook->order;

	webhook->why = (struct text){0};
	webhook_free(webhook);
	order.done(order.context, why.size == 0, why.size > 0 ? why.bytes : "");
	text_done(&why);
}

static void on_broken(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	finish(context);
}

/* Not within webhook_start(). */
static void finish_soon(struct webhook *webhook)
{
	const struct timeval now = {0};

	webhook->broken = evtimer_new(webhook->webhooks->base, on_broken, webhook);
	event_add(webhook->broken, &now);
}

/* ---- what libcurl hands us ---- */

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct webhook *webhook = context;
	struct address_port address;

	(void)purpose;
	text_clear(&webhook->refused);
	if (!address_from_sockaddr(&to->addr, &address))
		return CURL_SOCKET_BAD;
	if (!webhook->order.notify->allows_internal &&
		reach_is_internal(&webhook->order.orders->reach, &address, &webhook->refused))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
}

/* The system's certificates as OpenSSL finds them, where no others are named. */
static CURLcode on_tls(CURL *easy, void *tls, void *context)
{
	const struct webhook *webhook = context;

	(void)easy;
	if (webhook->order.notify->ca || SSL_CTX_set_default_verify_paths(tls) == 1)
		return CURLE_OK;
	return CURLE_SSL_CACERT_BADFILE;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct webhook *webhook = context;

	(void)bytes;
	webhook->answer_size += size * count;
	return webhook->answer_size <= ANSWER_MAX ? size * count : 0;
}

/* ---- the request ---- */

void webhook_sign(const struct settings_file *secret, uint64_t now_unix_s, const char *body,
	struct text *ret_value)
{
	struct text signed_text = {0};
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_size = 0;
	size_t size = secret->size;

	while (size > 0 && strchr("\r\n", secret->bytes[size - 1]))
		size--;
	text_print(&signed_text, "%" PRIu64 ".%s", now_unix_s, body);
	HMAC(EVP_sha256(), secret->bytes, (int)size, (const uint8_t *)signed_text.bytes,
		signed_text.size, mac, &mac_size);
	text_print(ret_value, "t=%" PRIu64 ",v1=", now_unix_s);
	for (unsigned i = 0; i < mac_size; i++)
		text_print(ret_value, "%02x", mac[i]);
	text_done(&signed_text);
}

static void add_header(struct webhook *webhook, const char *name, const char *value)
{
	struct text line = {0};

	text_print(&line, "%s: %s", name, value);
	webhook->headers = curl_slist_append(webhook->headers, line.bytes);
	text_done(&line);
}

static void set_request(struct webhook *webhook)
{
	const struct settings_notify *notify = webhook->order.notify;
	const struct link_notice *notice = webhook->order.notice;
	struct text signature = {0};

	add_header(webhook, "content-type", "application/json");
	add_header(webhook, "steerd-event", notice->event);
	/* at each try anew: the time in it is how a receiver refuses what someone recorded */
	if (notify->secret) {
		webhook_sign(notify->secret, clock_unix_s(), notice->body, &signature);
		add_header(webhook, "steerd-signature", signature.bytes);
	}
	text_done(&signature);
	curl_easy_setopt(webhook->easy, CURLOPT_URL, notify->url);
	curl_easy_setopt(webhook->easy, CURLOPT_POSTFIELDS, notice->body);
	curl_easy_setopt(webhook->easy, CURLOPT_HTTPHEADER, webhook->headers);
	curl_easy_setopt(webhook->easy, CURLOPT_USERAGENT, "steerd/" STEERD_VERSION);
	curl_easy_setopt(webhook->easy, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(webhook->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(webhook->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(webhook->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(webhook->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(webhook->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(webhook->easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(webhook->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(webhook->easy, CURLOPT_WRITEDATA, webhook);
	curl_easy_setopt(webhook->easy, CURLOPT_ERRORBUFFER, webhook->detail);
	curl_easy_setopt(webhook->easy, CURLOPT_PRIVATE, webhook);
}

static void set_connection(struct webhook *webhook)
{
	const struct settings_file *ca = webhook->order.notify->ca;

	curl_easy_setopt(webhook->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(webhook->easy, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_TIMEOUT_MS);
	curl_easy_setopt(webhook->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)WEBHOOK_TIMEOUT_MS);
	curl_easy_setopt(webhook->easy, CURLOPT_RESOLVE, webhook->resolved);
	curl_easy_setopt(webhook->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(webhook->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(webhook->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(webhook->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(webhook->easy, CURLOPT_OPENSOCKETDATA, webhook);
	curl_easy_setopt(webhook->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(webhook->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(webhook->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(webhook->easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(webhook->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(webhook->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(webhook->easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(webhook->easy, CURLOPT_SSL_CTX_DATA, webhook);
	if (ca) {
		struct curl_blob blob = {
			.data = (void *)ca->bytes, .len = ca->size, .flags = CURL_BLOB_NOCOPY};

		curl_easy_setopt(webhook->easy, CURLOPT_CAINFO_BLOB, &blob);
	}
}

static void send_request(struct webhook *webhook)
{
	webhook->easy = curl_easy_init();
	if (!webhook->easy)
		abort(); /* out of memory */
	set_request(webhook);
	set_connection(webhook);
	multi_add(webhook->webhooks->multi, webhook->easy);
}

static void judge_answer(struct webhook *webhook, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(webhook->easy, CURLINFO_RESPONSE_CODE, &status);
	if (webhook->refused.size > 0)
		text_print(&webhook->why, "%s; 'allow-internal: yes' of the webhook allows it",
			webhook->refused.bytes);
	else if (status >= 300 && status < 400)
		text_print(&webhook->why, "it answered %ld: redirects are not followed", status);
	else if (status != 0 && (status < 200 || status > 299))
		text_print(&webhook->why, "it answered %ld", status);
	else if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && status != 0))
		text_add(&webhook->why,
			webhook->detail[0] ? webhook->detail : curl_easy_strerror(code));
	/* whatever words a stranger has a part in */
	for (size_t i = 0; i < webhook->why.size; i++)
		if ((unsigned char)webhook->why.bytes[i] < 0x20 || webhook->why.bytes[i] == 0x7f)
			webhook->why.bytes[i] = '?';
}

static void on_done(CURL *easy, CURLcode code, void *context)
{
	struct webhook *webhook;

	(void)context;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &webhook);
	multi_remove(webhook->webhooks->multi, easy);
	judge_answer(webhook, code);
	finish(webhook);
}

/* ---- where to ---- */

static void add_addresses(const struct names_family *family, struct text *list)
{
	for (size_t i = 0; family->state == NAMES_FOUND && i < family->count; i++) {
		char text[ADDRESS_TEXT_SIZE];
		bool is_ipv6 = family->addresses[i].family == ADDRESS_IPV6;

		address_print(&family->addresses[i], text);
		text_print(list, is_ipv6 ? "%s[%s]" : "%s%s", list->size > 0 ? "," : "", text);
	}
}

static void on_resolved(void *context, const struct names_result *result)
{
	struct webhook *webhook = context;
	struct text list = {0};
	struct text entry = {0};

	webhook->lookup = NULL;
	add_addresses(&result->ipv4, &list);
	add_addresses(&result->ipv6, &list);
	if (list.size == 0) {
		text_print(&webhook->why, "'%s' cannot be resolved: %s", webhook->host,
			result->ipv4.why);
		finish(webhook);
		return;
	}
	text_print(&entry, "%s:%u:%s", webhook->host, webhook->port, list.bytes);
	webhook->resolved = curl_slist_append(NULL, entry.bytes);
	text_done(&entry);
	text_done(&list);
	send_request(webhook);
}

/* Host and port of the URL; false if it has none. */
static bool take_apart(struct webhook *webhook)
{
	CURLU *url = curl_url();
	char *host = NULL;
	char *port = NULL;
	bool done = curl_url_set(url, CURLUPART_URL, webhook->order.notify->url, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;

	if (done) {
		size_t size = strlen(host);
		bool is_bracketed = host[0] == '[';

		webhook->host = memory_text(is_bracketed ? host + 1 : host);
		if (is_bracketed)
			webhook->host[size - 2] = '\0';
		webhook->port = (uint16_t)strtoul(port, NULL, 10);
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return done;
}

struct webhook *webhook_start(struct webhooks *webhooks, const struct webhook_order *order)
{
	struct webhook *webhook = memory_new(sizeof(*webhook));
	struct address literal;

	webhook->webhooks = webhooks;
	webhook->order = *order;
	orders_hold(order->orders);
	if (!take_apart(webhook)) {
		text_print(&webhook->why, "'%s' is no URL", order->notify->url);
		finish_soon(webhook);
	} else if (address_parse(webhook->host, &literal)) {
		send_request(webhook);
	} else {
		webhook->lookup =
			lookup_start(webhooks->names, webhook->host, on_resolved, webhook);
	}
	return webhook;
}

void webhook_cancel(struct webhook *webhook)
{
	if (!webhook)
		return;
	if (webhook->easy)
		multi_remove(webhook->webhooks->multi, webhook->easy);
	webhook_free(webhook);
}

struct webhooks *webhooks_new(struct event_base *base, const char *servers)
{
	struct webhooks *webhooks = memory_new(sizeof(*webhooks));

	webhooks->base = base;
	webhooks->names = names_new(base, servers);
	webhooks->multi = multi_new(base, on_done, webhooks);
	return webhooks;
}

void webhooks_free(struct webhooks *webhooks)
{
	if (!webhooks)
		return;
	multi_free(webhooks->multi);
	names_free(webhooks->names);
	free(webhooks);
}
