/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/override.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

#define SITE_MARK "site:"

static void free_texts(struct override *override)
{
	free((char *) override->subject);
	free((char *) override->reason);
	free((char *) override->by);
}

void override_list_done(struct override_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free_texts(&list->items[i]);
	free(list->items);
	*list = (struct override_list){0};
}

static void remove_at(struct override_list *list, size_t index)
{
	free_texts(&list->items[index]);
	list->count--;
	memmove(list->items + index, list->items + index + 1,
		(list->count - index) * sizeof(list->items[0]));
}

static bool is_same(const struct override *a, const struct override *b)
{
	return a->kind == b->kind && a->since_unix_s == b->since_unix_s &&
		a->until_unix_s == b->until_unix_s && strcmp(a->reason, b->reason) == 0 &&
		strcmp(a->by, b->by) == 0;
}

/* Index of what stands for the subject, `list->count` if nothing does. */
static size_t index_of(const struct override_list *list, const char *subject)
{
	size_t index = 0;

	while (index < list->count && strcmp(list->items[index].subject, subject) != 0)
		index++;
	return index;
}

bool override_list_set(struct override_list *list, const struct override *override)
{
	size_t index = index_of(list, override->subject);
	bool stands = index < list->count;

	if (override->kind == OVERRIDE_NONE && !stands)
		return false;
	if (stands && is_same(&list->items[index], override))
		return false;

	/* copied before the old one goes: the caller may pass an item of the list */
	struct override copy = *override;

	copy.subject = memory_text(override->subject);
	copy.reason = memory_text(override->reason);
	copy.by = memory_text(override->by);
	if (stands)
		remove_at(list, index);
	if (copy.kind == OVERRIDE_NONE) {
		free_texts(&copy);
		return true;
	}
	list->items = MEMORY_GROW(list->items, list->count, &list->capacity);
	list->items[list->count++] = copy;
	return true;
}

bool override_list_expire(struct override_list *list, uint64_t now_unix_s)
{
	size_t before = list->count;

	for (size_t i = list->count; i-- > 0;) {
		uint64_t until = list->items[i].until_unix_s;

		if (until != 0 && until <= now_unix_s)
			remove_at(list, i);
	}
	return list->count != before;
}

static bool names_pool_member(const char *subject, const char *pool, const char *member)
{
	size_t size = strlen(pool);

	return strncmp(subject, pool, size) == 0 && subject[size] == '/' &&
		strcmp(subject + size + 1, member) == 0;
}

static bool names_site(const char *subject, const char *site)
{
	return site && strncmp(subject, SITE_MARK, strlen(SITE_MARK)) == 0 &&
		strcmp(subject + strlen(SITE_MARK), site) == 0;
}

/* How narrowly the subject names the member; 0: not at all. */
static int narrowness(const char *subject, const char *pool, const char *member, const char *site)
{
	if (names_pool_member(subject, pool, member))
		return 3;
	if (strcmp(subject, member) == 0)
		return 2;
	return names_site(subject, site) ? 1 : 0;
}

const struct override *override_list_find(
	const struct override_list *list, const char *pool, const char *member, const char *site)
{
	const struct override *best = NULL;
	int best_narrowness = 0;

	for (size_t i = 0; i < list->count; i++) {
		int this = narrowness(list->items[i].subject, pool, member, site);

		/* newest last: among equals the later one */
		if (this > 0 && this >= best_narrowness) {
			best = &list->items[i];
			best_narrowness = this;
		}
	}
	return best;
}
