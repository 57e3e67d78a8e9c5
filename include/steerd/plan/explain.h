/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/plan/plan.h"

/*
 * explain - why a client gets what it gets: the decision of the plan that serves, with its reasons kept.
 */
struct explain_request {
	const char *name;     /* as an operator types it */
	uint16_t type;	      /* DNS_TYPE_A or DNS_TYPE_AAAA */
	struct prefix client; /* a whole address, or a subnet as EDNS Client Subnet has it */
};

struct explain_candidate {
	struct steer_candidate candidate;
	double distance_km; /* from the client's place to the candidate's site; below 0: unknown */
	const char *site;   /* NULL: none */
	const struct verdict *verdict;	 /* NULL: unchecked; lives as long as the plan */
	const struct override *override; /* NULL: none */
};

struct explain {
	bool is_steered; /* if not, only zone, outcome and `owner` say anything */
	enum zone_outcome outcome;
	bool is_wildcard;
	char zone[NAME_TEXT_SIZE];
	char owner[NAME_TEXT_SIZE]; /* of the node that answers */
	const char *pool;
	uint32_t ttl_s;
	struct geo_place place;
	uint32_t class;
	uint8_t scope_bits;
	bool uses_geography;
	enum steer_kind kind;
	struct explain_candidate *candidates; /* heap */
	size_t candidate_count;
	const struct steer_choice *choice; /* of the plan itself: what dig gets */
};

/* [main] False if the name cannot be read or no zone holds it. */
bool explain_query(const struct plan *plan, const struct explain_request *request,
	struct explain *ret_explain, struct err *err);
void explain_done(struct explain *explain);

#endif
