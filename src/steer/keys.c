/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

static bool *find_usable_sites(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	bool *is_usable = ARENA_ARRAY(walk->arena, bool, walk->site_count);

	for (size_t i = 0; i < pool->member_count; i++) {
		if (!walk_is_usable(walk, &pool->members[i], above))
			continue;
		for (size_t k = 0; k < walk->site_count; k++)
			if (walk->sites[k] == pool->members[i].site)
				is_usable[k] = true;
	}
	return is_usable;
}

static void add_nearest(struct keys *keys, const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want)
{
	keys->nearest = MEMORY_GROW(keys->nearest, keys->nearest_count, &keys->nearest_capacity);
	keys->nearest[keys->nearest_count++] =
		(struct keys_nearest){find_usable_sites(walk, pool, above), want};
	keys->size += want;
}

static void collect_nearest(struct keys *keys, const struct walk *walk,
	const struct steer_pool *pool, enum override_kind above, bool has_twice)
{
	if (pool->method == STEER_NEAREST)
		add_nearest(keys, walk, pool, above, has_twice ? keys->site_count : pool->answers);
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (!member->pool)
			continue;

		enum override_kind override = walk_override(walk, member, above);
		struct walk inside = walk_enter(walk, member->pool, override);

		collect_nearest(keys, &inside, member->pool, override, has_twice);
	}
}

void keys_init(
	struct keys *keys, const struct walk *walk, const struct steer_pool *root, bool has_twice)
{
	*keys = (struct keys){.site_count = walk->site_count};
	collect_nearest(keys, walk, root, OVERRIDE_NONE, has_twice);
}

void keys_done(struct keys *keys)
{
	free(keys->nearest);
}

/* ---- Addresses that are there twice ---------------------------------------------------------------- */

/* Fills in `ret_addresses`, unless it is NULL; returns how many there are. */
static size_t collect_addresses(const struct walk *walk, const struct steer_pool *pool,
	const struct address **ret_addresses)
{
	size_t total = 0;

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];
		const struct address **rest = ret_addresses ? ret_addresses + total : NULL;
		size_t count = 0;
		const struct belief *rows = NULL;

		if (member->pool)
			total += collect_addresses(walk, member->pool, rest);
		else
			rows = walk_rows(walk, member, &count);
		for (size_t k = 0; k < count; k++) {
			if (rows[k].address.family != walk->family)
				continue;
			if (ret_addresses)
				ret_addresses[total] = &rows[k].address;
			total++;
		}
	}
	return total;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct address *const *x = a;
	const struct address *const *y = b;

	return address_compare(*x, *y);
}

bool keys_has_twice(const struct walk *walk, const struct steer_pool *root)
{
	size_t count = collect_addresses(walk, root, NULL);
	const struct address **addresses = ARENA_ARRAY(walk->arena, const struct address *, count);
	bool found = false;

	(void)collect_addresses(walk, root, addresses);
	if (count > 0)
		qsort(addresses, count, sizeof(addresses[0]), compare_addresses);
	for (size_t i = 1; i < count; i++)
		found = found || address_is_equal(addresses[i - 1], addresses[i]);
	return found;
}

void keys_write(const struct keys *keys, const uint8_t *order, uint8_t *ret_key)
{
	uint8_t *at = ret_key;

	memset(ret_key, UINT8_MAX, keys->size);
	for (size_t n = 0; n < keys->nearest_count; n++) {
		const struct keys_nearest *nearest = &keys->nearest[n];
		size_t found = 0;

		for (size_t i = 0; i < keys->site_count && found < nearest->want; i++)
			if (nearest->is_usable[order[i]])
				at[found++] = order[i];
		at += nearest->want;
	}
}
