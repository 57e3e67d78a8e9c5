/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/health/verdict.h"
#include "steerd/plan/plan.h"

/*
 * explain - why a client gets what it gets: the decision of the plan that serves, with its reasons kept.
 */
struct explain_request {
	const char *name;     /* as an operator types it */
	uint16_t type;	      /* DNS_TYPE_A or DNS_TYPE_AAAA */
	struct prefix client; /* a whole address, or a subnet as EDNS Client Subnet has it */
	/* What geo_find_place() says of the client, from a thread that may read files; NULL: explain_query() asks it. */
	const struct geo_place *place;
};

/* What one monitor of a member says of an address. */
struct explain_check {
	const char *monitor; /* NULL: none, the host name is resolved and no more */
	bool is_watch_only;
	const struct verdict *verdict; /* NULL: none yet */
};

struct explain_candidate {
	struct steer_candidate candidate; /* what is believed, too */
	const char *site;		  /* NULL: none */
	double distance_km;	      /* from the client's place to the site; below 0: unknown */
	struct explain_check *checks; /* heap */
	size_t check_count;
	const struct override *override; /* its member's own; NULL: none */
};

struct explain {
	enum zone_outcome outcome;
	bool is_wildcard;
	bool is_steered;	    /* if not, what stands below says nothing */
	char zone[NAME_TEXT_SIZE];  /* "" outside all zones */
	char owner[NAME_TEXT_SIZE]; /* of the node that answers; "" if none does */
	const char *pool;
	uint32_t ttl_s;
	bool uses_geography; /* if not: one class, scope 0 */
	struct geo_place place;
	uint32_t class;
	uint8_t scope_bits;
	struct explain_candidate *candidates; /* heap */
	size_t candidate_count;
	const struct steer_choice *choice; /* the plan's own: what is answered */
};

/* [main] `verdicts`, of the plan's snapshot, are shown beside what is believed.  All that it points to lives as long as both.
 * False if the name cannot be read, or the type is not steered. */
bool explain_query(const struct plan *plan, const struct verdict_table *verdicts,
	const struct explain_request *request, struct explain *ret_explain, struct err *err);
void explain_done(struct explain *explain);

#endif
