/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/plan/explain.h"

#include <stdlib.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"

static void explain_zone(const struct zone_match *match, struct explain *explain)
{
	explain->outcome = match->outcome;
	explain->is_wildcard = match->is_wildcard;
	explain->is_steered = match->outcome == ZONE_NODE && match->steered != ZONE_NOT_STEERED;
	if (match->zone)
		name_print(zone_name(match->zone), explain->zone);
	if (match->node)
		name_print(zone_node_name(match->node), explain->owner);
}

static struct geo_hit find_class(const struct geo_map *map, const struct prefix *client)
{
	if (client->bits == address_bits(&client->address))
		return geo_map_find(map, &client->address);
	return geo_map_find_prefix(map, client);
}

/* What is handed through: the question, and what it is answered from. */
struct asking {
	const struct plan *plan;
	const struct verdict_table *verdicts;
	const struct explain_request *request;
};

static const struct verdict *find_verdict(const struct verdict_table *verdicts,
	const struct snapshot_check *check, const struct address *address)
{
	for (size_t i = 0; i < check->target_count; i++) {
		size_t row_count;
		const struct verdict *rows =
			verdict_table_find(verdicts, check->targets[i], &row_count);

		for (size_t r = 0; r < row_count; r++)
			if (address_is_equal(&rows[r].address, address))
				return &rows[r];
	}
	return NULL;
}

static void explain_checks(const struct asking *asking, struct explain_candidate *candidate)
{
	const struct snapshot *snapshot = asking->plan->snapshot;
	const struct snapshot_member *member = &snapshot->members[candidate->candidate.member->id];

	candidate->check_count = member->check_count;
	candidate->checks = memory_new(member->check_count * sizeof(candidate->checks[0]));
	for (size_t i = 0; i < member->check_count; i++) {
		const struct snapshot_check *check = &member->checks[i];

		candidate->checks[i] = (struct explain_check){
			.monitor = check->monitor == SETTINGS_NONE
				? NULL
				: snapshot->settings->monitors[check->monitor].name,
			.is_watch_only = check->is_watch_only,
			.verdict = find_verdict(
				asking->verdicts, check, &candidate->candidate.address),
		};
	}
}

static void explain_candidates(
	const struct asking *asking, const struct steer_trace *trace, struct explain *explain)
{
	const struct plan *plan = asking->plan;
	const struct geo_request *request = plan->snapshot->geo_request;

	explain->candidate_count = trace->count;
	explain->candidates = memory_new(trace->count * sizeof(explain->candidates[0]));
	for (size_t i = 0; i < trace->count; i++) {
		struct explain_candidate *candidate = &explain->candidates[i];
		uint16_t site = trace->items[i].site;

		candidate->candidate = trace->items[i];
		explain_checks(asking, candidate);
		candidate->override = plan_override(plan, trace->items[i].member->id);
		candidate->distance_km = -1;
		if (site == STEER_NO_SITE)
			continue;
		candidate->site = request->sites[site].name;
		if (explain->place.is_known)
			candidate->distance_km =
				geo_distance_km(&explain->place.at, &request->sites[site].at);
	}
}

/* Decides again as the plan did, this time with the reasons. */
static void explain_choice(
	const struct asking *asking, uint32_t pool, const uint8_t *order, struct explain *explain)
{
	const struct plan *plan = asking->plan;
	const struct snapshot *snapshot = plan->snapshot;
	enum address_family family =
		asking->request->type == DNS_TYPE_A ? ADDRESS_IPV4 : ADDRESS_IPV6;
	struct steer_trace trace = {0};
	struct arena *arena = arena_new();
	struct steer_world world = plan_world(plan);
	struct steer_planner *planner = steer_planner_new(&snapshot->pools[pool], family, &world,
		snapshot->pool_infos[pool].sites, snapshot->pool_infos[pool].site_count, arena);

	steer_planner_choose(planner, order, &trace);
	explain_candidates(asking, &trace, explain);
	steer_planner_free(planner);
	free(trace.items);
	arena_free(arena);
}

static void explain_steered(const struct asking *asking, uint32_t steered, struct explain *explain)
{
	const struct plan *plan = asking->plan;
	const struct explain_request *request = asking->request;
	const struct plan_steering *steering = plan->steerings[steered];
	uint32_t pool = plan->snapshot->steered_pools[steered];
	const uint8_t *order = NULL;

	explain->pool = plan->snapshot->pools[pool].name;
	explain->ttl_s = zone_set_steered(plan->zones, steered)->ttl_s;
	if (request->place)
		explain->place = *request->place;
	else
		geo_find_place(
			plan->snapshot->geo_request, &request->client.address, &explain->place);
	if (steering->map) {
		struct geo_hit hit = find_class(steering->map, &request->client);

		explain->uses_geography = true;
		explain->class = hit.class;
		explain->scope_bits = hit.scope_bits;
		order = geo_map_order(steering->map, hit.class);
	}
	explain->choice = steering->choices[request->type != DNS_TYPE_A][explain->class];
	explain_choice(asking, pool, order, explain);
}

bool explain_query(const struct plan *plan, const struct verdict_table *verdicts,
	const struct explain_request *request, struct explain *ret_explain, struct err *err)
{
	const struct asking asking = {plan, verdicts, request};
	struct explain explain = {0};
	struct name_key name;
	struct zone_match match;

	if (request->type != DNS_TYPE_A && request->type != DNS_TYPE_AAAA)
		return err_set(err, "only A and AAAA are steered");
	if (!name_parse(request->name, &name, err))
		return false;
	zone_set_find(plan->zones, &name, request->type, &match);
	explain_zone(&match, &explain);
	if (explain.is_steered)
		explain_steered(&asking, match.steered, &explain);
	*ret_explain = explain;
	return true;
}

void explain_done(struct explain *explain)
{
	for (size_t i = 0; i < explain->candidate_count; i++)
		free(explain->candidates[i].checks);
	free(explain->candidates);
	*explain = (struct explain){0};
}
