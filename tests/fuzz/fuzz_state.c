/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/control/state.c src/health/verdict_old.c */

/* Both files of the state directory, as a disk may give them back: the first octet says which. */

#include <stdlib.h>

#include "steerd/control/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verdicts(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct state_verdicts verdicts = {0};
	struct state_verdicts second = {0};
	struct text again = {0};
	struct err err;

	if (state_parse_verdicts(data, size, arena, &verdicts, &err)) {
		state_print_verdicts(&verdicts, &again);
		if (!state_parse_verdicts(again.bytes, again.size, arena, &second, &err))
			abort();
		if (second.verdicts.count != verdicts.verdicts.count ||
			second.believed_size != verdicts.believed_size)
			abort();
	}
	text_done(&again);
	verdict_table_done(&verdicts.verdicts);
	verdict_table_done(&second.verdicts);
	arena_free(arena);
}

static void overrides(const uint8_t *data, size_t size)
{
	struct override_list list = {0};
	struct override_list second = {0};
	struct text again = {0};
	struct err err;

	if (state_parse_overrides(data, size, &list, &err)) {
		state_print_overrides(&list, &again);
		if (!state_parse_overrides(again.bytes, again.size, &second, &err))
			abort();
	}
	text_done(&again);
	override_list_done(&second);
	override_list_done(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'v')
		verdicts(data + 1, size - 1);
	else
		overrides(data + 1, size - 1);
	return 0;
}
