/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/notice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "notice_store.h"
#include "steerd/base/memory.h"

/* By kind and level: what it is called to get there, to come back from there to 0, and who hears of it. */
static const struct {
	uint8_t levels;
	uint32_t hears[NOTICE_LEVEL_MAX + 1];
	const char *begins[NOTICE_LEVEL_MAX + 1];
	const char *ends[NOTICE_LEVEL_MAX + 1];
} kinds[NOTICE_KINDS] = {
	[NOTICE_MEMBER] = {2, {0, NOTICE_HEARS_DEGRADED, NOTICE_HEARS_DOWN},
		{NULL, "member-degraded", "member-down"}, {NULL, "member-well", "member-up"}},
	[NOTICE_POOL] = {2, {0, NOTICE_HEARS_POOL, NOTICE_HEARS_POOL},
		{NULL, "pool-panic", "pool-lost"}, {NULL, "pool-back", "pool-back"}},
	[NOTICE_NEVER_UP] = {1, {0, NOTICE_HEARS_NEVER_UP}, {NULL, "member-never-up"},
		{NULL, "member-up"}},
	[NOTICE_CERTIFICATE] = {1, {0, NOTICE_HEARS_CERTIFICATE}, {NULL, "certificate-ends"},
		{NULL, "certificate-renewed"}},
	[NOTICE_OBSERVER] = {1, {0, NOTICE_HEARS_OBSERVER}, {NULL, "observer-suspect"},
		{NULL, "observer-trusted"}},
	[NOTICE_PROBER] = {1, {0, NOTICE_HEARS_OBSERVER}, {NULL, "prober-gone"},
		{NULL, "prober-back"}},
};

uint8_t notice_kind_levels(enum notice_kind kind)
{
	return kinds[kind].levels;
}

struct notices *notices_new(uint64_t first_id)
{
	struct notices *notices = memory_new(sizeof(*notices));

	notices->next_id = first_id;
	return notices;
}

void notices_free(struct notices *notices)
{
	if (!notices)
		return;
	for (size_t i = 0; i < notices->count; i++)
		notice_entry_free(notices->entries[i]);
	free(notices->entries);
	notice_store_drop_listeners(notices);
	free(notices->out);
	free(notices);
}

/* ---- how bad, since when ---- */

static void set_level(struct notice_entry *entry, uint8_t level, uint64_t now_ms)
{
	for (uint8_t at = 1; at <= NOTICE_LEVEL_MAX; at++)
		if ((entry->level >= at) != (level >= at))
			entry->crossed_at_ms[at] = now_ms;
	entry->level = level;
}

static void note_trouble(struct notice_entry *entry, const struct notice_trouble *trouble,
	const struct notice_clock *clock)
{
	entry->is_unknown = trouble->level == NOTICE_UNKNOWN;
	if (entry->is_unknown)
		return;
	assert(trouble->level > 0 && trouble->level <= kinds[trouble->subject.kind].levels);
	set_level(entry, trouble->level, clock->now_ms);
	entry->was_never_up = trouble->was_never_up;
	entry->delay_ms = trouble->delay_ms;
	entry->since_unix_s = trouble->since_unix_s;
	if (strcmp(entry->reason, trouble->reason) != 0) {
		free(entry->reason);
		entry->reason = memory_text(trouble->reason);
	}
}

static void note_end(struct notice_entry *entry, const struct notice_clock *clock)
{
	entry->is_unknown = false;
	if (entry->level == 0)
		return;
	set_level(entry, 0, clock->now_ms);
	entry->since_unix_s = clock->now_unix_s;
}

/* ---- what is due ---- */

static bool hears(
	const struct notice_listener *listener, const struct notice_entry *entry, uint8_t level)
{
	if (entry->subject.kind == NOTICE_MEMBER && entry->was_never_up &&
		listener->hears & NOTICE_HEARS_NEVER_UP)
		return false;
	return (kinds[entry->subject.kind].hears[level] & listener->hears) != 0;
}

static bool has_stood(
	const struct notice_entry *entry, uint8_t level, uint64_t for_ms, uint64_t now_ms)
{
	return now_ms - entry->crossed_at_ms[level] >= for_ms;
}

/* The worst level that it has been at or above for long enough; `told` if that is worse. */
static uint8_t risen_to(const struct notice_entry *entry, const struct notice_listener *listener,
	uint8_t told, uint64_t now_ms)
{
	uint64_t wait_ms =
		listener->after_ms > entry->delay_ms ? listener->after_ms : entry->delay_ms;

	for (uint8_t level = entry->level; level > told; level--)
		if (hears(listener, entry, level) && has_stood(entry, level, wait_ms, now_ms))
			return level;
	return told;
}

/* The best one that it has been at or below for long enough. */
static uint8_t fallen_to(const struct notice_entry *entry, const struct notice_listener *listener,
	uint8_t told, uint64_t now_ms)
{
	while (told > entry->level && has_stood(entry, told, listener->after_ms, now_ms))
		told--;
	/* what it does not hear of is as good as what is below */
	while (told > 0 && !(kinds[entry->subject.kind].hears[told] & listener->hears))
		told--;
	return told;
}

static const char *event_of(enum notice_kind kind, uint8_t from, uint8_t to)
{
	return to > 0 ? kinds[kind].begins[to] : kinds[kind].ends[from];
}

static void say(struct notices *notices, struct notice_entry *entry, uint32_t listener,
	const struct notice *what)
{
	struct notice_told *told = &entry->told[listener];
	struct notice notice = *what;

	notice.id = notices->next_id++;
	notice.listener = listener;
	notice.subject = entry->subject;
	notice.since_unix_s = entry->since_unix_s;
	notice.reason = entry->reason;
	told->level = notice.level;
	told->id = notice.id;
	notices->out = MEMORY_GROW(notices->out, notices->out_count, &notices->out_capacity);
	notices->out[notices->out_count++] = notice;
}

static void look_for(struct notices *notices, struct notice_entry *entry, uint32_t which,
	const struct notice_clock *clock)
{
	const struct notice_listener *listener = &notices->listeners[which];
	struct notice_told *told = &entry->told[which];
	uint8_t level = risen_to(entry, listener, told->level, clock->now_ms);

	if (level == told->level)
		level = fallen_to(entry, listener, told->level, clock->now_ms);
	if (level != told->level) {
		const char *event = event_of(entry->subject.kind, told->level, level);

		told->at_ms = clock->now_ms;
		say(notices, entry, which, &(struct notice){.event = event, .level = level});
	} else if (level > 0 && entry->level >= level && listener->repeat_ms > 0 &&
		clock->now_ms - told->at_ms >= listener->repeat_ms) {
		told->at_ms = clock->now_ms;
		say(notices, entry, which,
			&(struct notice){.event = kinds[entry->subject.kind].begins[level],
				.level = level,
				.is_repeat = true});
	}
}

/* ---- all of them ---- */

static int compare_troubles(const void *a, const void *b)
{
	const struct notice_trouble *const *left = a;
	const struct notice_trouble *const *right = b;

	return notice_subject_compare(&(*left)->subject, &(*right)->subject);
}

/* Both lists are sorted: merged, so that each subject of either has its entry. */
static void merge(struct notices *notices, const struct notice_trouble *const *troubles,
	size_t count, const struct notice_clock *clock)
{
	struct notice_entry **merged =
		memory_new((notices->count + count) * sizeof(notices->entries[0]));
	size_t merged_count = 0;
	size_t old = 0;

	for (size_t i = 0; i < count || old < notices->count;) {
		int order = i == count ? -1
			: old == notices->count
			? 1
			: notice_subject_compare(
				  &notices->entries[old]->subject, &troubles[i]->subject);

		if (order < 0) {
			note_end(notices->entries[old], clock);
			merged[merged_count++] = notices->entries[old++];
			continue;
		}
		if (order == 0) {
			note_trouble(notices->entries[old], troubles[i], clock);
			merged[merged_count++] = notices->entries[old++];
		} else if (troubles[i]->level != NOTICE_UNKNOWN) {
			merged[merged_count] = notice_entry_new(notices, &troubles[i]->subject);
			note_trouble(merged[merged_count++], troubles[i], clock);
		}
		i++;
	}
	free(notices->entries);
	notices->entries = merged;
	notices->count = merged_count;
}

/* It is well, and all know. */
static bool is_over(const struct notices *notices, const struct notice_entry *entry)
{
	if (entry->level > 0 || entry->is_unknown)
		return false;
	for (size_t i = 0; i < notices->listener_count; i++)
		if (entry->told[i].level > 0 || entry->told[i].settled > 0)
			return false;
	return true;
}

static void drop_what_is_over(struct notices *notices)
{
	size_t kept = 0;

	for (size_t i = 0; i < notices->count; i++) {
		if (is_over(notices, notices->entries[i]))
			notice_entry_free(notices->entries[i]);
		else
			notices->entries[kept++] = notices->entries[i];
	}
	notices->count = kept;
}

const struct notice *notices_step(struct notices *notices, const struct notice_trouble *troubles,
	size_t count, const struct notice_clock *clock, size_t *ret_count)
{
	const struct notice_trouble **sorted = memory_new((count + 1) * sizeof(sorted[0]));

	for (size_t i = 0; i < count; i++)
		sorted[i] = &troubles[i];
	qsort(sorted, count, sizeof(sorted[0]), compare_troubles);
	/* what was said last lent texts of entries: these go only now */
	drop_what_is_over(notices);
	merge(notices, sorted, count, clock);
	free(sorted);
	notices->out_count = 0;
	for (size_t i = 0; i < notices->count; i++)
		for (uint32_t k = 0;
			k < notices->listener_count && !notices->entries[i]->is_unknown; k++)
			look_for(notices, notices->entries[i], k, clock);
	*ret_count = notices->out_count;
	return notices->out;
}

void notices_settle(struct notices *notices, uint64_t id)
{
	for (size_t i = 0; i < notices->count; i++)
		for (size_t k = 0; k < notices->listener_count; k++) {
			struct notice_told *told = &notices->entries[i]->told[k];

			if (told->id != id || told->settled == told->level)
				continue;
			told->settled = told->level;
			notices->is_changed = true;
		}
}

bool notices_is_changed(struct notices *notices)
{
	bool is_changed = notices->is_changed;

	notices->is_changed = false;
	return is_changed;
}
