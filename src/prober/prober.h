/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBER_PROBER_H
#define PROBER_PROBER_H

#include <stdbool.h>

/*
 * prober - the whole of steerd-prober: obeys orders, probes, sends verdicts, on one thread.
 *
 * It has no privilege, and from its first orders on no file and no system call but what checks need (cage/cage.h).  The
 * whole table goes out every second, states within milliseconds of every change (reports.h); while steerd does not
 * read, the newest waits and what was before it is forgotten.
 */

/* How many requests run at once: each holds a socket and some 50 KB. */
#define PROBER_MOST_AT_ONCE 1024

struct prober_options {
	int fd; /* the socket to steerd */
	/*
	 * "192.0.2.1:53,[2001:db8::1]:53": name servers in place of those of resolv.conf; NULL:
	 * those
	 */
	const char *servers;
	unsigned most_at_once;
	bool is_again; /* another one ran before: what the kernel lacks was said then */
};

/* Runs until it is to end; a PROBER_EXIT_.  Cages the whole process. */
int prober_run(const struct prober_options *options);

#endif
