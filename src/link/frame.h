/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_FRAME_H
#define LINK_FRAME_H

#include <stddef.h>

#include "steerd/base/arena.h"
#include "steerd/base/bytes.h"
#include "steerd/base/text.h"
#include "steerd/link/link.h"

/*
 * frame - what the frames of link.h have in common: their head, and texts in their bodies.
 */

/* Begins a frame; what is added to the text until frame_end() is its body. */
size_t frame_begin(struct text *ret_frame, enum link_kind kind);
void frame_end(struct text *ret_frame, size_t start);

/*
 * A text of bytes_write_text(), copied; NULL for NULL and on failure.  A line has no control
 * character: it goes into a request, or to a terminal.
 */
const char *frame_read_line(struct bytes_reader *reader, struct arena *arena);
const char *frame_read_text(struct bytes_reader *reader, struct arena *arena);

#endif
