/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_REQUEST_H
#define PROBE_REQUEST_H

struct check;

/*
 * request - how libcurl is told of the last hop of a check, and what it tells while that runs.
 */

/* What is the same for all hops. */
void request_prepare(struct check *check);
/* The last of its hops, to its address, within `timeout_ms`. */
void request_aim(struct check *check, long timeout_ms);

#endif
