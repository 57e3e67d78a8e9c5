/* SPDX-License-Identifier: Apache-2.0 */

/* Monitors of kind https and http against servers that are wrong in every way that tests/tools/backend knows. */

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "certificate.h"
#include "one.h"
#include "resolver.h"
#include "rig.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"

#define FILE_BYTES UINT64_C(4700000000)
#define FILE_ETAG "\"4700000000-1\""

static struct rig_certificates certificates;
static struct rig_server server;
static struct rig_server plain;
static struct rig_backend backend;
static X509_STORE *trust;

static int start_servers(void **state)
{
	struct rig_server servers[] = {
		{.name = "tls"},
		{.name = "plain", .mode = "ok", .is_plain = true},
	};
	struct err err;
	char *path;

	(void)state;
	rig_make_certificates(&certificates);
	path = rig_certificate_path(&certificates, "ca.pem");
	trust = certificate_trust(rig_file(path), &err);
	free(path);
	rig_start_backend(&backend, &certificates, servers, COUNT_OF(servers));
	server = servers[0];
	plain = servers[1];
	return trust ? 0 : -1;
}

static int stop_servers(void **state)
{
	(void)state;
	rig_stop_backend(&backend);
	X509_STORE_free(trust);
	rig_remove_certificates(&certificates);
	return 0;
}

static const struct settings_status_range well[] = {{200, 299}};

/* One that expects what the good server answers. */
static void begin_with(struct one *one, enum settings_kind kind, const char *servers)
{
	one_init_with(one, kind, servers);
	one->trust = trust;
	one->monitor.name = "edge";
	one->monitor.host = "dl.files.example";
	one->monitor.path = "/health";
	one->monitor.port = kind == KIND_HTTPS ? server.port : plain.port;
	one->monitor.is_tls = kind == KIND_HTTPS;
	one->monitor.timeout_ms = 3000;
	one->monitor.status = well;
	one->monitor.status_count = 1;
}

static void begin(struct one *one, enum settings_kind kind)
{
	begin_with(one, kind, NULL);
}

static void set_mode(const char *name, const char *mode)
{
	struct text line = {0};

	text_print(&line, "mode %s %s", name, mode);
	rig_tell(&backend, line.bytes);
	text_done(&line);
}

/* ---- tweaks ---- */

static void soon(struct settings_monitor *monitor)
{
	monitor->timeout_ms = 300;
}

static void expect_ok(struct settings_monitor *monitor)
{
	monitor->body = "ok";
}

static void match_ok(struct settings_monitor *monitor)
{
	monitor->body_regex = "^o[a-z]$|^ok";
}

static void match_digit(struct settings_monitor *monitor)
{
	monitor->body_regex = "version \\d+";
}

static void hash_ok(struct settings_monitor *monitor)
{
	/* of "ok\nserved by tls\n" */
	static const uint8_t sha256[32] = {0x8e, 0xe2, 0x08, 0x32, 0x7c, 0x8f, 0xc8, 0x9a, 0x8a,
		0x0a, 0x08, 0xc6, 0x62, 0x8a, 0x26, 0x66, 0xb3, 0xa5, 0xf8, 0x65, 0x75, 0x6a, 0x24,
		0x44, 0x7e, 0xd2, 0xcd, 0xd6, 0x13, 0xe3, 0x73, 0xde};

	monitor->body_sha256 = sha256;
}

static void few_octets(struct settings_monitor *monitor)
{
	monitor->body = "it is I";
	monitor->body_bytes = 1024;
}

static void hash_few(struct settings_monitor *monitor)
{
	hash_ok(monitor);
	monitor->body_bytes = 1024;
}

static void expect_hit(struct settings_monitor *monitor)
{
	static const struct settings_header expected[] = {
		{"x-cache", "^HIT"}, {"Age", NULL}, {"Content-Type", "^text/"}};

	monitor->expected_headers = expected;
	monitor->expected_header_count = COUNT_OF(expected);
}

static void post(struct settings_monitor *monitor)
{
	static const struct settings_header headers[] = {{"X-Probe", "steerd"}};

	monitor->method = "POST";
	monitor->request_body = "ping";
	monitor->headers = headers;
	monitor->header_count = 1;
}

static void head(struct settings_monitor *monitor)
{
	monitor->method = "HEAD";
}

static void other_host(struct settings_monitor *monitor)
{
	monitor->sni = "dl.files.example";
	monitor->host = "www.files.example";
}

static void follow_own(struct settings_monitor *monitor)
{
	monitor->redirect_host = "dl.files.example";
}

static void follow_own_host_apart(struct settings_monitor *monitor)
{
	other_host(monitor);
	monitor->redirect_host = "www.files.example";
}

static void follow_other(struct settings_monitor *monitor)
{
	monitor->redirect_host = "elsewhere.example";
}

static void any_status(struct settings_monitor *monitor)
{
	monitor->status_count = 0;
}

static void limit_tls(struct settings_monitor *monitor)
{
	monitor->tls_ms = 200;
}

static void limit_first_byte(struct settings_monitor *monitor)
{
	monitor->first_byte_ms = 200;
	monitor->connect_ms = 1000;
	monitor->tls_ms = 2000;
}

static void not_verified(struct settings_monitor *monitor)
{
	monitor->verifies = false;
}

static void slow_is_degraded(struct settings_monitor *monitor)
{
	monitor->slower_than_ms = 100;
}

static void http2(struct settings_monitor *monitor)
{
	monitor->is_http2 = true;
}

static void http2_soon(struct settings_monitor *monitor)
{
	monitor->is_http2 = true;
	monitor->timeout_ms = 500;
}

static void slice(struct settings_monitor *monitor)
{
	monitor->path = "/big";
	monitor->range_bytes = 65536;
	monitor->range_total_bytes = FILE_BYTES;
	monitor->range_etag = FILE_ETAG;
}

static void untold_slice(struct settings_monitor *monitor)
{
	monitor->path = "/big";
	monitor->range_bytes = 65536;
}

static void tail_slice(struct settings_monitor *monitor)
{
	static const struct settings_position tail = {.kind = POSITION_TAIL};

	untold_slice(monitor);
	monitor->positions = &tail;
	monitor->position_count = 1;
}

static void last_slice(struct settings_monitor *monitor)
{
	static const struct settings_position end = {POSITION_FIXED, FILE_BYTES - 100};

	slice(monitor);
	monitor->positions = &end;
	monitor->position_count = 1;
}

static void slice_with_floor(struct settings_monitor *monitor)
{
	slice(monitor);
	monitor->range_bytes = 1 << 20;
	monitor->warm_up_bytes = 256 << 10;
	monitor->floor_bits_s = 100000000;
	monitor->timeout_ms = 5000;
}

/* ---- each by its name ---- */

static const struct {
	const char *mode;
	const char *want; /* a '*' at its end stands for whatever follows */
	void (*tweak)(struct settings_monitor *monitor);
} cases[] = {
	{"ok", "up: HIT, age 312 s", NULL},
	{"ok", "up: HIT, age 312 s", match_ok},
	{"ok", "up: HIT, age 312 s", hash_ok},
	{"ok", "up: HIT, age 312 s", expect_hit},
	{"wrong-body", "down: body does not hold 'ok'", expect_ok},
	{"wrong-body", "down: body does not match 'version \\d+'", match_digit},
	{"wrong-body", "down: SHA-256 of the body is *", hash_ok},
	{"empty-body", "down: body does not match '^o[a-z]$|^ok'", match_ok},
	{"long-body", "up*", expect_ok},
	{"late-body", "down: first 1 KiB of body do not hold 'it is I'", few_octets},
	{"long-body", "down: body is longer than 1 KiB: its SHA-256 cannot be told", hash_few},
	{"gzip", "up*", hash_ok},
	{"bad-gzip", "down: body cannot be decoded: *", expect_ok},
	{"gzip-bomb", "down: first 64 KiB of body do not match 'version \\d+'", match_digit},
	{"chunked", "down: SHA-256 of the body is dc51b8c96c2d745d..., expected *", hash_ok},
	{"chunked", "up", expect_ok},
	{"missing-header", "down: no header field x-cache", expect_hit},
	{"wrong-header", "down: x-cache is 'MISS', which does not match '^HIT'", expect_hit},
	{"endless-headers", "down: header fields without end: more than 64 KB", NULL},
	{"endless-line", "down: header fields without end: more than 64 KB", NULL},
	{"close-headers", "down: closed within the header fields", NULL},
	{"two-lengths", "down: the answer is not HTTP: two values of Content-Length", NULL},
	{"bad-length", "down: the answer is not HTTP: invalid Content-Length: value", NULL},
	{"bad-header", "down: the answer is not HTTP: header without colon", NULL},
	{"chunk-size",
		"down: the answer is not HTTP: illegal or missing hexadecimal sequence in "
		"chunked-encoding",
		NULL},
	{"endless-1xx", "down: header fields without end: more than 64 KB", NULL},

	{"want-post", "up*", post},
	{"want-post", "down: status 405, expected 200-299", NULL},
	{"want-head", "up*", head},
	{"want-host", "up*", other_host},
	{"want-host", "down: status 421, expected 200-299", NULL},

	{"redirect", "down: status 302, expected 200-299", NULL},
	{"redirect", "up*", any_status},
	{"redirect-once", "down: status 302, expected 200-299", NULL},
	{"redirect-once", "up*", follow_own},
	{"redirect-once", "up*", follow_own_host_apart},
	{"redirect-once", "down: redirects to dl.files.example, not to elsewhere.example",
		follow_other},
	{"redirect", "down: redirects in a loop: back to https://dl.files.example:*", follow_own},
	{"redirect-host", "down: redirects to elsewhere.example, not to dl.files.example",
		follow_own},
	{"redirect-host", "down: redirects to elsewhere.example, which cannot be resolved: *",
		follow_other},
	{"redirect-file", "down: redirects to 'file:///etc/passwd', which is no URL", follow_own},
	{"redirect-nowhere", "down: status 302, expected 200-299", follow_own},

	{"hang", "down: TLS handshake timed out after 200 ms", limit_tls},
	{"hang-handshake", "down: TLS handshake timed out after 200 ms", limit_tls},
	{"stall", "down: no answer within 200 ms", limit_first_byte},
	{"stall", "down: no answer within 300 ms", soon},
	{"hang-body", "down: answer not complete within 300 ms", soon},
	{"delay=250", "degraded: slow: took *", slow_is_degraded},
	{"delay=0", "up*", limit_first_byte},

	{"expired", "down: certificate expired on *", NULL},
	{"expired", "up: not verified, HIT, age 312 s", not_verified},
	{"self-signed", "up*", not_verified},
	{"wrong-name", "up*", not_verified},
	{"wrong-name", "down: certificate is for other.example, not dl.files.example", NULL},
	{"chain", "up*", NULL},
	{"no-name", "down: certificate has no name but its common one, which does not count", NULL},
	{"no-name", "up*", not_verified},
	{"no-chain", "down: certificate is not trusted: unable to get local issuer certificate",
		NULL},
	{"client-cert", "down: TLS ended by the server: certificate required", NULL},

	{"ok", "up: HIT, age 312 s", http2},
	{"no-http2", "down: the server does not speak HTTP/2", http2},
	{"http2-goaway", "down: *", http2},
	{"http2-reset", "down: HTTP/2 stream reset by the server: INTERNAL_ERROR", http2},
	{"http2-garbled", "down: closed without an answer, or its answer is not HTTP/2", http2},
	{"http2-frame", "down: closed without an answer, or its answer is not HTTP/2", http2},
	{"http2-settings", "down: HTTP/2 broken: *", http2_soon},
	{"http2-pings", "down: sends without end, but no answer", http2_soon},
	{"http2-continuation", "down: *", http2_soon},
	{"http2-close", "down: * in the middle of the answer", http2_soon},
	{"http2-hang", "down: answer not complete within 500 ms", http2_soon},
	{"http2-http1", "down: closed without an answer, or its answer is not HTTP/2", http2_soon},

	{"ok", "up*", slice},
	{"ok", "up*", tail_slice},
	{"ok", "up*", last_slice},
	{"ok", "up*", untold_slice},
	{"range-ignored", "down: answers 200 to a range: downloads cannot be resumed", slice},
	{"range-other", "down: range 0-65535 was asked for, 16-65551 came", slice},
	{"range-half", "down: range 0-65535 was asked for, 0-32767 came", slice},
	{"range-short", "down: closed in the middle of the answer", slice},
	{"range-total", "down: the file has 4700000001 octets, expected 4700000000", slice},
	{"range-unsaid", "down: 206 without Content-Range", slice},
	{"range-garbled", "down: Content-Range 'bytes all of it' makes no sense", slice},
	{"range-416", "down: range 0-65535 refused: the file has 4700000000 octets", slice},
	{"range-etag", "down: ETag is \"4700000000-2\", expected \"4700000000-1\"", slice},
	{"range-parts", "down: 206 without Content-Range", slice},
	{"status=404", "down: status 404, expected 206", slice},
	{"slow-rate", "degraded: 2.* Mbit/s after the first 256 KiB, less than 100 Mbit/s",
		slice_with_floor},
};

/* With one '*' in it. */
static bool fits(const char *want, const char *got)
{
	const char *star = strchr(want, '*');
	size_t before = star ? (size_t)(star - want) : strlen(want);
	size_t behind = star ? strlen(star + 1) : 0;

	if (!star)
		return strcmp(want, got) == 0;
	return strlen(got) >= before + behind && strncmp(want, got, before) == 0 &&
		strcmp(star + 1, got + strlen(got) - behind) == 0;
}

static void each_by_its_name(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct one one;
		char got[300];

		set_mode("tls", cases[i].mode);
		begin(&one, KIND_HTTPS);
		if (cases[i].tweak)
			cases[i].tweak(&one.monitor);
		one_start(&one);
		one_await(&one, cases[i].mode);
		one_print(&one, got, sizeof(got));
		if (!fits(cases[i].want, got)) {
			print_error("%s: '%s', not '%s'\n", cases[i].mode, got, cases[i].want);
			failed++;
		}
		one_done(&one);
	}
	set_mode("tls", "ok");
	assert_int_equal(failed, 0);
}

/* ---- more than a table says ---- */

static void expect(struct one *one, const char *want)
{
	char got[300];

	one_start(one);
	one_await(one, want);
	one_print(one, got, sizeof(got));
	if (!fits(want, got))
		fail_msg("'%s', not '%s'", got, want);
}

static const struct settings_file *file(const char *name)
{
	char *path = rig_certificate_path(&certificates, name);
	const struct settings_file *read = rig_file(path);

	free(path);
	return read;
}

static void a_client_shows_its_certificate(void **state)
{
	struct one one;

	(void)state;
	set_mode("tls", "client-cert");
	begin(&one, KIND_HTTPS);
	one.monitor.certificate = file("client.pem");
	one.monitor.key = file("client.key");
	expect(&one, "up*");
	one.monitor.certificate = file("other-client.pem");
	one.monitor.key = file("other-client.key");
	expect(&one, "down: TLS ended by the server: *");
	one_done(&one);
	set_mode("tls", "ok");
}

static void what_cannot_be_made_ready_fails_by_name(void **state)
{
	static const struct settings_file missing = {
		.path = "x.pem", .why = "'x.pem': no such file"};
	static const struct settings_file nonsense = {.path = "x.pem", .bytes = "?", .size = 1};
	struct one one;

	(void)state;
	begin(&one, KIND_HTTPS);
	one.monitor.certificate = file("client.pem");
	one.monitor.key = file("other-client.key");
	expect(&one, "down: key '*/client.pem'");
	one.monitor.key = &missing;
	expect(&one, "down: key of the client certificate: 'x.pem': no such file");
	one.monitor.key = &nonsense;
	expect(&one, "down: key of the client certificate 'x.pem' cannot be read: *");
	one.monitor.certificate = &nonsense;
	expect(&one, "down: client certificate 'x.pem' cannot be read: *");
	one.monitor.certificate = NULL;
	one.monitor.body_regex = "(";
	expect(&one, "down: regular expression '(': missing closing parenthesis at character 2");
	one_done(&one);

	begin(&one, KIND_HTTP);
	one.monitor.is_http2 = true;
	expect(&one, "down: HTTP/2 is spoken over TLS alone");
	one_done(&one);
}

static void a_certificate_nears_its_end(void **state)
{
	struct one one;

	(void)state;
	begin(&one, KIND_HTTPS);
	one.monitor.certificate_warn_days = 14;
	one.monitor.certificate_degrade_days = 3;
	set_mode("tls", "ends-in-10-days");
	expect(&one,
		"up: certificate of dl.files.example (steerd test CA) ends in *, HIT, age 312 s");
	assert_string_equal(one.certificate, "dl.files.example");
	assert_string_equal(one.issuer, "steerd test CA");
	assert_true(one.result.certificate_until_unix_s > one.result.at_unix_s);
	set_mode("tls", "ends-in-2-days");
	expect(&one, "degraded: certificate of dl.files.example (steerd test CA) ends in *");
	one.monitor.certificate_fail_days = 5;
	expect(&one, "down: certificate of dl.files.example (steerd test CA) ends in *");
	one.monitor.certificate_fail_days = 0;
	one.monitor.verifies = false;
	expect(&one, "degraded: certificate of dl.files.example (steerd test CA) ends in *");
	one_done(&one);
	set_mode("tls", "ok");
}

static void without_tls(void **state)
{
	struct one one;
	char mode[32];

	(void)state;
	begin(&one, KIND_HTTP);
	expect(&one, "up*");
	assert_int_equal(one.result.certificate_until_unix_s, 0);
	one.monitor.timeout_ms = 300;
	set_mode("plain", "stall");
	expect(&one, "down: no answer within 300 ms");
	set_mode("plain", "endless-headers");
	expect(&one, "down: header fields without end: more than 64 KB");

	/* to HTTPS at the same address, where the certificate is looked at */
	one.monitor.timeout_ms = 3000;
	snprintf(mode, sizeof(mode), "redirect-tls=%u", server.port);
	set_mode("plain", mode);
	expect(&one, "down: status 302, expected 200-299");
	one.monitor.redirect_host = "dl.files.example";
	expect(&one, "up*");
	assert_string_equal(one.certificate, "dl.files.example");
	set_mode("tls", "wrong-name");
	expect(&one, "down: certificate is for other.example, not dl.files.example");
	set_mode("tls", "ok");
	set_mode("plain", "ok");
	one_done(&one);
}

/* The host of a redirect is resolved, and what is internal is refused there as well. */
static void a_redirect_to_another_host(void **state)
{
	static const struct resolver_script local = {
		.ipv4 = {"127.0.0.1"}, .rcode_ipv6 = RESOLVER_NXDOMAIN};
	static const struct resolver_script nothing = {
		.rcode_ipv4 = RESOLVER_NXDOMAIN, .rcode_ipv6 = RESOLVER_NXDOMAIN};
	struct resolver resolver;
	struct one one;

	(void)state;
	set_mode("tls", "redirect-host");
	resolver_open(&resolver, &local);
	begin_with(&one, KIND_HTTPS, resolver.address);
	resolver_serve(&resolver, one.base);
	one.monitor.redirect_host = "elsewhere.example";
	/* port 443 of this host, at which nobody listens */
	expect(&one, "down: connection refused");
	assert_true(resolver.asked > 0);
	resolver_say(&resolver, &nothing);
	expect(&one, "down: redirects to elsewhere.example, which cannot be resolved: *");
	one_start(&one);
	one_cancel(&one); /* nothing of it is left to happen */
	resolver_close(&resolver);
	one_done(&one);
	set_mode("tls", "ok");
}

/* ---- many that hang ---- */

/* A region is gone: whoever failed before hangs for 20 s, in more places than there are; one that lives is seen meanwhile. */
static void what_hangs_delays_nobody(void **state)
{
	struct one_hanging hanging;
	struct address mute;
	struct one one;
	int fd;

	(void)state;
	begin(&one, KIND_HTTPS);
	one.monitor.timeout_ms = 20000;
	assert_true(address_parse("127.0.0.2", &mute));
	fd = one_listen_mute(&mute, &one.monitor.port);
	expect(&one, "up*");
	one_hang(&one, &one.monitor, &mute, &hanging);
	expect(&one, "up*");
	one_hang_done(&hanging);
	close(fd);
	one_done(&one);
}

/* The last check of a monitor that is gone: its orders end when it says what it saw, and it lets go of its recipe after that. */
static void a_recipe_outlives_its_monitor(void **state)
{
	static const struct settings_header wanted[] = {{.name = "Age", .value = "^[0-9]+$"}};
	struct settings_monitor *monitor = memory_new(sizeof(*monitor));
	struct recipe *recipe;
	struct err err;

	(void)state;
	*monitor = (struct settings_monitor){
		.name = "edge",
		.kind = KIND_HTTPS,
		.is_tls = true,
		.host = "dl.files.example",
		.path = "/health",
		.method = "GET",
		.expected_headers = wanted,
		.expected_header_count = COUNT_OF(wanted),
	};
	recipe = recipe_hold(recipe_new(monitor, NULL, &err));
	recipe_drop(recipe);
	memset(monitor, 0xff, sizeof(*monitor));
	free(monitor);
	recipe_drop(recipe);
}

static void what_is_internal_is_not_connected_to(void **state)
{
	struct one one;

	(void)state;
	begin(&one, KIND_HTTPS);
	one.monitor.allows_internal = false;
	expect(&one, "down: not checked: 127.0.0.1 is loopback; *");
	one_done(&one);
}

/* A name server that says nothing: the whole has its limit there as well. */
static void a_redirect_that_nobody_resolves(void **state)
{
	static const struct resolver_script none = {.rcode_ipv4 = RESOLVER_SERVFAIL};
	struct resolver resolver;
	struct one one;

	(void)state;
	set_mode("tls", "redirect-host");
	resolver_open(&resolver, &none); /* and not served */
	begin_with(&one, KIND_HTTPS, resolver.address);
	one.monitor.redirect_host = "elsewhere.example";
	one.monitor.timeout_ms = 500;
	expect(&one, "down: name of the redirect not resolved within 500 ms");
	one.monitor.timeout_ms = 3000;
	one.monitor.resolve_ms = 200;
	expect(&one, "down: name of the redirect not resolved within 200 ms");
	one_done(&one);
	close(resolver.fd);
	set_mode("tls", "ok");
}

/* This process' own want of descriptors is nobody else's fault. */
static void without_a_descriptor_it_says_nothing(void **state)
{
	struct rlimit usual;
	struct rlimit none;
	struct one one;

	(void)state;
	begin(&one, KIND_HTTPS);
	expect(&one, "up*");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	one_start(&one);
	one_await(&one, "nothing");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_true(one.says_nothing);
	one_done(&one);
}

static void slices_are_remembered(void **state)
{
	struct one one;

	(void)state;
	begin(&one, KIND_HTTPS);
	tail_slice(&one.monitor);
	one.monitor.daily_bytes = 5 * 65536;
	expect(&one, "up*");
	assert_int_equal(one.memory.total_bytes, FILE_BYTES);
	assert_string_equal(one.memory.etag, FILE_ETAG);
	assert_int_equal(one.memory.day_bytes, 65536);
	set_mode("tls", "range-etag");
	expect(&one, "down: ETag is \"4700000000-2\", it was " FILE_ETAG);
	expect(&one, "up*"); /* the file is another one now */
	/* what is not a slice is not read */
	set_mode("tls", "range-ignored");
	expect(&one, "down: answers 200 to a range: downloads cannot be resumed");
	assert_int_equal(one.memory.day_bytes, 3 * 65536);
	set_mode("tls", "ok");
	one.monitor.daily_bytes = 4 * 65536 - 1;
	expect(&one, "skipped: budget of 262143 octets spent, next at 00:00 UTC");
	assert_true(one.result.is_skipped);
	/* one that is called off before it could say that */
	one_start(&one);
	one_cancel(&one);
	one_done(&one);
}

/* ---- everything, for who asks ---- */

static const struct finding *find(
	const struct one *one, enum finding_section section, const char *name)
{
	for (size_t i = 0; i < one->findings.count; i++)
		if (one->findings.items[i].section == section &&
			strcmp(one->findings.items[i].name, name) == 0)
			return &one->findings.items[i];
	fail_msg("nothing found of '%s'", name);
	return NULL;
}

static void everything_is_told(void **state)
{
	static const char *const phases[] = {"connect", "tls", "first byte", "body"};
	struct one one;
	char url[80];

	(void)state;
	set_mode("tls", "chain");
	begin(&one, KIND_HTTPS);
	expect(&one, "up*");
	snprintf(url, sizeof(url), "https://dl.files.example:%u/health", server.port);
	assert_string_equal(find(&one, FINDING_REQUEST, "GET")->value, url);
	for (size_t i = 0; i < COUNT_OF(phases); i++)
		assert_true(find(&one, FINDING_PHASE, phases[i])->number < 3000000);
	assert_string_equal(find(&one, FINDING_TLS, "protocol")->value, "TLSv1.3");
	(void)find(&one, FINDING_TLS, "cipher");
	assert_true(find(&one, FINDING_CERTIFICATE, "dl.files.example")->number > 0);
	assert_string_equal(find(&one, FINDING_HEADER, "status")->value, "200");
	assert_string_equal(find(&one, FINDING_HEADER, "X-Cache")->value, "HIT");

	size_t certificates_told = 0;

	for (size_t i = 0; i < one.findings.count; i++)
		certificates_told += one.findings.items[i].section == FINDING_CERTIFICATE;
	assert_int_equal(certificates_told, 2); /* with the intermediate */
	one_done(&one);

	/* each request of a redirect, and one that did not come to its end */
	set_mode("tls", "redirect-once");
	begin(&one, KIND_HTTPS);
	follow_own(&one.monitor);
	expect(&one, "up*");

	size_t requests = 0;

	for (size_t i = 0; i < one.findings.count; i++)
		requests += one.findings.items[i].section == FINDING_REQUEST &&
			strcmp(one.findings.items[i].name, "GET") == 0;
	assert_int_equal(requests, 2);
	one_done(&one);

	set_mode("tls", "hang");
	begin(&one, KIND_HTTPS);
	limit_tls(&one.monitor);
	expect(&one, "down: TLS handshake timed out after 200 ms");
	assert_true(find(&one, FINDING_PHASE, "tls")->number > 150000);
	assert_string_equal(find(&one, FINDING_PHASE, "tls")->value, "not over");
	one_done(&one);
	set_mode("tls", "ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_by_its_name),
		cmocka_unit_test(a_client_shows_its_certificate),
		cmocka_unit_test(what_cannot_be_made_ready_fails_by_name),
		cmocka_unit_test(a_certificate_nears_its_end),
		cmocka_unit_test(without_tls),
		cmocka_unit_test(a_redirect_to_another_host),
		cmocka_unit_test(a_redirect_that_nobody_resolves),
		cmocka_unit_test(what_hangs_delays_nobody),
		cmocka_unit_test(a_recipe_outlives_its_monitor),
		cmocka_unit_test(what_is_internal_is_not_connected_to),
		cmocka_unit_test(without_a_descriptor_it_says_nothing),
		cmocka_unit_test(slices_are_remembered),
		cmocka_unit_test(everything_is_told),
	};

	return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
