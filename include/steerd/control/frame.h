/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_FRAME_H
#define CONTROL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/text.h"

/*
 * frame - where a message begins and ends on the control socket: four octets of length, network order, then so many of JSON.
 *
 * Pure; for both ends.  [any thread]
 */
#define FRAME_HEADER ((size_t)4)
/* An operator's sentence fits many times over; a stranger's gigabyte does not. */
#define FRAME_REQUEST_MAX ((size_t)64 << 10)
/* `status` of 10,000 members with two addresses each is about 6 MB. */
#define FRAME_REPLY_MAX ((size_t)64 << 20)

enum frame_state {
	FRAME_PARTIAL,	 /* more octets are to come */
	FRAME_WHOLE,	 /* a body of `ret_body_size` octets begins at FRAME_HEADER */
	FRAME_TOO_LARGE, /* or empty: no message of ours */
};

enum frame_state frame_find(const void *bytes, size_t size, size_t body_max, size_t *ret_body_size);

/* Adds header and body. */
void frame_add(struct text *ret_frame, const void *body, size_t size);

#endif
