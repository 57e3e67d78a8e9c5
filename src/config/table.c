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
	[SETTING_MAP] = {.text = "map"},
	[SETTING_NAMED] = {.text = "map of names", .unit = " entries"},
	[SETTING_NUMBER] = {.text = "number", .unit = ""},
	[SETTING_DURATION] = {"duration", "", value_duration_print},
	[SETTING_SIZE] = {"size", "", value_size_print},
	[SETTING_RATE] = {"rate", "", value_rate_print},
	[SETTING_PERCENT] = {"percent", "", value_percent_print},
	[SETTING_WORD] = {.text = "word"},
	[SETTING_WORDS] = {.text = "word or list of words", .unit = " items"},
	[SETTING_TEXT] = {.text = "text", .unit = " bytes"},
	[SETTING_LINE] = {.text = "text", .unit = " bytes"},
	[SETTING_REGEX] = {.text = "regular expression", .unit = " bytes"},
	[SETTING_DIGEST] = {.text = "hexadecimal digits"},
	[SETTING_METHOD] = {.text = "word"},
	[SETTING_HEADERS] = {.text = "map of header fields", .unit = " entries"},
	[SETTING_PATTERNS] = {.text = "map of header fields", .unit = " entries"},
	[SETTING_SLICES] = {.text = "position or list of them", .unit = " items"},
	[SETTING_COMMAND] = {.text = "path or list of path and arguments", .unit = " items"},
	[SETTING_HOST] = {.text = "host name"},
	[SETTING_URL_PATH] = {.text = "URL path", .unit = " bytes"},
	[SETTING_URL] = {.text = "URL", .unit = " bytes"},
	[SETTING_FILE] = {.text = "path"},
	[SETTING_SOCKET] = {.text = "path"},
	[SETTING_CONTENT] = {.text = "path"},
	[SETTING_FILES] = {.text = "path or list of paths", .unit = " items"},
	[SETTING_LISTEN] = {.text = "list of ADDRESS:PORT", .unit = " items"},
	[SETTING_ADDRESSES] = {.text = "IP address or list of them", .unit = " items"},
	[SETTING_PREFIXES] = {.text = "ADDRESS/LENGTH or list of them", .unit = " items"},
	[SETTING_POSITION] = {.text = "[LATITUDE, LONGITUDE]"},
	[SETTING_STATUS] = {.text = "list of status codes", .unit = " items"},
	[SETTING_GRANULARITY] = {.text = "IPV4/IPV6"},
	[SETTING_SITE] = {.text = "name of a site"},
	[SETTING_MONITORS] = {.text = "name of a monitor or list of them", .unit = " items"},
	[SETTING_CONDITION] = {.text = "name of a monitor or condition"},
	[SETTING_POOL] = {.text = "name of a pool"},
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
