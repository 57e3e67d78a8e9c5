/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "steerd/base/memory.h"

#define NO_FILE UINT32_MAX
#define DIGEST_SIZE 32

/* Where the parts of what is read come from, and go to. */
struct source {
	struct bytes_reader *reader;
	struct arena *arena;
	const struct field_files *files;
};

static const void *pointer_at(const void *object, const struct field *field)
{
	const void *pointer;

	memcpy(&pointer, (const char *)object + field->offset, sizeof(pointer));
	return pointer;
}

static void put_pointer(void *object, const struct field *field, const void *pointer)
{
	memcpy((char *)object + field->offset, &pointer, sizeof(pointer));
}

static size_t count_at(const void *object, const struct field *field)
{
	size_t count;

	memcpy(&count, (const char *)object + field->count_offset, sizeof(count));
	return count;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

void fields_add_files(
	const struct field *fields, size_t count, const void *object, struct field_files *ret_files)
{
	for (size_t i = 0; i < count; i++) {
		const struct settings_file *file =
			fields[i].type == FIELD_FILE ? pointer_at(object, &fields[i]) : NULL;

		if (!file)
			continue;
		ret_files->items =
			MEMORY_GROW(ret_files->items, ret_files->count, &ret_files->capacity);
		ret_files->items[ret_files->count++] = file;
	}
}

static int compare_files(const void *left, const void *right)
{
	const struct settings_file *a = *(const struct settings_file *const *)left;
	const struct settings_file *b = *(const struct settings_file *const *)right;

	return strcmp(a->path, b->path);
}

void fields_sort_files(struct field_files *files)
{
	size_t kept = 0;

	if (files->count > 0)
		qsort(files->items, files->count, sizeof(files->items[0]), compare_files);
	for (size_t i = 0; i < files->count; i++)
		if (kept == 0 || compare_files(&files->items[kept - 1], &files->items[i]) != 0)
			files->items[kept++] = files->items[i];
	files->count = kept;
}

void fields_write_files(const struct field_files *files, struct text *ret_bytes)
{
	bytes_write_u32(ret_bytes, (uint32_t)files->count);
	for (size_t i = 0; i < files->count; i++) {
		const struct settings_file *file = files->items[i];

		bytes_write_text(ret_bytes, file->path);
		bytes_write_u8(ret_bytes, file->bytes != NULL);
		bytes_write_u32(ret_bytes, (uint32_t)file->size);
		if (file->bytes)
			text_add_bytes(ret_bytes, file->bytes, file->size);
		else
			bytes_write_text(ret_bytes, file->why);
	}
}

#define FILE_SIZE_MIN (2 + 1 + 4)

static bool read_file(struct bytes_reader *reader, struct arena *arena, struct settings_file *file)
{
	file->path = frame_read_line(reader, arena);

	bool is_there = bytes_read_bool(reader);
	size_t size = bytes_read_u32(reader);
	const uint8_t *bytes = bytes_read_raw(reader, size);

	if (reader->failed || !file->path || (!is_there && size > 0))
		return false;
	if (!is_there) {
		file->why = frame_read_line(reader, arena);
		return !reader->failed;
	}

	char *copy = arena_alloc(arena, size + 1);

	memcpy(copy, bytes, size);
	file->bytes = copy;
	file->size = size;
	return true;
}

bool fields_read_files(
	struct bytes_reader *reader, struct arena *arena, struct field_files *ret_files)
{
	size_t count = bytes_read_u32(reader);

	if (reader->failed || count > reader->left / FILE_SIZE_MIN)
		return false;

	struct settings_file *files = ARENA_ARRAY(arena, struct settings_file, count);

	ret_files->items = memory_new(count * sizeof(ret_files->items[0]));
	ret_files->count = count;
	for (size_t i = 0; i < count; i++) {
		ret_files->items[i] = &files[i];
		if (!read_file(reader, arena, &files[i]) ||
			(i > 0 &&
				compare_files(&ret_files->items[i - 1], &ret_files->items[i]) >= 0))
			return false;
	}
	return true;
}

/* ---- lists: how one item is written and read, and the least that it takes --------------------------------------- */

static void write_status(const void *item, struct text *bytes)
{
	const struct settings_status_range *range = item;

	bytes_write_u16(bytes, range->first);
	bytes_write_u16(bytes, range->last);
}

static bool read_status(struct source *source, void *item)
{
	struct settings_status_range *range = item;

	range->first = bytes_read_u16(source->reader);
	range->last = bytes_read_u16(source->reader);
	return range->first >= 100 && range->first <= range->last && range->last <= 999;
}

static void write_header(const void *item, struct text *bytes)
{
	const struct settings_header *header = item;

	bytes_write_text(bytes, header->name);
	bytes_write_text(bytes, header->value);
}

static bool read_header(struct source *source, void *item)
{
	struct settings_header *header = item;

	header->name = frame_read_line(source->reader, source->arena);
	header->value = frame_read_line(source->reader, source->arena);
	return header->name && header->name[0] != '\0' && !strpbrk(header->name, " :");
}

static void write_position(const void *item, struct text *bytes)
{
	const struct settings_position *position = item;

	bytes_write_u8(bytes, (uint8_t)position->kind);
	bytes_write_u64(bytes, position->offset);
}

static bool read_position(struct source *source, void *item)
{
	struct settings_position *position = item;
	uint8_t kind = bytes_read_u8(source->reader);

	position->kind = (enum settings_position_kind)kind;
	position->offset = bytes_read_u64(source->reader);
	return kind <= POSITION_FIXED;
}

static void write_address(const void *item, struct text *bytes)
{
	bytes_write_address(bytes, item);
}

static bool read_address(struct source *source, void *item)
{
	struct address *address = item;

	*address = bytes_read_address(source->reader);
	return address->family != ADDRESS_NONE;
}

static void write_word(const void *item, struct text *bytes)
{
	const char *const *word = item;

	bytes_write_text(bytes, *word);
}

static bool read_word(struct source *source, void *item)
{
	const char **word = item;

	*word = frame_read_text(source->reader, source->arena);
	return *word != NULL;
}

static const struct {
	size_t item_size;
	size_t bytes_min; /* what a count may claim before memory is asked for */
	void (*write)(const void *item, struct text *bytes);
	bool (*read)(struct source *source, void *item);
} lists[] = {
	[FIELD_STATUS] = {sizeof(struct settings_status_range), 4, write_status, read_status},
	[FIELD_HEADERS] = {sizeof(struct settings_header), 4, write_header, read_header},
	[FIELD_POSITIONS] = {sizeof(struct settings_position), 9, write_position, read_position},
	[FIELD_ADDRESSES] = {sizeof(struct address), 1, write_address, read_address},
	[FIELD_WORDS] = {sizeof(const char *), 2, write_word, read_word},
};

static void write_list(const struct field *field, const void *object, struct text *bytes)
{
	const char *items = pointer_at(object, field);
	size_t count = count_at(object, field);

	bytes_write_u32(bytes, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		lists[field->type].write(items + i * lists[field->type].item_size, bytes);
}

static bool read_list(const struct field *field, struct source *source, void *object)
{
	size_t count = bytes_read_u32(source->reader);
	size_t size = lists[field->type].item_size;

	if (source->reader->failed || count > field->max ||
		count > source->reader->left / lists[field->type].bytes_min)
		return false;
	if (count == 0)
		return true;

	/* one more, which is zero: words end so */
	char *items = arena_alloc_array(source->arena, count + 1, size);

	for (size_t i = 0; i < count; i++)
		if (!lists[field->type].read(source, items + i * size))
			return false;
	put_pointer(object, field, items);
	memcpy((char *)object + field->count_offset, &count, sizeof(count));
	return true;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static void write_number(const struct field *field, const void *object, struct text *bytes)
{
	const char *at = (const char *)object + field->offset;
	uint16_t half;
	uint32_t whole;
	uint64_t large;

	if (field->size == sizeof(half)) {
		memcpy(&half, at, sizeof(half));
		bytes_write_u16(bytes, half);
	} else if (field->size == sizeof(whole)) {
		memcpy(&whole, at, sizeof(whole));
		bytes_write_u32(bytes, whole);
	} else {
		memcpy(&large, at, sizeof(large));
		bytes_write_u64(bytes, large);
	}
}

static bool read_number(const struct field *field, struct source *source, void *object)
{
	char *at = (char *)object + field->offset;
	uint64_t large;

	if (field->size == sizeof(uint16_t)) {
		uint16_t half = bytes_read_u16(source->reader);

		memcpy(at, &half, sizeof(half));
		large = half;
	} else if (field->size == sizeof(uint32_t)) {
		uint32_t whole = bytes_read_u32(source->reader);

		memcpy(at, &whole, sizeof(whole));
		large = whole;
	} else {
		large = bytes_read_u64(source->reader);
		memcpy(at, &large, sizeof(large));
	}
	return large >= field->min && large <= field->max;
}

static void write_file(
	const struct settings_file *file, const struct field_files *files, struct text *bytes)
{
	const struct settings_file **found = !file
		? NULL
		: bsearch(&file, files->items, files->count, sizeof(files->items[0]),
			  compare_files);

	bytes_write_u32(bytes, found ? (uint32_t)(found - files->items) : NO_FILE);
}

static bool read_file_field(const struct field *field, struct source *source, void *object)
{
	uint32_t index = bytes_read_u32(source->reader);

	if (index == NO_FILE)
		return true;
	if (index >= source->files->count)
		return false;
	put_pointer(object, field, source->files->items[index]);
	return true;
}

static void write_digest(const uint8_t *digest, struct text *bytes)
{
	bytes_write_u8(bytes, digest != NULL);
	if (digest)
		text_add_bytes(bytes, digest, DIGEST_SIZE);
}

static bool read_digest(const struct field *field, struct source *source, void *object)
{
	if (!bytes_read_bool(source->reader))
		return true;

	const uint8_t *digest = bytes_read_raw(source->reader, DIGEST_SIZE);

	if (!digest)
		return false;
	put_pointer(object, field, arena_copy(source->arena, digest, DIGEST_SIZE));
	return true;
}

static void write_field(const struct field *field, const void *object,
	const struct field_files *files, struct text *bytes)
{
	bool truth;

	switch (field->type) {
	case FIELD_BOOL:
		memcpy(&truth, (const char *)object + field->offset, sizeof(truth));
		bytes_write_u8(bytes, truth);
		break;
	case FIELD_NUMBER:
		write_number(field, object, bytes);
		break;
	case FIELD_TEXT:
	case FIELD_LINE:
		bytes_write_text(bytes, pointer_at(object, field));
		break;
	case FIELD_DIGEST:
		write_digest(pointer_at(object, field), bytes);
		break;
	case FIELD_FILE:
		write_file(pointer_at(object, field), files, bytes);
		break;
	case FIELD_STATUS:
	case FIELD_HEADERS:
	case FIELD_POSITIONS:
	case FIELD_ADDRESSES:
	case FIELD_WORDS:
		write_list(field, object, bytes);
		break;
	}
}

static bool read_field(const struct field *field, struct source *source, void *object)
{
	bool truth;

	switch (field->type) {
	case FIELD_BOOL:
		truth = bytes_read_bool(source->reader);
		memcpy((char *)object + field->offset, &truth, sizeof(truth));
		return true;
	case FIELD_NUMBER:
		return read_number(field, source, object);
	case FIELD_TEXT:
		put_pointer(object, field, frame_read_text(source->reader, source->arena));
		return true;
	case FIELD_LINE:
		put_pointer(object, field, frame_read_line(source->reader, source->arena));
		return true;
	case FIELD_DIGEST:
		return read_digest(field, source, object);
	case FIELD_FILE:
		return read_file_field(field, source, object);
	case FIELD_STATUS:
	case FIELD_HEADERS:
	case FIELD_POSITIONS:
	case FIELD_ADDRESSES:
	case FIELD_WORDS:
		return read_list(field, source, object);
	}
	return false;
}

void fields_write(const struct field *fields, size_t count, const void *object,
	const struct field_files *files, struct text *ret_bytes)
{
	for (size_t i = 0; i < count; i++)
		write_field(&fields[i], object, files, ret_bytes);
}

bool fields_read(const struct field *fields, size_t count, struct bytes_reader *reader,
	struct arena *arena, const struct field_files *files, void *ret_object)
{
	struct source source = {.reader = reader, .arena = arena, .files = files};

	for (size_t i = 0; i < count; i++)
		if (!read_field(&fields[i], &source, ret_object))
			return false;
	return !reader->failed;
}
