/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/health/target.h"

/*
 * verdict - what the prober saw, as a whole table.
 *
 * The prober sends the table every second, changed or not, and each row takes as many octets
 * whatever it says: constant work, no deltas to lose.  A target with an address has exactly one
 * row; a target with a host name has one for each address that it resolved to, none before the
 * first answer.  Rows are sorted by target, then address.
 */
enum verdict_state {
	VERDICT_UNKNOWN, /* not checked yet: counts as up */
	VERDICT_UP,
	VERDICT_DEGRADED, /* passes, but is slow, or its certificate is about to expire */
	VERDICT_DOWN,
};

#define VERDICT_REASON_SIZE 160
#define VERDICT_NOTE_SIZE 96
#define VERDICT_CERTIFICATE_SIZE 64

/* Checks that are remembered of each address. */
#define VERDICT_OUTCOMES 64

/* Changes that are remembered besides the last one. */
#define VERDICT_CHANGES 3

/* Octets of a row as verdict_table_write() makes it. */
#define VERDICT_ROW_SIZE 501

struct verdict {
	target_id target;
	struct address address;
	uint8_t state;		    /* enum verdict_state */
	uint64_t since_unix_s;	    /* of this state */
	uint64_t checked_at_unix_s; /* the last check's end; 0: none yet */
	uint32_t latency_ms;	    /* of the last check */
	uint16_t streak;	    /* last checks in a row with the same result */
	bool last_passed;	    /* the last check alone */
	bool was_up;		    /* a check passed once */
	bool has_recovered;	    /* this state is better than the one before it */
	uint8_t flaps;		    /* recoveries that did not last: what doubles its hold-down */
	/*
	 * It flapped, and would have recovered: it does so then, if no check fails until then;
	 * 0: not held.
	 */
	uint64_t held_until_unix_s;
	/* of the changes before that at `since`, the newest first; 0: none */
	uint64_t changed_at_unix_s[VERDICT_CHANGES];
	/* The last checks, the newest in bit 0; of each at most one bit is set.  Passed: none. */
	uint8_t outcome_count;
	uint64_t outcomes_failed;
	uint64_t outcomes_degraded;
	uint32_t latency_p50_ms; /* of the last that passed, as many at most; 0: none did */
	uint32_t latency_p95_ms;
	uint32_t rate_kbit_s; /* `range`: of the last transfer after its warm-up; 0: none */
	uint64_t certificate_until_unix_s;	    /* 0: none was seen */
	char certificate[VERDICT_CERTIFICATE_SIZE]; /* whom it is for */
	char issuer[VERDICT_CERTIFICATE_SIZE];
	/* why the last check failed, or what degrades it, in words; "" if it passed whole */
	char reason[VERDICT_REASON_SIZE];
	char note[VERDICT_NOTE_SIZE]; /* what else was seen: "HIT, age 312 s"; "" */
};

struct verdict_table {
	uint64_t generation;
	size_t count;
	struct verdict *rows; /* heap */
};

void verdict_table_done(struct verdict_table *table);

/* The rows of one target: the first of them, `ret_count` of them. */
const struct verdict *verdict_table_find(
	const struct verdict_table *table, target_id target, size_t *ret_count);

/*
 * The table as bytes and back: for the socket pair and for the state file.  A table that is short,
 * long, out of order, or has an impossible value is refused whole.
 */
void verdict_table_write(const struct verdict_table *table, struct text *ret_bytes);
bool verdict_table_read(
	const void *bytes, size_t size, struct verdict_table *ret_table, struct err *err);
/* The same of a state file of before rows had a size. */
bool verdict_table_read_old(
	const void *bytes, size_t size, struct verdict_table *ret_table, struct err *err);

/*
 * A first table for a target list: rows whose key was in `previous` keep what is known, addresses
 * and all; the rest are unknown.  `previous_targets` gives the keys of `previous`; both may be
 * NULL.
 */
void verdict_table_carry(const struct target_list *targets, const struct verdict_table *previous,
	const struct target_list *previous_targets, uint64_t now_unix_s,
	struct verdict_table *ret_table);

#endif
