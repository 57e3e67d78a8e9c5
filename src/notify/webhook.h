/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOTIFY_WEBHOOK_H
#define NOTIFY_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/text.h"
#include "steerd/link/link.h"
#include "steerd/probe/orders.h"

struct event_base;

/*
 * webhook - one POST of a notice to the URL of who wants to hear of it.
 *
 * The host's addresses are asked of the DNS, and judged as those of checks are (reach.h).  TLS is verified always,
 * redirects are refused, nothing of a connection is kept, and no proxy is asked.  2xx means that it arrived; what else
 * is answered is not read beyond 64 KB.
 */
struct webhooks;
struct webhook;

#define WEBHOOK_TIMEOUT_MS 10000

/* `why` is lent for the call; "" when it arrived. */
typedef void (*webhook_done_fn)(void *context, bool arrived, const char *why);

struct webhook_order {
	struct orders *orders;		      /* held */
	const struct settings_notify *notify; /* of these orders */
	const struct link_notice *notice;     /* must outlive it */
	webhook_done_fn done;		      /* never called within webhook_start() */
	void *context;
};

/* `servers` as for names.h. */
struct webhooks *webhooks_new(struct event_base *base, const char *servers);
void webhooks_free(struct webhooks *webhooks); /* when none is under way; NULL is allowed */

/* Over, and its address void, when `done` was called or webhook_cancel(). */
struct webhook *webhook_start(struct webhooks *webhooks, const struct webhook_order *order);
void webhook_cancel(struct webhook *webhook); /* NULL is allowed */

/*
 * What the header field `steerd-signature` says: "t=UNIX,v1=HEX", where HEX is the HMAC-SHA-256 of "UNIX.BODY".  The
 * line ends that close a file of the secret are not of it.
 */
void webhook_sign(const struct settings_file *secret, uint64_t now_unix_s, const char *body,
	struct text *ret_value);

#endif
