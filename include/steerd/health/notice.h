/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_NOTICE_H
#define HEALTH_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * notice - who is told what of what goes wrong, and when: once for one thing, late enough, and not what is over by then.
 *
 *	troubles (health/trouble.h), as they are now ─▶ entries: how bad, since when ─▶ for each listener: what it was
 *	                                                                     told last ─▶ notices
 *
 * Each thing has a level: 0, it is well, and one or two above.  A listener is told a level when the thing has been as bad
 * as that, or as well as that, for its `after` without a break: so what is over by then is never told, nor is the end of
 * what was not told.  Pure: time is an argument, nothing is read and nothing is sent.  [main]
 */
enum notice_kind {
	NOTICE_MEMBER,	 /* an address of a member: 1 degraded, 2 down */
	NOTICE_POOL,	 /* 1 panic, 2 lost */
	NOTICE_NEVER_UP, /* an address of a member that passed no check since it was configured: 1 */
	NOTICE_CERTIFICATE, /* of what a monitor checks, that ends soon: 1 */
	NOTICE_OBSERVER,    /* the fault may be ours: 1 */
	NOTICE_PROBER,	    /* gone: 1 */
};
#define NOTICE_KINDS 6
#define NOTICE_LEVEL_MAX 2

/* What a listener wants to hear. */
#define NOTICE_HEARS_DOWN 1u
#define NOTICE_HEARS_DEGRADED 2u
#define NOTICE_HEARS_POOL 4u
#define NOTICE_HEARS_NEVER_UP 8u
#define NOTICE_HEARS_CERTIFICATE 16u
#define NOTICE_HEARS_OBSERVER 32u
#define NOTICE_HEARS_ALL 63u

struct notice_listener {
	const char *name; /* the same one over reloads */
	uint32_t after_ms;
	uint32_t repeat_ms; /* while it lasts; 0: never */
	uint32_t hears;
};

/* What is meant: what does not apply is NULL, and ADDRESS_NONE. */
struct notice_subject {
	enum notice_kind kind;
	const char *pool;
	const char *member;
	const char *monitor;
	struct address address;
};

/* It cannot be told now: what was said of it stands. */
#define NOTICE_UNKNOWN UINT8_MAX

struct notice_trouble {
	struct notice_subject subject;
	uint8_t level;	   /* above 0, or NOTICE_UNKNOWN */
	bool was_never_up; /* NOTICE_MEMBER: who hears of NEVER_UP is told by that alone */
	uint32_t delay_ms; /* no listener is told earlier */
	uint64_t since_unix_s;
	const char *reason;
};

struct notice {
	uint64_t id; /* never given twice */
	uint32_t listener;
	const char *event; /* "member-down" */
	struct notice_subject subject;
	uint8_t level;
	bool is_repeat;
	uint64_t since_unix_s; /* of the trouble, or, at level 0, of its end */
	const char *reason;    /* of the trouble; at level 0, what it was */
};

struct notices;

/* `first_id`: ids rise from it; of another process they must differ. */
struct notices *notices_new(uint64_t first_id);
void notices_free(struct notices *notices); /* NULL is allowed */

/* From now on; what was told to one of the same name stands.  At most NOTICE_LISTENERS_MAX. */
#define NOTICE_LISTENERS_MAX 255
void notices_set_listeners(
	struct notices *notices, const struct notice_listener *listeners, size_t count);

/*
 * Looks again: `troubles` are all that there are, in any order, each once.  What is to be told now; valid until the next
 * call of anything here.
 */
struct notice_clock {
	uint64_t now_ms; /* monotonic */
	uint64_t now_unix_s;
};
const struct notice *notices_step(struct notices *notices, const struct notice_trouble *troubles,
	size_t count, const struct notice_clock *clock, size_t *ret_count);

/* It arrived, or was given up: from now on it counts as told over restarts, too. */
void notices_settle(struct notices *notices, uint64_t id);
/* True once after each change of what notices_write() would write. */
bool notices_is_changed(struct notices *notices);

/* What was told, as bytes for the state directory, and back, which is refused whole if anything in it cannot be.  Reading
 * comes before the first listeners are set. */
void notices_write(
	const struct notices *notices, const struct notice_clock *clock, struct text *ret_bytes);
bool notices_read(struct notices *notices, const void *bytes, size_t size,
	const struct notice_clock *clock, struct err *err);

#endif
