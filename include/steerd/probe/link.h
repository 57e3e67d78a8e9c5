/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_LINK_H
#define PROBE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * link - what steerd and steerd-prober say to each other over their socket pair (the prober's end
 * is fd 3).
 *
 * Frames: four octets of length, one of kind, the body; at most LINK_FRAME_MAX octets.  steerd
 * sends LINK_ORDERS at the start and after every reload; the prober sends LINK_VERDICTS every
 * second and at every change.
 */
enum link_kind { LINK_ORDERS = 1, LINK_VERDICTS = 2 };

#define LINK_FRAME_MAX ((size_t)64 << 20)
#define LINK_FRAME_HEADER 5

/* What the prober is to do, with what is known already, so that counts and `since` go on. */
struct link_orders {
	struct target_list targets;
	const struct settings_monitor *monitors;
	size_t monitor_count;
	struct verdict_table verdicts; /* where to go on from */
};

/* Whole frames, header included, added to `ret_frame`. */
void link_write_orders(const struct link_orders *orders, struct text *ret_frame);
void link_write_verdicts(const struct verdict_table *verdicts, struct text *ret_frame);

/*
 * The first whole frame in `bytes`: its size with header, 0 if it is not all there yet; false if
 * what is there cannot be a frame.  The body lies within `bytes`.
 */
bool link_find_frame(const void *bytes, size_t size, enum link_kind *ret_kind,
	const uint8_t **ret_body, size_t *ret_frame_size);

/* Bodies.  Texts and arrays are from `arena`; `ret_orders->verdicts` is the caller's to end. */
bool link_read_orders(const uint8_t *body, size_t size, struct arena *arena,
	struct link_orders *ret_orders, struct err *err);
bool link_read_verdicts(
	const uint8_t *body, size_t size, struct verdict_table *ret_table, struct err *err);

#endif
