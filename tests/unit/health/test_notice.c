/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/health/notice.h"

#define STEP_S 10
#define START_UNIX_S 1700000000

/* A day of one thing: a letter for each ten seconds, its level or '?' when that is not known. */
static const struct {
	const char *about;
	enum notice_kind kind;
	uint32_t after_s;
	uint32_t repeat_s;
	uint32_t hears;
	const char *levels;
	const char *want; /* "SECOND:EVENT", '*' where it repeats */
} days[] = {
	{"a blip of 30 s is not told", NOTICE_MEMBER, 60, 0, NOTICE_HEARS_ALL,
		"0022200000000000000", ""},
	{"nor is one that ends just in time", NOTICE_MEMBER, 60, 0, NOTICE_HEARS_ALL,
		"00222222000000000000", ""},
	{"an outage is told once, and its end", NOTICE_MEMBER, 60, 0, NOTICE_HEARS_ALL,
		"0022222222222200000000000", "80:member-down 200:member-up"},
	{"ten minutes: down, repeats, up", NOTICE_MEMBER, 60, 180, NOTICE_HEARS_ALL,
		"0222222222222222222222222222222222222222222222222222222222222000000000",
		"70:member-down 250:member-down* 430:member-down* 670:member-up"},
	{"no repeat while it seems to be over", NOTICE_MEMBER, 60, 100, NOTICE_HEARS_ALL,
		"0222222222222222000000000", "70:member-down 220:member-up"},
	{"at once without delay", NOTICE_MEMBER, 0, 0, NOTICE_HEARS_ALL, "020",
		"10:member-down 20:member-up"},
	{"one that flaps is down, and told once", NOTICE_MEMBER, 30, 0, NOTICE_HEARS_ALL,
		"022220220220220000000", "40:member-down 170:member-up"},
	{"one that flaps from the start is not told", NOTICE_MEMBER, 30, 0, NOTICE_HEARS_ALL,
		"0220220220220220000", ""},
	{"degraded, then well", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_ALL, "0111110000",
		"30:member-degraded 80:member-well"},
	{"degraded, then down, then up", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_ALL, "01111222220000",
		"30:member-degraded 70:member-down 120:member-up"},
	{"down, then degraded, then well", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_ALL, "02222111110000",
		"30:member-down 70:member-degraded 120:member-well"},
	{"now degraded, now down, is degraded at least", NOTICE_MEMBER, 30, 0, NOTICE_HEARS_ALL,
		"0121212121", "40:member-degraded"},
	{"who hears of down alone", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_DOWN, "0111222211110000",
		"60:member-down 100:member-up"},
	{"who hears of degraded alone", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_DEGRADED, "0222222000",
		"30:member-degraded 90:member-well"},
	{"who hears of pools alone", NOTICE_MEMBER, 0, 10, NOTICE_HEARS_POOL, "0222220000", ""},
	{"a pool in panic, lost, and back", NOTICE_POOL, 20, 0, NOTICE_HEARS_POOL, "01111222220000",
		"30:pool-panic 70:pool-lost 120:pool-back"},
	{"who hears of members alone", NOTICE_POOL, 0, 0, NOTICE_HEARS_DOWN, "0222", ""},
	{"never up, and then up", NOTICE_NEVER_UP, 10, 0, NOTICE_HEARS_ALL, "01111000",
		"20:member-never-up 60:member-up"},
	{"a certificate", NOTICE_CERTIFICATE, 0, 50, NOTICE_HEARS_CERTIFICATE, "0111111100",
		"10:certificate-ends 60:certificate-ends* 80:certificate-renewed"},
	{"the observer", NOTICE_OBSERVER, 0, 0, NOTICE_HEARS_OBSERVER, "010",
		"10:observer-suspect 20:observer-trusted"},
	{"the prober", NOTICE_PROBER, 30, 0, NOTICE_HEARS_OBSERVER, "0110111111000000",
		"70:prober-gone 130:prober-back"},
	{"what is not known says nothing", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_ALL, "0?????000", ""},
	{"what is not known is not over", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_ALL,
		"02222????????222000", "30:member-down 180:member-up"},
	{"what is not known is not told", NOTICE_MEMBER, 40, 0, NOTICE_HEARS_ALL, "022??????000",
		""},
	{"bad from the first look", NOTICE_MEMBER, 20, 0, NOTICE_HEARS_ALL, "2222",
		"20:member-down"},
};

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static struct notice_trouble trouble_of(enum notice_kind kind, char level)
{
	return (struct notice_trouble){
		.subject = {.kind = kind,
			.pool = "downloads",
			.member = "fra-1",
			.address = address_of("192.0.2.10")},
		.level = level == '?' ? NOTICE_UNKNOWN : (uint8_t)(level - '0'),
		.reason = "connection refused",
	};
}

static struct notice_clock clock_at(uint64_t second)
{
	return (struct notice_clock){
		.now_ms = 5000000 + second * 1000, .now_unix_s = START_UNIX_S + second};
}

static void add_said(const struct notice *said, size_t count, uint64_t second, struct text *lines)
{
	for (size_t i = 0; i < count; i++)
		text_print(lines, "%s%u:%s%s", lines->size > 0 ? " " : "", (unsigned)second,
			said[i].event, said[i].is_repeat ? "*" : "");
}

/* One look at one thing. */
static void look(struct notices *notices, enum notice_kind kind, char level, uint64_t second,
	struct text *lines)
{
	const struct notice_trouble trouble = trouble_of(kind, level);
	const struct notice_clock clock = clock_at(second);
	size_t count;
	const struct notice *said = notices_step(notices, &trouble, level != '0', &clock, &count);

	add_said(said, count, second, lines);
}

static void days_of_one_thing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(days); i++) {
		struct notices *notices = notices_new(1);
		struct text got = {0};
		const struct notice_listener listener = {.name = "ops",
			.after_ms = days[i].after_s * 1000,
			.repeat_ms = days[i].repeat_s * 1000,
			.hears = days[i].hears};

		text_add(&got, "");
		notices_set_listeners(notices, &listener, 1);
		for (size_t step = 0; days[i].levels[step]; step++)
			look(notices, days[i].kind, days[i].levels[step], step * STEP_S, &got);
		if (strcmp(got.bytes, days[i].want) != 0)
			fail_msg("%s: %s", days[i].about, got.bytes);
		text_done(&got);
		notices_free(notices);
	}
}

static const struct notice_listener two[] = {
	{.name = "ops", .after_ms = 0, .hears = NOTICE_HEARS_ALL},
	{.name = "pager", .after_ms = 60000, .repeat_ms = 100000, .hears = NOTICE_HEARS_DOWN},
};

static void listeners_differ(void **state)
{
	struct notices *notices = notices_new(100);
	struct notice_trouble troubles[] = {
		trouble_of(NOTICE_POOL, '2'), trouble_of(NOTICE_MEMBER, '2')};
	struct notice_clock clock = clock_at(0);
	size_t count;

	(void)state;
	notices_set_listeners(notices, two, 2);

	const struct notice *said = notices_step(notices, troubles, 2, &clock, &count);

	/* in the order of the things, whatever the order of the troubles */
	assert_int_equal(count, 2);
	assert_string_equal(said[0].event, "member-down");
	assert_string_equal(said[1].event, "pool-lost");
	assert_int_equal(said[0].listener, 0);
	assert_int_equal(said[0].id, 100);
	assert_int_equal(said[1].id, 101);
	assert_string_equal(said[0].reason, "connection refused");
	assert_string_equal(said[0].subject.member, "fra-1");

	clock = clock_at(60);
	said = notices_step(notices, troubles, 2, &clock, &count);
	assert_int_equal(count, 1);
	assert_int_equal(said[0].listener, 1);
	assert_string_equal(said[0].event, "member-down");
	assert_int_equal(said[0].id, 102);
	notices_free(notices);
}

/* The end has its own time, and says what it was. */
static void an_end_says_when(void **state)
{
	struct notices *notices = notices_new(1);
	struct notice_trouble trouble = trouble_of(NOTICE_MEMBER, '2');
	struct notice_clock clock = clock_at(0);
	size_t count;
	const struct notice *said;

	(void)state;
	trouble.since_unix_s = START_UNIX_S - 5;
	notices_set_listeners(notices, two, 1);
	said = notices_step(notices, &trouble, 1, &clock, &count);
	assert_int_equal(count, 1);
	assert_int_equal(said[0].since_unix_s, START_UNIX_S - 5);
	clock = clock_at(70);
	said = notices_step(notices, NULL, 0, &clock, &count);
	assert_int_equal(count, 1);
	assert_int_equal(said[0].level, 0);
	assert_int_equal(said[0].since_unix_s, START_UNIX_S + 70);
	assert_string_equal(said[0].reason, "connection refused");
	notices_free(notices);
}

/* A member that never was up is told by its own event alone, to who hears of that. */
static void never_up_is_not_down_as_well(void **state)
{
	const struct notice_listener listeners[] = {
		{.name = "all", .hears = NOTICE_HEARS_ALL},
		{.name = "down", .hears = NOTICE_HEARS_DOWN},
	};
	struct notice_trouble troubles[] = {
		trouble_of(NOTICE_MEMBER, '2'), trouble_of(NOTICE_NEVER_UP, '1')};
	struct notices *notices = notices_new(1);
	struct notice_clock clock = clock_at(0);
	struct text got = {0};
	size_t count;
	const struct notice *said;

	(void)state;
	troubles[0].was_never_up = true;
	troubles[1].delay_ms = 30000;
	notices_set_listeners(notices, listeners, 2);
	said = notices_step(notices, troubles, 2, &clock, &count);
	assert_int_equal(count, 1);
	assert_int_equal(said[0].listener, 1);
	assert_string_equal(said[0].event, "member-down");
	clock = clock_at(20);
	said = notices_step(notices, troubles, 2, &clock, &count);
	assert_int_equal(count, 0);
	clock = clock_at(30);
	said = notices_step(notices, troubles, 2, &clock, &count);
	assert_int_equal(count, 1);
	assert_int_equal(said[0].listener, 0);
	assert_string_equal(said[0].event, "member-never-up");
	text_done(&got);
	notices_free(notices);
}

/* ---- what outlives the process ---- */

/* Told to `ops`, and it arrived or did not; then another process goes on, with the level that it finds. */
static const struct {
	const char *about;
	bool is_settled;
	const char *levels; /* of the second life */
	const char *want;
} lives[] = {
	{"what was told is not told again", true, "2222", ""},
	{"its end is told", true, "2200", "20:member-up"},
	{"what ended meanwhile is told", true, "0000", "0:member-up"},
	{"what is not known yet is not over", true, "??22", ""},
	{"what became better is told", true, "1111", "0:member-degraded"},
	{"what did not arrive is told again", false, "2222", "0:member-down"},
	{"what did not arrive and is over is not told", false, "0000", ""},
};

static void another_life(size_t i, const struct text *bytes)
{
	struct notices *notices = notices_new(1000);
	struct notice_clock clock = clock_at(0);
	struct text got = {0};
	struct err err;

	text_add(&got, "");
	if (!notices_read(notices, bytes->bytes, bytes->size, &clock, &err))
		fail_msg("%s: %s", lives[i].about, err.text);
	notices_set_listeners(notices, two, 1);
	for (size_t step = 0; lives[i].levels[step]; step++)
		look(notices, NOTICE_MEMBER, lives[i].levels[step], step * STEP_S, &got);
	if (strcmp(got.bytes, lives[i].want) != 0)
		fail_msg("%s: %s", lives[i].about, got.bytes);
	text_done(&got);
	notices_free(notices);
}

static void a_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lives); i++) {
		struct notices *notices = notices_new(7);
		struct notice_clock clock = clock_at(0);
		struct text got = {0};
		struct text bytes = {0};

		notices_set_listeners(notices, two, 2);
		look(notices, NOTICE_MEMBER, '2', 0, &got);
		assert_string_equal(got.bytes, "0:member-down");
		assert_false(notices_is_changed(notices));
		notices_settle(notices, lives[i].is_settled ? 7 : 8);
		assert_int_equal(notices_is_changed(notices), lives[i].is_settled);
		assert_false(notices_is_changed(notices));
		notices_write(notices, &clock, &bytes);
		another_life(i, &bytes);
		text_done(&bytes);
		text_done(&got);
		notices_free(notices);
	}
}

/* The time to the next repeat goes on, too. */
static void a_restart_between_repeats(void **state)
{
	const struct notice_listener listener = {
		.name = "ops", .repeat_ms = 60000, .hears = NOTICE_HEARS_ALL};
	struct notices *notices = notices_new(7);
	struct notice_clock clock = clock_at(20);
	struct text got = {0};
	struct text bytes = {0};
	struct err err;

	(void)state;
	notices_set_listeners(notices, &listener, 1);
	look(notices, NOTICE_MEMBER, '2', 0, &got);
	notices_settle(notices, 7);
	notices_write(notices, &clock, &bytes);
	notices_free(notices);
	notices = notices_new(1000);
	assert_true(notices_read(notices, bytes.bytes, bytes.size, &clock, &err));
	notices_set_listeners(notices, &listener, 1);
	for (uint64_t second = 20; second <= 80; second += 10)
		look(notices, NOTICE_MEMBER, '2', second, &got);
	assert_string_equal(got.bytes, "0:member-down 60:member-down*");
	text_done(&bytes);
	text_done(&got);
	notices_free(notices);
}

/* What was told to one that is gone is forgotten, what was told to one of the same name is not. */
static void listeners_change(void **state)
{
	struct notices *notices = notices_new(1);
	struct notice_listener changed[] = {two[1], two[0]};
	struct text got = {0};

	(void)state;
	notices_set_listeners(notices, two, 1);
	look(notices, NOTICE_MEMBER, '2', 0, &got);
	changed[0].after_ms = 20000;
	notices_set_listeners(notices, changed, 2);
	look(notices, NOTICE_MEMBER, '2', 10, &got);
	look(notices, NOTICE_MEMBER, '2', 20, &got);
	notices_set_listeners(notices, changed, 1);
	look(notices, NOTICE_MEMBER, '0', 30, &got);
	look(notices, NOTICE_MEMBER, '0', 50, &got);
	assert_string_equal(got.bytes, "0:member-down 20:member-down 50:member-up");
	text_done(&got);
	notices_free(notices);
}

/* A good file, in which each octet is tried with others: refused, or read and written without harm. */
static void strange_bytes(void **state)
{
	struct notices *notices = notices_new(7);
	struct notice_clock clock = clock_at(0);
	struct text bytes = {0};
	struct text got = {0};
	struct err err;

	(void)state;
	notices_set_listeners(notices, two, 1);
	look(notices, NOTICE_MEMBER, '2', 0, &got);
	notices_settle(notices, 7);
	notices_write(notices, &clock, &bytes);
	for (size_t size = 0; size < bytes.size; size++)
		if (notices_read(notices, bytes.bytes, size, &clock, &err))
			fail_msg("%zu octets of %zu were read", size, bytes.size);
	assert_string_equal(err.text, "what was told is cut off, or cannot be");
	text_add_bytes(&bytes, "", 1);
	assert_false(notices_read(notices, bytes.bytes, bytes.size, &clock, &err));
	bytes.size--;
	bytes.bytes[0]++;
	assert_false(notices_read(notices, bytes.bytes, bytes.size, &clock, &err));
	bytes.bytes[0]--;
	bytes.bytes[bytes.size - 9] = NOTICE_LEVEL_MAX + 1;
	assert_false(notices_read(notices, bytes.bytes, bytes.size, &clock, &err));
	bytes.bytes[bytes.size - 9] = 0; /* told to nobody */
	assert_false(notices_read(notices, bytes.bytes, bytes.size, &clock, &err));
	text_done(&bytes);
	text_done(&got);
	notices_free(notices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_of_one_thing),
		cmocka_unit_test(listeners_differ),
		cmocka_unit_test(an_end_says_when),
		cmocka_unit_test(never_up_is_not_down_as_well),
		cmocka_unit_test(a_restart),
		cmocka_unit_test(a_restart_between_repeats),
		cmocka_unit_test(listeners_change),
		cmocka_unit_test(strange_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
