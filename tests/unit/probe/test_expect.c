/* SPDX-License-Identifier: Apache-2.0 */

/* What is kept of an answer while it comes, and whether it is the one that was expected. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "expect.h"
#include "steerd/base/memory.h"

static const struct settings_header wanted[] = {
	{"X-Cache", "^HIT"}, {"Server", NULL}, {"X-Dear", "(a+)+$"}};

static const struct {
	const char *about;
	const char *head; /* lines, as they come */
	size_t expected;  /* so many of the header fields above */
	const char *want; /* NULL: all are there */
} fields[] = {
	{"nothing is expected", "HTTP/1.1 200 OK\r\n\r\n", 0, NULL},
	{"all there", "HTTP/1.1 200 OK\r\nX-Cache: HIT\r\nServer: x\r\n\r\n", 2, NULL},
	{"names in any case, odd space",
		"HTTP/1.1 200 OK\r\nx-CACHE:\t HIT from a  \r\nSERVER:\r\n\r\n", 2, NULL},
	{"one is not there", "HTTP/1.1 200 OK\r\nX-Cache: HIT\r\n\r\n", 2,
		"no header field Server"},
	{"one differs", "HTTP/1.1 200 OK\r\nX-Cache: MISS\r\nServer: x\r\n\r\n", 2,
		"X-Cache is 'MISS', which does not match '^HIT'"},
	{"two differ: each has its own value",
		"HTTP/1.1 200 OK\r\nX-Cache: MISS\r\nX-Dear: b\r\nServer: x\r\n\r\n", 3,
		"X-Cache is 'MISS', which does not match '^HIT'"},
	{"twice, one of them fits", "HTTP/1.1 200 OK\r\nX-Cache: HIT\r\nX-Cache: MISS\r\n\r\n", 1,
		NULL},
	{"twice, the second fits", "HTTP/1.1 200 OK\r\nX-Cache: MISS\r\nX-Cache: HIT\r\n\r\n", 1,
		NULL},
	{"that of an answer before is none",
		"HTTP/1.1 103 Early Hints\r\nX-Cache: HIT\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 1,
		"no header field X-Cache"},
	{"a prefix of a name is another one", "HTTP/1.1 200 OK\r\nX-Cache-Two: HIT\r\n\r\n", 1,
		"no header field X-Cache"},
	{"HTTP/2", "HTTP/2 200 \r\nx-cache: HIT\r\nserver: x\r\n\r\n", 2, NULL},
	{"control characters are shown as such", "HTTP/1.1 200 OK\r\nX-Cache: a\x1b[2Jb\r\n\r\n", 1,
		"X-Cache is 'a?[2Jb', which does not match '^HIT'"},
	{"a line without a colon", "HTTP/1.1 200 OK\r\nX-Cache\r\n\r\n", 1,
		"no header field X-Cache"},
	{"a value that is hostile",
		"HTTP/1.1 200 OK\r\nX-Cache: HIT\r\nServer: x\r\nX-Dear: "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\r\n\r\n",
		3, "regular expression '(a+)+$' takes too long on X-Dear: given up"},
};

static void add_head(struct answer *answer, const char *head)
{
	while (*head != '\0') {
		const char *end = strstr(head, "\r\n") + 2;

		assert_true(answer_add_line(answer, head, (size_t)(end - head)));
		head = end;
	}
}

static void header_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		const struct settings_monitor monitor = {
			.expected_headers = wanted, .expected_header_count = fields[i].expected};
		struct err err;
		struct recipe *recipe = recipe_new(&monitor, NULL, &err);
		struct answer answer;
		struct text why = {0};

		assert_non_null(recipe);
		answer_init(&answer, recipe);
		add_head(&answer, fields[i].head);
		if (expect_fields(&answer, &why) != !fields[i].want ||
			(fields[i].want && strcmp(why.bytes, fields[i].want) != 0))
			fail_msg("%s: '%s'", fields[i].about, why.size > 0 ? why.bytes : "");
		assert_int_equal(answer.status, 200);
		text_done(&why);
		answer_done(&answer);
		recipe_drop(recipe);
	}
}

static void header_fields_have_an_end(void **state)
{
	const struct settings_monitor monitor = {.name = "m"};
	const struct recipe recipe = {.monitor = &monitor};
	static const char line[] = "X-Filler: and one more\r\n";
	struct answer answer;
	size_t lines = 0;

	(void)state;
	answer_init(&answer, &recipe);
	while (answer_add_line(&answer, line, sizeof(line) - 1))
		lines++;
	assert_int_equal(lines, ANSWER_HEADERS_MAX / (sizeof(line) - 1));
	answer_done(&answer);
}

/* ---- bodies ---- */

/* of "it is ok" */
static const uint8_t sha256_of_ok[32] = {0x3f, 0x04, 0xd3, 0x01, 0xe0, 0x5c, 0xe8, 0x7a, 0xbe, 0x97,
	0xf7, 0xc6, 0x5a, 0x97, 0x2b, 0xff, 0x58, 0xe2, 0x6a, 0x18, 0x3d, 0xc7, 0xef, 0xd5, 0xcf,
	0x7a, 0xba, 0xda, 0xae, 0x59, 0xb2, 0xf2};

static const struct {
	const char *body;
	struct settings_monitor monitor;
	const char *want; /* NULL: right */
} bodies[] = {
	{"it is ok", {.body = "ok"}, NULL},
	{"it is ok", {.body = ""}, NULL},
	{"", {.body = ""}, NULL},
	{"it is", {.body = "ok"}, "body does not hold 'ok'"},
	{"", {.body = "ok"}, "body does not hold 'ok'"},
	{"it is ok", {.body = "ok", .body_bytes = 8}, NULL},
	{"it is ok", {.body = "ok", .body_bytes = 7}, "first 7 octets of body do not hold 'ok'"},
	{"it is ok", {.body_regex = "o[k]$"}, NULL},
	{"it is ok", {.body_regex = "^ok"}, "body does not match '^ok'"},
	{"it is ok", {.body_regex = "ok", .body_bytes = 4},
		"first 4 octets of body do not match 'ok'"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", {.body_regex = "(a+)+$"},
		"regular expression '(a+)+$' takes too long on this body: given up"},
	{"it is ok", {.body_sha256 = sha256_of_ok}, NULL},
	{"it is ok!", {.body_sha256 = sha256_of_ok},
		"SHA-256 of the body is 6d64516314277473..., expected 3f04d301e05ce87a..."},
	{"it is ok!", {.body_sha256 = sha256_of_ok, .body_bytes = 8},
		"body is longer than 8 octets: its SHA-256 cannot be told"},
	{"it is ok", {.body = "ok", .body_regex = "it", .body_sha256 = sha256_of_ok}, NULL},
	{"it is", {.body = "ok", .body_regex = "it"}, "body does not hold 'ok'"},
};

/* In one piece, and octet by octet: there is no difference. */
static void expect_piecewise(size_t which, size_t piece)
{
	struct err err;
	struct recipe *recipe = recipe_new(&bodies[which].monitor, NULL, &err);
	struct answer answer;
	struct text why = {0};
	const char *body = bodies[which].body;
	size_t left = strlen(body);
	bool goes_on = true;

	assert_non_null(recipe);
	answer_init(&answer, recipe);
	for (; goes_on && left > 0; left -= piece < left ? piece : left) {
		goes_on = answer_add_body(&answer, body, piece < left ? piece : left, 0);
		body += piece;
	}
	if (expect_body(&answer, &why) != !bodies[which].want ||
		(bodies[which].want && strcmp(why.bytes, bodies[which].want) != 0))
		fail_msg("body %zu: '%s'", which, why.size > 0 ? why.bytes : "");
	text_done(&why);
	answer_done(&answer);
	recipe_drop(recipe);
}

static void bodies_as_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		expect_piecewise(i, 1000);
		expect_piecewise(i, 1);
	}
}

static void statuses(void **state)
{
	static const struct settings_status_range ranges[] = {{200, 299}, {404, 404}};
	const struct settings_monitor monitor = {.status = ranges, .status_count = 2};
	const struct settings_monitor any = {.name = "any"};
	struct text why = {0};

	(void)state;
	assert_true(expect_status(&monitor, 200, &why));
	assert_true(expect_status(&monitor, 299, &why));
	assert_true(expect_status(&monitor, 404, &why));
	assert_true(expect_status(&any, 599, &why));
	assert_int_equal(why.size, 0);
	assert_false(expect_status(&monitor, 300, &why));
	assert_string_equal(why.bytes, "status 300, expected 200-299, 404");
	text_done(&why);
}

static void what_caches_say(void **state)
{
	const struct settings_monitor monitor = {.name = "m"};
	const struct recipe recipe = {.monitor = &monitor};
	struct answer answer;
	struct text note = {0};

	(void)state;
	answer_init(&answer, &recipe);
	answer_print_caches(&answer, &note);
	assert_int_equal(note.size, 0);
	add_head(&answer,
		"HTTP/1.1 200 OK\r\nAge: 312\r\nCF-Cache-Status: HIT\r\n"
		"Via: 1.1 varnish\r\n\r\n");
	answer_print_caches(&answer, &note);
	assert_string_equal(note.bytes, "HIT, age 312 s, via 1.1 varnish");
	text_done(&note);
	answer_done(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields),
		cmocka_unit_test(header_fields_have_an_end),
		cmocka_unit_test(bodies_as_expected),
		cmocka_unit_test(statuses),
		cmocka_unit_test(what_caches_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
