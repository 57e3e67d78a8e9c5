/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;

/*
 * resolver - a name server that the test plays: whatever the name, it answers by a script.
 *
 * A lookup asks for IPv4, then for IPv6, both from one port; it has both answers from one script, although another one may
 * begin between the two.
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

/* More than are ever under way. */
#define RESOLVER_LOOKUPS 16

struct resolver_lookup {
	uint16_t port;
	const struct resolver_script *script;
};

struct resolver {
	int fd;
	char address[32]; /* "127.0.0.1:PORT" */
	struct event *readable;
	const struct resolver_script *script;
	struct resolver_lookup lookups[RESOLVER_LOOKUPS]; /* the last ones, in a ring */
	size_t lookup_count;
	size_t asked; /* by this script */
	size_t asked_ipv6;
};

/* Opens its socket; resolver_serve() follows. */
void resolver_open(struct resolver *resolver, const struct resolver_script *script);
void resolver_serve(struct resolver *resolver, struct event_base *base);
void resolver_say(struct resolver *resolver, const struct resolver_script *script);
void resolver_close(struct resolver *resolver);

#endif
