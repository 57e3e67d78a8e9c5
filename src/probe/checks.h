/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECKS_H
#define PROBE_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "check_memory.h"
#include "findings.h"
#include "recipe.h"
#include "steerd/base/address.h"
#include "steerd/health/judge.h"
#include "steerd/outbound/reach.h"

struct event_base;

/*
 * checks - HTTP and HTTPS requests to given addresses, all at once on one event loop; none delays another.
 *
 * A check is what its monitor says (recipe.h), over TLS 1.2 or newer or plain, to that very address.  Each has a
 * connection of its own and leaves nothing behind: no cookie, no session, no proxy asked, no redirect followed but to the
 * one host that the monitor allows.  Of the answer at most 64 KB of header fields, and as much of the body as the monitor
 * says, are read.  A body that is longer is judged by that: a health page that long is odd, but it was served.
 *
 *	checks.c    from first to last             check.c     its phases and time limits
 *	request.c   how a request is set up        redirect.c  where it goes
 *	answer.c    what is kept of the answer     sight.c, certificate.c, chains.c  whom we speak with
 *	reason.c    what went wrong, in words      expect.c, range.c  whether it is what was expected
 *	outcome.c   what came of it all            tell.c      all of it, for who asked
 */
struct checks;
struct check;

/* What came of it, lent for the call; the callee may start and cancel checks.  NULL: this process is short of something. */
typedef void (*check_done_fn)(void *context, const struct judge_check *result);

struct check_order {
	struct recipe *recipe; /* of its monitor; held by the check */
	struct address address;
	struct check_memory
		*memory;	   /* of this address; outlives the check; NULL: nothing is known */
	const struct reach *reach; /* outlives the check; NULL: it may connect anywhere */
	struct findings *findings; /* outlives the check; NULL: nobody asked */
	check_done_fn done;
	void *context;
};

/* `servers` are those that resolve the host of a redirect, as for names_new(). */
struct checks *checks_new(struct event_base *base, const char *servers);
/* When none of its checks runs any more.  NULL is allowed. */
void checks_free(struct checks *checks);

/* The check is over, and its address void, when `done` was called or check_cancel(). */
struct check *check_start(struct checks *checks, const struct check_order *order);
void check_cancel(struct check *check); /* NULL is allowed */

#endif
