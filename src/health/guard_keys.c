/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_keys.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/health/guard.h"

static int compare(const void *a, const void *b)
{
	const struct guard_key *x = a;
	const struct guard_key *y = b;

	return strcmp(x->text, y->text);
}

static struct guard_key *sorted(struct guard_key *keys, size_t count)
{
	if (count > 0)
		qsort(keys, count, sizeof(keys[0]), compare);
	return keys;
}

struct guard_key *guard_keys_of_members(const struct guard_member *members, size_t count)
{
	struct guard_key *keys = memory_new(count * sizeof(keys[0]));

	for (size_t i = 0; i < count; i++)
		keys[i] = (struct guard_key){members[i].key, (uint32_t)i};
	return sorted(keys, count);
}

struct guard_key *guard_keys_of_pools(const struct guard_pool *pools, size_t count)
{
	struct guard_key *keys = memory_new(count * sizeof(keys[0]));

	for (size_t i = 0; i < count; i++)
		keys[i] = (struct guard_key){pools[i].name, (uint32_t)i};
	return sorted(keys, count);
}

uint32_t guard_keys_find(const struct guard_key *keys, size_t count, const char *text)
{
	const struct guard_key wanted = {.text = text};

	if (count == 0)
		return GUARD_NONE;

	const struct guard_key *found = bsearch(&wanted, keys, count, sizeof(keys[0]), compare);

	return found ? found->id : GUARD_NONE;
}
