/* SPDX-License-Identifier: Apache-2.0 */

/* Orders with everything that steerd.yaml can say: nothing is lost on the way, and nothing impossible is taken. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/report.h"
#include "steerd/config/settings.h"
#include "steerd/link/link.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char yaml[] =
	"monitors:\n"
	"  edge:\n"
	"    https: {host: dl.files.example, sni: edge.cdn.example, path: /health, port: 8443,\n"
	"      method: POST, headers: {X-Probe: steerd, Accept: '*/*'}, send: \"a\\nb\",\n"
	"      redirects-to: www.files.example, version: \"2\", verify: no, ca: ca.pem,\n"
	"      certificate: client.pem, key: client.key}\n"
	"    every: 5s\n"
	"    timeout: 2s\n"
	"    recheck: 700ms\n"
	"    limits: {resolve: 500ms, connect: 600ms, tls: 1s, first-byte: 900ms}\n"
	"    fall: 4\n"
	"    rise: 5\n"
	"    hold-down: 20s\n"
	"    hold-down-max: 10m\n"
	"    allow-internal: yes\n"
	"    expect: {status: [200-299, 304], body: \"ok\\n\", body-matches: 'a+', body-limit: "
	"1MiB,\n"
	"      headers: {X-Cache: HIT, ETag: ~}, sha256: " DIGEST ", slower-than: 800ms}\n"
	"    certificate-days: {warn: 30, degrade: 3, fail: 1}\n"
	"  big: {http: {host: h}, range: {size: 4MiB, at: [head, 1GiB, tail, random],\n"
	"    total: 4700000000, etag: '\"abc\"', floor: 50Mbit/s, daily: 3GiB}}\n"
	"  slice: {http: {host: h}, range: {size: 1KiB, at: 100, sha256: " DIGEST "}}\n"
	"  port: {tcp: {port: 993, send: \"PING\\r\\n\", expect: SSH-2.0, tls: yes, host: h,\n"
	"    ca: ca.pem}}\n"
	"  names: {dns: {name: www.files.example, expect: [192.0.2.1], transport: tcp}}\n"
	"  script: {exec: {command: [/usr/lib/steerd/check, \"--a\\nb\", ''], at-once: 3}}\n"
	"  fed: {push: {file: health/edge.txt, max-age: 5m, on-stale: up}}\n"
	"notify:\n"
	"  ops: {webhook: {url: 'https://hooks.example/x', secret: hook.key, ca: ca.pem,\n"
	"    allow-internal: yes}, after: 1m, repeat: 1h, on: [observer, down]}\n"
	"  pager: {command: [/usr/local/bin/page, -v]}\n";

/* What each case starts from: the settings, changed as it likes. */
struct example {
	struct settings *settings;
	struct settings_monitor *monitors;
	struct settings_notify *notifies;
	struct address_port own[2];
	struct link_orders orders;
};

static void fill(struct example *example)
{
	struct report report = {0};
	struct settings *settings = settings_parse(yaml, strlen(yaml), "steerd.yaml", &report);

	if (!settings)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	/* as if they had been read: one with a zero byte, one in vain */
	for (size_t i = 0; i < settings->file_count; i++) {
		struct settings_file *file = settings->files[i];

		file->why = strcmp(file->path, "client.key") == 0 ? "it is gone" : NULL;
		file->bytes = file->why ? NULL : "a\0b";
		file->size = file->why ? 0 : 3;
	}
	*example = (struct example){
		.settings = settings,
		.monitors = (struct settings_monitor *)settings->monitors,
		.notifies = (struct settings_notify *)settings->notifies,
		.own = {{.port = 53}, {.port = 5353}},
	};
	assert_true(address_parse("192.0.2.53", &example->own[0].address));
	assert_true(address_parse("::", &example->own[1].address));
	example->orders = (struct link_orders){
		.targets.generation = 7,
		.verdicts.generation = 7,
		.monitors = settings->monitors,
		.monitor_count = settings->monitor_count,
		.notifies = settings->notifies,
		.notify_count = settings->notify_count,
		.own = example->own,
		.own_count = 2,
	};
}

static bool take(const struct link_orders *orders, struct arena *arena,
	struct link_orders *ret_orders, struct err *err)
{
	struct text frame = {0};

	link_write_orders(orders, &frame);

	bool taken = link_read_orders((const uint8_t *)frame.bytes + LINK_FRAME_HEADER,
		frame.size - LINK_FRAME_HEADER, arena, ret_orders, err);

	text_done(&frame); /* nothing may point into it */
	return taken;
}

/* ---- nothing is lost -------------------------------------------------------------------------------------------- */

static void same_text(const char **got, const char *want)
{
	assert_true(!*got == !want);
	if (want)
		assert_string_equal(*got, want);
	*got = want;
}

static void same_file(const struct settings_file **got, const struct settings_file *want)
{
	assert_true(!*got == !want);
	if (want) {
		assert_string_equal((*got)->path, want->path);
		assert_int_equal((*got)->size, want->size);
		assert_true(!(*got)->bytes == !want->bytes);
		if (want->bytes)
			assert_memory_equal((*got)->bytes, want->bytes, want->size);
		else
			assert_string_equal((*got)->why, want->why);
	}
	*got = want;
}

static void same_digest(const uint8_t **got, const uint8_t *want)
{
	assert_true(!*got == !want);
	if (want)
		assert_memory_equal(*got, want, 32);
	*got = want;
}

static void same_headers(
	const struct settings_header **got, const struct settings_header *want, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct settings_header header = (*got)[i];

		same_text(&header.name, want[i].name);
		same_text(&header.value, want[i].value);
	}
	*got = want;
}

static void same_words(const char *const **got, const char *const *want, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal((*got)[i], want[i]);
	if (count > 0)
		assert_null((*got)[count]);
	*got = want;
}

/* What one pointed to, the other points to as well; what is left must be the same octet by octet. */
static void same_monitor(struct settings_monitor got, const struct settings_monitor *want)
{
	got.place = want->place;
	same_text(&got.name, want->name);
	same_text(&got.host, want->host);
	same_text(&got.sni, want->sni);
	same_text(&got.path, want->path);
	same_text(&got.method, want->method);
	same_text(&got.request_body, want->request_body);
	same_text(&got.redirect_host, want->redirect_host);
	same_text(&got.body, want->body);
	same_text(&got.body_regex, want->body_regex);
	same_text(&got.range_etag, want->range_etag);
	same_text(&got.send, want->send);
	same_text(&got.expect, want->expect);
	same_text(&got.question, want->question);
	same_text(&got.push_path, want->push_path);
	same_file(&got.ca, want->ca);
	same_file(&got.certificate, want->certificate);
	same_file(&got.key, want->key);
	same_digest(&got.body_sha256, want->body_sha256);
	same_digest(&got.range_sha256, want->range_sha256);
	assert_int_equal(got.header_count, want->header_count);
	same_headers(&got.headers, want->headers, want->header_count);
	assert_int_equal(got.expected_header_count, want->expected_header_count);
	same_headers(&got.expected_headers, want->expected_headers, want->expected_header_count);
	assert_int_equal(got.command_count, want->command_count);
	same_words(&got.command, want->command, want->command_count);
	assert_int_equal(got.status_count, want->status_count);
	if (want->status_count > 0)
		assert_memory_equal(
			got.status, want->status, want->status_count * sizeof(want->status[0]));
	got.status = want->status;
	assert_int_equal(got.position_count, want->position_count);
	for (size_t i = 0; i < want->position_count; i++) {
		assert_int_equal(got.positions[i].kind, want->positions[i].kind);
		assert_true(got.positions[i].offset == want->positions[i].offset);
	}
	got.positions = want->positions;
	assert_int_equal(got.expected_address_count, want->expected_address_count);
	for (size_t i = 0; i < want->expected_address_count; i++)
		assert_true(
			address_is_equal(&got.expected_addresses[i], &want->expected_addresses[i]));
	got.expected_addresses = want->expected_addresses;
	assert_memory_equal(&got, want, sizeof(got));
}

static void same_notify(struct settings_notify got, const struct settings_notify *want)
{
	got.place = want->place;
	same_text(&got.name, want->name);
	same_text(&got.url, want->url);
	same_file(&got.secret, want->secret);
	same_file(&got.ca, want->ca);
	assert_int_equal(got.command_count, want->command_count);
	same_words(&got.command, want->command, want->command_count);
	assert_memory_equal(&got, want, sizeof(got));
}

static void everything_and_back(void **state)
{
	struct example example;
	struct arena *arena = arena_new();
	struct link_orders back;
	struct err err;

	(void)state;
	fill(&example);
	if (!take(&example.orders, arena, &back, &err))
		fail_msg("%s", err.text);
	assert_int_equal(back.monitor_count, 7);
	for (size_t i = 0; i < back.monitor_count; i++)
		same_monitor(back.monitors[i], &example.monitors[i]);
	assert_ptr_equal(back.monitors[0].ca, back.monitors[3].ca);
	assert_ptr_equal(back.monitors[0].ca, back.notifies[0].ca);
	assert_int_equal(back.notify_count, 2);
	for (size_t i = 0; i < back.notify_count; i++)
		same_notify(back.notifies[i], &example.notifies[i]);
	assert_int_equal(back.own_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(address_is_equal(&back.own[i].address, &example.own[i].address));
		assert_int_equal(back.own[i].port, example.own[i].port);
	}
	verdict_table_done(&back.verdicts);
	arena_free(arena);
	settings_free(example.settings);
}

/* ---- nothing impossible is taken -------------------------------------------------------------------------------- */

static const struct settings_header no_name = {.value = "x"};
static const struct settings_header with_colon = {.name = "X:", .value = "y"};
static const struct settings_header with_line = {.name = "X", .value = "a\r\nb"};
static const char *const relative[] = {"check", NULL};
static const struct settings_position nowhere = {.kind = (enum settings_position_kind)4};
static const struct address nobody;
static const struct settings_file gone = {.path = "x\ny"};

#define SPOIL(name, statement)                                                                     \
	static void name(struct example *e)                                                        \
	{                                                                                          \
		statement;                                                                         \
	}
SPOIL(kind, e->monitors[0].kind = (enum settings_kind)6)
SPOIL(name_missing, e->monitors[0].name = NULL)
SPOIL(recheck, e->monitors[0].recheck_ms = UINT32_MAX)
SPOIL(sni_line, e->monitors[0].sni = "a\nb")
SPOIL(sni_port, e->monitors[0].sni = "a:1")
SPOIL(method_missing, e->monitors[0].method = NULL)
SPOIL(method_empty, e->monitors[0].method = "")
SPOIL(method_blank, e->monitors[0].method = "GET /")
SPOIL(redirect_url, e->monitors[0].redirect_host = "https://h")
SPOIL(header_name, e->monitors[0].headers = &no_name; e->monitors[0].header_count = 1)
SPOIL(header_colon, e->monitors[0].headers = &with_colon; e->monitors[0].header_count = 1)
SPOIL(header_line, e->monitors[0].headers = &with_line; e->monitors[0].header_count = 1)
SPOIL(body_bytes, e->monitors[0].body_bytes = (16 << 20) + 1)
SPOIL(file_line, e->monitors[0].ca = &gone)
SPOIL(slice_size, e->monitors[1].range_bytes = (1 << 30) + 1)
SPOIL(slice_nowhere, e->monitors[1].position_count = 0)
SPOIL(slice_kind, e->monitors[1].positions = &nowhere; e->monitors[1].position_count = 1)
SPOIL(etag_line, e->monitors[1].range_etag = "a\nb")
SPOIL(tcp_port, e->monitors[3].port = 0)
SPOIL(tcp_nobody, e->monitors[3].host = NULL)
SPOIL(tcp_host, e->monitors[3].host = "a b")
SPOIL(dns_name, e->monitors[4].question = NULL)
SPOIL(dns_port, e->monitors[4].port = 0)
SPOIL(dns_address, e->monitors[4].expected_addresses = &nobody)
SPOIL(exec_nothing, e->monitors[5].command_count = 0)
SPOIL(exec_relative, e->monitors[5].command = relative; e->monitors[5].command_count = 1)
SPOIL(exec_never, e->monitors[5].at_once = 0)
SPOIL(push_age, e->monitors[6].max_age_ms = 0)
SPOIL(push_stale, e->monitors[6].on_stale = (enum settings_on_stale)3)
SPOIL(push_line, e->monitors[6].push_path = "a\nb")
SPOIL(notify_name, e->notifies[0].name = NULL)
SPOIL(notify_nothing, e->notifies[0].url = NULL)
SPOIL(notify_both, e->notifies[1].url = "http://h")
SPOIL(notify_scheme, e->notifies[0].url = "ftp://h")
SPOIL(notify_blank, e->notifies[0].url = "http://h/a b")
SPOIL(notify_relative, e->notifies[1].command = relative; e->notifies[1].command_count = 1)
SPOIL(notify_events, e->notifies[0].events = 64)
SPOIL(own_nobody, e->own[1].address = nobody)

static const struct {
	void (*spoil)(struct example *example);
	const char *about;
	const char *want;
} wrongs[] = {
	{kind, "kind", "monitor 1 of the orders cannot be"},
	{name_missing, "name", "monitor 1 of the orders cannot be"},
	{recheck, "recheck", "monitor 1 of the orders cannot be"},
	{sni_line, "a line end in SNI", "monitor 1 of the orders cannot be"},
	{sni_port, "a port in SNI", "monitor 1 of the orders cannot be"},
	{method_missing, "no method", "monitor 1 of the orders cannot be"},
	{method_empty, "an empty method", "monitor 1 of the orders cannot be"},
	{method_blank, "a method with a blank", "monitor 1 of the orders cannot be"},
	{redirect_url, "a redirect to a URL", "monitor 1 of the orders cannot be"},
	{header_name, "a header field without a name", "monitor 1 of the orders cannot be"},
	{header_colon, "a colon in a name", "monitor 1 of the orders cannot be"},
	{header_line, "a line end in a value", "monitor 1 of the orders cannot be"},
	{body_bytes, "a body too large", "monitor 1 of the orders cannot be"},
	{file_line, "a path with a line end", "the files of the orders cannot be"},
	{slice_size, "a slice too large", "monitor 2 of the orders cannot be"},
	{slice_nowhere, "a slice nowhere", "monitor 2 of the orders cannot be"},
	{slice_kind, "a slice at an unknown place", "monitor 2 of the orders cannot be"},
	{etag_line, "a line end in an ETag", "monitor 2 of the orders cannot be"},
	{tcp_port, "no TCP port", "monitor 4 of the orders cannot be"},
	{tcp_nobody, "TLS with nobody", "monitor 4 of the orders cannot be"},
	{tcp_host, "TLS with no host", "monitor 4 of the orders cannot be"},
	{dns_name, "no question", "monitor 5 of the orders cannot be"},
	{dns_port, "no DNS port", "monitor 5 of the orders cannot be"},
	{dns_address, "an address that is none", "monitor 5 of the orders cannot be"},
	{exec_nothing, "no program", "monitor 6 of the orders cannot be"},
	{exec_relative, "a relative program", "monitor 6 of the orders cannot be"},
	{exec_never, "none at once", "monitor 6 of the orders cannot be"},
	{push_age, "no age", "monitor 7 of the orders cannot be"},
	{push_stale, "stale", "monitor 7 of the orders cannot be"},
	{push_line, "a file with a line end", "monitor 7 of the orders cannot be"},
	{notify_name, "no name", "notify 1 of the orders cannot be"},
	{notify_nothing, "nobody told", "notify 1 of the orders cannot be"},
	{notify_both, "two told", "notify 2 of the orders cannot be"},
	{notify_scheme, "a scheme", "notify 1 of the orders cannot be"},
	{notify_blank, "a blank in a URL", "notify 1 of the orders cannot be"},
	{notify_relative, "a relative hook", "notify 2 of the orders cannot be"},
	{notify_events, "an event", "notify 1 of the orders cannot be"},
	{own_nobody, "an address of ours", "address 2 of our own cannot be"},
};

static void orders_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		struct example example;
		struct arena *arena = arena_new();
		struct link_orders back = {.monitor_count = 42};
		struct err err = {.text = "taken"};

		fill(&example);
		wrongs[i].spoil(&example);
		if (take(&example.orders, arena, &back, &err) ||
			strcmp(err.text, wrongs[i].want) != 0)
			fail_msg("%s: %s", wrongs[i].about, err.text);
		assert_int_equal(back.monitor_count, 42);
		arena_free(arena);
		settings_free(example.settings);
	}
}

/* Cut anywhere, and with any octet changed: refused, or taken as something that writes the same octets again. */
static void any_octet_wrong(void **state)
{
	struct example example;
	struct text frame = {0};
	size_t taken = 0;

	(void)state;
	fill(&example);
	link_write_orders(&example.orders, &frame);
	for (size_t i = LINK_FRAME_HEADER; i < frame.size; i++) {
		struct arena *arena = arena_new();
		struct link_orders back;
		struct text again = {0};
		struct err err;
		const uint8_t *body = (const uint8_t *)frame.bytes + LINK_FRAME_HEADER;

		assert_false(link_read_orders(body, i - LINK_FRAME_HEADER, arena, &back, &err));
		frame.bytes[i] ^= 1;
		if (link_read_orders(body, frame.size - LINK_FRAME_HEADER, arena, &back, &err)) {
			link_write_orders(&back, &again);
			assert_int_equal(again.size, frame.size);
			assert_memory_equal(again.bytes, frame.bytes, frame.size);
			verdict_table_done(&back.verdicts);
			taken++;
		}
		frame.bytes[i] ^= 1;
		text_done(&again);
		arena_free(arena);
	}
	assert_true(taken > 0);
	text_done(&frame);
	settings_free(example.settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_and_back),
		cmocka_unit_test(orders_that_cannot_be),
		cmocka_unit_test(any_octet_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
