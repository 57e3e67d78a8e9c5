/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/dns/name.c src/dns/type.c src/control/json.c */

/*
 * Names, types and prefixes for people: whatever is printed is read again as the same, and whatever is read is printed
 * as what means the same.  A name may hold any octet; in JSON it is a text all the same.
 */

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/control/json.h"
#include "steerd/base/address.h"
#include "steerd/base/memory.h"
#include "steerd/dns/name.h"
#include "steerd/dns/type.h"
#include "steerd/dns/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Printed with nothing that a terminal or a zone file would take for something else, and read again. */
static void print_again(const struct name_key *key)
{
	char *text = memory_new(NAME_TEXT_SIZE);
	struct name_key again;
	struct err err;

	name_print(key->wire, text);
	for (const char *at = text; *at; at++)
		assert(*at > ' ' && *at < 0x7f);
	assert(name_parse(text, &again, &err));
	assert(again.size == key->size && memcmp(again.wire, key->wire, key->size) == 0);
	assert(again.label_count == key->label_count);
	free(text);
}

static void try_wire(const uint8_t *wire, size_t size)
{
	struct name_key key;
	size_t used = name_key_read(wire, size, &key);

	if (used == 0)
		return;
	assert(used <= size && used <= DNS_NAME_MAX);
	assert(name_size(wire) == used && key.size == used);
	assert(key.offset[key.label_count] == used - 1);
	print_again(&key);
}

static void try_name(const char *text)
{
	struct name_key key;
	struct err err;

	if (name_parse(text, &key, &err))
		print_again(&key);
	else
		assert(err.text[0] != '\0');
}

static void try_prefix(const char *text)
{
	char printed[PREFIX_TEXT_SIZE];
	struct prefix prefix;
	struct prefix again;
	struct err err;

	if (!prefix_parse(text, &prefix, &err))
		return;
	prefix_print(&prefix, printed);
	assert(prefix_parse(printed, &again, &err));
	assert(again.bits == prefix.bits && address_is_equal(&again.address, &prefix.address));
}

static void try_type(const uint8_t *data, const char *text)
{
	char printed[TYPE_TEXT_SIZE];
	uint16_t type = wire_read16(data);
	uint16_t again;

	type_print(type, printed);
	assert(type_parse(printed, &again) && again == type);
	if (!type_parse(text, &type))
		return;
	type_print(type, printed);
	assert(type_parse(printed, &again) && again == type);
}

/* Octets that are no UTF-8 become question marks; everything else stays. */
static void try_json(const char *text)
{
	json_t *json = json_object();
	json_t *read;
	json_error_t error;
	struct text written = {0};
	const char *got;

	json_put_text(json, "text", text);
	json_write(json, JSON_COMPACT, &written);
	read = json_loadb(written.bytes, written.size, JSON_REJECT_DUPLICATES, &error);
	assert(read);
	got = json_string_value(json_object_get(read, "text"));
	assert(got && strlen(got) == strlen(text));
	for (size_t i = 0; text[i]; i++)
		assert(got[i] == text[i] || (got[i] == '?' && (uint8_t)text[i] >= 0x80));
	json_decref(read);
	json_decref(json);
	text_done(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = memory_new(size + 1); /* ends with '\0' */

	if (size > 0)
		memcpy(text, data, size);
	try_wire(data, size);
	try_name(text);
	try_prefix(text);
	try_json(text);
	if (size >= 2)
		try_type(data, text);
	free(text);
	return 0;
}
