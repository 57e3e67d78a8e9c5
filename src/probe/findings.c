/* SPDX-License-Identifier: Apache-2.0 */
#include "findings.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

/* They are shown on terminals. */
static const char *clean(struct findings *findings, const char *text)
{
	size_t size = text ? strlen(text) : 0;
	char *copy = arena_alloc(findings->arena, size + 1);

	for (size_t i = 0; i < size; i++) {
		unsigned char octet = (unsigned char)text[i];

		copy[i] = octet < 0x20 || octet == 0x7f ? '?' : text[i];
	}
	return copy;
}

void findings_done(struct findings *findings)
{
	free(findings->items);
	arena_free(findings->arena);
	*findings = (struct findings){0};
}

void findings_add(struct findings *findings, enum finding_section section, const char *name,
	const char *value, uint64_t number)
{
	if (!findings || findings->count == FINDINGS_MAX)
		return;
	findings->items = MEMORY_GROW(findings->items, findings->count, &findings->capacity);
	findings->items[findings->count++] = (struct finding){
		.section = section,
		.name = clean(findings, name),
		.value = clean(findings, value),
		.number = number,
	};
}
