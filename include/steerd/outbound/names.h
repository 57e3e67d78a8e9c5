/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_NAMES_H
#define OUTBOUND_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"

struct event_base;

/*
 * names - host names to addresses, on the event loop, with the TTL of the answer.
 *
 * The two families are asked and told apart: that the AAAA cannot be had says nothing of the A.
 * Each lookup has a resolver of its own, so that a changed resolv.conf holds from the next one on.
 */
struct names;
struct lookup;

/*
 * Addresses of one family that are taken from an answer; a name that has more is cut, lowest first.
 */
#define NAMES_ADDRESSES_MAX 32

enum names_state {
	NAMES_FOUND,  /* at least one address */
	NAMES_NONE,   /* the name exists without any, or does not exist */
	NAMES_FAILED, /* no answer, or one that says nothing */
};

struct names_family {
	enum names_state state;
	struct address addresses[NAMES_ADDRESSES_MAX]; /* sorted, each once */
	size_t count;
	uint32_t ttl_s;	 /* of what was found */
	const char *why; /* NAMES_NONE, NAMES_FAILED: in words */
};

struct names_result {
	struct names_family ipv4;
	struct names_family ipv6;
};

/* The lookup is over when it is called. */
typedef void (*names_done_fn)(void *context, const struct names_result *result);

/*
 * `servers`: "192.0.2.1:53,[2001:db8::1]:53" in place of those of resolv.conf, or NULL.  It must
 * outlive the names.
 */
struct names *names_new(struct event_base *base, const char *servers);
void names_free(struct names *names); /* cancels what runs; NULL is allowed */

struct lookup *lookup_start(
	struct names *names, const char *host, names_done_fn done, void *context);
void lookup_cancel(struct lookup *lookup); /* NULL is allowed */

#endif
