/* SPDX-License-Identifier: Apache-2.0 */
#include "section.h"

#include <string.h>

#include "roff.h"
#include "steerd/base/memory.h"
#include "steerd/config/table.h"

/* "monitors.NAME.every": ".It Cm monitors. Ns Ar NAME Ns Cm .every" */
static void add_path(struct text *page, const char *path)
{
	const char *separator = "";

	roff_begin(page, "It Cm ");
	for (const char *name; (name = strstr(path, "NAME")); path = name + strlen("NAME")) {
		text_add(page, separator);
		text_add_bytes(page, path, (size_t)(name - path));
		text_add(page, "\\& Ns Ar NAME"); /* "monitors." does not end a sentence */
		separator = " Ns Cm ";
	}
	text_add(page, *path ? separator : "");
	for (; *path; path++)
		text_add(page, *path == '-' ? "\\-" : (char[]){*path, '\0'});
}

static void add_type(struct text *page, const struct setting *setting)
{
	const char *separator = " : Cm";

	if (!setting->words) {
		text_add(page, " : No");
		roff_add(page, table_type_text(setting->type));
		return;
	}
	for (size_t i = 0; setting->words[i]; i++) {
		text_add(page, separator);
		roff_add(page, setting->words[i]);
		separator = " |";
	}
}

static void add_default(struct text *page, const struct setting *setting)
{
	bool is_empty = setting->initial && strcmp(setting->initial, "{}") == 0;

	if (setting->is_required) {
		roff_add_prose(page, "It must be given.");
	} else if (setting->initial && !is_empty) {
		text_add(page, "Default:\n.Ql");
		roff_add(page, setting->initial);
		text_add(page, " .\n");
	} else if (setting->initial_words) {
		text_print(page, "Default: %s.\n", setting->initial_words);
	}
}

/* Of a key that monitors of some kinds have alone; those below https are said there. */
static void add_kinds(struct text *page, const struct setting *setting)
{
	struct text kinds = {0};

	if (setting->kinds == 0 || strncmp(setting->path, "monitors.NAME.https", 19) == 0 ||
		(setting->type == SETTING_MAP && setting->size > 0))
		return;
	table_print_kinds(setting->kinds, &kinds);
	text_print(page, "For monitors of %s.\n", kinds.bytes);
	text_done(&kinds);
}

static void add_setting(struct text *page, const struct setting *setting)
{
	struct text limits = {0};

	add_path(page, setting->path);
	add_type(page, setting);
	roff_end(page);
	roff_add_prose(page, setting->meaning);
	add_kinds(page, setting);
	table_print_limits(setting, &limits);
	if (limits.size > 0)
		text_print(page, "Limits: %s.\n", limits.bytes);
	text_done(&limits);
	add_default(page, setting);
	if (setting->is_fixed)
		roff_add_prose(page, "A change takes a restart.");
	if (setting->example) {
		text_add(page, ".Dl");
		roff_add(page, table_key(setting));
		text_print(page, ":");
		roff_add(page, setting->example);
		text_add(page, "\n");
	}
}

/* Is it the level of `top`, or below it? */
static bool is_within(const char *path, const char *top)
{
	size_t size = strlen(top);

	return strncmp(path, top, size) == 0 && (path[size] == '.' || path[size] == '\0');
}

/* "One pool.": a level that says no more than the one above. */
static bool is_named_thing(const struct setting *setting)
{
	return strcmp(table_key(setting), "NAME") == 0;
}

bool section_settings(struct text *page, const char *tops, struct err *err)
{
	size_t found = 0;
	char top[64];

	text_add(page, ".Bl -tag -width Ds\n");
	while (*tops) {
		size_t size = strcspn(tops, " ");

		if (size >= sizeof(top))
			return err_set(err, "'%s' is no setting", tops);
		memcpy(top, tops, size);
		top[size] = '\0';
		tops += size + (tops[size] == ' ');
		for (size_t i = 0; i < table_count(); i++) {
			const struct setting *setting = table_get(i);

			if (!is_within(setting->path, top) || is_named_thing(setting))
				continue;
			add_setting(page, setting);
			found++;
		}
	}
	text_add(page, ".El\n");
	return found > 0 || err_set(err, "no such settings");
}
