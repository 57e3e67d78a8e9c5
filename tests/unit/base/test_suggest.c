/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/suggest.h"

#define LETTERS_63 "012345678901234567890123456789012345678901234567890123456789012"

static const struct {
	const char *a;
	const char *b;
	size_t want;
} distances[] = {
	{"", "", 0},
	{"", "abc", 3},
	{"abc", "abc", 0},
	{"abc", "abd", 1},
	{"abc", "ab", 1},
	{"abc", "xabc", 1},
	{"abc", "acb", 1},
	{"abcd", "badc", 2},
	{"kitten", "sitting", 3},
	{"ca", "abc", 3}, /* what was swapped is not edited again */
	{"weight", "height", 1},
	{LETTERS_63, "", 63},
	{LETTERS_63, LETTERS_63, 0},
	{LETTERS_63 "3", LETTERS_63, SIZE_MAX},
};

static void edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(distances); i++) {
		if (suggest_distance(distances[i].a, distances[i].b) != distances[i].want)
			fail_msg("'%s' to '%s'", distances[i].a, distances[i].b);
		if (suggest_distance(distances[i].b, distances[i].a) != distances[i].want)
			fail_msg("'%s' to '%s'", distances[i].b, distances[i].a);
	}
}

static const char *const words[] = {"at", "every", "fall", "timeout", "timeouts", "io"};

static const struct {
	const char *about;
	const char *typed;
	const char *want;
} cases[] = {
	{"a letter is missing", "timout", "timeout"},
	{"two slips in a long word", "tmieot", "timeout"},
	{"one slip in a short word", "evry", "every"},
	{"the nearest of two", "timeoutss", "timeouts"},
	{"letters swapped", "oi", "io"},
	{"the word itself", "fall", "fall"},
	{"two slips in a short word", "evy", NULL},
	{"three slips in a long word", "t1m2o3t", NULL},
	{"another word", "weight", NULL},
	{"one letter", "i", NULL},
	{"no letter", "", NULL},
	{"longer than any word", LETTERS_63 "0", NULL},
};

static void suggestions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct suggestion suggestion = suggest_begin(cases[i].typed);

		for (size_t j = 0; j < COUNT_OF(words); j++)
			suggest_try(&suggestion, words[j]);
		if (!suggestion.best != !cases[i].want ||
			(cases[i].want && strcmp(suggestion.best, cases[i].want) != 0))
			fail_msg("%s: %s", cases[i].about,
				suggestion.best ? suggestion.best : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits),
		cmocka_unit_test(suggestions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
