/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/probe/link.c */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/probe/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Orders that are taken are written back as the very same bytes. */
static void try_orders(const uint8_t *body, size_t size)
{
	struct arena *arena = arena_new();
	struct link_orders orders;
	struct text again = {0};
	struct err err;

	if (link_read_orders(body, size, arena, &orders, &err)) {
		link_write_orders(&orders, &again);
		assert(again.size == LINK_FRAME_HEADER + size);
		assert(memcmp(again.bytes + LINK_FRAME_HEADER, body, size) == 0);
		verdict_table_done(&orders.verdicts);
	}
	text_done(&again);
	arena_free(arena);
}

/* Frames until the bytes end or cannot be; the body of each is read as what it says it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum link_kind kind;
	const uint8_t *body;
	size_t frame_size;

	while (link_find_frame(data, size, &kind, &body, &frame_size) && frame_size > 0) {
		struct verdict_table table;
		struct err err;
		size_t body_size = frame_size - LINK_FRAME_HEADER;

		assert(frame_size <= size && body == data + LINK_FRAME_HEADER);
		if (kind == LINK_ORDERS)
			try_orders(body, body_size);
		else if (link_read_verdicts(body, body_size, &table, &err))
			verdict_table_done(&table);
		data += frame_size;
		size -= frame_size;
	}
	return 0;
}
