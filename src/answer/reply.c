/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "steerd/dns/wire.h"

#define OPT_SIZE 11 /* RFC 6891 6.1.2, without options */
#define OPT_FLAG_DO 0x8000
#define OPTION_HEADER_SIZE 4  /* RFC 6891 6.1.2 */
#define EDE_SIZE 2	      /* INFO-CODE; there is no EXTRA-TEXT (RFC 8914 2) */
#define KEEPALIVE_SIZE 2      /* TIMEOUT (RFC 7828 3.1) */
#define ZONE_VERSION_SIZE 6   /* LABELCOUNT, TYPE, serial number (RFC 9660 2.1) */
#define ZONE_VERSION_SERIAL 0 /* TYPE SOA-SERIAL (RFC 9660 4) */
#define ECS_SIZE_MAX (4 + 16) /* RFC 7871 6 */
#define ECS_SCOPE 7 /* where SCOPE PREFIX-LENGTH stands in the whole option (RFC 7871 6) */
#define FLAGS_REPEATED (DNS_FLAGS_OPCODE | DNS_FLAG_RD | DNS_FLAG_CD)
#define POINTER 0xc000 /* RFC 1035 4.1.4 */

/* All options at their longest, and the longest question, in the least that a client takes. */
#define OPTIONS_SIZE_MAX                                                                           \
	(6 * OPTION_HEADER_SIZE + COOKIE_SIZE + KEEPALIVE_SIZE + ZONE_VERSION_SIZE +               \
		REPLY_IDENTITY_MAX + EDE_SIZE + ECS_SIZE_MAX)
static_assert(OPTIONS_SIZE_MAX <= UINT8_MAX, "options_size holds it");
static_assert(DNS_HEADER_SIZE + DNS_NAME_MAX + 4 + OPT_SIZE + OPTIONS_SIZE_MAX <= DNS_UDP_MIN,
	"an empty reply has room for all of them");

static size_t opt_size(const struct query *query)
{
	return query->has_edns ? OPT_SIZE + (size_t)query->ecs.option_size : 0;
}

static size_t question_end(const struct query *query)
{
	return DNS_HEADER_SIZE + (size_t)query->question_size;
}

void reply_begin(struct reply *reply, const struct query *query, const uint8_t *message,
	size_t size_max, uint8_t *out)
{
	wire_copy(out, message, question_end(query));
	reply->out = out;
	reply->query = query;
	reply->used = question_end(query);
	reply->limit = size_max - opt_size(query);
	reply->place.owner_offset = DNS_HEADER_SIZE;
	reply->counts = (uint64_t)query->has_question << REPLY_QUESTION;
	reply->flags = DNS_FLAG_QR | (query->flags & FLAGS_REPEATED);
	reply->rcode = DNS_RCODE_NOERROR;
	reply->scope_bits = 0;
	reply->options = 0;
	reply->options_size = query->ecs.option_size;
}

/* The limit stays above `used`: see OPTIONS_SIZE_MAX. */
static void add_option(struct reply *reply, enum reply_option option, size_t content_size)
{
	reply->options |= (uint8_t)option;
	reply->options_size = (uint8_t)(reply->options_size + OPTION_HEADER_SIZE + content_size);
	reply->limit -= OPTION_HEADER_SIZE + content_size;
}

uint8_t *reply_add_cookie(struct reply *reply)
{
	add_option(reply, REPLY_COOKIE, COOKIE_SIZE);
	return reply->cookie;
}

void reply_add_keepalive(struct reply *reply, uint16_t idle_ds)
{
	reply->idle_ds = idle_ds;
	add_option(reply, REPLY_KEEPALIVE, KEEPALIVE_SIZE);
}

void reply_add_zone_version(struct reply *reply, uint8_t label_count, uint32_t serial)
{
	reply->zone_labels = label_count;
	reply->zone_serial = serial;
	add_option(reply, REPLY_ZONE_VERSION, ZONE_VERSION_SIZE);
}

void reply_add_nsid(struct reply *reply, const uint8_t *identity)
{
	reply->nsid = identity;
	add_option(reply, REPLY_NSID, identity[0]);
}

void reply_add_error(struct reply *reply, enum dns_ede error)
{
	reply->extended_error = (uint8_t)error;
	add_option(reply, REPLY_ERROR, EDE_SIZE);
}

void reply_truncate(struct reply *reply)
{
	reply->flags |= DNS_FLAG_TC;
	reply->used = question_end(reply->query);
	reply->counts = (uint64_t)reply->query->has_question << REPLY_QUESTION;
}

bool reply_has_room(struct reply *reply, size_t size)
{
	if (size <= reply->limit - reply->used)
		return true;
	reply_truncate(reply);
	return false;
}

/*
 * Whether a block may be copied as it is: it stands where it was rendered for, or has no pointers to move.
 * While QNAME is the name that is answered, nothing stands before the block: only CNAMEs do, and they move the name.
 */
static bool is_in_place(const struct reply *reply, const struct zone_block *block)
{
	return reply->place.owner_offset == DNS_HEADER_SIZE &&
		(block->fixup_count == 0 || block->base_size_bytes == reply->query->name.size);
}

bool reply_add_block(
	struct reply *reply, enum reply_section section, const struct zone_block *block)
{
	if (!reply_has_room(reply, block->size_bytes))
		return false;

	uint8_t *at = reply->out + reply->used;

	if (is_in_place(reply, block)) {
		wire_copy(at, block->bytes, block->size_bytes);
	} else {
		/* the base name is the name that is answered, or an ancestor of it: its end */
		size_t name_end = reply->place.owner_offset + (size_t)reply->query->name.size;

		reply->place.base_offset = (uint16_t)(name_end - block->base_size_bytes);
		reply->place.block_offset = (uint16_t)reply->used;
		zone_block_place(block, &reply->place, at);
	}
	reply->used += block->size_bytes;
	reply->counts += ((uint64_t)block->record_count << section) +
		((uint64_t)block->glue_count << REPLY_ADDITIONAL);
	return true;
}

/* The block of one DNAME; its owner is the end of the name that is answered. */
static void add_dname(struct reply *reply, const struct zone_block *dname)
{
	uint8_t *at = reply->out + reply->used;
	size_t name_end = reply->place.owner_offset + (size_t)reply->query->name.size;

	wire_copy(at, dname->bytes, dname->size_bytes);
	wire_write16(at, (uint16_t)(POINTER | (name_end - dname->base_size_bytes)));
	reply->used += dname->size_bytes;
	reply->counts += UINT64_C(1) << REPLY_ANSWER;
}

enum reply_dname reply_add_dname(struct reply *reply, const struct zone_block *dname, bool is_new)
{
	size_t dname_size = is_new ? dname->size_bytes : 0;
	size_t prefix_size = (size_t)reply->query->name.size - dname->base_size_bytes;
	size_t suffix_size = (size_t)dname->size_bytes - REPLY_RECORD_HEAD_SIZE;
	size_t target_size = prefix_size + suffix_size;
	bool is_too_long = target_size > DNS_NAME_MAX;
	size_t cname_size = is_too_long ? 0 : REPLY_RECORD_HEAD_SIZE + target_size;

	if (!reply_has_room(reply, dname_size + cname_size))
		return REPLY_DNAME_NO_ROOM;
	if (is_new)
		add_dname(reply, dname);
	if (is_too_long)
		return REPLY_DNAME_TOO_LONG;

	uint8_t *at = reply->out + reply->used;

	wire_write16(at, (uint16_t)(POINTER | reply->place.owner_offset));
	wire_write16(at + 2, DNS_TYPE_CNAME);
	wire_copy(at + 4, dname->bytes + 4, 6); /* CLASS and TTL are the DNAME's */
	wire_write16(at + 10, (uint16_t)target_size);
	at += REPLY_RECORD_HEAD_SIZE;
	/* the letters of the prefix are those of the name that is answered */
	wire_copy(at, reply->out + reply->place.owner_offset, prefix_size);
	wire_copy(at + prefix_size, dname->bytes + REPLY_RECORD_HEAD_SIZE, suffix_size);
	reply->used += cname_size;
	reply->counts += UINT64_C(1) << REPLY_ANSWER;
	return REPLY_DNAME_ADDED;
}

bool reply_add_addresses(struct reply *reply, const struct reply_addresses *addresses)
{
	size_t address_size = addresses->address_size;
	size_t record_size = REPLY_RECORD_HEAD_SIZE + address_size;

	if (!reply_has_room(reply, addresses->count * record_size))
		return false;

	/* what each record begins with: the owner, TYPE, CLASS, TTL and RDLENGTH */
	uint64_t type = address_size == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
	uint64_t start = htobe64((uint64_t)(POINTER | reply->place.owner_offset) << 48 |
		type << 32 | DNS_CLASS_IN << 16 | addresses->ttl_s >> 16);
	uint32_t rest = htobe32(addresses->ttl_s << 16 | (uint32_t)address_size);
	const uint8_t *address = addresses->bytes;
	const uint8_t *end = address + addresses->count * address_size;
	uint8_t *at = reply->out + reply->used;

	for (; address < end; at += record_size, address += address_size) {
		memcpy(at, &start, sizeof(start));
		memcpy(at + sizeof(start), &rest, sizeof(rest));
		/* known sizes: each is a move or two, and no call */
		if (address_size == 4)
			memcpy(at + REPLY_RECORD_HEAD_SIZE, address, 4);
		else
			memcpy(at + REPLY_RECORD_HEAD_SIZE, address, 16);
	}
	reply->used = (size_t)(at - reply->out);
	reply->counts += (uint64_t)addresses->count << REPLY_ANSWER;
	return true;
}

void reply_add_chaos(struct reply *reply, const uint8_t *string)
{
	/* The longest string, behind one of the four short names, fits into the least that a client takes beside every
	 * option: 12 + 20 + 12 + 256 octets leave 212 for the OPT. */
	size_t rdata_size = 1 + (size_t)string[0];
	uint8_t *at = reply->out + reply->used;

	wire_write16(at, POINTER | DNS_HEADER_SIZE);
	wire_write16(at + 2, DNS_TYPE_TXT);
	wire_write16(at + 4, DNS_CLASS_CH);
	wire_write32(at + 6, 0); /* TTL: of this server, now */
	wire_write16(at + 10, (uint16_t)rdata_size);
	wire_copy(at + REPLY_RECORD_HEAD_SIZE, string, rdata_size);
	reply->used += REPLY_RECORD_HEAD_SIZE + rdata_size;
	reply->counts += UINT64_C(1) << REPLY_ANSWER;
}

/* An option's code and the size of its content, which goes where this returns. */
static uint8_t *write_option(uint8_t *at, uint16_t code, size_t size)
{
	wire_write16(at, code);
	wire_write16(at + 2, (uint16_t)size);
	return at + OPTION_HEADER_SIZE;
}

/* What some queries ask for, and why some have no answer. */
static void write_extras(const struct reply *reply, uint8_t *at)
{
	if (reply->options & REPLY_COOKIE) {
		at = write_option(at, DNS_OPTION_COOKIE, COOKIE_SIZE);
		wire_copy(at, reply->cookie, COOKIE_SIZE);
		at += COOKIE_SIZE;
	}
	if (reply->options & REPLY_KEEPALIVE) {
		at = write_option(at, DNS_OPTION_KEEPALIVE, KEEPALIVE_SIZE);
		wire_write16(at, reply->idle_ds);
		at += KEEPALIVE_SIZE;
	}
	if (reply->options & REPLY_ZONE_VERSION) {
		at = write_option(at, DNS_OPTION_ZONEVERSION, ZONE_VERSION_SIZE);
		at[0] = reply->zone_labels;
		at[1] = ZONE_VERSION_SERIAL;
		wire_write32(at + 2, reply->zone_serial);
		at += ZONE_VERSION_SIZE;
	}
	if (reply->options & REPLY_NSID) {
		at = write_option(at, DNS_OPTION_NSID, reply->nsid[0]);
		wire_copy(at, reply->nsid + 1, reply->nsid[0]);
		at += reply->nsid[0];
	}
	if (reply->options & REPLY_ERROR) {
		at = write_option(at, DNS_OPTION_EDE, EDE_SIZE);
		wire_write16(at, reply->extended_error);
	}
}

static void write_options(const struct reply *reply, uint8_t *at)
{
	const struct query_ecs *ecs = &reply->query->ecs;

	if (ecs->option_size > 0) {
		/* FAMILY, SOURCE and ADDRESS as they came (RFC 7871 7.2.1) */
		wire_copy(at, ecs->option, ecs->option_size);
		at[ECS_SCOPE] = reply->scope_bits;
		at += ecs->option_size;
	}
	if (reply->options != 0)
		write_extras(reply, at);
}

static void write_opt(struct reply *reply)
{
	const struct query *query = reply->query;
	uint8_t *opt = reply->out + reply->used;
	size_t options_size = reply->options_size;

	opt[0] = 0; /* the root */
	wire_write16(opt + 1, DNS_TYPE_OPT);
	wire_write16(opt + 3, DNS_UDP_MAX);
	/* upper bits of the RCODE, our version (0) and flags (RFC 6891 6.1.3) */
	wire_write32(opt + 5,
		(uint32_t)(reply->rcode >> 4) << 24 | (query->dnssec_ok ? OPT_FLAG_DO : 0));
	wire_write16(opt + 9, (uint16_t)options_size);
	if (options_size > 0)
		write_options(reply, opt + OPT_SIZE);
	reply->used += OPT_SIZE + options_size;
	reply->counts += UINT64_C(1) << REPLY_ADDITIONAL;
}

size_t reply_finish(struct reply *reply)
{
	if (reply->query->has_edns)
		write_opt(reply);
	/* the ID is the query's */
	wire_write16(reply->out + 2, (uint16_t)(reply->flags | (reply->rcode & 0xf)));
	wire_write64(reply->out + 4, reply->counts);
	return reply->used;
}
