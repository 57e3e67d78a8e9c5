/* SPDX-License-Identifier: Apache-2.0 */

/* What must fit together in one monitor. */

#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "rows.h"
#include "steerd/base/memory.h"
#include "value.h"

struct subject {
	struct check *check;
	const struct settings_monitor *monitor;
	const struct node *map;	    /* of the monitor */
	const struct node *request; /* of its kind: below "https" */
};

/* The key of "expect.body" in a map; NULL: it is not written. */
static const struct node *find_path(const struct node *map, const char *path)
{
	const char *dot = strchr(path, '.');
	char level[32];

	if (!dot)
		return tree_find_key(map, path);
	memcpy(level, path, (size_t)(dot - path));
	level[dot - path] = '\0';

	const struct node *below = tree_find(map, level);

	return below && below->kind == NODE_MAP ? tree_find_key(below, dot + 1) : NULL;
}

/* The place of a value that is written. */
static struct report_place place_of(const struct node *map, const char *path)
{
	return find_path(map, path)->value->place;
}

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

static bool check_kind(struct subject *subject)
{
	struct complaints *complaints = subject->check->complaints;
	const char *name = subject->monitor->name;
	const struct node *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < TABLE_KINDS; i++) {
		const struct node *key = tree_find_key(subject->map, table_kinds[i]);

		if (!key)
			continue;
		if (count++ == 0)
			found = key;
		else
			complain(complaints, key->place,
				"monitor '%s' has '%s' already; it can have one of https, http, "
				"tcp, dns, exec and push",
				show(name).text, found->text);
	}
	if (count == 0)
		complain(complaints, subject->monitor->place,
			"monitor '%s' has none of https, http, tcp, dns, exec and push",
			show(name).text);
	subject->request = found ? found->value : NULL;
	return count == 1 && subject->request->kind == NODE_MAP;
}

/* Is the path that of a level, or below it? */
static bool is_within(const char *path, const char *level)
{
	size_t size = strlen(level);

	return strncmp(path, level, size) == 0 && (path[size] == '\0' || path[size] == '.');
}

/* Keys of the request that tcp has for TLS alone stand in the table with those of https. */
static const struct node *find_written(const struct subject *subject, const struct setting *setting)
{
	const char *path = setting->path + strlen("monitors.NAME.");

	if (is_within(path, "https"))
		return subject->monitor->kind == KIND_TCP && (setting->kinds & TABLE_KIND(KIND_TCP))
			? tree_find_key(subject->request, table_key(setting))
			: NULL;
	return find_path(subject->map, path);
}

/* Keys that are for other kinds of monitors, and of TLS where there is none. */
static void check_foreign(struct subject *subject)
{
	const struct settings_monitor *monitor = subject->monitor;
	bool is_plain = monitor->kind == KIND_TCP && !monitor->is_tls;
	const char *refused = "-";

	for (size_t i = 0; i < table_monitor_count; i++) {
		const struct setting *setting = &table_monitors[i];
		bool is_foreign = !(setting->kinds & TABLE_KIND(monitor->kind));
		bool is_tls = setting->kinds == (TABLE_KIND(KIND_HTTPS) | TABLE_KIND(KIND_TCP));
		struct text kinds = {0};

		if (setting->kinds == 0 || !(is_foreign || (is_tls && is_plain)) ||
			is_within(setting->path, refused))
			continue;

		const struct node *key = find_written(subject, setting);

		if (!key)
			continue;
		refused = setting->path;
		table_print_kinds(setting->kinds, &kinds);
		if (is_foreign)
			complain(subject->check->complaints, key->place,
				"'%s' is for monitors of %s; '%s' is one of %s", key->text,
				kinds.bytes, show(monitor->name).text, table_kinds[monitor->kind]);
		else
			complain(subject->check->complaints, key->place,
				"'%s' is for TLS; '%s' has no 'tls: yes'", key->text,
				show(monitor->name).text);
		text_done(&kinds);
	}
}

/* ---- times ------------------------------------------------------------------------------------------------------ */

static void check_times(struct subject *subject)
{
	struct complaints *complaints = subject->check->complaints;
	const struct settings_monitor *monitor = subject->monitor;
	char longer[VALUE_TEXT_SIZE], shorter[VALUE_TEXT_SIZE];

	value_duration_print(monitor->every_ms, shorter);
	if (monitor->timeout_ms > monitor->every_ms && monitor->every_ms > 0) {
		value_duration_print(monitor->timeout_ms, longer);
		complain(complaints, place_of(subject->map, "timeout"),
			"'timeout' cannot exceed 'every': a check of %s would outlast the %s until "
			"the next",
			longer, shorter);
	}
	if (monitor->recheck_ms > monitor->every_ms && monitor->every_ms > 0) {
		value_duration_print(monitor->recheck_ms, longer);
		complain(complaints, place_of(subject->map, "recheck"),
			"'recheck' cannot exceed 'every': %s is later than the next check after %s",
			longer, shorter);
	}
	if (monitor->hold_down_ms > monitor->hold_down_max_ms) {
		const struct node *key = find_path(subject->map, "hold-down-max");

		if (!key)
			key = find_path(subject->map, "hold-down");
		if (key)
			complain(complaints, key->value->place,
				"'hold-down' cannot exceed 'hold-down-max'");
	}
}

static const struct {
	const char *path;
	size_t offset;
} phases[] = {
	{"limits.resolve", offsetof(struct settings_monitor, resolve_ms)},
	{"limits.connect", offsetof(struct settings_monitor, connect_ms)},
	{"limits.tls", offsetof(struct settings_monitor, tls_ms)},
	{"limits.first-byte", offsetof(struct settings_monitor, first_byte_ms)},
	{"expect.slower-than", offsetof(struct settings_monitor, slower_than_ms)},
};

/* What comes after the whole check has ended. */
static void check_phases(struct subject *subject)
{
	for (size_t i = 0; i < COUNT_OF(phases); i++) {
		const struct node *key = find_path(subject->map, phases[i].path);
		char timeout[VALUE_TEXT_SIZE];
		uint32_t ms;

		memcpy(&ms, (const char *)subject->monitor + phases[i].offset, sizeof(ms));
		if (!key || ms <= subject->monitor->timeout_ms)
			continue;
		value_duration_print(subject->monitor->timeout_ms, timeout);
		complain_warn(subject->check->complaints, key->value->place,
			"'%s' has no effect: the whole check is over after the 'timeout' of %s",
			key->text, timeout);
	}
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static void check_certificates(struct subject *subject)
{
	struct complaints *complaints = subject->check->complaints;
	const struct settings_monitor *monitor = subject->monitor;
	const struct node *certificate = tree_find_key(subject->request, "certificate");
	const struct node *key = tree_find_key(subject->request, "key");
	const struct node *fail = find_path(subject->map, "certificate-days.fail");

	if (certificate && !key)
		complain(complaints, certificate->place, "'certificate' needs the 'key' of it");
	if (key && !certificate)
		complain(complaints, key->place, "'key' needs the 'certificate' of it");
	if (fail && monitor->certificate_degrade_days > 0 &&
		monitor->certificate_fail_days > monitor->certificate_degrade_days)
		complain(complaints, fail->value->place,
			"'fail' cannot come before 'degrade': more days before the end");
}

/* A response to HEAD has no body. */
static void check_http(struct subject *subject)
{
	static const char *const paths[] = {
		"expect.body", "expect.body-matches", "expect.sha256", "range"};
	const struct settings_monitor *monitor = subject->monitor;

	if (!monitor->method || strcmp(monitor->method, "HEAD") != 0)
		return;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		const struct node *key = find_path(subject->map, paths[i]);

		if (key)
			complain(subject->check->complaints, key->place,
				"'%s' looks at a body; the response to HEAD has none", key->text);
	}
}

static void check_tcp(struct subject *subject)
{
	const struct settings_monitor *monitor = subject->monitor;

	if (monitor->is_tls && monitor->verifies && !monitor->host && !monitor->sni &&
		!tree_find_key(subject->request, "host") && !tree_find_key(subject->request, "sni"))
		complain(subject->check->complaints, place_of(subject->request, "tls"),
			"'tls' needs the 'host' whose certificate is expected, or 'verify: no'");
	if (!monitor->is_tls && tree_find_key(subject->request, "host"))
		complain_warn(subject->check->complaints, place_of(subject->request, "host"),
			"'host' has no effect without 'tls: yes'");
}

static void check_dns(struct subject *subject)
{
	const struct settings_monitor *monitor = subject->monitor;
	const struct node *expect = tree_find(subject->request, "expect");
	enum address_family family = monitor->question_type == 1 ? ADDRESS_IPV4
		: monitor->question_type == 28			 ? ADDRESS_IPV6
								 : ADDRESS_NONE;

	if (!expect)
		return;
	if (family == ADDRESS_NONE) {
		complain(subject->check->complaints, expect->place,
			"'expect' is for the types A and AAAA");
		return;
	}
	for (size_t i = 0; i < monitor->expected_address_count; i++)
		if (monitor->expected_addresses[i].family != ADDRESS_NONE &&
			monitor->expected_addresses[i].family != family)
			complain(subject->check->complaints, expect->place,
				"'expect' has an address that no record of type %s can have",
				family == ADDRESS_IPV4 ? "A" : "AAAA");
}

/* ---- range ------------------------------------------------------------------------------------------------------ */

/* A slice at each position must lie within the file. */
static void check_positions(struct subject *subject)
{
	const struct settings_monitor *monitor = subject->monitor;
	const struct node *at = find_path(subject->map, "range.at");
	uint64_t total = monitor->range_total_bytes;

	for (size_t i = 0; at && i < monitor->position_count; i++)
		if (monitor->positions[i].kind == POSITION_FIXED &&
			(monitor->range_bytes > total ||
				monitor->positions[i].offset > total - monitor->range_bytes))
			complain(subject->check->complaints, at->value->place,
				"a slice of %" PRIu64 " bytes at %" PRIu64
				" does not lie within the 'total' of %" PRIu64,
				monitor->range_bytes, monitor->positions[i].offset, total);
	if (monitor->range_bytes > total)
		complain(subject->check->complaints, place_of(subject->map, "range.size"),
			"a slice of %" PRIu64 " bytes is more than the 'total' of %" PRIu64,
			monitor->range_bytes, total);
}

static void check_range(struct subject *subject)
{
	struct complaints *complaints = subject->check->complaints;
	const struct settings_monitor *monitor = subject->monitor;
	const struct node *digest = find_path(subject->map, "range.sha256");
	const struct node *floor_rate = find_path(subject->map, "range.floor");
	const struct node *daily = find_path(subject->map, "range.daily");
	const struct node *status = find_path(subject->map, "expect.status");

	if (monitor->range_bytes == 0)
		return;
	if (monitor->range_total_bytes > 0)
		check_positions(subject);
	if (digest &&
		(monitor->position_count != 1 || monitor->positions[0].kind == POSITION_RANDOM))
		complain(complaints, digest->place,
			"'sha256' is that of one slice: 'at' must have one position that is not "
			"random");
	if (floor_rate && monitor->warm_up_bytes >= monitor->range_bytes)
		complain(complaints, floor_rate->place,
			"'floor' needs more than the 'warm-up' of %" PRIu64
			" bytes; a slice has %" PRIu64,
			monitor->warm_up_bytes, monitor->range_bytes);
	if (daily && monitor->daily_bytes > 0 && monitor->daily_bytes < monitor->range_bytes)
		complain(complaints, daily->value->place,
			"'daily' is less than one slice of %" PRIu64 " bytes",
			monitor->range_bytes);
	if (status)
		complain(complaints, status->place,
			"'status' cannot stand beside 'range', which expects 206");
}

/* ---- push ------------------------------------------------------------------------------------------------------- */

/* The prober may read the directory of the file, and must never read the state. */
static void check_push(struct subject *subject)
{
	const char *path = subject->monitor->push_path;
	const char *state = subject->check->settings->state_path;
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t size = slash ? (size_t)(slash - path) : 0;

	/* both are relative to steerd.yaml, or both are not: what else they are is not known here */
	if (!path || !state || (path[0] == '/') != (state[0] == '/'))
		return;
	if (!value_is_path_within(state, path, size))
		return;
	complain(subject->check->complaints, place_of(subject->request, "file"),
		"the directory of '%s' holds the state directory '%s', which the prober must not "
		"read",
		show(path).text, show(state).text);
}

void check_monitor(
	struct check *check, const struct settings_monitor *monitor, const struct node *map)
{
	struct subject subject = {.check = check, .monitor = monitor, .map = map};

	check_times(&subject);
	if (!check_kind(&subject))
		return;
	check_foreign(&subject);
	check_phases(&subject);
	switch (monitor->kind) {
	case KIND_HTTPS:
	case KIND_HTTP:
		check_certificates(&subject);
		check_http(&subject);
		check_range(&subject);
		break;
	case KIND_TCP:
		check_certificates(&subject);
		check_tcp(&subject);
		break;
	case KIND_DNS:
		check_dns(&subject);
		break;
	case KIND_PUSH:
		check_push(&subject);
		break;
	case KIND_EXEC:
		break;
	}
}
