/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_MULTI_H
#define OUTBOUND_MULTI_H

#include <curl/curl.h>

struct event_base;

/*
 * multi - transfers of libcurl on the event loop.
 */
struct multi;

/* A transfer that was added is over: the callee takes it out, and may add and remove others. */
typedef void (*multi_done_fn)(CURL *easy, CURLcode code, void *context);

struct multi *multi_new(struct event_base *base, multi_done_fn done, void *context);
void multi_free(struct multi *multi); /* when nothing is in it; NULL is allowed */

void multi_add(struct multi *multi, CURL *easy);
/* One that is not over is cancelled by it; one that is not in it is none of its business. */
void multi_remove(struct multi *multi, CURL *easy);

#endif
