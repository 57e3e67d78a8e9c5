/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "redirect.h"
#include "steerd/base/memory.h"

/* Of a monitor of dl.files.example at port 8443, or of the kind http at 8080, with that one host for redirects. */
static const struct {
	const char *location;
	const char *host; /* that redirects may lead to */
	const char *sni;
	enum settings_kind kind;
	const char *want; /* a URL, or why not */
	bool is_own;
} cases[] = {
	{"/other", "dl.files.example", NULL, KIND_HTTPS, "https://dl.files.example:8443/other",
		true},
	{"other?a=b#c", "dl.files.example", NULL, KIND_HTTPS,
		"https://dl.files.example:8443/deep/other?a=b", true},
	{"https://dl.files.example/x", "dl.files.example", NULL, KIND_HTTPS,
		"https://dl.files.example:443/x", true},
	{"HTTPS://DL.Files.Example:9/x", "dl.files.example", NULL, KIND_HTTPS,
		"https://dl.files.example:9/x", true},
	{"//dl.files.example/x", "dl.files.example", NULL, KIND_HTTPS,
		"https://dl.files.example:443/x", true},
	{"https://dl.files.example/x", "dl.files.example", NULL, KIND_HTTP,
		"https://dl.files.example:443/x", true},
	{"http://dl.files.example/x", "dl.files.example", NULL, KIND_HTTP,
		"http://dl.files.example:80/x", true},
	{"https://cdn.example/x", "cdn.example", NULL, KIND_HTTPS, "https://cdn.example:443/x",
		false},
	{"https://user:secret@cdn.example/x", "cdn.example", NULL, KIND_HTTPS,
		"https://cdn.example:443/x", false},
	{"https://192.0.2.1/x", "192.0.2.1", NULL, KIND_HTTPS, "https://192.0.2.1:443/x", false},
	{"https://[2001:db8::1]/x", "2001:db8::1", NULL, KIND_HTTPS, "https://[2001:db8::1]:443/x",
		false},
	/* where SNI is another name, the URL has that one */
	{"/other", "dl.files.example", "edge.cdn.example", KIND_HTTPS,
		"https://edge.cdn.example:8443/other", true},
	{"https://dl.files.example/x", "dl.files.example", "edge.cdn.example", KIND_HTTPS,
		"https://edge.cdn.example:443/x", true},

	{"https://evil.example/x", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to evil.example, not to dl.files.example", false},
	{"https://dl.files.example.evil.example/", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to dl.files.example.evil.example, not to dl.files.example", false},
	{"https://dl.files.example@evil.example/", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to evil.example, not to dl.files.example", false},
	{"/other", "cdn.example", NULL, KIND_HTTPS,
		"redirects to dl.files.example, not to cdn.example", false},
	{"http://169.254.169.254/latest", "dl.files.example", NULL, KIND_HTTP,
		"redirects to 169.254.169.254, not to dl.files.example", false},
	{"http://dl.files.example/x", "dl.files.example", NULL, KIND_HTTPS,
		"redirects from https to http", false},
	{"ftp://dl.files.example/x", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to a URL of scheme 'ftp'", false},
	{"gopher://dl.files.example/x", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to a URL of scheme 'gopher'", false},
	{"file:///etc/passwd", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to 'file:///etc/passwd', which is no URL", false},
	{"https://dl.files.example:99999/x", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to 'https://dl.files.example:99999/x', which is no URL", false},
	{"https://", "dl.files.example", NULL, KIND_HTTPS,
		"redirects to 'https://', which is no URL", false},
	{"health", "dl.files.example", NULL, KIND_HTTPS,
		"redirects in a loop: back to https://dl.files.example:8443/deep/health", false},
};

static struct settings_monitor monitor_of(size_t which)
{
	return (struct settings_monitor){
		.kind = cases[which].kind,
		.host = "dl.files.example",
		.sni = cases[which].sni,
		.path = "/deep/health",
		.port = cases[which].kind == KIND_HTTPS ? 8443 : 8080,
		.redirect_host = cases[which].host,
	};
}

static void each_location(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct settings_monitor monitor = monitor_of(i);
		struct hop first;
		struct hop next = {.port = 0};
		struct text why = {0};

		redirect_begin(&monitor, &first);
		assert_true(first.is_own);

		bool follows = redirect_follow(&monitor, &first, 1, cases[i].location, &next, &why);
		const char *got = follows ? next.url.bytes : why.bytes;

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("'%s': '%s', not '%s'", cases[i].location, got, cases[i].want);
		if (follows && next.is_own != cases[i].is_own)
			fail_msg("'%s': whose is it?", cases[i].location);
		text_done(&why);
		hop_done(&first);
		hop_done(&next);
	}
}

static void three_are_enough(void **state)
{
	static const char *const locations[] = {"/1", "/2", "/3", "/4"};
	const struct settings_monitor monitor = monitor_of(0);
	struct hop hops[REDIRECT_MAX + 1];
	struct hop beyond;
	struct text why = {0};

	(void)state;
	redirect_begin(&monitor, &hops[0]);
	for (size_t i = 0; i < REDIRECT_MAX; i++)
		assert_true(
			redirect_follow(&monitor, hops, i + 1, locations[i], &hops[i + 1], &why));
	assert_false(redirect_follow(
		&monitor, hops, REDIRECT_MAX + 1, locations[REDIRECT_MAX], &beyond, &why));
	assert_string_equal(why.bytes, "more than 3 redirects");
	text_clear(&why);
	/* a loop is named even where it is longer than one */
	assert_false(redirect_follow(&monitor, hops, 3, "/1", &beyond, &why));
	assert_string_equal(
		why.bytes, "redirects in a loop: back to https://dl.files.example:8443/1");
	text_done(&why);
	for (size_t i = 0; i <= REDIRECT_MAX; i++)
		hop_done(&hops[i]);
}

static void what_is_a_redirect(void **state)
{
	const struct settings_monitor follows = {.redirect_host = "a.example"};
	const struct settings_monitor does_not = {.name = "m"};

	(void)state;
	assert_true(redirect_is_one(&follows, 301, "/x"));
	assert_true(redirect_is_one(&follows, 308, "/x"));
	assert_false(redirect_is_one(&follows, 300, "/x"));
	assert_false(redirect_is_one(&follows, 304, "/x"));
	assert_false(redirect_is_one(&follows, 200, "/x"));
	assert_false(redirect_is_one(&follows, 302, ""));
	assert_false(redirect_is_one(&does_not, 302, "/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_location),
		cmocka_unit_test(three_are_enough),
		cmocka_unit_test(what_is_a_redirect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
