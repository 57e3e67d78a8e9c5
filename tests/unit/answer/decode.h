/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_DECODE_H
#define ANSWER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/dns/dns.h"

/*
 * decode - a slow and strict reader of responses, written apart from the code that writes them.
 *
 * Every count must be met, every pointer must lead backwards, every RDATA must end where it says, the OPT comes once,
 * no record comes twice, a set has one TTL, parameters of SVCB and HTTPS are in order, and nothing follows the last
 * record.
 */
enum decode_section { DECODE_ANSWER, DECODE_AUTHORITY, DECODE_ADDITIONAL, DECODE_SECTIONS };

struct decode_record {
	uint8_t section;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;
	uint8_t owner[DNS_NAME_MAX]; /* whole, in the case in which it was sent */
	uint16_t owner_size;
	const uint8_t *rdata; /* in the message, names in it perhaps compressed */
	uint16_t rdata_size;
	size_t rdata_at; /* its offset */
};

#define DECODE_RECORDS_MAX 4096

struct decoded {
	uint16_t id;
	uint16_t flags;
	unsigned rcode; /* with its upper bits */
	bool has_question;
	size_t question_size;
	uint16_t type;
	size_t count; /* of records, the OPT not among them */
	struct decode_record records[DECODE_RECORDS_MAX];
	bool has_opt;
	size_t options_at; /* where the options of the OPT begin */
	uint16_t udp_size;
	bool dnssec_ok;
	bool has_ecs;
	uint16_t ecs_family;
	uint8_t source_bits;
	uint8_t scope_bits;
	const uint8_t *ecs; /* the option's content, in the message */
	size_t ecs_size;
	const uint8_t *nsid; /* the same; NULL: none */
	size_t nsid_size;
	bool has_error;
	uint16_t extended_error;
	const uint8_t *cookie; /* 24 octets; NULL: none */
	uint32_t cookie_unix_s;
	bool has_keepalive;
	uint16_t idle_ds;
	bool has_zone_version;
	uint8_t zone_labels;
	uint32_t zone_serial;
};

/* Too large for a stack frame; the caller keeps one. */
bool decode(const uint8_t *message, size_t size, struct decoded *ret_decoded, struct err *err);

/* The value of ipv4hint (family 0) or ipv6hint (1) of a record of SVCB or HTTPS; false if it has none. */
struct decode_hint {
	const uint8_t *bytes;
	size_t size;
};
bool decode_find_hint(
	const struct decode_record *record, unsigned family, struct decode_hint *ret_hint);

/*
 * In one line, as the tables of the tests write it:
 * "NXDOMAIN aa rd; x.example. A; authority example. 60 SOA ns. root. 1 2 3 4 5; edns 1232 ecs 1/24/0 192.0.2.0"
 */
void decode_print(const uint8_t *message, const struct decoded *decoded, struct text *line);

#endif
