/* SPDX-License-Identifier: Apache-2.0 */
#include "svcb.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"

#include "steerd/base/address.h"
#include "steerd/base/memory.h"
#include "steerd/dns/name.h"
#include "steerd/dns/wire.h"

#define PARAM_HEAD_SIZE 4 /* SvcParamKey and length */

/* "no-default-alpn", "key65535" and more than either. */
#define KEY_TEXT_SIZE 64

struct octets {
	const uint8_t *at;
	size_t size;
};

/*
 * What a key's value is: text becomes octets by `parse`, with its own quotes and escapes gone; octets are judged by
 * `find_fault`, which returns what is wrong with them, NULL if nothing is.
 */
struct key_row {
	const char *name;
	bool (*parse)(const struct text *value, struct text *wire);
	const char *(*find_fault)(struct octets value);
	const char *form; /* what a text that cannot be parsed is not */
	const char *section;
};

/* ---- text ---- */

/* Where the item that begins at `*at` ends, at a comma or at the end; `*at` moves behind that. */
static struct octets next_item(const struct text *value, size_t *at)
{
	const char *start = value->bytes + *at;
	const char *comma = memchr(start, ',', value->size - *at);
	size_t size = comma ? (size_t)(comma - start) : value->size - *at;

	*at += size + 1;
	return (struct octets){(const uint8_t *)start, size};
}

static const struct key_row *find_row(uint16_t key);
static bool parse_key(const char *text, size_t size, uint16_t *ret_key);

static void print_key(uint16_t key, char ret_text[static KEY_TEXT_SIZE])
{
	const struct key_row *row = find_row(key);

	if (row)
		snprintf(ret_text, KEY_TEXT_SIZE, "%s", row->name);
	else
		snprintf(ret_text, KEY_TEXT_SIZE, "key%u", key);
}

static void add16(struct text *wire, size_t number)
{
	text_add_bytes(wire, (uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number}, 2);
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, 2); /* network order */
}

static bool parse_mandatory(const struct text *value, struct text *wire)
{
	size_t start = wire->size;

	for (size_t at = 0; at <= value->size;) {
		struct octets item = next_item(value, &at);
		uint16_t key;

		if (!parse_key((const char *)item.at, item.size, &key))
			return false;
		add16(wire, key);
	}
	/* in any order in text, in order on the wire */
	qsort(wire->bytes + start, (wire->size - start) / 2, 2, compare_keys);
	return true;
}

/* RFC 9460 A.1: within an item, a backslash takes the meaning from a comma and from another one. */
static bool parse_alpn(const struct text *value, struct text *wire)
{
	size_t at = 0;

	do {
		size_t length_at = wire->size;
		size_t size;

		text_add_bytes(wire, "", 1);
		for (; at < value->size && value->bytes[at] != ','; at++) {
			if (value->bytes[at] == '\\' && ++at == value->size)
				return false;
			text_add_bytes(wire, value->bytes + at, 1);
		}
		size = wire->size - length_at - 1;
		if (size == 0 || size > UINT8_MAX)
			return false;
		wire->bytes[length_at] = (char)size;
	} while (at++ < value->size);
	return true;
}

static bool parse_port(const struct text *value, struct text *wire)
{
	uint16_t port;

	if (!field_number(value->bytes, value->size, &port))
		return false;
	add16(wire, port);
	return true;
}

static bool parse_hint(const struct text *value, enum address_family family, struct text *wire)
{
	for (size_t at = 0; at <= value->size;) {
		struct octets item = next_item(value, &at);
		char text[ADDRESS_TEXT_SIZE];
		struct address address;

		if (item.size >= sizeof(text))
			return false;
		memcpy(text, item.at, item.size);
		text[item.size] = '\0';
		if (!address_parse(text, &address) || address.family != family)
			return false;
		text_add_bytes(wire, address.bytes, address_size(&address));
	}
	return true;
}

static bool parse_ipv4hint(const struct text *value, struct text *wire)
{
	return parse_hint(value, ADDRESS_IPV4, wire);
}

static bool parse_ipv6hint(const struct text *value, struct text *wire)
{
	return parse_hint(value, ADDRESS_IPV6, wire);
}

static bool parse_base64(const struct text *value, struct text *wire)
{
	ldns_rdf *field;

	/* ldns would skip blanks */
	if (strcspn(value->bytes, " \t\r\n\v\f") != value->size)
		return false;
	field = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_B64, value->bytes);
	if (!field)
		return false;
	text_add_bytes(wire, ldns_rdf_data(field), ldns_rdf_size(field));
	ldns_rdf_deep_free(field);
	return true;
}

static bool parse_octets(const struct text *value, struct text *wire)
{
	text_add_bytes(wire, value->bytes, value->size);
	return true;
}

/* ---- octets ---- */

static const char *fault_of_mandatory(struct octets value)
{
	if (value.size % 2 != 0)
		return "is not a list of keys";
	for (size_t i = 0; i < value.size; i += 2) {
		uint16_t key = wire_read16(value.at + i);

		if (key == SVCB_MANDATORY)
			return "names itself";
		if (i > 0 && key == wire_read16(value.at + i - 2))
			return "names a key twice";
		if (i > 0 && key < wire_read16(value.at + i - 2))
			return "is not in order";
	}
	return NULL;
}

static const char *fault_of_alpn(struct octets value)
{
	for (size_t at = 0; at < value.size; at += 1u + value.at[at])
		if (value.at[at] == 0 || value.at[at] >= value.size - at)
			return "is not a list of protocols";
	return NULL;
}

static const char *fault_of_port(struct octets value)
{
	return value.size == 2 ? NULL : "is not a number of two octets";
}

static const char *fault_of_ipv4hint(struct octets value)
{
	return value.size % 4 == 0 ? NULL : "is not a list of IPv4 addresses";
}

static const char *fault_of_ipv6hint(struct octets value)
{
	return value.size % 16 == 0 ? NULL : "is not a list of IPv6 addresses";
}

/* RFC 9849 4: an ECHConfigList begins with how long it is.  Half of one would be worse than none. */
static const char *fault_of_ech(struct octets value)
{
	return value.size > 2 && wire_read16(value.at) == value.size - 2
		? NULL
		: "is cut, or is no ECHConfigList";
}

/* A path of this server, and a variable "dns" in it somewhere. */
static const char *fault_of_dohpath(struct octets value)
{
	static const char no_template[] = "is not a path with the variable 'dns', as in /q{?dns}";
	bool is_inside = false;
	bool has_dns = false;

	if (value.size == 0 || value.at[0] != '/')
		return no_template;
	for (size_t i = 0; i < value.size; i++) {
		if (value.at[i] <= ' ' || value.at[i] == 0x7f)
			return "has a blank or control character";
		if (value.at[i] == '{' || value.at[i] == '}')
			is_inside = value.at[i] == '{';
		else if (is_inside && value.size - i > 3 && memcmp(value.at + i, "dns", 3) == 0 &&
			strchr("{?&;/,", value.at[i - 1]) && strchr("},", value.at[i + 3]))
			has_dns = true;
	}
	return has_dns ? NULL : no_template;
}

static const char *fault_of_nothing(struct octets value)
{
	return value.size == 0 ? NULL : "takes no value";
}

/* ---- keys ---- */

static const struct key_row rows[] = {
	[SVCB_MANDATORY] = {"mandatory", parse_mandatory, fault_of_mandatory, "a list of keys",
		"RFC 9460 8"},
	[SVCB_ALPN] = {"alpn", parse_alpn, fault_of_alpn, "a list of protocols", "RFC 9460 7.1.1"},
	[SVCB_NO_DEFAULT_ALPN] = {"no-default-alpn", parse_octets, fault_of_nothing, NULL,
		"RFC 9460 7.1.1"},
	[SVCB_PORT] = {"port", parse_port, fault_of_port, "a number from 0 to 65535",
		"RFC 9460 7.2"},
	[SVCB_IPV4HINT] = {"ipv4hint", parse_ipv4hint, fault_of_ipv4hint,
		"a list of IPv4 addresses", "RFC 9460 7.3"},
	[SVCB_ECH] = {"ech", parse_base64, fault_of_ech, "base64", "RFC 9848 3"},
	[SVCB_IPV6HINT] = {"ipv6hint", parse_ipv6hint, fault_of_ipv6hint,
		"a list of IPv6 addresses", "RFC 9460 7.3"},
	[SVCB_DOHPATH] = {"dohpath", parse_octets, fault_of_dohpath, NULL, "RFC 9461 5"},
	[SVCB_OHTTP] = {"ohttp", parse_octets, fault_of_nothing, NULL, "RFC 9540 4"},
};

static const struct key_row *find_row(uint16_t key)
{
	return key < COUNT_OF(rows) ? &rows[key] : NULL;
}

/* "alpn" or "key1": lower case, no zero in front (RFC 9460 2.1). */
static bool parse_key(const char *text, size_t size, uint16_t *ret_key)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strlen(rows[i].name) == size && memcmp(rows[i].name, text, size) == 0) {
			*ret_key = (uint16_t)i;
			return true;
		}
	return size > 3 && memcmp(text, "key", 3) == 0 && (text[3] != '0' || size == 4) &&
		field_number(text + 3, size - 3, ret_key);
}

/* ---- reading ---- */

/* One parameter as it was read: where its value stands among all values. */
struct param {
	uint16_t key;
	size_t at;
	size_t size;
};

struct params {
	struct param *items;
	size_t count;
	size_t capacity;
	struct text values;
	struct text octets; /* of the value being read */
};

static bool read_value(struct params *params, const struct key_row *row, const char *text,
	size_t size, struct err *err)
{
	text_clear(&params->octets);
	text_add(&params->octets, "");
	if (!field_decode(text, size, &params->octets, err))
		return err_within(err, "parameter '%s'", row ? row->name : "key");
	if (!row)
		return parse_octets(&params->octets, &params->values);
	if (row->form && params->octets.size == 0)
		return err_set(err, "parameter '%s' has no value (%s)", row->name, row->section);
	if (!row->parse(&params->octets, &params->values))
		return err_set(
			err, "parameter '%s' is not %s (%s)", row->name, row->form, row->section);
	return true;
}

static bool read_param(struct params *params, const char *text, size_t size, struct err *err)
{
	const char *equals = memchr(text, '=', size);
	size_t key_size = equals ? (size_t)(equals - text) : size;
	struct param param = {.at = params->values.size};
	const struct key_row *row;

	if (!parse_key(text, key_size, &param.key))
		return err_set(err, "'%.*s' is no key of a parameter (RFC 9460 14.3.2)",
			(int)(key_size < KEY_TEXT_SIZE ? key_size : KEY_TEXT_SIZE), text);
	/* a key written as its number has octets for a value, whatever they mean (RFC 9460 2.1) */
	row = memcmp(text, "key", 3) == 0 ? NULL : find_row(param.key);
	text_add(&params->values, "");
	if (!read_value(
		    params, row, equals ? equals + 1 : "", size - key_size - (equals ? 1 : 0), err))
		return false;
	param.size = params->values.size - param.at;
	if (param.size > UINT16_MAX)
		return err_set(
			err, "parameter '%.*s' is larger than a message", (int)key_size, text);
	params->items = MEMORY_GROW(params->items, params->count, &params->capacity);
	params->items[params->count++] = param;
	return true;
}

static int compare_params(const void *a, const void *b)
{
	const struct param *x = a;
	const struct param *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static bool read_params(struct params *params, const char *text, struct err *err)
{
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t size = field_size(text);

		if (!read_param(params, text, size, err))
			return false;
		text += size;
	}
	return true;
}

bool svcb_add_params(const char *text, struct text *wire, struct err *err)
{
	struct params params = {0};
	bool done = read_params(&params, text, err);

	if (done && params.count > 0)
		qsort(params.items, params.count, sizeof(params.items[0]), compare_params);
	for (size_t i = 0; done && i < params.count; i++) {
		const struct param *param = &params.items[i];

		add16(wire, param->key);
		add16(wire, param->size);
		text_add_bytes(wire, params.values.bytes + param->at, param->size);
	}
	free(params.items);
	text_done(&params.values);
	text_done(&params.octets);
	return done;
}

/* ---- checking ---- */

static bool check_param(const uint8_t *rdata, const struct svcb_param *param, struct err *err)
{
	const struct key_row *row = find_row(param->key);
	struct octets value = {
		rdata + param->offset + PARAM_HEAD_SIZE, param->size - (size_t)PARAM_HEAD_SIZE};
	const char *fault = NULL;

	if (param->key == SVCB_INVALID)
		return err_set(err, "'key65535' is no key of a parameter (RFC 9460 14.3.2)");
	if (row && row->form && value.size == 0)
		fault = "has no value";
	else if (row)
		fault = row->find_fault(value);
	return !fault || err_set(err, "parameter '%s' %s (%s)", row->name, fault, row->section);
}

static bool find_param(
	const uint8_t *rdata, size_t size, uint16_t key, struct svcb_param *ret_param)
{
	size_t offset = svcb_head_size(rdata);

	while (svcb_param_at(rdata, size, offset, ret_param)) {
		if (ret_param->key == key)
			return true;
		offset += ret_param->size;
	}
	return false;
}

/* RFC 9460 8: what is mandatory is there. */
static bool check_mandatory(const uint8_t *rdata, size_t size, struct err *err)
{
	struct svcb_param list;
	struct svcb_param param;
	char text[KEY_TEXT_SIZE];

	if (!find_param(rdata, size, SVCB_MANDATORY, &list))
		return true;
	for (size_t at = PARAM_HEAD_SIZE; at < list.size; at += 2) {
		uint16_t key = wire_read16(rdata + list.offset + at);

		if (find_param(rdata, size, key, &param))
			continue;
		print_key(key, text);
		return err_set(err,
			"parameter 'mandatory' names '%s', which is not there (RFC 9460 8)", text);
	}
	return true;
}

bool svcb_check(const uint8_t *rdata, size_t size, struct err *err)
{
	struct name_key target;
	struct svcb_param param;
	struct svcb_param other;
	size_t name_size = size > 2 ? name_key_read(rdata + 2, size - 2, &target) : 0;
	int last = -1;
	char text[KEY_TEXT_SIZE];

	if (name_size == 0)
		return err_set(err, "no priority and whole name of a target (RFC 9460 2.2)");
	for (size_t offset = 2 + name_size; offset < size; offset += param.size) {
		if (!svcb_param_at(rdata, size, offset, &param))
			return err_set(err, "the last parameter is cut (RFC 9460 2.2)");
		print_key(param.key, text);
		if (param.key == last)
			return err_set(err, "parameter '%s' comes twice (RFC 9460 2.1)", text);
		if (param.key < last)
			return err_set(err, "parameter '%s' is not in order (RFC 9460 2.2)", text);
		last = param.key;
		if (!check_param(rdata, &param, err))
			return false;
	}
	if (find_param(rdata, size, SVCB_NO_DEFAULT_ALPN, &param) &&
		!find_param(rdata, size, SVCB_ALPN, &other))
		return err_set(err, "parameter 'no-default-alpn' needs an 'alpn' (RFC 9460 7.1.1)");
	return check_mandatory(rdata, size, err);
}

/* ---- what others ask ---- */

size_t svcb_head_size(const uint8_t *rdata)
{
	return 2 + name_size(rdata + 2);
}

bool svcb_param_at(const uint8_t *rdata, size_t size, size_t offset, struct svcb_param *ret_param)
{
	size_t param_size;

	if (size - offset < PARAM_HEAD_SIZE)
		return false;
	param_size = (size_t)PARAM_HEAD_SIZE + wire_read16(rdata + offset + 2);
	if (param_size > size - offset)
		return false;
	*ret_param = (struct svcb_param){
		.key = wire_read16(rdata + offset),
		.offset = (uint16_t)offset,
		.size = (uint16_t)param_size,
	};
	return true;
}

bool svcb_is_mandatory(const uint8_t *rdata, size_t size, enum svcb_key key)
{
	struct svcb_param list;

	if (!find_param(rdata, size, SVCB_MANDATORY, &list))
		return false;
	for (size_t at = PARAM_HEAD_SIZE; at < list.size; at += 2)
		if (wire_read16(rdata + list.offset + at) == key)
			return true;
	return false;
}
