/* SPDX-License-Identifier: Apache-2.0 */
#include "mmdb.h"

#include <ctype.h>
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mmdb_data.h"
#include "steerd/base/memory.h"

/* Zero bytes between tree and data; a record's value counts them in. */
#define SEPARATOR_SIZE 16

/* The metadata begins behind the last marker, which is this near the end of the file. */
#define METADATA_SIZE_MAX ((size_t)128 * 1024)
static const char marker[] = "\xab\xcd\xefMaxMind.com";

/*
 * Most items that are looked at in one description.  Real ones have 10 to 150, eight languages included; a
 * hostile file could make each of a million networks share one large description.
 */
#define DESCRIPTION_ITEMS_MAX 4096

struct metadata {
	uint64_t major_version;
	uint64_t node_count;
	uint64_t record_bits;
	uint64_t ip_version;
	uint64_t built_at_unix_s;
};

static const uint8_t *find_marker(const uint8_t *bytes, size_t size)
{
	size_t marker_size = sizeof(marker) - 1;
	size_t area = size < METADATA_SIZE_MAX ? size : METADATA_SIZE_MAX;
	const uint8_t *first = bytes + (size - area);

	for (size_t i = area; i >= marker_size; i--)
		if (memcmp(first + i - marker_size, marker, marker_size) == 0)
			return first + i - marker_size;
	return NULL;
}

static bool read_metadata(
	const uint8_t *bytes, size_t size, struct metadata *ret_metadata, struct err *err)
{
	static const struct mmdb_key keys[] = {MMDB_KEY("binary_format_major_version"),
		MMDB_KEY("node_count"), MMDB_KEY("record_size"), MMDB_KEY("ip_version"),
		MMDB_KEY("build_epoch")};
	struct mmdb_reader reader = {bytes, size, DESCRIPTION_ITEMS_MAX, NULL};
	struct mmdb_value values[COUNT_OF(keys)];
	struct mmdb_value map = mmdb_read_value(&reader, 0);

	mmdb_read_map(&reader, map, keys, COUNT_OF(keys), values);
	*ret_metadata = (struct metadata){
		.major_version = mmdb_read_uint(&reader, values[0]),
		.node_count = mmdb_read_uint(&reader, values[1]),
		.record_bits = mmdb_read_uint(&reader, values[2]),
		.ip_version = mmdb_read_uint(&reader, values[3]),
		.built_at_unix_s = mmdb_read_uint(&reader, values[4]),
	};
	if (reader.failure)
		return err_set(err, "its metadata is malformed: %s", reader.failure);
	return true;
}

static bool metadata_check(const struct metadata *metadata, struct err *err)
{
	if (metadata->major_version != 2)
		return err_set(err, "it is of version %llu of the format, not 2",
			(unsigned long long)metadata->major_version);
	if (metadata->record_bits != 24 && metadata->record_bits != 28 &&
		metadata->record_bits != 32)
		return err_set(err, "its records have %llu bits, not 24, 28 or 32",
			(unsigned long long)metadata->record_bits);
	if (metadata->ip_version != 4 && metadata->ip_version != 6)
		return err_set(err, "it is for IP version %llu, not 4 or 6",
			(unsigned long long)metadata->ip_version);
	if (metadata->node_count == 0 || metadata->node_count > UINT32_MAX - SEPARATOR_SIZE)
		return err_set(err, "it has a tree of %llu nodes",
			(unsigned long long)metadata->node_count);
	return true;
}

/* What a node leads to, by the next bit of an address. */
struct node {
	uint32_t records[2];
};

/* Both records stand in a row, but of 28 bits the first has its upper four behind the others, in the byte in the middle.
 * Eight bytes are always there: behind the tree is the separator. */
static inline struct node node_read(const struct mmdb *mmdb, uint32_t node)
{
	unsigned bits = mmdb->record_bits;
	uint64_t both;

	memcpy(&both, mmdb->tree + (size_t)node * bits / 4, sizeof(both));
	both = be64toh(both) >> (64 - 2 * bits);

	uint32_t first = (uint32_t)(both >> bits);
	uint32_t second = (uint32_t)(both & UINT32_MAX >> (32 - bits));

	if (bits == 28)
		first = (first & 15) << 24 | first >> 4;
	return (struct node){{first, second}};
}

static void find_ipv4_root(struct mmdb *mmdb)
{
	mmdb->ipv4_root = 0;
	mmdb->ipv4_depth = 0;
	while (mmdb->ip_version == 6 && mmdb->ipv4_depth < 96 &&
		mmdb->ipv4_root < mmdb->node_count) {
		mmdb->ipv4_root = node_read(mmdb, mmdb->ipv4_root).records[0];
		mmdb->ipv4_depth++;
	}
}

bool mmdb_open(const void *bytes, size_t size, struct mmdb *ret_mmdb, struct err *err)
{
	static const uint8_t separator[SEPARATOR_SIZE];
	const uint8_t *begin = bytes;
	const uint8_t *metadata_at = find_marker(begin, size);
	struct metadata metadata;

	if (!metadata_at)
		return err_set(err, "it is no MaxMind DB: there is no metadata at its end");

	const uint8_t *map = metadata_at + sizeof(marker) - 1;

	if (!read_metadata(map, (size_t)(begin + size - map), &metadata, err) ||
		!metadata_check(&metadata, err))
		return false;

	size_t tree_size = (size_t)(metadata.node_count * metadata.record_bits / 4);
	size_t before_metadata = (size_t)(metadata_at - begin);

	if (before_metadata < tree_size || before_metadata - tree_size < SEPARATOR_SIZE)
		return err_set(err, "it is cut off: its tree of %llu nodes does not fit",
			(unsigned long long)metadata.node_count);
	if (memcmp(begin + tree_size, separator, sizeof(separator)) != 0)
		return err_set(err, "its tree does not end where its metadata says");

	struct mmdb mmdb = {
		.tree = begin,
		.node_count = (uint32_t)metadata.node_count,
		.record_bits = (unsigned)metadata.record_bits,
		.ip_version = (unsigned)metadata.ip_version,
		.data = begin + tree_size + SEPARATOR_SIZE,
		.data_size = before_metadata - tree_size - SEPARATOR_SIZE,
		.built_at_unix_s = metadata.built_at_unix_s,
	};

	find_ipv4_root(&mmdb);
	if (mmdb.ip_version == 6 && mmdb.ipv4_root == 0)
		return err_set(err, "its tree has a loop");
	*ret_mmdb = mmdb;
	return true;
}

/* Where the value of a record that is no node leads. */
static bool data_of_record(
	const struct mmdb *mmdb, uint32_t record, size_t *ret_described_at, struct err *err)
{
	size_t beyond = record - mmdb->node_count;

	if (beyond == 0) {
		*ret_described_at = MMDB_NOTHING;
		return true;
	}
	if (beyond < SEPARATOR_SIZE || beyond - SEPARATOR_SIZE >= mmdb->data_size)
		return err_set(err, "its tree leads outside its data");
	*ret_described_at = beyond - SEPARATOR_SIZE;
	return true;
}

/* A node or a leaf, and where its addresses begin. */
struct visit {
	uint64_t start;
	uint32_t record;
	unsigned depth;
};

/* Upper halves that wait for the lower ones, so that addresses come in order: one at most for each bit of an address. */
struct walk {
	const struct mmdb *mmdb;
	struct visit waiting[128];
	size_t count;
	unsigned depth_max;  /* 32 or 128 */
	unsigned start_bits; /* 32 or 64 */
	uint32_t skipped;    /* a node that leads to nothing here */
	uint64_t budget;     /* of visits */
};

static bool is_node(const struct walk *walk, uint32_t record)
{
	return record < walk->mmdb->node_count && record != walk->skipped;
}

/* Goes down to the first leaf below. */
static bool descend(struct walk *walk, struct visit *visit, struct err *err)
{
	while (is_node(walk, visit->record)) {
		struct node node = node_read(walk->mmdb, visit->record);
		unsigned depth = visit->depth;
		uint64_t bit = depth < walk->start_bits
			? UINT64_C(1) << (walk->start_bits - 1 - depth)
			: 0;

		if (walk->budget-- == 0)
			return err_set(err, "its tree has a loop, or shares its branches");
		if (depth == walk->depth_max)
			return err_set(err, "its tree is deeper than an address is long");
		walk->waiting[walk->count++] =
			(struct visit){visit->start | bit, node.records[1], depth + 1};
		visit->record = node.records[0];
		visit->depth = depth + 1;
	}
	return true;
}

static bool visit_leaf(const struct mmdb *mmdb, const struct visit *visit, mmdb_network_fn call,
	void *context, struct err *err)
{
	struct mmdb_network network = {visit->start, visit->depth, MMDB_NOTHING};

	if (visit->record >= mmdb->node_count &&
		!data_of_record(mmdb, visit->record, &network.described_at, err))
		return false;
	return call(context, &network, err);
}

bool mmdb_walk(const struct mmdb *mmdb, enum address_family family, mmdb_network_fn call,
	void *context, struct err *err)
{
	bool is_ipv4 = family == ADDRESS_IPV4;
	struct visit visit = {0, is_ipv4 ? mmdb->ipv4_root : 0, 0};
	struct walk walk;

	if (!is_ipv4 && mmdb->ip_version == 4) {
		struct mmdb_network nothing = {0, 0, MMDB_NOTHING};

		return call(context, &nothing, err);
	}
	walk.mmdb = mmdb;
	walk.count = 0;
	walk.depth_max = is_ipv4 ? 32 : 128;
	walk.start_bits = is_ipv4 ? 32 : 64;
	walk.skipped = is_ipv4 ? UINT32_MAX : mmdb->ipv4_root;
	walk.budget = 2 * (uint64_t)mmdb->node_count + 2048;
	for (;;) {
		if (!descend(&walk, &visit, err) || !visit_leaf(mmdb, &visit, call, context, err))
			return false;
		if (walk.count == 0)
			return true;
		visit = walk.waiting[--walk.count];
	}
}

static unsigned address_bit(const struct address *address, unsigned index)
{
	return address->bytes[index / 8] >> (7 - index % 8) & 1u;
}

bool mmdb_find(const struct mmdb *mmdb, const struct address *address, struct prefix *ret_network,
	size_t *ret_described_at, struct err *err)
{
	bool is_ipv4 = address->family == ADDRESS_IPV4;
	uint32_t record = is_ipv4 ? mmdb->ipv4_root : 0;
	unsigned depth = 0;

	if (!is_ipv4 && mmdb->ip_version == 4)
		record = mmdb->node_count;
	while (record < mmdb->node_count && depth < address_bits(address))
		record = node_read(mmdb, record).records[address_bit(address, depth++)];
	if (record < mmdb->node_count)
		return err_set(err, "its tree is deeper than an address is long");
	if (!data_of_record(mmdb, record, ret_described_at, err))
		return false;
	*ret_network = prefix_of(address, depth);
	return true;
}

static struct mmdb_reader description_reader(const struct mmdb *mmdb)
{
	return (struct mmdb_reader){mmdb->data, mmdb->data_size, DESCRIPTION_ITEMS_MAX, NULL};
}

static bool malformed(struct err *err, size_t described_at, const char *why)
{
	return err_set(err, "its description at offset %zu is malformed: %s", described_at, why);
}

bool mmdb_read_position(const struct mmdb *mmdb, size_t described_at,
	struct mmdb_position *ret_position, struct err *err)
{
	static const struct mmdb_key location_key[] = {MMDB_KEY("location")};
	static const struct mmdb_key keys[] = {
		MMDB_KEY("latitude"), MMDB_KEY("longitude"), MMDB_KEY("accuracy_radius")};
	struct mmdb_reader reader = description_reader(mmdb);
	struct mmdb_value description = mmdb_read_value(&reader, described_at);
	struct mmdb_value values[COUNT_OF(keys)];
	struct mmdb_position position = {.is_known = false};
	struct mmdb_value location;

	mmdb_read_map(&reader, description, location_key, 1, &location);
	if (location.type == MMDB_NONE) /* the flat schema */
		location = description;
	mmdb_read_map(&reader, location, keys, COUNT_OF(keys), values);

	struct mmdb_value latitude = values[0];
	struct mmdb_value longitude = values[1];

	if (latitude.type != MMDB_NONE && longitude.type != MMDB_NONE) {
		position.is_known = true;
		position.at.latitude = mmdb_read_real(&reader, latitude);
		position.at.longitude = mmdb_read_real(&reader, longitude);
	}
	if (position.is_known && values[2].type != MMDB_NONE)
		position.accuracy_km = (uint32_t)mmdb_read_uint(&reader, values[2]);
	if (reader.failure)
		return malformed(err, described_at, reader.failure);
	/* written so that a NaN fails */
	if (!(fabs(position.at.latitude) <= 90) || !(fabs(position.at.longitude) <= 180))
		return malformed(err, described_at, "its position is nowhere on Earth");
	*ret_position = position;
	return true;
}

/* A string, cut to the room that there is; control characters do not get into people's terminals. */
static void copy_name(
	const struct mmdb_reader *reader, struct mmdb_value value, char *ret_name, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; value.type == MMDB_STRING && i < value.size && used + 1 < size; i++) {
		uint8_t byte = reader->bytes[value.at + i];

		ret_name[used++] = (char)(iscntrl(byte) ? '?' : byte);
	}
	ret_name[used] = '\0';
}

bool mmdb_read_names(
	const struct mmdb *mmdb, size_t described_at, struct mmdb_names *ret_names, struct err *err)
{
	static const struct mmdb_key keys[] = {
		MMDB_KEY("city"), MMDB_KEY("country"), MMDB_KEY("country_code")};
	static const struct mmdb_key names_key[] = {MMDB_KEY("names")};
	static const struct mmdb_key english_key[] = {MMDB_KEY("en")};
	static const struct mmdb_key code_key[] = {MMDB_KEY("iso_code")};
	struct mmdb_reader reader = description_reader(mmdb);
	struct mmdb_value top[COUNT_OF(keys)];
	struct mmdb_value city;
	struct mmdb_value country;

	mmdb_read_map(&reader, mmdb_read_value(&reader, described_at), keys, COUNT_OF(keys), top);
	mmdb_read_map(&reader, top[0], names_key, 1, &city);
	mmdb_read_map(&reader, city, english_key, 1, &city);
	mmdb_read_map(&reader, top[1], code_key, 1, &country);
	if (reader.failure)
		return malformed(err, described_at, reader.failure);
	city = city.type != MMDB_NONE ? city : top[0];
	country = country.type != MMDB_NONE ? country : top[2];
	copy_name(&reader, city, ret_names->city, sizeof(ret_names->city));
	copy_name(&reader, country, ret_names->country, sizeof(ret_names->country));
	return true;
}
