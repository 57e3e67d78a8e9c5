/* SPDX-License-Identifier: Apache-2.0 */
#include "redirect.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Locations are shown so far. */
#define SHOWN 80

static const char *certificate_host(const struct settings_monitor *monitor)
{
	return monitor->sni ? monitor->sni : monitor->host;
}

static void print_url(const struct hop *hop, const char *path, struct text *ret_url)
{
	bool is_ipv6 = strchr(hop->host, ':') != NULL;

	text_print(ret_url, "%s://%s%s%s:%u%s", hop->is_tls ? "https" : "http", is_ipv6 ? "[" : "",
		hop->host, is_ipv6 ? "]" : "", hop->port, path);
}

void hop_done(struct hop *hop)
{
	text_done(&hop->url);
}

void redirect_begin(const struct settings_monitor *monitor, struct hop *ret_hop)
{
	struct hop hop = {
		.port = monitor->port,
		.is_tls = monitor->kind == KIND_HTTPS,
		.is_own = true,
	};

	snprintf(hop.host, sizeof(hop.host), "%s", certificate_host(monitor));
	print_url(&hop, monitor->path, &hop.url);
	*ret_hop = hop;
}

bool redirect_is_one(const struct settings_monitor *monitor, long status, const char *location)
{
	bool leads_on =
		status == 301 || status == 302 || status == 303 || status == 307 || status == 308;

	return monitor->redirect_host && leads_on && location[0] != '\0';
}

/* ---- Location ---- */

struct parts {
	char *scheme;
	char *host;
	char *port;
	char *path;
	char *query;
};

static void parts_done(struct parts *parts)
{
	curl_free(parts->scheme);
	curl_free(parts->host);
	curl_free(parts->port);
	curl_free(parts->path);
	curl_free(parts->query);
}

/* Relative to where it was said (RFC 3986 5); without user, password and fragment, which go nowhere. */
static bool take_apart(const char *from, const char *location, struct parts *ret_parts)
{
	CURLU *url = curl_url();
	struct parts parts = {0};
	bool done = url && curl_url_set(url, CURLUPART_URL, from, 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_SCHEME, &parts.scheme, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &parts.host, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_PATH, &parts.path, 0) == CURLUE_OK;

	if (done) {
		(void)curl_url_get(url, CURLUPART_PORT, &parts.port, CURLU_DEFAULT_PORT);
		(void)curl_url_get(url, CURLUPART_QUERY, &parts.query, 0);
		*ret_parts = parts;
	} else {
		parts_done(&parts);
	}
	curl_url_cleanup(url);
	return done;
}

/* "[2001:db8::1]" as an address is written elsewhere. */
static void copy_host(const char *host, char ret_host[static REDIRECT_HOST_SIZE])
{
	size_t size = strlen(host);
	bool is_bracketed = size > 2 && host[0] == '[';

	snprintf(ret_host, REDIRECT_HOST_SIZE, "%.*s", (int)(size - (is_bracketed ? 2 : 0)),
		host + (is_bracketed ? 1 : 0));
}

/* A relative Location keeps the URL's host, which is that of SNI where Host is another one. */
static void host_of(const struct settings_monitor *monitor, const struct hop *from,
	const struct parts *parts, char ret_host[static REDIRECT_HOST_SIZE])
{
	copy_host(parts->host, ret_host);
	if (from->is_own && strcasecmp(ret_host, from->host) == 0)
		snprintf(ret_host, REDIRECT_HOST_SIZE, "%s", monitor->host);
}

static bool is_allowed(const struct settings_monitor *monitor, const struct hop *from,
	const struct parts *parts, struct text *why)
{
	bool is_https = strcmp(parts->scheme, "https") == 0;
	char host[REDIRECT_HOST_SIZE];

	host_of(monitor, from, parts, host);
	if (!is_https && strcmp(parts->scheme, "http") != 0)
		text_print(why, "redirects to a URL of scheme '%.*s'", SHOWN, parts->scheme);
	else if (strcasecmp(host, monitor->redirect_host) != 0)
		text_print(
			why, "redirects to %.*s, not to %s", SHOWN, host, monitor->redirect_host);
	else if (from->is_tls && !is_https)
		text_add(why, "redirects from https to http");
	else
		return true;
	return false;
}

static struct hop make_hop(
	const struct settings_monitor *monitor, const struct hop *from, const struct parts *parts)
{
	struct hop hop = {
		.is_tls = strcmp(parts->scheme, "https") == 0,
		.port = parts->port ? (uint16_t)strtoul(parts->port, NULL, 10) : 0,
	};
	struct text path = {0};

	host_of(monitor, from, parts, hop.host);
	hop.is_own = strcasecmp(hop.host, monitor->host) == 0;
	if (hop.is_own)
		snprintf(hop.host, sizeof(hop.host), "%s", certificate_host(monitor));
	text_print(&path, "%s%s%s", parts->path, parts->query ? "?" : "",
		parts->query ? parts->query : "");
	print_url(&hop, path.bytes, &hop.url);
	text_done(&path);
	return hop;
}

static bool is_new(const struct hop *hops, size_t count, const struct hop *next, struct text *why)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(hops[i].url.bytes, next->url.bytes) != 0)
			continue;
		text_print(why, "redirects in a loop: back to %.*s", SHOWN, next->url.bytes);
		return false;
	}
	if (count <= REDIRECT_MAX)
		return true;
	text_print(why, "more than %d redirects", REDIRECT_MAX);
	return false;
}

bool redirect_follow(const struct settings_monitor *monitor, const struct hop *hops, size_t count,
	const char *location, struct hop *ret_hop, struct text *ret_why)
{
	const struct hop *from = &hops[count - 1];
	struct parts parts;

	if (!take_apart(from->url.bytes, location, &parts)) {
		text_print(ret_why, "redirects to '%.*s', which is no URL", SHOWN, location);
		return false;
	}

	bool is_followed = is_allowed(monitor, from, &parts, ret_why);

	if (is_followed) {
		struct hop next = make_hop(monitor, from, &parts);

		is_followed = is_new(hops, count, &next, ret_why);
		if (is_followed)
			*ret_hop = next;
		else
			hop_done(&next);
	}
	parts_done(&parts);
	return is_followed;
}
