/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "steerd/control/option.h"

/*
 * options - the command line of steerd, and what its exit codes mean: for --help and for steerd(8).
 */
enum {
	STEERD_OPTION_CONFIG = 1,
	STEERD_OPTION_CHECK,
	STEERD_OPTION_LOG_LEVEL,
	STEERD_OPTION_PROBER,
	STEERD_OPTION_VERSION,
	STEERD_OPTION_HELP,
};

extern const struct option options_steerd[];
extern const size_t options_steerd_count;

struct exit_code {
	int code;
	const char *meaning;
};

extern const struct exit_code options_steerd_exits[];
extern const size_t options_steerd_exit_count;

/* Where steerd.yaml is when nobody says so. */
#define OPTIONS_CONFIG_PATH STEERD_SYSCONFDIR "/steerd.yaml"

#endif
