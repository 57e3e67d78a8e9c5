/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_ASK_H
#define ANSWER_ASK_H

#include "decode.h"
#include "steerd/answer/answer.h"
#include "steerd/plan/plan.h"

/*
 * ask - queries as tests write them:
 *
 *	"dl.example A edns=1232 do nsid ecs=203.0.113.0/24 from=192.0.2.53 tcp rd cd class=3 opcode=4 random=80000000
 *	cookie=good keepalive zoneversion limited"
 *
 * Name and type first, then what is wanted in any order; the upper half of the random number is in hexadecimal.
 * "ecs=none" is the opt-out without a family.  The name's case is kept.  Cookies, of the world's secrets:
 *
 *	good     made just now for the client's address
 *	young    ten minutes ago                        stale   half an hour and a second ago
 *	late     an hour and a second ago
 *	rolled   of the old secret                      forged  with a hash that is nobody's
 *	client   the client's part alone                foreign a server's part of 8 octets
 */
#define ASK_NOW 1763985600u /* when every query is sent, in seconds */
#define ASK_CLIENT_COOKIE "\1\2\3\4\5\6\7\10"
#define ASK_COOKIE_MAX 40

struct ask {
	uint8_t message[DNS_QUERY_MAX];
	size_t size;
	struct answer_client client;
	uint64_t random;
};

/* Ends the test if it cannot be understood. */
void ask_parse(const char *text, struct ask *ret_ask);

/* A query of wire parts: what random tests use.  `subnet` may be NULL. */
#define ASK_KEEPALIVE 1
#define ASK_ZONE_VERSION 2
#define ASK_NSID 4
struct ask_parts {
	const uint8_t *name; /* wire */
	uint16_t type;
	uint16_t class;
	uint16_t flags;
	bool has_edns;
	bool dnssec_ok;
	uint8_t wishes; /* options without content, see above */
	uint16_t udp_size;
	const struct prefix *subnet;
	const uint8_t *cookie; /* may be NULL */
	size_t cookie_size;
};
size_t ask_write(const struct ask_parts *parts, uint8_t out[DNS_QUERY_MAX]);

/* A cookie of one of the kinds above; its octets. */
size_t ask_cookie(const char *kind, const struct address *client, uint8_t out[ASK_COOKIE_MAX]);

/* The response, decoded; ends the test if it is malformed or longer than it may be, or has a cookie that is not good.
 * 0: silence. */
size_t ask_answer(const struct plan *plan, const struct ask *ask, struct stats *stats,
	uint8_t out[ANSWER_TCP_MAX], struct decoded *ret_decoded);

#endif
