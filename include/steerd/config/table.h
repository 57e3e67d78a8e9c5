/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/text.h"

/*
 * table - every key of steerd.yaml, in one list.
 *
 * The reader takes from it what a key is called, what it may hold and where it goes; error messages take their words
 * from it, and steerd.yaml(5) is printed from it.  A key that is not here does not exist.  [any thread]
 */
enum setting_type {
	SETTING_MAP,	   /* keys of its own, one level down */
	SETTING_NAMED,	   /* a map of names that operators choose; min and max count its entries */
	SETTING_NUMBER,	   /* a whole number from min to max */
	SETTING_DURATION,  /* 500ms, 5s, 2m, 1h; min and max in milliseconds */
	SETTING_WORD,	   /* one of `words`; its position is the value */
	SETTING_TEXT,	   /* any text; min and max count its bytes */
	SETTING_HOST,	   /* a DNS name */
	SETTING_URL_PATH,  /* the path of a URL, with its query */
	SETTING_FILE,	   /* a path, relative to the directory of steerd.yaml */
	SETTING_SOCKET,	   /* the same, of a Unix socket */
	SETTING_FILES,	   /* a path, or a list of them */
	SETTING_LISTEN,	   /* a list of ADDRESS:PORT */
	SETTING_ADDRESSES, /* an IP address, or a list of them */
	SETTING_PREFIXES,  /* ADDRESS/LENGTH, or a list of them */
	SETTING_POSITION,  /* [LATITUDE, LONGITUDE] in degrees */
	SETTING_STATUS,	   /* a list of HTTP status codes and ranges of them */
	SETTING_GRANULARITY, /* IPV4/IPV6, two prefix lengths */
	SETTING_SITE,	     /* the name of a site, ... */
	SETTING_MONITOR,
	SETTING_POOL,
};

struct setting {
	const char *path; /* "monitors.NAME.every": NAME stands for a name that operators choose */
	enum setting_type type;
	bool is_required;	   /* where the level that holds it is there */
	bool is_fixed;		   /* holds until the process ends: a reload does not change it */
	const char *initial;	   /* the default, as YAML; NULL: none ... */
	const char *initial_words; /* ... or what it is made from, in words */
	uint64_t min;
	uint64_t max;
	const char *const *words; /* ends with NULL */
	const char *meaning;	  /* a sentence or two */
	const char *example;	  /* a value, as YAML */

	/* For the reader alone: where the value goes in the struct of its level. */
	size_t offset;
	size_t size;	     /* of the field */
	size_t count_offset; /* of a list: where its length goes */
	size_t item_size;    /* SETTING_NAMED: of one entry, which begins with its name, */
	size_t place_offset; /* and has its place here */
};

extern const struct setting table_settings[];
extern const size_t table_setting_count;

/* "every" of "monitors.NAME.every". */
const char *table_key(const struct setting *setting);
/* Is the setting directly below `level` ("" is the top, "monitors.NAME" a level)? */
bool table_is_below(const struct setting *setting, const char *level);
/* NULL if there is no such key at that level. */
const struct setting *table_find(const char *level, const char *key);
/* "from 500ms to 1h", "at most 255 entries": what the limits say; adds nothing if there are none. */
void table_print_limits(const struct setting *setting, struct text *text);
/* "duration": what a value of the type is called in the manual. */
const char *table_type_text(enum setting_type type);

#endif
