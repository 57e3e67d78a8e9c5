/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "read.h"
#include "steerd/base/memory.h"
#include "value.h"

/* Pools in pools: enough for anything a person can still explain, and a bound for who walks them. */
#define NESTING_MAX 32

/* ---- members ---------------------------------------------------------------------------------------------------- */

static void check_member_kind(
	struct check *check, const struct settings_member *member, const struct node *map)
{
	static const char *const kinds[] = {"address", "host", "pool"};
	const char *found = NULL;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct node *key = tree_find_key(map, kinds[i]);

		if (key && found)
			complain(check->complaints, key->place,
				"member '%s' has '%s' already; it can have one of address, host "
				"and pool",
				show(member->name).text, found);
		else if (key)
			found = kinds[i];
	}
	if (!found)
		complain(check->complaints, member->place,
			"member '%s' has none of address, host and pool", show(member->name).text);
}

static void check_member(struct check *check, const struct settings_pool *pool,
	const struct settings_member *member, const struct node *map)
{
	const struct node *weight = tree_find_key(map, "weight");

	check_member_kind(check, member, map);
	if (weight && (pool->method == METHOD_FAILOVER || pool->method == METHOD_ALL))
		complain_warn(check->complaints, weight->place,
			"'weight' has no effect in a pool whose method is %s",
			pool->method == METHOD_ALL ? "all" : "failover");
	if (member->site < check->settings->site_count)
		check->is_site_used[member->site] = true;
}

/* An address in the file. */
struct mention {
	struct address address;
	struct report_place place;
};

static int compare_mentions(const void *left, const void *right)
{
	const struct mention *a = left;
	const struct mention *b = right;
	int order = address_compare(&a->address, &b->address);

	if (order != 0)
		return order;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return a->place.column < b->place.column ? -1 : 1;
}

static void check_address_twice(struct check *check, struct mention *mentions, size_t count)
{
	if (count > 0)
		qsort(mentions, count, sizeof(mentions[0]), compare_mentions);
	for (size_t i = 1, first = 0; i < count; i++) {
		char text[ADDRESS_TEXT_SIZE];

		if (!address_is_equal(&mentions[i].address, &mentions[first].address)) {
			first = i;
			continue;
		}
		address_print(&mentions[i].address, text);
		complain(check->complaints, mentions[i].place,
			"address '%s' is in this pool already, at line %u", text,
			mentions[first].place.line);
	}
}

static void check_addresses(
	struct check *check, const struct settings_pool *pool, const struct node *members)
{
	struct mention *mentions = NULL;
	size_t count = 0, capacity = 0;

	for (const struct node *key = members->first; key; key = key->next) {
		const struct settings_member *member = &pool->members[key->index];

		if (member->address_count == 0)
			continue;

		/* the list in settings lies beside the one in the file */
		const struct node *list = tree_find(key->value, "address");
		const struct node *item = list->kind == NODE_LIST ? list->first : list;

		for (size_t i = 0; i < member->address_count; i++, item = item->next) {
			if (member->addresses[i].family == ADDRESS_NONE)
				continue;
			mentions = MEMORY_GROW(mentions, count, &capacity);
			mentions[count++] = (struct mention){member->addresses[i], item->place};
		}
	}
	check_address_twice(check, mentions, count);
	free(mentions);
}

/* ---- pools ------------------------------------------------------------------------------------------------------ */

static void check_pool(
	struct check *check, const struct settings_pool *pool, const struct node *map)
{
	const struct node *members = tree_find(map, "members");
	const struct node *method = tree_find(map, "method");
	/* a method that is none of those there are has the same value */
	bool is_nearest =
		method && method->kind == NODE_SCALAR && strcmp(method->text, "nearest") == 0;
	static const char *const of_endpoints[] = {"monitor", "watch-only"};
	bool has_endpoint = false;

	check_pool_health(check, pool, map);
	if (!members || pool->member_count == 0)
		return; /* missing, or not what it should be: that was said */

	for (const struct node *key = members->first; key; key = key->next) {
		if (key->value->kind != NODE_MAP || key->is_duplicate)
			continue;
		check_member(check, pool, &pool->members[key->index], key->value);
		check_member_health(check, pool, &pool->members[key->index], key->value);
		if (is_nearest && !tree_find_key(key->value, "site"))
			complain(check->complaints, key->place,
				"member '%s' has no site; each member of a nearest pool needs one",
				show(key->text).text);
		if (!tree_find_key(key->value, "pool"))
			has_endpoint = true;
	}
	check_addresses(check, pool, members);
	for (size_t i = 0; i < COUNT_OF(of_endpoints); i++) {
		const struct node *key = tree_find_key(map, of_endpoints[i]);

		if (key && !has_endpoint)
			complain_warn(check->complaints, key->place,
				"'%s' has no effect: every member is a pool", key->text);
	}
}

/* The walk down from one pool through the members that are pools, and the pool that it needs, has a stack of its own, because its depth is the
 * file's choice. */
struct step {
	uint32_t pool;
	size_t next; /* member; behind the last, what the pool needs */
};

enum walk_state { UNSEEN, ON_STACK, DONE };

struct walk {
	struct step *steps;
	size_t depth;
	uint8_t *states;   /* enum walk_state of each pool */
	uint16_t *heights; /* of each pool that is done: levels of pools from it down */
};

static void complain_loop(
	struct check *check, const struct walk *walk, uint32_t again, struct report_place place)
{
	struct text line = {0};
	size_t i = walk->depth - 1;

	while (walk->steps[i].pool != again)
		i--;
	for (; i < walk->depth; i++)
		text_print(&line, "pools.%s -> ",
			show(check->settings->pools[walk->steps[i].pool].name).text);
	complain(check->complaints, place, "pools in a loop: %spools.%s", line.bytes,
		show(check->settings->pools[again].name).text);
	text_done(&line);
}

/* Goes down into a pool that is a member, or is needed, if it was not seen before. */
static void walk_down(
	struct check *check, struct walk *walk, uint32_t pool, struct report_place place)
{
	if (pool >= check->settings->pool_count)
		return;
	if (walk->states[pool] == ON_STACK)
		complain_loop(check, walk, pool, place);
	if (walk->states[pool] != UNSEEN)
		return;
	walk->states[pool] = ON_STACK;
	walk->steps[walk->depth++] = (struct step){.pool = pool};
}

static struct report_place place_of_needs(
	const struct check *check, const struct settings_pool *pool)
{
	const struct node *map = tree_find(check->pools, pool->name);
	const struct node *needs = map->kind == NODE_MAP ? tree_find(map, "needs") : NULL;

	return needs ? needs->place : pool->place;
}

static void walk_leave(struct check *check, struct walk *walk, uint32_t index)
{
	const struct settings_pool *pool = &check->settings->pools[index];
	uint16_t height = 0;

	for (size_t i = 0; i < pool->member_count; i++) {
		uint32_t below = pool->members[i].pool;

		if (below < check->settings->pool_count && walk->heights[below] > height)
			height = walk->heights[below];
	}
	if (pool->needs < check->settings->pool_count && walk->heights[pool->needs] > height)
		height = walk->heights[pool->needs];
	height++;
	walk->states[index] = DONE;
	walk->heights[index] = height;
	walk->depth--;
	if (height == NESTING_MAX + 1)
		complain(check->complaints, pool->place, "pools nest more than %d deep below '%s'",
			NESTING_MAX, show(pool->name).text);
}

static void check_nesting(struct check *check)
{
	size_t count = check->settings->pool_count;
	struct walk walk = {
		.steps = memory_new((count + 1) * sizeof(struct step)),
		.states = memory_new(count + 1),
		.heights = memory_new((count + 1) * sizeof(uint16_t)),
	};

	for (uint32_t root = 0; root < count; root++) {
		if (walk.states[root] != UNSEEN)
			continue;
		walk.states[root] = ON_STACK;
		walk.steps[walk.depth++] = (struct step){.pool = root};
		while (walk.depth > 0) {
			struct step *step = &walk.steps[walk.depth - 1];
			const struct settings_pool *pool = &check->settings->pools[step->pool];

			size_t next = step->next++;

			if (next < pool->member_count)
				walk_down(check, &walk, pool->members[next].pool,
					pool->members[next].place);
			else if (next == pool->member_count)
				walk_down(check, &walk, pool->needs, place_of_needs(check, pool));
			else
				walk_leave(check, &walk, step->pool);
		}
	}
	free(walk.steps);
	free(walk.states);
	free(walk.heights);
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */

static void check_used(struct check *check)
{
	for (size_t i = 0; i < check->settings->site_count; i++)
		if (!check->is_site_used[i])
			complain_warn(check->complaints, check->settings->sites[i].place,
				"site '%s' is used by no member",
				show(check->settings->sites[i].name).text);
	for (size_t i = 0; i < check->settings->monitor_count; i++)
		if (!check->is_monitor_used[i])
			complain_warn(check->complaints, check->settings->monitors[i].place,
				"monitor '%s' is used by no pool",
				show(check->settings->monitors[i].name).text);
}

/* What stands below a name, where that is something to look at. */
static bool is_whole(const struct node *key)
{
	return key->value->kind == NODE_MAP && !key->is_duplicate;
}

static void check_monitors(struct check *check, const struct node *map)
{
	if (check->settings->monitor_count == 0)
		return;
	for (const struct node *key = map->first; key; key = key->next)
		if (is_whole(key))
			check_monitor(check, &check->settings->monitors[key->index], key->value);
}

static void check_pools(struct check *check)
{
	if (check->settings->pool_count == 0)
		return;
	for (const struct node *key = check->pools->first; key; key = key->next)
		if (is_whole(key))
			check_pool(check, &check->settings->pools[key->index], key->value);
}

static void check_notifies(struct check *check, const struct node *map)
{
	if (check->settings->notify_count == 0)
		return;
	for (const struct node *key = map->first; key; key = key->next)
		if (is_whole(key))
			check_notify(check, &check->settings->notifies[key->index], key->value);
}

void check_settings(
	const struct node *root, const struct settings *settings, struct complaints *complaints)
{
	struct check check = {
		.settings = settings,
		.complaints = complaints,
		.pools = tree_find(root, "pools"),
		.is_site_used = memory_new(settings->site_count + 1),
		.is_monitor_used = memory_new(settings->monitor_count + 1),
	};

	check_monitors(&check, tree_find(root, "monitors"));
	check_pools(&check);
	check_notifies(&check, tree_find(root, "notify"));
	check_nesting(&check);
	check_observer(&check, root);
	if (complaints->error_count == 0)
		check_used(&check); /* a misspelt name makes the right one look unused */
	free(check.is_site_used);
	free(check.is_monitor_used);
}
