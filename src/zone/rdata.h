/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_RDATA_H
#define ZONE_RDATA_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * rdata - RDATA from zone text to the wire: here, and only here, ldns is spoken to (but for the base64 of svcb.h).
 *
 * SVCB, HTTPS and CAA are read and checked by svcb.h and caa.h, because ldns takes too much of them.
 * It reads what operators wrote, never a packet.  (ldns 1.8 itself loses a few octets of memory for each IPSECKEY that
 * it refuses, and for each relative name that grows too long; nothing else was found to leak.)
 */
struct rdata_reader;

struct rdata_reader *rdata_reader_new(void);
void rdata_reader_free(struct rdata_reader *reader); /* NULL is allowed */

/* What relative names are relative to from now on: a wire name, copied. */
void rdata_reader_set_origin(struct rdata_reader *reader, const uint8_t *origin);

/* Names in `ret_wire` are whole, as in the file; what was in `ret_wire` is gone. */
bool rdata_read(struct rdata_reader *reader, uint16_t type, const char *text, struct text *ret_wire,
	struct err *err);

#endif
