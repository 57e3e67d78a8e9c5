/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/dns/name.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Octets side by side in one register: gcc and clang make of it what the machine has. */
typedef uint8_t lanes __attribute__((vector_size(16)));

/* 'A' to 'Z' become lower case; the length octets of labels are below 'A'. */
static lanes lower_case(lanes mixed)
{
	return mixed | ((lanes)(mixed - 'A' < 26) & 0x20);
}

/*
 * Copies `end` octets as lower case, and zeroes behind them, so that a word may be read at the root label.  Of `wire`,
 * `size` octets may be read: in a query with EDNS there is a whole register behind every name.
 */
static void copy_lower_case(const uint8_t *wire, size_t size, size_t end, struct name_key *key)
{
	static_assert(sizeof(key->wire) >= 256, "whole registers of the longest name");
	if (size < end + sizeof(lanes)) {
		memcpy(key->wire, wire, end);
		wire = key->wire;
	}
	for (size_t i = 0; i < end; i += sizeof(lanes)) {
		lanes part;

		memcpy(&part, wire + i, sizeof(part));
		part = lower_case(part);
		memcpy(key->wire + i, &part, sizeof(part));
	}
	memset(key->wire + end, 0, 9);
}

size_t name_key_read(const uint8_t *wire, size_t size, struct name_key *ret_key)
{
	size_t limit = size < DNS_NAME_MAX ? size : DNS_NAME_MAX;
	size_t end = 0;
	size_t labels = 0;

	for (;;) {
		if (end >= limit)
			return 0;

		size_t label_size = wire[end];

		ret_key->offset[labels] = (uint8_t)end;
		if (label_size == 0)
			break;
		if (label_size > DNS_LABEL_MAX)
			return 0; /* a compression pointer, or a label type that nobody uses */
		labels++;
		end += label_size + 1;
	}
	ret_key->label_count = (uint8_t)labels;
	ret_key->size = (uint8_t)(end + 1);
	copy_lower_case(wire, size, end, ret_key);
	return end + 1;
}

void name_key_of(const uint8_t *wire, struct name_key *ret_key)
{
	(void)name_key_read(wire, name_size(wire), ret_key);
}

void name_tails_make(const struct name_key *key, struct name_tails *ret_tails)
{
	const uint8_t *root = key->wire + key->size - 1;
	uint64_t hash = NAME_HASH_SEED;
	size_t words = (key->size - 1u) / 8;

	ret_tails->hash[0] = hash;
	for (size_t i = 1; i <= words; i++) {
		hash = name_hash_fold(hash, root - 8 * i);
		ret_tails->hash[i] = hash;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet of a label, escaped or not (RFC 1035 5.1); moves `*text` behind it. */
static bool parse_octet(const char **text, uint8_t *ret_octet)
{
	const char *at = *text;

	if (*at != '\\') {
		*ret_octet = (uint8_t)*at;
		*text = at + 1;
		return true;
	}
	at++;
	if (!is_digit(*at)) {
		*ret_octet = (uint8_t)*at;
		*text = at + 1;
		return *at != '\0';
	}
	if (!is_digit(at[1]) || !is_digit(at[2]))
		return false;

	int value = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');

	*ret_octet = (uint8_t)value;
	*text = at + 3;
	return value <= 255;
}

bool name_parse(const char *text, struct name_key *ret_key, struct err *err)
{
	uint8_t wire[DNS_NAME_MAX];
	const char *at = text;
	size_t label = 0; /* where the length octet of the label goes */
	size_t used = 1;

	if (strcmp(text, ".") == 0)
		at++;
	else if (*text == '\0')
		return err_set(err, "a name is missing");
	while (*at) {
		if (*at == '.') {
			if (used == label + 1)
				return err_set(err, "'%s' has an empty label", text);
			wire[label] = (uint8_t)(used - label - 1);
			label = used++;
			at++;
			continue;
		}
		if (used - label > DNS_LABEL_MAX)
			return err_set(err, "'%s' has a label of more than 63 octets", text);
		if (used >= DNS_NAME_MAX - 1)
			return err_set(err, "'%s' is longer than 255 octets", text);
		if (!parse_octet(&at, &wire[used++]))
			return err_set(err, "'%s' has a bad escape", text);
	}
	if (used > label + 1) { /* no final dot */
		wire[label] = (uint8_t)(used - label - 1);
		label = used++;
	}
	wire[label] = 0;
	(void)name_key_read(wire, used, ret_key); /* every limit was kept above: it cannot fail */
	return true;
}

static char *print_octet(uint8_t octet, char *out)
{
	static const char special[] = ".\\\"();@$";

	if (octet <= ' ' || octet >= 0x7f) {
		*out++ = '\\';
		*out++ = (char)('0' + octet / 100);
		*out++ = (char)('0' + octet / 10 % 10);
		*out++ = (char)('0' + octet % 10);
		return out;
	}
	if (strchr(special, octet))
		*out++ = '\\';
	*out++ = (char)octet;
	return out;
}

void name_print(const uint8_t *wire, char ret_text[static NAME_TEXT_SIZE])
{
	char *out = ret_text;

	if (*wire == 0)
		*out++ = '.';
	while (*wire > 0) {
		uint8_t size = *wire++;

		while (size-- > 0)
			out = print_octet(*wire++, out);
		*out++ = '.';
	}
	*out = '\0';
}

size_t name_size(const uint8_t *wire)
{
	size_t size = 0;

	while (wire[size] > 0)
		size += wire[size] + 1u;
	return size + 1;
}
