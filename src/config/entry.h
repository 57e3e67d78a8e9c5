/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_ENTRY_H
#define CONFIG_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "complaints.h"
#include "steerd/base/arena.h"
#include "steerd/base/suggest.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"
#include "steerd/config/table.h"
#include "tree.h"

/*
 * entry - one key of the file: what the table says of it, its value, and the struct that the value goes to.
 */
struct row {
	const struct setting *setting; /* NULL: the top */
	const struct node *initial;    /* its default, as a tree; NULL: none */
	const struct row **below;      /* of a level: what it holds */
	size_t below_count;
};

struct reader {
	struct settings *settings;
	struct complaints *complaints;
	const struct node *root;
	struct arena *scratch; /* of rows */
	const struct row *top;
	struct settings_file **files; /* heap: those that are named */
	size_t file_count;
	size_t file_capacity;
};

/* A map in the file, the settings that it may hold, and the struct that they go to. */
struct level {
	const struct row *row; /* of "pools.NAME" */
	const char *where;     /* "pools.downloads" */
	char *object;
};

struct entry {
	const struct level *level;
	const struct row *row;
	const struct setting *setting; /* of the row */
	const struct node *node;
};

/* The field gets a number, a pointer, a list. */
void entry_store(const struct entry *entry, uint64_t number);
void entry_store_pointer(const struct entry *entry, const void *pointer);
void entry_store_list(const struct entry *entry, const void *items, size_t count);

/* Complains that the value, or `node` of it, is not what the type wants. */
void entry_refuse(struct reader *reader, const struct entry *entry, const struct node *node);
/* Complains that the value, or how much there is of it, is not within the limits. */
void entry_refuse_number(struct reader *reader, const struct entry *entry, const char *number);
void entry_refuse_count(struct reader *reader, const struct entry *entry, size_t count);
/* The text of a scalar; NULL, and a complaint, for what has none. */
const char *entry_text(struct reader *reader, const struct entry *entry, const struct node *node);

/* A list, or a single item that stands for a list of one: its items. */
const struct node *entry_first(const struct node *node);
const struct node *entry_next(const struct node *node, const struct node *item);
/* How many; 0, and a complaint, if that is not what the setting allows. */
size_t entry_count(struct reader *reader, const struct entry *entry);

/* "; did you mean 'this'?", if there is something near. */
void entry_add_suggestion(struct text *text, const struct suggestion *suggestion);

/* Reads a value of any type but SETTING_MAP and SETTING_NAMED into its field (types.c). */
void entry_read(struct reader *reader, const struct entry *entry);

/* Of lists (lists.c), of header fields (fields.c) and of references (references.c). */
void entry_read_words(struct reader *reader, const struct entry *entry);
void entry_read_files(struct reader *reader, const struct entry *entry);
void entry_read_listen(struct reader *reader, const struct entry *entry);
void entry_read_addresses(struct reader *reader, const struct entry *entry);
void entry_read_prefixes(struct reader *reader, const struct entry *entry);
void entry_read_status(struct reader *reader, const struct entry *entry);
void entry_read_slices(struct reader *reader, const struct entry *entry);
void entry_read_command(struct reader *reader, const struct entry *entry);
void entry_read_fields(struct reader *reader, const struct entry *entry);
void entry_read_regex(struct reader *reader, const struct entry *entry);
void entry_read_reference(struct reader *reader, const struct entry *entry);
void entry_read_monitors(struct reader *reader, const struct entry *entry);
void entry_read_condition(struct reader *reader, const struct entry *entry);

/* The path beside steerd.yaml; NULL, and a complaint, if the node has none. */
const char *entry_path(struct reader *reader, const struct entry *entry, const struct node *node);

#endif
