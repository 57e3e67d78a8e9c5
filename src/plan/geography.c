/* SPDX-License-Identifier: Apache-2.0 */
#include "geography.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* What came with the program, used when the settings name no database. */
static const char *const default_city_paths[] = {STEERD_DATADIR "/default.geo"};

/* ---- Which sites matter ------------------------------------------------------------------------ */

struct site_list {
	uint16_t *sites;
	size_t count;
	bool *is_in; /* by site */
};

/* Sites in the order in which the tree names them: that is the configured order. */
static void collect_sites(const struct steer_pool *pool, struct site_list *list)
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (pool->method == STEER_NEAREST && !list->is_in[member->site]) {
			list->is_in[member->site] = true;
			list->sites[list->count++] = member->site;
		}
		if (member->pool)
			collect_sites(member->pool, list);
	}
}

static uint32_t find_or_add_map(
	struct geo_map_request *maps, size_t *map_count, const struct site_list *list)
{
	size_t i = 0;

	while (i < *map_count &&
		(maps[i].site_count != list->count ||
			memcmp(maps[i].sites, list->sites, list->count * sizeof(list->sites[0])) !=
				0))
		i++;
	if (i == *map_count)
		maps[(*map_count)++] = (struct geo_map_request){list->sites, list->count};
	return (uint32_t)i;
}

static const struct geo_site *copy_sites(const struct settings *settings, struct arena *arena)
{
	struct geo_site *sites = ARENA_ARRAY(arena, struct geo_site, settings->site_count);

	for (size_t i = 0; i < settings->site_count; i++) {
		sites[i].name = settings->sites[i].name;
		sites[i].at.latitude = settings->sites[i].latitude;
		sites[i].at.longitude = settings->sites[i].longitude;
	}
	return sites;
}

const struct geo_request *geography_plan(const struct settings *settings,
	const struct steer_pool *pools, struct snapshot_pool *infos, struct arena *arena)
{
	struct geo_map_request *maps =
		ARENA_ARRAY(arena, struct geo_map_request, settings->pool_count);
	struct geo_request *request = ARENA_NEW(arena, struct geo_request);
	bool has_own = settings->city_path_count > 0;

	for (size_t i = 0; i < settings->pool_count; i++) {
		struct site_list list = {
			.sites = ARENA_ARRAY(arena, uint16_t, settings->site_count),
			.is_in = ARENA_ARRAY(arena, bool, settings->site_count),
		};

		infos[i].map = SETTINGS_NONE;
		if (!infos[i].is_root)
			continue;
		collect_sites(&pools[i], &list);
		infos[i].sites = list.sites;
		infos[i].site_count = list.count;
		if (list.count > 0)
			infos[i].map = find_or_add_map(maps, &request->map_count, &list);
	}
	request->city_paths = has_own ? settings->city_paths : default_city_paths;
	request->city_path_count =
		has_own ? settings->city_path_count : COUNT_OF(default_city_paths);
	request->networks_path = settings->networks_path;
	request->sites = copy_sites(settings, arena);
	request->site_count = settings->site_count;
	request->maps = maps;
	request->granularity_ipv4 = settings->granularity_ipv4;
	request->granularity_ipv6 = settings->granularity_ipv6;
	return request;
}

/* ---- Sharing ------------------------------------------------------------------------------------- */

static void add_file(struct text *identity, const char *path)
{
	struct stat status = {0};

	(void)stat(path, &status); /* what cannot be seen is reported by who reads it */
	text_print(identity, "%s %llu %llu %lld %lld.%09ld\n", path,
		(unsigned long long)status.st_dev, (unsigned long long)status.st_ino,
		(long long)status.st_size, (long long)status.st_mtim.tv_sec,
		status.st_mtim.tv_nsec);
}

static char *identify(const struct geo_request *request)
{
	struct text identity = {0};

	for (size_t i = 0; i < request->city_path_count; i++)
		add_file(&identity, request->city_paths[i]);
	if (request->networks_path)
		add_file(&identity, request->networks_path);
	for (size_t i = 0; i < request->site_count; i++)
		text_print(&identity, "%s %a %a\n", request->sites[i].name,
			request->sites[i].at.latitude, request->sites[i].at.longitude);
	for (size_t i = 0; i < request->map_count; i++) {
		for (size_t k = 0; k < request->maps[i].site_count; k++)
			text_print(&identity, "%u ", request->maps[i].sites[k]);
		text_add(&identity, "\n");
	}
	text_print(&identity, "%u/%u", request->granularity_ipv4, request->granularity_ipv6);
	return identity.bytes;
}

struct geography *geography_get(
	const struct geo_request *request, struct geography *previous, struct report *report)
{
	/* Before the files are read: one that changes meanwhile is read again next time. */
	char *identity = identify(request);

	if (previous && strcmp(previous->identity, identity) == 0) {
		free(identity);
		__atomic_add_fetch(&previous->holders, 1, __ATOMIC_RELAXED);
		return previous;
	}

	struct geo *geo = geo_build(request, report);

	if (!geo) {
		free(identity);
		return NULL;
	}

	struct geography *geography = memory_new(sizeof(*geography));

	*geography = (struct geography){.holders = 1, .geo = geo, .identity = identity};
	return geography;
}

void geography_release(struct geography *geography)
{
	if (!geography || __atomic_sub_fetch(&geography->holders, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	geo_free(geography->geo);
	free(geography->identity);
	free(geography);
}
