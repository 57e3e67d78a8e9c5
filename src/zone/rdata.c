/* SPDX-License-Identifier: Apache-2.0 */
#include "rdata.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "caa.h"
#include "field.h"
#include "svcb.h"

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/name.h"
#include "steerd/dns/type.h"

struct rdata_reader {
	ldns_rdf *origin;
	struct text line;  /* what ldns reads */
	struct text front; /* the fields that it reads of a record of ours */
};

/* How much of RDATA a message quotes. */
#define QUOTED_MAX 60

struct rdata_reader *rdata_reader_new(void)
{
	return memory_new(sizeof(struct rdata_reader));
}

void rdata_reader_free(struct rdata_reader *reader)
{
	if (!reader)
		return;
	ldns_rdf_deep_free(reader->origin);
	text_done(&reader->line);
	text_done(&reader->front);
	free(reader);
}

void rdata_reader_set_origin(struct rdata_reader *reader, const uint8_t *origin)
{
	ldns_rdf_deep_free(reader->origin);
	reader->origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name_size(origin), origin);
}

static bool fail(struct err *err, uint16_t type, const char *text, const char *why)
{
	char type_text[TYPE_TEXT_SIZE];

	type_print(type, type_text);
	if (*text == '\0')
		return err_set(err, "%s without data", type_text);
	return err_set(err, "%s data '%.*s%s' %s", type_text, QUOTED_MAX, text,
		strlen(text) > QUOTED_MAX ? "..." : "", why);
}

static const char *why_of(ldns_status status)
{
	switch ((int)status) {
	case LDNS_STATUS_SYNTAX_MISSING_VALUE_ERR:
		return "ends too early";
	case LDNS_STATUS_SYNTAX_SUPERFLUOUS_TEXT_ERR:
		return "goes on too long";
	case LDNS_STATUS_DOMAINNAME_OVERFLOW:
		return "has a name of more than 255 octets (RFC 1035 2.3.4)";
	default:
		return "cannot be read";
	}
}

static void add_fields(struct text *wire, const ldns_rr *rr)
{
	text_clear(wire);
	text_add(wire, "");
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);

		text_add_bytes(wire, ldns_rdf_data(field), ldns_rdf_size(field));
	}
}

/* ---- what ldns takes in silence: 65536 for 0, -1 for 65535, and more ---- */

/* The largest number of a field, 0 if it is no number. */
static uint64_t limit_of(ldns_rdf_type type)
{
	switch ((int)type) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE:
		return UINT8_MAX;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_CERT_ALG:
		return UINT16_MAX;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_PERIOD:
		return UINT32_MAX;
	default:
		return 0;
	}
}

/* A number, or a span such as "1h30m"; a word is ldns's business. */
static bool is_within(const char *text, size_t size, uint64_t limit)
{
	static const char units[] = "smhdw";
	static const uint64_t unit_s[] = {1, 60, 3600, 86400, 604800};
	uint64_t total = 0;
	uint64_t number = 0;

	if (*text == '-' || *text == '+')
		return false;
	if (!isdigit((unsigned char)*text))
		return true;
	for (size_t i = 0; i < size && total + number <= limit; i++) {
		const char *unit = strchr(units, tolower((unsigned char)text[i]));

		if (isdigit((unsigned char)text[i])) {
			number = number * 10 + (uint64_t)(text[i] - '0');
		} else if (unit && *unit != '\0') {
			total += number * unit_s[unit - units];
			number = 0;
		}
	}
	return total + number <= limit;
}

/* ldns takes the label '@' for the origin, escaped or not, and whatever follows it. */
static bool begins_with_at(const char *text, size_t size)
{
	static const char *const forms[] = {"@", "\\@", "\\064"};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		size_t length = strlen(forms[i]);

		if (size >= length && memcmp(text, forms[i], length) == 0 &&
			(size == length ? i > 0 : text[length] == '.'))
			return true;
	}
	return false;
}

static bool is_odd_hex(const char *text)
{
	bool is_odd = false;

	for (; *text != '\0'; text++)
		is_odd ^= isxdigit((unsigned char)*text) != 0;
	return is_odd;
}

/* What is wrong in RDATA that ldns took, NULL if it is right.  Fields of more than one word are the last of their type. */
static const char *find_fault(const ldns_rr *rr, const char *text)
{
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		ldns_rdf_type field = ldns_rdf_get_type(ldns_rr_rdf(rr, i));
		uint64_t limit = limit_of(field);
		size_t size;

		text += strspn(text, " ");
		size = field_size(text);
		if (limit > 0 && !is_within(text, size, limit))
			return "has a number out of range";
		if (field == LDNS_RDF_TYPE_DNAME && begins_with_at(text, size))
			return "has a name whose first label is '@'";
		if (field == LDNS_RDF_TYPE_HEX && is_odd_hex(text))
			return "has half an octet";
		text += size;
	}
	return NULL;
}

/* The one line that ldns reads: an owner and a TTL that mean nothing, then type and data. */
static void make_line(struct text *line, uint16_t type, const char *text)
{
	char prefix[] = ". 0 TYPE00000 ";

	for (char *digit = prefix + 12; type > 0; type /= 10)
		*digit-- = (char)('0' + type % 10);
	text_clear(line);
	text_add_bytes(line, prefix, sizeof(prefix) - 1);
	text_add(line, text);
}

/* What is wrong with the text, NULL if nothing is. */
static const char *read_with_ldns(
	struct rdata_reader *reader, uint16_t type, const char *text, struct text *wire)
{
	ldns_rr *rr = NULL;

	make_line(&reader->line, type, text);

	ldns_status status = ldns_rr_new_frm_str(&rr, reader->line.bytes, 1, reader->origin, NULL);

	if (status != LDNS_STATUS_OK)
		return why_of(status);

	const char *fault = find_fault(rr, text);

	add_fields(wire, rr);
	ldns_rr_free(rr);
	return fault;
}

/*
 * The one field of an A or AAAA record: nine in ten records of large zones, and the general reader takes and
 * returns a quarter of a megabyte for each.
 */
static bool read_address(uint16_t type, const char *text, struct text *wire, struct err *err)
{
	ldns_rdf *field = ldns_rdf_new_frm_str(
		type == DNS_TYPE_A ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA, text);

	if (!field)
		return fail(err, type, text, "cannot be read");
	text_clear(wire);
	text_add_bytes(wire, ldns_rdf_data(field), ldns_rdf_size(field));
	ldns_rdf_deep_free(field);
	return true;
}

static bool add_hex(struct text *wire, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return false;

		const char pair[] = {text[0], text[1], '\0'};
		uint8_t octet = (uint8_t)strtoul(pair, NULL, 16);

		text_add_bytes(wire, &octet, 1);
		text++;
	}
	return true;
}

/* Whether octets are RDATA of a type that ldns knows: taken apart and put together they are the same. */
static bool is_rdata(uint16_t type, const struct text *wire)
{
	const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);
	struct text sized = {0};
	struct text again = {0};
	ldns_rr *rr = ldns_rr_new();
	size_t at = 0;

	ldns_rr_set_type(rr, type);
	text_add_bytes(&sized, (uint8_t[]){(uint8_t)(wire->size >> 8), (uint8_t)wire->size}, 2);
	text_add_bytes(&sized, wire->bytes, wire->size);

	bool is_good = ldns_wire2rdf(rr, (const uint8_t *)sized.bytes, sized.size, &at) ==
			LDNS_STATUS_OK &&
		ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(descriptor);

	add_fields(&again, rr);
	is_good = is_good && again.size == wire->size &&
		memcmp(again.bytes, wire->bytes, wire->size) == 0;
	ldns_rr_free(rr);
	text_done(&sized);
	text_done(&again);
	return is_good;
}

/* "\# 4 c0000201" (RFC 3597 5). */
static bool read_octets(uint16_t type, const char *text, struct text *wire, struct err *err)
{
	char *end;
	const char *number = text + strspn(text + 2, " ") + 2;
	unsigned long size = strtoul(number, &end, 10);

	if (!isdigit((unsigned char)*number) || (*end != ' ' && *end != '\0') || size > UINT16_MAX)
		return fail(err, type, text, "has no length (RFC 3597 5)");
	text_clear(wire);
	text_add(wire, "");
	if (!add_hex(wire, end))
		return fail(err, type, text, "is not hexadecimal (RFC 3597 5)");
	return wire->size == size ||
		fail(err, type, text, "has another length than it says (RFC 3597 5)");
}

/* ---- types that ldns 1.8 does not read well enough ---- */

/* Priority and target are what an MX record has: those ldns reads. */
static bool read_svcb(
	struct rdata_reader *reader, const char *text, struct text *wire, struct err *err)
{
	size_t size = field_size(text);
	const char *fault;

	size += strspn(text + size, " ");
	size += field_size(text + size);
	text_clear(&reader->front);
	text_add_bytes(&reader->front, text, size);
	fault = read_with_ldns(reader, DNS_TYPE_MX, reader->front.bytes, wire);
	if (fault)
		return err_set(err, "priority or target %s", fault);
	return svcb_add_params(text + size, wire, err);
}

static bool read_caa(
	struct rdata_reader *reader, const char *text, struct text *wire, struct err *err)
{
	(void)reader;
	text_clear(wire);
	return caa_parse(text, wire, err);
}

/* Text is read by `read`; what comes of it, or was written as octets, is judged by `check`. */
static const struct own_type {
	uint16_t type;
	bool (*read)(
		struct rdata_reader *reader, const char *text, struct text *wire, struct err *err);
	bool (*check)(const uint8_t *rdata, size_t size, struct err *err);
} own_types[] = {
	{DNS_TYPE_SVCB, read_svcb, svcb_check},
	{DNS_TYPE_HTTPS, read_svcb, svcb_check},
	{DNS_TYPE_CAA, read_caa, caa_check},
};

static const struct own_type *find_own(uint16_t type)
{
	for (size_t i = 0; i < COUNT_OF(own_types); i++)
		if (own_types[i].type == type)
			return &own_types[i];
	return NULL;
}

/* Says in front of the fault which data has it. */
static bool fail_within(struct err *err, uint16_t type, const char *text)
{
	char type_text[TYPE_TEXT_SIZE];

	type_print(type, type_text);
	return err_within(err, "%s data '%.*s%s'", type_text, QUOTED_MAX, text,
		strlen(text) > QUOTED_MAX ? "..." : "");
}

/* ---- any record ---- */

static bool read_generic(uint16_t type, const char *text, struct text *wire, struct err *err)
{
	if (!read_octets(type, text, wire, err))
		return false;
	return find_own(type) || is_rdata(type, wire) ||
		fail(err, type, text, "is not of its type");
}

static bool read_text(struct rdata_reader *reader, uint16_t type, const char *text,
	struct text *wire, struct err *err)
{
	const struct own_type *own = find_own(type);

	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
		return read_address(type, text, wire, err);
	if (own && *text != '\0')
		return own->read(reader, text, wire, err) || fail_within(err, type, text);

	const char *fault = read_with_ldns(reader, type, text, wire);

	return !fault || fail(err, type, text, fault);
}

bool rdata_read(struct rdata_reader *reader, uint16_t type, const char *text, struct text *ret_wire,
	struct err *err)
{
	const struct own_type *own = find_own(type);
	bool is_generic = strncmp(text, "\\#", 2) == 0 && (text[2] == ' ' || text[2] == '\0');

	if (is_generic ? !read_generic(type, text, ret_wire, err)
		       : !read_text(reader, type, text, ret_wire, err))
		return false;
	if (ret_wire->size > UINT16_MAX)
		return fail(err, type, text, "is larger than a message");
	return !own || own->check((const uint8_t *)ret_wire->bytes, ret_wire->size, err) ||
		fail_within(err, type, text);
}
