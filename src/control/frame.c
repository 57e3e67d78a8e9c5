/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/frame.h"

enum frame_state frame_find(const void *bytes, size_t size, size_t body_max, size_t *ret_body_size)
{
	const uint8_t *octets = bytes;

	if (size < FRAME_HEADER)
		return FRAME_PARTIAL;

	size_t body_size = (size_t)octets[0] << 24 | (size_t)octets[1] << 16 |
		(size_t)octets[2] << 8 | octets[3];

	/* judged by its header alone: what is too large is never waited for */
	if (body_size == 0 || body_size > body_max)
		return FRAME_TOO_LARGE;
	if (size - FRAME_HEADER < body_size)
		return FRAME_PARTIAL;
	*ret_body_size = body_size;
	return FRAME_WHOLE;
}

void frame_add(struct text *ret_frame, const void *body, size_t size)
{
	const uint8_t header[FRAME_HEADER] = {
		(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};

	text_add_bytes(ret_frame, header, sizeof(header));
	text_add_bytes(ret_frame, body, size);
}
