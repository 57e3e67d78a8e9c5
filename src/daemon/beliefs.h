/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_BELIEFS_H
#define DAEMON_BELIEFS_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/text.h"
#include "steerd/health/guard.h"
#include "steerd/plan/plan.h"

/*
 * beliefs - what changed in what is believed, in words: where it is not simply what the checks say (changes.h has that).
 * Pure.
 */
struct beliefs_change {
	const struct plan *before;	 /* answers so far, with what was believed */
	const struct snapshot *snapshot; /* that holds now; after a reload another one */
	const struct guard *guard;	 /* what is believed now */
	const uint8_t *overrides; /* enum override_kind, by member id: of these nothing is said */
	struct guard_observer observer; /* as it was */
	uint64_t now_unix_s;
};

/*
 * One line for each change, as operators say it, added to what is there:
 *	downloads/fra-1 192.0.2.10 stays up: it is one of the last of its pool, and more failures are needed
 *	downloads/fra-1 192.0.2.10 stays down until it is returned: 'steerctl return downloads/fra-1'
 * and those on which someone must act apart:
 *	pool downloads is in panic: 33% of its capacity is left, and panic-below is 50%: it counts as failed
 *	the fault may be ours: 14 of 20 checks fail, in 5 networks at once; nothing goes down for 60 s at least
 */
void beliefs_print(
	const struct beliefs_change *change, struct text *ret_notices, struct text *ret_alarms);

#endif
