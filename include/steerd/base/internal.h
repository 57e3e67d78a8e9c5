/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_INTERNAL_H
#define BASE_INTERNAL_H

#include "steerd/base/address.h"

/*
 * internal - addresses that lead to this machine or its links, to no host, or to many: where no backend is.  Pure.
 *
 * Private networks are where backends live: those are not among them.
 */

/*
 * What an address is: "loopback"; NULL: that of some host.  `ret_reached` is the address that this is said of, and that is
 * reached in the end: the IPv4 address that an IPv6 address holds (mapped, 6to4, NAT64), else the address itself.
 */
const char *internal_what(const struct address *address, struct address *ret_reached);

#endif
