/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* By position in the walk's sites. */
static void mark_site(const struct walk *walk, uint16_t site, bool *is_marked)
{
	for (size_t i = 0; i < walk->site_count; i++)
		if (walk->sites[i] == site)
			is_marked[i] = true;
}

static bool *find_usable_sites(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	bool *is_usable = ARENA_ARRAY(walk->arena, bool, walk->site_count);

	for (size_t i = 0; i < pool->member_count; i++)
		if (walk_is_usable(walk, &pool->members[i], above))
			mark_site(walk, pool->members[i].site, is_usable);
	return is_usable;
}

static bool *find_sites_that_are_there(const struct walk *walk, const struct steer_pool *pool)
{
	bool *is_there = ARENA_ARRAY(walk->arena, bool, walk->site_count);

	for (size_t i = 0; i < pool->member_count; i++)
		if (walk_is_there(walk, &pool->members[i]))
			mark_site(walk, pool->members[i].site, is_there);
	return is_there;
}

static void add_nearest(struct keys *keys, const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want)
{
	struct keys_nearest nearest = {find_usable_sites(walk, pool, above), .want = want};

	keys->size += want;
	if (keys->has_lost_fence) {
		const struct walk far = walk_from_afar(walk);

		nearest.is_there = find_sites_that_are_there(walk, pool);
		nearest.is_usable_from_afar = find_usable_sites(&far, pool, above);
		keys->size += 1 + want;
	}
	keys->nearest = MEMORY_GROW(keys->nearest, keys->nearest_count, &keys->nearest_capacity);
	keys->nearest[keys->nearest_count++] = nearest;
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

/* Whether clients from elsewhere find a member unusable that its own may use. */
static bool has_lost_fence(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above)
{
	const struct walk far = walk_from_afar(walk);

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (!member->pool)
			continue;
		if (walk_is_usable(walk, member, above) != walk_is_usable(&far, member, above))
			return true;

		enum override_kind override = walk_override(walk, member, above);
		struct walk inside = walk_enter(walk, member->pool, override);

		if (has_lost_fence(&inside, member->pool, override))
			return true;
	}
	return false;
}

void keys_init(
	struct keys *keys, const struct walk *walk, const struct steer_pool *root, bool has_twice)
{
	*keys = (struct keys){
		.site_count = walk->site_count,
		.has_lost_fence = has_lost_fence(walk, root, OVERRIDE_NONE),
	};
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

/* The first of these sites, the nearest first; returns what comes behind them. */
static uint8_t *write_sites(const struct keys *keys, const uint8_t *order, const bool *is_wanted,
	size_t want, uint8_t *ret_key)
{
	size_t found = 0;

	for (size_t i = 0; i < keys->site_count && found < want; i++)
		if (is_wanted[order[i]])
			ret_key[found++] = order[i];
	return ret_key + want;
}

void keys_write(const struct keys *keys, const uint8_t *order, uint8_t *ret_key)
{
	uint8_t *at = ret_key;

	memset(ret_key, UINT8_MAX, keys->size);
	for (size_t i = 0; i < keys->nearest_count; i++) {
		const struct keys_nearest *nearest = &keys->nearest[i];

		at = write_sites(keys, order, nearest->is_usable, nearest->want, at);
		if (!keys->has_lost_fence)
			continue;
		at = write_sites(keys, order, nearest->is_there, 1, at);
		at = write_sites(keys, order, nearest->is_usable_from_afar, nearest->want, at);
	}
}
