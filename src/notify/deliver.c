/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/notify/deliver.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/runner.h"
#include "webhook.h"

#define PAUSE_MIN_MS 2000
#define PAUSE_MAX_MS 1024000
#define GIVE_UP_MS 3600000

#define COMMANDS_AT_ONCE 4
#define COMMAND_TIMEOUT_MS 30000

struct item {
	struct link_notice notice; /* its texts are the item's */
	uint64_t taken_at_ms;
	uint32_t tries;
	TAILQ_ENTRY(item) link;
};

TAILQ_HEAD(item_queue, item);

/* A receiver: of the items the first is under way, or waits for the next try. */
struct lane {
	struct deliver *deliver;
	char *name;
	const struct settings_notify *notify; /* of the orders that hold; NULL while lanes change */
	struct item_queue items;
	struct event *again;
	uint32_t pause_ms;
	struct webhook *webhook; /* under way, or NULL */
	struct run *run;	 /* the same */
};

struct deliver {
	struct event_base *base;
	struct deliver_options options;
	struct webhooks *webhooks;
	struct runner *runner;
	struct orders *orders; /* held; NULL before the first */
	struct lane **lanes;   /* by index of the orders' notifies */
	size_t lane_count;
	size_t count; /* items in all lanes */
};

static void try_next(struct lane *lane);

/* ---- items ---- */

static struct item *item_new(const struct link_notice *notice)
{
	struct item *item = memory_new(sizeof(*item));

	item->notice = *notice;
	item->notice.body = memory_text(notice->body);
	item->notice.event = memory_text(notice->event);
	item->notice.subject = memory_text(notice->subject);
	item->notice.reason = memory_text(notice->reason);
	item->taken_at_ms = clock_monotonic_ms();
	return item;
}

static void item_free(struct item *item)
{
	free((char *)item->notice.body);
	free((char *)item->notice.event);
	free((char *)item->notice.subject);
	free((char *)item->notice.reason);
	free(item);
}

/* Takes it out; `why` is "" if it arrived. */
static void settle(struct lane *lane, struct item *item, const char *why)
{
	const struct link_delivered delivered = {
		.id = item->notice.id, .done = *why == '\0', .tries = item->tries, .why = why};

	TAILQ_REMOVE(&lane->items, item, link);
	lane->deliver->count--;
	item_free(item);
	lane->deliver->options.done(lane->deliver->options.context, &delivered);
}

/* ---- a try ---- */

static void try_later(struct lane *lane)
{
	const struct timeval pause = {.tv_sec = lane->pause_ms / 1000,
		.tv_usec = (suseconds_t)(lane->pause_ms % 1000) * 1000};

	lane->pause_ms = lane->pause_ms * 2 < PAUSE_MAX_MS ? lane->pause_ms * 2 : PAUSE_MAX_MS;
	event_add(lane->again, &pause);
}

static void note_try(struct lane *lane, const char *why)
{
	struct item *item = TAILQ_FIRST(&lane->items);

	item->tries++;
	if (*why == '\0') {
		lane->pause_ms = PAUSE_MIN_MS;
		settle(lane, item, "");
		try_next(lane);
		return;
	}
	if (item->tries == 1)
		log_warning("'%s' cannot be told: %s; it is tried again", lane->name, why);
	if (clock_monotonic_ms() - item->taken_at_ms >= GIVE_UP_MS)
		settle(lane, item, why);
	try_later(lane);
}

static void on_webhook(void *context, bool arrived, const char *why)
{
	struct lane *lane = context;

	(void)arrived;
	lane->webhook = NULL;
	note_try(lane, why);
}

static void print_end(const struct run_result *result, struct text *why)
{
	switch (result->end) {
	case RUN_EXITED:
		if (result->code != 0)
			text_print(why, "the command ended with exit code %d", result->code);
		return;
	case RUN_KILLED:
		text_print(why, "the command was killed by signal %d", result->code);
		return;
	case RUN_TIMED_OUT:
		text_print(why, "the command took longer than %d s", COMMAND_TIMEOUT_MS / 1000);
		return;
	case RUN_FLOODED:
		text_add(why, "the command wrote too much");
		return;
	case RUN_NOT_STARTED:
		text_print(why, "the command cannot be started: %s", strerror(result->code));
		return;
	}
}

static void on_run(void *context, const struct run_result *result)
{
	struct lane *lane = context;
	struct text why = {0};

	lane->run = NULL;
	print_end(result, &why);
	note_try(lane, why.size > 0 ? why.bytes : "");
	text_done(&why);
}

static void start_command(struct lane *lane, const struct link_notice *notice)
{
	struct text texts[3] = {0};
	const char *environment[COUNT_OF(texts) + 1] = {0};

	text_print(&texts[0], "STEERD_EVENT=%s", notice->event);
	text_print(&texts[1], "STEERD_SUBJECT=%s", notice->subject);
	text_print(&texts[2], "STEERD_REASON=%s", notice->reason);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		environment[i] = texts[i].bytes;
	lane->run = run_start(lane->deliver->runner,
		&(struct run_order){
			.command = lane->notify->command,
			.environment = environment,
			.input = notice->body,
			.timeout_ms = COMMAND_TIMEOUT_MS,
			.done = on_run,
			.context = lane,
		});
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		text_done(&texts[i]);
}

static void try_next(struct lane *lane)
{
	struct item *item = TAILQ_FIRST(&lane->items);

	if (!item || lane->webhook || lane->run || event_pending(lane->again, EV_TIMEOUT, NULL))
		return;
	if (!lane->notify->url) {
		start_command(lane, &item->notice);
		return;
	}
	lane->webhook = webhook_start(lane->deliver->webhooks,
		&(struct webhook_order){
			.orders = lane->deliver->orders,
			.notify = lane->notify,
			.notice = &item->notice,
			.done = on_webhook,
			.context = lane,
		});
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	try_next(context);
}

/* ---- lanes ---- */

static struct lane *lane_new(struct deliver *deliver, const char *name)
{
	struct lane *lane = memory_new(sizeof(*lane));

	lane->deliver = deliver;
	lane->name = memory_text(name);
	lane->pause_ms = PAUSE_MIN_MS;
	lane->again = evtimer_new(deliver->base, on_again, lane);
	TAILQ_INIT(&lane->items);
	return lane;
}

static void stop_trying(struct lane *lane)
{
	webhook_cancel(lane->webhook);
	run_cancel(lane->run);
	lane->webhook = NULL;
	lane->run = NULL;
}

static void lane_free(struct lane *lane)
{
	struct item *item;

	stop_trying(lane);
	while ((item = TAILQ_FIRST(&lane->items))) {
		TAILQ_REMOVE(&lane->items, item, link);
		item_free(item);
	}
	event_free(lane->again);
	free(lane->name);
	free(lane);
}

static struct lane *take_lane(struct deliver *deliver, const char *name)
{
	for (size_t i = 0; i < deliver->lane_count; i++) {
		struct lane *lane = deliver->lanes[i];

		if (!lane || strcmp(lane->name, name) != 0)
			continue;
		deliver->lanes[i] = NULL;
		return lane;
	}
	return NULL;
}

static void drop_lanes(struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->lane_count; i++) {
		struct lane *lane = deliver->lanes[i];
		struct item *item;

		if (!lane)
			continue;
		stop_trying(lane);
		while ((item = TAILQ_FIRST(&lane->items)))
			settle(lane, item, "its receiver is no longer configured");
		lane_free(lane);
	}
	free(deliver->lanes);
}

/* What is under way ends by the old orders, which it holds; a command's words were copied. */
void deliver_obey(struct deliver *deliver, struct orders *orders)
{
	size_t count = orders->link.notify_count;
	struct lane **lanes = memory_new((count + 1) * sizeof(lanes[0]));

	for (size_t i = 0; i < count; i++) {
		const struct settings_notify *notify = &orders->link.notifies[i];

		lanes[i] = take_lane(deliver, notify->name);
		if (!lanes[i])
			lanes[i] = lane_new(deliver, notify->name);
		lanes[i]->notify = notify;
	}
	drop_lanes(deliver);
	deliver->lanes = lanes;
	deliver->lane_count = count;
	orders_hold(orders);
	orders_drop(deliver->orders);
	deliver->orders = orders;
}

/* ---- the whole ---- */

static bool has_item(const struct deliver *deliver, uint64_t id)
{
	const struct item *item;

	for (size_t i = 0; i < deliver->lane_count; i++)
		TAILQ_FOREACH(item, &deliver->lanes[i]->items, link)
	if (item->notice.id == id)
		return true;
	return false;
}

static void drop_oldest(struct deliver *deliver)
{
	struct lane *oldest = NULL;

	for (size_t i = 0; i < deliver->lane_count; i++) {
		struct lane *lane = deliver->lanes[i];
		const struct item *first = TAILQ_FIRST(&lane->items);

		if (first &&
			(!oldest || first->taken_at_ms < TAILQ_FIRST(&oldest->items)->taken_at_ms))
			oldest = lane;
	}
	if (!oldest)
		return;
	stop_trying(oldest);
	settle(oldest, TAILQ_FIRST(&oldest->items), "too many others wait");
	try_next(oldest);
}

void deliver_take(struct deliver *deliver, const struct link_notice *notice)
{
	struct item *item;

	if (has_item(deliver, notice->id))
		return;
	if (notice->notify >= deliver->lane_count) {
		deliver->options.done(deliver->options.context,
			&(struct link_delivered){
				.id = notice->id, .why = "its receiver is not configured"});
		return;
	}
	if (deliver->count == LINK_NOTICES_MAX)
		drop_oldest(deliver);
	item = item_new(notice);
	TAILQ_INSERT_TAIL(&deliver->lanes[notice->notify]->items, item, link);
	deliver->count++;
	try_next(deliver->lanes[notice->notify]);
}

struct deliver *deliver_new(struct event_base *base, const struct deliver_options *options)
{
	struct deliver *deliver = memory_new(sizeof(*deliver));

	deliver->base = base;
	deliver->options = *options;
	deliver->webhooks = webhooks_new(base, options->servers);
	deliver->runner = runner_new(base, COMMANDS_AT_ONCE);
	return deliver;
}

void deliver_free(struct deliver *deliver)
{
	if (!deliver)
		return;
	for (size_t i = 0; i < deliver->lane_count; i++)
		lane_free(deliver->lanes[i]);
	free(deliver->lanes);
	runner_free(deliver->runner);
	webhooks_free(deliver->webhooks);
	orders_drop(deliver->orders);
	free(deliver);
}
