/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_NETWORK_H
#define GEO_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/report.h"
#include "steerd/geo/geo.h"

/*
 * network - the networks file: where the operator knows better than any database.
 *
 *	# prefix,site  or  prefix,latitude,longitude
 *	192.0.2.0/24,fra
 *	2001:db8::/32, 50.11, 8.68
 *
 * The longest prefix wins; the order of lines means nothing.  Start with `struct networks networks = {0};`, end with
 * networks_done().
 */
struct network {
	struct prefix prefix;
	struct geo_point at;
	uint16_t site; /* comes first; POINT_NO_SITE: the line gives a position */
	unsigned line;
};

struct networks {
	struct network *items;
	size_t count;
	size_t capacity;
};

void networks_done(struct networks *networks);

/* Every mistake goes to `report`. */
void networks_read(const char *path, const struct geo_request *request, struct networks *networks,
	struct report *report);
/* The same for a file's bytes, which it changes, and the zero byte behind them. */
void networks_parse(char *bytes, size_t size, const struct geo_request *request,
	struct networks *networks, struct report *report);

/* The longest prefix that holds the address, or NULL. */
const struct network *networks_find(const struct networks *networks, const struct address *address);

#endif
