/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

void outbox_init(struct outbox *outbox)
{
	TAILQ_INIT(&outbox->items);
	outbox->count = 0;
}

static void remove_item(struct outbox *outbox, struct outbox_item *item)
{
	TAILQ_REMOVE(&outbox->items, item, link);
	outbox->count--;
	free((char *)item->notice.body);
	free((char *)item->notice.event);
	free((char *)item->notice.subject);
	free((char *)item->notice.reason);
	free(item->receiver);
	free(item);
}

void outbox_done(struct outbox *outbox)
{
	struct outbox_item *item;

	while ((item = TAILQ_FIRST(&outbox->items)))
		remove_item(outbox, item);
}

void outbox_put(struct outbox *outbox, const struct link_notice *notice, const char *receiver,
	uint64_t now_ms)
{
	struct outbox_item *item = memory_new(sizeof(*item));

	item->notice = *notice;
	item->notice.body = memory_text(notice->body);
	item->notice.event = memory_text(notice->event);
	item->notice.subject = memory_text(notice->subject);
	item->notice.reason = memory_text(notice->reason);
	item->receiver = memory_text(receiver);
	item->put_at_ms = now_ms;
	TAILQ_INSERT_TAIL(&outbox->items, item, link);
	outbox->count++;
}

const struct outbox_item *outbox_find(const struct outbox *outbox, uint64_t id)
{
	const struct outbox_item *item;

	TAILQ_FOREACH(item, &outbox->items, link)
	if (item->notice.id == id)
		return item;
	return NULL;
}

const struct outbox_item *outbox_surplus(const struct outbox *outbox)
{
	return outbox->count > LINK_NOTICES_MAX ? TAILQ_FIRST(&outbox->items) : NULL;
}

bool outbox_address(const struct outbox_item *item, const struct settings_notify *notifies,
	size_t count, struct link_notice *ret_notice)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(notifies[i].name, item->receiver) != 0)
			continue;
		*ret_notice = item->notice;
		ret_notice->notify = (uint32_t)i;
		return true;
	}
	return false;
}

const struct outbox_item *outbox_orphan(
	const struct outbox *outbox, const struct settings_notify *notifies, size_t count)
{
	const struct outbox_item *item;
	struct link_notice notice;

	TAILQ_FOREACH(item, &outbox->items, link)
	if (!outbox_address(item, notifies, count, &notice))
		return item;
	return NULL;
}

void outbox_drop(struct outbox *outbox, uint64_t id)
{
	struct outbox_item *item;

	TAILQ_FOREACH(item, &outbox->items, link)
	{
		if (item->notice.id != id)
			continue;
		remove_item(outbox, item);
		return;
	}
}
