/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/*
 * What one pool, as the root of steered names, answers: shared by all plans in which nothing that it depends on
 * differs.
 */
struct pool_plan {
	unsigned holders; /* [main] */
	struct arena *arena;
	struct plan_steering steering;
};

struct plan_private {
	struct belief_table beliefs;
	struct guard_pool_state *pool_states; /* by pool */
	struct override_list overrides;
	const struct override **by_member; /* into `overrides`; NULL: none */
	uint8_t *override_kinds;	   /* the same for the steer room */
	struct pool_plan **pools;	   /* by pool; NULL where none is a root */
	const struct plan_steering **steerings;
};

/* ---- One pool -------------------------------------------------------------------------------------- */

static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};

/* One choice for each class of clients. */
static const struct steer_choice *const *choose_all(
	struct steer_planner *planner, const struct geo_map *map, struct arena *arena)
{
	size_t class_count = map ? geo_map_class_count(map) : 1;
	const struct steer_choice **choices =
		ARENA_ARRAY(arena, const struct steer_choice *, class_count);

	for (uint32_t class = 0; class < class_count; class ++)
		choices[class] =
			steer_planner_choose(planner, map ? geo_map_order(map, class) : NULL, NULL);
	return choices;
}

static struct pool_plan *pool_plan_new(
	const struct snapshot *snapshot, uint32_t pool, const struct steer_world *world)
{
	const struct snapshot_pool *info = &snapshot->pool_infos[pool];
	struct pool_plan *planned = memory_new(sizeof(*planned));
	const struct geo_map *map =
		info->map == SETTINGS_NONE ? NULL : geo_get_map(snapshot->geo, info->map);

	planned->holders = 1;
	planned->arena = arena_new();
	planned->steering.map = map;
	for (size_t f = 0; f < COUNT_OF(families); f++) {
		struct steer_planner *planner = steer_planner_new(&snapshot->pools[pool],
			families[f], world, info->sites, info->site_count, planned->arena);

		planned->steering.choices[f] = choose_all(planner, map, planned->arena);
		steer_planner_free(planner);
	}
	return planned;
}

static void pool_plan_release(struct pool_plan *planned)
{
	if (!planned || --planned->holders > 0)
		return;
	arena_free(planned->arena);
	free(planned);
}

/* ---- What changed ---------------------------------------------------------------------------------- */

/* Everything that a pool's choices depend on, before and after. */
struct change {
	const struct plan_private *before;
	const struct plan_private *after;
};

static bool are_rows_changed(const struct change *change, uint32_t member)
{
	size_t count_before;
	size_t count_after;
	const struct belief *before =
		belief_table_find(&change->before->beliefs, member, &count_before);
	const struct belief *after =
		belief_table_find(&change->after->beliefs, member, &count_after);

	if (count_before != count_after)
		return true;
	for (size_t i = 0; i < count_after; i++)
		if (before[i].share != after[i].share ||
			before[i].is_last_good != after[i].is_last_good ||
			!address_is_equal(&before[i].address, &after[i].address))
			return true;
	return false;
}

static bool is_pool_changed(const struct change *change, const struct steer_pool *pool)
{
	if (change->before->pool_states[pool->id].state !=
		change->after->pool_states[pool->id].state)
		return true;
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (change->before->override_kinds[member->id] !=
			change->after->override_kinds[member->id])
			return true;
		if (member->pool ? is_pool_changed(change, member->pool)
				 : are_rows_changed(change, member->id))
			return true;
	}
	return false;
}

/* ---- The plan -------------------------------------------------------------------------------------- */

static void copy_world(const struct snapshot *snapshot, const struct plan_beliefs *beliefs,
	const struct override_list *overrides, struct plan_private *private)
{
	const struct settings *settings = snapshot->settings;

	belief_table_copy(beliefs->beliefs, &private->beliefs);
	private->pool_states =
		memory_copy(beliefs->pools, settings->pool_count * sizeof(private->pool_states[0]));
	for (size_t i = 0; i < overrides->count; i++)
		override_list_set(&private->overrides, &overrides->items[i]);
	private->by_member = memory_new(snapshot->member_count * sizeof(private->by_member[0]));
	private->override_kinds = memory_new(snapshot->member_count);
	for (uint32_t id = 0; id < snapshot->member_count; id++) {
		const struct settings_pool *pool = &settings->pools[snapshot->members[id].pool];
		const struct settings_member *member = &pool->members[snapshot->members[id].member];
		const char *site =
			member->site == SETTINGS_NONE ? NULL : settings->sites[member->site].name;
		const struct override *override =
			override_list_find(&private->overrides, pool->name, member->name, site);

		private->by_member[id] = override;
		private->override_kinds[id] = override ? (uint8_t) override->kind : OVERRIDE_NONE;
	}
}

static struct steer_world world_of(const struct plan_private *private)
{
	return (struct steer_world){
		&private->beliefs, private->pool_states, private->override_kinds};
}

static void plan_pools(
	const struct snapshot *snapshot, const struct plan *previous, struct plan_private *private)
{
	struct steer_world world = world_of(private);
	struct change change = {previous ? previous->private : NULL, private};

	private->pools = memory_new(snapshot->settings->pool_count * sizeof(private->pools[0]));
	for (uint32_t i = 0; i < snapshot->settings->pool_count; i++) {
		if (!snapshot->pool_infos[i].is_root)
			continue;
		if (previous && !is_pool_changed(&change, &snapshot->pools[i])) {
			private->pools[i] = previous->private->pools[i];
			private->pools[i]->holders++;
		} else {
			private->pools[i] = pool_plan_new(snapshot, i, &world);
		}
	}
}

static void index_steerings(const struct snapshot *snapshot, struct plan_private *private)
{
	size_t count = zone_set_steered_count(snapshot->zones);

	private->steerings = memory_new(count * sizeof(private->steerings[0]));
	for (size_t i = 0; i < count; i++)
	private->steerings[i] = &private->pools[snapshot->steered_pools[i]]->steering;
}

struct plan *plan_build(const struct snapshot *snapshot, const struct plan_beliefs *beliefs,
	const struct override_list *overrides, const struct plan *previous)
{
	struct plan *plan = memory_new(sizeof(*plan));

	if (previous && previous->snapshot != snapshot)
		previous = NULL;
	plan->private = memory_new(sizeof(*plan->private));
	plan->snapshot = snapshot_hold(snapshot);
	plan->zones = snapshot->zones;
	plan->identity = snapshot->identity;
	plan->version = snapshot->version;
	plan->cookies = snapshot->cookies;
	plan->without_cookie_max = snapshot->settings->udp_without_cookie;
	/* A later snapshot's plans are later than any of an earlier one. */
	plan->generation = previous ? previous->generation + 1 : snapshot->generation << 32;
	copy_world(snapshot, beliefs, overrides, plan->private);
	plan_pools(snapshot, previous, plan->private);
	index_steerings(snapshot, plan->private);
	plan->steerings = plan->private->steerings;
	return plan;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;

	struct plan_private *private = plan->private;

	for (size_t i = 0; i < plan->snapshot->settings->pool_count; i++)
		pool_plan_release(private->pools[i]);
	free(private->pools);
	free(private->steerings);
	free(private->override_kinds);
	free(private->by_member);
	override_list_done(&private->overrides);
	belief_table_done(&private->beliefs);
	free(private->pool_states);
	free(private);
	snapshot_release(plan->snapshot);
	free(plan);
}

const struct override *plan_override(const struct plan *plan, uint32_t member_id)
{
	return plan->private->by_member[member_id];
}

struct steer_world plan_world(const struct plan *plan)
{
	return world_of(plan->private);
}
