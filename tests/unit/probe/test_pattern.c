/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "pattern.h"
#include "steerd/base/memory.h"

static const struct {
	const char *expression;
	const char *octets;
	size_t behind; /* so many 'a' are put before */
	enum pattern_result want;
} cases[] = {
	{"ok", "it is ok", 0, PATTERN_MATCHES},
	{"^ok", "it is ok", 0, PATTERN_DIFFERS},
	{"ok$", "it is ok", 0, PATTERN_MATCHES},
	{"OK", "it is ok", 0, PATTERN_DIFFERS},
	{"(?i)OK", "it is ok", 0, PATTERN_MATCHES},
	{"version \\d+", "version 12", 0, PATTERN_MATCHES},
	{"version \\d+$", "version x", 0, PATTERN_DIFFERS},
	{"", "", 0, PATTERN_MATCHES},
	{"^$", "", 0, PATTERN_MATCHES},
	{"x", "", 0, PATTERN_DIFFERS},
	{"\xff", "\xfe\xff", 0, PATTERN_MATCHES}, /* octets, not UTF-8 */
	/* across windows, and where they meet */
	{"b", "b", 255, PATTERN_MATCHES},
	{"b", "b", 256, PATTERN_MATCHES},
	{"b", "b", 257, PATTERN_MATCHES},
	{"b$", "b", 65000, PATTERN_MATCHES},
	{"a{300}b", "b", 4000, PATTERN_MATCHES},
	{"(?<=a{3})b", "b", 512, PATTERN_MATCHES},
	{"^a+b$", "b", 65000, PATTERN_MATCHES},
	{"$", "", 65536, PATTERN_MATCHES},
	{"b", "", 65536, PATTERN_DIFFERS},
	{"^(a|b)*c", "c", 3000, PATTERN_MATCHES},
	/* hostile: exponential, cubic, quadratic; each within milliseconds */
	{"(a+)+$", "b", 5000, PATTERN_GAVE_UP},
	{"^(a|a)*$", "b", 5000, PATTERN_GAVE_UP},
	{"a*a*a*a*[cd]", "b", 65536, PATTERN_GAVE_UP},
	{"(\\w+\\s?)+[@#]", "b", 65536, PATTERN_GAVE_UP},
	{"(?:(?=a)a?){100}b{9}", "b", 65536, PATTERN_GAVE_UP},
};

static uint64_t used_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* An order above what it may take at most: this guards against minutes, not a speed. */
#define NEVER_MS 2000

static void searches(void **state)
{
	static char octets[65536 + 64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t size = strlen(cases[i].octets);
		struct err err;
		struct pattern *pattern = pattern_new(cases[i].expression, &err);
		uint64_t began_ms = used_ms();

		assert_non_null(pattern);
		memset(octets, 'a', cases[i].behind);
		memcpy(octets + cases[i].behind, cases[i].octets, size);

		enum pattern_result got = pattern_search(pattern, octets, cases[i].behind + size);

		if (got != cases[i].want)
			fail_msg("'%s' after %zu: %d", cases[i].expression, cases[i].behind, got);
		if (used_ms() - began_ms > NEVER_MS)
			fail_msg("'%s' took seconds", cases[i].expression);
		pattern_free(pattern);
	}
}

/* The quadratic one that no limit of PCRE2's sees: given up or not, it takes no seconds. */
static void a_search_that_runs_to_the_end_at_each_place(void **state)
{
	static char octets[1 << 20];
	struct err err;
	struct pattern *pattern = pattern_new("\\w+[@#]", &err);
	uint64_t began_ms = used_ms();

	(void)state;
	memset(octets, 'a', sizeof(octets));
	assert_int_equal(pattern_search(pattern, octets, sizeof(octets)), PATTERN_GAVE_UP);
	assert_true(used_ms() - began_ms < NEVER_MS);
	assert_int_equal(pattern_search(pattern, "a@", 2), PATTERN_MATCHES);
	assert_int_equal(pattern_search(pattern, NULL, 0), PATTERN_DIFFERS);
	pattern_free(pattern);
}

static void what_is_no_expression(void **state)
{
	struct err err;

	(void)state;
	assert_null(pattern_new("version (\\d+", &err));
	assert_string_equal(err.text,
		"regular expression 'version (\\d+': missing closing parenthesis at character 13");
	assert_null(pattern_new("*", &err));
	assert_string_equal(err.text,
		"regular expression '*': quantifier does not follow a repeatable item at character "
		"1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches),
		cmocka_unit_test(a_search_that_runs_to_the_end_at_each_place),
		cmocka_unit_test(what_is_no_expression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
