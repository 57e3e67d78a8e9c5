/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_SET_H
#define ZONE_SET_H

#include "roster.h"
#include "tree.h"

#include "steerd/dns/dns.h"
#include "steerd/zone/zone.h"

/*
 * set - the zones that are served together: set.c makes it, find.c answers from it.
 */
#define NO_ZONE UINT32_MAX

/* A zone as it stands in one set. */
struct set_zone {
	struct zone *zone;
	uint32_t steered_base; /* where its steered names begin among those of the set */
	uint32_t parent;       /* the hosted zone that it lies in, or NO_ZONE */
	bool has_child;
	/* what the parent has at the apex, or NULL: DS is there (RFC 4035 3.1.4.1) */
	const struct zone_node *parent_node;
};

struct zone_set {
	struct set_zone *zones; /* in order of their files' names */
	size_t count;
	size_t capacity;
	struct roster roster;
	/* how many labels apexes have, each number once, the largest first: mostly there are one or two */
	uint8_t apex_depths[DNS_LABELS_MAX];
	unsigned apex_depth_count;
	struct zone_steered *steered;
	uint32_t steered_count;
	const struct zone_hints **hidden; /* zone_set_hides_hints(): by address */
	size_t hidden_count;
	size_t hidden_capacity;
};

#endif
