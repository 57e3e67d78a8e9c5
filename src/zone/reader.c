/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lines.h"
#include "rdata.h"

#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/dns/type.h"

/* How deep one file may include the next, and how many a zone may be made of. */
#define DEPTH_MAX 8
#define FILES_MAX 1000

/* Entries that cannot be read before the rest is not looked at: it is another kind of file. */
#define MISTAKES_MAX 100

/* A file that is being read.  What it says of origin, TTL and owner ends with it: an $INCLUDE changes nothing for the
 * file that has it (RFC 1035 5.1 says so of the origin). */
struct source {
	struct lines lines;
	uint16_t file; /* index of draft->files */
	bool has_ttl;
	bool has_owner;
	uint32_t
		ttl_s; /* $TTL (RFC 2308 4); without one, the TTL that was last said (RFC 1035 5.1) */
	bool has_default_ttl;
	struct name_key origin;
	char origin_text[NAME_TEXT_SIZE];
	struct name_key owner;
};

struct reader {
	struct draft *draft;
	const struct zone_rules *rules;
	char *directory; /* resolved */
	struct file_identities *identities;
	struct rdata_reader *rdata;
	struct text wire; /* of the record being read */
	struct source *sources[DEPTH_MAX];
	size_t depth;
	struct report_place place; /* of the entry being read */
	struct draft_name *name;   /* of the owner that came last: most records come in sets */
};

/* An entry that is being taken apart. */
struct entry {
	char *rest;
	const struct line *line;
};

static struct source *top(const struct reader *reader)
{
	return reader->sources[reader->depth - 1];
}

static void mistake(struct reader *reader, const struct err *err)
{
	report_error(reader->draft->report, reader->place, "%s", err->text);
	reader->draft->unread_count++;
}

/* The next field, cut out in place; "" at the end. */
static char *next_field(struct entry *entry)
{
	char *field = entry->rest + strspn(entry->rest, " ");
	char *end = field;

	while (*end != '\0' && *end != ' ')
		end += *end == '\\' && end[1] != '\0' ? 2 : 1;
	entry->rest = end;
	if (*end != '\0')
		*entry->rest++ = '\0';
	return field;
}

/* ---- names ---- */

static bool is_absolute(const char *text)
{
	size_t size = strlen(text);
	size_t backslashes = 0;

	if (size == 0 || text[size - 1] != '.')
		return false;
	while (backslashes + 1 < size && text[size - 2 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 0;
}

static bool read_name(
	const struct source *source, const char *text, struct name_key *ret_key, struct err *err)
{
	char whole[2 * NAME_TEXT_SIZE];

	if (strcmp(text, "@") == 0) {
		*ret_key = source->origin;
		return true;
	}
	if (is_absolute(text))
		return name_parse(text, ret_key, err);
	if (snprintf(whole, sizeof(whole), "%s.%s", text,
		    source->origin.label_count > 0 ? source->origin_text : "") >=
		(int)sizeof(whole))
		return err_set(err, "'%.60s...' is longer than 255 octets", text);
	return name_parse(whole, ret_key, err);
}

static void set_origin(struct reader *reader, const struct name_key *origin)
{
	struct source *source = top(reader);

	source->origin = *origin;
	name_print(origin->wire, source->origin_text);
	rdata_reader_set_origin(reader->rdata, origin->wire);
}

/* ---- TTLs and classes ---- */

/* "3600" or "1h30m", as every peer takes it. */
static bool read_ttl(const char *text, uint32_t *ret_ttl_s, struct err *err)
{
	static const struct {
		char unit;
		uint32_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t total = 0;
	const char *at = text;

	do {
		uint64_t number = 0;
		size_t digits = strspn(at, "0123456789");
		uint32_t unit_s = at == text && at[digits] == '\0' ? 1 : 0;

		for (size_t i = 0; i < digits && number <= DNS_TTL_MAX; i++)
			number = number * 10 + (uint64_t)(at[i] - '0');
		at += digits;
		for (size_t i = 0; i < COUNT_OF(units); i++)
			if ((*at | 0x20) == units[i].unit)
				unit_s = units[i].s;
		if (digits == 0 || unit_s == 0)
			return err_set(err, "TTL '%s' is not a number", text);
		total += number * unit_s;
		if (total > DNS_TTL_MAX)
			return err_set(err, "TTL '%s' is above %d (RFC 2181 8)", text, DNS_TTL_MAX);
		if (*at != '\0')
			at++;
	} while (*at != '\0');
	*ret_ttl_s = (uint32_t)total;
	return true;
}

static bool is_class(const char *text)
{
	static const char *const names[] = {"IN", "CH", "HS", "CS", "NONE"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcasecmp(text, names[i]) == 0)
			return true;
	return strncasecmp(text, "CLASS", 5) == 0;
}

/* ---- directives ---- */

static bool push(struct reader *reader, const char *path, FILE *file, const struct stat *status)
{
	struct source *source = memory_new(sizeof(*source));

	if (reader->depth > 0) {
		*source = *top(reader);
		source->has_owner = false;
	}
	source->lines = (struct lines){.file = file};
	source->file = draft_add_file(reader->draft, path);
	reader->sources[reader->depth++] = source;

	struct file_identities *identities = reader->identities;

	identities->items =
		MEMORY_GROW(identities->items, identities->count, &identities->capacity);
	identities->items[identities->count].path = reader->draft->files[source->file];
	file_identity_set(&identities->items[identities->count++], status);
	return true;
}

static void pop(struct reader *reader)
{
	struct source *source = reader->sources[--reader->depth];

	fclose(source->lines.file);
	lines_done(&source->lines);
	free(source);
	if (reader->depth > 0)
		rdata_reader_set_origin(reader->rdata, top(reader)->origin.wire);
}

static bool is_open(const struct reader *reader, const struct stat *status)
{
	for (size_t i = 0; i < reader->depth; i++) {
		struct stat other;

		if (fstat(fileno(reader->sources[i]->lines.file), &other) == 0 &&
			other.st_dev == status->st_dev && other.st_ino == status->st_ino)
			return true;
	}
	return false;
}

/* Opens a file and begins to read it; messages call it `path`. */
static bool open_source(
	struct reader *reader, const char *path, const char *resolved, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer.  O_NOFOLLOW: what was resolved is no link. */
	int fd = open(
		resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (resolved == path ? 0 : O_NOFOLLOW));
	struct stat status;

	if (fd < 0)
		return err_os(err, "cannot open '%s'", path);

	bool done = fstat(fd, &status) == 0 || err_os(err, "cannot look at '%s'", path);

	if (done && !S_ISREG(status.st_mode))
		done = err_set(err, "'%s' is not a regular file", path);
	if (done && is_open(reader, &status))
		done = err_set(err, "'%s' includes itself", path);

	FILE *file = done ? fdopen(fd, "r") : NULL;

	if (done && !file)
		done = err_os(err, "cannot read '%s'", path);
	if (done)
		return push(reader, path, file, &status);
	close(fd);
	return false;
}

/* A file outside of the directory may be anything that the daemon can read, and zones are often written by others
 * than its operator. */
static bool open_include(struct reader *reader, const char *path, struct err *err)
{
	char resolved[PATH_MAX];
	size_t size = strlen(reader->directory);

	if (reader->depth == DEPTH_MAX)
		return err_set(err, "'%s' is included more than %d files deep", path, DEPTH_MAX);
	if (reader->draft->file_count == FILES_MAX)
		return err_set(err, "the zone includes more than %d files", FILES_MAX);
	if (!realpath(path, resolved))
		return err_os(err, "cannot include '%s'", path);
	if (strncmp(resolved, reader->directory, size) != 0 || resolved[size] != '/')
		return err_set(err, "'%s' lies outside of the directory of the zones", path);
	return open_source(reader, path, resolved, err);
}

static bool read_include(struct reader *reader, struct entry *entry, struct err *err)
{
	char *file = next_field(entry);
	char *origin_text = next_field(entry);
	size_t size = strlen(file);
	struct name_key origin = top(reader)->origin;

	if (size >= 2 && file[0] == '"' && file[size - 1] == '"') {
		file[size - 1] = '\0';
		file++;
	}
	if (*file == '\0')
		return err_set(err, "$INCLUDE without a file");
	if (*origin_text != '\0' && !read_name(top(reader), origin_text, &origin, err))
		return false;
	if (*next_field(entry) != '\0')
		return err_set(err, "$INCLUDE takes a file and an origin");

	char *path = file_path_beside(reader->place.path, file);
	bool done = open_include(reader, path, err);

	free(path);
	if (done)
		set_origin(reader, &origin);
	return done;
}

static bool read_directive(struct reader *reader, struct entry *entry, struct err *err)
{
	const char *word = next_field(entry);
	struct source *source = top(reader);

	if (strcasecmp(word, "$INCLUDE") == 0)
		return read_include(reader, entry, err);

	if (strcasecmp(word, "$ORIGIN") != 0 && strcasecmp(word, "$TTL") != 0)
		return err_set(
			err, "'%s' is not a directive; there are $ORIGIN, $TTL and $INCLUDE", word);

	char *value = next_field(entry);

	if (*next_field(entry) != '\0')
		return err_set(err, "%s takes one value", word);
	if (strcasecmp(word, "$ORIGIN") == 0) {
		struct name_key origin;

		if (!read_name(source, value, &origin, err))
			return err_within(err, "$ORIGIN");
		set_origin(reader, &origin);
		return true;
	}
	source->has_ttl = source->has_default_ttl = true;
	return read_ttl(value, &source->ttl_s, err);
}

/* ---- records ---- */

/* TTL and class, each once and in either order, then the type (RFC 1035 5.1). */
static bool read_front(
	struct source *source, struct entry *entry, struct draft_record *record, struct err *err)
{
	bool has_class = false;
	bool has_ttl = false;
	char *field = next_field(entry);

	for (;; field = next_field(entry)) {
		if (!has_ttl && *field >= '0' && *field <= '9') {
			if (!read_ttl(field, &record->ttl_s, err))
				return false;
			has_ttl = true;
		} else if (!has_class && is_class(field)) {
			if (strcasecmp(field, "IN") != 0 && strcasecmp(field, "CLASS1") != 0)
				return err_set(err, "class '%s' is not served, only IN", field);
			has_class = true;
		} else {
			break;
		}
	}
	if (*field == '\0')
		return err_set(err, "a record without a type");
	if (!type_parse(field, &record->type))
		return err_set(err, "'%s' is not a type of records", field);
	/* RFC 6895 3.1: 128 to 255 are for questions and transactions */
	if (record->type == 0 || record->type == DNS_TYPE_OPT ||
		(record->type >= 128 && record->type <= 255))
		return err_set(err, "'%s' is a type that no zone holds (RFC 6895 3.1)", field);
	if (has_ttl && !source->has_default_ttl) {
		source->has_ttl = true;
		source->ttl_s = record->ttl_s;
	}
	if (!has_ttl && !source->has_ttl)
		return err_set(err, "no TTL, and none before it (RFC 2308 4)");
	if (!has_ttl)
		record->ttl_s = source->ttl_s;
	return true;
}

static bool is_steer(const struct name_key *owner)
{
	static const uint8_t label[] = "\6_steer";

	return owner->label_count > 0 && memcmp(owner->wire, label, sizeof(label) - 1) == 0;
}

/* RFC 8552: an instruction beside the name that it is for; never data. */
static bool add_steer(struct reader *reader, const struct draft_record *record, struct err *err)
{
	struct draft *draft = reader->draft;
	const struct name_key *owner = &top(reader)->owner;
	const char *text = reader->wire.bytes;
	struct draft_text name;
	char pool[256];
	char type_text[TYPE_TEXT_SIZE];

	draft_print(draft, owner->wire, &name);
	if (owner->label_count == draft->apex_key.label_count)
		return err_set(err, "a zone cannot be called '%s'", name.bytes);
	if (record->type != DNS_TYPE_TXT) {
		type_print(record->type, type_text);
		return err_set(
			err, "'%s' may have a TXT record alone, not %s", name.bytes, type_text);
	}
	if ((uint8_t)text[0] + 1u != record->rdata_size || record->rdata_size <= 6 ||
		memcmp(text + 1, "pool=", 5) != 0 || memchr(text + 1, 0, (uint8_t)text[0]))
		return err_set(err, "'%s' must say \"pool=NAME\"", name.bytes);
	memcpy(pool, text + 6, (size_t)record->rdata_size - 6);
	pool[record->rdata_size - 6] = '\0';
	if (!reader->rules->is_pool(reader->rules->context, pool))
		return err_set(
			err, "'%s' names the pool '%s', which does not exist", name.bytes, pool);

	struct draft_name *steered = draft_get(draft, owner, 1);

	if (steered->flags & DRAFT_IS_STEERED) {
		const struct draft_steer *other = draft->steers;

		while (other->name != steered)
			other = other->next;
		return err_set(err, "'%s' has a second record; the first is at line %u", name.bytes,
			other->line);
	}

	const struct draft_steer steer = {.pool = arena_text(draft->arena, pool),
		.ttl_s = record->ttl_s,
		.line = record->line,
		.file = record->file};

	(void)draft_add_steer(draft, steered, &steer);
	return true;
}

static bool add_record(struct reader *reader, struct draft_record *record, struct err *err)
{
	struct draft *draft = reader->draft;
	const struct name_key *owner = &top(reader)->owner;

	if (!draft_holds(draft, owner)) {
		struct draft_text name;

		/* read well, but not ours: what is missing is not here */
		report_error(draft->report, reader->place, "'%s' is outside of the zone '%s'",
			draft_print(draft, owner->wire, &name), draft->apex_text);
		return true;
	}
	record->rdata_size = (uint16_t)reader->wire.size;
	if (is_steer(owner)) {
		if (!add_steer(reader, record, err))
			report_error(draft->report, reader->place, "%s", err->text);
		return true;
	}
	if (!reader->name)
		reader->name = draft_get(draft, owner, 0);
	draft_add_record(draft, reader->name, record, reader->wire.bytes);
	return true;
}

static bool read_record(struct reader *reader, struct entry *entry, struct err *err)
{
	struct source *source = top(reader);
	struct draft_record record = {.line = entry->line->number, .file = source->file};

	if (!entry->line->begins_blank) {
		reader->name = NULL;
		source->has_owner = false;
		if (!read_name(source, next_field(entry), &source->owner, err))
			return false;
		source->has_owner = true;
	}
	if (!source->has_owner)
		return err_set(err, "a record without an owner, and none before it");
	if (!read_front(source, entry, &record, err))
		return false;

	char *text = entry->rest + strspn(entry->rest, " ");
	size_t size = strlen(text);

	while (size > 0 && text[size - 1] == ' ' && (size < 2 || text[size - 2] != '\\'))
		size--;
	text[size] = '\0';
	return rdata_read(reader->rdata, record.type, text, &reader->wire, err) &&
		add_record(reader, &record, err);
}

static void read_next(struct reader *reader)
{
	struct err err;
	struct line line;
	struct source *source = top(reader);
	enum lines_result result = lines_next(&source->lines, &line, &err);

	if (result == LINES_END) {
		if (source->lines.is_cut)
			report_warning(reader->draft->report,
				draft_place(reader->draft, source->file, source->lines.number),
				"the last line has no line end: is the file whole?");
		reader->name = NULL;
		pop(reader);
		return;
	}
	reader->place = draft_place(reader->draft, source->file, line.number);
	if (result == LINES_MISTAKE) {
		mistake(reader, &err);
		return;
	}

	struct entry entry = {.rest = line.text, .line = &line};

	if (line.text[0] == '$') {
		if (!read_directive(reader, &entry, &err))
			mistake(reader, &err);
		reader->name = NULL;
		return;
	}
	if (!read_record(reader, &entry, &err))
		mistake(reader, &err);
}

void reader_read(
	struct draft *draft, const struct reader_source *source, struct file_identities *identities)
{
	struct err err;
	struct reader reader = {
		.draft = draft,
		.rules = source->rules,
		.directory = realpath(source->directory, NULL),
		.identities = identities,
		.rdata = rdata_reader_new(),
	};

	if (!reader.directory) {
		(void)err_os(&err, "cannot resolve '%s'", source->directory);
		report_error(
			draft->report, (struct report_place){source->path, 0, 0}, "%s", err.text);
	} else if (!open_source(&reader, source->path, source->path, &err)) {
		report_error(
			draft->report, (struct report_place){source->path, 0, 0}, "%s", err.text);
		draft->unread_count++;
	} else {
		set_origin(&reader, &draft->apex_key);
	}
	while (reader.depth > 0 && draft->unread_count < MISTAKES_MAX)
		read_next(&reader);
	if (reader.depth > 0)
		report_error(draft->report, reader.place,
			"too many mistakes: nothing is read behind here");
	while (reader.depth > 0)
		pop(&reader);
	rdata_reader_free(reader.rdata);
	text_done(&reader.wire);
	free(reader.directory);
}
