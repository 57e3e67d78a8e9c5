/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/control/command.h"

struct json_t;

/*
 * request - one command with its arguments, and the JSON that carries it.
 */
struct request {
	enum command_id command;
	const char *text[ARGUMENT_COUNT]; /* NULL: not given */
	uint64_t number[ARGUMENT_COUNT];  /* seconds, or 1 for a flag; 0: not given */
	struct json_t *json;		  /* owns the texts after request_read(); else NULL */
};

/*
 * Reads what came from the socket: an unknown command or key, an argument of the wrong kind, too long, or with a control
 * character in it, or a missing one, is refused.  The caller ends it with request_done().
 */
bool request_read(const void *bytes, size_t size, struct request *ret_request, struct err *err);
void request_done(struct request *request);

/* The JSON of a request. */
void request_write(const struct request *request, struct text *ret_bytes);

#endif
