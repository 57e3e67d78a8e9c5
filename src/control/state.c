/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "steerd/base/bytes.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/config/secrets.h"
#include "steerd/control/words.h"

/*
 * verdicts: numbers as in base/bytes.h
 *
 *	magic       8  "steerdv2"; "steerdv1" has no beliefs, and an old table
 *	size        8  of all that follows the checksum
 *	checksum    4  of all that follows it
 *	saved_at    8
 *	key_count   4
 *	keys           as bytes_write_text() made them
 *	size        4  of what is believed
 *	believed       as guard_write() made it; none if there is no octet
 *	table          as verdict_table_write() made it: the rest
 *
 * overrides.json: {"format": 1, "overrides": [...], "checksum": "<8 digits>"}, the checksum being that of the list's
 * compact text; so a file that was edited by hand is known as well.
 *
 * notices: as notices_write() made it, then the checksum (4) of that.
 */
#define VERDICTS_MAGIC "steerdv2"
#define VERDICTS_MAGIC_OLD "steerdv1"
#define VERDICTS_HEADER 20
#define VERDICTS_MAX ((size_t)256 << 20)
#define NOTICES_MAX ((size_t)64 << 20)
#define OVERRIDES_MAX ((size_t)16 << 20)
#define OVERRIDES_FORMAT 1

struct state {
	int lock_fd;
	pthread_mutex_t
		writing; /* of verdicts and notices: a save in the background, and the last one at the end */
	char *verdicts_path;
	char *overrides_path;
	char *secrets_path;
	char *notices_path;
};

/* ---- verdicts ---- */

void state_print_verdicts(const struct state_verdicts *verdicts, struct text *ret_bytes)
{
	struct text body = {0};

	bytes_write_u64(&body, verdicts->saved_at_unix_s);
	bytes_write_u32(&body, (uint32_t)verdicts->targets.count);
	for (size_t i = 0; i < verdicts->targets.count; i++)
		bytes_write_text(&body, verdicts->targets.targets[i].key);
	bytes_write_u32(&body, (uint32_t)verdicts->believed_size);
	text_add_bytes(&body, verdicts->believed, verdicts->believed_size);
	verdict_table_write(&verdicts->verdicts, &body);

	text_add(ret_bytes, VERDICTS_MAGIC);
	bytes_write_u64(ret_bytes, body.size);
	bytes_write_u32(ret_bytes, bytes_crc32(body.bytes, body.size));
	text_add_bytes(ret_bytes, body.bytes, body.size);
	text_done(&body);
}

static bool parse_keys(struct bytes_reader *reader, struct arena *arena,
	struct target_list *ret_targets, struct err *err)
{
	size_t count = bytes_read_u32(reader);

	/* each key takes two octets at least: a count from nowhere asks for no memory */
	if (reader->failed || count > reader->left / 2)
		return err_set(err, "its list of targets is cut off");

	struct target *targets = ARENA_ARRAY(arena, struct target, count);

	for (size_t i = 0; i < count; i++) {
		size_t size;
		const char *key = bytes_read_text(reader, &size);

		if (!key)
			return err_set(err, "the key of its target %zu is malformed", i + 1);

		char *text = arena_alloc(arena, size + 1);

		memcpy(text, key, size);
		targets[i] = (struct target){.key = text, .monitor = TARGET_NONE};
	}
	ret_targets->targets = targets;
	ret_targets->count = count;
	return true;
}

/* Lies in the arena: who believes it reads it when there are rules to read it by. */
static bool parse_believed(struct bytes_reader *reader, struct arena *arena,
	struct state_verdicts *verdicts, struct err *err)
{
	size_t size = bytes_read_u32(reader);
	const uint8_t *believed = bytes_read_raw(reader, size);

	if (!believed)
		return err_set(err, "what was believed is cut off");
	verdicts->believed = arena_copy(arena, believed, size);
	verdicts->believed_size = size;
	return true;
}

typedef bool (*read_table_fn)(
	const void *bytes, size_t size, struct verdict_table *ret_table, struct err *err);

static bool parse_table(struct bytes_reader *reader, read_table_fn read_table,
	struct state_verdicts *verdicts, struct err *err)
{
	const struct target_list *targets = &verdicts->targets;
	struct verdict_table table = {0};

	if (!read_table(reader->at, reader->left, &table, err))
		return false;
	for (size_t i = 0; i < table.count; i++) {
		if (table.rows[i].target < targets->count)
			continue;
		verdict_table_done(&table);
		return err_set(err, "row %zu is of a target that it does not list", i);
	}
	verdicts->verdicts = table;
	return true;
}

bool state_parse_verdicts(const void *bytes, size_t size, struct arena *arena,
	struct state_verdicts *ret_verdicts, struct err *err)
{
	struct bytes_reader reader = {.at = bytes, .left = size};
	const uint8_t *magic = bytes_read_raw(&reader, strlen(VERDICTS_MAGIC));
	uint64_t body_size = bytes_read_u64(&reader);
	uint32_t sum = bytes_read_u32(&reader);
	struct state_verdicts verdicts = {0};
	bool is_old = magic && memcmp(magic, VERDICTS_MAGIC_OLD, strlen(VERDICTS_MAGIC)) == 0;

	if (reader.failed ||
		(!is_old && memcmp(magic, VERDICTS_MAGIC, strlen(VERDICTS_MAGIC)) != 0))
		return err_set(err, "it does not begin as a file of verdicts does");
	if (body_size != reader.left)
		return err_set(
			err, "it is %zu octets, not %" PRIu64, size, body_size + VERDICTS_HEADER);
	if (sum != bytes_crc32(reader.at, reader.left))
		return err_set(err, "its checksum is wrong");
	verdicts.saved_at_unix_s = bytes_read_u64(&reader);
	if (!parse_keys(&reader, arena, &verdicts.targets, err) ||
		(!is_old && !parse_believed(&reader, arena, &verdicts, err)) ||
		!parse_table(&reader, is_old ? verdict_table_read_old : verdict_table_read,
			&verdicts, err))
		return false;
	verdicts.targets.generation = verdicts.verdicts.generation;
	*ret_verdicts = verdicts;
	return true;
}

/* ---- overrides ---- */

#define CHECKSUM_TEXT_SIZE 9

static void checksum_text(const json_t *list, char ret_text[static CHECKSUM_TEXT_SIZE])
{
	struct text compact = {0};

	json_write(list, JSON_COMPACT | JSON_SORT_KEYS, &compact);
	snprintf(ret_text, CHECKSUM_TEXT_SIZE, "%08" PRIx32,
		bytes_crc32(compact.bytes, compact.size));
	text_done(&compact);
}

void state_print_overrides(const struct override_list *list, struct text *ret_bytes)
{
	json_t *json = json_object();
	json_t *items = json_array();
	char sum[CHECKSUM_TEXT_SIZE];

	for (size_t i = 0; i < list->count; i++) {
		const struct override *override = &list->items[i];
		json_t *item = json_object();

		json_put_text(item, "kind", words_kind(override->kind));
		json_put_text(item, "subject", override->subject);
		json_put_text(item, "reason", override->reason);
		json_put_text(item, "by", override->by);
		json_put_number(item, "since_unix_s", override->since_unix_s);
		json_put_time(item, "until_unix_s", override->until_unix_s);
		json_push(items, item);
	}
	checksum_text(items, sum);
	json_put_number(json, "format", OVERRIDES_FORMAT);
	json_put(json, "overrides", items);
	json_put_text(json, "checksum", sum);
	json_write(json, JSON_INDENT(2), ret_bytes);
	text_add(ret_bytes, "\n");
	json_decref(json);
}

static bool parse_kind(const char *name, enum override_kind *ret_kind)
{
	static const enum override_kind kinds[] = {OVERRIDE_DRAIN, OVERRIDE_DOWN, OVERRIDE_UP};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strcmp(name, words_kind(kinds[i])) != 0)
			continue;
		*ret_kind = kinds[i];
		return true;
	}
	return false;
}

static bool parse_override(json_t *item, struct override *ret_override)
{
	const char *kind;
	json_int_t since = 0;
	json_t *until;

	if (json_unpack(item, "{s:s, s:s, s:s, s:s, s:I, s:o !}", "kind", &kind, "subject",
		    &ret_override->subject, "reason", &ret_override->reason, "by",
		    &ret_override->by, "since_unix_s", &since, "until_unix_s", &until) < 0)
		return false;
	if (!json_is_null(until) && !json_is_integer(until))
		return false;
	if (since < 0 || json_integer_value(until) < 0 || !*ret_override->subject)
		return false;
	ret_override->since_unix_s = (uint64_t)since;
	ret_override->until_unix_s = (uint64_t)json_integer_value(until);
	return parse_kind(kind, &ret_override->kind);
}

static bool parse_overrides(const json_t *json, struct override_list *list, struct err *err)
{
	const json_t *items = json_object_get(json, "overrides");
	const char *given = json_string_value(json_object_get(json, "checksum"));
	char sum[CHECKSUM_TEXT_SIZE];

	if (json_integer_value(json_object_get(json, "format")) != OVERRIDES_FORMAT)
		return err_set(err, "it is not of format %d", OVERRIDES_FORMAT);
	if (!json_is_array(items) || !given)
		return err_set(err, "it has no list of overrides with a checksum");
	checksum_text(items, sum);
	if (strcmp(sum, given) != 0)
		return err_set(err, "its checksum is wrong: change overrides with steerctl");
	for (size_t i = 0; i < json_array_size(items); i++) {
		struct override override;

		if (!parse_override(json_array_get(items, i), &override))
			return err_set(err, "its override %zu is malformed", i + 1);
		override_list_set(list, &override);
	}
	return true;
}

bool state_parse_overrides(
	const void *bytes, size_t size, struct override_list *list, struct err *err)
{
	struct override_list read = {0};
	json_error_t error;
	json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		return err_set(err, "line %d: %s", error.line, error.text);

	bool done = parse_overrides(json, &read, err);

	/* all or none */
	for (size_t i = 0; done && i < read.count; i++)
		override_list_set(list, &read.items[i]);
	override_list_done(&read);
	json_decref(json);
	return done;
}

/* ---- notices ---- */

#define CHECKSUM_SIZE 4

void state_print_notices(
	const struct notices *notices, const struct notice_clock *clock, struct text *ret_bytes)
{
	notices_write(notices, clock, ret_bytes);
	bytes_write_u32(ret_bytes, bytes_crc32(ret_bytes->bytes, ret_bytes->size));
}

bool state_parse_notices(const struct text *bytes, struct notices *notices,
	const struct notice_clock *clock, struct err *err)
{
	size_t size = bytes->size < CHECKSUM_SIZE ? 0 : bytes->size - CHECKSUM_SIZE;
	struct bytes_reader reader = {
		.at = (const uint8_t *)bytes->bytes + size, .left = bytes->size - size};

	if (bytes_read_u32(&reader) != bytes_crc32(bytes->bytes, size) || reader.failed)
		return err_set(err, "its checksum is wrong");
	return notices_read(notices, bytes->bytes, size, clock, err);
}

/* ---- the directory ---- */

static bool make_directory(const char *path, struct err *err)
{
	if (mkdir(path, 0750) == 0 || errno == EEXIST)
		return true;
	if (errno == ENOENT)
		return err_set(err,
			"the directory above '%s' does not exist: make it, or set 'state' to "
			"another place",
			path);
	return err_os(err, "cannot make the state directory '%s'; make it and give it to uid %u",
		path, (unsigned)geteuid());
}

/*
 * A steerd that is killed just when it starts its prober leaves a child that holds the lock, and the sockets, until its
 * exec() a moment later: who is started in its place waits for that.
 */
#define LOCK_PAUSE_MS 50
#define LOCK_TRIES 20

static bool lock_in_time(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static int lock_directory(const char *path, struct err *err)
{
	struct text lock_path = {0};

	text_print(&lock_path, "%s/lock", path);

	int fd = open(lock_path.bytes, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0) {
		err_os(err,
			"cannot write in the state directory '%s' as uid %u; give it to that user, "
			"or set "
			"'state' to another place",
			path, (unsigned)geteuid());
	} else if (!lock_in_time(fd)) {
		err_set(err, "the state directory '%s' is in use by another steerd", path);
		close(fd);
		fd = -1;
	}
	text_done(&lock_path);
	return fd;
}

static char *path_of(const char *directory, const char *name)
{
	struct text path = {0};

	text_print(&path, "%s/%s", directory, name);
	return path.bytes;
}

struct state *state_open(const char *path, struct err *err)
{
	if (!make_directory(path, err))
		return NULL;

	int lock_fd = lock_directory(path, err);

	if (lock_fd < 0)
		return NULL;

	struct state *state = memory_new(sizeof(*state));

	state->lock_fd = lock_fd;
	pthread_mutex_init(&state->writing, NULL);
	state->verdicts_path = path_of(path, "verdicts");
	state->overrides_path = path_of(path, "overrides.json");
	state->secrets_path = path_of(path, SECRETS_FILE);
	state->notices_path = path_of(path, "notices");
	return state;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	close(state->lock_fd);
	pthread_mutex_destroy(&state->writing);
	free(state->verdicts_path);
	free(state->overrides_path);
	free(state->secrets_path);
	free(state->notices_path);
	free(state);
}

static enum state_found set_aside(const char *path, struct err *err)
{
	struct text aside = {0};

	text_print(&aside, "%s.bad", path);
	if (rename(path, aside.bytes) < 0)
		err_within(err, "'%s' is ignored", path);
	else
		err_within(err, "'%s' is ignored and kept as '%s'", path, aside.bytes);
	text_done(&aside);
	return STATE_BROKEN;
}

static enum state_found read_state_file(
	const char *path, size_t max_bytes, struct text *ret_bytes, struct err *err)
{
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return STATE_ABSENT;
	if (file_read(path, max_bytes, ret_bytes, err))
		return STATE_READ;
	/* it may be whole, and only not to be read now: the next start finds it where it is */
	(void)err_within(err, "'%s' is ignored", path);
	return STATE_BROKEN;
}

enum state_found state_read_verdicts(struct state *state, struct arena *arena,
	struct state_verdicts *ret_verdicts, struct err *err)
{
	struct text bytes = {0};
	enum state_found found = read_state_file(state->verdicts_path, VERDICTS_MAX, &bytes, err);

	if (found == STATE_READ &&
		!state_parse_verdicts(bytes.bytes, bytes.size, arena, ret_verdicts, err))
		found = set_aside(state->verdicts_path, err);
	text_done(&bytes);
	return found;
}

bool state_write_verdicts(struct state *state, const struct text *bytes, struct err *err)
{
	pthread_mutex_lock(&state->writing);

	bool done = file_replace(state->verdicts_path, FILE_MODE, bytes->bytes, bytes->size, err);

	pthread_mutex_unlock(&state->writing);
	return done;
}

enum state_found state_read_overrides(
	struct state *state, struct override_list *list, struct err *err)
{
	struct text bytes = {0};
	enum state_found found = read_state_file(state->overrides_path, OVERRIDES_MAX, &bytes, err);

	if (found == STATE_READ && !state_parse_overrides(bytes.bytes, bytes.size, list, err))
		found = set_aside(state->overrides_path, err);
	text_done(&bytes);
	return found;
}

bool state_write_overrides(struct state *state, const struct override_list *list, struct err *err)
{
	struct text bytes = {0};

	state_print_overrides(list, &bytes);

	bool done = file_replace(state->overrides_path, FILE_MODE, bytes.bytes, bytes.size, err);

	text_done(&bytes);
	return done;
}

bool state_write_secrets(struct state *state, const void *bytes, size_t size, struct err *err)
{
	return file_replace(state->secrets_path, SECRETS_MODE, bytes, size, err);
}

enum state_found state_read_notices(struct state *state, struct notices *notices,
	const struct notice_clock *clock, struct err *err)
{
	struct text bytes = {0};
	enum state_found found = read_state_file(state->notices_path, NOTICES_MAX, &bytes, err);

	if (found == STATE_READ && !state_parse_notices(&bytes, notices, clock, err))
		found = set_aside(state->notices_path, err);
	text_done(&bytes);
	return found;
}

bool state_write_notices(struct state *state, const struct text *bytes, struct err *err)
{
	pthread_mutex_lock(&state->writing);

	bool done = file_replace(state->notices_path, FILE_MODE, bytes->bytes, bytes->size, err);

	pthread_mutex_unlock(&state->writing);
	return done;
}
