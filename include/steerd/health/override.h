/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_OVERRIDE_H
#define HEALTH_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * override - what an operator said about a member or a site, above what checks say.
 *
 * Kept in one list, newest last; where several apply to a member the one that names it most
 * narrowly wins: POOL/MEMBER, then MEMBER, then the site; among equals the newest.  Main thread
 * only; the plan takes what it needs when built.
 */
enum override_kind {
	OVERRIDE_NONE,
	OVERRIDE_DRAIN, /* no new clients: as down, but meant */
	OVERRIDE_DOWN,
	OVERRIDE_UP,
};

struct override {
	enum override_kind kind;
	const char *subject; /* "POOL/MEMBER", "MEMBER" or "site:NAME" */
	const char *reason;  /* "" if none was given */
	const char *by;	     /* user name or uid of who said it */
	uint64_t since_unix_s;
	uint64_t until_unix_s; /* 0: until released */
};

struct override_list {
	struct override *items; /* heap, texts too */
	size_t count;
	size_t capacity;
};

void override_list_done(struct override_list *list);
/*
 * Replaces what stood for the subject; copies the texts.  OVERRIDE_NONE removes it.  True if
 * anything changed.
 */
bool override_list_set(struct override_list *list, const struct override *override);
/* Drops what has ended at `now`; true if any did. */
bool override_list_expire(struct override_list *list, uint64_t now_unix_s);
/* The one that rules a member, NULL if none.  `site` may be NULL. */
const struct override *override_list_find(
	const struct override_list *list, const char *pool, const char *member, const char *site);

#endif
