/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"
#include "steerd/health/finding.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * link - what steerd and steerd-prober say to each other over their socket pair, and how the one starts the other.
 *
 * Frames: four octets of length, one of kind, the body; at most LINK_FRAME_MAX octets.  steerd
 * sends LINK_ORDERS at the start and after every reload; the prober sends LINK_VERDICTS upon orders
 * and every second, and LINK_STATES at a change: so failing targets cost what sound ones do.
 */
enum link_kind {
	LINK_ORDERS = 1,    /* to the prober */
	LINK_VERDICTS = 2,  /* from it: the whole table, every second; rows of constant size */
	LINK_STATES = 3,    /* from it: the states alone, two bits a row, at every change */
	LINK_PUSHED = 4,    /* to it: what someone says of a target of a `push` monitor */
	LINK_INQUIRY = 5,   /* to it: check this now, and tell everything */
	LINK_FINDINGS = 6,  /* from it: what came of an inquiry */
	LINK_NOTICE = 7,    /* to it: deliver this notification */
	LINK_DELIVERED = 8, /* from it: that is done, or given up */
};

/* The prober's end. */
#define PROBER_FD 3

/* Set in the environment of each prober but the first. */
#define PROBER_AGAIN "STEERD_PROBER_AGAIN"

/* What steerd-prober ends with; 2: it was not started by steerd. */
#define PROBER_EXIT_DONE 0    /* steerd closed the socket */
#define PROBER_EXIT_REFUSED 1 /* steerd sent what cannot be read */
#define PROBER_EXIT_RENEW                                                                          \
	3 /* on purpose, to be started again at once: it needs rights that it gave up */

#define LINK_FRAME_MAX ((size_t)256 << 20) /* half a million rows of verdicts */
#define LINK_FRAME_HEADER 5

/* What the prober is to do, with what is known already, so that counts and `since` go on. */
struct link_orders {
	struct target_list targets;
	const struct settings_monitor *monitors;
	size_t monitor_count;
	const struct settings_notify *notifies;
	size_t notify_count;
	const struct address_port
		*own; /* what we listen on: never checked unless allows_internal */
	size_t own_count;
	struct verdict_table verdicts; /* where to go on from */
};

/*
 * What the states frame says: two bits for each row of the last table that was sent, enum
 * verdict_state.  An address that came or went since waits for the next table.
 */
struct link_states {
	uint64_t generation;
	uint64_t row_count;
	const uint8_t *
		bits; /* (row_count + 3) / 4 octets; the first row in the lowest bits of the first */
};

static inline size_t link_states_size(size_t row_count)
{
	return (row_count + 3) / 4;
}

static inline enum verdict_state link_states_get(const uint8_t *bits, size_t row)
{
	return (enum verdict_state)(bits[row / 4] >> row % 4 * 2 & 3);
}

static inline void link_states_set(uint8_t *bits, size_t row, uint8_t state)
{
	unsigned shift = row % 4 * 2;

	bits[row / 4] = (uint8_t)((bits[row / 4] & ~(3u << shift)) | (unsigned)state << shift);
}

/* What someone says of a target of a `push` monitor. */
struct link_pushed {
	const char *key; /* of the target; its address is that of the key, or all of a host name */
	uint8_t state;	 /* enum verdict_state: up, degraded or down */
	const char *reason; /* a line; NULL counts as "" */
	uint64_t age_ms;    /* how long ago it was said; at most LINK_PUSHED_AGE_MAX_MS */
};
#define LINK_PUSHED_AGE_MAX_MS (UINT64_C(1) << 40) /* some thirty years */

/* A check now, of one address of one target; `id` comes back with the findings. */
struct link_inquiry {
	uint64_t id;
	const char *key;
	struct address address;
};

/*
 * What an inquiry found, in the order in which it should be shown; nothing at all: there is no such
 * target, or it has no such address, any more.
 */
struct link_findings {
	uint64_t id;
	const struct finding *items;
	size_t count;
};

/* Notices that wait to be delivered, at most: beyond that the oldest is given up. */
#define LINK_NOTICES_MAX 1000

/* A notification: `body` is JSON, below 64 KB; `notify` is the index of the orders' notifies. */
struct link_notice {
	uint64_t id;
	uint32_t notify;
	const char *body;
	const char *event; /* "member-down": for a command's environment, as the next two */
	const char *subject;
	const char *reason;
};
struct link_delivered {
	uint64_t id;
	bool done;
	uint32_t tries;
	const char *why; /* not done: why it was given up; "" */
};

/* Whole frames, header included, added to `ret_frame`. */
void link_write_orders(const struct link_orders *orders, struct text *ret_frame);
void link_write_verdicts(const struct verdict_table *verdicts, struct text *ret_frame);
void link_write_states(const struct link_states *states, struct text *ret_frame);
void link_write_inquiry(const struct link_inquiry *inquiry, struct text *ret_frame);
void link_write_findings(const struct link_findings *findings, struct text *ret_frame);
void link_write_notice(const struct link_notice *notice, struct text *ret_frame);
void link_write_delivered(const struct link_delivered *delivered, struct text *ret_frame);
void link_write_pushed(const struct link_pushed *pushed, struct text *ret_frame);

/*
 * The first whole frame in `bytes`: its size with header, 0 if it is not all there yet; false if
 * what is there cannot be a frame.  The body lies within `bytes`.
 */
bool link_find_frame(const void *bytes, size_t size, enum link_kind *ret_kind,
	const uint8_t **ret_body, size_t *ret_frame_size);

/*
 * Bodies.  Texts and arrays are from `arena`; `ret_orders->verdicts` is the caller's to end;
 * `ret_states->bits` lie within `body`.
 */
bool link_read_orders(const uint8_t *body, size_t size, struct arena *arena,
	struct link_orders *ret_orders, struct err *err);
bool link_read_pushed(const uint8_t *body, size_t size, struct arena *arena,
	struct link_pushed *ret_pushed, struct err *err);
bool link_read_verdicts(
	const uint8_t *body, size_t size, struct verdict_table *ret_table, struct err *err);
bool link_read_states(
	const uint8_t *body, size_t size, struct link_states *ret_states, struct err *err);
bool link_read_inquiry(const uint8_t *body, size_t size, struct arena *arena,
	struct link_inquiry *ret_inquiry, struct err *err);
bool link_read_findings(const uint8_t *body, size_t size, struct arena *arena,
	struct link_findings *ret_findings, struct err *err);
bool link_read_notice(const uint8_t *body, size_t size, struct arena *arena,
	struct link_notice *ret_notice, struct err *err);
bool link_read_delivered(const uint8_t *body, size_t size, struct arena *arena,
	struct link_delivered *ret_delivered, struct err *err);

#endif
