/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* A wish for a target: members of several pools may have the same, known by its key. */
struct wish {
	struct target target;
	target_id *slot; /* of a check: where the id goes */
};

struct wishes {
	struct wish *items;
	size_t count;
	size_t capacity;
	const struct settings *settings;
	struct arena *arena;
};

static const char *make_key(const struct wishes *wishes, uint32_t monitor,
	const struct address *address, const char *host)
{
	char address_text[ADDRESS_TEXT_SIZE];
	struct text key = {0};

	if (address)
		address_print(address, address_text);
	text_print(&key, "%s@%s",
		monitor == SETTINGS_NONE ? "" : wishes->settings->monitors[monitor].name,
		address ? address_text : host);

	const char *kept = arena_text(wishes->arena, key.bytes);

	text_done(&key);
	return kept;
}

static void wish_for(struct wishes *wishes, uint32_t monitor, const struct address *address,
	const char *host, target_id *slot)
{
	struct wish wish = {.slot = slot};

	wish.target = (struct target){
		.key = make_key(wishes, monitor, address, host),
		.monitor = monitor == SETTINGS_NONE ? TARGET_NONE : monitor,
		.host = address ? NULL : host,
	};
	if (address)
		wish.target.address = *address;
	wishes->items = MEMORY_GROW(wishes->items, wishes->count, &wishes->capacity);
	wishes->items[wishes->count++] = wish;
}

static int compare_keys(const void *a, const void *b)
{
	const struct wish *x = a;
	const struct wish *y = b;

	return strcmp(x->target.key, y->target.key);
}

/* Gives each key one id and each check its targets' ids. */
static void number_targets(struct wishes *wishes, struct target_list *ret_targets)
{
	struct target *targets = ARENA_ARRAY(wishes->arena, struct target, wishes->count);
	size_t count = 0;

	if (wishes->count > 0)
		qsort(wishes->items, wishes->count, sizeof(wishes->items[0]), compare_keys);
	for (size_t i = 0; i < wishes->count; i++) {
		if (i == 0 || compare_keys(&wishes->items[i - 1], &wishes->items[i]) != 0)
			targets[count++] = wishes->items[i].target;
		*wishes->items[i].slot = (target_id)(count - 1);
	}
	ret_targets->targets = targets;
	ret_targets->count = count;
}

/* ---- What is checked of a member ------------------------------------------------------------------ */

bool targets_find_condition(const struct settings_pool *pool, const struct settings_member *member,
	struct settings_condition *ret_condition)
{
	if (member->condition)
		*ret_condition = *member->condition;
	else if (pool->condition)
		*ret_condition = *pool->condition;
	else
		return false;
	return true;
}

struct checks {
	struct snapshot_check *items;
	size_t count;
};

static void add_check(struct checks *checks, uint32_t monitor, bool is_watch_only)
{
	for (size_t i = 0; i < checks->count; i++)
		if (checks->items[i].monitor == monitor)
			return;
	checks->items[checks->count++] =
		(struct snapshot_check){.monitor = monitor, .is_watch_only = is_watch_only};
}

static size_t count_leaves(const struct settings_condition *condition)
{
	size_t count = condition->item_count == 0;

	for (size_t i = 0; i < condition->item_count; i++)
		count += count_leaves(&condition->items[i]);
	return count;
}

/* A check for each monitor of a condition, which is no deeper than config lets it be. */
static void add_checks(struct checks *checks, const struct settings_condition *condition)
{
	if (condition->kind == CONDITION_MONITOR)
		add_check(checks, condition->monitor, false);
	for (size_t i = 0; i < condition->item_count; i++)
		add_checks(checks, &condition->items[i]);
}

static void make_checks(struct wishes *wishes, const struct settings_pool *pool,
	const struct settings_member *from, struct snapshot_member *member)
{
	struct settings_condition condition;
	bool has_condition = targets_find_condition(pool, from, &condition);
	size_t most = (has_condition ? count_leaves(&condition) : 1) + pool->watch_only_count;
	struct checks checks = {.items = ARENA_ARRAY(wishes->arena, struct snapshot_check, most)};

	if (has_condition)
		add_checks(&checks, &condition);
	else if (from->host)
		add_check(&checks, SETTINGS_NONE, false);
	for (size_t i = 0; i < pool->watch_only_count; i++)
		add_check(&checks, pool->watch_only[i], true);
	for (size_t i = 0; i < checks.count; i++) {
		struct snapshot_check *check = &checks.items[i];

		check->target_count = from->host ? 1 : from->address_count;

		target_id *targets = ARENA_ARRAY(wishes->arena, target_id, check->target_count);

		check->targets = targets;
		for (size_t k = 0; k < check->target_count; k++)
			wish_for(wishes, check->monitor, from->host ? NULL : &from->addresses[k],
				from->host, &targets[k]);
	}
	member->checks = checks.items;
	member->check_count = checks.count;
}

/* ---- The tree ------------------------------------------------------------------------------------- */

static const enum steer_method methods[] = {
	[METHOD_NEAREST] = STEER_NEAREST,
	[METHOD_FAILOVER] = STEER_FAILOVER,
	[METHOD_WEIGHTED] = STEER_WEIGHTED,
	[METHOD_ALL] = STEER_ALL,
};

static const enum steer_all_down all_downs[] = {
	[ALL_DOWN_SERVE_ALL] = STEER_SERVE_ALL,
	[ALL_DOWN_FALLBACK] = STEER_FALLBACK,
	[ALL_DOWN_LAST_GOOD] = STEER_LAST_GOOD,
	[ALL_DOWN_FENCED] = STEER_FENCED,
};

static void make_members(struct wishes *wishes, struct steer_pool *pools, uint32_t index,
	struct snapshot_member *members, uint32_t first_id)
{
	const struct settings_pool *pool = &wishes->settings->pools[index];
	struct steer_member *into =
		ARENA_ARRAY(wishes->arena, struct steer_member, pool->member_count);

	pools[index].members = into;
	for (uint32_t m = 0; m < pool->member_count; m++) {
		const struct settings_member *from = &pool->members[m];
		bool is_pool = from->pool != SETTINGS_NONE;

		into[m] = (struct steer_member){
			.name = from->name,
			.id = first_id + m,
			.site = from->site == SETTINGS_NONE ? STEER_NO_SITE : (uint16_t)from->site,
			.weight = (uint16_t)from->weight,
			.pool = is_pool ? &pools[from->pool] : NULL,
		};
		members[first_id + m] = (struct snapshot_member){.pool = index, .member = m};
		if (!is_pool)
			make_checks(wishes, pool, from, &members[first_id + m]);
	}
}

void targets_make(struct snapshot *snapshot, struct arena *arena)
{
	const struct settings *settings = snapshot->settings;
	struct wishes wishes = {.settings = settings, .arena = arena};
	struct steer_pool *pools = ARENA_ARRAY(arena, struct steer_pool, settings->pool_count);
	struct snapshot_member *members;
	uint32_t first_id = 0;

	for (size_t i = 0; i < settings->pool_count; i++)
		snapshot->member_count += (uint32_t)settings->pools[i].member_count;
	members = ARENA_ARRAY(arena, struct snapshot_member, snapshot->member_count);
	for (uint32_t i = 0; i < settings->pool_count; i++) {
		const struct settings_pool *from = &settings->pools[i];

		pools[i] = (struct steer_pool){
			.name = from->name,
			.id = i,
			.method = methods[from->method],
			.when_all_down = all_downs[from->when_all_down],
			.answers = from->answers < STEER_ANSWERS_MAX ? from->answers
								     : STEER_ANSWERS_MAX,
			.member_count = from->member_count,
		};
		make_members(&wishes, pools, i, members, first_id);
		first_id += (uint32_t)from->member_count;
	}
	number_targets(&wishes, &snapshot->targets);
	snapshot->pools = pools;
	snapshot->members = members;
	free(wishes.items);
}
