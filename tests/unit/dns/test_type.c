/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"

static const struct {
	const char *text;
	int want; /* -1: no type */
} parses[] = {
	{"A", 1},
	{"aaaa", 28},
	{"Nsap-Ptr", 23},
	{"NSEC3PARAM", 51},
	{"HTTPS", 65},
	{"DLV", 32769},
	{"TYPE28", 28},
	{"type65280", 65280},
	{"TYPE0", 0},
	{"TYPE65535", 65535},
	{"TYPE65536", -1},
	{"TYPE4294967297", -1},
	{"TYPE99999999999999999999", -1},
	{"TYPE", -1},
	{"TYPE-1", -1},
	{"TYPE 1", -1},
	{"TYPE1x", -1},
	{"AA", -1},
	{"A ", -1},
	{"", -1},
};

static void names_to_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(parses); i++) {
		uint16_t type = 7777; /* must stay on failure */
		bool done = type_parse(parses[i].text, &type);

		if (done != (parses[i].want >= 0) || type != (done ? parses[i].want : 7777))
			fail_msg("'%s': %d, %u", parses[i].text, done, type);
	}
}

static void every_number_survives_its_text(void **state)
{
	unsigned named = 0;

	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		char text[TYPE_TEXT_SIZE];
		uint16_t again = (uint16_t)~type;

		type_print((uint16_t)type, text);
		if (!type_parse(text, &again) || again != type)
			fail_msg("%u: '%s' is read as %u", type, text, again);
		named += strncmp(text, "TYPE", 4) != 0;
	}
	/* a row out of order could not be found by its number */
	assert_int_equal(named, 97);
}

static const struct {
	uint16_t type;
	const char *want;
} layouts[] = {
	{DNS_TYPE_NS, "N"},
	{DNS_TYPE_CNAME, "N"},
	{DNS_TYPE_SOA, "NNlllll"},
	{DNS_TYPE_PTR, "N"},
	{14, "NN"},
	{DNS_TYPE_MX, "sN"},
	{DNS_TYPE_A, ""},
	{DNS_TYPE_TXT, ""},
	{DNS_TYPE_SRV, ""},   /* RFC 2782: "not compressed" */
	{DNS_TYPE_DNAME, ""}, /* RFC 6672 2.5 */
	{17, ""},	      /* RP: RFC 3597 4 takes RFC 1035 types alone */
	{18, ""},
	{65280, ""},
	{0, ""},
};

static void layouts_of_rdata(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(layouts); i++)
		assert_string_equal(type_layout(layouts[i].type), layouts[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_to_numbers),
		cmocka_unit_test(every_number_survives_its_text),
		cmocka_unit_test(layouts_of_rdata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
