/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/health/notice.c src/health/notice_store.c */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/health/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct notice_clock now = {.now_ms = 1000000000, .now_unix_s = 1700000000};
static const struct notice_clock later = {.now_ms = 1000060000, .now_unix_s = 1700000060};

static void write_again(const struct text *written)
{
	struct notices *notices = notices_new(1);
	struct text again = {0};
	struct err err;

	assert(notices_read(notices, written->bytes, written->size, &now, &err));
	notices_write(notices, &now, &again);
	assert(again.size == written->size && memcmp(again.bytes, written->bytes, again.size) == 0);
	text_done(&again);
	notices_free(notices);
}

/* Nothing is wrong any more: who was told of something hears once that it is over, and then nothing is kept. */
static void let_all_end(struct notices *notices)
{
	size_t first;
	size_t second;
	struct text left = {0};
	const struct notice *said = notices_step(notices, NULL, 0, &now, &first);

	assert(first == 0);
	said = notices_step(notices, NULL, 0, &later, &first);

	uint64_t *ids = memory_new((first + 1) * sizeof(ids[0]));

	for (size_t i = 0; i < first; i++) {
		assert(said[i].level == 0 && said[i].event && said[i].reason);
		ids[i] = said[i].id;
	}
	for (size_t i = 0; i < first; i++)
		notices_settle(notices, ids[i]);
	free(ids);
	(void)notices_step(notices, NULL, 0, &later, &second);
	assert(second == 0);
	notices_set_listeners(notices, NULL, 0);
	notices_write(notices, &later, &left);
	assert(left.size == 6); /* no listener, no entry */
	text_done(&left);
}

/* Any bytes are refused, or are what was told of something: they are written back, and end as they must. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct notice_listener listener = {
		.name = "ops", .after_ms = 30000, .repeat_ms = 3600000, .hears = NOTICE_HEARS_ALL};
	struct notices *notices = notices_new(1);
	struct text written = {0};
	struct err err;

	if (notices_read(notices, data, size, &now, &err)) {
		notices_write(notices, &now, &written);
		write_again(&written);
		notices_set_listeners(notices, &listener, 1);
		let_all_end(notices);
	}
	text_done(&written);
	notices_free(notices);
	return 0;
}
