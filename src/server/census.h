/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CENSUS_H
#define SERVER_CENSUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/random.h"

/*
 * census - how many TCP connections one address has, and how many its network, over all threads
 * (RFC 7766 6.2.2).
 *
 * The kernel spreads the connections of one client over all threads, so that no thread can count
 * for itself.  A mutex is taken when a connection comes and when it goes, and never for a query.
 * When one comes that is one too many, the one of its own address (or network) goes that has not
 * got on for longest, whichever thread has it: its socket is shut down, so that its thread sees
 * the end of it.  So whoever holds many of them takes them from themselves, and behind a shared
 * address those who ask outlast those who only hold.
 */
struct census;

/* An "address" is one IPv4 address or an IPv6 /64, a "network" is a /24 or a /48.  0: any number. */
struct census_limits {
	size_t per_address;
	size_t per_network;
};

enum { CENSUS_ADDRESS, CENSUS_NETWORK, CENSUS_LEVELS };

/* One connection; storage of the thread that serves it, which fills in the first three. */
struct census_member {
	int fd; /* stays open until census_leave() */
	struct address address;
	atomic_uint_fast64_t got_on_at_ms; /* [owner] when it was last served; others read it */
	bool is_counted;		   /* the rest is the census's */
	struct {
		uint64_t network;
		struct census_member *previous; /* with the same hash */
		struct census_member *next;
	} at[CENSUS_LEVELS];
};

/* For about so many members; others are welcome. */
struct census *census_new(
	const struct census_limits *limits, size_t member_count, struct random *random);
void census_free(struct census *census); /* NULL is allowed */

/* [any thread] How many others were shut down to make room for it. */
size_t census_join(struct census *census, struct census_member *member);
/* [any thread] Before its socket is closed. */
void census_leave(struct census *census, struct census_member *member);

#endif
