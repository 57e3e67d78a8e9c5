/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_SVCB_H
#define ZONE_SVCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * svcb - the parameters of SVCB and HTTPS records (RFC 9460 2.1, 2.2), from text to the wire, and all that can be
 * wrong in them.
 *
 * ldns 1.8 reads these types, but takes keys that come twice or lack their value, 'mandatory' lists of what is not
 * there, and unescapes alpn otherwise than RFC 9460 A.1 says; so the parameters are read here.
 */
enum svcb_key {
	SVCB_MANDATORY = 0,
	SVCB_ALPN = 1,
	SVCB_NO_DEFAULT_ALPN = 2,
	SVCB_PORT = 3,
	SVCB_IPV4HINT = 4,
	SVCB_ECH = 5,
	SVCB_IPV6HINT = 6,
	SVCB_DOHPATH = 7,
	SVCB_OHTTP = 8,
	SVCB_INVALID = 65535, /* RFC 9460 14.3.2 */
};

/* Adds the parameters behind priority and target to `wire`, in order of their keys.  What they say is for
 * svcb_check(). */
bool svcb_add_params(const char *text, struct text *wire, struct err *err);

/* Whether RDATA, read from text or given as octets (RFC 3597), is what RFC 9460 asks for. */
bool svcb_check(const uint8_t *rdata, size_t size, struct err *err);

/* ---- of RDATA that svcb_check() has passed ---- */

struct svcb_param {
	uint16_t key;
	uint16_t offset; /* of the parameter, key and length included */
	uint16_t size;	 /* of the same: 4 octets and the value */
};

/* Octets of priority and target: where the parameters begin. */
size_t svcb_head_size(const uint8_t *rdata);
/* The parameter at `offset`; false at the end. */
bool svcb_param_at(const uint8_t *rdata, size_t size, size_t offset, struct svcb_param *ret_param);
/* RFC 9460 8: whether a client that does not know the key must leave the record alone. */
bool svcb_is_mandatory(const uint8_t *rdata, size_t size, enum svcb_key key);

#endif
