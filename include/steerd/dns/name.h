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

/* Of the suffix that begins at label `label`; the same for every name that ends so, in any case. */
static inline uint32_t name_key_hash(const struct name_key *key, unsigned label)
{
	uint64_t hash = UINT64_C(0x2545f4914f6cdd1d);
	const uint8_t *root = key->wire + key->size - 1;

	/* the last word ends in the zeroes behind the name, so it depends on nothing else */
	for (const uint8_t *at = key->wire + key->offset[label]; at < root; at += sizeof(hash)) {
		uint64_t word;

		/* one multiplication of 64 by 64 bits, folded: every input bit reaches every output bit */
		memcpy(&word, at, sizeof(word));
		unsigned __int128 product =
			(unsigned __int128)(hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash = (uint64_t)product ^ (uint64_t)(product >> 64);
	}
	return (uint32_t)(hash >> 32);
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
