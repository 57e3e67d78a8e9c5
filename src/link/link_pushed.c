/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"
#include "steerd/link/link.h"

/*
 * The body of LINK_PUSHED:  key  state:1  age:8 (milliseconds)  reason
 */

void link_write_pushed(const struct link_pushed *pushed, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_PUSHED);

	bytes_write_text(ret_frame, pushed->key);
	bytes_write_u8(ret_frame, pushed->state);
	bytes_write_u64(ret_frame, pushed->age_ms);
	bytes_write_text(ret_frame, pushed->reason ? pushed->reason : "");
	frame_end(ret_frame, start);
}

bool link_read_pushed(const uint8_t *body, size_t size, struct arena *arena,
	struct link_pushed *ret_pushed, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	struct link_pushed pushed;

	pushed.key = frame_read_line(&reader, arena);
	pushed.state = bytes_read_u8(&reader);
	pushed.age_ms = bytes_read_u64(&reader);
	pushed.reason = frame_read_line(&reader, arena);
	if (reader.failed || reader.left > 0 || !pushed.key || pushed.key[0] == '\0' ||
		!pushed.reason)
		return err_set(err, "a pushed state is cut short, too long, or without a key");
	if (pushed.state != VERDICT_UP && pushed.state != VERDICT_DEGRADED &&
		pushed.state != VERDICT_DOWN)
		return err_set(err, "a pushed state of %u", pushed.state);
	if (pushed.age_ms > LINK_PUSHED_AGE_MAX_MS)
		return err_set(err, "a pushed state of an age that cannot be");
	*ret_pushed = pushed;
	return true;
}
