/* SPDX-License-Identifier: Apache-2.0 */

/* The reader of MaxMind DB files: what it finds in good ones, and how it refuses bad ones. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mmdb.h"
#include "mmdb_writer.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"

/* Two networks of IPv4 and two of IPv6, and aliases as the real databases have them. */
static void write_combined(unsigned record_bits, bool is_flat, struct text *file)
{
	struct mmdb_writer writer = {.ip_version = 6, .record_bits = record_bits};
	size_t frankfurt = is_flat ? writer_flat(&writer, 50.11f, 8.68f, "DE", "Frankfurt am Main")
				   : writer_nested(&writer, 50.11, 8.68, "DE", "Frankfurt am Main");
	size_t singapore = is_flat ? writer_flat(&writer, 1.35f, 103.99f, "SG", "")
				   : writer_nested(&writer, 1.35, 103.99, "SG", "");

	writer_add(&writer, "20.0.0.0/8", frankfurt);
	writer_add(&writer, "20.1.2.0/24", singapore);
	writer_add(&writer, "2a00::/12", frankfurt);
	writer_add(&writer, "2a00:1:2:3:4::/80", singapore);
	writer_alias(&writer, "::ffff:0:0/96");
	writer_alias(&writer, "2002::/16");
	writer_alias(&writer, "2001::/32");
	writer_finish(&writer, file);
}

static const struct {
	const char *address;
	const char *network;
	double latitude; /* 0: nothing is known */
	const char *city;
	const char *country;
} places[] = {
	{"20.0.0.0", "20.0.0.0/16", 50.11, "Frankfurt am Main", "DE"},
	{"20.255.255.255", "20.128.0.0/9", 50.11, "Frankfurt am Main", "DE"},
	{"20.1.2.3", "20.1.2.0/24", 1.35, "", "SG"},
	{"20.1.3.0", "20.1.3.0/24", 50.11, "Frankfurt am Main", "DE"},
	{"21.0.0.0", "21.0.0.0/8", 0, "", ""},
	{"2a00:1:2:3:4:5:6:7", "2a00:1:2:3:4::/80", 1.35, "", "SG"},
	{"2a00:1:2:3:5::", "2a00:1:2:3:5::/80", 50.11, "Frankfurt am Main", "DE"},
	{"2a10::", "2a10::/12", 0, "", ""},
	{"3000::", "3000::/4", 0, "", ""},
};

static void check_places(const struct mmdb *mmdb, const char *about)
{
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct mmdb_position position = {.is_known = false};
		struct mmdb_names names = {.city = ""};
		struct address address;
		struct prefix network;
		size_t at;
		struct err err;
		char text[PREFIX_TEXT_SIZE];

		assert_true(address_parse(places[i].address, &address));
		assert_true(mmdb_find(mmdb, &address, &network, &at, &err));
		if (at != MMDB_NOTHING) {
			assert_true(mmdb_read_position(mmdb, at, &position, &err));
			assert_true(mmdb_read_names(mmdb, at, &names, &err));
		}
		prefix_print(&network, text);
		if (strcmp(text, places[i].network) != 0)
			fail_msg("%s: %s is in %s", about, places[i].address, text);
		if (position.is_known != (places[i].latitude != 0) ||
			(position.is_known &&
				(position.at.latitude < places[i].latitude - 1e-5 ||
					position.at.latitude > places[i].latitude + 1e-5)))
			fail_msg("%s: %s is at %f", about, places[i].address, position.at.latitude);
		assert_string_equal(names.city, places[i].city);
		assert_string_equal(names.country, places[i].country);
	}
}

static void both_schemas_and_all_record_sizes(void **state)
{
	(void)state;
	for (unsigned record_bits = 24; record_bits <= 32; record_bits += 4) {
		for (int is_flat = 0; is_flat < 2; is_flat++) {
			struct text file = {0};
			struct mmdb mmdb;
			struct err err;
			char about[64];

			snprintf(about, sizeof(about), "%u bits, %s", record_bits,
				is_flat ? "flat" : "nested");
			write_combined(record_bits, is_flat, &file);
			if (!mmdb_open(file.bytes, file.size, &mmdb, &err))
				fail_msg("%s: %s", about, err.text);
			assert_int_equal(mmdb.built_at_unix_s, 1780000000);
			check_places(&mmdb, about);
			text_done(&file);
		}
	}
}

static void accuracy_is_read(void **state)
{
	struct mmdb_writer writer = {.ip_version = 4, .record_bits = 24};
	size_t at = writer_nested(&writer, -33.9, 151.2, "AU", "Sydney");
	struct text file = {0};
	struct mmdb_position position;
	struct mmdb mmdb;
	struct err err;

	(void)state;
	writer_add(&writer, "20.0.0.0/8", at);
	writer_finish(&writer, &file);
	assert_true(mmdb_open(file.bytes, file.size, &mmdb, &err));
	assert_true(mmdb_read_position(&mmdb, at, &position, &err));
	assert_int_equal(position.accuracy_km, 50);
	text_done(&file);
}

/* What a walk has seen. */
struct seen {
	uint64_t next; /* where the next network must begin */
	unsigned space_bits;
	bool is_over; /* the last address was in a network */
	size_t networks;
	size_t described;
};

static bool see(void *context, const struct mmdb_network *network, struct err *err)
{
	struct seen *seen = context;
	unsigned rest = network->bits < seen->space_bits ? seen->space_bits - network->bits : 0;

	(void)err;
	if (network->bits <= seen->space_bits) {
		uint64_t size_less_one = rest == 0 ? 0 : UINT64_MAX >> (64 - rest);
		uint64_t last_of_space = UINT64_MAX >> (64 - seen->space_bits);

		assert_false(seen->is_over);
		if (network->start != seen->next)
			fail_msg("a network begins at %llx, not %llx",
				(unsigned long long)network->start, (unsigned long long)seen->next);
		seen->is_over = network->start + size_less_one == last_of_space;
		seen->next = network->start + size_less_one + 1;
	} else if (network->start >= seen->next) {
		seen->next = network->start + 1; /* the first part of a /64 */
	}
	seen->networks++;
	seen->described += network->described_at != MMDB_NOTHING;
	return true;
}

static void a_walk_has_no_gaps_and_skips_aliases(void **state)
{
	struct seen ipv4 = {.space_bits = 32};
	struct seen ipv6 = {.space_bits = 64};
	struct text file = {0};
	struct mmdb mmdb;
	struct err err;

	(void)state;
	write_combined(28, false, &file);
	assert_true(mmdb_open(file.bytes, file.size, &mmdb, &err));
	assert_true(mmdb_walk(&mmdb, ADDRESS_IPV4, see, &ipv4, &err));
	assert_true(mmdb_walk(&mmdb, ADDRESS_IPV6, see, &ipv6, &err));
	assert_true(ipv4.is_over);
	assert_true(ipv6.is_over);
	assert_int_equal(ipv4.described, 24 - 8 + 1);
	assert_int_equal(ipv6.described, 80 - 12 + 1);
	text_done(&file);
}

static void a_file_of_ipv4_knows_no_ipv6(void **state)
{
	struct mmdb_writer writer = {.ip_version = 4, .record_bits = 32};
	size_t at = writer_flat(&writer, 1, 2, "XX", "");
	struct seen ipv6 = {.space_bits = 64};
	struct seen ipv4 = {.space_bits = 32};
	struct address address;
	struct prefix network;
	struct text file = {0};
	struct mmdb mmdb;
	struct err err;

	(void)state;
	writer_add(&writer, "0.0.0.0/1", at);
	writer_finish(&writer, &file);
	assert_true(mmdb_open(file.bytes, file.size, &mmdb, &err));
	assert_true(mmdb_walk(&mmdb, ADDRESS_IPV4, see, &ipv4, &err));
	assert_true(mmdb_walk(&mmdb, ADDRESS_IPV6, see, &ipv6, &err));
	assert_int_equal(ipv4.described, 1);
	assert_int_equal(ipv6.described, 0);
	assert_true(address_parse("2a00::", &address));
	assert_true(mmdb_find(&mmdb, &address, &network, &at, &err));
	assert_true(at == MMDB_NOTHING);
	text_done(&file);
}

/* A file whose tree and data are given byte by byte: 24-bit records. */
struct raw {
	const char *about;
	uint32_t records[8][2];
	uint32_t node_count; /* as the metadata says */
	unsigned ip_version;
	const char *data;
	size_t data_size;
	const char *want; /* the refusal, NULL: taken */
};

#define DATA(bytes) bytes, sizeof(bytes) - 1

/* {"latitude": 1.0f, "longitude": 2.0f} */
#define LATITUDE "\x48latitude\x04\x08\x3f\x80\x00\x00"
#define LONGITUDE "\x49longitude\x04\x08\x40\x00\x00\x00"
#define POINT "\xe2" LATITUDE LONGITUDE

static const struct raw raws[] = {
	{"a point for everyone", {{17, 17}}, 1, 4, DATA(POINT), NULL},
	{"empty", {{1, 1}}, 1, 4, DATA(POINT), NULL},
	{"a record into the separator", {{16, 17}}, 1, 4, DATA(POINT),
		"its tree leads outside its data"},
	{"a record just behind the data", {{17, 17 + sizeof(POINT) - 1}}, 1, 4, DATA(POINT),
		"its tree leads outside its data"},
	{"a record far behind the data", {{0xffffff, 17}}, 1, 4, DATA(POINT),
		"its tree leads outside its data"},
	{"a node that is its own child", {{0, 17}}, 1, 4, DATA(POINT),
		"its tree is deeper than an address is long"},
	{"two nodes in a circle", {{1, 18}, {0, 18}}, 2, 4, DATA(POINT),
		"its tree is deeper than an address is long"},
	{"a circle of IPv6 through ::/96", {{0, 17}}, 1, 6, DATA(POINT), "its tree has a loop"},
	{"a circle of IPv6 beside ::/96", {{2, 1}, {1, 1}}, 2, 6, DATA(POINT),
		"its tree is deeper than an address is long"},
	{"no data at all", {{17, 17}}, 1, 4, DATA(""), "its tree leads outside its data"},
	{"a description that is no map", {{17, 17}}, 1, 4, DATA("\x42no"), NULL},
	{"a map cut off", {{17, 17}}, 1, 4, DATA("\xe2" LATITUDE),
		"its description at offset 0 is malformed: it goes on beyond the end of its "
		"section"},
	{"a map longer than the data", {{17, 17}}, 1, 4, DATA("\xff\xff\xff\xff" LATITUDE),
		"its description at offset 0 is malformed: it goes on beyond the end of its "
		"section"},
	{"a string longer than the data", {{17, 17}}, 1, 4, DATA("\xe1\x5f\xff\xff\xff"),
		"its description at offset 0 is malformed: it goes on beyond the end of its "
		"section"},
	{"a key that is a number", {{17, 17}}, 1, 4, DATA("\xe1\xa1\x05\x40"),
		"its description at offset 0 is malformed: it has a map with a key that is no "
		"string"},
	{"a pointer outside", {{17, 17}}, 1, 4, DATA("\x38\xff\xff\xff\xff"),
		"its description at offset 0 is malformed: it goes on beyond the end of its "
		"section"},
	{"a pointer cut off", {{17, 17}}, 1, 4, DATA("\x28\x00"),
		"its description at offset 0 is malformed: it goes on beyond the end of its "
		"section"},
	{"a pointer to itself", {{17, 17}}, 1, 4, DATA("\x20\x00"),
		"its description at offset 0 is malformed: it has a pointer to a pointer"},
	{"a double of 7 bytes", {{17, 17}}, 1, 4, DATA("\xe1\x48latitude\x67\1\2\3\4\5\6\7"),
		"its description at offset 0 is malformed: it has an item of the wrong size"},
	{"a number of 17 bytes", {{17, 17}}, 1, 4,
		DATA("\xe1\x48latitude\x11\x03"
		     "12345678901234567"),
		"its description at offset 0 is malformed: it has an item of the wrong size"},
	{"an end marker", {{17, 17}}, 1, 4, DATA("\xe1\x48latitude\x00\x06"),
		"its description at offset 0 is malformed: it has an item of unknown type"},
	{"a cache container", {{17, 17}}, 1, 4, DATA("\xe1\x48latitude\x00\x05"),
		"its description at offset 0 is malformed: it has an item of unknown type"},
	{"an extended type that is none", {{17, 17}}, 1, 4, DATA("\xe1\x48latitude\x00\x00"),
		"its description at offset 0 is malformed: it has an item of unknown type"},
	{"a latitude in words", {{17, 17}}, 1, 4, DATA("\xe2\x48latitude\x42no" LONGITUDE),
		"its description at offset 0 is malformed: it has a position that is no number"},
	{"a latitude of 91", {{17, 17}}, 1, 4,
		DATA("\xe2\x48latitude\x04\x08\x42\xb6\x00\x00" LONGITUDE),
		"its description at offset 0 is malformed: its position is nowhere on Earth"},
	{"a latitude that is no number", {{17, 17}}, 1, 4,
		DATA("\xe2\x48latitude\x04\x08\x7f\xc0\x00\x00" LONGITUDE),
		"its description at offset 0 is malformed: its position is nowhere on Earth"},
	{"a latitude alone", {{17, 17}}, 1, 4, DATA("\xe1" LATITUDE), NULL},
	{"more nodes than bytes", {{17, 17}}, 1000, 4, DATA(POINT),
		"it is cut off: its tree of 1000 nodes does not fit"},
	{"no nodes", {{17, 17}}, 0, 4, DATA(POINT), "it has a tree of 0 nodes"},
	{"IP version 5", {{17, 17}}, 1, 5, DATA(POINT), "it is for IP version 5, not 4 or 6"},
};

static void write_raw(const struct raw *raw, struct text *file)
{
	static const uint8_t separator[16];
	size_t nodes = raw->records[1][0] != 0 || raw->records[1][1] != 0 ? 2 : 1;

	for (size_t i = 0; i < nodes; i++)
		for (size_t bit = 0; bit < 2; bit++) {
			uint32_t record = raw->records[i][bit];
			uint8_t bytes[3] = {
				(uint8_t)(record >> 16), (uint8_t)(record >> 8), (uint8_t)record};

			text_add_bytes(file, bytes, sizeof(bytes));
		}
	text_add_bytes(file, separator, sizeof(separator));
	text_add_bytes(file, raw->data, raw->data_size);
	writer_metadata(file, raw->node_count, 24, raw->ip_version, 1);
}

static bool read_network(void *context, const struct mmdb_network *network, struct err *err)
{
	struct mmdb_position position;
	struct mmdb_names names;

	return network->described_at == MMDB_NOTHING ||
		(mmdb_read_position(context, network->described_at, &position, err) &&
			mmdb_read_names(context, network->described_at, &names, err));
}

/* Everything that a file can be asked. */
static bool read_all(const struct text *file, struct err *err)
{
	struct mmdb mmdb;

	return mmdb_open(file->bytes, file->size, &mmdb, err) &&
		mmdb_walk(&mmdb, ADDRESS_IPV4, read_network, &mmdb, err) &&
		mmdb_walk(&mmdb, ADDRESS_IPV6, read_network, &mmdb, err);
}

static void malformed_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(raws); i++) {
		struct text file = {0};
		struct err err = {"taken"};

		write_raw(&raws[i], &file);

		bool done = read_all(&file, &err);

		if (done != (raws[i].want == NULL) ||
			(!done && strcmp(err.text, raws[i].want) != 0))
			fail_msg("%s: %s", raws[i].about, err.text);
		text_done(&file);
	}
}

/* Each node leads twice to the next: 2^32 and 2^128 paths through a hundred nodes. */
static void shared_branches_are_refused(void **state)
{
	static const unsigned versions[] = {4, 6};

	(void)state;
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct mmdb_writer writer = {.ip_version = versions[v], .record_bits = 24};
		size_t at = writer_flat(&writer, 1, 2, "XX", "");
		size_t depth = versions[v] == 4 ? 31 : 127;
		struct text file = {0};
		struct err err;

		for (size_t i = 0; i < depth; i++) {
			bool is_last = i + 1 == depth;
			int64_t child = is_last ? WRITER_LEAF - (int64_t)at : (int64_t)i + 1;

			writer.nodes = MEMORY_GROW(writer.nodes, writer.count, &writer.capacity);
			writer.nodes[writer.count][0] = child;
			writer.nodes[writer.count][1] = child;
			writer.count++;
		}
		writer_finish(&writer, &file);
		assert_false(read_all(&file, &err));
		assert_string_equal(err.text, "its tree has a loop, or shares its branches");
		text_done(&file);
	}
}

static const struct {
	const char *about;
	unsigned char control;
	size_t depth;
	bool is_taken;
} nests[] = {
	{"arrays in arrays", 0x01, 1000, true},
	{"more arrays in arrays than one description may have", 0x01, 100000, false},
	{"maps in maps", 0xe1, 1000, true},
	{"more maps in maps than one description may have", 0xe1, 100000, false},
};

static void deep_nesting_costs_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(nests); i++) {
		struct mmdb_writer writer = {.ip_version = 4, .record_bits = 24};
		struct text nest = {0};
		struct text file = {0};
		struct err err;

		put_map(&nest, 3);
		put_string(&nest, "latitude");
		put_float(&nest, 1);
		put_string(&nest, "longitude");
		put_float(&nest, 2);
		put_string(&nest, "nest");
		for (size_t depth = 0; depth < nests[i].depth; depth++) {
			if (nests[i].control == 0x01) {
				text_add_bytes(&nest, "\x01\x04", 2); /* an array of one */
			} else {
				put_map(&nest, 1);
				put_string(&nest, "k");
			}
		}
		put_string(&nest, "end");
		writer_add(&writer, "0.0.0.0/1", writer_bytes(&writer, nest.bytes, nest.size));
		writer_finish(&writer, &file);

		bool done = read_all(&file, &err);

		if (done != nests[i].is_taken)
			fail_msg("%s: %s", nests[i].about, done ? "taken" : err.text);
		if (!done)
			assert_string_equal(err.text,
				"its description at offset 0 is malformed: it has too many items");
		text_done(&nest);
		text_done(&file);
	}
}

static void a_file_cut_anywhere_is_refused_or_read(void **state)
{
	struct text file = {0};
	struct err err;
	size_t taken = 0;

	(void)state;
	write_combined(28, false, &file);
	for (size_t size = 0; size < file.size; size++) {
		char *exact = memory_copy(file.bytes, size);
		struct text cut = {.bytes = exact, .size = size};

		taken += read_all(&cut, &err);
		free(exact);
	}
	/* only what is last may be missing, for nobody asks for it: "database_type" */
	assert_int_equal(taken, strlen("database_type") + 1 + strlen("Test-City") + 1);
	assert_true(read_all(&file, &err));
	text_done(&file);
}

static void flipped_bits_never_crash(void **state)
{
	struct random random;
	struct text file = {0};
	size_t refused = 0;

	(void)state;
	random_seed_with(&random, 7);
	write_combined(24, false, &file);
	for (size_t round = 0; round < 10000; round++) {
		char *exact = memory_copy(file.bytes, file.size);
		struct text bad = {.bytes = exact, .size = file.size};
		uint32_t flips = 1 + random_below(&random, 4);
		struct err err;

		for (uint32_t i = 0; i < flips; i++)
			exact[random_below(&random, (uint32_t)file.size)] ^=
				(char)(1 << random_below(&random, 8));
		refused += !read_all(&bad, &err);
		free(exact);
	}
	/* a flip in a name or a coordinate is not seen; in the tree or in a control byte it is */
	assert_in_range(refused, 1000, 9999);
	text_done(&file);
}

static void other_files_are_no_databases(void **state)
{
	static const char *const others[] = {
		"", "\xab\xcd\xef", "PK\x03\x04 something else", "\xab\xcd\xefMaxMind.co"};
	struct mmdb mmdb;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_false(mmdb_open(others[i], strlen(others[i]), &mmdb, &err));
		assert_string_equal(
			err.text, "it is no MaxMind DB: there is no metadata at its end");
	}
	assert_false(mmdb_open("\xab\xcd\xefMaxMind.com", 14, &mmdb, &err));
	assert_string_equal(
		err.text, "its metadata is malformed: it goes on beyond the end of its section");
	assert_false(mmdb_open("\xab\xcd\xefMaxMind.com\xe0", 15, &mmdb, &err));
	assert_string_equal(
		err.text, "its metadata is malformed: it has no number where one must be");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_schemas_and_all_record_sizes),
		cmocka_unit_test(accuracy_is_read),
		cmocka_unit_test(a_walk_has_no_gaps_and_skips_aliases),
		cmocka_unit_test(a_file_of_ipv4_knows_no_ipv6),
		cmocka_unit_test(malformed_files_are_refused),
		cmocka_unit_test(shared_branches_are_refused),
		cmocka_unit_test(deep_nesting_costs_nothing),
		cmocka_unit_test(a_file_cut_anywhere_is_refused_or_read),
		cmocka_unit_test(flipped_bits_never_crash),
		cmocka_unit_test(other_files_are_no_databases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
