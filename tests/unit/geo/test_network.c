/* SPDX-License-Identifier: Apache-2.0 */

/* The networks file: which lines are taken, and what is said about the others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "network.h"
#include "point.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"

static const struct geo_site sites[] = {{"fra", {50.11, 8.68}}, {"iad", {38.95, -77.45}}};
static const struct geo_request request = {
	.networks_path = "networks.csv", .sites = sites, .site_count = COUNT_OF(sites)};

static void parse(const char *text, struct networks *networks, struct report *report)
{
	char *bytes = memory_text(text);

	networks_parse(bytes, strlen(text), &request, networks, report);
	free(bytes);
}

static const struct {
	const char *text;
	const char *want; /* the report; "": taken */
	size_t networks;
} files[] = {
	{"", "", 0},
	{"\n\n# nothing\n   \n", "", 0},
	{"192.0.2.0/24,fra\n", "", 1},
	{"192.0.2.0/24,fra", "", 1},
	{"192.0.2.0/24,fra\r\n2001:db8::/32,iad\r\n", "", 2},
	{" 192.0.2.7 ,\tfra # our resolver\n", "", 1},
	{"0.0.0.0/0,fra\n::/0,iad\n", "", 2},
	{"2001:db8::/64, -33.9, +151.2\n", "", 1},
	{"192.0.2.0/24,90,180\n192.0.3.0/24,-90,-180\n", "", 2},
	{"192.0.2.0/24\n",
		"networks.csv:1: it has 1 field, not 'prefix,site' or "
		"'prefix,latitude,longitude'\n",
		0},
	{"192.0.2.0/24,1,2,3\n",
		"networks.csv:1: it has 4 fields, not 'prefix,site' or "
		"'prefix,latitude,longitude'\n",
		0},
	{"192.0.2.0/24,sin\n", "networks.csv:1: there is no site 'sin'\n", 0},
	{"192.0.2.0/24,\n", "networks.csv:1: there is no site ''\n", 0},
	{"192.0.2.1/24,fra\n", "networks.csv:1: '192.0.2.1/24' has bits set beyond its length\n",
		0},
	{"prefix,site\n", "networks.csv:1: 'prefix' is not a prefix such as 192.0.2.0/24\n", 0},
	{"192.0.2.0/33,fra\n", "networks.csv:1: '192.0.2.0/33' has no length between 0 and 32\n",
		0},
	{"192.0.2.0/24,91,0\n", "networks.csv:1: latitude '91' is not between -90 and 90\n", 0},
	{"192.0.2.0/24,0,180.5\n",
		"networks.csv:1: longitude '180.5' is not between -180 and 180\n", 0},
	{"192.0.2.0/24,nan,0\n", "networks.csv:1: latitude 'nan' is not a number of degrees\n", 0},
	{"192.0.2.0/24,inf,0\n", "networks.csv:1: latitude 'inf' is not a number of degrees\n", 0},
	{"192.0.2.0/24,0x10,0\n", "networks.csv:1: latitude '0x10' is not a number of degrees\n",
		0},
	{"192.0.2.0/24,,0\n", "networks.csv:1: latitude '' is not a number of degrees\n", 0},
	{"192.0.2.0/24,1 2,0\n", "networks.csv:1: latitude '1 2' is not a number of degrees\n", 0},
	{"2001:db8::/65,fra\n",
		"networks.csv:1: '2001:db8::/65' is longer than /64, the smallest network told "
		"apart\n",
		0},
	{"::ffff:192.0.2.0/120,fra\n",
		"networks.csv:1: '::ffff:192.0.2.0/120' holds IPv4 addresses: name the IPv4 "
		"network\n",
		0},
	{"2002:c000:200::/40,fra\n",
		"networks.csv:1: '2002:c000:200::/40' holds IPv4 addresses: name the IPv4 "
		"network\n",
		0},
	{"192.0.2.0/24,fra\n\n192.0.2.0/24,iad\n",
		"networks.csv:3: '192.0.2.0/24' is already on line 1\n", 2},
	{"x,fra\n192.0.2.0/24,fra\n192.0.3.0/24,x\n",
		"networks.csv:1: 'x' is not a prefix such as 192.0.2.0/24\n"
		"networks.csv:3: there is no site 'x'\n",
		1},
};

static void every_line_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct networks networks = {0};
		struct report report = {0};

		parse(files[i].text, &networks, &report);
		if (strcmp(report.lines.bytes ? report.lines.bytes : "", files[i].want) != 0)
			fail_msg("'%s': %s", files[i].text, report.lines.bytes);
		assert_int_equal(networks.count, files[i].networks);
		networks_done(&networks);
		report_done(&report);
	}
}

static void a_zero_byte_is_a_mistake(void **state)
{
	char text[] = "192.0.2.0/24,fra\0,iad\n192.0.3.0/24,fra\n";
	struct networks networks = {0};
	struct report report = {0};

	(void)state;
	networks_parse(text, sizeof(text) - 1, &request, &networks, &report);
	assert_string_equal(
		report.lines.bytes, "networks.csv:1: there is a zero byte in the line\n");
	assert_int_equal(networks.count, 1);
	networks_done(&networks);
	report_done(&report);
}

static void mistakes_end_somewhere(void **state)
{
	struct networks networks = {0};
	struct report report = {0};
	struct text text = {0};

	(void)state;
	for (size_t i = 0; i < 5000; i++)
		text_add(&text, "rubbish\n");
	parse(text.bytes, &networks, &report);
	assert_int_equal(report.error_count, 1001);
	assert_non_null(strstr(report.lines.bytes,
		"networks.csv:1001: too many mistakes: the rest is not read\n"));
	text_done(&text);
	networks_done(&networks);
	report_done(&report);
}

static void fields_are_kept(void **state)
{
	struct networks networks = {0};
	struct report report = {0};

	(void)state;
	parse("# first\n192.0.2.0/24,iad\n10.0.0.0/8,-1.5,2.25\n", &networks, &report);
	assert_int_equal(networks.count, 2);
	assert_int_equal(networks.items[0].site, POINT_NO_SITE); /* sorted by address */
	assert_int_equal(networks.items[0].line, 3);
	assert_true(networks.items[0].at.latitude == -1.5);
	assert_true(networks.items[0].at.longitude == 2.25);
	assert_int_equal(networks.items[1].site, 1);
	assert_int_equal(networks.items[1].line, 2);
	assert_true(networks.items[1].at.latitude == 38.95);
	networks_done(&networks);
	report_done(&report);
}

static const struct {
	const char *address;
	unsigned line; /* 0: none */
} found[] = {
	{"10.1.2.3", 3},
	{"10.1.3.3", 2},
	{"10.2.0.0", 1},
	{"11.0.0.0", 0},
	{"2a00::1", 4},
	{"2b00::1", 0},
};

static void the_longest_is_found(void **state)
{
	struct networks networks = {0};
	struct report report = {0};

	(void)state;
	parse("10.0.0.0/8,fra\n10.1.0.0/16,fra\n10.1.2.0/24,fra\n2a00::/16,fra\n", &networks,
		&report);
	for (size_t i = 0; i < COUNT_OF(found); i++) {
		struct address address;

		assert_true(address_parse(found[i].address, &address));

		const struct network *network = networks_find(&networks, &address);

		if ((network ? network->line : 0) != found[i].line)
			fail_msg("%s", found[i].address);
	}
	networks_done(&networks);
	report_done(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_judged),
		cmocka_unit_test(a_zero_byte_is_a_mistake),
		cmocka_unit_test(mistakes_end_somewhere),
		cmocka_unit_test(fields_are_kept),
		cmocka_unit_test(the_longest_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
