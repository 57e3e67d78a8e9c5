/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWER_WORLD_H
#define ANSWER_WORLD_H

#include "steerd/geo/geo.h"
#include "steerd/plan/plan.h"

/*
 * world - a plan made by hand: zones and a networks file beside the tests, and pools whose decisions are known.
 *
 * It calls itself "ant-1", version "steerd 7", gives cookies of WORLD_SECRET, and takes those of WORLD_OLD_SECRET too;
 * over UDP, who has no good cookie gets 512 octets.
 *
 *	two     A: 192.0.2.11 and .12, always both; no AAAA
 *	six     AAAA: 2001:db8::6; no A
 *	shares  A: .21 for a quarter of all random numbers, .22 for the rest; no AAAA
 *	many    64 of each family
 *	none    of neither family
 *	spare   the name's own records
 *	last    the name's own records, of every class: no address of the pool is known
 *	near    A: .101 ant, .102 bee, .103 sea; AAAA 2001:db8:f::1 to 3; the nearest two of them
 */
#define WORLD_SECRET "0123456789abcdef"
#define WORLD_OLD_SECRET "fedcba9876543210"

struct world {
	struct plan plan;
	struct geo *geo;
	struct arena *arena;
	struct cookie_keys cookies;
};

/* `networks_path` NULL: the file beside the tests. */
struct world *world_new(const char *networks_path);
/* The same pools with other zones: a directory below that of the sources. */
struct world *world_new_with(const char *zones);
void world_free(struct world *world);

#endif
