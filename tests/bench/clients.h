/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CLIENTS_H
#define BENCH_CLIENTS_H

#include <stddef.h>

#include "steerd/base/address.h"
#include "steerd/base/random.h"

/*
 * clients - addresses of the open Internet for measurements: of IPv4 any that is not special, of IPv6 in the blocks that
 * registries give out, for half a /32 around a known one would all be in one range.
 */
#define CLIENTS ((size_t)1 << 20)

/* CLIENTS of them; the caller frees. */
struct address *clients_draw(enum address_family family, struct random *random);

#endif
