/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/bytes.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/control/state.h"

/* ---- a directory for each test ---- */

struct place {
	char root[64];
	char *state_path; /* below root, not there yet */
};

static int make_place(void **state)
{
	struct place *place = memory_new(sizeof(*place));
	struct text path = {0};

	strcpy(place->root, "/tmp/steerd-state-XXXXXX");
	if (!mkdtemp(place->root))
		return -1;
	text_print(&path, "%s/state", place->root);
	place->state_path = path.bytes;
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	static const char *const names[] = {"lock", "verdicts", "verdicts.bad", "verdicts.new",
		"overrides.json", "overrides.json.bad"};
	struct place *place = *state;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", place->state_path, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(place->state_path);
	(void)rmdir(place->root);
	free(place->state_path);
	free(place);
	return 0;
}

static struct state *must_open(const struct place *place)
{
	struct err err = {""};
	struct state *opened = state_open(place->state_path, &err);

	if (!opened)
		fail_msg("%s", err.text);
	return opened;
}

static char *path_in(const struct place *place, const char *name)
{
	struct text path = {0};

	text_print(&path, "%s/%s", place->state_path, name);
	return path.bytes;
}

static void put_file(const struct place *place, const char *name, const void *bytes, size_t size)
{
	char *path = path_in(place, name);
	struct err err;

	assert_true(file_replace(path, FILE_MODE, bytes, size, &err));
	free(path);
}

static bool is_there(const struct place *place, const char *name)
{
	char *path = path_in(place, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

/* ---- examples ---- */

static struct verdict rows[] = {
	{.target = 0,
		.address = {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 10}},
		.state = VERDICT_DOWN,
		.since_unix_s = 1700000000,
		.checked_at_unix_s = 1700000100,
		.latency_ms = 2000,
		.streak = 7,
		.reason = "connect timed out after 2 s"},
	{.target = 1,
		.address = {.family = ADDRESS_IPV6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}},
		.state = VERDICT_UP,
		.since_unix_s = 1700000001,
		.checked_at_unix_s = 1700000101,
		.latency_ms = 12,
		.streak = 65535,
		.last_passed = true},
};

static const struct target targets[] = {
	{.key = "edge@192.0.2.10", .monitor = 0},
	{.key = "edge@2001:db8::1", .monitor = 0},
};

static const struct state_verdicts example = {
	.targets = {.generation = 3, .targets = targets, .count = COUNT_OF(targets)},
	.verdicts = {.generation = 3, .count = COUNT_OF(rows), .rows = rows},
	.believed = "believed",
	.believed_size = 8,
	.saved_at_unix_s = 1700000102,
};

static void add_examples(struct override_list *list)
{
	override_list_set(list,
		&(struct override){OVERRIDE_DRAIN, "site:fra", "power \"work\" \xc3\xa4", "alice",
			1700000000, 1700007200});
	override_list_set(list,
		&(struct override){OVERRIDE_UP, "downloads/fra-1", "", "uid 1000", 1700000001, 0});
	override_list_set(
		list, &(struct override){OVERRIDE_DOWN, "iad-1", "\\", "root", 1700000002, 0});
}

static void assert_examples(const struct override_list *list)
{
	struct override_list want = {0};

	add_examples(&want);
	assert_int_equal(list->count, want.count);
	for (size_t i = 0; i < want.count; i++) {
		assert_int_equal(list->items[i].kind, want.items[i].kind);
		assert_string_equal(list->items[i].subject, want.items[i].subject);
		assert_string_equal(list->items[i].reason, want.items[i].reason);
		assert_string_equal(list->items[i].by, want.items[i].by);
		assert_int_equal(list->items[i].since_unix_s, want.items[i].since_unix_s);
		assert_int_equal(list->items[i].until_unix_s, want.items[i].until_unix_s);
	}
	override_list_done(&want);
}

/* ---- the forms ---- */

static bool parses_verdicts(const void *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct state_verdicts verdicts = {0};
	struct err err = {""};
	bool done = state_parse_verdicts(bytes, size, arena, &verdicts, &err);

	if (!done && !*err.text)
		fail_msg("refused without a reason");
	verdict_table_done(&verdicts.verdicts);
	arena_free(arena);
	return done;
}

static void verdicts_there_and_back(void **state)
{
	struct text bytes = {0};
	struct arena *arena = arena_new();
	struct state_verdicts got = {0};
	struct err err = {""};

	(void)state;
	state_print_verdicts(&example, &bytes);
	if (!state_parse_verdicts(bytes.bytes, bytes.size, arena, &got, &err))
		fail_msg("%s", err.text);
	assert_int_equal(got.saved_at_unix_s, example.saved_at_unix_s);
	assert_int_equal(got.believed_size, 8);
	assert_memory_equal(got.believed, "believed", 8);
	assert_int_equal(got.targets.generation, 3);
	assert_int_equal(got.targets.count, 2);
	assert_string_equal(got.targets.targets[1].key, "edge@2001:db8::1");
	assert_int_equal(got.verdicts.count, 2);
	assert_int_equal(got.verdicts.rows[0].state, VERDICT_DOWN);
	assert_string_equal(got.verdicts.rows[0].reason, "connect timed out after 2 s");
	assert_int_equal(got.verdicts.rows[1].streak, 65535);
	assert_true(address_is_equal(&got.verdicts.rows[1].address, &rows[1].address));
	verdict_table_done(&got.verdicts);
	arena_free(arena);
	text_done(&bytes);
}

/* A file of before anything was believed, and before rows had a size. */
static struct text file_of_before(uint8_t verdict_state, const char *reason)
{
	struct text table = {0};
	struct text body = {0};
	struct text file = {0};

	text_add(&table, "SVT1");
	bytes_write_u64(&table, 3);
	bytes_write_u32(&table, 1);
	bytes_write_u32(&table, 1); /* the target */
	bytes_write_address(&table, &rows[1].address);
	bytes_write_u8(&table, verdict_state);
	bytes_write_u64(&table, 1700000000);
	bytes_write_u64(&table, 1700000100);
	bytes_write_u32(&table, 2000);
	bytes_write_u16(&table, 7);
	bytes_write_u8(&table, 0);
	bytes_write_text(&table, reason);
	bytes_write_u32(&table, bytes_crc32(table.bytes, table.size));

	bytes_write_u64(&body, 1700000102);
	bytes_write_u32(&body, COUNT_OF(targets));
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		bytes_write_text(&body, targets[i].key);
	text_add_bytes(&body, table.bytes, table.size);
	text_add(&file, "steerdv1");
	bytes_write_u64(&file, body.size);
	bytes_write_u32(&file, bytes_crc32(body.bytes, body.size));
	text_add_bytes(&file, body.bytes, body.size);
	text_done(&table);
	text_done(&body);
	return file;
}

static void verdicts_of_before(void **state)
{
	struct text bytes = file_of_before(VERDICT_DOWN, "connection refused");
	struct arena *arena = arena_new();
	struct state_verdicts got = {0};
	struct err err = {""};

	(void)state;
	if (!state_parse_verdicts(bytes.bytes, bytes.size, arena, &got, &err))
		fail_msg("%s", err.text);
	assert_int_equal(got.saved_at_unix_s, 1700000102);
	assert_int_equal(got.believed_size, 0);
	assert_int_equal(got.verdicts.count, 1);
	assert_int_equal(got.verdicts.rows[0].target, 1);
	assert_true(address_is_equal(&got.verdicts.rows[0].address, &rows[1].address));
	assert_int_equal(got.verdicts.rows[0].state, VERDICT_DOWN);
	assert_int_equal(got.verdicts.rows[0].since_unix_s, 1700000000);
	assert_int_equal(got.verdicts.rows[0].streak, 7);
	assert_string_equal(got.verdicts.rows[0].reason, "connection refused");
	/* and it goes on as one of now */
	struct text again = {0};

	state_print_verdicts(&got, &again);
	assert_true(parses_verdicts(again.bytes, again.size));
	for (size_t size = 0; size < bytes.size; size++)
		if (parses_verdicts(bytes.bytes, size))
			fail_msg("torn at %zu of %zu octets", size, bytes.size);
	verdict_table_done(&got.verdicts);
	arena_free(arena);
	text_done(&bytes);
	text_done(&again);
}

static void verdicts_of_before_that_cannot_be(void **state)
{
	static const struct {
		uint8_t verdict_state;
		const char *reason;
	} facts[] = {{VERDICT_DOWN + 1, ""}, {VERDICT_DOWN, "a\033b"}, {VERDICT_DOWN, NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		struct text bytes = file_of_before(facts[i].verdict_state, facts[i].reason);

		if (parses_verdicts(bytes.bytes, bytes.size))
			fail_msg("fact %zu: taken", i);
		text_done(&bytes);
	}
}

static void verdicts_torn_or_rotten(void **state)
{
	struct text bytes = {0};

	(void)state;
	state_print_verdicts(&example, &bytes);
	for (size_t size = 0; size < bytes.size; size++)
		if (parses_verdicts(bytes.bytes, size))
			fail_msg("torn at %zu of %zu octets", size, bytes.size);
	for (size_t bit = 0; bit < bytes.size * 8; bit++) {
		bytes.bytes[bit / 8] = (char)(bytes.bytes[bit / 8] ^ 1 << bit % 8);
		if (parses_verdicts(bytes.bytes, bytes.size))
			fail_msg("bit %zu flipped", bit);
		bytes.bytes[bit / 8] = (char)(bytes.bytes[bit / 8] ^ 1 << bit % 8);
	}
	text_add(&bytes, "x");
	assert_false(parses_verdicts(bytes.bytes, bytes.size));
	text_done(&bytes);
}

static void verdicts_of_targets_not_listed(void **state)
{
	struct state_verdicts fewer = example;
	struct text bytes = {0};

	(void)state;
	fewer.targets.count = 1;
	state_print_verdicts(&fewer, &bytes);
	assert_false(parses_verdicts(bytes.bytes, bytes.size));
	text_done(&bytes);
}

static void verdicts_none(void **state)
{
	const struct state_verdicts empty = {.verdicts.generation = 1};
	struct text bytes = {0};

	(void)state;
	state_print_verdicts(&empty, &bytes);
	assert_true(parses_verdicts(bytes.bytes, bytes.size));
	text_done(&bytes);
}

/* What is saved for one list of targets goes on for another one, by the keys. */
static void verdicts_for_another_generation(void **state)
{
	static const struct target later[] = {
		{.key = "new@192.0.2.99",
			.address = {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 99}}},
		{.key = "edge@192.0.2.10",
			.address = {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 10}}},
	};
	const struct target_list later_list = {9, later, COUNT_OF(later)};
	struct text bytes = {0};
	struct arena *arena = arena_new();
	struct state_verdicts got = {0};
	struct verdict_table carried = {0};
	struct err err;

	(void)state;
	state_print_verdicts(&example, &bytes);
	assert_true(state_parse_verdicts(bytes.bytes, bytes.size, arena, &got, &err));
	verdict_table_carry(&later_list, &got.verdicts, &got.targets, 1700000200, &carried);
	assert_int_equal(carried.generation, 9);
	assert_int_equal(carried.count, 2);
	assert_int_equal(carried.rows[0].state, VERDICT_UNKNOWN);
	assert_int_equal(carried.rows[1].state, VERDICT_DOWN);
	assert_int_equal(carried.rows[1].since_unix_s, 1700000000);
	verdict_table_done(&carried);
	verdict_table_done(&got.verdicts);
	arena_free(arena);
	text_done(&bytes);
}

static bool parses_overrides(const void *bytes, size_t size)
{
	struct override_list list = {0};
	struct err err = {""};
	bool done = state_parse_overrides(bytes, size, &list, &err);

	if (!done && !*err.text)
		fail_msg("refused without a reason");
	if (!done && list.count > 0)
		fail_msg("refused, but %zu were taken", list.count);
	override_list_done(&list);
	return done;
}

static void overrides_there_and_back(void **state)
{
	struct override_list list = {0};
	struct override_list got = {0};
	struct text bytes = {0};
	struct err err = {""};

	(void)state;
	add_examples(&list);
	state_print_overrides(&list, &bytes);
	if (!state_parse_overrides(bytes.bytes, bytes.size, &got, &err))
		fail_msg("%s", err.text);
	assert_examples(&got);
	override_list_done(&list);
	override_list_done(&got);
	text_done(&bytes);
}

static void overrides_torn_or_rotten(void **state)
{
	struct override_list list = {0};
	struct text bytes = {0};

	(void)state;
	add_examples(&list);
	state_print_overrides(&list, &bytes);
	/* without its final line feed it is whole */
	for (size_t size = 0; size < bytes.size - 1; size++)
		if (parses_overrides(bytes.bytes, size))
			fail_msg("torn at %zu of %zu octets", size, bytes.size);
	for (size_t i = 0; i < bytes.size; i++) {
		char before = bytes.bytes[i];

		/* what means nothing between two words of JSON may differ */
		if (before == ' ' || before == '\n')
			continue;
		bytes.bytes[i] = before == 'q' ? 'r' : 'q';
		if (parses_overrides(bytes.bytes, bytes.size))
			fail_msg("octet %zu, '%c', is 'q'", i, before);
		bytes.bytes[i] = before;
	}
	override_list_done(&list);
	text_done(&bytes);
}

static const struct {
	const char *about;
	const char *json;
} wrong_overrides[] = {
	{"nothing", ""},
	{"not an object", "[]"},
	{"nothing in it", "{}"},
	{"a format from the future", "{\"format\":2,\"overrides\":[],\"checksum\":\"0\"}"},
	{"no list", "{\"format\":1,\"checksum\":\"0\"}"},
	{"no checksum", "{\"format\":1,\"overrides\":[]}"},
	{"a list that is none", "{\"format\":1,\"overrides\":{},\"checksum\":\"0\"}"},
	{"a checksum that is a number", "{\"format\":1,\"overrides\":[],\"checksum\":0}"},
	{"a wrong checksum", "{\"format\":1,\"overrides\":[],\"checksum\":\"00000000\"}"},
	/* crc32("[1]") and so on, by zlib: right, but not what they should hold */
	{"an override that is a number",
		"{\"format\":1,\"overrides\":[1],\"checksum\":\"4c2f32b8\"}"},
	{"an override that is empty",
		"{\"format\":1,\"overrides\":[{}],\"checksum\":\"eaa7fafc\"}"},
};

static void overrides_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong_overrides); i++)
		if (parses_overrides(wrong_overrides[i].json, strlen(wrong_overrides[i].json)))
			fail_msg("%s", wrong_overrides[i].about);
}

/* ---- the directory ---- */

static void directory_is_made(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct stat status;

	assert_int_equal(stat(place->state_path, &status), 0);
	assert_int_equal(status.st_mode & 07, 0); /* overrides name people */
	state_close(opened);
	/* and again, now that it is there */
	state_close(must_open(place));
}

static void directory_errors(void **state)
{
	const struct place *place = *state;
	struct err err;
	struct text deep = {0};
	struct state *opened;

	text_print(&deep, "%s/a/b", place->root);
	assert_null(state_open(deep.bytes, &err));
	assert_non_null(strstr(err.text, "make it, or set 'state' to another place"));
	text_done(&deep);

	opened = must_open(place);
	assert_null(state_open(place->state_path, &err));
	assert_non_null(strstr(err.text, "is in use by another steerd"));
	state_close(opened);

	assert_null(state_open("/dev/null", &err));
	assert_non_null(strstr(err.text, "cannot write in the state directory '/dev/null'"));
}

static void absent_files_are_a_first_start(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct arena *arena = arena_new();
	struct state_verdicts verdicts = {0};
	struct override_list list = {0};
	struct err err;

	assert_int_equal(state_read_verdicts(opened, arena, &verdicts, &err), STATE_ABSENT);
	assert_int_equal(state_read_overrides(opened, &list, &err), STATE_ABSENT);
	arena_free(arena);
	state_close(opened);
}

static void files_there_and_back(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct arena *arena = arena_new();
	struct state_verdicts verdicts = {0};
	struct override_list list = {0};
	struct text bytes = {0};
	struct err err;

	state_print_verdicts(&example, &bytes);
	add_examples(&list);
	assert_true(state_write_verdicts(opened, &bytes, &err));
	assert_true(state_write_overrides(opened, &list, &err));
	override_list_done(&list);
	state_close(opened);

	opened = must_open(place);
	assert_int_equal(state_read_verdicts(opened, arena, &verdicts, &err), STATE_READ);
	assert_int_equal(verdicts.verdicts.count, 2);
	assert_int_equal(state_read_overrides(opened, &list, &err), STATE_READ);
	assert_examples(&list);
	verdict_table_done(&verdicts.verdicts);
	override_list_done(&list);
	arena_free(arena);
	text_done(&bytes);
	state_close(opened);
}

/* As a child does that a killed steerd left before its exec(). */
static void *unlock_soon(void *context)
{
	const struct timespec pause = {.tv_nsec = 120000000};

	nanosleep(&pause, NULL);
	state_close(context);
	return NULL;
}

static void lock_that_is_given_up_soon(void **state)
{
	const struct place *place = *state;
	struct state *before = must_open(place);
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, unlock_soon, before), 0);
	state_close(must_open(place));
	assert_int_equal(pthread_join(other, NULL), 0);
}

/* As the background's save and the last one may meet when steerd is stopped. */
static void *write_again_and_again(void *context)
{
	struct state *opened = context;
	struct text bytes = {0};
	struct err err;
	size_t failed = 0;

	state_print_verdicts(&example, &bytes);
	for (int i = 0; i < 50; i++)
		failed += !state_write_verdicts(opened, &bytes, &err);
	text_done(&bytes);
	return (void *)failed;
}

static void two_saves_at_once(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct arena *arena = arena_new();
	struct state_verdicts verdicts = {0};
	struct err err;
	pthread_t other;
	void *failed;

	assert_int_equal(pthread_create(&other, NULL, write_again_and_again, opened), 0);
	assert_null(write_again_and_again(opened));
	assert_int_equal(pthread_join(other, &failed), 0);
	assert_null(failed);
	assert_int_equal(state_read_verdicts(opened, arena, &verdicts, &err), STATE_READ);
	verdict_table_done(&verdicts.verdicts);
	arena_free(arena);
	state_close(opened);
}

static void broken_files_are_set_aside(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct arena *arena = arena_new();
	struct state_verdicts verdicts = {0};
	struct override_list list = {0};
	struct err err;

	put_file(place, "verdicts", "steerdv1", 8);
	put_file(place, "overrides.json", "{", 1);
	assert_int_equal(state_read_verdicts(opened, arena, &verdicts, &err), STATE_BROKEN);
	assert_non_null(strstr(err.text, "/verdicts.bad'"));
	assert_int_equal(state_read_overrides(opened, &list, &err), STATE_BROKEN);
	assert_non_null(strstr(err.text, "/overrides.json.bad'"));
	assert_true(is_there(place, "verdicts.bad") && !is_there(place, "verdicts"));
	assert_true(is_there(place, "overrides.json.bad") && !is_there(place, "overrides.json"));
	/* the next start is a first one */
	assert_int_equal(state_read_verdicts(opened, arena, &verdicts, &err), STATE_ABSENT);
	assert_int_equal(state_read_overrides(opened, &list, &err), STATE_ABSENT);
	arena_free(arena);
	state_close(opened);
}

/* What cannot be read now may be whole: it stays where the next start looks for it. */
/* A file of what was told: whole, or with any octet another it is set aside. */
static void notices_there_and_back(void **state)
{
	static const struct notice_clock clock = {.now_ms = 1000, .now_unix_s = 1700000000};
	static const struct notice_listener listener = {.name = "ops", .hears = NOTICE_HEARS_ALL};
	static const struct notice_trouble trouble = {
		.subject = {.kind = NOTICE_PROBER}, .level = 1, .reason = "killed by signal 9"};
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct notices *notices = notices_new(7);
	struct text bytes = {0};
	size_t count;
	struct err err;

	notices_set_listeners(notices, &listener, 1);
	assert_int_equal(state_read_notices(opened, notices, &clock, &err), STATE_ABSENT);
	assert_string_equal(
		notices_step(notices, &trouble, 1, &clock, &count)->event, "prober-gone");
	notices_settle(notices, 7);
	state_print_notices(notices, &clock, &bytes);
	assert_true(state_write_notices(opened, &bytes, &err));
	assert_int_equal(state_read_notices(opened, notices, &clock, &err), STATE_READ);
	notices_set_listeners(notices, &listener, 1);
	(void)notices_step(notices, &trouble, 1, &clock, &count);
	assert_int_equal(count, 0);
	for (size_t i = 0; i < bytes.size; i++) {
		bytes.bytes[i] ^= 1;
		put_file(place, "notices", bytes.bytes, bytes.size);
		assert_int_equal(state_read_notices(opened, notices, &clock, &err), STATE_BROKEN);
		assert_true(is_there(place, "notices.bad") && !is_there(place, "notices"));
		bytes.bytes[i] ^= 1;
	}
	put_file(place, "notices", "abc", 3);
	assert_int_equal(state_read_notices(opened, notices, &clock, &err), STATE_BROKEN);
	assert_non_null(strstr(err.text, "its checksum is wrong"));
	text_done(&bytes);
	notices_free(notices);
	state_close(opened);
}

static void unreadable_files_stay(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct override_list list = {0};
	struct err err;
	char *file = path_in(place, "overrides.json");

	/* a directory in its place refuses root as well */
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(state_read_overrides(opened, &list, &err), STATE_BROKEN);
	assert_non_null(strstr(err.text, "/overrides.json' is ignored: "));
	assert_true(is_there(place, "overrides.json") && !is_there(place, "overrides.json.bad"));
	rmdir(file);
	free(file);
	state_close(opened);
}

static void unwritable_directory(void **state)
{
	const struct place *place = *state;
	struct state *opened = must_open(place);
	struct text bytes = {0};
	struct err err;
	char *in_the_way = path_in(place, "verdicts.new");

	/* a directory in the way refuses root as well */
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	state_print_verdicts(&example, &bytes);
	assert_false(state_write_verdicts(opened, &bytes, &err));
	assert_non_null(strstr(err.text, "cannot write"));
	rmdir(in_the_way);
	free(in_the_way);
	text_done(&bytes);
	state_close(opened);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_there_and_back),
		cmocka_unit_test(verdicts_of_before),
		cmocka_unit_test(verdicts_of_before_that_cannot_be),
		cmocka_unit_test(verdicts_torn_or_rotten),
		cmocka_unit_test(verdicts_of_targets_not_listed),
		cmocka_unit_test(verdicts_none),
		cmocka_unit_test(verdicts_for_another_generation),
		cmocka_unit_test(overrides_there_and_back),
		cmocka_unit_test(overrides_torn_or_rotten),
		cmocka_unit_test(overrides_malformed),
		IN_PLACE(directory_is_made),
		IN_PLACE(directory_errors),
		IN_PLACE(absent_files_are_a_first_start),
		IN_PLACE(files_there_and_back),
		IN_PLACE(lock_that_is_given_up_soon),
		IN_PLACE(two_saves_at_once),
		IN_PLACE(broken_files_are_set_aside),
		IN_PLACE(notices_there_and_back),
		IN_PLACE(unreadable_files_stay),
		IN_PLACE(unwritable_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
