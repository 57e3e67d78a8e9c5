/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/multi.h"

#include <event2/event.h>
#include <stdlib.h>

#include "steerd/base/memory.h"

struct multi {
	struct event_base *base;
	CURLM *handle;
	struct event *timer;
	multi_done_fn done;
	void *context;
};

static void finish_all(struct multi *multi)
{
	int left;

	for (CURLMsg *message; (message = curl_multi_info_read(multi->handle, &left));) {
		if (message->msg != CURLMSG_DONE)
			continue;

		/* the message is void once the transfer is out */
		multi->done(message->easy_handle, message->data.result, multi->context);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct multi *multi = context;
	int ready =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(multi->handle, fd, ready, &running);
	finish_all(multi);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct multi *multi = context;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_all(multi);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *fd_context)
{
	struct multi *multi = context;
	struct event *event = fd_context;
	short wanted = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what & CURL_POLL_IN)
			wanted |= EV_READ;
		if (what & CURL_POLL_OUT)
			wanted |= EV_WRITE;
		event = event_new(multi->base, fd, wanted, on_socket, multi);
		event_add(event, NULL);
	}
	curl_multi_assign(multi->handle, fd, event);
	return 0;
}

static int want_timer(CURLM *handle, long timeout_ms, void *context)
{
	struct multi *multi = context;
	struct timeval timeout = {
		.tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};

	(void)handle;
	if (timeout_ms < 0)
		event_del(multi->timer);
	else
		event_add(multi->timer, &timeout);
	return 0;
}

struct multi *multi_new(struct event_base *base, multi_done_fn done, void *context)
{
	struct multi *multi = memory_new(sizeof(*multi));

	multi->base = base;
	multi->done = done;
	multi->context = context;
	multi->timer = evtimer_new(base, on_timer, multi);
	multi->handle = curl_multi_init();
	if (!multi->handle || !multi->timer)
		abort(); /* out of memory, as base/memory.c would say */
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
	return multi;
}

void multi_free(struct multi *multi)
{
	if (!multi)
		return;
	curl_multi_cleanup(multi->handle);
	event_free(multi->timer);
	free(multi);
}

void multi_add(struct multi *multi, CURL *easy)
{
	curl_multi_add_handle(multi->handle, easy);
}

void multi_remove(struct multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->handle, easy);
}
