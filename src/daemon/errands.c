/* SPDX-License-Identifier: Apache-2.0 */
#include "errands.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* What a check may take beyond its monitor's timeout: there, back, and a busy prober. */
#define EXTRA_MS 3000

/* Who is to be told. */
struct asker {
	control_found_fn found;
	void *context;
};

static void on_found(void *context, const struct link_findings *findings, const char *why)
{
	struct asker *asker = context;
	const struct control_found found = {
		.items = findings ? findings->items : NULL,
		.count = findings ? findings->count : 0,
		.why = findings ? NULL : why,
	};

	asker->found(asker->context, &found);
	free(asker);
}

/* That of the target's monitor; 0: there is no such target. */
static uint32_t find_timeout_ms(const struct snapshot *snapshot, const char *key)
{
	for (size_t i = 0; i < snapshot->targets.count; i++) {
		const struct target *target = &snapshot->targets.targets[i];

		if (target->monitor != TARGET_NONE && strcmp(target->key, key) == 0)
			return snapshot->settings->monitors[target->monitor].timeout_ms;
	}
	return 0;
}

void errands_inquire(
	struct supervise *supervise, const struct snapshot *snapshot, const struct errand *errand)
{
	struct asker *asker = memory_new(sizeof(*asker));
	const struct supervise_inquiry inquiry = {
		.key = errand->inquiry->key,
		.address = errand->inquiry->address,
		.wait_ms = find_timeout_ms(snapshot, errand->inquiry->key) + EXTRA_MS,
		.found = on_found,
		.context = asker,
	};

	*asker = (struct asker){errand->found, errand->context};
	supervise_inquire(supervise, &inquiry);
}
