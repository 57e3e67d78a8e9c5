/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECK_TCP_H
#define PROBE_CHECK_TCP_H

#include "probes.h"

/*
 * check_tcp - connects to the member, over TLS if the monitor says so, sends what it says, and waits for a text.
 *
 * Of what comes no more than CHECK_TCP_MAX octets are read.  Where no text is expected it passes once it is connected,
 * TLS and all, and what is to be sent is on its way.  The process must ignore SIGPIPE.
 */
#define CHECK_TCP_MAX 65536

struct check_tcp;

/*
 * `order` is copied; what it points to must outlive the check.  NULL: it cannot be started, and why, or "" where that is
 * our own fault, and says nothing of the member.
 */
struct check_tcp *check_tcp_start(
	struct event_base *base, const struct probe_order *order, struct err *err);
void check_tcp_cancel(struct check_tcp *check);

#endif
