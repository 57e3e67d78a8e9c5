/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/config/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rows.h"
#include "steerd/base/memory.h"
#include "steerd/config/settings.h"
#include "value.h"

const char *const table_no_yes[] = {[false] = "no", [true] = "yes", NULL};

const char *const table_kinds[TABLE_KINDS] = {
	[KIND_HTTPS] = "https",
	[KIND_HTTP] = "http",
	[KIND_TCP] = "tcp",
	[KIND_DNS] = "dns",
	[KIND_EXEC] = "exec",
	[KIND_PUSH] = "push",
};

/* The parts of the table, in order. */
static const struct {
	const struct setting *settings;
	const size_t *count;
} parts[] = {
	{table_server, &table_server_count},
	{table_monitors, &table_monitor_count},
	{table_pools, &table_pool_count},
	{table_notifies, &table_notify_count},
};

size_t table_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		count += *parts[i].count;
	return count;
}

const struct setting *table_get(size_t index)
{
	size_t part = 0;

	while (index >= *parts[part].count)
		index -= *parts[part++].count;
	return &parts[part].settings[index];
}

void table_print_kinds(unsigned kinds, struct text *text)
{
	const char *separator = "";

	for (size_t i = 0; i < TABLE_KINDS; i++) {
		if (!(kinds & TABLE_KIND(i)))
			continue;
		text_print(text, "%s%s", separator, table_kinds[i]);

		unsigned rest = kinds >> (i + 1);

		separator = rest & (rest - 1) ? ", " : " and ";
	}
}

const char *table_key(const struct setting *setting)
{
	const char *dot = strrchr(setting->path, '.');

	return dot ? dot + 1 : setting->path;
}

bool table_is_below(const struct setting *setting, const char *level)
{
	const char *key = table_key(setting);
	size_t size = strlen(level);

	if (size == 0)
		return key == setting->path;
	return setting->path + size + 1 == key && strncmp(setting->path, level, size) == 0;
}

/* Does a level that is like the one of `setting` have it, too? */
static bool is_inherited(const struct setting *setting, const struct setting *level,
	const struct setting *const *own, size_t own_count)
{
	if (!level->like || !table_is_below(setting, level->like))
		return false;
	if (setting->kinds && !(setting->kinds & level->kinds))
		return false;
	for (size_t i = 0; i < own_count; i++)
		if (strcmp(table_key(own[i]), table_key(setting)) == 0)
			return false;
	return true;
}

size_t table_list(const struct setting *level, const struct setting **ret_settings)
{
	size_t count = 0;

	for (size_t i = 0; i < table_count(); i++)
		if (table_is_below(table_get(i), level ? level->path : ""))
			ret_settings[count++] = table_get(i);

	size_t own_count = count;

	for (size_t i = 0; level && i < table_count(); i++)
		if (is_inherited(table_get(i), level, ret_settings, own_count))
			ret_settings[count++] = table_get(i);
	return count;
}

/* How each type is called in the manual; what limits on it count, NULL where nothing has any; how they are
 * written, NULL: as a number. */
static const struct {
	const char *text;
	const char *unit;
	void (*print)(uint64_t number, char ret_text[static VALUE_TEXT_SIZE]);
} types[] = {
	[SETTING_MAP] = {"map"},
	[SETTING_NAMED] = {"map of names", " entries"},
	[SETTING_NUMBER] = {"number", ""},
	[SETTING_DURATION] = {"duration", "", value_duration_print},
	[SETTING_SIZE] = {"size", "", value_size_print},
	[SETTING_RATE] = {"rate", "", value_rate_print},
	[SETTING_PERCENT] = {"percent", "", value_percent_print},
	[SETTING_WORD] = {"word"},
	[SETTING_WORDS] = {"word or list of words", " items"},
	[SETTING_TEXT] = {"text", " bytes"},
	[SETTING_LINE] = {"text", " bytes"},
	[SETTING_REGEX] = {"regular expression", " bytes"},
	[SETTING_DIGEST] = {"hexadecimal digits"},
	[SETTING_METHOD] = {"word"},
	[SETTING_HEADERS] = {"map of header fields", " entries"},
	[SETTING_PATTERNS] = {"map of header fields", " entries"},
	[SETTING_SLICES] = {"position or list of them", " items"},
	[SETTING_COMMAND] = {"path or list of path and arguments", " items"},
	[SETTING_HOST] = {"host name"},
	[SETTING_URL_PATH] = {"URL path", " bytes"},
	[SETTING_URL] = {"URL", " bytes"},
	[SETTING_FILE] = {"path"},
	[SETTING_SOCKET] = {"path"},
	[SETTING_CONTENT] = {"path"},
	[SETTING_FILES] = {"path or list of paths", " items"},
	[SETTING_LISTEN] = {"list of ADDRESS:PORT", " items"},
	[SETTING_ADDRESSES] = {"IP address or list of them", " items"},
	[SETTING_PREFIXES] = {"ADDRESS/LENGTH or list of them", " items"},
	[SETTING_POSITION] = {"[LATITUDE, LONGITUDE]"},
	[SETTING_STATUS] = {"list of status codes", " items"},
	[SETTING_GRANULARITY] = {"IPV4/IPV6"},
	[SETTING_SITE] = {"name of a site"},
	[SETTING_MONITORS] = {"name of a monitor or list of them", " items"},
	[SETTING_CONDITION] = {"name of a monitor or condition"},
	[SETTING_POOL] = {"name of a pool"},
};

void table_print_limits(const struct setting *setting, struct text *text)
{
	const char *unit = types[setting->type].unit;
	char min[VALUE_TEXT_SIZE], max[VALUE_TEXT_SIZE];

	if (!unit)
		return;
	snprintf(min, sizeof(min), "%" PRIu64, setting->min);
	snprintf(max, sizeof(max), "%" PRIu64, setting->max);
	if (types[setting->type].print) {
		types[setting->type].print(setting->min, min);
		types[setting->type].print(setting->max, max);
	}
	if (setting->min == 0 && *unit)
		text_print(text, "at most %s%s", max, unit);
	else
		text_print(text, "from %s to %s%s", min, max, unit);
}

const char *table_type_text(enum setting_type type)
{
	return types[type].text;
}
