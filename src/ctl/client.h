/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/control/request.h"

/*
 * client - one request to steerd and its reply.
 */
struct client {
	int fd;
};

/* False: nobody listens at `path`; `err` names the fix. */
bool client_open(struct client *client, const char *path, struct err *err);
void client_close(struct client *client);

struct client_patience {
	const char *waiting; /* shown on a terminal when the reply takes more than a moment */
	uint64_t limit_ms;   /* for the reply to begin; 0: none */
};

bool client_ask(struct client *client, const struct request *request,
	const struct client_patience *patience, struct text *ret_reply, struct err *err);

/* Waits until the other end is gone. */
void client_wait_for_end(struct client *client);

#endif
