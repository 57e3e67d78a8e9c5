/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_GUARD_KEYS_H
#define HEALTH_GUARD_KEYS_H

#include <stddef.h>
#include <stdint.h>

/*
 * guard_keys - ids by the names that they have in every generation.
 */
struct guard_key {
	const char *text;
	uint32_t id;
};

struct guard_member;
struct guard_pool;

/* Sorted.  Heap. */
struct guard_key *guard_keys_of_members(const struct guard_member *members, size_t count);
struct guard_key *guard_keys_of_pools(const struct guard_pool *pools, size_t count);
/* GUARD_NONE if there is none. */
uint32_t guard_keys_find(const struct guard_key *keys, size_t count, const char *text);

#endif
