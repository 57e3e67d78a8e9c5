/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/plan/live.h"

#include <stdlib.h>
#include <urcu-qsbr.h>

#include "steerd/base/memory.h"

struct live {
	struct plan *current; /* RCU: [main] replaces, readers read */
};

struct live *live_new(struct plan *first)
{
	struct live *live = memory_new(sizeof(*live));

	live->current = first;
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	plan_free(live->current);
	free(live);
}

void live_join(void)
{
	rcu_register_thread();
}

void live_leave(void)
{
	rcu_unregister_thread();
}

void live_offline(void)
{
	rcu_thread_offline();
}

void live_online(void)
{
	rcu_thread_online();
}

const struct plan *live_get(const struct live *live)
{
	return rcu_dereference(live->current);
}

const struct plan *live_current(const struct live *live)
{
	return live->current;
}

bool live_publish(struct live *live, struct plan *next)
{
	/* Compared at the moment of publishing, by the one thread that publishes: nothing older ever
	 * replaces something newer. */
	if (next->generation <= live->current->generation) {
		plan_free(next);
		return false;
	}

	struct plan *previous = rcu_xchg_pointer(&live->current, next);

	/* Returns when every query that could see `previous` is over: readers are offline while they
	 * wait, so that is at most one batch. */
	synchronize_rcu();
	plan_free(previous);
	return true;
}
