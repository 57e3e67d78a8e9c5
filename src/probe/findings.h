/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_FINDINGS_H
#define PROBE_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/health/finding.h"

/*
 * findings - everything that one check found, kept in the order in which it is to be shown, for who asked for it.
 *
 * Start with `struct findings findings = {.arena = arena_new()};`, end with findings_done().  Checks that nobody asked
 * for have none: NULL keeps nothing and costs nothing.
 */
#define FINDINGS_MAX 256 /* a backend that sends header fields without end fills no memory */

struct findings {
	struct arena *arena;
	struct finding *items;
	size_t count;
	size_t capacity;
};

void findings_done(struct findings *findings);

/* Copies the texts, control characters made '?'; NULL counts as "".  `findings` may be NULL. */
void findings_add(struct findings *findings, enum finding_section section, const char *name,
	const char *value, uint64_t number);

#endif
