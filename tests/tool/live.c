/* SPDX-License-Identifier: Apache-2.0 */

/*
 * live.h in C11 atomics, which the thread sanitizer understands: it does not see into liburcu, and would take every
 * plan that one thread builds and another reads for a race.  In a build with --enable-sanitizers=thread this stands
 * in for src/plan/live.c, in the programs too, so that what is found is in how plans are used: read while offline,
 * changed after they were published, freed while they are read.
 *
 * The same protocol, as slow and plain as it can be: each reader says which grace period it has seen, or that it is
 * offline; who publishes begins a new period and waits until no reader is in an older one.
 */

#include "steerd/plan/live.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "steerd/base/memory.h"

#define OFFLINE 0

struct live {
	_Atomic(struct plan *) current;
};

struct reader {
	struct reader *next;
	atomic_ulong seen; /* a period, or OFFLINE */
};

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static struct reader *readers; /* under the registry's mutex */
static atomic_ulong period = 1;
static _Thread_local struct reader self;

struct live *live_new(struct plan *first)
{
	struct live *live = memory_new(sizeof(*live));

	atomic_init(&live->current, first);
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	plan_free(atomic_load(&live->current));
	free(live);
}

void live_offline(void)
{
	/* what was read of a plan comes before this */
	atomic_store_explicit(&self.seen, OFFLINE, memory_order_release);
}

void live_online(void)
{
	atomic_store(&self.seen, atomic_load(&period));
}

void live_join(void)
{
	pthread_mutex_lock(&registry);
	self.next = readers;
	readers = &self;
	live_online();
	pthread_mutex_unlock(&registry);
}

void live_leave(void)
{
	struct reader **at = &readers;

	live_offline(); /* first: who publishes waits for us with the registry in its hands */
	pthread_mutex_lock(&registry);
	while (*at != &self)
		at = &(*at)->next;
	*at = self.next;
	pthread_mutex_unlock(&registry);
}

const struct plan *live_get(const struct live *live)
{
	/* the pointer is what an offline thread must not use */
	assert(atomic_load_explicit(&self.seen, memory_order_relaxed) != OFFLINE);
	return atomic_load(&live->current);
}

const struct plan *live_current(const struct live *live)
{
	return atomic_load_explicit(&live->current, memory_order_relaxed);
}

static bool is_behind(struct reader *reader, unsigned long now)
{
	unsigned long seen = atomic_load(&reader->seen);

	return seen != OFFLINE && seen < now;
}

static void wait_for_readers(void)
{
	unsigned long now = atomic_fetch_add(&period, 1) + 1;

	pthread_mutex_lock(&registry);
	for (struct reader *reader = readers; reader; reader = reader->next)
		while (is_behind(reader, now))
			sched_yield();
	pthread_mutex_unlock(&registry);
}

bool live_publish(struct live *live, struct plan *next)
{
	struct plan *previous = atomic_load_explicit(&live->current, memory_order_relaxed);

	if (next->generation <= previous->generation) {
		plan_free(next);
		return false;
	}
	atomic_store(&live->current, next);
	wait_for_readers();
	plan_free(previous);
	return true;
}
