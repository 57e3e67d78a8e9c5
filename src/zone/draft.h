/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_DRAFT_H
#define ZONE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/base/report.h"
#include "steerd/dns/name.h"

/*
 * draft - a zone while it is being read: names and records that may still be wrong.
 *
 * reader.c fills it, check.c finds its mistakes, freeze.c turns it into a `struct zone` that cannot change.
 * Every name's ancestors up to the apex are names too (empty non-terminals: RFC 8020 2), and stand before it in the list.
 */
struct zone_node;

struct draft_record {
	struct draft_record *next; /* of the same name: in order of type, then as read */
	uint32_t ttl_s;
	uint32_t line;
	uint16_t file; /* index of draft->files */
	uint16_t type;
	uint16_t rdata_size;
	uint8_t rdata[]; /* names whole */
};

enum draft_flag {
	DRAFT_IS_STEERED = 1,	  /* an `_steer` record is for it */
	DRAFT_IS_SERVER = 2,	  /* the target of an NS record */
	DRAFT_HAS_DNAME = 4,	  /* and no delegation hides it */
	DRAFT_IS_BELOW_DNAME = 8, /* never served (RFC 6672 2.4) */
};

struct draft_name {
	struct draft_name *next;   /* as read; parents first */
	struct draft_name *parent; /* NULL at the apex */
	struct draft_name *cut;	   /* the delegation that it is at or below; below a DNAME NULL */
	struct draft_record *records;
	struct draft_record *last_record; /* while records are added */
	struct zone_node *node;		  /* what freeze.c made of it; NULL below a DNAME */
	uint32_t hash;
	uint8_t flags; /* enum draft_flag */
	uint8_t size;
	uint8_t wire[]; /* lower case */
};

struct draft_steer {
	struct draft_steer *next;
	struct draft_name *name; /* that is steered */
	const char *pool;
	uint32_t ttl_s;
	uint32_t line;
	uint16_t file;
};

struct draft {
	struct arena *arena;
	struct report *report;
	struct name_key apex_key;
	char apex_text[NAME_TEXT_SIZE];
	struct draft_name *apex; /* first of the list */
	struct draft_name *last;
	struct draft_name **slots; /* open addressing; a power of two */
	size_t slot_count;
	size_t name_count;
	const char **files; /* paths: [0] the zone's, then those that it includes */
	size_t file_count;
	size_t file_capacity;
	struct draft_steer *steers;
	struct draft_steer **last_steer;
	size_t steer_count;
	size_t unread_count; /* entries that could not be read: what seems to be missing may be there */
};

void draft_init(struct draft *draft, const struct name_key *apex, struct report *report);
void draft_done(struct draft *draft);

/* The index of the new file. */
uint16_t draft_add_file(struct draft *draft, const char *path);

/* Whether the name is at or below the apex. */
bool draft_holds(const struct draft *draft, const struct name_key *key);
/* The name that begins at label `label` of the key, made with its ancestors if it is new. */
struct draft_name *draft_get(struct draft *draft, const struct name_key *key, unsigned label);
/* NULL if there is none. */
struct draft_name *draft_find(
	const struct draft *draft, const struct name_key *key, unsigned label);

/* `record` as a pattern: its `next` and `rdata` are not looked at. */
void draft_add_record(struct draft *draft, struct draft_name *name,
	const struct draft_record *record, const void *rdata);
struct draft_steer *draft_add_steer(
	struct draft *draft, struct draft_name *name, const struct draft_steer *steer);

/* The first record of the type, NULL if there is none. */
struct draft_record *draft_first(const struct draft_name *name, uint16_t type);
/* The next record of the same type, NULL at the end. */
struct draft_record *draft_next(const struct draft_record *record);

/* What this room needs of the numbers behind the two names of an SOA (RFC 1035 3.3.13). */
struct draft_soa {
	uint32_t serial;
	uint32_t minimum_s;
};
struct draft_soa draft_read_soa(const struct draft_record *soa);

/* How messages call a name: 'www', relative to the zone, or '@'; one outside with its final dot. */
struct draft_text {
	char bytes[NAME_TEXT_SIZE];
};
const char *draft_print(
	const struct draft *draft, const uint8_t *wire, struct draft_text *ret_text);

struct report_place draft_place(const struct draft *draft, unsigned file, unsigned line);
/* "line 27", or "zones/parts/hosts:27" when it is in another file than `file`. */
struct draft_where {
	char bytes[512];
};
const char *draft_where(const struct draft *draft, const struct draft_record *record, unsigned file,
	struct draft_where *ret_where);

#endif
