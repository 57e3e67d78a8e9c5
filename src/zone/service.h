/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_SERVICE_H
#define ZONE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "draft.h"

#include "steerd/zone/zone.h"

/*
 * service - SVCB, HTTPS and CAA records in their zone: what one record does not show by itself.
 *
 * A hint of an address is what a client connects to without asking for the address (RFC 9460 7.3).  So at a steered
 * name it has to be what the pool says; the zone file's is, like the name's own A and AAAA, for a plain secondary.
 */

/* Warns of what is well-formed and means nothing, and takes it out of the records; and a steered name's records must
 * not depend on hints.  Before duplicates are dropped. */
void service_check(struct draft *draft, const struct draft_name *name);

/* Whether records of the type have parameters. */
bool service_has_params(uint16_t type);

/*
 * Where the hints of such a record stand that are not simply served; false if there are none.  Offsets are into RDATA
 * here, and `record` is not set.
 */
bool service_find_hints(const struct draft_name *name, const struct draft_record *record,
	struct zone_hints *ret_hints);
/* RFC 9460 8: a client takes the record only with a hint that it has now. */
bool service_needs_hints(const struct draft_record *record);
/* Whether two records of a steered name differ in hints alone, which they will not when they are answered. */
bool service_is_same(
	const struct draft_name *name, const struct draft_record *a, const struct draft_record *b);
/* By how many octets a pool may make the record longer. */
size_t service_growth(const struct draft_name *name, const struct draft_record *record);

#endif
