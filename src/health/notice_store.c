/* SPDX-License-Identifier: Apache-2.0 */
#include "notice_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

/*
 *	version:1  listener_count:1 name...  entry_count:4 entry...
 *	entry:  kind:1 pool|- member|- monitor|- address  since:8 reason  (level:1 at:8)...   for each listener
 *
 * Entries are sorted; each has a level above 0 for somebody.
 */
#define STORE_VERSION 1
#define ENTRY_SIZE_MIN (1 + 3 * 2 + 1 + 8 + 2)
#define TOLD_SIZE 9

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

int notice_subject_compare(const struct notice_subject *a, const struct notice_subject *b)
{
	int order = (int)a->kind - (int)b->kind;

	if (order == 0)
		order = compare_texts(a->pool, b->pool);
	if (order == 0)
		order = compare_texts(a->member, b->member);
	if (order == 0)
		order = compare_texts(a->monitor, b->monitor);
	return order ? order : address_compare(&a->address, &b->address);
}

static char *text_or_null(const char *text)
{
	return text ? memory_text(text) : NULL;
}

struct notice_entry *notice_entry_new(
	const struct notices *notices, const struct notice_subject *subject)
{
	struct notice_entry *entry = memory_new(sizeof(*entry));

	entry->subject = *subject;
	entry->subject.pool = text_or_null(subject->pool);
	entry->subject.member = text_or_null(subject->member);
	entry->subject.monitor = text_or_null(subject->monitor);
	entry->reason = memory_text("");
	entry->told = memory_new((notices->listener_count + 1) * sizeof(entry->told[0]));
	return entry;
}

void notice_entry_free(struct notice_entry *entry)
{
	free((char *)entry->subject.pool);
	free((char *)entry->subject.member);
	free((char *)entry->subject.monitor);
	free(entry->reason);
	free(entry->told);
	free(entry);
}

/* ---- listeners ---- */

void notice_store_drop_listeners(struct notices *notices)
{
	for (size_t i = 0; i < notices->listener_count; i++)
		free((char *)notices->listeners[i].name);
	free(notices->listeners);
	notices->listeners = NULL;
	notices->listener_count = 0;
}

static const struct notice_told *find_told(
	const struct notices *notices, const struct notice_entry *entry, const char *name)
{
	for (size_t i = 0; i < notices->listener_count; i++)
		if (strcmp(notices->listeners[i].name, name) == 0)
			return &entry->told[i];
	return NULL;
}

void notices_set_listeners(
	struct notices *notices, const struct notice_listener *listeners, size_t count)
{
	assert(count <= NOTICE_LISTENERS_MAX);

	struct notice_listener *fresh = memory_new((count + 1) * sizeof(fresh[0]));

	for (size_t i = 0; i < notices->count; i++) {
		struct notice_entry *entry = notices->entries[i];
		struct notice_told *told = memory_new((count + 1) * sizeof(told[0]));

		for (size_t k = 0; k < count; k++) {
			const struct notice_told *old =
				find_told(notices, entry, listeners[k].name);

			if (old)
				told[k] = *old;
		}
		free(entry->told);
		entry->told = told;
	}
	for (size_t i = 0; i < count; i++) {
		fresh[i] = listeners[i];
		fresh[i].name = memory_text(listeners[i].name);
	}
	notice_store_drop_listeners(notices);
	notices->listeners = fresh;
	notices->listener_count = count;
}

/* ---- writing ---- */

static bool is_settled(const struct notices *notices, const struct notice_entry *entry)
{
	for (size_t i = 0; i < notices->listener_count; i++)
		if (entry->told[i].settled > 0)
			return true;
	return false;
}

static void write_entry(const struct notices *notices, const struct notice_entry *entry,
	const struct notice_clock *clock, struct text *bytes)
{
	bytes_write_u8(bytes, (uint8_t)entry->subject.kind);
	bytes_write_text(bytes, entry->subject.pool);
	bytes_write_text(bytes, entry->subject.member);
	bytes_write_text(bytes, entry->subject.monitor);
	bytes_write_address(bytes, &entry->subject.address);
	bytes_write_u64(bytes, entry->since_unix_s);
	bytes_write_text(bytes, entry->reason);
	for (size_t i = 0; i < notices->listener_count; i++) {
		uint64_t age_s = (clock->now_ms - entry->told[i].at_ms) / 1000;

		bytes_write_u8(bytes, entry->told[i].settled);
		bytes_write_u64(bytes, clock->now_unix_s > age_s ? clock->now_unix_s - age_s : 0);
	}
}

void notices_write(
	const struct notices *notices, const struct notice_clock *clock, struct text *ret_bytes)
{
	uint32_t count = 0;

	bytes_write_u8(ret_bytes, STORE_VERSION);
	bytes_write_u8(ret_bytes, (uint8_t)notices->listener_count);
	for (size_t i = 0; i < notices->listener_count; i++)
		bytes_write_text(ret_bytes, notices->listeners[i].name);
	for (size_t i = 0; i < notices->count; i++)
		count += is_settled(notices, notices->entries[i]);
	bytes_write_u32(ret_bytes, count);
	for (size_t i = 0; i < notices->count; i++)
		if (is_settled(notices, notices->entries[i]))
			write_entry(notices, notices->entries[i], clock, ret_bytes);
}

/* ---- reading ---- */

/* Heap; NULL where it was, and on failure. */
static char *read_text(struct bytes_reader *reader)
{
	size_t size;
	const char *text = bytes_read_text(reader, &size);
	char *copy = text ? memory_new(size + 1) : NULL;

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

/* When it was told, on the clock that runs now; at a time that is yet to come, now. */
static uint64_t told_at_ms(uint64_t at_unix_s, const struct notice_clock *clock)
{
	uint64_t age_s = clock->now_unix_s > at_unix_s ? clock->now_unix_s - at_unix_s : 0;
	uint64_t most_s = clock->now_ms / 1000;

	return clock->now_ms - (age_s < most_s ? age_s : most_s) * 1000;
}

static bool read_told(struct bytes_reader *reader, const struct notices *notices,
	const struct notice_clock *clock, struct notice_entry *entry)
{
	for (size_t i = 0; i < notices->listener_count; i++) {
		uint8_t level = bytes_read_u8(reader);

		if (level > notice_kind_levels(entry->subject.kind))
			return false;
		entry->told[i] = (struct notice_told){.level = level,
			.settled = level,
			.at_ms = told_at_ms(bytes_read_u64(reader), clock)};
		if (level > entry->level)
			entry->level = level;
	}
	return !reader->failed && entry->level > 0;
}

/* Its level is the worst that was told: what it is now is seen at the next step. */
static struct notice_entry *read_entry(struct bytes_reader *reader, const struct notices *notices,
	const struct notice_clock *clock)
{
	struct notice_subject subject = {.kind = bytes_read_u8(reader)};

	subject.pool = read_text(reader);
	subject.member = read_text(reader);
	subject.monitor = read_text(reader);
	subject.address = bytes_read_address(reader);

	struct notice_entry *entry = notice_entry_new(notices, &subject);

	free((char *)subject.pool);
	free((char *)subject.member);
	free((char *)subject.monitor);
	entry->since_unix_s = bytes_read_u64(reader);
	free(entry->reason);
	entry->reason = read_text(reader);
	if (entry->reason && subject.kind < NOTICE_KINDS &&
		read_told(reader, notices, clock, entry))
		return entry;
	notice_entry_free(entry);
	return NULL;
}

static bool read_listeners(struct bytes_reader *reader, struct notices *notices)
{
	size_t count = bytes_read_u8(reader);

	notices->listeners = memory_new((count + 1) * sizeof(notices->listeners[0]));
	for (size_t i = 0; i < count; i++) {
		notices->listeners[i].name = read_text(reader);
		if (!notices->listeners[i].name)
			return false;
		notices->listener_count++;
	}
	return !reader->failed;
}

static bool read_entries(
	struct bytes_reader *reader, struct notices *notices, const struct notice_clock *clock)
{
	size_t count = bytes_read_u32(reader);
	size_t entry_size = ENTRY_SIZE_MIN + notices->listener_count * TOLD_SIZE;

	if (reader->failed || count > reader->left / entry_size)
		return false;
	notices->entries = memory_new((count + 1) * sizeof(notices->entries[0]));
	for (size_t i = 0; i < count; i++) {
		struct notice_entry *entry = read_entry(reader, notices, clock);

		if (!entry)
			return false;
		notices->entries[notices->count++] = entry;
		if (i > 0 &&
			notice_subject_compare(
				&notices->entries[i - 1]->subject, &entry->subject) >= 0)
			return false;
	}
	return reader->left == 0;
}

static void drop_all(struct notices *notices)
{
	for (size_t i = 0; i < notices->count; i++)
		notice_entry_free(notices->entries[i]);
	free(notices->entries);
	notices->entries = NULL;
	notices->count = 0;
	notice_store_drop_listeners(notices);
}

bool notices_read(struct notices *notices, const void *bytes, size_t size,
	const struct notice_clock *clock, struct err *err)
{
	struct bytes_reader reader = {.at = bytes, .left = size};

	drop_all(notices);
	if (bytes_read_u8(&reader) == STORE_VERSION && read_listeners(&reader, notices) &&
		read_entries(&reader, notices, clock))
		return true;
	drop_all(notices);
	return err_set(err, "what was told is cut off, or cannot be");
}
