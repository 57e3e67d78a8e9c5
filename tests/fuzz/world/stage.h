/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_WORLD_STAGE_H
#define FUZZ_WORLD_STAGE_H

#include "../../../src/daemon/fixed.h"
#include "../../../src/daemon/reload.h"
#include "../../../src/daemon/world.h"
#include "steerd/base/text.h"
#include "steerd/control/control.h"

/*
 * stage - the daemon's world and its reloads, over real files, without sockets, threads and a clock.
 *
 * The files come from a table of texts, some right and some wrong.  One at a time; main thread only.
 */
struct stage {
	struct world world;
	struct reload reload;
	struct fixed fixed;
	unsigned swapped; /* reloads that were taken */
	struct text late; /* a frame of verdicts that came before */
};

/* The texts as they are at first, nothing in the state directory, and a start from them. */
void stage_begin(struct stage *stage);
void stage_end(struct stage *stage);

/* As after the end of a process, and the start of another: `saves` if it was no kill -9. */
void stage_stop(struct stage *stage, bool saves);
void stage_start(struct stage *stage);

#define STAGE_FILES 4
/* Replaces a file by one of its texts (or removes it), with one octet of it changed to `octet` unless that is 0. */
void stage_put(unsigned file, unsigned text, unsigned position, char octet);
/* Changes an octet of a file of the state directory. */
void stage_damage_state(unsigned which, unsigned position, uint8_t change);

/* A frame with a row for each target, in a state that an octet of `states` says; it becomes the late one. */
void stage_make_verdicts(struct stage *stage, const uint8_t *states, size_t count);
/* A frame with the states of the newest table's rows; it becomes the late one. */
void stage_make_states(struct stage *stage, const uint8_t *states, size_t count);
/* What the prober's socket would give to the world. */
void stage_take_frame(struct stage *stage, const void *bytes, size_t size);

/* What the control socket would be told; ends the target if it is no JSON, or if steerctl cannot show it.  The caller
 * frees it (json_decref). */
struct json_t *stage_request(struct stage *stage, const struct request *request);

#endif
