/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/config/settings.h"

#include <string.h>

#include "complaints.h"
#include "read.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "tree.h"

/* More than the values that a tree may have (tree.c) take, unless their names are very long. */
#define FILE_MAX_BYTES ((size_t)16 << 20)

static struct settings *settings_new(const char *path)
{
	struct arena *arena = arena_new();
	struct settings *settings = ARENA_NEW(arena, struct settings);

	settings->arena = arena;
	settings->path = arena_text(arena, path);
	return settings;
}

struct settings *settings_parse(
	const char *bytes, size_t size, const char *path, struct report *report)
{
	struct complaints complaints = {.path = path};
	struct arena *arena = arena_new();
	struct settings *settings = settings_new(path);
	const struct node *root = tree_read(bytes ? bytes : "", size, arena, &complaints);

	if (root && root->kind != NODE_MAP)
		complain(&complaints, root->place, "it must be a map of keys, not %s",
			tree_kind_text(root));
	if (root && root->kind == NODE_MAP) {
		read_settings(root, settings, &complaints);
		check_settings(root, settings, &complaints);
	}

	bool is_good = complaints.error_count == 0;

	complaints_tell(&complaints, report);
	arena_free(arena);
	if (is_good)
		return settings;
	settings_free(settings);
	return NULL;
}

struct settings *settings_read(const char *path, struct report *report)
{
	struct text bytes = {0};
	struct err err;

	if (!file_read(path, FILE_MAX_BYTES, &bytes, &err)) {
		report_error(report, (struct report_place){.path = path}, "%s", err.text);
		return NULL;
	}

	struct settings *settings = settings_parse(bytes.bytes, bytes.size, path, report);

	text_done(&bytes);
	return settings;
}

char *settings_find_control(const char *path)
{
	struct complaints complaints = {.path = path};
	struct report report = {0};
	struct text bytes = {0};
	struct err err;
	char *control = NULL;

	if (!file_read(path, FILE_MAX_BYTES, &bytes, &err))
		return NULL;

	struct arena *arena = arena_new();
	struct settings *settings = settings_new(path);
	const struct node *root = tree_read(bytes.bytes, bytes.size, arena, &complaints);

	if (root && root->kind == NODE_MAP)
		read_settings(root, settings, &complaints);
	if (settings->control_path)
		control = memory_text(settings->control_path);
	complaints_tell(&complaints, &report);
	report_done(&report);
	settings_free(settings);
	arena_free(arena);
	text_done(&bytes);
	return control;
}

void settings_free(struct settings *settings)
{
	if (settings)
		arena_free(settings->arena); /* which holds the settings too */
}

uint32_t settings_find_pool(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->pool_count; i++)
		if (strcmp(settings->pools[i].name, name) == 0)
			return (uint32_t)i;
	return SETTINGS_NONE;
}

uint32_t settings_find_site(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->site_count; i++)
		if (strcmp(settings->sites[i].name, name) == 0)
			return (uint32_t)i;
	return SETTINGS_NONE;
}
