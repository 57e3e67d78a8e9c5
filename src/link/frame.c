/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <string.h>

size_t frame_begin(struct text *ret_frame, enum link_kind kind)
{
	size_t start = ret_frame->size;

	bytes_write_u32(ret_frame, 0);
	bytes_write_u8(ret_frame, (uint8_t)kind);
	return start;
}

void frame_end(struct text *ret_frame, size_t start)
{
	struct text length = {0};

	bytes_write_u32(&length, (uint32_t)(ret_frame->size - start - LINK_FRAME_HEADER));
	memcpy(ret_frame->bytes + start, length.bytes, length.size);
	text_done(&length);
}

const char *frame_read_text(struct bytes_reader *reader, struct arena *arena)
{
	size_t size;
	const char *text = bytes_read_text(reader, &size);

	if (!text)
		return NULL;

	char *copy = arena_alloc(arena, size + 1);

	memcpy(copy, text, size);
	return copy;
}

const char *frame_read_line(struct bytes_reader *reader, struct arena *arena)
{
	const char *text = frame_read_text(reader, arena);

	for (const char *at = text; at && *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			reader->failed = true;
	return reader->failed ? NULL : text;
}
