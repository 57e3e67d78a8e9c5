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
struct reader {
	struct settings *settings;
	struct complaints *complaints;
	const struct node *root;
	struct arena *scratch;	      /* of defaults */
	const struct node **initials; /* beside table_settings: defaults, as trees; NULL: none */
};

/* A map in the file, the settings that it may hold, and the struct that they go to. */
struct level {
	const char *pattern; /* "pools.NAME" */
	const char *where;   /* "pools.downloads" */
	char *object;
};

struct entry {
	const struct level *level;
	const struct setting *setting;
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

/* "; did you mean 'this'?", if there is something near. */
void entry_add_suggestion(struct text *text, const struct suggestion *suggestion);

/* Reads a value of any type but SETTING_MAP and SETTING_NAMED into its field (types.c). */
void entry_read(struct reader *reader, const struct entry *entry);

#endif
