/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/probe/push_file.c */

/* The text of a watched file. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "../../src/probe/push_file.h"
#include "steerd/health/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each line that was taken is found by its address, which none other has. */
static void check_entries(const struct push_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct push_entry *entry = &entries->items[i];

		assert(entry->state >= VERDICT_UP && entry->state <= VERDICT_DOWN);
		assert(entry->line > 0 && strlen(entry->reason) <= PUSH_FILE_LINE_MAX);
		assert(push_file_find(entries, &entry->address) == entry);
		assert(i == 0 || address_compare(&entry[-1].address, &entry->address) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct report report = {0};
	struct push_entries entries;

	if (push_file_parse((const char *)data, size, "f", arena, &entries, &report)) {
		assert(report.error_count == 0);
		check_entries(&entries);
	} else {
		assert(report.error_count > 0 && report.lines.size > 0);
	}
	assert(push_file_is_whole((const char *)data, size) ==
		(size == 0 || data[size - 1] == '\n'));
	report_done(&report);
	arena_free(arena);
	return 0;
}
