/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_OUTBOX_H
#define DAEMON_OUTBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "steerd/config/settings.h"
#include "steerd/link/link.h"

/*
 * outbox - notices that were given to the prober, kept until it says what became of them: one that dies forgets them.
 *
 * At most LINK_NOTICES_MAX; beyond that the oldest goes.  Pure but for memory.  [main]
 */
struct outbox_item {
	struct link_notice notice; /* its texts are the item's */
	char *receiver; /* the notify's name: its index differs with each configuration */
	uint64_t put_at_ms;
	TAILQ_ENTRY(outbox_item) link;
};

struct outbox {
	TAILQ_HEAD(, outbox_item) items; /* the oldest first */
	size_t count;
};

void outbox_init(struct outbox *outbox);
void outbox_done(struct outbox *outbox);

/* Copies it; `notify` of the notice is not looked at. */
void outbox_put(struct outbox *outbox, const struct link_notice *notice, const char *receiver,
	uint64_t now_ms);
/* NULL: it is not there. */
const struct outbox_item *outbox_find(const struct outbox *outbox, uint64_t id);
/* The oldest, if there are too many; else NULL. */
const struct outbox_item *outbox_surplus(const struct outbox *outbox);
/* The first whose receiver is none of these; NULL: none. */
const struct outbox_item *outbox_orphan(
	const struct outbox *outbox, const struct settings_notify *notifies, size_t count);
void outbox_drop(struct outbox *outbox, uint64_t id);

/* The notice with the index of its receiver; false if that is not there. */
bool outbox_address(const struct outbox_item *item, const struct settings_notify *notifies,
	size_t count, struct link_notice *ret_notice);

#endif
