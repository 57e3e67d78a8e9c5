/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "steerd/base/err.h"
#include "steerd/dns/dns.h"

/*
 * name - domain names on the wire, as text, and as keys of the name table.
 *
 * A wire name here is never compressed.  `struct name_key` is what a query name becomes in one pass: its
 * lower-case octets (RFC 4343) and where each label begins, so that its suffixes can be looked up by their hashes.
 * The same functions make the keys of the zone table, so both agree by construction.  [any thread, query path]
 */
struct name_key {
	uint8_t size;	     /* octets of `wire`, the root label included */
	uint8_t label_count; /* without the root label */
	uint8_t offset
		[DNS_LABELS_MAX]; /* offset[i]: where label i begins; [label_count] is the root label */
	uint8_t wire[DNS_NAME_MAX +
		9]; /* lower case; zero behind the end, so that words may be read */
};

/*
 * Reads a name that must end within `size` octets and hold no compression pointer.  Returns its octets on the
 * wire, 0 if it is malformed (RFC 9267).
 */
size_t name_key_read(const uint8_t *wire, size_t size, struct name_key *ret_key);

/* Of a name that is well-formed; nothing behind it is read. */
void name_key_of(const uint8_t *wire, struct name_key *ret_key);

#define NAME_HASH_SEED UINT64_C(0x2545f4914f6cdd1d)

/* One multiplication of 64 by 64 bits, folded: every bit reaches every bit. */
static inline uint64_t name_hash_fold(uint64_t hash, const uint8_t *octets)
{
	uint64_t word;

	memcpy(&word, octets, sizeof(word));
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last step: the octets that made no whole word, and how many there are in all. */
static inline uint32_t name_hash_end(uint64_t hash, const uint8_t *begin, size_t size)
{
	return (uint32_t)(name_hash_fold(hash + size * UINT64_C(0xd6e8feb86659fd93), begin) >> 32);
}

/*
 * Of the suffix that begins at label `label`; the same for every name that ends so, in any case.  From its end in
 * whole words; the octets left at its beginning are read with those that follow, which are of the suffix too, or zero.
 */
static inline uint32_t name_key_hash(const struct name_key *key, unsigned label)
{
	const uint8_t *begin = key->wire + key->offset[label];
	size_t size = key->size - 1u - key->offset[label]; /* without the root label */
	uint64_t hash = NAME_HASH_SEED;

	for (size_t left = size; left >= 8; left -= 8)
		hash = name_hash_fold(hash, begin + left - 8);
	return name_hash_end(hash, begin, size);
}

/* What the hashes of all suffixes of one name have in common: for who looks up many of them. */
struct name_tails {
	/* [i]: of the last 8 * i octets before the root label */
	uint64_t hash[DNS_NAME_MAX / 8 + 1];
};
void name_tails_make(const struct name_key *key, struct name_tails *ret_tails);

/* As name_key_hash(), in one step. */
static inline uint32_t name_tails_hash(
	const struct name_tails *tails, const struct name_key *key, unsigned label)
{
	size_t size = key->size - 1u - key->offset[label];

	return name_hash_end(tails->hash[size / 8], key->wire + key->offset[label], size);
}

/* "dl.files.example" or "dl.files.example."; escapes as in zone files (RFC 1035 5.1). */
bool name_parse(const char *text, struct name_key *ret_key, struct err *err);

/* Room for the text of any name: each octet may become "\DDD". */
#define NAME_TEXT_SIZE (DNS_NAME_MAX * 4 + 1)
/* With the final dot, escaped as in zone files. */
void name_print(const uint8_t *wire, char ret_text[static NAME_TEXT_SIZE]);

/* Octets of a well-formed wire name. */
size_t name_size(const uint8_t *wire);

#endif
