/* SPDX-License-Identifier: Apache-2.0 */

/* What must fit together in how pools are checked, and in what is believed of it. */

#include <string.h>

#include "check.h"
#include "steerd/base/internal.h"
#include "steerd/base/memory.h"

/* Calls itself as deep as conditions nest: SETTINGS_CONDITION_DEPTH_MAX. */
static void mark_used(struct check *check, const struct settings_condition *condition)
{
	if (condition->kind == CONDITION_MONITOR)
		check->is_monitor_used[condition->monitor] = true;
	for (size_t i = 0; i < condition->item_count; i++)
		mark_used(check, &condition->items[i]);
}

/* ---- addresses that lead to this host --------------------------------------------------------------------------- */

static bool refuses_internal(const struct settings_monitor *monitor)
{
	switch (monitor->kind) {
	case KIND_HTTPS:
	case KIND_HTTP:
	case KIND_TCP:
	case KIND_DNS:
		return !monitor->allows_internal;
	case KIND_EXEC: /* what they connect to, if anything, is theirs */
	case KIND_PUSH:
		break;
	}
	return false;
}

/* The first monitor of a condition that would refuse an internal address; NULL: none.  Calls itself as mark_used(). */
static const struct settings_monitor *find_refusing(
	const struct settings *settings, const struct settings_condition *condition)
{
	const struct settings_monitor *found = NULL;

	if (condition->kind == CONDITION_MONITOR)
		return refuses_internal(&settings->monitors[condition->monitor])
			? &settings->monitors[condition->monitor]
			: NULL;
	for (size_t i = 0; !found && i < condition->item_count; i++)
		found = find_refusing(settings, &condition->items[i]);
	return found;
}

static const struct settings_monitor *find_refusing_for(const struct settings *settings,
	const struct settings_pool *pool, const struct settings_member *member)
{
	const struct settings_condition *condition =
		member->condition ? member->condition : pool->condition;
	const struct settings_monitor *found =
		condition ? find_refusing(settings, condition) : NULL;

	for (size_t i = 0; !found && i < pool->watch_only_count; i++)
		if (pool->watch_only[i] < settings->monitor_count &&
			refuses_internal(&settings->monitors[pool->watch_only[i]]))
			found = &settings->monitors[pool->watch_only[i]];
	return found;
}

static void check_internal(struct check *check, const struct settings_pool *pool,
	const struct settings_member *member, const struct node *map)
{
	const struct settings_monitor *refusing = find_refusing_for(check->settings, pool, member);

	if (!refusing || member->address_count == 0)
		return;

	/* the list in settings lies beside the one in the file */
	const struct node *list = tree_find(map, "address");
	const struct node *item = list->kind == NODE_LIST ? list->first : list;

	for (size_t i = 0; i < member->address_count; i++, item = item->next) {
		const struct address *address = &member->addresses[i];
		struct address reached;
		char text[ADDRESS_TEXT_SIZE];

		if (address->family == ADDRESS_NONE || address_is_any(address) ||
			!internal_what(address, &reached))
			continue;
		address_print(address, text);
		complain(check->complaints, item->place,
			"address '%s' leads to this host or its link; monitor '%s' checks it only "
			"with 'allow-internal: yes'",
			text, show(refusing->name).text);
	}
}

/* ---- pools ------------------------------------------------------------------------------------------------------ */

void check_member_health(struct check *check, const struct settings_pool *pool,
	const struct settings_member *member, const struct node *map)
{
	const struct node *monitor = tree_find_key(map, "monitor");

	if (member->condition)
		mark_used(check, member->condition);
	if (monitor && tree_find_key(map, "pool"))
		complain_warn(check->complaints, monitor->place,
			"'monitor' has no effect: the member is a pool");
	check_internal(check, pool, member, map);
}

void check_pool_health(
	struct check *check, const struct settings_pool *pool, const struct node *map)
{
	const struct node *without = tree_find_key(map, "without");

	if (pool->condition)
		mark_used(check, pool->condition);
	for (size_t i = 0; i < pool->watch_only_count; i++)
		if (pool->watch_only[i] < check->settings->monitor_count)
			check->is_monitor_used[pool->watch_only[i]] = true;
	if (without && !tree_find_key(map, "needs"))
		complain_warn(check->complaints, without->place,
			"'without' has no effect: the pool needs no other");
}

void check_notify(struct check *check, const struct settings_notify *notify, const struct node *map)
{
	const struct node *webhook = tree_find_key(map, "webhook");
	const struct node *command = tree_find_key(map, "command");

	if (webhook && command)
		complain(check->complaints, command->place,
			"notify '%s' has 'webhook' already; it can have one of webhook and command",
			show(notify->name).text);
	if (!webhook && !command)
		complain(check->complaints, notify->place,
			"notify '%s' has none of webhook and command", show(notify->name).text);
}

/* ---- the observer ----------------------------------------------------------------------------------------------- */

static bool has_checks(const struct settings_pool *pool)
{
	for (size_t i = 0; i < pool->member_count; i++)
		if (pool->members[i].pool == SETTINGS_NONE && !pool->members[i].condition &&
			!pool->condition)
			return false;
	return true;
}

void check_observer(struct check *check, const struct node *root)
{
	const struct settings *settings = check->settings;
	const struct node *observer = tree_find(root, "observer");

	if (settings->canaries < settings->pool_count &&
		!has_checks(&settings->pools[settings->canaries]))
		complain(check->complaints, tree_find(observer, "canaries")->place,
			"pool '%s' has members without a monitor: nothing tells whether these "
			"canaries answer",
			show(settings->pools[settings->canaries].name).text);
}
