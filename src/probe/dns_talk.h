/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_DNS_TALK_H
#define PROBE_DNS_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/text.h"

/*
 * dns_talk - the question of a dns monitor as a message (RFC 1035 4), and a strict, bounded reader of what comes back.
 *
 * What comes back is from the network: nothing of it is believed before it is checked, nothing is followed forwards, and
 * all of it is read, though little is kept.  Pure.
 */
#define DNS_TALK_NAME_MAX 255 /* RFC 1035 2.3.4 */
#define DNS_TALK_ADDRESSES_MAX 16

struct dns_talk_question {
	uint8_t name[DNS_TALK_NAME_MAX]; /* labels, as on the wire */
	size_t name_size;
	uint16_t type;
	uint16_t id;
	const struct address *expected; /* of A or AAAA: what to look for among the answers; lent */
	size_t expected_count;
};

/*
 * "www.files.example", with or without the last dot, "\." and "\DDD" for what is not plain; false if it is no name.
 * `type`, `id` and `expected` are the caller's to set.
 */
bool dns_talk_parse_name(const char *text, struct dns_talk_question *ret_question);

/* A query that wants recursion where it is to be had, without EDNS: 12 octets and the question. */
void dns_talk_write_query(const struct dns_talk_question *question, struct text *ret_message);

enum dns_talk_sense {
	DNS_TALK_UNRELATED, /* not an answer to the question: it may be anybody's */
	DNS_TALK_MALFORMED, /* an answer to it that cannot be; `why` says how */
	DNS_TALK_TRUNCATED, /* TC: to be asked again over TCP */
	DNS_TALK_RCODE,	    /* an error: `rcode` */
	DNS_TALK_ANSWER,    /* NOERROR */
};

struct dns_talk_reply {
	const char *why; /* static */
	uint8_t rcode;
	size_t record_count; /* in the answer section, of the type, whoever owns them */
	bool is_expected;    /* one of the expected addresses is among them */
	struct address addresses[DNS_TALK_ADDRESSES_MAX]; /* the first of them; A and AAAA */
	size_t address_count;
};

enum dns_talk_sense dns_talk_read(const struct dns_talk_question *question, const void *message,
	size_t size, struct dns_talk_reply *ret_reply);

/* "NXDOMAIN: no such name", "RCODE 12". */
void dns_talk_print_rcode(uint8_t rcode, struct text *ret_text);
/* "AAAA", "TYPE731". */
void dns_talk_print_type(uint16_t type, struct text *ret_text);

#endif
