/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "steerd/control/option.h"

/*
 * options - what steerctl takes before and after any command, and what its exit codes mean: for --help and for steerctl(1).
 */
enum {
	STEERCTL_OPTION_SOCKET = 1,
	STEERCTL_OPTION_CONFIG,
	STEERCTL_OPTION_JSON,
	STEERCTL_OPTION_VERSION,
	STEERCTL_OPTION_HELP,
	STEERCTL_OPTION_COMMAND =
		100, /* and above: an argument of the command, by its argument_id */
};

extern const struct option options_steerctl[];
extern const size_t options_steerctl_count;

enum {
	STEERCTL_DONE = 0,
	STEERCTL_REFUSED = 1,
	STEERCTL_USAGE = 2,
	STEERCTL_UNREACHABLE = 3,
};

/* By code. */
extern const char *const options_steerctl_exits[STEERCTL_UNREACHABLE + 1];

#define OPTIONS_SOCKET_PATH "/run/steerd/control" /* the default of `control`, config/table.c */
#define OPTIONS_SOCKET_VARIABLE "STEERD_CONTROL"

#endif
