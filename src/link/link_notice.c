/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "frame.h"

/*
 * The body of LINK_NOTICE:
 *
 *	id:8  notify:4  body event subject reason
 *
 * and that of LINK_DELIVERED:
 *
 *	id:8  done:1  tries:4  why
 */
void link_write_notice(const struct link_notice *notice, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_NOTICE);

	bytes_write_u64(ret_frame, notice->id);
	bytes_write_u32(ret_frame, notice->notify);
	bytes_write_text(ret_frame, notice->body);
	bytes_write_text(ret_frame, notice->event);
	bytes_write_text(ret_frame, notice->subject);
	bytes_write_text(ret_frame, notice->reason);
	frame_end(ret_frame, start);
}

bool link_read_notice(const uint8_t *body, size_t size, struct arena *arena,
	struct link_notice *ret_notice, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	struct link_notice notice = {
		.id = bytes_read_u64(&reader), .notify = bytes_read_u32(&reader)};

	notice.body = frame_read_text(&reader, arena);
	/* these go into an environment and into header fields */
	notice.event = frame_read_line(&reader, arena);
	notice.subject = frame_read_line(&reader, arena);
	notice.reason = frame_read_line(&reader, arena);
	if (reader.failed || reader.left > 0 || !notice.body || notice.body[0] != '{' ||
		!notice.event || notice.event[0] == '\0' || !notice.subject || !notice.reason)
		return err_set(err, "the notice cannot be");
	*ret_notice = notice;
	return true;
}

void link_write_delivered(const struct link_delivered *delivered, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_DELIVERED);

	bytes_write_u64(ret_frame, delivered->id);
	bytes_write_u8(ret_frame, delivered->done);
	bytes_write_u32(ret_frame, delivered->tries);
	bytes_write_text(ret_frame, delivered->why);
	frame_end(ret_frame, start);
}

bool link_read_delivered(const uint8_t *body, size_t size, struct arena *arena,
	struct link_delivered *ret_delivered, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	struct link_delivered delivered = {.id = bytes_read_u64(&reader),
		.done = bytes_read_bool(&reader),
		.tries = bytes_read_u32(&reader)};

	delivered.why = frame_read_line(&reader, arena);
	if (reader.failed || reader.left > 0 || !delivered.why ||
		delivered.done != (delivered.why[0] == '\0'))
		return err_set(err, "what became of a notice cannot be");
	*ret_delivered = delivered;
	return true;
}
