/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAGE_FILTER_H
#define CAGE_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * filter - the system calls that a prober never makes, as a program for seccomp(2).  Pure.
 *
 * A list of what is refused, not of what is allowed: libraries that change may start to make a call that no list of
 * ours knows, and checks that fail because of it would be worse than what the call could do without any privilege. 
 * Refused is what reaches into other processes, changes the machine, gives rights or new worlds (namespaces), or is
 * there for few and has had more than its share of faults; and sockets of other kinds than those of IPv4 and IPv6. 
 * One program knows the numbers of x86-64 and of AArch64; a call made by the rules of any other ends the process.
 */
#define FILTER_SIZE_MAX 512

struct filter_options {
	bool has_commands; /* programs may be started */
	bool has_tracing;  /* ptrace() of itself: what a leak sanitizer does at the end */
};

/* Instructions; how many is returned. */
size_t filter_build(
	const struct filter_options *options, struct sock_filter ret_program[FILTER_SIZE_MAX]);

#endif
