/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_TROUBLE_H
#define HEALTH_TROUBLE_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/health/belief.h"
#include "steerd/health/guard.h"
#include "steerd/health/notice.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * trouble - what is wrong now, as a list: of what is believed of members and pools, of certificates, of the observer and
 * of the prober.  Pure.
 *
 * Told is what is believed, not what is seen: an address that stays in answers for lack of evidence is not down.  What an
 * operator took out is nobody's news.  Certificates are told once for each monitor, by the one that ends first: the same
 * one often stands on every address.
 */
struct trouble_input {
	const struct guard_rules *rules;
	const struct belief_table *beliefs;
	const struct guard_pool_state *pools; /* by pool */
	const struct guard_observer *observer;
	const struct verdict_table *verdicts;
	const struct target_list *targets;
	const char *const *monitors; /* names, by index of the targets' monitors */
	const uint32_t *warn_days;   /* by the same: left of a certificate; 0: never */
	const char *const
		*last_resorts;	  /* by pool: what it answers when nothing is left, in words */
	const uint8_t *overrides; /* enum override_kind, by member */
	const char *prober_why;	  /* it does not run, or hangs; NULL: it does */
	uint64_t prober_since_unix_s;
	uint64_t now_unix_s;
};

struct trouble_list {
	struct notice_trouble *items; /* heap */
	size_t count;
	size_t capacity;
};

/* Texts lie in the input and in `arena`.  Start with `struct trouble_list list = {0};`, end with free(list.items). */
void trouble_find(
	const struct trouble_input *input, struct arena *arena, struct trouble_list *ret_list);

/* The rows that an address of a member is judged by, one for each monitor at most; how many is returned. */
#define TROUBLE_ROWS_MAX 32
size_t trouble_rows(const struct trouble_input *input, uint32_t member, size_t address,
	const struct verdict *ret_rows[TROUBLE_ROWS_MAX]);

#endif
