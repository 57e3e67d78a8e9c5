/* SPDX-License-Identifier: Apache-2.0 */

/* How a value of each type of the table is read. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "entry.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "value.h"

#define METHOD_MAX_BYTES 16

static bool (*const quantities[])(const char *text, uint64_t *ret_number) = {
	[SETTING_NUMBER] = value_number,
	[SETTING_DURATION] = value_duration,
	[SETTING_SIZE] = value_size,
	[SETTING_RATE] = value_rate,
	[SETTING_PERCENT] = value_percent,
};

static void read_quantity(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = entry_text(reader, entry, entry->node);
	uint64_t number;

	if (!text)
		return;
	if (!quantities[setting->type](text, &number))
		entry_refuse(reader, entry, entry->node);
	else if (number < setting->min || number > setting->max)
		entry_refuse_number(reader, entry, text);
	else
		entry_store(entry, number);
}

static void read_word(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	for (size_t i = 0; entry->setting->words[i]; i++) {
		if (strcmp(entry->setting->words[i], text) == 0) {
			entry_store(
				entry, entry->setting->numbers ? entry->setting->numbers[i] : i);
			return;
		}
	}
	entry_refuse(reader, entry, entry->node);
}

static void read_text(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (strlen(text) < setting->min || strlen(text) > setting->max)
		entry_refuse_count(reader, entry, strlen(text));
	else
		entry_store_pointer(entry, arena_text(reader->settings->arena, text));
}

static void read_line(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (value_is_line(text))
		read_text(reader, entry);
	else
		entry_refuse(reader, entry, entry->node);
}

static void read_digest(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);
	uint8_t digest[VALUE_DIGEST_SIZE];

	if (!text)
		return;
	if (value_digest(text, digest))
		entry_store_pointer(
			entry, arena_copy(reader->settings->arena, digest, sizeof(digest)));
	else
		entry_refuse(reader, entry, entry->node);
}

/* CONNECT asks for a tunnel, which is no answer to look at. */
static void read_method(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (value_is_token(text) && strlen(text) <= METHOD_MAX_BYTES &&
		strcmp(text, "CONNECT") != 0)
		entry_store_pointer(entry, arena_text(reader->settings->arena, text));
	else
		entry_refuse(reader, entry, entry->node);
}

static void read_host(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (value_is_host(text))
		entry_store_pointer(entry, arena_text(reader->settings->arena, text));
	else
		entry_refuse(reader, entry, entry->node);
}

static void read_url_path(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (!value_is_url_path(text))
		entry_refuse(reader, entry, entry->node);
	else
		read_text(reader, entry);
}

/* In place: people read "zones/a.zone" in messages, not "zones/.//a.zone". */
static void tidy_path(char *path)
{
	char *end = path;

	for (const char *from = path; *from != '\0';) {
		bool is_dot =
			from[0] == '/' && from[1] == '.' && (from[2] == '/' || from[2] == '\0');

		if (is_dot)
			from += 2;
		else if (from[0] == '/' && from[1] == '/')
			from++;
		else
			*end++ = *from++;
	}
	if (end > path + 1 && end[-1] == '/')
		end--;
	if (end == path)
		*end++ = '/';
	*end = '\0';
}

const char *entry_path(struct reader *reader, const struct entry *entry, const struct node *node)
{
	const char *text = entry_text(reader, entry, node);

	if (!text)
		return NULL;
	if (*text == '\0') {
		complain(reader->complaints, node->place, "'%s' is an empty path",
			table_key(entry->setting));
		return NULL;
	}

	char *beside = file_path_beside(reader->settings->path, text);

	tidy_path(beside);

	const char *path = arena_text(reader->settings->arena, beside);

	free(beside);
	return path;
}

static void read_url(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (!value_is_url(text))
		entry_refuse(reader, entry, entry->node);
	else
		read_text(reader, entry);
}

static void read_file(struct reader *reader, const struct entry *entry)
{
	const char *path = entry_path(reader, entry, entry->node);

	if (path)
		entry_store_pointer(entry, path);
}

static void read_socket(struct reader *reader, const struct entry *entry)
{
	const char *path = entry_path(reader, entry, entry->node);
	size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (path && strlen(path) > max)
		complain(reader->complaints, entry->node->place,
			"'%s' is a path of %zu bytes; a Unix socket's has %zu at most",
			table_key(entry->setting), strlen(path), max);
	else if (path)
		entry_store_pointer(entry, path);
}

/* What is in it is read later: settings_read_files(). */
static void read_content(struct reader *reader, const struct entry *entry)
{
	const char *path = entry_path(reader, entry, entry->node);

	if (!path)
		return;

	struct settings_file *file = ARENA_NEW(reader->settings->arena, struct settings_file);

	*file = (struct settings_file){
		.path = path,
		.key = table_key(entry->setting),
		.holds = (enum settings_file_holds)entry->setting->choice,
		.place = entry->node->place,
	};
	file->place.path = reader->settings->path; /* which lives as long as the settings */
	reader->files = MEMORY_GROW(reader->files, reader->file_count, &reader->file_capacity);
	reader->files[reader->file_count++] = file;
	entry_store_pointer(entry, file);
}

static void read_degrees(struct reader *reader, const struct entry *entry, const struct node *node,
	const char *what, double max, size_t offset)
{
	const char *text = entry_text(reader, entry, node);
	double degrees;

	if (!text)
		return;
	if (!value_decimal(text, &degrees))
		complain(reader->complaints, node->place, "%s must be a number, not '%s'", what,
			show(text).text);
	else if (degrees < -max || degrees > max)
		complain(reader->complaints, node->place, "%s must be from -%.0f to %.0f, not %s",
			what, max, max, show(text).text);
	else
		memcpy(entry->level->object + offset, &degrees, sizeof(degrees));
}

static void read_position(struct reader *reader, const struct entry *entry)
{
	const struct node *node = entry->node;

	if (node->kind != NODE_LIST || node->count != 2) {
		entry_refuse(reader, entry, node);
		return;
	}
	read_degrees(reader, entry, node->first, "the latitude", 90, entry->setting->offset);
	read_degrees(reader, entry, node->last, "the longitude", 180, entry->setting->count_offset);
}

static void read_granularity(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);
	uint8_t ipv4, ipv6;

	if (!text)
		return;
	if (!value_granularity(text, &ipv4, &ipv6)) {
		entry_refuse(reader, entry, entry->node);
		return;
	}
	entry->level->object[entry->setting->offset] = (char)ipv4;
	entry->level->object[entry->setting->count_offset] = (char)ipv6;
}

static void (*const readers[])(struct reader *reader, const struct entry *entry) = {
	[SETTING_NUMBER] = read_quantity,
	[SETTING_DURATION] = read_quantity,
	[SETTING_SIZE] = read_quantity,
	[SETTING_RATE] = read_quantity,
	[SETTING_PERCENT] = read_quantity,
	[SETTING_WORD] = read_word,
	[SETTING_WORDS] = entry_read_words,
	[SETTING_TEXT] = read_text,
	[SETTING_LINE] = read_line,
	[SETTING_REGEX] = entry_read_regex,
	[SETTING_DIGEST] = read_digest,
	[SETTING_METHOD] = read_method,
	[SETTING_HEADERS] = entry_read_fields,
	[SETTING_PATTERNS] = entry_read_fields,
	[SETTING_SLICES] = entry_read_slices,
	[SETTING_COMMAND] = entry_read_command,
	[SETTING_HOST] = read_host,
	[SETTING_URL_PATH] = read_url_path,
	[SETTING_URL] = read_url,
	[SETTING_FILE] = read_file,
	[SETTING_SOCKET] = read_socket,
	[SETTING_CONTENT] = read_content,
	[SETTING_FILES] = entry_read_files,
	[SETTING_LISTEN] = entry_read_listen,
	[SETTING_ADDRESSES] = entry_read_addresses,
	[SETTING_PREFIXES] = entry_read_prefixes,
	[SETTING_POSITION] = read_position,
	[SETTING_STATUS] = entry_read_status,
	[SETTING_GRANULARITY] = read_granularity,
	[SETTING_SITE] = entry_read_reference,
	[SETTING_MONITORS] = entry_read_monitors,
	[SETTING_CONDITION] = entry_read_condition,
	[SETTING_POOL] = entry_read_reference,
};

void entry_read(struct reader *reader, const struct entry *entry)
{
	readers[entry->setting->type](reader, entry);
}
