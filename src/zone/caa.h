/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_CAA_H
#define ZONE_CAA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/base/text.h"

/*
 * caa - CAA records (RFC 8659 4.1): flags, a tag of letters and digits, and a value that reaches to the end.
 *
 * Properties that nobody knows are served like any other: it is for the authorities to know them.
 */

/* "0 issue ca.example" or "0 issue \"ca.example\"" becomes octets; the tag in lower case (RFC 8659 4.1.1). */
bool caa_parse(const char *text, struct text *wire, struct err *err);

bool caa_check(const uint8_t *rdata, size_t size, struct err *err);

/* RFC 8659 4.1: the flags but the first are to be 0; 1 is a common mistake for 128. */
#define CAA_FLAGS_RESERVED 0x7f

#endif
