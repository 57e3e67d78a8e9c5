/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_TARGET_H
#define HEALTH_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"

/*
 * target - what is checked: one monitor applied to one address, or to every address of one host
 * name.
 *
 * Members of several pools that share monitor and address share a target, which is checked once.
 * The list belongs to a snapshot; its order gives the ids.  A target keeps its verdict over a
 * reload by its key.
 */
typedef uint32_t target_id;

#define TARGET_NONE UINT32_MAX /* not checked: always up */

struct target {
	/* "MONITOR@ADDRESS" or "MONITOR@HOST": the same target in every generation */
	const char *key;
	/* index of the settings' monitors; TARGET_NONE: resolve only, each address is up */
	uint32_t monitor;
	const char *host;	/* NULL when `address` is it */
	struct address address; /* family ADDRESS_NONE when `host` is it */
};

struct target_list {
	uint64_t generation; /* of the snapshot: verdicts for another one are refused */
	const struct target *targets;
	size_t count;
};

#endif
