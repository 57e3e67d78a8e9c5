/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_FIELDS_H
#define LINK_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/base/bytes.h"
#include "steerd/base/text.h"
#include "steerd/config/monitor.h"

/*
 * fields - a struct as bytes and back, by one table of its fields: so that both ends cannot differ.
 *
 * The reader takes nothing that is outside a field's limits, and no count for which there are not bytes enough.
 */
enum field_type {
	FIELD_BOOL,
	FIELD_NUMBER,	 /* of 2, 4 or 8 octets, as the field has; an enum is one of 4 */
	FIELD_TEXT,	 /* or NULL */
	FIELD_LINE,	 /* the same without control characters: for a request, or a terminal */
	FIELD_DIGEST,	 /* 32 octets, or NULL */
	FIELD_FILE,	 /* or NULL */
	FIELD_STATUS,	 /* a list of struct settings_status_range */
	FIELD_HEADERS,	 /* of struct settings_header */
	FIELD_POSITIONS, /* of struct settings_position */
	FIELD_ADDRESSES, /* of struct address */
	FIELD_WORDS,	 /* of texts, a NULL behind them; NULL when there are none */
};

struct field {
	enum field_type type;
	size_t offset;
	size_t size;	     /* of a number */
	size_t count_offset; /* of a list: where its length is */
	uint64_t min;	     /* of a number */
	uint64_t max;	     /* of a number, of a list's length */
};

/* Files go once each, in front, and are told by their position. */
struct field_files {
	const struct settings_file **items; /* heap: fields_add_files(), fields_sort_files() */
	size_t count;
	size_t capacity;
};

/* Adds the files that `object` points to. */
void fields_add_files(const struct field *fields, size_t count, const void *object,
	struct field_files *ret_files);
/* Once all are there: leaves each once. */
void fields_sort_files(struct field_files *files);
/* As they were sorted; on failure `ret_files->items` is the caller's to free as well. */
void fields_write_files(const struct field_files *files, struct text *ret_bytes);
bool fields_read_files(
	struct bytes_reader *reader, struct arena *arena, struct field_files *ret_files);

/* `files` holds those that `object` points to, sorted. */
void fields_write(const struct field *fields, size_t count, const void *object,
	const struct field_files *files, struct text *ret_bytes);
/* Into `ret_object`, which is zero; false if it cannot be. */
bool fields_read(const struct field *fields, size_t count, struct bytes_reader *reader,
	struct arena *arena, const struct field_files *files, void *ret_object);

#endif
