/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_STREAM_H
#define LINK_STREAM_H

#include <stdbool.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/link/link.h"

/*
 * stream - frames in and out of one end of the socket pair, without ever waiting.
 *
 * Start with `struct stream stream = {.fd = fd};`, end with stream_done(), which leaves the
 * descriptor open.
 */
struct stream {
	int fd;
	struct text in;	 /* came, not yet taken */
	struct text out; /* to go; add whole frames to it, then flush */
	size_t out_sent; /* of `out` */
};

struct stream_frame {
	enum link_kind kind;
	const uint8_t *body;
	size_t body_size;
};

void stream_done(struct stream *stream);

/*
 * Takes in what has come; false when the other end is gone, which leaves `err` empty, or cannot be
 * read.
 */
bool stream_receive(struct stream *stream, struct err *err);

/*
 * Whether a whole frame is there; `ret_frame` is lent until stream_drop().  False with `err` if
 * what came is no frame.
 */
bool stream_peek(
	struct stream *stream, bool *ret_found, struct stream_frame *ret_frame, struct err *err);
void stream_drop(struct stream *stream, const struct stream_frame *frame);

/* Sends what the kernel takes now; the rest stays in `out`.  False if the other end is gone. */
bool stream_flush(struct stream *stream, struct err *err);

#endif
