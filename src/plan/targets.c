/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* A wish for a target: members of several pools may have the same, known by its key. */
struct wish {
	struct target target;
	target_id *slot; /* of the member: where the id goes */
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

	*slot = TARGET_NONE;
	if (address && monitor == SETTINGS_NONE)
		return; /* nothing to find out */
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

/* Gives each key one id and each member its targets' ids. */
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

static const enum steer_method methods[] = {
	[METHOD_NEAREST] = STEER_NEAREST,
	[METHOD_FAILOVER] = STEER_FAILOVER,
	[METHOD_WEIGHTED] = STEER_WEIGHTED,
	[METHOD_ALL] = STEER_ALL,
};

static const enum steer_all_down all_downs[] = {
	[ALL_DOWN_SERVE_ALL] = STEER_SERVE_ALL,
	[ALL_DOWN_FALLBACK] = STEER_FALLBACK,
};

static void make_member(struct wishes *wishes, const struct settings_pool *from_pool,
	const struct settings_member *from, const struct steer_pool *pools,
	struct steer_member *member)
{
	target_id *targets = ARENA_ARRAY(wishes->arena, target_id, from->address_count + 1);

	member->name = from->name;
	member->site = from->site == SETTINGS_NONE ? STEER_NO_SITE : (uint16_t)from->site;
	member->weight = (uint16_t)from->weight;
	member->pool = from->pool == SETTINGS_NONE ? NULL : &pools[from->pool];
	member->addresses = from->addresses;
	member->address_count = from->address_count;
	member->targets = targets;
	member->is_host = from->host != NULL;
	if (from->host)
		wish_for(wishes, from_pool->monitor, NULL, from->host, &targets[0]);
	for (size_t i = 0; i < from->address_count; i++)
		wish_for(wishes, from_pool->monitor, &from->addresses[i], NULL, &targets[i]);
}

const struct steer_pool *targets_make(const struct settings *settings, struct arena *arena,
	struct target_list *ret_targets, uint32_t *ret_member_count)
{
	struct wishes wishes = {.settings = settings, .arena = arena};
	struct steer_pool *pools = ARENA_ARRAY(arena, struct steer_pool, settings->pool_count);
	uint32_t member_count = 0;

	for (size_t p = 0; p < settings->pool_count; p++) {
		const struct settings_pool *from = &settings->pools[p];
		struct steer_member *members =
			ARENA_ARRAY(arena, struct steer_member, from->member_count);

		for (size_t m = 0; m < from->member_count; m++) {
			make_member(&wishes, from, &from->members[m], pools, &members[m]);
			members[m].id = member_count++;
		}
		pools[p] = (struct steer_pool){
			.name = from->name,
			.method = methods[from->method],
			.when_all_down = all_downs[from->when_all_down],
			.answers = from->answers < STEER_ANSWERS_MAX ? from->answers
								     : STEER_ANSWERS_MAX,
			.members = members,
			.member_count = from->member_count,
		};
	}
	number_targets(&wishes, ret_targets);
	*ret_member_count = member_count;
	free(wishes.items);
	return pools;
}
