/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/daemon/options.h"

#include "steerd/base/memory.h"

const struct option options_steerd[] = {
	{STEERD_OPTION_CONFIG, 'c', "config", "FILE",
		"the configuration; default " OPTIONS_CONFIG_PATH},
	{STEERD_OPTION_CHECK, 0, "check", NULL,
		"read everything, print every mistake as file:line:column, and end"},
	{STEERD_OPTION_LOG_LEVEL, 0, "log-level", "LEVEL",
		"err, warning, notice, info (the default) or debug"},
	{STEERD_OPTION_PROBER, 0, "prober", "PROGRAM",
		"steerd-prober, where it is not installed; default " STEERD_LIBEXECDIR
		"/steerd-prober"},
	{STEERD_OPTION_VERSION, 0, "version", NULL, "print the version and end"},
	{STEERD_OPTION_HELP, 'h', "help", NULL, "print this and end"},
};
const size_t options_steerd_count = COUNT_OF(options_steerd);

const struct exit_code options_steerd_exits[] = {
	{0, "stopped as asked; with --check: no mistake was found"},
	{1, "it cannot start; with --check: there are mistakes"},
	{2, "the command line is wrong"},
};
const size_t options_steerd_exit_count = COUNT_OF(options_steerd_exits);
