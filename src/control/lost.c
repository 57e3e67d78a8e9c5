/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/lost.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "view.h"

static bool is_in(const struct lost *lost, const char *pool)
{
	for (size_t i = 0; i < lost->count; i++)
		if (strcmp(lost->pools[i], pool) == 0)
			return true;
	return false;
}

static void collect(const struct view *view, struct lost *ret_lost)
{
	ret_lost->pools = memory_new(view->pool_count * sizeof(ret_lost->pools[0]));
	for (size_t i = 0; i < view->pool_count; i++)
		if (view->pools[i].usable_count == 0)
			ret_lost->pools[ret_lost->count++] = memory_text(view->pools[i].pool->name);
}

void lost_update(struct lost *lost, const struct control_facts *facts, struct text *ret_lost,
	struct text *ret_back)
{
	struct lost now = {0};
	struct view view;

	view_init(&view, facts);
	collect(&view, &now);
	for (size_t i = 0; i < view.pool_count; i++) {
		const struct settings_pool *pool = view.pools[i].pool;
		bool is_lost = is_in(&now, pool->name);

		if (is_lost == is_in(lost, pool->name))
			continue;
		if (is_lost)
			text_print(ret_lost, "pool %s has no usable member: %s\n", pool->name,
				view_all_down_words(&view, &view.pools[i]));
		else
			text_print(ret_back, "pool %s has a usable member again\n", pool->name);
	}
	view_done(&view);
	lost_done(lost);
	*lost = now;
}

void lost_done(struct lost *lost)
{
	for (size_t i = 0; i < lost->count; i++)
		free(lost->pools[i]);
	free(lost->pools);
	*lost = (struct lost){0};
}
