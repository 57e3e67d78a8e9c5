/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_EXPECT_H
#define PROBE_EXPECT_H

#include <stdbool.h>

#include "answer.h"

/*
 * expect - whether an answer that came whole is the one that the monitor expects.  Pure.
 *
 * True if so; else what is wrong with it, added to `ret_why`.
 */
bool expect_status(const struct settings_monitor *monitor, long status, struct text *ret_why);
bool expect_fields(const struct answer *answer, struct text *ret_why);
bool expect_body(const struct answer *answer, struct text *ret_why);

#endif
