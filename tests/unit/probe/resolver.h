/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;

/*
 * resolver - a name server that the test plays: whatever the name, it answers by a script.
 */
#define RESOLVER_SERVFAIL 2
#define RESOLVER_NXDOMAIN 3

/* What it says from now on; at most four addresses of a family, each with a TTL of an hour. */
struct resolver_script {
	uint8_t rcode_ipv4;
	uint8_t rcode_ipv6;
	const char *ipv4[4];
	const char *ipv6[4];
};

struct resolver {
	int fd;
	char address[32]; /* "127.0.0.1:PORT" */
	struct event *readable;
	const struct resolver_script *script;
	size_t asked; /* since the script began */
	size_t asked_ipv6;
};

/* Opens its socket; resolver_serve() follows. */
void resolver_open(struct resolver *resolver, const struct resolver_script *script);
void resolver_serve(struct resolver *resolver, struct event_base *base);
void resolver_say(struct resolver *resolver, const struct resolver_script *script);
void resolver_close(struct resolver *resolver);

#endif
