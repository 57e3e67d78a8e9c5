/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_INQUIRE_H
#define CONTROL_INQUIRE_H

#include <jansson.h>

#include "steerd/base/err.h"
#include "steerd/control/control.h"

/*
 * inquire - `steerctl probe`: every check of the members that a subject names, made now, told whole.
 *
 * The checks run side by side; `done` gets the reply once the last of them is over, and the inquiry is gone then.  One
 * that is freed before that calls nothing any more.  [main]
 */
struct inquiry;

/* Checks beyond this are asked for in parts: the backends of a whole site at once would be a burst. */
#define INQUIRE_CHECKS_MAX 256

/* Takes `json` over. */
typedef void (*inquire_done_fn)(void *context, json_t *json);

/* NULL and `err` if the subject names nothing that is checked. `done` is not called before this returns. */
struct inquiry *inquire_start(const struct control_actions *actions, const struct request *request,
	inquire_done_fn done, void *context, struct err *err);
void inquire_free(struct inquiry *inquiry); /* NULL is allowed */

#endif
