/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_REACH_H
#define OUTBOUND_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/address.h"
#include "steerd/base/text.h"

/*
 * reach - which addresses the prober connects to.
 *
 * What steers traffic must not be made a tool against the machine that it runs on: this machine's loopback, its links
 * (where clouds answer with credentials), no host at all or many of them, and the daemon's own sockets are refused
 * unless the operator says that they are meant.  It is asked with the very address of each connection, so that a
 * name that resolves into them, and a redirect, are no way around it.  Private networks are where backends live:
 * those are allowed.
 */
struct reach {
	const struct address_port *own; /* what steerd listens on */
	size_t own_count;
};

/*
 * Whether a check may connect there; if not, why, added to `ret_why`:
 *	not checked: 127.0.0.1 is loopback; 'allow-internal: yes' in the monitor allows it
 * Asks the kernel, without any traffic, only for a port on which steerd listens on every address.
 */
bool reach_is_allowed(const struct reach *reach, const struct address_port *to,
	bool allows_internal, struct text *ret_why);

/* Whether it is one of those; what it is, added to `ret_what`: "127.0.0.1 is loopback". */
bool reach_is_internal(
	const struct reach *reach, const struct address_port *to, struct text *ret_what);

#endif
