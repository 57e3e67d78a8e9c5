/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_FIXED_H
#define DAEMON_FIXED_H

#include "steerd/base/report.h"
#include "steerd/config/settings.h"

/*
 * fixed - the settings that hold until the process ends: what they were at the start, so that a reload can say what it does
 * not change.
 */
#define FIXED_COUNT 10

struct fixed {
	char *values[FIXED_COUNT]; /* as text; heap */
};

void fixed_init(struct fixed *fixed, const struct settings *settings);
void fixed_done(struct fixed *fixed);
/* A warning for each one that is another now. */
void fixed_compare(
	const struct fixed *fixed, const struct settings *settings, struct report *report);

#endif
