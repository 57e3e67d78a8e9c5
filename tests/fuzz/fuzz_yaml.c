/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/config */

/* steerd.yaml from any bytes: either settings that hold together, or a mistake that is named. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "steerd/base/report.h"
#include "steerd/config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_member(
	const struct settings *settings, const struct settings_member *member, bool needs_site)
{
	bool is_pool = member->pool != SETTINGS_NONE;

	assert((member->address_count > 0) + (member->host != NULL) + is_pool == 1);
	assert(!is_pool || member->pool < settings->pool_count);
	assert(member->site == SETTINGS_NONE ? !needs_site : member->site < settings->site_count);
	assert(member->weight <= UINT16_MAX);
	assert(member->place.line > 0 && member->place.path == settings->path);
	for (size_t i = 0; i < member->address_count; i++)
		assert(member->addresses[i].family != ADDRESS_NONE);
}

static void check_settings(const struct settings *settings)
{
	assert(settings->listen_count > 0 && settings->workers > 0);
	assert(settings->zones_path && settings->state_path && settings->control_path);
	for (size_t i = 0; i < settings->city_path_count; i++)
		assert(*settings->city_paths[i] != '\0');
	for (size_t i = 0; i < settings->site_count; i++)
		assert(settings->sites[i].latitude >= -90 && settings->sites[i].latitude <= 90);
	for (size_t i = 0; i < settings->monitor_count; i++) {
		const struct settings_monitor *monitor = &settings->monitors[i];

		assert(monitor->host && *monitor->path == '/' && monitor->status_count > 0);
		assert(monitor->timeout_ms > 0 && monitor->timeout_ms <= monitor->every_ms);
		assert(monitor->fall > 0 && monitor->rise > 0 && monitor->port > 0);
	}
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct settings_pool *pool = &settings->pools[i];

		assert(pool->answers > 0 && pool->member_count > 0);
		assert(settings_find_pool(settings, pool->name) == i);
		assert(pool->monitor == SETTINGS_NONE || pool->monitor < settings->monitor_count);
		for (size_t j = 0; j < pool->member_count; j++)
			check_member(settings, &pool->members[j], pool->method == METHOD_NEAREST);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = {0};
	struct settings *settings =
		settings_parse((const char *)data, size, "/etc/steerd/steerd.yaml", &report);

	assert((settings == NULL) == (report.error_count > 0));
	if (settings)
		check_settings(settings);
	settings_free(settings);
	report_done(&report);
	return 0;
}
