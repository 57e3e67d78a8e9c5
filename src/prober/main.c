/* SPDX-License-Identifier: Apache-2.0 */

/*
 * steerd-prober - probes backends for steerd, which starts it with a socket as descriptor 3.
 *
 * STEERD_PROBER_NAMESERVERS="192.0.2.1:53,[2001:db8::1]:53" in the environment takes the place of
 * resolv.conf.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "prober.h"
#include "steerd/base/log.h"
#include "steerd/link/link.h"

/* For the event loop, name resolution, the log and what libraries open. */
#define FDS_KEPT 192

/* How many places there may be with the descriptors that we may have. */
static unsigned most_at_once(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return PROBER_MOST_AT_ONCE / 8;

	rlim_t wanted = PROBER_MOST_AT_ONCE + FDS_KEPT;

	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= wanted)
		return PROBER_MOST_AT_ONCE;
	return limit.rlim_cur > 2 * FDS_KEPT ? (unsigned)limit.rlim_cur - FDS_KEPT : 16;
}

static bool is_socket(int fd)
{
	int type;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int main(int argc, char **argv)
{
	struct prober_options options = {
		.fd = PROBER_FD,
		.servers = getenv("STEERD_PROBER_NAMESERVERS"),
		.is_again = getenv(PROBER_AGAIN) != NULL,
	};

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("steerd-prober %s\n", STEERD_VERSION);
		return 0;
	}
	if (argc > 1 || !is_socket(PROBER_FD)) {
		fprintf(stderr,
			"steerd-prober is started by steerd, with a socket as descriptor 3\n");
		return 2;
	}
	/* a terminal's Ctrl-C and a hang-up are for steerd, which ends us by closing the socket */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	log_start("steerd-prober", LOG_LEVEL_INFO);
	options.most_at_once = most_at_once();
	return prober_run(&options);
}
