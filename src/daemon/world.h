/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_WORLD_H
#define DAEMON_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "keep.h"
#include "steerd/base/err.h"
#include "steerd/control/lost.h"
#include "steerd/control/state.h"
#include "steerd/health/belief.h"
#include "steerd/health/guard.h"
#include "steerd/health/override.h"
#include "steerd/health/verdict.h"
#include "steerd/link/link.h"
#include "steerd/plan/live.h"
#include "steerd/plan/snapshot.h"

/*
 * world - what is known and believed now, and the one place where it changes: each change is shown to the guard, makes a
 * plan if that believes something else, is published, said in the log, and goes to disk.
 *
 * Main thread only.
 */
struct world {
	struct live *live;
	struct verdict_table verdicts; /* the newest; of the live snapshot's targets */
	struct verdict_table said;     /* as they were before states came; no rows: none did */
	uint64_t
		heard_at_ms; /* monotonic; when the prober said something last; 0: it did not yet */
	struct guard *guard; /* what is believed of it; by the live snapshot's rules */
	struct override_list overrides;
	uint8_t *overridden; /* heap; enum override_kind, by the live snapshot's members */
	/* [fixed] Told when time alone may change something next, UINT64_MAX: never.  NULL: nobody is, and world_tick() finds it
	 * out late. */
	void (*due)(void *context, uint64_t at_ms);
	void *due_context;
	bool has_news;	     /* of what is believed: to be said, once it is said why */
	struct text notices; /* of it */
	struct text alarms;
	struct lost lost; /* pools that have no usable member */
	struct keep keep;
};

/*
 * Starts from the last state on disk, so that answers go on where they were; takes ownership of `snapshot` and of
 * `state`.
 */
void world_init(struct world *world, const struct snapshot *snapshot, struct state *state,
	struct jobs *jobs);
/* After all readers of the plan have left. */
void world_done(struct world *world);

const struct snapshot *world_snapshot(const struct world *world);

/* A table from the prober; takes its rows.  False: it is not for the snapshot's targets, and changes nothing. */
bool world_take_verdicts(struct world *world, struct verdict_table *table);
/* The states of that table's rows a little later: answers follow at once, the words come with the next table. */
void world_take_states(struct world *world, const struct link_states *states);
/* Swaps: health goes on by the targets' keys, overrides by their subjects.  Takes ownership. */
void world_take_snapshot(struct world *world, const struct snapshot *snapshot);
/* In answers and on disk before it returns; false: it could not be saved. */
bool world_override(struct world *world, const struct override *override, struct err *err);
/* An operator's word for a member that waits for it (health/guard.h); how many of its addresses waited. */
size_t world_return(struct world *world, uint32_t member_id);
/* When it is due. */
void world_look(struct world *world);
/* Every second: ends overrides whose time is over, looks if that was due, saves verdicts when that is due. */
void world_tick(struct world *world);
/* At the end, without a thread. */
void world_save(struct world *world);

#endif
