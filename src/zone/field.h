/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_FIELD_H
#define ZONE_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * field - the fields of RDATA text that we read ourselves: <character-string> of RFC 1035 5.1, of any length.
 */

/* Octets of the first field of the text, quotes and escapes included. */
size_t field_size(const char *text);

/* Adds what `size` octets of text mean to `octets`: without quotes, "\X" and "\DDD" resolved. */
bool field_decode(const char *text, size_t size, struct text *octets, struct err *err);

/* A decimal number of 16 bits, and nothing else. */
bool field_number(const char *text, size_t size, uint16_t *ret_number);

#endif
