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
#include "steerd/link/link.h"

/* Orders that are right in everything; each case spoils one thing. */
struct example {
	struct settings_status_range status[2];
	struct settings_monitor monitors[2];
	struct target targets[3];
	struct verdict rows[3];
	struct link_orders orders;
};

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static const struct settings_file ca = {.path = "/etc/ca.pem", .bytes = "a\0b", .size = 3};

static void fill(struct example *example)
{
	*example = (struct example){
		.status = {{200, 299}, {404, 404}},
		.targets = {{.key = "edge@192.0.2.1", .address = address_of("192.0.2.1")},
			{.key = "edge@cdn.example", .host = "cdn.example"},
			{.key = "@any.example", .host = "any.example", .monitor = TARGET_NONE}},
		.rows = {{.target = 0, .address = address_of("192.0.2.1"), .state = VERDICT_UP},
			{.target = 1, .address = address_of("192.0.2.7"), .state = VERDICT_DOWN},
			{.target = 1, .address = address_of("2001:db8::7")}},
	};
	example->monitors[0] = (struct settings_monitor){
		.name = "edge",
		.kind = KIND_HTTPS,
		.host = "dl.files.example",
		.path = "/health",
		.method = "GET",
		.port = 443,
		.every_ms = 5000,
		.timeout_ms = 2000,
		.fall = 3,
		.rise = 2,
		.status = example->status,
		.status_count = 2,
	};
	example->monitors[1] = example->monitors[0];
	example->monitors[1].ca = &ca;
	example->monitors[1].body = "two\nlines";
	example->monitors[1].status_count = 0;
	example->orders = (struct link_orders){
		.targets = {.generation = 7, .targets = example->targets, .count = 3},
		.monitors = example->monitors,
		.monitor_count = 2,
		.verdicts = {.generation = 7, .rows = example->rows, .count = 3},
	};
}

static bool take(const struct link_orders *orders, struct arena *arena,
	struct link_orders *ret_orders, struct err *err)
{
	struct text frame = {0};
	enum link_kind kind;
	const uint8_t *body;
	size_t size;

	link_write_orders(orders, &frame);
	assert_true(link_find_frame(frame.bytes, frame.size, &kind, &body, &size));
	assert_int_equal(size, frame.size);
	assert_int_equal(kind, LINK_ORDERS);

	bool taken = link_read_orders(body, size - LINK_FRAME_HEADER, arena, ret_orders, err);

	text_done(&frame); /* nothing may point into it */
	return taken;
}

static void orders_and_back(void **state)
{
	struct example example;
	struct arena *arena = arena_new();
	struct link_orders back;
	struct err err;

	(void)state;
	fill(&example);
	assert_true(take(&example.orders, arena, &back, &err));
	assert_int_equal(back.targets.generation, 7);
	assert_int_equal(back.targets.count, 3);
	assert_string_equal(back.targets.targets[0].key, "edge@192.0.2.1");
	assert_null(back.targets.targets[0].host);
	assert_true(
		address_is_equal(&back.targets.targets[0].address, &example.targets[0].address));
	assert_string_equal(back.targets.targets[1].host, "cdn.example");
	assert_int_equal(back.targets.targets[2].monitor, TARGET_NONE);
	assert_int_equal(back.monitor_count, 2);
	assert_string_equal(back.monitors[0].host, "dl.files.example");
	assert_string_equal(back.monitors[0].path, "/health");
	assert_null(back.monitors[0].ca);
	assert_null(back.monitors[0].body);
	assert_int_equal(back.monitors[0].status_count, 2);
	assert_int_equal(back.monitors[0].status[1].first, 404);
	assert_string_equal(back.monitors[1].ca->path, "/etc/ca.pem");
	assert_memory_equal(back.monitors[1].ca->bytes, "a\0b", 3);
	assert_string_equal(back.monitors[1].body, "two\nlines");
	assert_int_equal(back.monitors[1].every_ms, 5000);
	assert_int_equal(back.monitors[1].timeout_ms, 2000);
	assert_int_equal(back.monitors[1].fall, 3);
	assert_int_equal(back.monitors[1].rise, 2);
	assert_int_equal(back.verdicts.count, 3);
	assert_int_equal(back.verdicts.rows[1].state, VERDICT_DOWN);
	verdict_table_done(&back.verdicts);
	arena_free(arena);
}

static void spoil_nothing(struct example *e)
{
	(void)e;
}
static void spoil_host_missing(struct example *e)
{
	e->monitors[0].host = NULL;
}
static void spoil_host_line(struct example *e)
{
	e->monitors[0].host = "a.example\r\nX-Evil: 1";
}
static void spoil_host_port(struct example *e)
{
	e->monitors[0].host = "a.example:444";
}
static void spoil_host_user(struct example *e)
{
	e->monitors[0].host = "user@a.example";
}
static void spoil_path_relative(struct example *e)
{
	e->monitors[0].path = "health";
}
static void spoil_path_line(struct example *e)
{
	e->monitors[1].path = "/a\nb";
}
static void spoil_path_space(struct example *e)
{
	e->monitors[1].path = "/a b";
}
static void spoil_port(struct example *e)
{
	e->monitors[0].port = 0;
}
static void spoil_every(struct example *e)
{
	e->monitors[0].every_ms = 0;
}
static void spoil_timeout(struct example *e)
{
	e->monitors[0].timeout_ms = UINT32_MAX;
}
static void spoil_fall(struct example *e)
{
	e->monitors[0].fall = 0;
}
static void spoil_status_turned(struct example *e)
{
	e->status[0] = (struct settings_status_range){300, 200};
}
static void spoil_status_low(struct example *e)
{
	e->status[1].first = 99;
}
static void spoil_monitor_index(struct example *e)
{
	e->targets[1].monitor = 2;
}
static void spoil_both(struct example *e)
{
	e->targets[1].address = e->targets[0].address;
}
static void spoil_neither(struct example *e)
{
	e->targets[1].host = NULL;
}
static void spoil_key(struct example *e)
{
	e->targets[2].key = "";
}
static void spoil_row_target(struct example *e)
{
	e->rows[2].target = 3;
}
static void spoil_row_address(struct example *e)
{
	e->rows[0].address = e->rows[1].address;
}
static void spoil_generation(struct example *e)
{
	e->orders.verdicts.generation = 6;
}
static void spoil_row_order(struct example *e)
{
	e->rows[1].address = e->rows[2].address;
}

static const struct {
	void (*spoil)(struct example *example);
	const char *want; /* NULL: taken */
} wrongs[] = {
	{spoil_nothing, NULL},
	{spoil_host_missing, "monitor 1 of the orders cannot be"},
	{spoil_host_line, "monitor 1 of the orders cannot be"},
	{spoil_host_port, "monitor 1 of the orders cannot be"},
	{spoil_host_user, "monitor 1 of the orders cannot be"},
	{spoil_path_relative, "monitor 1 of the orders cannot be"},
	{spoil_path_line, "monitor 2 of the orders cannot be"},
	{spoil_path_space, "monitor 2 of the orders cannot be"},
	{spoil_port, "monitor 1 of the orders cannot be"},
	{spoil_every, "monitor 1 of the orders cannot be"},
	{spoil_timeout, "monitor 1 of the orders cannot be"},
	{spoil_fall, "monitor 1 of the orders cannot be"},
	{spoil_status_turned, "monitor 1 of the orders cannot be"},
	{spoil_status_low, "monitor 1 of the orders cannot be"},
	{spoil_monitor_index, "target 2 of the orders cannot be"},
	{spoil_both, "target 2 of the orders cannot be"},
	{spoil_neither, "target 2 of the orders cannot be"},
	{spoil_key, "target 3 of the orders cannot be"},
	{spoil_row_target, "a verdict is for no target of the orders"},
	{spoil_row_address, "a verdict for 'edge@192.0.2.1' is for another address"},
	{spoil_generation, "the verdicts are of another generation than the orders"},
	{spoil_row_order, "row 3 of the verdicts is out of order"},
};

static void orders_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		struct example example;
		struct arena *arena = arena_new();
		struct link_orders back = {.monitor_count = 42};
		struct err err = {.text = "taken"};

		fill(&example);
		wrongs[i].spoil(&example);

		bool taken = take(&example.orders, arena, &back, &err);

		if (taken != (wrongs[i].want == NULL))
			fail_msg("case %zu: %s", i, err.text);
		if (taken) {
			verdict_table_done(&back.verdicts);
		} else {
			assert_string_equal(err.text, wrongs[i].want);
			assert_int_equal(back.monitor_count, 42);
		}
		arena_free(arena);
	}
}

/*
 * A frame that comes octet by octet is not there until it is; then the next one is found behind it.
 */
static void frames_in_a_stream(void **state)
{
	struct example example;
	struct text stream = {0};
	enum link_kind kind;
	const uint8_t *body;
	size_t first;
	size_t size;

	(void)state;
	fill(&example);
	link_write_orders(&example.orders, &stream);
	first = stream.size;
	link_write_verdicts(&example.orders.verdicts, &stream);
	for (size_t i = 0; i < first; i++) {
		size = 99;
		assert_true(link_find_frame(stream.bytes, i, &kind, &body, &size));
		assert_int_equal(size, 0);
	}
	for (size_t i = first; i <= stream.size; i++) {
		assert_true(link_find_frame(stream.bytes, i, &kind, &body, &size));
		assert_int_equal(size, first);
		assert_int_equal(kind, LINK_ORDERS);
	}
	assert_true(
		link_find_frame(stream.bytes + first, stream.size - first, &kind, &body, &size));
	assert_int_equal(kind, LINK_VERDICTS);
	assert_int_equal(size, stream.size - first);

	struct verdict_table table;
	struct err err;

	assert_true(link_read_verdicts(body, size - LINK_FRAME_HEADER, &table, &err));
	assert_int_equal(table.count, 3);
	verdict_table_done(&table);
	assert_false(link_read_verdicts(body, size - LINK_FRAME_HEADER - 1, &table, &err));
	text_done(&stream);
}

/* ---- states ---- */

static void states_and_back(void **state)
{
	(void)state;
	for (size_t count = 0; count < 10; count++) {
		uint8_t bits[3] = {0};
		const struct link_states states = {
			.generation = UINT64_C(7) << 40, .row_count = count, .bits = bits};
		struct link_states back;
		struct text frame = {0};
		struct err err;

		for (size_t i = 0; i < count; i++) {
			link_states_set(bits, i, VERDICT_DOWN);
			link_states_set(bits, i, (uint8_t)(i % 4));
		}
		link_write_states(&states, &frame);
		assert_true(link_read_states((uint8_t *)frame.bytes + LINK_FRAME_HEADER,
			frame.size - LINK_FRAME_HEADER, &back, &err));
		assert_int_equal(back.generation, states.generation);
		assert_int_equal(back.row_count, count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(link_states_get(back.bits, i), i % 4);
		text_done(&frame);
	}
}

/* Every length but the whole one, every octet changed, and a state beyond the rows, is refused. */
static void states_that_cannot_be(void **state)
{
	uint8_t bits[] = {0x1b, 0x02};
	struct link_states states = {.generation = 3, .row_count = 5, .bits = bits};
	struct link_states back = {.row_count = 42};
	struct text frame = {0};
	struct err err;

	(void)state;
	link_write_states(&states, &frame);

	uint8_t *body = (uint8_t *)frame.bytes + LINK_FRAME_HEADER;
	size_t size = frame.size - LINK_FRAME_HEADER;

	for (size_t i = 0; i < size; i++) {
		uint8_t *exact = memory_copy(body, i);

		assert_false(link_read_states(exact, i, &back, &err));
		free(exact);
		body[i] ^= 4;
		if (link_read_states(body, size, &back, &err))
			fail_msg("rotten at %zu is taken", i);
		body[i] ^= 4;
	}
	assert_true(link_read_states(body, size, &back, &err));
	back.row_count = 42;
	bits[1] = 0x06;
	text_clear(&frame);
	link_write_states(&states, &frame);
	assert_false(
		link_read_states((uint8_t *)frame.bytes + LINK_FRAME_HEADER, size, &back, &err));
	assert_string_equal(err.text, "there are more states than rows");
	assert_int_equal(back.row_count, 42); /* untouched on failure */
	text_done(&frame);
}

/* ---- inquiries ---- */

static const struct {
	const char *about;
	const char *key;
	const char *address; /* NULL: none */
	bool want;
} inquiries[] = {
	{"an address", "edge@192.0.2.1", "192.0.2.1", true},
	{"an address of a name", "edge@cdn.example", "2001:db8::7", true},
	{"no key", NULL, "192.0.2.1", false},
	{"an empty key", "", "192.0.2.1", false},
	{"a key of two lines", "edge\n@192.0.2.1", "192.0.2.1", false},
	{"no address", "edge@192.0.2.1", NULL, false},
};

static void inquiries_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(inquiries); i++) {
		struct link_inquiry inquiry = {.id = 9, .key = inquiries[i].key};
		struct link_inquiry back = {.id = 42};
		struct arena *arena = arena_new();
		struct text frame = {0};
		struct err err;

		if (inquiries[i].address)
			inquiry.address = address_of(inquiries[i].address);
		link_write_inquiry(&inquiry, &frame);

		const uint8_t *body = (uint8_t *)frame.bytes + LINK_FRAME_HEADER;
		size_t size = frame.size - LINK_FRAME_HEADER;

		if (link_read_inquiry(body, size, arena, &back, &err) != inquiries[i].want)
			fail_msg("%s", inquiries[i].about);
		assert_int_equal(back.id, inquiries[i].want ? 9 : 42);
		if (inquiries[i].want) {
			assert_string_equal(back.key, inquiry.key);
			assert_true(address_is_equal(&back.address, &inquiry.address));
		}
		for (size_t k = 0; k < size; k++)
			assert_false(link_read_inquiry(body, k, arena, &back, &err));
		text_done(&frame);
		arena_free(arena);
	}
}

static void findings_and_back(void **state)
{
	const struct finding items[] = {
		{FINDING_REQUEST, "GET", "https://dl.files.example/health", 0},
		{FINDING_PHASE, "connect", "", 12345},
		{FINDING_CERTIFICATE, "dl.files.example", "Some CA", UINT64_C(1) << 40},
		{FINDING_VERDICT, "up", "", 0},
	};
	const struct link_findings findings = {.id = 5, .items = items, .count = COUNT_OF(items)};
	struct link_findings back;
	struct arena *arena = arena_new();
	struct text frame = {0};
	struct err err;

	(void)state;
	link_write_findings(&findings, &frame);

	uint8_t *body = (uint8_t *)frame.bytes + LINK_FRAME_HEADER;
	size_t size = frame.size - LINK_FRAME_HEADER;

	assert_true(link_read_findings(body, size, arena, &back, &err));
	assert_int_equal(back.id, 5);
	assert_int_equal(back.count, COUNT_OF(items));
	for (size_t i = 0; i < back.count; i++) {
		assert_int_equal(back.items[i].section, items[i].section);
		assert_string_equal(back.items[i].name, items[i].name);
		assert_string_equal(back.items[i].value, items[i].value);
		assert_int_equal(back.items[i].number, items[i].number);
	}
	for (size_t i = 0; i < size; i++) {
		uint8_t *exact = memory_copy(body, i);

		assert_false(link_read_findings(exact, i, arena, &back, &err));
		free(exact);
	}
	text_done(&frame);
	arena_free(arena);
}

static const struct {
	const char *about;
	const char *body;
	size_t size;
	const char *want;
} bad_findings[] = {
	{"more than there can be", "\0\0\0\0\0\0\0\1\xff\xff\xff\xff", 12,
		"the findings are cut short"},
	{"a section that is none", "\0\0\0\0\0\0\0\1\0\0\0\1\6\0\1a\0\1b\0\0\0\0\0\0\0\0", 27,
		"finding 1 cannot be"},
	{"no value", "\0\0\0\0\0\0\0\1\0\0\0\1\1\0\1a\xff\xff\0\0\0\0\0\0\0\0", 26,
		"finding 1 cannot be"},
	{"an escape", "\0\0\0\0\0\0\0\1\0\0\0\1\1\0\1\33\0\1b\0\0\0\0\0\0\0\0", 27,
		"finding 1 cannot be"},
	{"something behind them", "\0\0\0\0\0\0\0\1\0\0\0\0x", 13,
		"1 octets follow the last finding"},
};

static void findings_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_findings); i++) {
		struct arena *arena = arena_new();
		struct link_findings back;
		struct err err = {.text = "taken"};

		(void)link_read_findings((const uint8_t *)bad_findings[i].body,
			bad_findings[i].size, arena, &back, &err);
		if (strcmp(err.text, bad_findings[i].want) != 0)
			fail_msg("%s: %s", bad_findings[i].about, err.text);
		arena_free(arena);
	}
}

/* ---- frames ---- */

static const struct {
	const char *about;
	const char *bytes;
	size_t size;
	bool want;
} heads[] = {
	{"nothing yet", "", 0, true},
	{"part of a length", "\xff\xff\xff", 3, true},
	{"a length beyond the limit", "\xff\xff\xff\xff", 4, false},
	{"one octet beyond it", "\x0f\xff\xff\xfc", 4, false},
	{"the longest", "\x0f\xff\xff\xfb", 4, true},
	{"the longest, of a kind", "\x0f\xff\xff\xfb\x01", 5, true},
	{"no kind", "\0\0\0\1\0", 5, false},
	{"an unknown kind", "\0\0\0\1\11", 5, false},
	{"an empty body", "\0\0\0\0\2", 5, true},
};

static void heads_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		enum link_kind kind;
		const uint8_t *body;
		size_t size;

		if (link_find_frame(heads[i].bytes, heads[i].size, &kind, &body, &size) !=
			heads[i].want)
			fail_msg("%s", heads[i].about);
	}
}

/* ---- notices ---- */

static void notice_and_back(void **state)
{
	const struct link_notice notice = {
		.id = 7, .notify = 1, .body = "{\n}", .event = "e", .subject = "s", .reason = ""};
	struct arena *arena = arena_new();
	struct link_notice back;
	struct text frame = {0};
	struct err err;

	(void)state;
	link_write_notice(&notice, &frame);
	for (size_t size = 0; size + LINK_FRAME_HEADER < frame.size; size++)
		assert_false(link_read_notice(
			(uint8_t *)frame.bytes + LINK_FRAME_HEADER, size, arena, &back, &err));
	assert_string_equal(err.text, "the notice cannot be");
	assert_true(link_read_notice((uint8_t *)frame.bytes + LINK_FRAME_HEADER,
		frame.size - LINK_FRAME_HEADER, arena, &back, &err));
	assert_int_equal(back.id, 7);
	assert_int_equal(back.notify, 1);
	assert_string_equal(back.body, "{\n}");
	assert_string_equal(back.event, "e");
	assert_string_equal(back.subject, "s");
	assert_string_equal(back.reason, "");
	text_done(&frame);
	arena_free(arena);
}

static const struct {
	const char *about;
	struct link_notice notice;
} bad_notices[] = {
	{"no body", {.event = "e", .subject = "s", .reason = "r"}},
	{"no object", {.body = "[]", .event = "e", .subject = "s", .reason = "r"}},
	{"no event", {.body = "{}", .subject = "s", .reason = "r"}},
	{"an empty event", {.body = "{}", .event = "", .subject = "s", .reason = "r"}},
	{"an event of two lines", {.body = "{}", .event = "a\r\nb", .subject = "s", .reason = "r"}},
	{"no subject", {.body = "{}", .event = "e", .reason = "r"}},
	{"a subject of two lines", {.body = "{}", .event = "e", .subject = "a\nb", .reason = "r"}},
	{"no reason", {.body = "{}", .event = "e", .subject = "s"}},
	{"a reason with a bell", {.body = "{}", .event = "e", .subject = "s", .reason = "\a"}},
};

static void notices_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_notices); i++) {
		struct arena *arena = arena_new();
		struct link_notice back;
		struct text frame = {0};
		struct err err;

		link_write_notice(&bad_notices[i].notice, &frame);
		if (link_read_notice((uint8_t *)frame.bytes + LINK_FRAME_HEADER,
			    frame.size - LINK_FRAME_HEADER, arena, &back, &err))
			fail_msg("%s", bad_notices[i].about);
		text_done(&frame);
		arena_free(arena);
	}
}

static const struct {
	const char *about;
	struct link_delivered delivered;
	bool can_be;
} deliveries[] = {
	{"delivered", {.id = 7, .done = true, .tries = 1, .why = ""}, true},
	{"given up", {.id = 7, .tries = 12, .why = "it answered 500"}, true},
	{"delivered, with a reason", {.id = 7, .done = true, .why = "x"}, false},
	{"given up, without", {.id = 7, .why = ""}, false},
	{"without a text", {.id = 7, .done = true}, false},
	{"a reason of two lines", {.id = 7, .why = "a\nb"}, false},
};

static void deliveries_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(deliveries); i++) {
		struct arena *arena = arena_new();
		struct link_delivered back;
		struct text frame = {0};
		struct err err;

		link_write_delivered(&deliveries[i].delivered, &frame);

		bool taken = link_read_delivered((uint8_t *)frame.bytes + LINK_FRAME_HEADER,
			frame.size - LINK_FRAME_HEADER, arena, &back, &err);

		if (taken != deliveries[i].can_be)
			fail_msg("%s", deliveries[i].about);
		if (taken) {
			assert_int_equal(back.id, 7);
			assert_int_equal(back.done, deliveries[i].delivered.done);
			assert_int_equal(back.tries, deliveries[i].delivered.tries);
			assert_string_equal(back.why, deliveries[i].delivered.why);
		}
		text_done(&frame);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_and_back),
		cmocka_unit_test(orders_that_cannot_be),
		cmocka_unit_test(states_and_back),
		cmocka_unit_test(states_that_cannot_be),
		cmocka_unit_test(inquiries_and_back),
		cmocka_unit_test(findings_and_back),
		cmocka_unit_test(findings_that_cannot_be),
		cmocka_unit_test(notice_and_back),
		cmocka_unit_test(notices_that_cannot_be),
		cmocka_unit_test(deliveries_and_back),
		cmocka_unit_test(frames_in_a_stream),
		cmocka_unit_test(heads_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
