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
	SETTING_MAP,	  /* keys of its own, one level down */
	SETTING_NAMED,	  /* a map of names that operators choose; min and max count its entries */
	SETTING_NUMBER,	  /* a whole number from min to max */
	SETTING_DURATION, /* 500ms, 5s, 2m, 1h; min and max in milliseconds */
	SETTING_SIZE,	  /* 4700000000, 64KiB, 4MiB, 1GiB; min and max in bytes */
	SETTING_RATE,	  /* 800kbit/s, 50Mbit/s, 1Gbit/s; min and max in bits a second */
	SETTING_PERCENT,  /* 50%; min and max in percent */
	SETTING_WORD, /* one of `words`; its position is the value, or what stands there in `numbers` */
	SETTING_WORDS, /* one of `words` or a list of them; the value has a bit for each position */
	SETTING_TEXT,  /* any text; min and max count its bytes */
	SETTING_LINE,  /* the same, without control characters */
	SETTING_REGEX, /* a regular expression */
	SETTING_DIGEST,	 /* 64 hexadecimal digits */
	SETTING_METHOD,	 /* the name of an HTTP method */
	SETTING_HEADERS, /* a map of header fields */
	SETTING_PATTERNS, /* a map of header fields; their values are regular expressions, or nothing */
	SETTING_SLICES, /* head, tail, random, or an offset as in SETTING_SIZE; or a list of them */
	SETTING_COMMAND,     /* a program's absolute path, or a list of it and its arguments */
	SETTING_HOST,	     /* a DNS name */
	SETTING_URL_PATH,    /* the path of a URL, with its query */
	SETTING_URL,	     /* the whole, of http or https */
	SETTING_FILE,	     /* a path, relative to the directory of steerd.yaml */
	SETTING_SOCKET,	     /* the same, of a Unix socket */
	SETTING_CONTENT,     /* the same, of a file that is read with the settings */
	SETTING_FILES,	     /* a path, or a list of them */
	SETTING_LISTEN,	     /* a list of ADDRESS:PORT */
	SETTING_ADDRESSES,   /* an IP address, or a list of them */
	SETTING_PREFIXES,    /* ADDRESS/LENGTH, or a list of them */
	SETTING_POSITION,    /* [LATITUDE, LONGITUDE] in degrees */
	SETTING_STATUS,	     /* a list of HTTP status codes and ranges of them */
	SETTING_GRANULARITY, /* IPV4/IPV6, two prefix lengths */
	SETTING_SITE,	     /* the name of a site */
	SETTING_MONITORS,    /* the name of a monitor, or a list of them */
	SETTING_CONDITION,   /* the name of a monitor, or several combined */
	SETTING_POOL,	     /* the name of a pool */
};

struct setting {
	const char *path; /* "monitors.NAME.every": NAME stands for a name that operators choose */
	enum setting_type type;
	bool is_required; /* where the level that holds it is there */
	bool is_optional; /* of a level: where it is not written, nothing that it holds has its default */
	bool is_fixed;		   /* holds until the process ends: a reload does not change it */
	const char *initial;	   /* the default, as YAML; NULL: none ... */
	const char *initial_words; /* ... or what it is made from, in words */
	uint64_t min;
	uint64_t max;
	const char *const *words; /* ends with NULL */
	const uint16_t *numbers;  /* beside words; NULL: their positions */
	const char *like;	  /* of a level: another one, whose keys it has as well */
	unsigned kinds;		  /* of monitors: TABLE_KIND() of those that it is for; 0: all */
	const char *meaning;	  /* a sentence or two */
	const char *example;	  /* a value, as YAML */

	/* For the reader alone: where the value goes in the struct of its level. */
	size_t offset;
	size_t size;	     /* of the field */
	size_t count_offset; /* of a list: where its length goes */
	size_t item_size;    /* SETTING_NAMED: of one entry, which begins with its name, */
	size_t place_offset; /* and has its place here */
	uint32_t choice;     /* SETTING_MAP with a field: what goes there because it is written */
};

/* In the order of the manual; a level stands before what it holds. */
size_t table_count(void);
const struct setting *table_get(size_t index);

/* Of a bit in `kinds`, and the key that makes a monitor one of the kind. */
#define TABLE_KIND(kind) (1u << (kind))
#define TABLE_KINDS 6
extern const char *const table_kinds[TABLE_KINDS];
/* "https and http" */
void table_print_kinds(unsigned kinds, struct text *text);

/* "every" of "monitors.NAME.every". */
const char *table_key(const struct setting *setting);
/* Is the setting directly below `level` ("" is the top, "monitors.NAME" a level)? */
bool table_is_below(const struct setting *setting, const char *level);
/* All that a level holds, those of the one that it is like included; NULL: the top.  As many as are returned go
 * to `ret_settings`, which has room for table_count(). */
size_t table_list(const struct setting *level, const struct setting **ret_settings);
/* "from 500ms to 1h", "at most 255 entries": what the limits say; adds nothing if there are none. */
void table_print_limits(const struct setting *setting, struct text *text);
/* "duration": what a value of the type is called in the manual. */
const char *table_type_text(enum setting_type type);

#endif
