/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>

#include "steerd/base/err.h"

/*
 * daemon - steerd as a whole: what is started in which order, and the main loop.
 *
 *	files ─▶ last state ─▶ plan ─▶ sockets answer ─▶ "ready" ─▶ control socket, prober ─▶ loop until it is stopped
 */
struct daemon_options {
	const char *settings_path;
	const char *prober_path;
};

/* Serves until it is told to stop; false if it cannot start. */
bool daemon_run(const struct daemon_options *options, struct err *err);

/* --check: prints what is wrong to stderr, a summary to stdout; true if there is no mistake. */
bool daemon_check(const char *settings_path);

#endif
