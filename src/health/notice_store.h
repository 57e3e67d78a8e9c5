/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_NOTICE_STORE_H
#define HEALTH_NOTICE_STORE_H

#include "steerd/health/notice.h"

/*
 * notice_store - what notice.c keeps: a thing that is or was in trouble, and what each listener was told of it.
 */
struct notice_told {
	uint8_t level;
	uint8_t settled; /* the level of the last notice that arrived: what is on disk */
	uint64_t at_ms;	 /* monotonic; when it was said last */
	uint64_t id;	 /* of that notice */
};

struct notice_entry {
	struct notice_subject subject; /* its texts are the entry's */
	uint8_t level;
	bool is_unknown;
	bool was_never_up;
	uint32_t delay_ms;
	uint64_t crossed_at_ms[NOTICE_LEVEL_MAX +
		1]; /* when it was last to reach or leave each level */
	uint64_t since_unix_s;
	char *reason;
	struct notice_told *told; /* by listener */
};

struct notices {
	uint64_t next_id;
	struct notice_listener *listeners; /* heap, names too */
	size_t listener_count;
	struct notice_entry **entries; /* sorted by subject */
	size_t count;
	struct notice *out;
	size_t out_count;
	size_t out_capacity;
	bool is_changed; /* what is settled */
};

/* notice.c: the highest level of a kind. */
uint8_t notice_kind_levels(enum notice_kind kind);

int notice_subject_compare(const struct notice_subject *a, const struct notice_subject *b);
/* At level 0, told to nobody; copies the texts. */
struct notice_entry *notice_entry_new(
	const struct notices *notices, const struct notice_subject *subject);
void notice_entry_free(struct notice_entry *entry);
void notice_store_drop_listeners(struct notices *notices);

#endif
