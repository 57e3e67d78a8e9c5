/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/dns/query.h"

#include <string.h>

#include "steerd/dns/cookie.h"
#include "steerd/dns/wire.h"

/* What is left of the message. */
struct reader {
	const uint8_t *at;
	size_t left;
};

static void reader_skip(struct reader *reader, size_t size)
{
	reader->at += size;
	reader->left -= size;
}

/* A record behind the question. */
struct record {
	bool is_at_root; /* its owner is the root */
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	uint16_t rdata_size;
	const uint8_t *rdata;
};

#define RECORD_FIXED_SIZE 10  /* TYPE, CLASS, TTL, RDLENGTH */
#define OPTION_HEADER_SIZE 4  /* RFC 6891 6.1.2 */
#define ECS_HEADER_SIZE 4     /* FAMILY, SOURCE and SCOPE PREFIX-LENGTH (RFC 7871 6) */
#define POINTER_BITS 0xc0     /* RFC 1035 4.1.4 */
#define EDNS_FLAG_DO 0x8000   /* of the lower half of an OPT's TTL (RFC 3225 3) */
#define QUESTION_FIXED_SIZE 4 /* QTYPE, QCLASS */

/* An owner's octets, 0 if it is malformed.  A pointer ends it, and nobody follows that. */
static size_t owner_size(const struct reader *reader)
{
	size_t size = 0;

	while (size < reader->left && size < DNS_NAME_MAX) {
		uint8_t label = reader->at[size];

		if (label == 0)
			return size + 1;
		if (label >= POINTER_BITS)
			return size + 2;
		if (label > DNS_LABEL_MAX)
			return 0;
		size += label + 1u;
	}
	return 0;
}

static bool record_read(struct reader *reader, struct record *ret_record)
{
	size_t owner = owner_size(reader);

	if (owner == 0 || owner + RECORD_FIXED_SIZE > reader->left)
		return false;

	const uint8_t *fixed = reader->at + owner;

	ret_record->is_at_root = owner == 1;
	ret_record->type = wire_read16(fixed);
	ret_record->class = wire_read16(fixed + 2);
	ret_record->ttl = wire_read32(fixed + 4);
	ret_record->rdata_size = wire_read16(fixed + 8);
	ret_record->rdata = fixed + RECORD_FIXED_SIZE;
	reader_skip(reader, owner + RECORD_FIXED_SIZE);
	if (ret_record->rdata_size > reader->left)
		return false;
	reader_skip(reader, ret_record->rdata_size);
	return true;
}

/* RFC 7871 6: the address has as many octets as SOURCE needs, and no bit set behind it. */
static bool ecs_read(const uint8_t *option, size_t size, struct query_ecs *ret_ecs)
{
	static const struct {
		uint8_t address_family;
		uint8_t bits_max;
	} families[] = {{ADDRESS_NONE, 0}, {ADDRESS_IPV4, 32}, {ADDRESS_IPV6, 128}};

	if (ret_ecs->is_present || size < ECS_HEADER_SIZE)
		return false;

	uint16_t family = wire_read16(option);
	uint8_t source_bits = option[2];
	uint8_t scope_bits = option[3];
	size_t octets = (source_bits + 7u) / 8;

	if (family > 2 || source_bits > families[family].bits_max || scope_bits != 0 ||
		size != ECS_HEADER_SIZE + octets)
		return false;
	if (source_bits % 8 != 0 && (option[size - 1] & 0xff >> source_bits % 8) != 0)
		return false;
	ret_ecs->is_present = true;
	ret_ecs->option = option - OPTION_HEADER_SIZE;
	ret_ecs->option_size = (uint8_t)(OPTION_HEADER_SIZE + size);
	ret_ecs->family = (uint8_t)family;
	ret_ecs->source = (struct prefix){
		.address.family = families[family].address_family,
		.bits = source_bits,
	};
	memcpy(ret_ecs->source.address.bytes, option + ECS_HEADER_SIZE, octets);
	return true;
}

/* RFC 7873 5.2: the first one counts, and one that is neither 8 octets long nor 16 to 40 is malformed (5.2.2). */
static bool cookie_read(const uint8_t *content, size_t size, struct query *query)
{
	if (query->wishes & QUERY_HAS_COOKIE)
		return true;
	if (size != COOKIE_CLIENT_SIZE &&
		(size < COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE_MIN ||
			size > COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE_MAX))
		return false;
	query->wishes |= QUERY_HAS_COOKIE;
	query->cookie = content;
	query->cookie_size = (uint8_t)size;
	return true;
}

static bool option_read(uint16_t code, const uint8_t *content, size_t size, struct query *query)
{
	switch (code) {
	case DNS_OPTION_ECS:
		return ecs_read(content, size, &query->ecs);
	case DNS_OPTION_COOKIE:
		return cookie_read(content, size, query);
	case DNS_OPTION_NSID:
		query->wishes |= QUERY_NSID;
		return true;
	case DNS_OPTION_KEEPALIVE:
		query->wishes |= size == 0 ? QUERY_KEEPALIVE : QUERY_BAD_KEEPALIVE;
		return true;
	case DNS_OPTION_ZONEVERSION:
		query->wishes |= QUERY_ZONE_VERSION;
		return size == 0; /* RFC 9660 2.1: of a query's, the length is 0 */
	default:
		return true; /* one that we do not know is ignored (RFC 6891 6.1.2) */
	}
}

/* Known or not, the options must end where the OPT ends, and be so few. */
static bool options_read(const uint8_t *options, size_t size, struct query *query)
{
	for (unsigned i = 0; i < QUERY_OPTIONS_MAX && size >= OPTION_HEADER_SIZE; i++) {
		size_t whole = OPTION_HEADER_SIZE + (size_t)wire_read16(options + 2);

		if (whole > size ||
			!option_read(wire_read16(options), options + OPTION_HEADER_SIZE,
				whole - OPTION_HEADER_SIZE, query))
			return false;
		options += whole;
		size -= whole;
	}
	return size == 0;
}

static bool opt_read(const struct record *opt, struct query *query)
{
	if (query->has_edns || !opt->is_at_root)
		return false; /* RFC 6891 6.1.1 */
	query->has_edns = true;
	query->edns_version = (uint8_t)(opt->ttl >> 16);
	query->dnssec_ok = opt->ttl & EDNS_FLAG_DO;
	if (opt->class > query->udp_size)
		query->udp_size = opt->class;
	return query->edns_version > 0 || options_read(opt->rdata, opt->rdata_size, query);
}

static bool question_read(struct reader *reader, struct query *query)
{
	size_t name = name_key_read(reader->at, reader->left, &query->name);

	if (name == 0 || name + QUESTION_FIXED_SIZE > reader->left)
		return false;
	query->type = wire_read16(reader->at + name);
	query->class = wire_read16(reader->at + name + 2);
	query->question_size = (uint16_t)(name + QUESTION_FIXED_SIZE);
	query->has_question = true;
	reader_skip(reader, query->question_size);
	return true;
}

/* Each takes eleven octets at least, so that the message bounds them and not what the header claims. */
static bool records_read(
	struct reader *reader, unsigned early_count, unsigned additional_count, struct query *query)
{
	struct record record;

	for (unsigned i = 0; i < early_count + additional_count; i++) {
		if (i == QUERY_RECORDS_MAX || !record_read(reader, &record))
			return false;
		if (record.type == DNS_TYPE_OPT && (i < early_count || !opt_read(&record, query)))
			return false;
	}
	return reader->left == 0;
}

static bool body_read(const uint8_t *message, size_t size, struct query *query)
{
	struct reader reader = {message + DNS_HEADER_SIZE, size - DNS_HEADER_SIZE};
	uint16_t questions = wire_read16(message + 4);
	uint32_t early = wire_read32(message + 6); /* answers and authorities */
	uint16_t additionals = wire_read16(message + 10);
	unsigned early_count = 0;

	if (questions == 1 ? !question_read(&reader, query) : questions != 0)
		return false; /* RFC 9619 4 */
	if (early != 0) {
		if (query->opcode == DNS_OPCODE_QUERY &&
			!(query->has_question && query->type == DNS_TYPE_IXFR && early == 1))
			return false;
		early_count = (early >> 16) + (early & 0xffff);
	}
	return records_read(&reader, early_count, additionals, query);
}

enum query_verdict query_read(const uint8_t *message, size_t size, struct query *ret_query)
{
	if (size < DNS_HEADER_SIZE)
		return QUERY_SILENCE;

	uint16_t flags = wire_read16(message + 2);

	if (flags & DNS_FLAG_QR)
		return QUERY_SILENCE; /* to reply to a reply is how two servers talk for ever */
	ret_query->id = wire_read16(message);
	ret_query->flags = flags;
	ret_query->opcode = flags >> 11 & 0xf;
	ret_query->has_question = false;
	ret_query->has_edns = false;
	ret_query->dnssec_ok = false;
	ret_query->edns_version = 0;
	ret_query->wishes = 0;
	ret_query->udp_size = DNS_UDP_MIN;
	ret_query->question_size = 0;
	ret_query->ecs.is_present = false;
	ret_query->ecs.option_size = 0;

	bool is_whole = size <= DNS_QUERY_MAX && body_read(message, size, ret_query);

	if (ret_query->opcode != DNS_OPCODE_QUERY)
		return QUERY_NOTIMP;
	if (!is_whole)
		return QUERY_FORMERR;
	if (ret_query->edns_version > 0)
		return QUERY_BADVERS;
	if (ret_query->has_question)
		return QUERY_OK;
	return ret_query->wishes & QUERY_HAS_COOKIE ? QUERY_COOKIE : QUERY_FORMERR;
}
