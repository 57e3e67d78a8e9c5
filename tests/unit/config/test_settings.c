/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

static struct settings *parse(const char *yaml, struct report *report)
{
	return settings_parse(yaml, strlen(yaml), "steerd.yaml", report);
}

/* The example of the manual, as an operator would write it. */
static const char example[] =
	"listen: [\"0.0.0.0:53\", \"[::]:53\"]   # UDP and TCP on each\n"
	"workers: 2                         # default: one per core\n"
	"zones: zones/                      # every NAME.zone in it; the file's name is the "
	"zone's; paths are relative to this file\n"
	"state: /var/lib/steerd             # verdicts, overrides, cookie secret: survives "
	"restarts\n"
	"control: /run/steerd/control       # the socket that steerctl uses\n"
	"geo: {city: GeoLite2-City.mmdb, networks: networks.csv}\n"
	"sites:\n"
	"  fra: {at: [50.11, 8.68]}\n"
	"  iad: {at: [38.95, -77.45]}\n"
	"monitors:\n"
	"  edge:\n"
	"    https: {host: dl.files.example, path: /health}\n"
	"    every: 5s\n"
	"    timeout: 2s\n"
	"    fall: 3\n"
	"    rise: 2\n"
	"    expect: {status: [200-299], body: ok}\n"
	"pools:\n"
	"  downloads:\n"
	"    method: nearest\n"
	"    answers: 2\n"
	"    monitor: edge\n"
	"    members:\n"
	"      fra-1: {site: fra, address: [192.0.2.10, \"2001:db8:1::10\"]}\n"
	"      iad-1: {site: iad, address: [192.0.2.20, \"2001:db8:2::10\"]}\n"
	"    when-all-down: serve-all\n";

static void assert_address(const struct address *address, const char *want)
{
	char text[ADDRESS_TEXT_SIZE];

	address_print(address, text);
	assert_string_equal(text, want);
}

static void assert_listens(const struct settings *settings, size_t index, const char *want)
{
	char text[ADDRESS_PORT_TEXT_SIZE];

	assert_true(index < settings->listen_count);
	address_port_print(&settings->listen[index], text);
	assert_string_equal(text, want);
}

static void example_top(const struct settings *settings)
{
	assert_string_equal(settings->path, "steerd.yaml");
	assert_int_equal(settings->listen_count, 2);
	assert_listens(settings, 0, "0.0.0.0:53");
	assert_listens(settings, 1, "[::]:53");
	assert_int_equal(settings->workers, 2);
	assert_string_equal(settings->zones_path, "zones");
	assert_string_equal(settings->state_path, "/var/lib/steerd");
	assert_string_equal(settings->control_path, "/run/steerd/control");
	assert_int_equal(settings->city_path_count, 1);
	assert_string_equal(settings->city_paths[0], "GeoLite2-City.mmdb");
	assert_string_equal(settings->networks_path, "networks.csv");
	assert_int_equal(settings->granularity_ipv4, 24);
	assert_int_equal(settings->granularity_ipv6, 56);
	assert_int_equal(settings->tcp_connections, 10000);
	assert_int_equal(settings->tcp_per_address, 16);
	assert_int_equal(settings->tcp_per_network, 256);
	assert_int_equal(settings->tcp_idle_ms, 10000);
	assert_int_equal(settings->tcp_io_ms, 500);
	assert_int_equal(settings->limit_responses, 2000);
	assert_int_equal(settings->limit_burst, 4000);
	assert_int_equal(settings->limit_slip, 1);
	assert_int_equal(settings->limit_ipv4_bits, 24);
	assert_int_equal(settings->limit_ipv6_bits, 56);
	assert_true(settings->limit_is_dry_run);
	assert_int_equal(settings->limit_exempt_count, 0);
	assert_int_equal(settings->limit_table, 65536);
	assert_null(settings->identity);
	assert_false(settings->says_version);
	assert_true(settings->gives_cookies);
	assert_int_equal(settings->udp_without_cookie, 512);
	assert_int_equal(settings->site_count, 2);
	assert_string_equal(settings->sites[1].name, "iad");
	assert_true(settings->sites[1].latitude == 38.95);
	assert_true(settings->sites[1].longitude == -77.45);
	assert_int_equal(settings_find_site(settings, "fra"), 0);
	assert_int_equal(settings_find_site(settings, "sin"), SETTINGS_NONE);
}

static void example_monitor(const struct settings *settings)
{
	const struct settings_monitor *edge = &settings->monitors[0];

	assert_int_equal(settings->monitor_count, 1);
	assert_string_equal(edge->name, "edge");
	assert_int_equal(edge->place.line, 11);
	assert_int_equal(edge->place.column, 3);
	assert_string_equal(edge->host, "dl.files.example");
	assert_string_equal(edge->path, "/health");
	assert_null(edge->ca);
	assert_int_equal(edge->port, 443);
	assert_int_equal(edge->every_ms, 5000);
	assert_int_equal(edge->timeout_ms, 2000);
	assert_int_equal(edge->fall, 3);
	assert_int_equal(edge->rise, 2);
	assert_int_equal(edge->status_count, 1);
	assert_int_equal(edge->status[0].first, 200);
	assert_int_equal(edge->status[0].last, 299);
	assert_string_equal(edge->body, "ok");
}

static void example_pool(const struct settings *settings)
{
	const struct settings_pool *pool = &settings->pools[0];
	const struct settings_member *member = &pool->members[1];

	assert_int_equal(settings->pool_count, 1);
	assert_string_equal(pool->name, "downloads");
	assert_string_equal(pool->place.path, "steerd.yaml");
	assert_int_equal(pool->place.line, 19);
	assert_int_equal(pool->method, METHOD_NEAREST);
	assert_int_equal(pool->answers, 2);
	assert_int_equal(pool->condition->monitor, 0);
	assert_int_equal(pool->when_all_down, ALL_DOWN_SERVE_ALL);
	assert_int_equal(pool->member_count, 2);
	assert_string_equal(member->name, "iad-1");
	assert_int_equal(member->place.line, 25);
	assert_int_equal(member->place.column, 7);
	assert_int_equal(member->site, 1);
	assert_int_equal(member->pool, SETTINGS_NONE);
	assert_null(member->host);
	assert_int_equal(member->weight, 1);
	assert_int_equal(member->address_count, 2);
	assert_address(&member->addresses[0], "192.0.2.20");
	assert_address(&member->addresses[1], "2001:db8:2::10");
	assert_int_equal(settings_find_pool(settings, "downloads"), 0);
	assert_int_equal(settings_find_pool(settings, "uploads"), SETTINGS_NONE);
}

static void the_example(void **state)
{
	struct report report = {0};
	struct settings *settings = parse(example, &report);

	(void)state;
	if (!settings)
		fail_msg("%s", report.lines.bytes);
	assert_int_equal(report.warning_count, 0);
	example_top(settings);
	example_monitor(settings);
	example_pool(settings);
	settings_free(settings);
	report_done(&report);
}

/* Each setting at a value of its own, in the forms that the example does not use. */
static const char everything[] =
	"%YAML 1.1\n"
	"---\n"
	"listen: 127.0.0.1:0\n"
	"workers: 256\n"
	"zones: ../zones\n"
	"state: st\n"
	"control: \"/tmp/c\"\n"
	"identity: 'ns1 fra'\n"
	"version: yes\n"
	"geo:\n"
	"  city:\n"
	"  - one.mmdb\n"
	"  - /two.mmdb\n"
	"  granularity: 16/48\n"
	"tcp: {connections: 1000000, per-address: 0, per-network: 4096, idle: 2m, io: 750ms}\n"
	"rate-limit:\n"
	"  responses: 0\n"
	"  burst: 1\n"
	"  slip: 100\n"
	"  ipv4-prefix: 32\n"
	"  ipv6-prefix: 16\n"
	"  exempt: [192.0.2.1, \"2001:db8::/32\"]\n"
	"  dry-run: no\n"
	"  table: 1024\n"
	"pools:\n"
	"  all_of.them:\n"
	"    members: {m-1: {host: edge.cdn.example, weight: 65535}, m2: {pool: 2nd}}\n"
	"    monitor: m\n"
	"    method: all\n"
	"    when-all-down: fallback\n"
	"  2nd: {method: weighted, members: {a: {address: 192.0.2.1, weight: 0, site: s}}}\n"
	"monitors:\n"
	"  m:\n"
	"    https: {host: h, path: '/a?b=c', port: 65535, ca: ca.pem}\n"
	"    every: 1h\n"
	"    fall: 1\n"
	"    rise: 100\n"
	"    expect: {status: [100, 200-204, 599], body: 'it: works'}\n"
	"  quick: {https: {host: h}, every: 2s, expect: {status: 301}}\n"
	"cookies: no\n"
	"udp: {without-cookie: 1232}\n"
	"sites:\n"
	"  s: {at: [-90, +180]}\n"
	"...\n";

static void everything_top(const struct settings *settings)
{
	assert_int_equal(settings->listen_count, 1);
	assert_listens(settings, 0, "127.0.0.1:0");
	assert_string_equal(settings->identity, "ns1 fra");
	assert_true(settings->says_version);
	assert_false(settings->gives_cookies);
	assert_int_equal(settings->udp_without_cookie, 1232);
	assert_int_equal(settings->workers, 256);
	assert_string_equal(settings->zones_path, "/etc/steerd/../zones");
	assert_string_equal(settings->state_path, "/etc/steerd/st");
	assert_string_equal(settings->control_path, "/tmp/c");
	assert_int_equal(settings->city_path_count, 2);
	assert_string_equal(settings->city_paths[0], "/etc/steerd/one.mmdb");
	assert_string_equal(settings->city_paths[1], "/two.mmdb");
	assert_null(settings->networks_path);
	assert_int_equal(settings->granularity_ipv4, 16);
	assert_int_equal(settings->granularity_ipv6, 48);
	assert_int_equal(settings->tcp_connections, 1000000);
	assert_int_equal(settings->tcp_per_address, 0);
	assert_int_equal(settings->tcp_per_network, 4096);
	assert_int_equal(settings->tcp_idle_ms, 120000);
	assert_int_equal(settings->tcp_io_ms, 750);
	assert_int_equal(settings->limit_responses, 0);
	assert_int_equal(settings->limit_burst, 1);
	assert_int_equal(settings->limit_slip, 100);
	assert_int_equal(settings->limit_ipv4_bits, 32);
	assert_int_equal(settings->limit_ipv6_bits, 16);
	assert_false(settings->limit_is_dry_run);
	assert_int_equal(settings->limit_exempt_count, 2);
	assert_address(&settings->limit_exempt[0].address, "192.0.2.1");
	assert_int_equal(settings->limit_exempt[0].bits, 32);
	assert_address(&settings->limit_exempt[1].address, "2001:db8::");
	assert_int_equal(settings->limit_exempt[1].bits, 32);
	assert_int_equal(settings->limit_table, 1024);
	assert_true(settings->sites[0].latitude == -90 && settings->sites[0].longitude == 180);
}

static void everything_monitors(const struct settings *settings)
{
	const struct settings_monitor *slow = &settings->monitors[0];
	const struct settings_monitor *quick = &settings->monitors[1];

	assert_int_equal(settings->monitor_count, 2);
	assert_string_equal(slow->host, "h");
	assert_string_equal(slow->path, "/a?b=c");
	assert_string_equal(slow->ca->path, "/etc/steerd/ca.pem");
	assert_null(slow->ca->bytes);
	assert_int_equal(slow->port, 65535);
	assert_int_equal(slow->every_ms, 3600000);
	assert_int_equal(slow->timeout_ms, 4000);
	assert_int_equal(slow->fall, 1);
	assert_int_equal(slow->rise, 100);
	assert_int_equal(slow->status_count, 3);
	assert_int_equal(slow->status[0].first, 100);
	assert_int_equal(slow->status[0].last, 100);
	assert_int_equal(slow->status[1].last, 204);
	assert_int_equal(slow->status[2].first, 599);
	assert_string_equal(slow->body, "it: works");
	assert_string_equal(quick->path, "/");
	assert_int_equal(quick->port, 443);
	assert_int_equal(quick->timeout_ms, 2000);
	assert_int_equal(quick->fall, 3);
	assert_int_equal(quick->rise, 2);
	assert_int_equal(quick->status_count, 1);
	assert_int_equal(quick->status[0].first, 301);
	assert_null(quick->body);
}

static void everything_pools(const struct settings *settings)
{
	const struct settings_pool *all = &settings->pools[0];
	const struct settings_pool *second = &settings->pools[1];

	assert_int_equal(settings->pool_count, 2);
	assert_string_equal(all->name, "all_of.them");
	assert_int_equal(all->method, METHOD_ALL);
	assert_int_equal(all->answers, UINT16_MAX);
	assert_int_equal(all->condition->monitor, 0);
	assert_int_equal(all->when_all_down, ALL_DOWN_FALLBACK);
	assert_int_equal(all->member_count, 2);
	assert_string_equal(all->members[0].host, "edge.cdn.example");
	assert_int_equal(all->members[0].address_count, 0);
	assert_int_equal(all->members[0].site, SETTINGS_NONE);
	assert_int_equal(all->members[0].weight, 65535);
	assert_int_equal(all->members[1].pool, 1);
	assert_null(all->members[1].host);
	assert_int_equal(second->method, METHOD_WEIGHTED);
	assert_int_equal(second->answers, 1);
	assert_null(second->condition);
	assert_int_equal(second->when_all_down, ALL_DOWN_SERVE_ALL);
	assert_int_equal(second->members[0].weight, 0);
	assert_int_equal(second->members[0].site, 0);
	assert_address(&second->members[0].addresses[0], "192.0.2.1");
}

static void every_setting(void **state)
{
	struct report report = {0};
	struct settings *settings =
		settings_parse(everything, strlen(everything), "/etc/steerd/steerd.yaml", &report);

	(void)state;
	if (!settings)
		fail_msg("%s", report.lines.bytes);
	assert_string_equal(report.lines.bytes,
		"warning: /etc/steerd/steerd.yaml:27:45: 'weight' has no effect in a pool whose "
		"method is all\n"
		"warning: /etc/steerd/steerd.yaml:39:3: monitor 'quick' is used by no pool\n");
	everything_top(settings);
	everything_monitors(settings);
	everything_pools(settings);
	settings_free(settings);
	report_done(&report);
}

static void defaults(void **state)
{
	struct report report = {0};
	struct settings *settings = parse("{}", &report);

	(void)state;
	if (!settings)
		fail_msg("%s", report.lines.bytes);
	assert_int_equal(settings->listen_count, 2);
	assert_listens(settings, 0, "0.0.0.0:53");
	assert_listens(settings, 1, "[::]:53");
	assert_true(settings->workers >= 1 && settings->workers <= 256);
	assert_string_equal(settings->zones_path, "zones");
	assert_string_equal(settings->state_path, "/var/lib/steerd");
	assert_string_equal(settings->control_path, "/run/steerd/control");
	assert_int_equal(settings->city_path_count, 0);
	assert_null(settings->networks_path);
	assert_int_equal(settings->site_count, 0);
	assert_int_equal(settings->monitor_count, 0);
	assert_int_equal(settings->pool_count, 0);
	settings_free(settings);
	report_done(&report);
}

/* As an editor of another system saves it. */
static void byte_order_mark_and_crlf(void **state)
{
	struct report report = {0};
	struct settings *settings =
		parse("\xef\xbb\xbfworkers: 3\r\ntcp:\r\n  io: 1s\r\n", &report);

	(void)state;
	if (!settings)
		fail_msg("%s", report.lines.bytes);
	assert_int_equal(settings->workers, 3);
	assert_int_equal(settings->tcp_io_ms, 1000);
	settings_free(settings);
	report_done(&report);
}

static void paths(void **state)
{
	static const struct {
		const char *written;
		const char *want;
	} cases[] = {
		{"zones", "/tmp/zones"},
		{"zones/", "/tmp/zones"},
		{".", "/tmp"},
		{"./", "/tmp"},
		{".//a/./b//", "/tmp/a/b"},
		{"../zones", "/tmp/../zones"},
		{".hidden/.x", "/tmp/.hidden/.x"},
		{"a/..b", "/tmp/a/..b"},
		{"/srv/zones/.", "/srv/zones"},
		{"/", "/"},
		{"/.", "/"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct report report = {0};
		char path[] = "/tmp/steerd-settings-XXXXXX";
		int fd = mkstemp(path);

		assert_true(fd >= 0);
		assert_true(dprintf(fd, "zones: '%s'\n", cases[i].written) > 0);
		close(fd);

		struct settings *settings = settings_read(path, &report);

		if (!settings || strcmp(settings->zones_path, cases[i].want) != 0)
			fail_msg("'%s': '%s', not '%s'", cases[i].written,
				settings ? settings->zones_path : report.lines.bytes,
				cases[i].want);
		settings_free(settings);
		report_done(&report);
		unlink(path);
	}
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const struct {
	const char *about;
	const char *text;
	const char *want; /* NULL: it cannot be told */
} control_paths[] = {
	{"no mistake", "control: c\n", "/tmp/c"},
	{"the default", "workers: 1\n", "/run/steerd/control"},
	{"a mistake elsewhere", "workers: no\ncontrol: /run/c\npools: 7\n", "/run/c"},
	{"an unknown key", "foo: 1\ncontrol: c\n", "/tmp/c"},
	{"a mistake that only a look at the whole finds",
		"control: c\npools: {a: {method: all, members: {b: {pool: a}}}}\n", "/tmp/c"},
	{"a mistake there", "control: [1]\n", NULL},
	{"no YAML", "control: c\n\tx: [\n", NULL},
	{"no map", "- c\n", NULL},
	{"nothing", "", NULL},
};

static void control_is_found_beside_mistakes(void **state)
{
	char path[] = "/tmp/steerd-settings-XXXXXX";

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < COUNT_OF(control_paths); i++) {
		const char *want = control_paths[i].want;

		put(path, control_paths[i].text);

		char *got = settings_find_control(path);

		if (!want != !got || (got && strcmp(got, want) != 0))
			fail_msg("%s: %s", control_paths[i].about, got ? got : "none");
		free(got);
	}
	unlink(path);
	assert_null(settings_find_control(path));
}

static const struct {
	const char *text; /* of the file; NULL: there is none */
	const char *want;
} certificates[] = {
	{"-----BEGIN CERTIFICATE-----\n", ""},
	{NULL, "x.yaml:2:36: 'ca': cannot open '%s': No such file or directory\n"},
	{"", "x.yaml:2:36: 'ca': '%s' is empty\n"},
	{"192.0.2.0/24,fra\n", "x.yaml:2:36: 'ca': '%s' is no PEM file\n"},
};

static void certificates_are_looked_at(void **state)
{
	char path[] = "/tmp/steerd-ca-XXXXXX";
	char yaml[256];

	(void)state;
	close(mkstemp(path));
	snprintf(yaml, sizeof(yaml), "monitors:\n  m: {https: {host: h.example, ca: %s}}\n", path);
	for (size_t i = 0; i < COUNT_OF(certificates); i++) {
		struct report report = {0};
		struct settings *settings = settings_parse(yaml, strlen(yaml), "x.yaml", &report);
		struct text want = {0};

		assert_non_null(settings);
		report_done(&report);
		unlink(path);
		if (certificates[i].text)
			put(path, certificates[i].text);
		settings_read_files(settings, &report);
		text_add(&want, "");
		text_add(&report.lines, "");
		text_print(&want, certificates[i].want, path); /* NOLINT: from the table above */
		assert_string_equal(report.lines.bytes, want.bytes);
		text_done(&want);
		report_done(&report);
		settings_free(settings);
	}
	unlink(path);
}

static void files(void **state)
{
	struct report report = {0};
	char path[] = "/tmp/steerd-settings-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "workers: 7\n", 11), 11);

	struct settings *settings = settings_read(path, &report);

	assert_non_null(settings);
	assert_int_equal(settings->workers, 7);
	assert_string_equal(settings->zones_path, "/tmp/zones");
	settings_free(settings);

	/* one byte too many */
	assert_int_equal(ftruncate(fd, ((off_t)16 << 20) + 1), 0);
	assert_null(settings_read(path, &report));
	assert_non_null(strstr(report.lines.bytes, "it is larger than 16777216 bytes\n"));
	report_done(&report);
	close(fd);
	unlink(path);

	assert_null(settings_read("/nowhere/steerd.yaml", &report));
	assert_string_equal(report.lines.bytes,
		"/nowhere/steerd.yaml: cannot open '/nowhere/steerd.yaml': No such file or "
		"directory\n");
	assert_int_equal(report.error_count, 1);
	report_done(&report);
	settings_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example),
		cmocka_unit_test(every_setting),
		cmocka_unit_test(defaults),
		cmocka_unit_test(byte_order_mark_and_crlf),
		cmocka_unit_test(paths),
		cmocka_unit_test(files),
		cmocka_unit_test(control_is_found_beside_mistakes),
		cmocka_unit_test(certificates_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
