/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PROBER_H
#define PROBE_PROBER_H

/*
 * prober - the whole of steerd-prober: obeys orders, probes, sends verdicts, on one thread.
 *
 * It needs no privilege and no file but the CA certificates and resolv.conf.  The whole table goes
 * out every second and within milliseconds of every change; while steerd does not read, the newest
 * table waits and the ones before it are forgotten.
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
};

/* Runs until steerd closes the socket, returns 0 then, 1 when it sent what cannot be read. */
int prober_run(const struct prober_options *options);

#endif
