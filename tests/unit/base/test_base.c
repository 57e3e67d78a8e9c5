/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/address.h"
#include "steerd/base/arena.h"
#include "steerd/base/err.h"
#include "steerd/base/file.h"
#include "steerd/base/internal.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"

static void err_lines(void **state)
{
	struct err err;

	(void)state;
	assert_false(err_set(&err, "'%s' is wrong", "x"));
	assert_string_equal(err.text, "'x' is wrong");
	assert_false(err_within(&err, "zone '%s'", "z"));
	assert_string_equal(err.text, "zone 'z': 'x' is wrong");
	errno = ENOENT;
	assert_false(err_os(&err, "cannot open '%s'", "f"));
	assert_string_equal(err.text, "cannot open 'f': No such file or directory");
}

static const struct {
	const char *text;
	const char *want; /* printed again; NULL: refused */
} prefixes[] = {
	{"192.0.2.0/24", "192.0.2.0/24"},
	{"192.0.2.1", "192.0.2.1/32"},
	{"2001:db8::/32", "2001:db8::/32"},
	{"::/0", "::/0"},
	{"0.0.0.0/0", "0.0.0.0/0"},
	{"192.0.2.1/24", NULL},
	{"192.0.2.0/33", NULL},
	{"192.0.2.0/", NULL},
	{"192.0.2.0/-1", NULL},
	{"192.0.2.0/2x", NULL},
	{"2001:db8::/129", NULL},
	{"192.0.2", NULL},
	{"", NULL},
};

static void prefix_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		struct prefix prefix;
		struct err err;
		char text[PREFIX_TEXT_SIZE];
		bool done = prefix_parse(prefixes[i].text, &prefix, &err);

		if (done != (prefixes[i].want != NULL))
			fail_msg("%s: %s", prefixes[i].text, done ? "taken" : err.text);
		if (!done)
			continue;
		prefix_print(&prefix, text);
		assert_string_equal(text, prefixes[i].want);
	}
}

static const struct {
	const char *text;
	bool done;
} ports[] = {
	{"127.0.0.1:53", true},
	{"[::]:5300", true},
	{"[2001:db8::1]:0", true},
	{"127.0.0.1", false},
	{"127.0.0.1:65536", false},
	{"::1:53", false},
	{"[127.0.0.1]:53", false},
	{"[::1]", false},
	{"localhost:53", false},
	{":53", false},
};

static void address_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ports); i++) {
		struct address_port value;
		struct sockaddr_storage kernel;
		struct address_port back;
		struct err err;
		char text[ADDRESS_PORT_TEXT_SIZE];

		if (address_port_parse(ports[i].text, &value, &err) != ports[i].done)
			fail_msg("%s", ports[i].text);
		if (!ports[i].done)
			continue;
		address_port_print(&value, text);
		assert_string_equal(text, ports[i].text);
		address_to_sockaddr(&value, &kernel);
		assert_true(address_from_sockaddr((struct sockaddr *)&kernel, &back));
		assert_true(address_is_equal(&value.address, &back.address));
		assert_int_equal(value.port, back.port);
	}
}

static const struct {
	const char *text;
	unsigned bits;
} specials[] = {
	{"10.1.2.3", 8},
	{"172.16.0.1", 12},
	{"172.32.0.1", 0},
	{"192.168.255.255", 16},
	{"100.64.0.1", 10},
	{"100.128.0.1", 0},
	{"8.8.8.8", 0},
	{"0.1.2.3", 8},
	{"127.0.0.1", 8},
	{"169.254.1.1", 16},
	{"169.253.1.1", 0},
	{"192.0.0.1", 24},
	{"192.0.1.1", 0},
	{"192.0.2.1", 24},
	{"198.18.0.1", 15},
	{"198.20.0.1", 0},
	{"198.51.100.1", 24},
	{"203.0.113.1", 24},
	{"223.255.255.255", 0},
	{"224.0.0.1", 3},
	{"240.0.0.1", 3},
	{"255.255.255.255", 3},
	{"::1", 8},
	{"fd00::1", 7},
	{"fe80::1", 10},
	{"2001:db8::1", 32},
	{"2a00::1", 0},
};

static void special_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(specials); i++) {
		struct address address;

		assert_true(address_parse(specials[i].text, &address));
		if (address_special_bits(&address) != specials[i].bits)
			fail_msg("%s: %u", specials[i].text, address_special_bits(&address));
	}
}

static const struct {
	const char *text;
	bool is_internal;
} internals[] = {
	{"0.0.0.0", true},
	{"0.255.255.255", true},
	{"1.0.0.0", false},
	{"10.0.0.1", false},
	{"126.255.255.255", false},
	{"127.0.0.1", true},
	{"127.255.255.255", true},
	{"128.0.0.0", false},
	{"169.253.255.255", false},
	{"169.254.169.254", true},
	{"169.255.0.0", false},
	{"192.168.1.1", false},
	{"223.255.255.255", false},
	{"224.0.0.1", true},
	{"255.255.255.255", true},
	{"::", true},
	{"::1", true},
	{"::127.0.0.1", true},
	{"::1:0:0", false},
	{"::ffff:127.0.0.1", true},
	{"::ffff:169.254.169.254", true},
	{"::ffff:192.0.2.1", false},
	{"::fffe:127.0.0.1", false},
	{"64:ff9b::7f00:1", true},
	{"64:ff9b::c000:201", false},
	{"2001:db8::1", false},
	{"fd00::1", false},
	{"fe7f:ffff::1", false},
	{"fe80::1", true},
	{"febf::1", true},
	{"fec0::1", false},
	{"feff::1", false},
	{"ff00::", true},
	{"ff02::1", true},
};

static void internal_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(internals); i++) {
		struct address address;
		struct address reached;

		assert_true(address_parse(internals[i].text, &address));
		if ((internal_what(&address, &reached) != NULL) != internals[i].is_internal)
			fail_msg("%s", internals[i].text);
	}
}

static void arena_holds(void **state)
{
	struct arena *arena = arena_new();
	uint8_t *blocks[300];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		size_t size = i * 37 % 9000 + 1;

		blocks[i] = arena_alloc(arena, size);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)i, size);
	}
	for (size_t i = 0; i < COUNT_OF(blocks); i++)
		assert_int_equal(blocks[i][i * 37 % 9000], (uint8_t)i);
	assert_string_equal(arena_text(arena, "kept"), "kept");
	assert_true(arena_size_bytes(arena) > 1000000);
	arena_free(arena);
	arena_free(NULL);
}

static const struct {
	uint64_t ms;
	const char *want;
} durations[] = {
	{0, "0 ms"},
	{850, "850 ms"},
	{5000, "5 s"},
	{5999, "5 s"},
	{123000, "2 min 3 s"},
	{120000, "2 min"},
	{3600000, "1 h"},
	{100800000, "1 d 4 h"},
};

static void durations_in_words(void **state)
{
	char text[TEXT_DURATION_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(durations); i++) {
		text_duration(durations[i].ms, text);
		assert_string_equal(text, durations[i].want);
	}
}

static void file_replaced_and_read(void **state)
{
	char directory[] = "/tmp/steerd-test-XXXXXX";
	struct text path = {0};
	struct text back = {0};
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(directory));
	text_print(&path, "%s/file", directory);
	assert_true(file_replace(path.bytes, FILE_MODE, "one", 3, &err));
	assert_true(file_replace(path.bytes, FILE_MODE, "two\0x", 5, &err));
	assert_true(file_read(path.bytes, 100, &back, &err));
	assert_int_equal(back.size, 5);
	assert_memory_equal(back.bytes, "two\0x", 6);
	text_done(&back);
	assert_false(file_read(path.bytes, 4, &back, &err));
	assert_false(file_read(directory, 4, &back, &err));
	assert_false(file_read("/nonexistent/file", 4, &back, &err));
	assert_string_equal(err.text, "cannot open '/nonexistent/file': No such file or directory");
	assert_false(file_replace("/nonexistent/file", FILE_MODE, "x", 1, &err));

	char *beside = file_path_beside(path.bytes, "other");

	assert_string_equal(strrchr(beside, '/'), "/other");
	free(beside);
	beside = file_path_beside("bare", "other");
	assert_string_equal(beside, "other");
	free(beside);
	unlink(path.bytes);
	rmdir(directory);
	text_done(&path);
}

static void report_lines(void **state)
{
	struct report report = {0};

	(void)state;
	report_error(
		&report, (struct report_place){"a.zone", 12, 0}, "TTL '%s' is not a number", "1x");
	report_warning(&report, (struct report_place){"b.yaml", 3, 7}, "odd");
	report_error(&report, (struct report_place){"c", 0, 0}, "refused");
	report_note(&report, "still answering");
	report_error(
		&report, (struct report_place){"odd\n", 1, 0}, "'%s' \xc3\xbc", "\033[31m\n\t\177");
	assert_string_equal(report.lines.bytes,
		"a.zone:12: TTL '1x' is not a number\n"
		"warning: b.yaml:3:7: odd\n"
		"c: refused\n"
		"still answering\n"
		"odd\\010:1: '\\027[31m\\010\\009\\127' \xc3\xbc\n");
	assert_int_equal(report.error_count, 3);
	assert_int_equal(report.warning_count, 1);
	report_done(&report);
}

static void random_is_even(void **state)
{
	struct random random;
	unsigned seen[7] = {0};

	(void)state;
	random_seed_with(&random, 1);
	for (int i = 0; i < 70000; i++)
		seen[random_below(&random, 7)]++;
	for (size_t i = 0; i < COUNT_OF(seen); i++)
		assert_in_range(seen[i], 9600, 10400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_lines),
		cmocka_unit_test(prefix_texts),
		cmocka_unit_test(address_ports),
		cmocka_unit_test(special_addresses),
		cmocka_unit_test(internal_addresses),
		cmocka_unit_test(arena_holds),
		cmocka_unit_test(durations_in_words),
		cmocka_unit_test(file_replaced_and_read),
		cmocka_unit_test(report_lines),
		cmocka_unit_test(random_is_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
