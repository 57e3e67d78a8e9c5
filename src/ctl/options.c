/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/ctl/options.h"

#include "steerd/base/memory.h"

const struct option options_steerctl[] = {
	{STEERCTL_OPTION_SOCKET, 's', "socket", "PATH",
		"the control socket; default $" OPTIONS_SOCKET_VARIABLE " or " OPTIONS_SOCKET_PATH},
	{STEERCTL_OPTION_CONFIG, 'c', "config", "FILE",
		"take the socket from this configuration; `check` reads it itself"},
	{STEERCTL_OPTION_JSON, 0, "json", NULL, "print the reply as JSON, for programs"},
	{STEERCTL_OPTION_VERSION, 0, "version", NULL, "print the version and end"},
	{STEERCTL_OPTION_HELP, 'h', "help", NULL,
		"print this, or with a command what it does, and end"},
};
const size_t options_steerctl_count = COUNT_OF(options_steerctl);

const char *const options_steerctl_exits[] = {
	[STEERCTL_DONE] = "done",
	[STEERCTL_REFUSED] = "refused, or mistakes were found",
	[STEERCTL_USAGE] = "the command line is wrong",
	[STEERCTL_UNREACHABLE] = "steerd cannot be reached",
};
