/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_EMBEDDED_H
#define GEO_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"

/*
 * embedded - IPv6 prefixes whose addresses hold an IPv4 address: mapped ::ffff:0:0/96 (RFC 4291 2.5.5.2), NAT64
 * 64:ff9b::/96 (RFC 6052 2.1) and 6to4 2002::/16 (RFC 3056).  [query path]
 */
enum embedded { EMBEDDED_MAPPED, EMBEDDED_NAT64, EMBEDDED_6TO4, EMBEDDED_COUNT };

/* Those prefixes, by their number. */
const struct prefix *embedded_prefix(enum embedded which);

/* The IPv4 prefix inside an IPv6 one, and how many bits stand before it; false if there is none. */
bool embedded_find(const struct prefix *outer, struct prefix *ret_inner, unsigned *ret_before_bits);

#endif
