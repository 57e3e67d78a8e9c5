/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_CHECK_H
#define ZONE_CHECK_H

#include "draft.h"

/*
 * check - the mistakes that no single record shows.
 *
 * Errors refuse the zone; warnings do not.  On the way the draft becomes what may be frozen: delegations are known,
 * duplicates gone, each set has one TTL.
 */
void check_draft(struct draft *draft);

/* An error if the SOA's serial is older than that of what serves (RFC 1982 3.2). */
void check_serial(const struct draft *draft, uint32_t serving);

#endif
