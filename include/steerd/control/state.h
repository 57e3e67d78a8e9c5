/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STATE_H
#define CONTROL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/arena.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/health/notice.h"
#include "steerd/health/override.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * state - what outlives the process: the last verdicts, the overrides, what people were told and the secrets of DNS
 * cookies, in the state directory.
 *
 * The start path is the recovery path: kill -9 is a supported stop.  Each file is replaced whole (base/file.h); those
 * that steerd alone writes carry a checksum, so that one is the old one, the new one, or known to be broken.  A broken
 * file is set aside under its name with ".bad" and never keeps steerd from answering.  Only one process holds the
 * directory.  [main]
 */
struct state;

/* Makes the directory if its parent is there, and locks it.  NULL if it cannot be written: `err` names the fix. */
struct state *state_open(const char *path, struct err *err);
void state_close(struct state *state); /* NULL is allowed */

enum state_found {
	STATE_READ,
	STATE_ABSENT, /* a first start */
	STATE_BROKEN, /* set aside; `err` says why */
};

/* Verdicts older than this say nothing about now. */
#define STATE_VERDICTS_KEPT_S (24 * 3600)

/* The last verdicts, with the keys of their targets: other fields of these are empty.  `ret_verdicts` is the caller's to end. */
struct state_verdicts {
	struct target_list targets; /* from the arena */
	struct verdict_table verdicts;
	const void *believed; /* guard_write(); from the arena */
	size_t believed_size; /* 0: none, as in files of before there was a guard */
	uint64_t saved_at_unix_s;
};

enum state_found state_read_verdicts(struct state *state, struct arena *arena,
	struct state_verdicts *ret_verdicts, struct err *err);
/* Bytes from state_print_verdicts().  [any thread], one write after the other: a slow disk must not hold the main loop. */
bool state_write_verdicts(struct state *state, const struct text *bytes, struct err *err);

/* Adds to `list`. */
enum state_found state_read_overrides(
	struct state *state, struct override_list *list, struct err *err);
bool state_write_overrides(struct state *state, const struct override_list *list, struct err *err);

/* The file of cookie secrets: for its owner alone, who reads it is config/secrets.h. */
bool state_write_secrets(struct state *state, const void *bytes, size_t size, struct err *err);

/* What people were told (health/notice.h). */
enum state_found state_read_notices(struct state *state, struct notices *notices,
	const struct notice_clock *clock, struct err *err);
/* Bytes from state_print_notices().  [any thread], one write after the other. */
bool state_write_notices(struct state *state, const struct text *bytes, struct err *err);

/* The forms of the files, pure: for the functions above, for tests and for fuzzing. */
void state_print_verdicts(const struct state_verdicts *verdicts, struct text *ret_bytes);
bool state_parse_verdicts(const void *bytes, size_t size, struct arena *arena,
	struct state_verdicts *ret_verdicts, struct err *err);
void state_print_overrides(const struct override_list *list, struct text *ret_bytes);
bool state_parse_overrides(
	const void *bytes, size_t size, struct override_list *list, struct err *err);
void state_print_notices(
	const struct notices *notices, const struct notice_clock *clock, struct text *ret_bytes);
bool state_parse_notices(const struct text *bytes, struct notices *notices,
	const struct notice_clock *clock, struct err *err);

#endif
