/* SPDX-License-Identifier: Apache-2.0 */

/* Monitors: every key of every kind, and what is said of those that cannot be. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mistakes.h"
#include "steerd/base/memory.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char everything[] =
	"state: /var/lib/steerd\n"
	"monitors:\n"
	"  edge:\n"
	"    https:\n"
	"      host: dl.files.example\n"
	"      sni: edge.cdn.example\n"
	"      path: /health\n"
	"      port: 8443\n"
	"      method: POST\n"
	"      headers: {X-Probe: steerd, Accept: '*/*'}\n"
	"      send: \"two\\nlines\"\n"
	"      redirects-to: www.files.example\n"
	"      version: \"2\"\n"
	"      verify: no\n"
	"      ca: ca.pem\n"
	"      certificate: client.pem\n"
	"      key: /keys/client.key\n"
	"    every: 5s\n"
	"    timeout: 2s\n"
	"    recheck: 700ms\n"
	"    limits: {resolve: 500ms, connect: 600ms, tls: 1s, first-byte: 900ms}\n"
	"    fall: 4\n"
	"    rise: 5\n"
	"    hold-down: 20s\n"
	"    hold-down-max: 10m\n"
	"    allow-internal: yes\n"
	"    expect:\n"
	"      status: [200-299, 304]\n"
	"      body: ok\n"
	"      body-matches: 'version \\d+'\n"
	"      body-limit: 128KiB\n"
	"      headers: {X-Cache: HIT, ETag: ~}\n"
	"      sha256: " DIGEST "\n"
	"      slower-than: 800ms\n"
	"    certificate-days: {warn: 30, degrade: 3, fail: 1}\n"
	"  big:\n"
	"    http: {host: dl.files.example, path: /big.iso}\n"
	"    every: 1m\n"
	"    range:\n"
	"      size: 4MiB\n"
	"      at: [head, 1GiB, tail, random]\n"
	"      total: 4700000000\n"
	"      etag: '\"abc\"'\n"
	"      floor: 50Mbit/s\n"
	"      warm-up: 512KiB\n"
	"      daily: 3GiB\n"
	"  slice: {http: {host: h}, range: {size: 1KiB, at: 100, sha256: " DIGEST "}}\n"
	"  port:\n"
	"    tcp: {port: 22, send: \"PING\\r\\n\", expect: SSH-2.0}\n"
	"  secure: {tcp: {port: 993, tls: yes, host: mail.example, ca: ca.pem}}\n"
	"  names: {dns: {name: www.files.example, expect: [192.0.2.1, 192.0.2.2]}}\n"
	"  more-names:\n"
	"    dns: {name: files.example, type: HTTPS, port: 5353, transport: tcp}\n"
	"  script: {exec: {command: [/usr/lib/steerd/check, --deep, ''], at-once: 3}}\n"
	"  fed: {push: {file: health/edge.txt, max-age: 5m, on-stale: down}}\n"
	"  told: {push: {}}\n"
	"  plain: {https: {host: h}, every: 500ms}\n";

struct fixture {
	struct settings *settings;
	struct report report;
};

static const struct settings_monitor *find(const struct fixture *fixture, const char *name)
{
	for (size_t i = 0; i < fixture->settings->monitor_count; i++)
		if (strcmp(fixture->settings->monitors[i].name, name) == 0)
			return &fixture->settings->monitors[i];
	fail_msg("no monitor '%s'", name);
	return NULL;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	fixture.settings = settings_parse(
		everything, strlen(everything), "/etc/steerd/steerd.yaml", &fixture.report);
	if (!fixture.settings)
		fail_msg("%s", fixture.report.lines.bytes);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	settings_free(fixture->settings);
	report_done(&fixture->report);
	return 0;
}

static void request(void **state)
{
	const struct settings_monitor *edge = find(*state, "edge");

	assert_int_equal(edge->kind, KIND_HTTPS);
	assert_string_equal(edge->host, "dl.files.example");
	assert_string_equal(edge->sni, "edge.cdn.example");
	assert_string_equal(edge->path, "/health");
	assert_int_equal(edge->port, 8443);
	assert_string_equal(edge->method, "POST");
	assert_int_equal(edge->header_count, 2);
	assert_string_equal(edge->headers[0].name, "X-Probe");
	assert_string_equal(edge->headers[0].value, "steerd");
	assert_string_equal(edge->headers[1].value, "*/*");
	assert_string_equal(edge->request_body, "two\nlines");
	assert_string_equal(edge->redirect_host, "www.files.example");
	assert_true(edge->is_http2);
	assert_true(edge->is_tls);
	assert_false(edge->verifies);
	assert_string_equal(edge->ca->path, "/etc/steerd/ca.pem");
	assert_string_equal(edge->certificate->path, "/etc/steerd/client.pem");
	assert_string_equal(edge->key->path, "/keys/client.key");
	assert_int_equal(edge->key->holds, FILE_KEY);
	assert_null(edge->key->bytes);
}

static void times_and_expectations(void **state)
{
	const struct settings_monitor *edge = find(*state, "edge");

	assert_int_equal(edge->every_ms, 5000);
	assert_int_equal(edge->timeout_ms, 2000);
	assert_int_equal(edge->recheck_ms, 700);
	assert_int_equal(edge->resolve_ms, 500);
	assert_int_equal(edge->connect_ms, 600);
	assert_int_equal(edge->tls_ms, 1000);
	assert_int_equal(edge->first_byte_ms, 900);
	assert_int_equal(edge->fall, 4);
	assert_int_equal(edge->rise, 5);
	assert_int_equal(edge->hold_down_ms, 20000);
	assert_int_equal(edge->hold_down_max_ms, 600000);
	assert_true(edge->allows_internal);
	assert_int_equal(edge->status_count, 2);
	assert_int_equal(edge->status[1].last, 304);
	assert_string_equal(edge->body, "ok");
	assert_string_equal(edge->body_regex, "version \\d+");
	assert_int_equal(edge->body_bytes, 131072);
	assert_int_equal(edge->expected_header_count, 2);
	assert_string_equal(edge->expected_headers[0].value, "HIT");
	assert_string_equal(edge->expected_headers[1].name, "ETag");
	assert_null(edge->expected_headers[1].value);
	assert_int_equal(edge->body_sha256[0], 0xe3);
	assert_int_equal(edge->body_sha256[31], 0x55);
	assert_int_equal(edge->slower_than_ms, 800);
	assert_int_equal(edge->certificate_warn_days, 30);
	assert_int_equal(edge->certificate_degrade_days, 3);
	assert_int_equal(edge->certificate_fail_days, 1);
	assert_int_equal(edge->range_bytes, 0);
}

static void slices(void **state)
{
	const struct settings_monitor *big = find(*state, "big");
	const struct settings_monitor *slice = find(*state, "slice");

	assert_int_equal(big->kind, KIND_HTTP);
	assert_int_equal(big->port, 80);
	assert_string_equal(big->method, "GET");
	assert_false(big->is_tls);
	assert_true(big->verifies); /* where a redirect leads to https */
	assert_int_equal(big->certificate_warn_days, 0);
	assert_int_equal(big->range_bytes, 4 << 20);
	assert_int_equal(big->position_count, 4);
	assert_int_equal(big->positions[0].kind, POSITION_HEAD);
	assert_int_equal(big->positions[1].kind, POSITION_FIXED);
	assert_int_equal(big->positions[1].offset, 1 << 30);
	assert_int_equal(big->positions[2].kind, POSITION_TAIL);
	assert_int_equal(big->positions[3].kind, POSITION_RANDOM);
	assert_true(big->range_total_bytes == UINT64_C(4700000000));
	assert_string_equal(big->range_etag, "\"abc\"");
	assert_int_equal(big->floor_bits_s, 50000000);
	assert_int_equal(big->warm_up_bytes, 524288);
	assert_true(big->daily_bytes == UINT64_C(3) << 30);
	assert_int_equal(big->status_count, 1);
	assert_int_equal(big->status[0].first, 206);
	assert_int_equal(big->status[0].last, 206);
	assert_int_equal(slice->position_count, 1);
	assert_int_equal(slice->positions[0].offset, 100);
	assert_int_equal(slice->range_sha256[1], 0xb0);
	assert_int_equal(slice->warm_up_bytes, 1 << 20);
}

static void other_kinds(void **state)
{
	const struct settings_monitor *port = find(*state, "port");
	const struct settings_monitor *secure = find(*state, "secure");
	const struct settings_monitor *names = find(*state, "names");
	const struct settings_monitor *more = find(*state, "more-names");

	assert_int_equal(port->kind, KIND_TCP);
	assert_int_equal(port->port, 22);
	assert_string_equal(port->send, "PING\r\n");
	assert_string_equal(port->expect, "SSH-2.0");
	assert_false(port->is_tls);
	assert_null(port->path);
	assert_null(port->method);
	assert_int_equal(port->status_count, 0);
	assert_int_equal(port->body_bytes, 0);
	assert_int_equal(port->certificate_warn_days, 0);
	assert_true(secure->is_tls && secure->verifies);
	assert_string_equal(secure->host, "mail.example");
	assert_string_equal(secure->ca->path, "/etc/steerd/ca.pem");
	assert_int_equal(secure->certificate_warn_days, 14);
	assert_int_equal(names->kind, KIND_DNS);
	assert_string_equal(names->question, "www.files.example");
	assert_int_equal(names->question_type, 1);
	assert_int_equal(names->port, 53);
	assert_false(names->uses_tcp);
	assert_int_equal(names->expected_address_count, 2);
	assert_int_equal(more->question_type, 65);
	assert_int_equal(more->port, 5353);
	assert_true(more->uses_tcp);
	assert_int_equal(more->expected_address_count, 0);
}

static void programs_and_states(void **state)
{
	const struct settings_monitor *script = find(*state, "script");
	const struct settings_monitor *fed = find(*state, "fed");
	const struct settings_monitor *told = find(*state, "told");

	assert_int_equal(script->kind, KIND_EXEC);
	assert_int_equal(script->command_count, 3);
	assert_string_equal(script->command[0], "/usr/lib/steerd/check");
	assert_string_equal(script->command[1], "--deep");
	assert_string_equal(script->command[2], "");
	assert_null(script->command[3]);
	assert_int_equal(script->at_once, 3);
	assert_false(script->verifies);
	assert_int_equal(fed->kind, KIND_PUSH);
	assert_string_equal(fed->push_path, "/etc/steerd/health/edge.txt");
	assert_int_equal(fed->max_age_ms, 300000);
	assert_int_equal(fed->on_stale, STALE_DOWN);
	assert_null(told->push_path);
	assert_int_equal(told->max_age_ms, 60000);
	assert_int_equal(told->on_stale, STALE_LAST);
}

static void defaults(void **state)
{
	const struct settings_monitor *plain = find(*state, "plain");
	const struct settings_monitor *big = find(*state, "big");

	assert_null(plain->sni);
	assert_string_equal(plain->path, "/");
	assert_int_equal(plain->port, 443);
	assert_string_equal(plain->method, "GET");
	assert_int_equal(plain->header_count, 0);
	assert_null(plain->request_body);
	assert_null(plain->redirect_host);
	assert_false(plain->is_http2);
	assert_true(plain->verifies);
	assert_null(plain->ca);
	assert_null(plain->certificate);
	assert_int_equal(plain->timeout_ms, 500);
	assert_int_equal(plain->recheck_ms, 500);
	assert_int_equal(big->timeout_ms, 4000);
	assert_int_equal(big->recheck_ms, 1000);
	assert_int_equal(plain->connect_ms, 0);
	assert_int_equal(plain->hold_down_ms, 10000);
	assert_int_equal(plain->hold_down_max_ms, 300000);
	assert_false(plain->allows_internal);
	assert_int_equal(plain->body_bytes, 65536);
	assert_int_equal(plain->status_count, 1);
	assert_int_equal(plain->status[0].last, 299);
	assert_int_equal(plain->slower_than_ms, 0);
	assert_int_equal(plain->certificate_warn_days, 14);
	assert_int_equal(plain->certificate_degrade_days, 0);
	assert_int_equal(plain->position_count, 0);
	assert_int_equal(plain->warm_up_bytes, 0);
}

/* ---- mistakes --------------------------------------------------------------------------------------------------- */

#define M(text) "monitors: {m: {" text "}}\n"
#define HTTPS(text) M("https: {host: h, " text "}")
#define EXPECT(text) M("https: {host: h}, expect: {" text "}")
#define RANGE(text) M("https: {host: h}, range: {" text "}")

static const struct mistake kinds[] = {
	{"two kinds", M("https: {host: h}, dns: {name: h}"),
		":1:34: monitor 'm' has 'https' already; it can have one of https, http, tcp, dns, "
		"exec and push\n"},
	{"three kinds", M("push: {}, http: {host: h}, tcp: {port: 1}"),
		":1:16: monitor 'm' has 'http' already; it can have one of https, http, tcp, dns, "
		"exec and push\n"
		"steerd.yaml:1:43: monitor 'm' has 'http' already; it can have one of https, http, "
		"tcp, dns, exec and push\n"},
	{"a kind that is none", M("icmp: {}"),
		":1:12: monitor 'm' has none of https, http, tcp, dns, exec and push\n"
		"steerd.yaml:1:16: unknown key 'icmp'; known here: https, http, tcp, dns, exec, "
		"push, every, timeout, recheck, limits, fall, rise, hold-down, hold-down-max, "
		"allow-internal, expect, certificate-days, range\n"},
	{"a kind that is text", M("https: h"), ":1:23: 'https' must be a map of keys, not 'h'\n"},
	{"a kind that is empty", M("push: "), ":1:22: 'push' has no value\n"},
	{"http has no certificate authority", M("http: {host: h, ca: x}"),
		":1:32: unknown key 'ca'; it belongs at monitors.NAME.https.ca\n"},
	{"http needs a host", M("http: {}"), ":1:22: missing key 'host' in 'monitors.m.http'\n"},
	{"https is not tcp", M("https: {host: h, tls: yes}"),
		":1:33: unknown key 'tls'; it belongs at monitors.NAME.tcp.tls\n"},
	{"a body that tcp expects", M("tcp: {port: 1}, expect: {body: x}"),
		":1:41: 'body' is for monitors of https and http; 'm' is one of tcp\n"},
	{"what dns does not do in time", M("dns: {name: h}, limits: {tls: 1s}"),
		":1:41: 'tls' is for monitors of https and tcp; 'm' is one of dns\n"},
	{"certificates of plain http", M("http: {host: h}, certificate-days: {warn: 1, fail: 1}"),
		":1:33: 'certificate-days' is for monitors of https and tcp; 'm' is one of http\n"},
	{"slices of a program", M("exec: {command: /x}, range: {size: 1KiB}"),
		":1:37: 'range' is for monitors of https and http; 'm' is one of exec\n"},
	{"a state that is slow", M("push: {}, expect: {slower-than: 1s}"),
		":1:35: 'slower-than' is for monitors of https, http, tcp, dns and exec; 'm' is "
		"one of push\n"},
	{"a program that may go everywhere", M("exec: {command: /x}, allow-internal: yes"),
		":1:37: 'allow-internal' is for monitors of https, http, tcp and dns; 'm' is one "
		"of exec\n"},
	{"TLS in plain tcp", M("tcp: {port: 1, ca: x, sni: h}, certificate-days: {fail: 1}"),
		":1:31: 'ca' is for TLS; 'm' has no 'tls: yes'\n"
		"steerd.yaml:1:38: 'sni' is for TLS; 'm' has no 'tls: yes'\n"
		"steerd.yaml:1:47: 'certificate-days' is for TLS; 'm' has no 'tls: yes'\n"},
};

static const struct mistake requests[] = {
	{"a method with a blank", HTTPS("method: 'GET /'"),
		":1:41: 'method' must be a method such as GET, HEAD or POST, not 'GET /'\n"},
	{"a tunnel", HTTPS("method: CONNECT"),
		":1:41: 'method' must be a method such as GET, HEAD or POST, not 'CONNECT'\n"},
	{"header fields as text", HTTPS("headers: 'X: y'"),
		":1:42: 'headers' must be a map of header fields, not 'X: y'\n"},
	{"header fields as a list", HTTPS("headers: [X]"),
		":1:42: 'headers' must be a map of header fields, not a list\n"},
	{"no header fields", HTTPS("headers: {}"),
		":1:42: 'headers' must have from 1 to 32 entries, not 0\n"},
	{"a name of a header field", HTTPS("headers: {'X Y': z}"),
		":1:43: 'X Y' cannot be the name of a header field\n"},
	{"a header field without a value", HTTPS("headers: {X: ~}"),
		":1:46: 'X' must be text, not nothing\n"},
	{"a header field with a line end", HTTPS("headers: {X: \"a\\r\\nEvil: b\"}"),
		":1:46: 'X' must be text without control characters, of at most 4096 bytes\n"},
	{"a header field that is a list", HTTPS("headers: {X: [a]}"),
		":1:46: 'X' must be text, not a list\n"},
	{"a host in the wrong place", HTTPS("headers: {host: x}"),
		":1:43: 'host' cannot be set here: say it with 'host'\n"},
	{"a range in the wrong place", HTTPS("headers: {Range: bytes=0-1}"),
		":1:43: 'Range' cannot be set here: say it with 'range'\n"},
	{"a redirect to a URL", HTTPS("redirects-to: https://h/"),
		":1:47: 'redirects-to' must be a host name, not 'https://h/'\n"},
	{"a version that is none", HTTPS("version: 3"),
		":1:42: 'version' must be 1.1 or 2, not '3'\n"},
	{"a certificate without a key", HTTPS("certificate: c.pem"),
		":1:33: 'certificate' needs the 'key' of it\n"},
	{"a key without a certificate", HTTPS("key: c.key"),
		":1:33: 'key' needs the 'certificate' of it\n"},
	{"a key without a certificate in tcp", M("tcp: {port: 1, tls: yes, host: h, key: k}"),
		":1:50: 'key' needs the 'certificate' of it\n"},
	{"tcp without a port", M("tcp: {tls: no}"),
		":1:21: missing key 'port' in 'monitors.m.tcp'\n"},
	{"TLS with nobody", M("tcp: {port: 1, tls: yes}"),
		":1:36: 'tls' needs the 'host' whose certificate is expected, or 'verify: no'\n"},
	{"a type that is none", M("dns: {name: h, type: AXFR}"),
		":1:37: 'type' must be A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, SVCB, HTTPS or "
		"CAA, not 'AXFR'\n"},
	{"addresses of a name server", M("dns: {name: h, type: NS, expect: 192.0.2.1}"),
		":1:49: 'expect' is for the types A and AAAA\n"},
	{"an address of the other family", M("dns: {name: h, type: AAAA, expect: 192.0.2.1}"),
		":1:51: 'expect' has an address that no record of type AAAA can have\n"},
	{"a port that is none", M("dns: {name: h, port: 0}"),
		":1:37: 'port' must be from 1 to 65535, not 0\n"},
	{"a program without a path", M("exec: {command: [check, /x]}"),
		":1:33: 'command' must begin with the absolute path of a program, not 'check'\n"},
	{"no program", M("exec: {command: []}"),
		":1:32: 'command' must have from 1 to 64 items, not 0\n"},
	{"an argument that is a map", M("exec: {command: [/x, {a: b}]}"),
		":1:37: 'command' must be a program's path, or a list of it and its arguments, not "
		"a map\n"},
	{"none at once", M("exec: {command: /x, at-once: 0}"),
		":1:45: 'at-once' must be from 1 to 256, not 0\n"},
	{"a file beside the state", "state: st\n" M("push: {file: edge.txt}"),
		":2:29: the directory of 'edge.txt' holds the state directory 'st', which the "
		"prober must not read\n"},
	{"a file above the state", "state: /var/lib/steerd\n" M("push: {file: /var/edge.txt}"),
		":2:29: the directory of '/var/edge.txt' holds the state directory "
		"'/var/lib/steerd', which the prober must not read\n"},
	{"a file in the root", "state: /var/lib/steerd\n" M("push: {file: /edge.txt}"),
		":2:29: the directory of '/edge.txt' holds the state directory '/var/lib/steerd', "
		"which the prober must not read\n"},
	{"a file in the state", "state: /var/lib/steerd\n" M("push: {file: /var/lib/steerd/x}"),
		":2:29: the directory of '/var/lib/steerd/x' holds the state directory "
		"'/var/lib/steerd', which the prober must not read\n"},
	{"stale is not that", M("push: {on-stale: degraded}"),
		":1:33: 'on-stale' must be down, up or last, not 'degraded'\n"},
};

static const struct mistake times[] = {
	{"a recheck later than the next", M("https: {host: h}, every: 2s, recheck: 3s"),
		":1:54: 'recheck' cannot exceed 'every': 3s is later than the next check after "
		"2s\n"},
	{"a hold-down above its most", M("https: {host: h}, hold-down: 2m, hold-down-max: 1m"),
		":1:64: 'hold-down' cannot exceed 'hold-down-max'\n"},
	{"a hold-down above the default of its most", M("https: {host: h}, hold-down: 10m"),
		":1:45: 'hold-down' cannot exceed 'hold-down-max'\n"},
	{"failing before degrading", M("https: {host: h}, certificate-days: {degrade: 2, fail: 3}"),
		":1:71: 'fail' cannot come before 'degrade': more days before the end\n"},
};

static const struct mistake expectations[] = {
	{"a parenthesis that is open", EXPECT("body-matches: 'a(b'"),
		":1:57: 'body-matches' is no regular expression: missing closing parenthesis at "
		"its byte 4\n"},
	{"a quantifier of nothing", EXPECT("body-matches: '*'"),
		":1:57: 'body-matches' is no regular expression: quantifier does not follow a "
		"repeatable item at its byte 1\n"},
	{"no expression", EXPECT("body-matches: ''"),
		":1:57: 'body-matches' must have from 1 to 1024 bytes, not 0\n"},
	{"an expression in a header field", EXPECT("headers: {X-Cache: 'HIT['}"),
		":1:62: 'X-Cache' is no regular expression: missing terminating ] for character "
		"class at its byte 5\n"},
	{"a size that is none", EXPECT("body-limit: 64KB"),
		":1:55: 'body-limit' must be a size such as 4700000000, 64KiB, 4MiB or 1GiB, not "
		"'64KB'\n"},
	{"a size that is too large", EXPECT("body-limit: 17MiB"),
		":1:55: 'body-limit' must be from 1 to 16MiB, not 17MiB\n"},
	{"a size beyond 64 bits", EXPECT("body-limit: 99999999999TiB"),
		":1:55: 'body-limit' must be a size such as 4700000000, 64KiB, 4MiB or 1GiB, not "
		"'99999999999TiB'\n"},
	{"a digest that is short", EXPECT("sha256: e3b0"),
		":1:51: 'sha256' must be a SHA-256 of 64 hexadecimal digits, not 'e3b0'\n"},
	{"a digest that is none",
		EXPECT("sha256: "
		       "g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
		":1:51: 'sha256' must be a SHA-256 of 64 hexadecimal digits, not "
		"'g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n"},
	{"the body of HEAD",
		M("https: {host: h, method: HEAD}, expect: {body: x, sha256: " DIGEST "}"),
		":1:57: 'body' looks at a body; the response to HEAD has none\n"
		"steerd.yaml:1:66: 'sha256' looks at a body; the response to HEAD has none\n"},
};

static const struct mistake ranges[] = {
	{"no size", RANGE("at: head"), ":1:41: missing key 'size' in 'monitors.m.range'\n"},
	{"a place that is none", RANGE("size: 1KiB, at: [head, middle]"),
		":1:65: 'at' must be head, tail, random, an offset such as 1GiB, or a list of "
		"them, not 'middle'\n"},
	{"no place", RANGE("size: 1KiB, at: []"),
		":1:58: 'at' must have from 1 to 16 items, not 0\n"},
	{"a slice larger than the file", RANGE("size: 2KiB, total: 2047"),
		":1:48: a slice of 2048 bytes is more than the 'total' of 2047\n"},
	{"a place behind the file", RANGE("size: 1KiB, total: 2KiB, at: [1KiB, 1025]"),
		":1:71: a slice of 1024 bytes at 1025 does not lie within the 'total' of 2048\n"},
	{"a digest of two slices", RANGE("size: 1KiB, at: [head, tail], sha256: " DIGEST),
		":1:72: 'sha256' is that of one slice: 'at' must have one position that is not "
		"random\n"},
	{"a digest of any slice", RANGE("size: 1KiB, at: random, sha256: " DIGEST),
		":1:66: 'sha256' is that of one slice: 'at' must have one position that is not "
		"random\n"},
	{"a rate without a unit", RANGE("size: 4MiB, floor: 50"),
		":1:61: 'floor' must be a rate such as 800kbit/s, 50Mbit/s or 1Gbit/s, not '50'\n"},
	{"a rate of bytes", RANGE("size: 4MiB, floor: 50MB/s"),
		":1:61: 'floor' must be a rate such as 800kbit/s, 50Mbit/s or 1Gbit/s, not "
		"'50MB/s'\n"},
	{"a rate with nothing to measure", RANGE("size: 1MiB, floor: 50Mbit/s"),
		":1:54: 'floor' needs more than the 'warm-up' of 1048576 bytes; a slice has "
		"1048576\n"},
	{"a budget below one slice", RANGE("size: 4MiB, daily: 3MiB"),
		":1:61: 'daily' is less than one slice of 4194304 bytes\n"},
	{"a status beside it", M("https: {host: h}, range: {size: 1KiB}, expect: {status: 206}"),
		":1:64: 'status' cannot stand beside 'range', which expects 206\n"},
	{"an ETag with a line end", RANGE("size: 1KiB, etag: \"a\\nb\""),
		":1:60: 'etag' must be text without control characters, not 'a?b'\n"},
	{"slices of HEAD", M("https: {host: h, method: HEAD}, range: {size: 1KiB}"),
		":1:48: 'range' looks at a body; the response to HEAD has none\n"},
};

REFUSES(kinds)
REFUSES(requests)
REFUSES(times)
REFUSES(expectations)
REFUSES(ranges)

#define USED "pools: {p: {method: all, monitor: m, members: {a: {host: h}}}}\n"

static const struct mistake warnings[] = {
	{"limits beyond the whole",
		M("https: {host: h}, timeout: 1s, limits: {connect: 1s, tls: 1001ms}") USED,
		"warning: steerd.yaml:1:74: 'tls' has no effect: the whole check is over after the "
		"'timeout' of 1s\n"},
	{"slower than ever", M("https: {host: h}, timeout: 1s, expect: {slower-than: 2s}") USED,
		"warning: steerd.yaml:1:69: 'slower-than' has no effect: the whole check is over "
		"after the 'timeout' of 1s\n"},
	{"a host that plain tcp has no use for", M("tcp: {port: 1, host: h}") USED,
		"warning: steerd.yaml:1:37: 'host' has no effect without 'tls: yes'\n"},
};

WARNS(warnings)

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

#define PEM "-----BEGIN X-----\n"

/* Each path is read once and shared, mistakes have the place of the first that names it, keys are for their owner. */
static void files_are_read(void **state)
{
	char directory[] = "/tmp/steerd-files-XXXXXX";
	struct report report = {0};
	struct text yaml = {0}, want = {0}, path = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	text_print(&yaml,
		"monitors:\n"
		"  a: {https: {host: h, ca: %s/ca, certificate: %s/ca, key: %s/open}}\n"
		"  b: {https: {host: h, ca: %s/none}}\n"
		"  c: {https: {host: h, ca: %s/none}}\n"
		"  d: {https: {host: h, ca: %s/text}}\n"
		"notify: {n: {webhook: {url: 'http://h', secret: %s/secret}}}\n",
		directory, directory, directory, directory, directory, directory, directory);
	text_print(&path, "%s/ca", directory);
	put(path.bytes, PEM, 0644);
	text_clear(&path);
	text_print(&path, "%s/open", directory);
	put(path.bytes, PEM, 0604);
	text_clear(&path);
	text_print(&path, "%s/text", directory);
	put(path.bytes, "text", 0600);
	text_clear(&path);
	text_print(&path, "%s/secret", directory);
	put(path.bytes, "any bytes", 0640);

	struct settings *settings = settings_parse(yaml.bytes, yaml.size, "steerd.yaml", &report);

	assert_non_null(settings);
	report_done(&report);
	settings_read_files(settings, &report);
	text_print(&want,
		"warning: steerd.yaml:2:104: 'key': everyone may read '%s/open' (its mode is "
		"0604)\n"
		"steerd.yaml:3:28: 'ca': cannot open '%s/none': No such file or directory\n"
		"steerd.yaml:5:28: 'ca': '%s/text' is no PEM file\n",
		directory, directory, directory);
	assert_string_equal(report.lines.bytes, want.bytes);
	assert_ptr_equal(settings->monitors[0].ca->bytes, settings->monitors[0].certificate->bytes);
	assert_string_equal(settings->monitors[0].key->bytes, PEM);
	assert_int_equal(settings->monitors[0].key->size, strlen(PEM));
	assert_null(settings->monitors[2].ca->bytes);
	assert_string_equal(settings->monitors[2].ca->why, settings->monitors[1].ca->why);
	assert_string_equal(settings->notifies[0].secret->bytes, "any bytes");
	settings_free(settings);
	report_done(&report);
	text_clear(&path);
	text_print(&path, "rm -r %s", directory);
	assert_int_equal(system(path.bytes), 0);
	text_done(&yaml);
	text_done(&want);
	text_done(&path);
}

/* The state directory is seen behind a link as well. */
static void links_are_followed(void **state)
{
	char directory[] = "/tmp/steerd-links-XXXXXX";
	struct report report = {0};
	struct text yaml = {0}, want = {0}, path = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	text_print(&path, "mkdir -p %s/real/state && ln -s real %s/link", directory, directory);
	assert_int_equal(system(path.bytes), 0);
	text_print(&yaml,
		"state: %s/real/state\n"
		"monitors:\n"
		"  a: {push: {file: %s/link/a.txt}}\n"
		"  b: {push: {file: %s/link/state/own/b.txt}}\n",
		directory, directory, directory);

	struct settings *settings = settings_parse(yaml.bytes, yaml.size, "steerd.yaml", &report);

	assert_non_null(settings);
	report_done(&report);
	settings_read_files(settings, &report);
	text_print(&want,
		"steerd.yaml:3:3: the directory of '%s/link/a.txt' holds the state directory "
		"'%s/real/state', which the prober must not read\n",
		directory, directory);
	assert_string_equal(report.lines.bytes, want.bytes);
	settings_free(settings);
	report_done(&report);
	text_clear(&path);
	text_print(&path, "rm -r %s", directory);
	assert_int_equal(system(path.bytes), 0);
	text_done(&yaml);
	text_done(&want);
	text_done(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(times_and_expectations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slices, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(programs_and_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
		cmocka_unit_test(kinds_refused),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(times_refused),
		cmocka_unit_test(expectations_refused),
		cmocka_unit_test(ranges_refused),
		cmocka_unit_test(warnings_given),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(links_are_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
