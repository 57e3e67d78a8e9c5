/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "range.h"
#include "steerd/base/memory.h"

/* ---- Content-Range ---- */

static const struct {
	const char *text;
	bool parses;
	struct range_content want;
} contents[] = {
	{"bytes 0-499/1234", true, {.last = 499, .has_total = true, .total = 1234}},
	{"BYTES 0-0/1", true, {.has_total = true, .total = 1}},
	{"bytes 5-9/*", true, {.first = 5, .last = 9}},
	{"bytes */1234", true, {.is_unsatisfied = true, .has_total = true, .total = 1234}},
	{"bytes 0-18446744073709551614/18446744073709551615", true,
		{.last = UINT64_MAX - 1, .has_total = true, .total = UINT64_MAX}},
	{"", false, {0}},
	{"bytes", false, {0}},
	{"bytes ", false, {0}},
	{"octets 0-1/2", false, {0}},
	{"bytes=0-1/2", false, {0}},
	{"bytes 0-1", false, {0}},
	{"bytes 0-1/", false, {0}},
	{"bytes 0-/2", false, {0}},
	{"bytes -1/2", false, {0}},
	{"bytes 0-1/2 ", false, {0}},
	{"bytes 0-1/2, bytes 3-4/5", false, {0}},
	{"bytes  0-1/2", false, {0}},
	{"bytes +0-1/2", false, {0}},
	{"bytes 0x0-1/2", false, {0}},
	{"bytes 1-0/2", false, {0}},
	{"bytes 0-2/2", false, {0}},
	{"bytes */*", false, {0}},
	{"bytes 0-18446744073709551616/*", false, {0}},
	{"bytes 0-99999999999999999999999/*", false, {0}},
};

static void parse_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(contents); i++) {
		struct range_content got = {0};

		if (range_parse_content(contents[i].text, &got) != contents[i].parses ||
			memcmp(&got, &contents[i].want, sizeof(got)) != 0)
			fail_msg("'%s'", contents[i].text);
	}
}

/* ---- what is asked ---- */

#define GIB (UINT64_C(1) << 30)

static void positions_come_in_turn(void **state)
{
	static const struct settings_position positions[] = {{.kind = POSITION_HEAD},
		{POSITION_FIXED, GIB}, {.kind = POSITION_TAIL}, {.kind = POSITION_RANDOM}};
	static const char *const want[] = {"0-99", "1073741824-1073741923", "-100", "0-99", "0-99"};
	const struct settings_monitor monitor = {
		.range_bytes = 100, .positions = positions, .position_count = 4};
	struct check_memory memory = {0};
	struct random random;

	(void)state;
	random_seed_with(&random, 1);
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		struct range_ask ask;
		struct text text = {0};

		range_choose(&monitor, &memory, &random, &ask);
		range_print(&ask, &text);
		if (strcmp(text.bytes, want[i]) != 0)
			fail_msg("turn %zu: %s, not %s", i, text.bytes, want[i]);
		text_done(&text);
	}
}

/* Once the size is known, as told or by an answer, the tail has a place and random is anywhere. */
static void a_size_that_is_known(void **state)
{
	static const struct settings_position tail = {.kind = POSITION_TAIL};
	static const struct settings_position anywhere = {.kind = POSITION_RANDOM};
	struct settings_monitor monitor = {
		.range_bytes = 100, .positions = &tail, .position_count = 1};
	struct check_memory memory = {.total_bytes = 5 * GIB};
	struct random random;
	struct range_ask ask;
	uint64_t highest = 0;

	(void)state;
	random_seed_with(&random, 1);
	range_choose(&monitor, &memory, &random, &ask);
	assert_false(ask.is_tail);
	assert_int_equal(ask.first, 5 * GIB - 100);

	monitor.positions = &anywhere;
	for (int i = 0; i < 1000; i++) {
		range_choose(&monitor, &memory, &random, &ask);
		assert_true(ask.first <= 5 * GIB - 100);
		highest = ask.first > highest ? ask.first : highest;
	}
	assert_true(highest > 4 * GIB);

	/* a file that is smaller than a slice */
	monitor.positions = &tail;
	monitor.range_total_bytes = 60;
	range_choose(&monitor, &memory, &random, &ask);
	assert_false(ask.is_tail);
	assert_int_equal(ask.first, 0);
}

/* ---- what came ---- */

static const uint8_t sha256[32] = {1};
static const uint8_t other_sha256[32] = {2};

static const struct {
	const char *about;
	struct range_ask ask;
	struct range_answer answer;
	uint64_t total;
	const uint8_t *sha256;
	const char *want; /* NULL: right */
} answers[] = {
	{"right", {.size = 100}, {206, "bytes 0-99/1000", "", 100, false, NULL}, 1000, NULL, NULL},
	{"a slice beyond its file", {.size = 100}, {206, "bytes 0-99/7", "", 100, false, NULL}, 0,
		NULL, "Content-Range 'bytes 0-99/7' makes no sense"},
	{"a total that nobody tells", {.size = 100}, {206, "bytes 0-99/*", "", 100, false, NULL}, 0,
		NULL, NULL},
	{"but it was asked for", {.size = 100}, {206, "bytes 0-99/*", "", 100, false, NULL}, 1000,
		NULL, "Content-Range does not tell the size of the file"},
	{"the file ends within", {.size = 100, .first = 950},
		{206, "bytes 950-999/1000", "", 50, false, NULL}, 1000, NULL, NULL},
	{"the tail", {.size = 100, .is_tail = true},
		{206, "bytes 900-999/1000", "", 100, false, NULL}, 0, NULL, NULL},
	{"the tail of a small file", {.size = 100, .is_tail = true},
		{206, "bytes 0-9/10", "", 10, false, NULL}, 0, NULL, NULL},
	{"a tail that is none", {.size = 100, .is_tail = true},
		{206, "bytes 0-99/1000", "", 100, false, NULL}, 0, NULL,
		"range -100 was asked for, 0-99 came"},
	{"a tail of nobody knows what", {.size = 100, .is_tail = true},
		{206, "bytes 900-999/*", "", 100, false, NULL}, 0, NULL, NULL},
	{"a tail that is too long", {.size = 100, .is_tail = true},
		{206, "bytes 900-1000/*", "", 101, true, NULL}, 0, NULL,
		"range -100 was asked for, 900-1000 came"},
	{"the whole file", {.size = 100}, {200, "", "", 0, true, NULL}, 1000, NULL,
		"answers 200 to a range: downloads cannot be resumed"},
	{"another status", {.size = 100}, {503, "", "", 0, false, NULL}, 1000, NULL,
		"status 503, expected 206"},
	{"416 with the size", {.size = 100, .first = 5000},
		{416, "bytes */1000", "", 0, false, NULL}, 0, NULL,
		"range 5000-5099 refused: the file has 1000 octets"},
	{"416 without", {.size = 100}, {416, "", "", 0, false, NULL}, 0, NULL,
		"range 0-99 refused with status 416"},
	{"no Content-Range", {.size = 100}, {206, "", "", 100, false, NULL}, 0, NULL,
		"206 without Content-Range"},
	{"one of a 416", {.size = 100}, {206, "bytes */1000", "", 100, false, NULL}, 0, NULL,
		"Content-Range 'bytes */1000' makes no sense"},
	{"another file", {.size = 100}, {206, "bytes 0-99/1001", "", 100, false, NULL}, 1000, NULL,
		"the file has 1001 octets, expected 1000"},
	{"another slice", {.size = 100}, {206, "bytes 1-100/1000", "", 100, false, NULL}, 1000,
		NULL, "range 0-99 was asked for, 1-100 came"},
	{"a shorter one", {.size = 100}, {206, "bytes 0-49/1000", "", 50, false, NULL}, 1000, NULL,
		"range 0-99 was asked for, 0-49 came"},
	{"fewer octets than said", {.size = 100}, {206, "bytes 0-99/1000", "", 99, false, NULL},
		1000, NULL, "99 octets came, the range has 100"},
	{"more", {.size = 100}, {206, "bytes 0-99/1000", "", 100, true, NULL}, 1000, NULL,
		"more than the 100 octets of the range came"},
	{"the right digest", {.size = 100}, {206, "bytes 0-99/1000", "", 100, false, sha256}, 0,
		sha256, NULL},
	{"another digest", {.size = 100}, {206, "bytes 0-99/1000", "", 100, false, other_sha256}, 0,
		sha256, "SHA-256 of the range is another one"},
};

static void judge_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		const struct settings_monitor monitor = {.range_bytes = 100,
			.range_total_bytes = answers[i].total,
			.range_sha256 = answers[i].sha256};
		struct text why = {0};
		bool passed =
			range_judge_head(&monitor, &answers[i].ask, &answers[i].answer, &why) &&
			range_judge_body(&monitor, &answers[i].ask, &answers[i].answer, &why);

		if (passed != !answers[i].want ||
			(!passed && strcmp(why.bytes, answers[i].want) != 0))
			fail_msg("%s: '%s'", answers[i].about, passed ? "" : why.bytes);
		text_done(&why);
	}
}

static void expect_etag(
	struct check_memory *memory, const char *told, const char *etag, const char *want)
{
	const struct settings_monitor monitor = {.range_etag = told};
	const struct range_answer answer = {.etag = etag, .content_range = "bytes 0-99/1000"};
	struct text why = {0};
	bool passed = range_judge_etag(&monitor, memory, &answer, &why);

	assert_string_equal(passed ? "" : why.bytes, want);
	text_done(&why);
}

static void etags(void **state)
{
	struct check_memory memory = {0};

	(void)state;
	expect_etag(&memory, NULL, "\"a\"", "");
	assert_int_equal(memory.total_bytes, 1000);
	expect_etag(&memory, NULL, "\"a\"", "");
	expect_etag(&memory, NULL, "\"b\"", "ETag is \"b\", it was \"a\"");
	expect_etag(&memory, NULL, "\"b\"", ""); /* the file has changed, once */
	expect_etag(&memory, NULL, "", "no ETag, it was \"b\"");
	expect_etag(&memory, NULL, "", "");
	expect_etag(&memory, "\"a\"", "\"a\"", "");
	expect_etag(&memory, "\"a\"", "\"A\"", "ETag is \"A\", expected \"a\"");
	expect_etag(&memory, "\"a\"", "", "no ETag, expected \"a\"");
	expect_etag(&memory, "\"a\"", "W/\"a\"", "ETag is W/\"a\", expected \"a\"");
}

/* ---- how fast ---- */

static void the_rate_is_that_after_the_warm_up(void **state)
{
	const struct settings_monitor monitor = {
		.floor_bits_s = 50000000, .warm_up_bytes = 1 << 20};
	struct range_meter meter = {0};
	struct text why = {0};

	(void)state;
	/* a slow start of a second, then 4 MiB in a second */
	range_measure(&meter, 1 << 20, 1000, 1000);
	assert_int_equal(range_rate(&meter), 0);
	range_measure(&meter, 1 << 20, (1 << 20) - 1000, 1000000);
	assert_int_equal(range_rate(&meter), 0);
	range_measure(&meter, 1 << 20, 4 << 20, 2000000);
	assert_int_equal(range_rate(&meter), 8 * (4 << 20));
	assert_true(range_is_slow(&monitor, range_rate(&meter), &why));
	assert_string_equal(why.bytes, "33.6 Mbit/s after the first 1 MiB, less than 50 Mbit/s");
	text_clear(&why);
	assert_false(range_is_slow(&monitor, 50000000, &why));
	assert_false(range_is_slow(&monitor, 0, &why)); /* it cannot be told */
	assert_int_equal(why.size, 0);
	text_done(&why);
}

/* ---- how much a day ---- */

#define DAY UINT64_C(86400)

static void a_budget_lasts_a_day(void **state)
{
	const struct settings_monitor monitor = {.range_bytes = 100, .daily_bytes = 3 * 1024};
	struct check_memory memory = {0};
	struct text note = {0};
	uint64_t now = 20000 * DAY + 5;

	(void)state;
	assert_true(range_has_budget(&monitor, &memory, now, &note));
	range_spend(&memory, now, 2972);
	assert_true(range_has_budget(&monitor, &memory, now, &note));
	range_spend(&memory, now, 1);
	assert_false(range_has_budget(&monitor, &memory, now, &note));
	assert_string_equal(note.bytes, "budget of 3 KiB spent, next at 00:00 UTC");
	assert_false(range_has_budget(&monitor, &memory, 20001 * DAY - 1, &note));
	assert_true(range_has_budget(&monitor, &memory, 20001 * DAY, &note));
	/* what goes over midnight counts for the day on which it ends */
	range_spend(&memory, 20002 * DAY, 3000);
	assert_false(range_has_budget(&monitor, &memory, 20002 * DAY, &note));
	text_done(&note);
}

static void without_a_budget_there_is_no_end(void **state)
{
	const struct settings_monitor monitor = {.range_bytes = 100};
	struct check_memory memory = {.day = 20000, .day_bytes = UINT64_MAX / 2};
	struct text note = {0};

	(void)state;
	assert_true(range_has_budget(&monitor, &memory, 20000 * DAY, &note));
	text_done(&note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_content),
		cmocka_unit_test(positions_come_in_turn),
		cmocka_unit_test(a_size_that_is_known),
		cmocka_unit_test(judge_answers),
		cmocka_unit_test(etags),
		cmocka_unit_test(the_rate_is_that_after_the_warm_up),
		cmocka_unit_test(a_budget_lasts_a_day),
		cmocka_unit_test(without_a_budget_there_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
