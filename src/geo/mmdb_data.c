/* SPDX-License-Identifier: Apache-2.0 */
#include "mmdb_data.h"

#include <string.h>

static struct mmdb_value fail(struct mmdb_reader *reader, const char *why)
{
	if (!reader->failure)
		reader->failure = why;
	return (struct mmdb_value){.type = MMDB_NONE};
}

/* `count` bytes at `*at` as a number, and steps over them; 0 and failure beyond the end. */
static uint64_t take(struct mmdb_reader *reader, size_t *at, size_t count)
{
	uint64_t number = 0;

	if (*at > reader->size || reader->size - *at < count) {
		fail(reader, "it goes on beyond the end of its section");
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		number = number << 8 | reader->bytes[*at + i];
	*at += count;
	return number;
}

/* Content of each type: its most bytes, and whether it is exactly that. */
static const struct {
	uint8_t size;
	bool is_exact;
} scalars[16] = {
	[MMDB_DOUBLE] = {8, true},
	[MMDB_UINT16] = {2, false},
	[MMDB_UINT32] = {4, false},
	[MMDB_INT32] = {4, false},
	[MMDB_UINT64] = {8, false},
	[MMDB_UINT128] = {16, false},
	[MMDB_BOOLEAN] = {1, false},
	[MMDB_FLOAT] = {4, true},
};

/* A pointer's value is in the low bits of its control byte and 1 to 4 bytes more; each length has its own base. */
static struct mmdb_value take_pointer(struct mmdb_reader *reader, unsigned control, size_t at)
{
	static const uint32_t base[] = {0, 2048, 526336, 0};
	unsigned more = control >> 3 & 3;
	uint64_t high = more == 3 ? 0 : control & 7;
	uint64_t low = take(reader, &at, more + 1);
	struct mmdb_value value = {.type = MMDB_POINTER, .at = at};

	value.size = (size_t)((high << 8 * (more + 1) | low) + base[more]); /* where it leads */
	return value;
}

static bool is_content_inside(const struct mmdb_reader *reader, const struct mmdb_value *value)
{
	size_t left = reader->size - value->at;

	if (value->type == MMDB_MAP)
		return value->size <= left / 2; /* a pair is two bytes at least */
	return value->type == MMDB_BOOLEAN || value->size <= left;
}

/* The item at `at` as it stands there: a pointer is not followed. */
static struct mmdb_value read_item(struct mmdb_reader *reader, size_t at)
{
	if (reader->failure)
		return (struct mmdb_value){.type = MMDB_NONE};
	if (reader->item_budget == 0)
		return fail(reader, "it has too many items");
	reader->item_budget--;

	unsigned control = (unsigned)take(reader, &at, 1);
	unsigned type = control >> 5;
	size_t size = control & 31;

	if (type == MMDB_POINTER)
		return take_pointer(reader, control, at);
	if (type == 0) {
		type = (unsigned)take(reader, &at, 1) + 7;
		if (type < MMDB_INT32 || type > MMDB_FLOAT || type == 12 || type == 13)
			return fail(reader, "it has an item of unknown type");
	}
	if (size == 29)
		size = 29 + (size_t)take(reader, &at, 1);
	else if (size == 30)
		size = 285 + (size_t)take(reader, &at, 2);
	else if (size == 31)
		size = 65821 + (size_t)take(reader, &at, 3);
	if (reader->failure)
		return (struct mmdb_value){.type = MMDB_NONE};

	struct mmdb_value value = {.type = (enum mmdb_type)type, .size = size, .at = at};

	if (scalars[type].size > 0 &&
		(size > scalars[type].size ||
			(scalars[type].is_exact && size < scalars[type].size)))
		return fail(reader, "it has an item of the wrong size");
	if (!is_content_inside(reader, &value))
		return fail(reader, "it goes on beyond the end of its section");
	return value;
}

static bool is_container(const struct mmdb_value *value)
{
	return value->type == MMDB_MAP || value->type == MMDB_ARRAY;
}

/* Behind an item; of a container, its first item. */
static size_t next_of(const struct mmdb_value *value)
{
	bool has_bytes =
		!is_container(value) && value->type != MMDB_POINTER && value->type != MMDB_BOOLEAN;

	return has_bytes ? value->at + value->size : value->at;
}

struct mmdb_value mmdb_read_value(struct mmdb_reader *reader, size_t at, size_t *ret_next)
{
	struct mmdb_value value = read_item(reader, at);

	if (ret_next)
		*ret_next = next_of(&value);
	if (value.type != MMDB_POINTER)
		return value;
	value = read_item(reader, value.size);
	if (value.type == MMDB_POINTER)
		return fail(reader, "it has a pointer to a pointer");
	return value;
}

/* Behind the item at `at` and all that it holds. */
static size_t step_over(struct mmdb_reader *reader, size_t at)
{
	for (uint64_t left = 1; left > 0 && !reader->failure; left--) {
		struct mmdb_value value = read_item(reader, at);

		if (value.type == MMDB_MAP)
			left += 2 * (uint64_t)value.size;
		else if (value.type == MMDB_ARRAY)
			left += value.size;
		at = next_of(&value);
	}
	return at;
}

/* The number of the key that a string is, or `key_count`. */
static size_t key_number(const struct mmdb_reader *reader, const struct mmdb_value *string,
	const char *const *keys, size_t key_count)
{
	size_t i = 0;

	while (i < key_count &&
		(strlen(keys[i]) != string->size ||
			memcmp(keys[i], reader->bytes + string->at, string->size) != 0))
		i++;
	return i;
}

void mmdb_read_map(struct mmdb_reader *reader, struct mmdb_value map, const char *const *keys,
	size_t key_count, struct mmdb_value *ret_values)
{
	size_t missing = key_count;
	size_t at = map.at;

	for (size_t i = 0; i < key_count; i++)
		ret_values[i] = (struct mmdb_value){.type = MMDB_NONE};
	if (map.type != MMDB_MAP)
		return;
	for (size_t pair = 0; pair < map.size && missing > 0 && !reader->failure; pair++) {
		struct mmdb_value key = mmdb_read_value(reader, at, &at);

		if (key.type != MMDB_STRING)
			fail(reader, "it has a map with a key that is no string");
		if (reader->failure)
			return;

		size_t number = key_number(reader, &key, keys, key_count);

		if (number < key_count && ret_values[number].type == MMDB_NONE) {
			ret_values[number] = mmdb_read_value(reader, at, NULL);
			missing--;
		}
		if (missing > 0)
			at = step_over(reader, at);
	}
}

double mmdb_read_real(struct mmdb_reader *reader, struct mmdb_value value)
{
	size_t at = value.at;
	uint64_t bits = 0;

	if (value.type == MMDB_DOUBLE) {
		double real;

		bits = take(reader, &at, 8);
		memcpy(&real, &bits, sizeof(real));
		return real;
	}
	if (value.type == MMDB_FLOAT) {
		uint32_t half = (uint32_t)take(reader, &at, 4);
		float real;

		memcpy(&real, &half, sizeof(real));
		return (double)real;
	}
	fail(reader, "it has a position that is no number");
	return 0;
}

uint64_t mmdb_read_uint(struct mmdb_reader *reader, struct mmdb_value value)
{
	bool is_uint =
		value.type == MMDB_UINT16 || value.type == MMDB_UINT32 || value.type == MMDB_UINT64;
	size_t at = value.at;

	if (is_uint)
		return take(reader, &at, value.size);
	fail(reader, "it has no number where one must be");
	return 0;
}
