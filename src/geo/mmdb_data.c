/* SPDX-License-Identifier: Apache-2.0 */
#include "mmdb_data.h"

#include <endian.h>
#include <string.h>

#include "steerd/base/memory.h"

static struct mmdb_value fail(struct mmdb_reader *reader, const char *why)
{
	if (!reader->failure)
		reader->failure = why;
	reader->item_budget = 0;
	return (struct mmdb_value){.type = MMDB_NONE};
}

static struct mmdb_value fail_beyond_end(struct mmdb_reader *reader)
{
	return fail(reader, "it goes on beyond the end of its section");
}

/* Content of each type: bytes for each unit of size at the least, and how large that may be (0: there is no such type). */
static const struct {
	uint8_t unit;
	uint8_t size_min;
	uint32_t size_max;
} types[16] = {
	[MMDB_STRING] = {1, 0, UINT32_MAX},
	[MMDB_DOUBLE] = {1, 8, 8},
	[MMDB_BYTES] = {1, 0, UINT32_MAX},
	[MMDB_UINT16] = {1, 0, 2},
	[MMDB_UINT32] = {1, 0, 4},
	[MMDB_MAP] = {2, 0, UINT32_MAX}, /* a pair is two bytes at least */
	[MMDB_INT32] = {1, 0, 4},
	[MMDB_UINT64] = {1, 0, 8},
	[MMDB_UINT128] = {1, 0, 16},
	[MMDB_ARRAY] = {1, 0, UINT32_MAX},
	[MMDB_BOOLEAN] = {0, 0, 1}, /* its size is its value */
	[MMDB_FLOAT] = {1, 4, 4},
};

/* The bytes at `at` and behind it, the first on top, zeros beyond the end: no item has more before its content. */
static inline uint64_t head_at(const struct mmdb_reader *reader, size_t at)
{
	uint64_t head = 0;

	if (at + sizeof(head) <= reader->size) {
		memcpy(&head, reader->bytes + at, sizeof(head));
		return be64toh(head);
	}
	for (size_t i = at; i < reader->size; i++)
		head |= (uint64_t)reader->bytes[i] << (56 - 8 * (i - at));
	return head;
}

/* Where it leads is in the low three bits of its control byte and 1 to 4 bytes more, and in four bytes without those;
 * each length has its own base. */
static inline struct mmdb_value read_pointer(struct mmdb_reader *reader, uint64_t head, size_t at)
{
	static const uint32_t base[] = {0, 2048, 526336, 0};
	unsigned more = head >> 59 & 3;

	at += 2 + more;
	if (at > reader->size)
		return fail_beyond_end(reader);
	return (struct mmdb_value){
		.type = MMDB_POINTER,
		.size = (uint32_t)(head << 5 >> (53 - 8 * more)) + base[more],
		.at = at,
	};
}

/* A type that does not fit into the control byte is in one of its own. */
static inline enum mmdb_type extended_type(unsigned byte)
{
	return byte > 0 && byte + 7 < COUNT_OF(types) ? (enum mmdb_type)(byte + 7) : MMDB_NONE;
}

/* Of 29, 30 and 31 the size is in 1, 2 or 3 bytes of its own. */
static inline void read_long_size(uint64_t head, struct mmdb_value *item)
{
	static const uint32_t base[] = {0, 29, 285, 65821};
	unsigned more = item->size - 28;

	item->size = base[more] + (uint32_t)(head << 8 >> (64 - 8 * more));
	item->at += more;
}

static struct mmdb_value check_item(struct mmdb_reader *reader, struct mmdb_value item)
{
	if (item.at + (uint64_t)item.size * types[item.type].unit > reader->size)
		return fail_beyond_end(reader);
	if (types[item.type].size_max == 0)
		return fail(reader, "it has an item of unknown type");
	if (item.size < types[item.type].size_min || item.size > types[item.type].size_max)
		return fail(reader, "it has an item of the wrong size");
	return item;
}

/* The item at `at` as it stands there: a pointer, as most are, is not followed. */
static struct mmdb_value read_item(struct mmdb_reader *reader, size_t at)
{
	uint64_t head = head_at(reader, at);
	struct mmdb_value item = {head >> 61, head >> 56 & 31, at + 1};

	if (reader->item_budget == 0)
		return fail(reader, "it has too many items");
	reader->item_budget--;
	if (item.type == MMDB_POINTER)
		return read_pointer(reader, head, at);
	if (item.type == 0) {
		item.type = extended_type(head >> 48 & 0xff);
		item.at++;
		head <<= 8;
	}
	if (item.size >= 29)
		read_long_size(head, &item);
	return check_item(reader, item);
}

/* Behind an item; of a container, its first item. */
static inline size_t next_of(struct mmdb_value value)
{
	const unsigned without_bytes =
		1u << MMDB_POINTER | 1u << MMDB_MAP | 1u << MMDB_ARRAY | 1u << MMDB_BOOLEAN;

	return value.at + (without_bytes >> value.type & 1 ? 0 : value.size);
}

static inline struct mmdb_value follow(struct mmdb_reader *reader, struct mmdb_value item)
{
	if (item.type != MMDB_POINTER)
		return item;
	item = read_item(reader, item.size);
	return item.type == MMDB_POINTER ? fail(reader, "it has a pointer to a pointer") : item;
}

struct mmdb_value mmdb_read_value(struct mmdb_reader *reader, size_t at)
{
	return follow(reader, read_item(reader, at));
}

/* How many items a container has. */
static inline uint64_t items_in(struct mmdb_value value)
{
	if (value.type == MMDB_MAP)
		return 2 * (uint64_t)value.size;
	return value.type == MMDB_ARRAY ? value.size : 0;
}

/* Behind an item and all that it holds. */
static size_t step_over(struct mmdb_reader *reader, struct mmdb_value item)
{
	uint64_t left = items_in(item);
	size_t at = next_of(item);

	for (; left > 0 && !reader->failure; left--) {
		item = read_item(reader, at);
		left += items_in(item);
		at = next_of(item);
	}
	return at;
}

/* The number of the key that a string is, or `key_count`. */
static inline size_t key_number(const struct mmdb_reader *reader, struct mmdb_value string,
	const struct mmdb_key *keys, size_t key_count)
{
	size_t i = 0;

	while (i < key_count &&
		(keys[i].size != string.size ||
			memcmp(keys[i].text, reader->bytes + string.at, string.size) != 0))
		i++;
	return i;
}

void mmdb_read_map(struct mmdb_reader *reader, struct mmdb_value map, const struct mmdb_key *keys,
	size_t key_count, struct mmdb_value *ret_values)
{
	size_t missing = key_count;
	size_t at = map.at;

	for (size_t i = 0; i < key_count; i++)
		ret_values[i] = (struct mmdb_value){.type = MMDB_NONE};
	if (map.type != MMDB_MAP)
		return;
	for (size_t pair = 0; pair < map.size && missing > 0; pair++) {
		struct mmdb_value item = read_item(reader, at);
		struct mmdb_value key = follow(reader, item);

		if (key.type != MMDB_STRING) {
			fail(reader, "it has a map with a key that is no string");
			return;
		}

		size_t number = key_number(reader, key, keys, key_count);

		item = read_item(reader, next_of(item));
		if (number < key_count && ret_values[number].type == MMDB_NONE) {
			ret_values[number] = follow(reader, item);
			missing--;
		}
		if (missing > 0)
			at = step_over(reader, item);
	}
}

/* The content of a number, which read_item() has seen to be there. */
static uint64_t content_of(const struct mmdb_reader *reader, struct mmdb_value value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value.size; i++)
		number = number << 8 | reader->bytes[value.at + i];
	return number;
}

double mmdb_read_real(struct mmdb_reader *reader, struct mmdb_value value)
{
	if (value.type == MMDB_DOUBLE) {
		uint64_t bits = content_of(reader, value);
		double real;

		memcpy(&real, &bits, sizeof(real));
		return real;
	}
	if (value.type == MMDB_FLOAT) {
		uint32_t bits = (uint32_t)content_of(reader, value);
		float real;

		memcpy(&real, &bits, sizeof(real));
		return (double)real;
	}
	fail(reader, "it has a position that is no number");
	return 0;
}

uint64_t mmdb_read_uint(struct mmdb_reader *reader, struct mmdb_value value)
{
	bool is_uint =
		value.type == MMDB_UINT16 || value.type == MMDB_UINT32 || value.type == MMDB_UINT64;

	if (is_uint)
		return content_of(reader, value);
	fail(reader, "it has no number where one must be");
	return 0;
}
