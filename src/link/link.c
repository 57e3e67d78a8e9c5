/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/link/link.h"

#include "steerd/base/bytes.h"

/*
 * A frame:  length:4 (of the body)  kind:1  body
 *
 * The bodies are in files of their own: link_orders.c, link_verdicts.c, ...
 */

bool link_find_frame(const void *bytes, size_t size, enum link_kind *ret_kind,
	const uint8_t **ret_body, size_t *ret_frame_size)
{
	struct bytes_reader reader = {.at = bytes, .left = size};
	size_t body_size = bytes_read_u32(&reader);
	uint8_t kind = bytes_read_u8(&reader);

	/* what is known of the head must fit even while the rest is on its way */
	if (size >= 4 && body_size > LINK_FRAME_MAX - LINK_FRAME_HEADER)
		return false;
	if (size >= LINK_FRAME_HEADER && (kind < LINK_ORDERS || kind > LINK_DELIVERED))
		return false;
	if (reader.failed || reader.left < body_size) {
		*ret_frame_size = 0;
		return true;
	}
	*ret_kind = (enum link_kind)kind;
	*ret_body = reader.at;
	*ret_frame_size = LINK_FRAME_HEADER + body_size;
	return true;
}
