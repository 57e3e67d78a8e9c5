/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECKS_H
#define PROBE_CHECKS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/address.h"
#include "steerd/config/settings.h"
#include "steerd/health/judge.h"

struct event_base;

/*
 * checks - HTTPS requests to given addresses, all at once on one event loop; none delays another.
 *
 * A check is a GET over TLS 1.2 or newer to that very address, with the monitor's host as SNI, as
 * the name that the certificate must have, and as Host.  Each has a connection of its own and
 * leaves nothing behind: no cookie, no session, no redirect followed, no proxy asked.  Of the
 * answer at most 64 KB of header fields and 64 KB of body are read.  A body that is longer is
 * judged by those 64 KB: a health page that long is odd, but it was served.
 */
struct checks;
struct check;

/*
 * What came of it, lent for the call; the callee may start and cancel checks.  NULL: it says
 * nothing, for this process was stopped or starved while it ran.
 */
typedef void (*check_done_fn)(void *context, const struct judge_check *result);

struct check_order {
	const struct settings_monitor *monitor; /* must outlive the check */
	struct address address;
	X509_STORE *trust; /* held by the check */
	check_done_fn done;
	void *context;
};

/*
 * At most `most_at_once` run, fewer where this process cannot keep up; what is started beyond waits
 * for its turn.
 */
struct checks *checks_new(struct event_base *base, size_t most_at_once);
/* Cancels what runs.  NULL is allowed. */
void checks_free(struct checks *checks);

/* The check is over, and its address void, when `done` was called or check_cancel(). */
struct check *check_start(struct checks *checks, const struct check_order *order);
void check_cancel(struct check *check); /* NULL is allowed */

#endif
