/* SPDX-License-Identifier: Apache-2.0 */

/* What others say of targets: over the link, and in watched files. */

#include <event2/event.h>
#include <fcntl.h>
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

#include "one.h"
#include "push_file.h"
#include "steerd/base/clock.h"
#include "steerd/base/file.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/link/hearsay.h"
#include "steerd/link/link.h"

static void push_of_age(
	struct one *one, enum verdict_state state, const char *reason, uint64_t age_ms)
{
	probes_take_word(one->probes,
		&(struct link_pushed){.key = one->target.key,
			.state = (uint8_t)state,
			.reason = reason,
			.age_ms = age_ms});
}

static void init(struct one *one, enum settings_on_stale on_stale)
{
	one_init(one, KIND_PUSH);
	one->monitor.max_age_ms = 60000;
	one->monitor.on_stale = on_stale;
}

/* ---- words over the link ---- */

#define FRESH 1000
#define STALE 75500

static const struct {
	const char *about;
	enum verdict_state state;
	const char *reason;
	uint64_t age_ms;
	enum settings_on_stale on_stale;
	const char *want;
} words[] = {
	{"up", VERDICT_UP, "", FRESH, STALE_DOWN, "up"},
	{"up, with words", VERDICT_UP, "12 of 12", FRESH, STALE_DOWN, "up: 12 of 12"},
	{"degraded", VERDICT_DEGRADED, "11 of 12", FRESH, STALE_DOWN, "degraded: 11 of 12"},
	{"degraded, without words", VERDICT_DEGRADED, "", FRESH, STALE_DOWN,
		"degraded: said to be degraded"},
	{"down", VERDICT_DOWN, "on fire", FRESH, STALE_UP, "down: on fire"},
	{"down, without words", VERDICT_DOWN, NULL, FRESH, STALE_LAST, "down: said to be down"},
	{"as old as may be", VERDICT_UP, "", 58000, STALE_DOWN, "up"},
	{"stale: down", VERDICT_UP, "fine", STALE, STALE_DOWN,
		"down: no word for 1 min 15 s: counts as down"},
	{"stale, and down before: no reason that is old", VERDICT_DOWN, "on fire", STALE,
		STALE_DOWN, "down: no word for 1 min 15 s: counts as down"},
	{"stale: up", VERDICT_DOWN, "on fire", STALE, STALE_UP,
		"up: no word for 1 min 15 s: counts as up"},
	{"stale: last, which was up", VERDICT_UP, "", STALE, STALE_LAST,
		"up: no word for 1 min 15 s: its last state stays"},
	{"stale: last, which was down", VERDICT_DOWN, "on fire", STALE, STALE_LAST,
		"down: on fire; no word for 1 min 15 s: its last state stays"},
	{"stale: last, which was degraded", VERDICT_DEGRADED, "", STALE, STALE_LAST,
		"degraded: said to be degraded; no word for 1 min 15 s: its last state stays"},
	{"older than the machine", VERDICT_UP, "", LINK_PUSHED_AGE_MAX_MS, STALE_LAST,
		"up: no word for 12725 d 19 h: its last state stays"},
};

static void each_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct one one;

		init(&one, words[i].on_stale);
		push_of_age(&one, words[i].state, words[i].reason, words[i].age_ms);
		one_expect(&one, words[i].want, words[i].about);
		/* and again, for nothing was said meanwhile */
		one_expect(&one, words[i].want, words[i].about);
		one_done(&one);
	}
}

static void last_word_counts(void **state)
{
	struct one one;

	(void)state;
	init(&one, STALE_DOWN);
	push_of_age(&one, VERDICT_UP, "", 0);
	push_of_age(&one, VERDICT_DOWN, "on fire", 0);
	one_expect(&one, "down: on fire", "the second of two");
	push_of_age(&one, VERDICT_UP, "put out", 0);
	one_expect(&one, "up: put out", "the third");
	probes_take_word(one.probes,
		&(struct link_pushed){
			.key = "script@192.0.2.99", .state = VERDICT_DOWN, .reason = ""});
	one_expect(&one, "up: put out", "what is said of others changes nothing");
	one_done(&one);
}

#define SILENT "skipped: nobody has said anything yet"

/* Nobody has said anything: for max-age that is no reason to believe anything. */
static void silence(void **state)
{
	struct one one;
	unsigned ms;

	(void)state;
	init(&one, STALE_DOWN);
	one_expect(&one, SILENT, "silence that may last for a minute");
	push_of_age(&one, VERDICT_UP, "", 0);
	one_expect(&one, "up", "a word that ends the silence");
	one_done(&one);

	init(&one, STALE_DOWN);
	one.monitor.max_age_ms = 10;
	one_expect(&one, SILENT, "the first check");
	do {
		one_start(&one);
		one_await(&one, "silence that lasts too long");
	} while (one.result.is_skipped);
	assert_false(one.result.passed);
	assert_int_equal(sscanf(one.reason, "no word for %u ms: counts as down", &ms), 1);
	assert_true(ms > 10);
	one_done(&one);

	init(&one, STALE_LAST);
	one.monitor.max_age_ms = 1;
	one_expect(&one, SILENT, "nothing that could go on");
	usleep(5000);
	one_expect(&one, SILENT, "nothing that could go on, for as long as it takes");
	one_done(&one);
}

/* New orders: what they do not know is forgotten. */
static void obey(void **state)
{
	struct one one;

	(void)state;
	init(&one, STALE_DOWN);
	push_of_age(&one, VERDICT_DOWN, "on fire", 0);
	one_expect(&one, "down: on fire", "a word");
	one.target.key = "script@192.0.2.2";
	one_expect(&one, SILENT, "another target, by orders without the first");
	one.target.key = "script@127.0.0.1";
	one_expect(&one, SILENT, "a target that was gone meanwhile");
	one_done(&one);
}

/* ---- text of files ---- */

static const struct {
	const char *text;
	const char *address;
	const char *want; /* "STATE REASON"; "": no line for it */
} lines[] = {
	{"192.0.2.1 up\n", "192.0.2.1", "1 "},
	{"192.0.2.1 degraded\n", "192.0.2.1", "2 "},
	{"192.0.2.1 down\n", "192.0.2.1", "3 "},
	{"  192.0.2.1\t down \t on fire  \n", "192.0.2.1", "3 on fire"},
	{"192.0.2.1 down # is no comment\n", "192.0.2.1", "3 # is no comment"},
	{"# 192.0.2.1 down\n  # nor this\n\n \t\n192.0.2.1 up\n", "192.0.2.1", "1 "},
	{"192.0.2.1 up\r\n192.0.2.2 down late\r\n", "192.0.2.2", "3 late"},
	{"2001:DB8::1 down\n", "2001:db8::1", "3 "},
	{"192.0.2.3 up\n192.0.2.1 down\n192.0.2.2 degraded\n", "192.0.2.2", "2 "},
	{"* down all\n192.0.2.1 up\n", "192.0.2.1", "1 "},
	{"192.0.2.1 up\n* down all\n", "192.0.2.2", "3 all"},
	{"* down all\n", "2001:db8::1", "3 all"},
	{"192.0.2.1 up\n", "192.0.2.2", ""},
	{"192.0.2.1 up\n", "::ffff:192.0.2.1", ""},
	{"", "192.0.2.1", ""},
	{"# nothing\n", "192.0.2.1", ""},
};

static void good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct arena *arena = arena_new();
		struct report report = {0};
		struct push_entries entries;
		struct address address;
		char got[128] = "";

		assert_true(address_parse(lines[i].address, &address));
		if (!push_file_parse(
			    lines[i].text, strlen(lines[i].text), "f", arena, &entries, &report))
			fail_msg("%s: %s", lines[i].text, report.lines.bytes);

		const struct push_entry *entry = push_file_find(&entries, &address);

		if (entry)
			snprintf(got, sizeof(got), "%u %s", entry->state, entry->reason);
		if (strcmp(got, lines[i].want) != 0)
			fail_msg("%s: '%s'", lines[i].text, got);
		report_done(&report);
		arena_free(arena);
	}
}

static const struct {
	const char *text;
	const char *want;
} mistakes[] = {
	{"192.0.2.1 upp\n", "f:1:11: 'upp' is not up, degraded or down\n"},
	{"192.0.2.1 UP\n", "f:1:11: 'UP' is not up, degraded or down\n"},
	{"192.0.2.1 unknown\n", "f:1:11: 'unknown' is not up, degraded or down\n"},
	{"192.0.2.1\n", "f:1:10: no state: up, degraded or down\n"},
	{"\n\n  edge.example up\n", "f:3:3: 'edge.example' is no address, nor '*'\n"},
	{"192.0.2.0/24 up\n", "f:1:1: '192.0.2.0/24' is no address, nor '*'\n"},
	{"** up\n", "f:1:1: '**' is no address, nor '*'\n"},
	{"up\n", "f:1:1: 'up' is no address, nor '*'\n"},
	{"192.0.2.1 up\n192.0.2.2 up\n192.0.2.1 down\n",
		"f:3:1: '192.0.2.1' again: it is in line 1 already\n"},
	{"* up\n* up\n", "f:2:1: '*' again: it is in line 1 already\n"},
	{"x up\n192.0.2.1 on\n",
		"f:1:1: 'x' is no address, nor '*'\nf:2:11: 'on' is not up, degraded or down\n"},
	{"\033[2J up\n", "f:1:1: '\\027[2J' is no address, nor '*'\n"},
};

static void bad_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		struct arena *arena = arena_new();
		struct report report = {0};
		struct push_entries entries;

		assert_false(push_file_parse(
			mistakes[i].text, strlen(mistakes[i].text), "f", arena, &entries, &report));
		assert_string_equal(report.lines.bytes, mistakes[i].want);
		report_done(&report);
		arena_free(arena);
	}
}

static bool parses(const struct text *text, struct report *report)
{
	struct arena *arena = arena_new();
	struct push_entries entries;
	bool done = push_file_parse(text->bytes, text->size, "f", arena, &entries, report);

	arena_free(arena);
	return done;
}

/* What is too long, what is no text, and what has more mistakes than anybody reads. */
static void bounds(void **state)
{
	struct text text = {0};
	struct report report = {0};

	(void)state;
	text_add(&text, "* down ");
	while (text.size < PUSH_FILE_LINE_MAX)
		text_add(&text, "x");
	text_add(&text, "\n");
	assert_true(parses(&text, &report));

	text_clear(&text);
	text_add(&text, "* down ");
	while (text.size <= PUSH_FILE_LINE_MAX)
		text_add(&text, "x");
	text_add(&text, "\n");
	assert_false(parses(&text, &report));
	assert_string_equal(report.lines.bytes, "f:1: a line of more than 1024 octets\n");
	report_done(&report);

	text_clear(&text);
	text_add_bytes(&text, "* do\0wn\n", 8);
	assert_false(parses(&text, &report));
	assert_string_equal(report.lines.bytes, "f:1: a line with a NUL octet is no text\n");
	report_done(&report);

	text_clear(&text);
	for (int i = 0; i < 1000; i++)
		text_add(&text, "nonsense\n");
	assert_false(parses(&text, &report));
	assert_int_equal(report.error_count, 20);
	report_done(&report);
	text_done(&text);
}

/* ---- files that change ---- */

struct folder {
	char directory[64];
	char path[96];
	char log[96];
	int stderr_fd;
};

static void open_folder(struct folder *folder)
{
	snprintf(folder->directory, sizeof(folder->directory), "/tmp/steerd-push-XXXXXX");
	assert_non_null(mkdtemp(folder->directory));
	snprintf(folder->path, sizeof(folder->path), "%s/edge.txt", folder->directory);
	snprintf(folder->log, sizeof(folder->log), "%s/log", folder->directory);

	/* what is logged is looked at */
	int fd = open(folder->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	folder->stderr_fd = dup(STDERR_FILENO);
	assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
}

static void close_folder(struct folder *folder)
{
	char command[128];

	dup2(folder->stderr_fd, STDERR_FILENO);
	close(folder->stderr_fd);
	snprintf(command, sizeof(command), "rm -rf %s", folder->directory);
	assert_int_equal(system(command), 0);
}

/* Written beside it and renamed, as whoever writes it should. */
static void write_file(const struct folder *folder, const char *text)
{
	struct err err;

	assert_true(file_replace(folder->path, FILE_MODE, text, strlen(text), &err));
}

static void make_old(const struct folder *folder, time_t age_s)
{
	const struct timespec times[2] = {
		{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};

	assert_int_equal(utimensat(AT_FDCWD, folder->path, times, 0), 0);
}

/* How often the log says so. */
static size_t count_logged(const struct folder *folder, const char *words_wanted)
{
	struct text text = {0};
	struct err err;
	size_t count = 0;

	assert_true(file_read(folder->log, 1 << 20, &text, &err));
	for (const char *at = text.bytes; (at = strstr(at, words_wanted)); at++)
		count++;
	text_done(&text);
	return count;
}

static void watched_file(void **state)
{
	struct folder folder;
	struct one one;

	(void)state;
	open_folder(&folder);
	init(&one, STALE_DOWN);
	one.monitor.push_path = folder.path;

	write_file(&folder, "127.0.0.1 up\n");
	one_expect(&one, "up", "its line");
	write_file(&folder, "127.0.0.1 down on fire\n");
	one_expect(&one, "down: on fire", "its line, changed");
	write_file(&folder, "* degraded 1 of 2\n");
	one_expect(&one, "degraded: 1 of 2", "the line for all");

	/* mistakes are said once, and lose nothing */
	write_file(&folder, "127.0.0.1 upp\n");
	one_expect(&one, "degraded: 1 of 2", "a file with a mistake");
	one_expect(&one, "degraded: 1 of 2", "a file with a mistake, again");
	assert_int_equal(count_logged(&folder, "edge.txt:1:11: 'upp' is not up"), 1);
	assert_int_equal(count_logged(&folder, "refused, 1 error; what it said before goes on"), 1);

	/* half of a file */
	write_file(&folder, "127.0.0.1 up\n127.0.0.2 do");
	one_expect(&one, "degraded: 1 of 2", "a file that is being written");
	assert_int_equal(count_logged(&folder, "has no end"), 0);
	one_expect(&one, "degraded: 1 of 2", "one that stays so");
	one_expect(&one, "degraded: 1 of 2", "one that stays so for longer");
	assert_int_equal(count_logged(&folder, "has no end"), 1);
	write_file(&folder, "127.0.0.1 up\n127.0.0.2 down\n");
	one_expect(&one, "up", "it is whole");

	/* gone, and back */
	assert_int_equal(unlink(folder.path), 0);
	one_expect(&one, "up", "it is gone");
	one_expect(&one, "up", "it is still gone");
	assert_int_equal(count_logged(&folder, "cannot open"), 1);
	write_file(&folder, "127.0.0.1 down\n");
	one_expect(&one, "down: said to be down", "it is back");
	assert_int_equal(count_logged(&folder, "there again"), 1);

	one_done(&one);
	close_folder(&folder);
}

static void file_grows_old(void **state)
{
	struct folder folder;
	struct one one;

	(void)state;
	open_folder(&folder);
	init(&one, STALE_DOWN);
	one.monitor.push_path = folder.path;

	write_file(&folder, "127.0.0.1 up\n");
	one_expect(&one, "up", "it is new");
	make_old(&folder, 75);
	one_start(&one);
	one_await(&one, "it is old");
	assert_false(one.result.passed);
	/* a second may begin meanwhile */
	if (strcmp(one.reason, "no word for 1 min 15 s: counts as down") != 0)
		assert_string_equal(one.reason, "no word for 1 min 16 s: counts as down");
	make_old(&folder, 0);
	one_expect(&one, "up", "it was touched");
	make_old(&folder, -3600);
	one_expect(&one, "up", "it is from the future");

	/* of a file and the control socket the newer word holds */
	push_of_age(&one, VERDICT_DOWN, "by hand", 0);
	make_old(&folder, 30);
	one_expect(&one, "down: by hand", "the word is newer");
	push_of_age(&one, VERDICT_DOWN, "by hand", 45000);
	one_expect(&one, "up", "the file is newer");

	/* no line: as if nobody had said anything, from now on */
	push_of_age(&one, VERDICT_DOWN, "by hand", 0);
	one.target.key = "script@127.0.0.2";
	write_file(&folder, "127.0.0.1 up\n");
	one_expect(&one, "up", "another key of the same address");
	write_file(&folder, "127.0.0.9 up\n");
	one_expect(&one, SILENT, "its line is gone");

	one_done(&one);
	close_folder(&folder);
}

/* No file yet; and then there is. */
static void file_ends_silence(void **state)
{
	struct folder folder;
	struct one one;

	(void)state;
	open_folder(&folder);
	init(&one, STALE_LAST);
	one.monitor.push_path = folder.path;
	one_expect(&one, SILENT, "no file yet");
	one_expect(&one, SILENT, "still none");
	assert_int_equal(count_logged(&folder, "it says nothing yet"), 1);
	write_file(&folder, "* up\n");
	one_expect(&one, "up", "the file is there");
	one_done(&one);
	close_folder(&folder);
}

/* ---- on the link ---- */

static void link_frames(void **state)
{
	const struct link_pushed pushed = {.key = "fed@192.0.2.1",
		.state = VERDICT_DEGRADED,
		.reason = "11 of 12",
		.age_ms = 1234};
	struct arena *arena = arena_new();
	struct text frame = {0};
	struct link_pushed back;
	enum link_kind kind;
	const uint8_t *body;
	size_t size;
	struct err err;

	(void)state;
	link_write_pushed(&pushed, &frame);
	assert_true(link_find_frame(frame.bytes, frame.size, &kind, &body, &size));
	assert_int_equal(size, frame.size);
	assert_int_equal(kind, LINK_PUSHED);
	size -= LINK_FRAME_HEADER;
	assert_true(link_read_pushed(body, size, arena, &back, &err));
	assert_string_equal(back.key, pushed.key);
	assert_string_equal(back.reason, pushed.reason);
	assert_int_equal(back.state, pushed.state);
	assert_int_equal(back.age_ms, pushed.age_ms);

	/* whatever is missing, or too much */
	for (size_t i = 0; i < size; i++)
		assert_false(link_read_pushed(body, i, arena, &back, &err));
	text_add(&frame, "x");
	body = (const uint8_t *)frame.bytes + LINK_FRAME_HEADER;
	assert_false(link_read_pushed(body, size + 1, arena, &back, &err));
	text_done(&frame);
	arena_free(arena);
}

static const struct {
	const char *about;
	struct link_pushed pushed;
} impossible[] = {
	{"no key", {.key = "", .state = VERDICT_UP, .reason = ""}},
	{"a NULL key", {.key = NULL, .state = VERDICT_UP, .reason = ""}},
	{"a key of two lines", {.key = "a\nb", .state = VERDICT_UP, .reason = ""}},
	{"a reason of two lines", {.key = "a", .state = VERDICT_UP, .reason = "x\ny"}},
	{"an unknown state", {.key = "a", .state = VERDICT_UNKNOWN, .reason = ""}},
	{"no state", {.key = "a", .state = 4, .reason = ""}},
	{"older than can be",
		{.key = "a",
			.state = VERDICT_UP,
			.reason = "",
			.age_ms = LINK_PUSHED_AGE_MAX_MS + 1}},
};

static void link_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(impossible); i++) {
		struct arena *arena = arena_new();
		struct text frame = {0};
		struct link_pushed back;
		struct err err;

		link_write_pushed(&impossible[i].pushed, &frame);
		if (link_read_pushed((const uint8_t *)frame.bytes + LINK_FRAME_HEADER,
			    frame.size - LINK_FRAME_HEADER, arena, &back, &err))
			fail_msg("taken: %s", impossible[i].about);
		text_done(&frame);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word),
		cmocka_unit_test(last_word_counts),
		cmocka_unit_test(silence),
		cmocka_unit_test(obey),
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(bounds),
		cmocka_unit_test(watched_file),
		cmocka_unit_test(file_grows_old),
		cmocka_unit_test(file_ends_silence),
		cmocka_unit_test(link_frames),
		cmocka_unit_test(link_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
