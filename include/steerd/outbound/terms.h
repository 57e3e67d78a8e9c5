/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOUND_TERMS_H
#define OUTBOUND_TERMS_H

#include <stdint.h>

#include "steerd/base/text.h"

/*
 * terms - how reasons say what many of them say.
 */

/* A limit as an operator wrote it: "2 s", "1500 ms". */
void terms_limit(uint32_t ms, struct text *ret_text);
/* What the system says of an errno, as a part of a line: without the capital letter. */
void terms_os(int error, struct text *ret_text);
/* A word for printing bytes from the network: at most `most` of them, control characters and others made '?'. */
void terms_quote(const void *bytes, size_t size, size_t most, struct text *ret_text);

#endif
