/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/link/link.c src/link/link_orders.c src/link/fields.c src/link/frame.c src/link/link_verdicts.c src/link/link_inquiry.c src/link/link_notice.c src/link/link_pushed.c */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/link/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written of what was taken is what came. */
static void compare(struct text *frame, const uint8_t *body, size_t size)
{
	assert(frame->size == LINK_FRAME_HEADER + size);
	assert(memcmp(frame->bytes + LINK_FRAME_HEADER, body, size) == 0);
	text_done(frame);
}

/* Orders that are taken are written back as the very same bytes. */
static void try_orders(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_orders orders;
	struct text again = {0};
	struct err err;

	if (link_read_orders(body, size, arena, &orders, &err)) {
		link_write_orders(&orders, &again);
		verdict_table_done(&orders.verdicts);
		compare(&again, body, size);
	}
	arena_free(arena);
}

static void try_verdicts(const uint8_t *body, size_t size)
{
	struct verdict_table table;
	struct err err;

	if (link_read_verdicts(body, size, &table, &err))
		verdict_table_done(&table);
}

static void try_bare_states(const uint8_t *body, size_t size)
{
	struct link_states states;
	struct text again = {0};
	struct err err;
	unsigned sum = 0;

	if (!link_read_states(body, size, &states, &err))
		return;
	for (size_t i = 0; i < states.row_count; i++)
		sum += link_states_get(states.bits, i);
	assert(sum <= 3 * states.row_count);
	link_write_states(&states, &again);
	compare(&again, body, size);
}

/* As they are, and with a checksum that fits. */
static void try_states(const uint8_t *body, size_t size)
{
	struct text sealed = {0};

	try_bare_states(body, size);
	text_add_bytes(&sealed, body, size);
	bytes_write_u32(&sealed, bytes_crc32(body, size));
	try_bare_states((const uint8_t *)sealed.bytes, sealed.size);
	text_done(&sealed);
}

static void try_inquiry(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_inquiry inquiry;
	struct text again = {0};
	struct err err;

	if (link_read_inquiry(body, size, arena, &inquiry, &err)) {
		link_write_inquiry(&inquiry, &again);
		compare(&again, body, size);
	}
	arena_free(arena);
}

static void try_findings(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_findings findings;
	struct text again = {0};
	struct err err;

	if (link_read_findings(body, size, arena, &findings, &err)) {
		link_write_findings(&findings, &again);
		compare(&again, body, size);
	}
	arena_free(arena);
}

static void try_notice(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_notice notice;
	struct text again = {0};
	struct err err;

	if (link_read_notice(body, size, arena, &notice, &err)) {
		link_write_notice(&notice, &again);
		compare(&again, body, size);
	}
	arena_free(arena);
}

static void try_delivered(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_delivered delivered;
	struct text again = {0};
	struct err err;

	if (link_read_delivered(body, size, arena, &delivered, &err)) {
		link_write_delivered(&delivered, &again);
		compare(&again, body, size);
	}
	arena_free(arena);
}

static void try_pushed(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_pushed pushed;
	struct text again = {0};
	struct err err;

	if (link_read_pushed(body, size, arena, &pushed, &err)) {
		link_write_pushed(&pushed, &again);
		compare(&again, body, size);
	}
	arena_free(arena);
}

static void (*const tries[])(const uint8_t *body, size_t size) = {
	[LINK_ORDERS] = try_orders,
	[LINK_VERDICTS] = try_verdicts,
	[LINK_STATES] = try_states,
	[LINK_PUSHED] = try_pushed,
	[LINK_INQUIRY] = try_inquiry,
	[LINK_FINDINGS] = try_findings,
	[LINK_NOTICE] = try_notice,
	[LINK_DELIVERED] = try_delivered,
};

/* Frames until the bytes end or cannot be; the body of each is read as what it says it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum link_kind kind;
	const uint8_t *body;
	size_t frame_size;

	while (link_find_frame(data, size, &kind, &body, &frame_size) && frame_size > 0) {
		assert(frame_size <= size && body == data + LINK_FRAME_HEADER);
		if (tries[kind])
			tries[kind](body, frame_size - LINK_FRAME_HEADER);
		data += frame_size;
		size -= frame_size;
	}
	return 0;
}
