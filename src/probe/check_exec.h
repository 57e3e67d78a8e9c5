/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECK_EXEC_H
#define PROBE_CHECK_EXEC_H

#include "probes.h"
#include "steerd/outbound/runner.h"

/*
 * check_exec - a program of the operator says how a target is.
 *
 * Exit code 0: it passed; 3: degraded; any other, a signal, or the end of its time: it failed.  The first line that it
 * writes is the reason, or the note where it passed.  Beside what runner.h gives it finds in its environment:
 *
 *	STEERD_MEMBER_ADDRESS  the address to check
 *	STEERD_MONITOR         the monitor's name
 *	STEERD_HOST            the member's host name; empty where it is given by address
 *	STEERD_TIMEOUT_MS      what it has until it is ended
 *	STEERD_LAST_STATE      what is believed of that address: unknown, up, degraded or down
 */
#define CHECK_EXEC_DEGRADED 3

struct check_exec;

/* `order` is copied; what it points to must outlive the check. */
struct check_exec *check_exec_start(struct runner *runner, const struct probe_order *order);
void check_exec_cancel(struct check_exec *check);

#endif
