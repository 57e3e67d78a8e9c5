/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GUARD_RIG_H
#define TESTS_GUARD_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/health/guard.h"
#include "steerd/health/override.h"

/*
 * guard_rig - a guard with rules that a test makes, and what it is shown.
 *
 * States are letters.  Seen: U up, D down, G degraded, ? unknown.  Believed: the same, and where something keeps an address
 * from following its checks, why: o observer, l loss, e evidence (it stays up), f failback, m manual return (it stays
 * down), r its share grows, w it serves without what it needs, x it is down for want of that.
 */
#define RIG_POOLS 8
#define RIG_MEMBERS 64
#define RIG_TARGETS 128

struct rig {
	struct guard *guard;
	struct guard_rules rules;
	struct guard_pool pools[RIG_POOLS];
	uint32_t pool_members[RIG_POOLS][RIG_MEMBERS];
	char names[RIG_POOLS][16];
	struct guard_member members[RIG_MEMBERS];
	char keys[RIG_MEMBERS][32];
	struct guard_condition conditions[RIG_MEMBERS];
	struct address addresses[RIG_TARGETS];
	target_id targets[RIG_TARGETS];
	struct verdict rows[RIG_TARGETS];
	size_t target_count;
	struct verdict_table table;
	uint8_t overrides[RIG_MEMBERS];
	bool is_stale;
	bool has_stepped;
	uint64_t now_ms;   /* of the last step */
	uint64_t shown_ms; /* of the checks that are shown next */
};

/* Rules without any limit: no panic threshold, no loss limit, no evidence, no delay, never suspect. */
void rig_init(struct rig *rig);
void rig_done(struct rig *rig);

/* Ids. */
uint32_t rig_pool(struct rig *rig);
/* An endpoint of so many addresses, each with one target; those from `ipv6_from` on are of IPv6.  Each is in a network of its own. */
uint32_t rig_endpoint(struct rig *rig, uint32_t pool, size_t address_count, size_t ipv6_from);
uint32_t rig_child(struct rig *rig, uint32_t pool, uint32_t child);

/* Sets the rules, which are complete now. */
void rig_use(struct rig *rig);
/* Shows a letter for each target; "" leaves them as they are, but each has been checked anew. */
void rig_show(struct rig *rig, const char *seen);
/* Another check of it, which ends at shown_ms, but later than the one before. */
void rig_check(const struct rig *rig, struct verdict *row);
/* A step at that time; true if something changed. */
bool rig_step(struct rig *rig, uint64_t now_ms);
/* What is believed, a letter each. */
void rig_believed(const struct rig *rig, char ret_letters[static RIG_TARGETS + 1]);

/*
 * Runs "TIME SEEN BELIEVED; ..." with times in seconds and "=" for what was seen already; a state of the pools may follow
 * (S sound, P panic, L lost, one each).  Fails with `about` and the step where something else is believed, or where what
 * is said of time does not hold: that nothing changes before it is due.
 */
void rig_play(struct rig *rig, const char *about, const char *script);

#endif
