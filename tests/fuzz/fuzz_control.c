/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/control/frame.c src/control/request.c */

/* What a stranger may send to the control socket: a frame, and in it a request. */

#include <stdlib.h>

#include "steerd/control/frame.h"
#include "steerd/control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	struct request again;
	struct text body = {0};
	struct err err;
	size_t body_size = 0;

	if (frame_find(data, size, FRAME_REQUEST_MAX, &body_size) != FRAME_WHOLE ||
		!request_read(data + FRAME_HEADER, body_size, &request, &err))
		return 0;

	/* what is taken can be said again, and is taken again */
	request_write(&request, &body);
	if (!request_read(body.bytes, body.size, &again, &err))
		abort();
	request_done(&again);
	request_done(&request);
	text_done(&body);
	return 0;
}
