/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_COOKIE_H
#define DNS_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/siphash.h"

/*
 * cookie - DNS cookies (RFC 7873) as all servers make them that share a secret (RFC 9018 4).
 *
 *	client cookie 8 | version 1 | reserved 3 | time 4 | hash 8 of all this and the client's address
 *
 * Nothing is kept for a client: the cookie itself says when it was made, and the hash that it was made here, or by who
 * has the secret, for that address.  [any thread, query path]
 */
#define COOKIE_CLIENT_SIZE 8
#define COOKIE_SERVER_SIZE_MIN 8 /* RFC 7873 4; ours have 16 */
#define COOKIE_SERVER_SIZE_MAX 32
#define COOKIE_SIZE 24

#define COOKIE_KEYS_MAX 2

/* The first makes cookies, each is accepted: so a secret is rolled over without one cookie being lost. */
struct cookie_keys {
	size_t count;
	struct siphash_key keys[COOKIE_KEYS_MAX];
};

/* A cookie as it came. */
struct cookie {
	const uint8_t *content; /* of the option, 8 or 16 to 40 octets */
	size_t size;
	const struct address *client;
	uint32_t now_unix_s; /* the lower 32 bits */
};

enum cookie_verdict {
	COOKIE_NONE,   /* not judged */
	COOKIE_CLIENT, /* no server cookie with it */
	COOKIE_BAD,    /* not made here, or not for this client, or not now */
	COOKIE_OLD, /* good, but time to give the client another: of the old secret, or half an hour old */
	COOKIE_GOOD,
};

enum cookie_verdict cookie_judge(const struct cookie_keys *keys, const struct cookie *cookie);

/* What the reply's option holds: a new cookie for the same client. */
void cookie_make(const struct cookie_keys *keys, const struct cookie *cookie,
	uint8_t ret_content[static COOKIE_SIZE]);

#endif
