/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_DIAL_H
#define OUTBOUND_DIAL_H

#include <stdbool.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"

/*
 * dial - a socket that is connected to a member, or on its way to be.
 */

/*
 * `type` is SOCK_STREAM or SOCK_DGRAM; the source port is the kernel's choice.  Never waits: a stream is connected, or
 * refused, when it can be written to, and dial_error() says which.  -1: it cannot be, and why; `err` is empty where that
 * is our own fault (no descriptor, memory or port left), and says nothing of the member.
 */
int dial_open(const struct address_port *to, int type, struct err *err);

/* The errno of a connection that was on its way; 0: it is there. */
int dial_error(int fd);

/* Whether an errno says that we lack something (descriptors, memory, ports), and nothing of the member. */
bool dial_is_our_fault(int error);

#endif
