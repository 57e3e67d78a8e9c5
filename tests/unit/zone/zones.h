/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ZONES_H
#define TEST_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/zone/zone.h"

/*
 * zones - a directory of zone files for one test, and what is asked of them.
 *
 * The working directory becomes a new one, with `zones` in it: reports say "zones/NAME.zone:LINE: ...".
 */
struct zones {
	char directory[64];
	struct report report;	  /* of the last zones_read() */
	const char *const *pools; /* that exist: ends with NULL; at first "web" and "site" */
	bool is_forced;
	struct zone_set *set; /* NULL: nothing read yet */
};

void zones_init(struct zones *zones);
/* Frees everything and removes the directory. */
void zones_done(struct zones *zones);

/* Directories on the way are made. */
void zones_write(const char *path, const char *text);

/* Reads `zones`.  False if no set came of it: then the one before stays. */
bool zones_read(struct zones *zones);
/* What the report of the last zones_read() says. */
const char *zones_said(const struct zones *zones);

/* The first three lines of a zone whose mistakes are others. */
#define ZONES_HEAD                                                                                 \
	"$TTL 3600\n"                                                                              \
	"@ SOA ns.elsewhere. host 7 7200 900 1209600 60\n"                                         \
	"@ NS ns.elsewhere.\n"

/* Looks a name up; fails the test if the name is none. */
struct zone_match zones_find(const struct zones *zones, const char *name, uint16_t type);
/* The same in words: "OUTCOME OWNER [ZONE]", and " *" for a wildcard and " steered by POOL". */
void zones_ask(const struct zones *zones, const char *name, uint16_t type, struct text *ret_text);

/* How a block is put into a message. */
enum zones_place {
	ZONES_HOME,  /* the question asks for the base name */
	ZONES_BELOW, /* the question asks for "ask.X" below the base name */
	ZONES_CHAIN, /* so does a name somewhere in the answer, and the block stands as late as it may */
};

/*
 * The records of a block, read by a slow decoder that trusts nothing, one a line: "OWNER TTL TYPE DATA", names whole,
 * other data in hexadecimal.
 */
void zones_decode(const struct zone_block *block, const uint8_t *base, enum zones_place how,
	struct text *ret_text);

#endif
