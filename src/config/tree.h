/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "complaints.h"
#include "steerd/base/arena.h"

/*
 * tree - a YAML document as scalars, lists and maps, each with its place.
 *
 * Of YAML, what a configuration needs: no anchors, aliases or tags, one document, keys that are scalars and stand once.
 * Bounded in size, depth and count, so that no input costs more than its bytes suggest.  All memory is in the arena.
 */
enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool is_quoted;	   /* of a scalar: '', "", | or > */
	bool is_duplicate; /* of a key: an earlier one has the same text */
	size_t index;	   /* position in the list or map that holds this one */
	size_t count;	   /* of a list's items, of a map's keys */
	struct report_place place;
	const char *text;   /* of a scalar */
	struct node *first; /* of a list's items, of a map's keys; in the order of the file */
	struct node *last;  /* ditto */
	struct node *next;  /* in the list or map that holds this one */
	struct node *value; /* of a key */
	const struct node **by_text; /* of a map: its keys, sorted by text, then by place */
};

/* NULL, and a complaint, if there is no tree to go on with. */
const struct node *tree_read(
	const char *bytes, size_t size, struct arena *arena, struct complaints *complaints);

/* The key of a map, or NULL.  Of several with the same text, the first. */
const struct node *tree_find_key(const struct node *map, const char *text);
/* The value of that key, or NULL. */
const struct node *tree_find(const struct node *map, const char *text);

/* A scalar that says nothing: "key:" alone, or one of YAML's words for it. */
bool tree_is_null(const struct node *node);
/* "a map", "a list", "text": for sentences. */
const char *tree_kind_text(const struct node *node);

#endif
