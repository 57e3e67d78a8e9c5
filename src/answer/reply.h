/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_REPLY_H
#define ANSWER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/dns/cookie.h"
#include "steerd/dns/query.h"
#include "steerd/zone/zone.h"

/*
 * reply - a response while it is written, into memory of the caller.
 *
 *	header | question, as it was sent | answer | authority | additional | OPT
 *
 * The sections are added in this order; room for the OPT is kept from the start.  What does not fit empties
 * them all and sets TC: a client that asks again over TCP has no use for a part.  [query path]
 */
#define REPLY_RECORD_HEAD_SIZE 12 /* a pointer to the owner, TYPE, CLASS, TTL, RDLENGTH */

/* Each is where its count begins in the four counts of a header, taken as one number (RFC 1035 4.1.1). */
enum reply_section {
	REPLY_QUESTION = 48,
	REPLY_ANSWER = 32,
	REPLY_AUTHORITY = 16,
	REPLY_ADDITIONAL = 0
};

/* What the OPT holds besides the client subnet, one bit each. */
enum reply_option {
	REPLY_COOKIE = 1,
	REPLY_KEEPALIVE = 2,
	REPLY_ZONE_VERSION = 4,
	REPLY_NSID = 8,
	REPLY_ERROR = 16,
};

struct reply {
	uint8_t *out;
	const struct query *query; /* `name`: which is answered, QNAME or a CNAME's target */
	size_t used;
	size_t limit; /* of `used`: behind it there is room for the OPT */
	/* `owner_offset`: where the name that is answered stands; the rest is of the last block */
	struct zone_block_place place;
	uint64_t counts;      /* of all sections, see above */
	uint16_t flags;	      /* enum dns_flag */
	uint8_t rcode;	      /* enum dns_rcode */
	uint8_t scope_bits;   /* of the client subnet */
	uint8_t options;      /* enum reply_option; what each says stands below */
	uint8_t options_size; /* of all that the OPT will hold */
	uint8_t extended_error;
	uint8_t zone_labels;
	uint16_t idle_ds;
	uint32_t zone_serial;
	const uint8_t *nsid; /* a character string, which says its size */
	uint8_t cookie[COOKIE_SIZE];
};

/* Copies the header, and the question if there is one; `query` must outlive the reply.
 * `size_max` is what the transport takes. */
void reply_begin(struct reply *reply, const struct query *query, const uint8_t *message,
	size_t size_max, uint8_t *out);

/*
 * Before any record, and only if the query had an OPT: what the reply's will say besides.  Each at most once.
 *
 *	cookie        COOKIE_SIZE octets (RFC 7873 4); the memory to write them to is returned
 *	keepalive     how long the connection may stay idle, in tenths of a second (RFC 7828 3.1)
 *	zone version  of the zone that has the name, with so many labels (RFC 9660 2.1)
 *	nsid          who answers, a character string of REPLY_IDENTITY_MAX octets of text at most (RFC 5001)
 *	error         why there is no answer (RFC 8914)
 */
#define REPLY_IDENTITY_MAX 64
uint8_t *reply_add_cookie(struct reply *reply);
void reply_add_keepalive(struct reply *reply, uint16_t idle_ds);
void reply_add_zone_version(struct reply *reply, uint8_t label_count, uint32_t serial);
void reply_add_nsid(struct reply *reply, const uint8_t *identity);
void reply_add_error(struct reply *reply, enum dns_ede error);

/* Takes all records out again and sets TC (RFC 2181 9). */
void reply_truncate(struct reply *reply);
/* Makes sure of the room; without it, the reply becomes an empty one with TC. */
bool reply_has_room(struct reply *reply, size_t size);

/* Adds an RRset, a referral or an SOA; false if it does not fit, and then the reply is truncated. */
bool reply_add_block(
	struct reply *reply, enum reply_section section, const struct zone_block *block);

/*
 * Adds the CNAME that `dname`, of a name above the one that is answered, makes for it (RFC 6672 3.1), behind the DNAME
 * itself if `is_new`: a record is said once.  Too long a name is YXDOMAIN, and only the DNAME is said.
 */
enum reply_dname { REPLY_DNAME_ADDED, REPLY_DNAME_TOO_LONG, REPLY_DNAME_NO_ROOM };
enum reply_dname reply_add_dname(struct reply *reply, const struct zone_block *dname, bool is_new);

/* Addresses of the name that is answered, as on the wire, of `address_size` 4 or 16 octets each. */
struct reply_addresses {
	const uint8_t *bytes;
	size_t count;
	size_t address_size;
	uint32_t ttl_s;
};
bool reply_add_addresses(struct reply *reply, const struct reply_addresses *addresses);

/* Adds a TXT record of class CH, of the name that was asked for. */
void reply_add_chaos(struct reply *reply, const uint8_t *string);

/* Writes the OPT, if the query had one, and the header; the octets of the whole message. */
size_t reply_finish(struct reply *reply);

#endif
