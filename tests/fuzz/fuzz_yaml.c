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

/* A condition is whole wherever it is there, and no deeper than it may be. */
static void check_condition(
	const struct settings *settings, const struct settings_condition *condition, int depth)
{
	assert(depth <= SETTINGS_CONDITION_DEPTH_MAX);
	if (condition->kind == CONDITION_MONITOR) {
		assert(condition->monitor < settings->monitor_count);
		assert(condition->item_count == 0);
		return;
	}
	assert(condition->item_count > 0);
	assert(condition->kind != CONDITION_NOT || condition->item_count == 1);
	assert(condition->at_least > 0 && condition->at_least <= condition->item_count);
	for (size_t i = 0; i < condition->item_count; i++)
		check_condition(settings, &condition->items[i], depth + 1);
}

static void check_pool(const struct settings *settings, const struct settings_pool *pool)
{
	assert(pool->needs == SETTINGS_NONE || pool->needs < settings->pool_count);
	assert(pool->panic_percent <= 100 && pool->loss_percent <= 100);
	assert(pool->degraded_percent > 0 && pool->degraded_percent <= 100);
	for (size_t i = 0; i < pool->watch_only_count; i++)
		assert(pool->watch_only[i] < settings->monitor_count);
	if (pool->condition)
		check_condition(settings, pool->condition, 1);
	for (size_t i = 0; i < pool->member_count; i++)
		if (pool->members[i].condition)
			check_condition(settings, pool->members[i].condition, 1);
}

static void check_http(const struct settings_monitor *monitor)
{
	assert(monitor->host && *monitor->path == '/' && monitor->status_count > 0);
	assert(monitor->method && *monitor->method && monitor->port > 0);
	assert(monitor->body_bytes > 0 && !monitor->certificate == !monitor->key);
	assert(monitor->range_bytes == 0 || monitor->position_count > 0);
	for (size_t i = 0; i < monitor->header_count; i++)
		assert(monitor->headers[i].name && monitor->headers[i].value);
	for (size_t i = 0; i < monitor->expected_header_count; i++)
		assert(monitor->expected_headers[i].name);
}

static void check_monitor(const struct settings_monitor *monitor)
{
	assert(monitor->timeout_ms > 0 && monitor->timeout_ms <= monitor->every_ms);
	assert(monitor->recheck_ms > 0 && monitor->recheck_ms <= monitor->every_ms);
	assert(monitor->fall > 0 && monitor->rise > 0);
	assert(monitor->hold_down_ms <= monitor->hold_down_max_ms);
	switch (monitor->kind) {
	case KIND_HTTPS:
	case KIND_HTTP:
		check_http(monitor);
		break;
	case KIND_TCP:
		assert(monitor->port > 0 && monitor->status_count == 0);
		break;
	case KIND_DNS:
		assert(monitor->question && monitor->port > 0 && monitor->question_type > 0);
		break;
	case KIND_EXEC:
		assert(monitor->command_count > 0 && monitor->command[0][0] == '/');
		assert(!monitor->command[monitor->command_count] && monitor->at_once > 0);
		break;
	case KIND_PUSH:
		assert(monitor->max_age_ms > 0);
		break;
	}
}

static void check_notify(const struct settings_notify *notify)
{
	assert((notify->url != NULL) + (notify->command_count > 0) == 1);
	assert(notify->events > 0 && notify->events <= NOTIFY_ALL);
}

static void check_settings(const struct settings *settings)
{
	assert(settings->listen_count > 0 && settings->workers > 0);
	assert(settings->zones_path && settings->state_path && settings->control_path);
	for (size_t i = 0; i < settings->city_path_count; i++)
		assert(*settings->city_paths[i] != '\0');
	for (size_t i = 0; i < settings->site_count; i++)
		assert(settings->sites[i].latitude >= -90 && settings->sites[i].latitude <= 90);
	for (size_t i = 0; i < settings->monitor_count; i++)
		check_monitor(&settings->monitors[i]);
	for (size_t i = 0; i < settings->notify_count; i++)
		check_notify(&settings->notifies[i]);
	for (size_t i = 0; i < settings->file_count; i++)
		assert(*settings->files[i]->path && !settings->files[i]->bytes);
	assert(settings->canaries == SETTINGS_NONE || settings->canaries < settings->pool_count);
	assert(settings->suspect_percent <= 100 && settings->suspect_window_ms > 0);
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct settings_pool *pool = &settings->pools[i];

		assert(pool->answers > 0 && pool->member_count > 0);
		assert(settings_find_pool(settings, pool->name) == i);
		check_pool(settings, pool);
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
