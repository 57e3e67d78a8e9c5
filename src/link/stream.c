/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/link/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void stream_done(struct stream *stream)
{
	text_done(&stream->in);
	text_done(&stream->out);
	*stream = (struct stream){.fd = -1};
}

bool stream_receive(struct stream *stream, struct err *err)
{
	char piece[65536];

	for (;;) {
		ssize_t size = recv(stream->fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (size > 0) {
			text_add_bytes(&stream->in, piece, (size_t)size);
			/*
			 * a whole frame is enough: what is there is looked at before more is taken
			 * in; and less than was asked for is all that there was
			 */
			if (stream->in.size >= LINK_FRAME_MAX || (size_t)size < sizeof(piece))
				return true;
			continue;
		}
		/* reset: the other end closed without having read all that we sent */
		if (size == 0 || errno == ECONNRESET) {
			err->text[0] = '\0';
			return false;
		}
		if (errno == EAGAIN)
			return true;
		if (errno != EINTR)
			return err_os(err, "cannot read");
	}
}

bool stream_peek(
	struct stream *stream, bool *ret_found, struct stream_frame *ret_frame, struct err *err)
{
	struct stream_frame frame;
	size_t size;

	if (!link_find_frame(stream->in.bytes, stream->in.size, &frame.kind, &frame.body, &size))
		return err_set(err, "what it sent is no frame");
	*ret_found = size > 0;
	if (size > 0) {
		frame.body_size = size - LINK_FRAME_HEADER;
		*ret_frame = frame;
	}
	return true;
}

void stream_drop(struct stream *stream, const struct stream_frame *frame)
{
	size_t size = LINK_FRAME_HEADER + frame->body_size;

	stream->in.size -= size;
	memmove(stream->in.bytes, stream->in.bytes + size, stream->in.size);
}

bool stream_flush(struct stream *stream, struct err *err)
{
	while (stream->out_sent < stream->out.size) {
		ssize_t size = send(stream->fd, stream->out.bytes + stream->out_sent,
			stream->out.size - stream->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (size >= 0)
			stream->out_sent += (size_t)size;
		else if (errno == EAGAIN)
			return true;
		else if (errno != EINTR)
			return err_os(err, "cannot write");
	}
	text_clear(&stream->out);
	stream->out_sent = 0;
	return true;
}
