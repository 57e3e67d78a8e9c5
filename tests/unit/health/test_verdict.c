/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
#include "steerd/health/verdict.h"

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static struct verdict row_of(target_id target, const char *address, enum verdict_state state)
{
	return (struct verdict){
		.target = target,
		.address = address_of(address),
		.state = (uint8_t)state,
		.since_unix_s = 1000 + target,
		.checked_at_unix_s = 2000,
		.latency_ms = 12,
		.streak = 3,
		.last_passed = state == VERDICT_UP,
	};
}

static struct verdict_table table_of(const struct verdict *rows, size_t count)
{
	return (struct verdict_table){
		.generation = UINT64_C(0x0102030405060708),
		.count = count,
		.rows = memory_copy(rows, count * sizeof(rows[0])),
	};
}

/* Three rows, of which the middle one has something of everything. */
static struct verdict_table example(void)
{
	struct verdict rows[] = {
		row_of(0, "192.0.2.1", VERDICT_UP),
		row_of(2, "192.0.2.7", VERDICT_DOWN),
		row_of(2, "2001:db8::7", VERDICT_UNKNOWN),
	};
	struct verdict *full = &rows[1];

	full->was_up = true;
	full->has_recovered = true;
	full->flaps = 3;
	full->held_until_unix_s = 3000;
	full->changed_at_unix_s[0] = 900;
	full->changed_at_unix_s[2] = 700;
	full->outcome_count = 5;
	full->outcomes_failed = 7;
	full->outcomes_degraded = 8;
	full->latency_p50_ms = 11;
	full->latency_p95_ms = 40;
	full->rate_kbit_s = 70000;
	full->certificate_until_unix_s = 4000;
	snprintf(full->certificate, sizeof(full->certificate), "dl.files.example");
	snprintf(full->issuer, sizeof(full->issuer), "Some CA");
	snprintf(full->reason, sizeof(full->reason), "connection refused");
	snprintf(full->note, sizeof(full->note), "HIT, age 312 s");
	return table_of(rows, COUNT_OF(rows));
}

static void bytes_and_back(void **state)
{
	struct verdict_table table = example();
	struct verdict_table back;
	struct text bytes = {0};
	struct text again = {0};
	struct err err;

	(void)state;
	text_add(&bytes, "before"); /* it is added to what is there */
	verdict_table_write(&table, &bytes);
	assert_true(verdict_table_read(bytes.bytes + 6, bytes.size - 6, &back, &err));
	assert_int_equal(back.generation, table.generation);
	assert_int_equal(back.count, 3);
	assert_string_equal(back.rows[1].reason, "connection refused");
	assert_true(address_is_equal(&back.rows[2].address, &table.rows[2].address));
	assert_int_equal(back.rows[0].latency_ms, 12);
	assert_true(back.rows[0].last_passed);
	for (size_t i = 0; i < back.count; i++)
		assert_memory_equal(&back.rows[i], &table.rows[i], sizeof(table.rows[i]));
	assert_int_equal(bytes.size - 6, 16 + 3 * VERDICT_ROW_SIZE + 4); /* whatever they say */
	verdict_table_write(&back, &again);
	assert_int_equal(again.size, bytes.size - 6);
	assert_memory_equal(again.bytes, bytes.bytes + 6, again.size);
	verdict_table_done(&back);
	verdict_table_done(&table);
	text_done(&bytes);
	text_done(&again);
}

static void no_rows(void **state)
{
	struct verdict_table table = {.generation = 7};
	struct verdict_table back;
	struct text bytes = {0};
	struct err err;
	size_t count;

	(void)state;
	verdict_table_write(&table, &bytes);
	assert_true(verdict_table_read(bytes.bytes, bytes.size, &back, &err));
	assert_int_equal(back.count, 0);
	assert_int_equal(back.generation, 7);
	assert_null(verdict_table_find(&back, 0, &count));
	assert_int_equal(count, 0);
	verdict_table_done(&back);
	text_done(&bytes);
}

/* Every length but the whole one, and every octet changed, is refused. */
static void torn_and_rotten(void **state)
{
	struct verdict_table table = example();
	struct verdict_table back = {.generation = 42};
	struct text bytes = {0};
	struct err err;

	(void)state;
	verdict_table_write(&table, &bytes);
	for (size_t size = 0; size < bytes.size; size++) {
		uint8_t *exact = memory_copy(bytes.bytes, size);

		if (verdict_table_read(exact, size, &back, &err))
			fail_msg("cut at %zu is taken", size);
		free(exact);
	}
	for (size_t i = 0; i < bytes.size; i++) {
		bytes.bytes[i] ^= 0x10;
		if (verdict_table_read(bytes.bytes, bytes.size, &back, &err))
			fail_msg("rotten at %zu is taken", i);
		bytes.bytes[i] ^= 0x10;
	}
	text_add(&bytes, "x");
	assert_false(verdict_table_read(bytes.bytes, bytes.size, &back, &err));
	assert_int_equal(back.generation, 42); /* untouched on failure */
	verdict_table_done(&table);
	text_done(&bytes);
}

/* Offsets in the bytes of example(): the head has 16, then each row as many. */
enum {
	ROW_1 = 16,
	ROW_2 = ROW_1 + VERDICT_ROW_SIZE,
	ROW_3 = ROW_2 + VERDICT_ROW_SIZE,
	TARGET = 3,
	FAMILY = 4,
	ADDRESS = 5,
	STATE = 21,
	PASSED = 44,
	WAS_UP = 45,
	RECOVERED = 46,
	COUNT = 80,
	FAILED = 88,
	DEGRADED = 96,
	P50 = 100,
	CERTIFICATE = 117,
	ISSUER = 181,
	REASON = 245,
	NOTE = 405
};

static const struct {
	const char *about;
	size_t at;
	uint8_t octet;
	const char *want;
} wrongs[] = {
	{"a state that is none", ROW_1 + STATE, 4, "row 1 of the verdicts cannot be"},
	{"a truth that is neither", ROW_1 + PASSED, 2, "row 1 of the verdicts cannot be"},
	{"another one", ROW_1 + WAS_UP, 2, "row 1 of the verdicts cannot be"},
	{"a third one", ROW_1 + RECOVERED, 255, "row 1 of the verdicts cannot be"},
	{"no address family", ROW_1 + FAMILY, 0, "row 1 of the verdicts cannot be"},
	{"an unknown family", ROW_1 + FAMILY, 5, "row 1 of the verdicts cannot be"},
	{"more address than the family has", ROW_1 + ADDRESS + 4, 1,
		"row 1 of the verdicts cannot be"},
	{"more outcomes than are kept", ROW_1 + COUNT, 65, "row 1 of the verdicts cannot be"},
	{"a failure that was no check", ROW_2 + FAILED, 7 + 32, "row 2 of the verdicts cannot be"},
	{"a degraded one that was none", ROW_2 + DEGRADED, 8 + 32,
		"row 2 of the verdicts cannot be"},
	{"one that failed and was degraded", ROW_2 + DEGRADED, 8 + 1,
		"row 2 of the verdicts cannot be"},
	{"the last one otherwise than said", ROW_2 + FAILED, 6, "row 2 of the verdicts cannot be"},
	{"percentiles in the wrong order", ROW_2 + P50, 41, "row 2 of the verdicts cannot be"},
	{"passed, with a reason why not", ROW_1 + REASON, 'x', "row 1 of the verdicts cannot be"},
	{"a control character", ROW_2 + REASON + 2, 27, "row 2 of the verdicts cannot be"},
	{"one of another text", ROW_2 + NOTE, 127, "row 2 of the verdicts cannot be"},
	{"a text that ends within itself", ROW_2 + REASON + 2, 0,
		"row 2 of the verdicts cannot be"},
	{"something behind a certificate", ROW_2 + CERTIFICATE + 62, 'x',
		"row 2 of the verdicts cannot be"},
	{"an issuer without an end", ROW_2 + ISSUER + 63, 'x', "row 2 of the verdicts cannot be"},
	{"targets out of order", ROW_2 + TARGET, 3, "row 3 of the verdicts is out of order"},
	{"the same target and a lower address", ROW_3 + FAMILY, 4,
		"row 3 of the verdicts cannot be"},
	{"more rows than are there", 15, 4, "the verdicts are cut short"},
	{"many more rows than are there", 12, 0xff, "the verdicts are cut short"},
	{"fewer rows than are there", 15, 2, "501 octets follow the last row of the verdicts"},
	{"another version", 3, '3', "these are not verdicts that this version can read"},
};

/* Files that the version before this one left: they are no news, and no harm. */
static void the_version_before(void **state)
{
	static const char bytes[] = "SVT1\0\0\0\0\0\0\0\7\0\0\0\0\x13\x6e\x35\x5c";
	struct verdict_table back;
	struct err err;

	(void)state;
	assert_false(verdict_table_read(bytes, sizeof(bytes) - 1, &back, &err));
	assert_string_equal(err.text, "these are not verdicts that this version can read");
}

static void what_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		struct verdict_table table = example();
		struct verdict_table back;
		struct text bytes = {0};
		struct err err = {.text = ""};

		verdict_table_write(&table, &bytes);
		bytes.bytes[wrongs[i].at] = (char)wrongs[i].octet;
		/* with a checksum that fits, so that the reader must look */
		bytes.size -= 4;
		bytes_write_u32(&bytes, bytes_crc32(bytes.bytes, bytes.size));
		if (verdict_table_read(bytes.bytes, bytes.size, &back, &err))
			fail_msg("%s: taken", wrongs[i].about);
		if (strcmp(err.text, wrongs[i].want) != 0)
			fail_msg("%s: %s", wrongs[i].about, err.text);
		verdict_table_done(&table);
		text_done(&bytes);
	}
}

/* Rows that a program could build but none may send. */
static const struct {
	const char *about;
	target_id targets[2];
	const char *addresses[2];
} orders[] = {
	{"descending targets", {3, 2}, {"192.0.2.1", "192.0.2.2"}},
	{"descending addresses", {3, 3}, {"192.0.2.2", "192.0.2.1"}},
	{"IPv6 before IPv4", {3, 3}, {"2001:db8::1", "192.0.2.1"}},
	{"the same row twice", {3, 3}, {"192.0.2.1", "192.0.2.1"}},
	{"the target that is none", {3, TARGET_NONE}, {"192.0.2.1", "192.0.2.1"}},
};

static void order_matters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct verdict rows[] = {
			row_of(orders[i].targets[0], orders[i].addresses[0], VERDICT_UP),
			row_of(orders[i].targets[1], orders[i].addresses[1], VERDICT_UP),
		};
		struct verdict_table table = {.count = 2, .rows = rows};
		struct verdict_table back;
		struct text bytes = {0};
		struct err err;

		verdict_table_write(&table, &bytes);
		if (verdict_table_read(bytes.bytes, bytes.size, &back, &err))
			fail_msg("%s: taken", orders[i].about);
		text_done(&bytes);
	}
}

static const struct {
	target_id target;
	size_t count;
	size_t first;
} finds[] = {{0, 1, 0}, {1, 0, 0}, {2, 2, 1}, {3, 0, 0}, {TARGET_NONE, 0, 0}};

static void rows_of_a_target(void **state)
{
	struct verdict_table table = example();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(finds); i++) {
		size_t count = 99;
		const struct verdict *first = verdict_table_find(&table, finds[i].target, &count);

		assert_int_equal(count, finds[i].count);
		if (count > 0)
			assert_ptr_equal(first, &table.rows[finds[i].first]);
		else
			assert_null(first);
	}
	verdict_table_done(&table);
}

static const struct target old_targets[] = {
	{.key = "edge@192.0.2.1", .monitor = 0},
	{.key = "edge@gone.example", .monitor = 0, .host = "gone.example"},
	{.key = "edge@cdn.example", .monitor = 0, .host = "cdn.example"},
};

/* Carries example() (whose targets are old_targets) to `targets`. */
static struct verdict_table carry(const struct target *targets, size_t count)
{
	struct verdict_table before = example();
	struct target_list previous = {.targets = old_targets, .count = COUNT_OF(old_targets)};
	struct target_list next = {.generation = 9, .targets = targets, .count = count};
	struct verdict_table table;

	verdict_table_carry(&next, &before, &previous, 5000, &table);
	assert_int_equal(table.generation, 9);
	verdict_table_done(&before);
	return table;
}

static void carried_by_key(void **state)
{
	struct target targets[] = {
		{.key = "edge@cdn.example", .host = "cdn.example"},
		{.key = "edge@new.example", .host = "new.example"},
		{.key = "edge@2001:db8::1", .address = address_of("2001:db8::1")},
		{.key = "edge@192.0.2.1", .address = address_of("192.0.2.1")},
	};
	struct verdict_table table = carry(targets, COUNT_OF(targets));
	struct verdict_table before = example();
	struct verdict_table back;
	struct verdict kept;
	struct text bytes = {0};
	struct err err;

	(void)state;
	assert_int_equal(table.count, 4);
	/* the host name keeps both addresses and what is known of them */
	assert_int_equal(table.rows[0].target, 0);
	assert_int_equal(table.rows[0].state, VERDICT_DOWN);
	assert_int_equal(table.rows[0].since_unix_s, 1002);
	assert_string_equal(table.rows[0].reason, "connection refused");
	/* all of it: flaps, holds, outcomes, certificate */
	kept = table.rows[0];
	kept.target = before.rows[1].target;
	assert_memory_equal(&kept, &before.rows[1], sizeof(kept));
	verdict_table_done(&before);
	assert_int_equal(table.rows[1].target, 0);
	/* a new name has no row yet, a new address an unknown one */
	assert_int_equal(table.rows[2].target, 2);
	assert_int_equal(table.rows[2].state, VERDICT_UNKNOWN);
	assert_int_equal(table.rows[2].since_unix_s, 5000);
	assert_int_equal(table.rows[2].checked_at_unix_s, 0);
	assert_int_equal(table.rows[3].target, 3);
	assert_int_equal(table.rows[3].state, VERDICT_UP);
	assert_int_equal(table.rows[3].streak, 3);
	/* and it is a table that a reader takes */
	verdict_table_write(&table, &bytes);
	assert_true(verdict_table_read(bytes.bytes, bytes.size, &back, &err));
	verdict_table_done(&back);
	verdict_table_done(&table);
	text_done(&bytes);
}

static void carried_with_care(void **state)
{
	struct target targets[] = {
		/* the key says one address, the old row another */
		{.key = "edge@192.0.2.1", .address = address_of("192.0.2.99")},
		/* not checked any more: up, whatever it was */
		{.key = "edge@cdn.example", .host = "cdn.example", .monitor = TARGET_NONE},
	};
	struct verdict_table table = carry(targets, COUNT_OF(targets));

	(void)state;
	assert_int_equal(table.count, 3);
	assert_int_equal(table.rows[0].state, VERDICT_UNKNOWN);
	assert_true(address_is_equal(&table.rows[0].address, &targets[0].address));
	assert_int_equal(table.rows[1].state, VERDICT_UP);
	assert_int_equal(table.rows[1].since_unix_s, 5000);
	assert_int_equal(table.rows[2].state, VERDICT_UP);
	verdict_table_done(&table);

	struct target_list list = {.targets = targets, .count = COUNT_OF(targets)};

	verdict_table_carry(&list, NULL, NULL, 5000, &table);
	assert_int_equal(table.count, 1);
	assert_int_equal(table.rows[0].state, VERDICT_UNKNOWN);
	verdict_table_done(&table);

	list.count = 0;
	verdict_table_carry(&list, NULL, NULL, 5000, &table);
	assert_int_equal(table.count, 0);
	verdict_table_done(&table);
}

static void checksum_is_the_known_one(void **state)
{
	(void)state;
	assert_int_equal(bytes_crc32("123456789", 9), 0xcbf43926); /* the check value of CRC-32 */
	assert_int_equal(bytes_crc32("", 0), 0);

	/* a long text, which is taken otherwise: with its own checksum behind it, the remainder is known (IEEE 802.3 3.2.9) */
	for (size_t size = 1000; size < 1050; size++) {
		struct text bytes = {0};

		for (size_t i = 0; i < size; i++)
			bytes_write_u8(&bytes, (uint8_t)(i * i + size));

		uint32_t crc = bytes_crc32(bytes.bytes, bytes.size);

		for (unsigned i = 0; i < 4; i++)
			bytes_write_u8(&bytes, (uint8_t)(crc >> 8 * i));
		assert_int_equal(bytes_crc32(bytes.bytes, bytes.size), 0x2144df1c);
		text_done(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_back),
		cmocka_unit_test(no_rows),
		cmocka_unit_test(torn_and_rotten),
		cmocka_unit_test(the_version_before),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(order_matters),
		cmocka_unit_test(rows_of_a_target),
		cmocka_unit_test(carried_by_key),
		cmocka_unit_test(carried_with_care),
		cmocka_unit_test(checksum_is_the_known_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
