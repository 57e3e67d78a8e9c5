/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_QUERY_H
#define DNS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/name.h"

/*
 * query - the bounded reader of what strangers send.
 *
 * One pass, no allocation, at most DNS_QUERY_MAX octets, no pointer in a QNAME, one question, one OPT.
 * The worst outcome is FORMERR; a response, or less than a header, gets silence (RFC 9267, RFC 9619).
 * [query path]
 *
 * Where the RFCs leave a choice:
 *   records before the additional section  FORMERR; of a QUERY, only IXFR has one there (RFC 1995 3)
 *   other additional records (TSIG, SIG)   stepped over within bounds and ignored; the reply is unsigned, and a
 *                                          client that signed does not believe it (RFC 8945 5.3)
 *   several client subnets                 FORMERR: an answer could be right for one of them only
 *   a client subnet with SCOPE not 0       FORMERR (RFC 7871 6: "MUST be set to 0")
 *   family 0 with source length 0          as the other opt-outs: `dig +subnet=0` sends it
 *   an NSID option with content             as one without: there should be none (RFC 5001 2.3)
 *   several cookies                         all but the first are ignored (RFC 7873 5.2)
 *   several ZONEVERSION options             as one
 *   a higher EDNS version                  its options are not read: they could have another form
 *   more options or records than below     FORMERR: nobody has a use for so many, and each takes a step
 *   another opcode                         NOTIMP, whatever follows; the question is echoed if it can be read
 */
#define QUERY_OPTIONS_MAX 32
#define QUERY_RECORDS_MAX 16

enum query_verdict {
	QUERY_OK,      /* the question is whole: answer it */
	QUERY_SILENCE, /* a response (QR=1) or a runt: no reply at all, and nothing else is set */
	QUERY_FORMERR, /* reply with the rcode; `has_question` says whether there is a question to echo */
	QUERY_NOTIMP,
	QUERY_BADVERS, /* RFC 6891 6.1.3 */
	QUERY_COOKIE,  /* no question, but a cookie: the reply is to give one (RFC 7873 5.4) */
};

/* What the OPT asks for besides, one bit each: a query without any of it costs one look. */
enum query_wish {
	QUERY_NSID = 1,		/* RFC 5001 2.1 */
	QUERY_KEEPALIVE = 2,	/* RFC 7828 3.2.1 */
	QUERY_ZONE_VERSION = 4, /* RFC 9660 3.1 */
	QUERY_HAS_COOKIE = 8,	/* `cookie` says which */
	/* A keepalive option that says a time, as only servers do: ignored over UDP, else FORMERR (RFC 7828 3.2.1). */
	QUERY_BAD_KEEPALIVE = 16,
};

/* EDNS Client Subnet (RFC 7871 6) as it was sent.  Behind `option_size`, all is set only if it is present. */
struct query_ecs {
	bool is_present;
	uint8_t option_size;   /* octets of the whole option, its header too; 0 without one */
	uint8_t family;	       /* 1 IPv4, 2 IPv6; 0 only with a source length of 0 */
	struct prefix source;  /* ADDRESS and SOURCE PREFIX-LENGTH; ADDRESS_NONE when family is 0 */
	const uint8_t *option; /* the whole option, in the message */
};

struct query {
	uint16_t id;
	uint16_t flags; /* enum dns_flag, as sent */
	uint8_t opcode;
	bool has_question;
	bool has_edns;
	bool dnssec_ok;
	uint8_t edns_version;
	uint8_t wishes;		/* enum query_wish */
	uint8_t cookie_size;	/* of `cookie`: 8, or 16 to 40 */
	uint16_t udp_size;	/* what the client takes: at least 512 (RFC 6891 6.2.3) */
	uint16_t question_size; /* octets of QNAME, QTYPE, QCLASS; they begin at DNS_HEADER_SIZE */
	uint16_t type;		/* this and the next two only with a question */
	uint16_t class;
	const uint8_t *cookie; /* the option's content, in the message */
	struct query_ecs ecs;
	struct name_key name;
};

enum query_verdict query_read(const uint8_t *message, size_t size, struct query *ret_query);

#endif
