/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/zone */

/* Zone text: it is read, and if it makes a zone, every name of the text is looked up and each of its blocks moved. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * ldns loses two octets with each CERT record whose type or algorithm is 0, when it refuses it.  What else ldns has
 * allocated is ours to free, and the unit tests see to that under the same sanitizer.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libldns.so\n";
}

#define ORIGIN ".fuzz.example."

static char directory[] = "/tmp/steerd-fuzz-XXXXXX";
static char path[64];

static void clean_up(void)
{
	unlink(path);
	rmdir(directory);
}

static void prepare(void)
{
	if (path[0] != '\0')
		return;
	if (!mkdtemp(directory))
		abort();
	snprintf(path, sizeof(path), "%s/fuzz.example.zone", directory);
	atexit(clean_up);
}

static bool is_pool(const void *context, const char *name)
{
	(void)context;
	return strcmp(name, "web") == 0;
}

static void move_block(const struct zone_block *block)
{
	static const struct zone_block_place places[] = {
		{12, 12, 300}, {512, 700, ZONE_BLOCK_OFFSET_MAX}};
	uint8_t *out = memory_new(block->size_bytes);

	for (size_t i = 0; i < COUNT_OF(places); i++)
		zone_block_place(block, &places[i], out);
	for (size_t i = 0; i < block->fixup_count; i++)
		assert((out[block->fixups[i]] & 0xc0) == 0xc0);
	free(out);
}

/* Hints stand in a record of their block, in order, and what stands between them is left. */
static void check_hints(const struct zone_set *set, const struct zone_block *block)
{
	const struct zone_hints *hints = zone_block_hints(block);
	size_t record = 0;

	for (size_t i = 0; i < block->hints_count; i++, hints++) {
		const uint8_t *head = block->bytes + hints->record;

		assert(hints->record >= record && hints->record + 12 < block->size_bytes);
		record = hints->record + 12u + (size_t)(head[10] << 8 | head[11]);
		assert(record <= block->size_bytes);
		assert(hints->at[0] > hints->record + 12);
		assert(hints->at[1] >= hints->at[0] + hints->size[0]);
		assert(hints->at[1] + hints->size[1] <= record);
		assert(hints->size[0] > 0 || hints->size[1] > 0);
		assert(hints->is_outward || !zone_set_hides_hints(set, hints));
	}
}

static void look_up(const struct zone_set *set, const struct name_key *key, uint16_t type)
{
	struct zone_match match;
	const struct zone_block *block;
	unsigned position = 0;
	uint16_t at;

	zone_set_find(set, key, type, &match);
	assert((match.outcome == ZONE_OUTSIDE) == !match.zone);
	if (match.steered != ZONE_NOT_STEERED)
		assert(zone_set_steered(set, match.steered)->node == match.node);
	if (!match.node)
		return;
	while ((block = zone_node_next_set(match.node, &position, &at))) {
		move_block(block);
		check_hints(set, block);
	}
	if (match.outcome == ZONE_REFERRAL)
		move_block(zone_node_referral(match.node));
}

/* Each word of the text may be a name. */
static void look_up_words(const struct zone_set *set, const uint8_t *data, size_t size)
{
	static const char blanks[] = " \t\r\n;()\"";

	for (size_t at = 0, end; at < size; at = end + 1) {
		char text[256 + sizeof(ORIGIN)];
		struct name_key key;
		struct err err;

		for (end = at; end < size && data[end] != '\0' && !strchr(blanks, data[end]);)
			end++;
		if (end == at || end - at > 255)
			continue;
		snprintf(text, sizeof(text), "%.*s" ORIGIN, (int)(end - at),
			(const char *)data + at);
		if (name_parse(text, &key, &err)) {
			look_up(set, &key, DNS_TYPE_A);
			look_up(set, &key, DNS_TYPE_DS);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct zone_rules rules = {.is_pool = is_pool};
	struct report report = {0};
	struct zone_set *set;
	FILE *file;

	prepare();
	file = fopen(path, "w");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
	set = zone_set_read(directory, &rules, NULL, &report);
	assert(set);
	assert((zone_set_count(set) == 1) == (report.error_count == 0));
	if (zone_set_count(set) == 1) {
		move_block(zone_negative(zone_set_zone(set, 0)));
		look_up_words(set, data, size);
	}
	zone_set_free(set);
	report_done(&report);
	return 0;
}
