/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PHASES_H
#define PROBE_PHASES_H

#include <event2/event.h>
#include <stdint.h>

#include "findings.h"
#include "steerd/base/text.h"

/*
 * phases - how long a check may take: as a whole, and each of its phases; and how long they took, for who asked.
 *
 * Start with phases_init(), end with phases_done().  `over` is called when the phase, or the whole, has taken as long as
 * it may; phases_print_limit() then says which.
 */
struct phases {
	struct event *timer;
	uint64_t started_at_us;
	uint64_t phase_at_us; /* the phase that runs */
	uint32_t whole_ms;
	uint32_t phase_ms; /* 0: none of its own */
};

void phases_init(struct phases *phases, struct event_base *base, uint32_t whole_ms,
	event_callback_fn over, void *context);
void phases_done(struct phases *phases);

/* A phase begins, which may take so long; 0: what is left of the whole. */
void phases_begin(struct phases *phases, uint32_t phase_ms);
/* The phase is over: tells how long it took. */
void phases_end(struct phases *phases, const char *phase, struct findings *findings);

/* The limit that was reached, as written: "2 s". */
void phases_print_limit(const struct phases *phases, struct text *ret_text);

/* Since phases_init(), rounded up. */
uint32_t phases_took_ms(const struct phases *phases);

#endif
