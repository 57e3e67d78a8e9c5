/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/config/secrets.h"

#define ONE "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define TWO "445536bcd2513298075a5d379663c962"
#define THREE "dd3bdf9344b678b185a6f5cb60fca715"
#define NOT_ONE "a secret is 32 hexadecimal digits and nothing else\n"

static const struct {
	const char *about;
	const char *text;
	size_t count;
	const char *lines; /* of the report */
} cases[] = {
	{"one", ONE "\n", 1, NULL},
	{"two", ONE "\n" TWO "\n", 2, NULL},
	{"no end of the last line", ONE "\n" TWO, 2, NULL},
	{"comments, blanks and empty lines", "# a\n\n  " ONE " # b\n\t\r\n" TWO "\r\n#c", 2, NULL},
	{"capital letters", "E5E973E5A6B2A43F48E7DC849E37BFCF\n", 1, NULL},

	{"nothing", "", 0, "s: there is no secret in it\n"},
	{"a comment alone", "# " ONE "\n", 0, "s: there is no secret in it\n"},
	{"a digit too few", "e5e973e5a6b2a43f48e7dc849e37bfc\n", 0, "s:1:32: " NOT_ONE},
	{"a digit too many", "\n" ONE "0\n", 0, "s:2:33: " NOT_ONE},
	{"no digit", "e5e973e5a6b2a43g48e7dc849e37bfcf\n", 0, "s:1:16: " NOT_ONE},
	{"two in a line", ONE " " TWO "\n", 0, "s:1:33: " NOT_ONE},
	{"BIND's way", "cookie-secret \"" ONE "\";\n", 0, "s:1:2: " NOT_ONE},
	{"three", ONE "\n" TWO "\n  " THREE "\n", 0,
		"s:3:3: there are 2 secrets already: the one that makes cookies, and one more\n"},
	{"every mistake is said", "x\n" ONE "\ny\n", 0, "s:1:1: " NOT_ONE "s:3:1: " NOT_ONE},
};

static void each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secrets secrets = {0};
		struct report report = {0};
		bool done =
			secrets_parse(cases[i].text, strlen(cases[i].text), "s", &secrets, &report);

		if (done != (cases[i].lines == NULL) || secrets.count != cases[i].count)
			fail_msg("%s", cases[i].about);
		if (cases[i].lines && strcmp(report.lines.bytes, cases[i].lines) != 0)
			fail_msg("%s: %s", cases[i].about, report.lines.bytes);
		report_done(&report);
	}
}

static void the_first_octet_is_the_first(void **state)
{
	static const uint8_t octets[] =
		"\xe5\xe9\x73\xe5\xa6\xb2\xa4\x3f\x48\xe7\xdc\x84\x9e\x37\xbf\xcf";
	struct secrets secrets = {0};
	struct report report = {0};
	uint8_t got[SIPHASH_KEY_SIZE];

	(void)state;
	assert_true(secrets_parse(ONE, strlen(ONE), "s", &secrets, &report));
	siphash_key_write(&secrets.keys[0], got);
	assert_memory_equal(got, octets, sizeof(got));
}

static void files(void **state)
{
	char directory[] = "/tmp/steerd-secrets-XXXXXX";
	struct text path = {0};
	struct text want = {0};
	struct secrets secrets = {0};
	struct report report = {0};
	struct err err;
	struct stat status;
	char written[SECRETS_TEXT_SIZE];
	static const uint8_t octets[SIPHASH_KEY_SIZE] = "sixteen octets!";
	struct siphash_key key = siphash_key_read(octets);

	(void)state;
	assert_non_null(mkdtemp(directory));
	text_print(&path, "%s/%s", directory, SECRETS_FILE);
	assert_int_equal(secrets_read(path.bytes, &secrets, &report), SECRETS_ABSENT);
	assert_int_equal(secrets_read(directory, &secrets, &report), SECRETS_REFUSED);
	text_print(&want, "%s: it is not a regular file\n", directory);
	assert_string_equal(report.lines.bytes, want.bytes);
	report_done(&report);

	/* what is written is read, and nobody else may */
	assert_true(file_replace(
		path.bytes, SECRETS_MODE, written, secrets_print(&key, written), &err));
	assert_int_equal(secrets_read(path.bytes, &secrets, &report), SECRETS_READ);
	assert_int_equal(secrets.count, 1);
	assert_memory_equal(&secrets.keys[0], &key, sizeof(key));
	assert_int_equal(stat(path.bytes, &status), 0);
	assert_int_equal(status.st_mode & 07777, SECRETS_MODE);
	assert_int_equal(secrets.since_unix_s, status.st_mtime);
	assert_int_equal(report.warning_count, 0);

	assert_int_equal(chmod(path.bytes, 0640), 0);
	assert_int_equal(secrets_read(path.bytes, &secrets, &report), SECRETS_READ);
	text_clear(&want);
	text_print(&want, "warning: %s: others may use it: its mode should be 0600\n", path.bytes);
	assert_string_equal(report.lines.bytes, want.bytes);
	assert_int_equal(report.error_count, 0);

	unlink(path.bytes);
	rmdir(directory);
	report_done(&report);
	text_done(&path);
	text_done(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(the_first_octet_is_the_first),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
