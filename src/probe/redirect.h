/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_REDIRECT_H
#define PROBE_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/text.h"
#include "steerd/config/monitor.h"

/*
 * redirect - where a check goes: to its monitor's URL, and from there to the one host that redirects may lead to.  Pure.
 */
#define REDIRECT_MAX 3
#define REDIRECT_HOST_SIZE 256

/* One request of a check. */
struct hop {
	struct text url;
	char host[REDIRECT_HOST_SIZE]; /* as in the URL: SNI, the certificate's name, Host */
	uint16_t port;
	bool is_tls;
	bool is_own; /* at the address that is checked, and may be told secrets */
};

void hop_done(struct hop *hop);
void redirect_begin(const struct settings_monitor *monitor, struct hop *ret_hop);

/* Whether this status, with this Location ("": none), is one that the monitor wants to be followed. */
bool redirect_is_one(const struct settings_monitor *monitor, long status, const char *location);

/*
 * The next hop after those that were: `hops`, `count` of them, the last one of which answered with `location`.
 * False: it is not gone to, and why was added to `ret_why`.
 */
bool redirect_follow(const struct settings_monitor *monitor, const struct hop *hops, size_t count,
	const char *location, struct hop *ret_hop, struct text *ret_why);

#endif
