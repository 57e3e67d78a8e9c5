/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/lost.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "view.h"

/* What the pool lacked when it was last looked at; NULL: nothing. */
static const char *find(const struct lost *lost, const char *pool)
{
	for (size_t i = 0; i < lost->count; i++)
		if (strcmp(lost->items[i].pool, pool) == 0)
			return lost->items[i].what;
	return NULL;
}

static void collect(const struct view *view, struct lost *ret_lost)
{
	ret_lost->items = memory_new(view->pool_count * sizeof(ret_lost->items[0]));
	for (size_t i = 0; i < view->pool_count; i++) {
		const char *what = view_lost_words(&view->pools[i]);

		if (what)
			ret_lost->items[ret_lost->count++] =
				(struct lost_item){memory_text(view->pools[i].pool->name), what};
	}
}

void lost_update(struct lost *lost, const struct control_facts *facts, struct text *ret_lost,
	struct text *ret_back)
{
	struct lost now = {0};
	struct view view;

	view_init(&view, facts);
	collect(&view, &now);
	for (size_t i = 0; i < view.pool_count; i++) {
		const char *pool = view.pools[i].pool->name;
		const char *before = find(lost, pool);
		const char *after = find(&now, pool);

		if (before == after || (before && after && strcmp(before, after) == 0))
			continue;
		if (after)
			text_print(ret_lost, "pool %s has no usable %s: %s\n", pool, after,
				view_all_down_words(&view, &view.pools[i]));
		else
			text_print(ret_back, "pool %s has a usable %s again\n", pool, before);
	}
	view_done(&view);
	lost_done(lost);
	*lost = now;
}

void lost_done(struct lost *lost)
{
	for (size_t i = 0; i < lost->count; i++)
		free(lost->items[i].pool);
	free(lost->items);
	*lost = (struct lost){0};
}
