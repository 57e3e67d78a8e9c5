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
	"zones: zones/                      # every NAME.zone in it\n"
	"state: /var/lib/steerd             # verdicts, overrides, cookie secret\n"
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
	assert_string_equal(settings->zones_path, "zones/");
	assert_string_equal(settings->state_path, "/var/lib/steerd");
	assert_string_equal(settings->control_path, "/run/steerd/control");
	assert_int_equal(settings->city_path_count, 1);
	assert_string_equal(settings->city_paths[0], "GeoLite2-City.mmdb");
	assert_string_equal(settings->networks_path, "networks.csv");
	assert_int_equal(settings->granularity_ipv4, 24);
	assert_int_equal(settings->granularity_ipv6, 56);
	assert_int_equal(settings->tcp_connections, 1000);
	assert_int_equal(settings->tcp_idle_ms, 10000);
	assert_int_equal(settings->tcp_io_ms, 500);
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
	assert_null(edge->ca_path);
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
	assert_int_equal(pool->monitor, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
