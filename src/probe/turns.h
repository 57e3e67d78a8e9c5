/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_TURNS_H
#define PROBE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * turns - who may run now, where places are few: who came first.
 *
 * But those that are suspect, which may hang as long as they are allowed to, leave a quarter of the places to the others:
 * a region that is gone must not delay what is known of those that live.
 */
struct turn {
	uint64_t number; /* it came before who has a higher one */
	bool is_suspect;
	bool has_place;
	TAILQ_ENTRY(turn) link; /* while it waits */
};

TAILQ_HEAD(turn_queue, turn);

struct turns {
	struct turn_queue waiting;
	struct turn_queue suspects; /* that wait */
	uint64_t number;	    /* the next */
	size_t most;
	size_t places; /* of `most` */
	size_t running_count;
	size_t suspect_count; /* of those that run */
	/* It has a place now.  May take turns and give them back. */
	void (*begin)(struct turn *turn, void *context);
	void *context;
};

/* Never more than `most` places, and not all of them before it is seen that this process keeps up. */
void turns_init(struct turns *turns, size_t most, void (*begin)(struct turn *turn, void *context),
	void *context);
/* Fewer than run now: none begins until so many are left. */
void turns_set_places(struct turns *turns, size_t places);
/* Fewer places where a round of the event loop is too long, more where it is short and they are needed. */
void turns_adapt(struct turns *turns, uint64_t round_ms);

/* Begins within the call if there is a place. */
void turns_take(struct turns *turns, struct turn *turn, bool is_suspect);
/* It is over, or waits no more; nobody begins for it. */
void turns_leave(struct turns *turns, struct turn *turn);
/* Whoever is next begins, as long as there are places. */
void turns_go_on(struct turns *turns);

#endif
