/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/dns/name.h"

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define L61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static const struct {
	const char *text;
	const char *want; /* printed again; NULL: refused */
} texts[] = {
	{".", "."},
	{"example", "example."},
	{"Dl.Files.EXAMPLE.", "dl.files.example."},
	{"a\\.b.c", "a\\.b.c."},
	{"a\\046b.c", "a\\.b.c."},
	{"\\000x.y", "\\000x.y."},
	{"\\255\\065.y", "\\255a.y."},
	{"*.x", "*.x."},
	{"\\[{@`.y", "[{\\@`.y."},
	{L63 ".x", L63 ".x."},
	{L63 "." L63 "." L63 "." L61, L63 "." L63 "." L63 "." L61 "."}, /* 255 octets */
	{"", NULL},
	{"..", NULL},
	{".x", NULL},
	{"a..b", NULL},
	{"a\\", NULL},
	{"a\\25", NULL},
	{"a\\2x5", NULL},
	{"a\\256", NULL},
	{L63 "a.x", NULL},
	{L63 "." L63 "." L63 "." L61 "a", NULL},
	{L63 "." L63 "." L63 "." L61 ".b", NULL},
};

/* RFC 1035 5.1, 2.3.4 */
static void texts_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct name_key key;
		struct err err;
		char text[NAME_TEXT_SIZE];
		bool done = name_parse(texts[i].text, &key, &err);

		if (done != (texts[i].want != NULL))
			fail_msg("'%s': %s", texts[i].text, done ? "taken" : err.text);
		if (!done)
			continue;
		name_print(key.wire, text);
		assert_string_equal(text, texts[i].want);
		assert_int_equal(name_size(key.wire), key.size);
	}
}

static const struct {
	const char *about;
	const char *wire;
	size_t size;
	size_t want;
} wires[] = {
	{"root", "", 1, 1},
	{"two labels", "\3www\2de", 8, 8},
	{"octets behind it", "\1a\0\0\1\0\1", 7, 3},
	{"nothing", "", 0, 0},
	{"cut in a label", "\3ww", 3, 0},
	{"cut before the root", "\3www", 4, 0},
	{"a pointer at once", "\xc0\x0c", 2, 0},
	{"a pointer behind a label", "\1a\xc0\x0c", 4, 0},
	{"label type 0x40", "\x41x\0", 3, 0},
	{"label type 0x80", "\x81x\0", 3, 0},
};

/* RFC 9267 2: what is no name of its own is none */
static void wires_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wires); i++) {
		struct name_key key;
		uint8_t *exact = memory_copy(wires[i].wire, wires[i].size);

		if (name_key_read(exact, wires[i].size, &key) != wires[i].want)
			fail_msg("%s", wires[i].about);
		free(exact);
	}
}

/* RFC 1035 2.3.4 */
static void longest_names(void **state)
{
	uint8_t wire[300];
	struct name_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = i % 2 == 0 ? 1 : 'X';
	wire[254] = 0; /* 127 labels of one octet and the root */
	assert_int_equal(name_key_read(wire, sizeof(wire), &key), 255);
	assert_int_equal(key.label_count, 127);
	assert_int_equal(key.offset[127], 254);
	assert_int_equal(key.wire[253], 'x');
	wire[254] = 1;
	assert_int_equal(name_key_read(wire, sizeof(wire), &key), 0);
}

/* The key of a name holds the keys of all its suffixes, whatever their case. */
static void suffixes_hash_alike(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 7);
	for (int round = 0; round < 2000; round++) {
		uint8_t wire[DNS_NAME_MAX + 1];
		size_t size = 0;
		struct name_key whole;

		while (size < 180 && random_below(&random, 6) > 0) {
			uint8_t label = (uint8_t)(1 + random_below(&random, 63));

			wire[size++] = label;
			while (label-- > 0)
				wire[size++] = (uint8_t)random_below(&random, 256);
		}
		wire[size++] = 0;
		assert_int_equal(name_key_read(wire, size, &whole), size);

		struct name_tails tails;

		name_tails_make(&whole, &tails);
		for (unsigned i = 0; i <= whole.label_count; i++) {
			struct name_key suffix;

			assert_int_equal(name_key_read(whole.wire + whole.offset[i],
						 size - whole.offset[i], &suffix),
				size - whole.offset[i]);
			assert_int_equal(name_key_hash(&suffix, 0), name_key_hash(&whole, i));
			assert_int_equal(
				name_tails_hash(&tails, &whole, i), name_key_hash(&whole, i));
			assert_memory_equal(suffix.wire, whole.wire + whole.offset[i], suffix.size);
		}
	}
}

/* Names that repeat themselves are told apart: of 127 suffixes that differ in their length alone, and the same below an
 * octet of their own, no two have the same hash. */
static void lengths_hash_apart(void **state)
{
	uint32_t seen[2 * DNS_LABELS_MAX];
	size_t count = 0;

	(void)state;
	for (size_t labels = 1; labels < DNS_LABELS_MAX; labels++) {
		uint8_t wire[DNS_NAME_MAX] = {0};

		for (size_t i = 0; i < labels; i++)
			memcpy(wire + 2 * i, "\1x", 2);
		for (int round = 0; round < 2; round++, wire[1] = 'a') {
			struct name_key key;

			assert_int_equal(name_key_read(wire, sizeof(wire), &key), 2 * labels + 1);
			seen[count++] = name_key_hash(&key, 0);
		}
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
}

/* RFC 4343 3 */
static void only_ascii_letters_fold(void **state)
{
	(void)state;
	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t wire[] = {9, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)octet, 0};
		struct name_key key;
		unsigned want = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;

		wire[3] = (uint8_t)octet;
		assert_int_equal(name_key_read(wire, sizeof(wire), &key), sizeof(wire));
		assert_int_equal(key.wire[9], want);
		assert_int_equal(key.wire[3], want);
	}
}

/* However little of the message is left behind a name, it is read to its end and no further. */
static void what_follows_does_not_matter(void **state)
{
	static const uint8_t name[] = "\3WWW\5Files\7EXAMPLE";

	(void)state;
	for (size_t rest = 0; rest <= 40; rest++) {
		uint8_t *message = memory_new(sizeof(name) + rest); /* exact, for sanitizers */
		struct name_key key;

		memcpy(message, name, sizeof(name));
		memset(message + sizeof(name), 'X', rest);
		assert_int_equal(name_key_read(message, sizeof(name) + rest, &key), sizeof(name));
		assert_int_equal(key.size, sizeof(name));
		assert_memory_equal(key.wire, "\3www\5files\7example\0\0\0\0\0\0\0\0", 27);
		free(message);
	}
}

/* A name at the end of a page behind which there is none. */
static void nothing_behind_is_read(void **state)
{
	static const uint8_t wire[] = "\3WWW\7example";
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct name_key key;

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	memcpy(pages + page - sizeof(wire), wire, sizeof(wire));
	name_key_of(pages + page - sizeof(wire), &key);
	assert_int_equal(key.size, sizeof(wire));
	assert_memory_equal(key.wire, "\3www\7example", sizeof(wire));
	assert_int_equal(munmap(pages, 2 * page), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_back),
		cmocka_unit_test(wires_read),
		cmocka_unit_test(longest_names),
		cmocka_unit_test(suffixes_hash_alike),
		cmocka_unit_test(lengths_hash_apart),
		cmocka_unit_test(only_ascii_letters_fold),
		cmocka_unit_test(what_follows_does_not_matter),
		cmocka_unit_test(nothing_behind_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
