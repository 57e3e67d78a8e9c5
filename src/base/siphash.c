/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/siphash.h"

#include <endian.h>
#include <string.h>

struct lanes {
	uint64_t a, b, c, d;
};

static uint64_t read_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

static uint64_t turn(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* Inline, so that the lanes stay in registers. */
static inline void stir(struct lanes *lanes)
{
	lanes->a += lanes->b;
	lanes->c += lanes->d;
	lanes->b = turn(lanes->b, 13) ^ lanes->a;
	lanes->d = turn(lanes->d, 16) ^ lanes->c;
	lanes->a = turn(lanes->a, 32) + lanes->d;
	lanes->c += lanes->b;
	lanes->d = turn(lanes->d, 21) ^ lanes->a;
	lanes->b = turn(lanes->b, 17) ^ lanes->c;
	lanes->c = turn(lanes->c, 32);
}

struct siphash_key siphash_key_read(const uint8_t octets[static SIPHASH_KEY_SIZE])
{
	return (struct siphash_key){{read_word(octets), read_word(octets + 8)}};
}

void siphash_key_write(const struct siphash_key *key, uint8_t ret_octets[static SIPHASH_KEY_SIZE])
{
	for (size_t i = 0; i < 2; i++) {
		uint64_t word = htole64(key->words[i]);

		memcpy(ret_octets + 8 * i, &word, sizeof(word));
	}
}

uint64_t siphash(const struct siphash_key *key, const uint8_t *bytes, size_t size)
{
	struct lanes lanes = {
		key->words[0] ^ UINT64_C(0x736f6d6570736575),
		key->words[1] ^ UINT64_C(0x646f72616e646f6d),
		key->words[0] ^ UINT64_C(0x6c7967656e657261),
		key->words[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t whole = size & ~(size_t)7;
	uint64_t last = (uint64_t)size << 56;

	if (size & 4) { /* at once: IPv4 addresses end so */
		uint32_t half;

		memcpy(&half, bytes + whole, sizeof(half));
		last |= le32toh(half);
	}
	for (size_t i = size & ~(size_t)3; i < size; i++)
		last |= (uint64_t)bytes[i] << 8 * (i - whole);
	for (size_t i = 0; i <= whole; i += 8) {
		uint64_t word = i < whole ? read_word(bytes + i) : last;

		lanes.d ^= word;
		stir(&lanes);
		stir(&lanes);
		lanes.a ^= word;
	}
	lanes.c ^= 0xff;
	for (size_t i = 0; i < 4; i++)
		stir(&lanes);
	return lanes.a ^ lanes.b ^ lanes.c ^ lanes.d;
}
