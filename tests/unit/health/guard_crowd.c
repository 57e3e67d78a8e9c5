/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "steerd/base/memory.h"
#include "steerd/health/guard.h"

#define IN_ONE_POOL 10

struct crowd {
	struct guard *guard;
	struct guard_rules rules;
	struct guard_pool *pools; /* the first one is above the others */
	struct guard_member *members;
	struct guard_condition *conditions;
	struct address *addresses;
	target_id *targets;
	uint32_t *ids;
	char (*keys)[24];
	char (*names)[24];
	struct verdict_table table;
	uint8_t *overrides;
};

static void add_endpoint(struct crowd *crowd, uint32_t id)
{
	uint8_t octets[] = {10, (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};

	snprintf(crowd->keys[id], sizeof(crowd->keys[id]), "p/%u", id);
	crowd->addresses[id] = address_of_in(octets);
	crowd->targets[id] = id;
	crowd->conditions[id] = (struct guard_condition){.targets = &crowd->targets[id]};
	crowd->members[id] = (struct guard_member){
		.key = crowd->keys[id],
		.pool = 1 + id / IN_ONE_POOL,
		.child = GUARD_NONE,
		.addresses = &crowd->addresses[id],
		.address_count = 1,
		.condition = &crowd->conditions[id],
		.evidence_ms = 15000,
	};
	crowd->table.rows[id] = (struct verdict){.target = id,
		.address = crowd->addresses[id],
		.state = VERDICT_UP,
		.checked_at_unix_s = 1,
		.last_passed = true};
}

static void add_pool(struct crowd *crowd, uint32_t id, size_t first, size_t count)
{
	snprintf(crowd->names[id], sizeof(crowd->names[id]), "pool%u", id);
	crowd->pools[id] = (struct guard_pool){
		.name = crowd->names[id],
		.members = crowd->ids + first,
		.member_count = count,
		.panic_percent = 50,
		.loss_percent = 50,
		.degraded_share = BELIEF_WHOLE / 2,
		.slow_start_ms = 60000,
		.failback_ms = 5000,
		.needs = GUARD_NONE,
	};
}

static void add_child(struct crowd *crowd, uint32_t id, uint32_t pool)
{
	snprintf(crowd->keys[id], sizeof(crowd->keys[id]), "pool0/%u", pool);
	crowd->members[id] = (struct guard_member){.key = crowd->keys[id], .child = pool};
}

struct crowd *crowd_new(size_t count)
{
	struct crowd *crowd = memory_new(sizeof(*crowd));
	size_t pool_count = (count + IN_ONE_POOL - 1) / IN_ONE_POOL;
	size_t member_count = count + pool_count;

	crowd->guard = guard_new();
	crowd->pools = memory_new((pool_count + 1) * sizeof(crowd->pools[0]));
	crowd->members = memory_new(member_count * sizeof(crowd->members[0]));
	crowd->conditions = memory_new(count * sizeof(crowd->conditions[0]));
	crowd->addresses = memory_new(count * sizeof(crowd->addresses[0]));
	crowd->targets = memory_new(count * sizeof(crowd->targets[0]));
	crowd->ids = memory_new(member_count * sizeof(crowd->ids[0]));
	crowd->keys = memory_new(member_count * sizeof(crowd->keys[0]));
	crowd->names = memory_new((pool_count + 1) * sizeof(crowd->names[0]));
	crowd->overrides = memory_new(member_count);
	crowd->table.count = count;
	crowd->table.rows = memory_new(count * sizeof(crowd->table.rows[0]));
	for (uint32_t i = 0; i < member_count; i++)
		crowd->ids[i] = i;
	for (uint32_t i = 0; i < count; i++)
		add_endpoint(crowd, i);
	add_pool(crowd, 0, count, pool_count);
	for (uint32_t i = 1; i <= pool_count; i++) {
		size_t first = (i - 1) * IN_ONE_POOL;
		size_t in_it = count - first < IN_ONE_POOL ? count - first : IN_ONE_POOL;

		add_pool(crowd, i, first, in_it);
		add_child(crowd, (uint32_t)count + i - 1, i);
	}
	crowd->rules = (struct guard_rules){
		.pools = crowd->pools,
		.pool_count = pool_count + 1,
		.members = crowd->members,
		.member_count = member_count,
		.canaries = GUARD_NONE,
		.suspect_percent = 50,
		.suspect_networks = 3,
		.suspect_window_ms = 20000,
		.confirm_ms = 60000,
	};
	guard_set_rules(crowd->guard, &crowd->rules);
	return crowd;
}

void crowd_free(struct crowd *crowd)
{
	guard_free(crowd->guard);
	free(crowd->pools);
	free(crowd->members);
	free(crowd->conditions);
	free(crowd->addresses);
	free(crowd->targets);
	free(crowd->ids);
	free(crowd->keys);
	free(crowd->names);
	free(crowd->overrides);
	free(crowd->table.rows);
	free(crowd);
}

void crowd_show(struct crowd *crowd, size_t nth)
{
	for (size_t i = 0; i < crowd->table.count; i++) {
		struct verdict *row = &crowd->table.rows[i];

		row->last_passed = nth == 0 || i % nth != 0;
		row->state = row->last_passed ? VERDICT_UP : VERDICT_DOWN;
		row->checked_at_unix_s++;
	}
}

void crowd_step(struct crowd *crowd, uint64_t now_ms)
{
	(void)guard_step(crowd->guard,
		&(struct guard_input){
			.verdicts = &crowd->table,
			.overrides = crowd->overrides,
			.now_ms = now_ms,
			.now_unix_s = 1700000000 + now_ms / 1000,
		});
}

size_t crowd_down(const struct crowd *crowd)
{
	const struct belief_table *beliefs = guard_beliefs(crowd->guard);
	size_t count = 0;

	for (uint32_t i = 0; i < beliefs->first[beliefs->member_count]; i++)
		count += beliefs->rows[i].state == VERDICT_DOWN;
	return count;
}
