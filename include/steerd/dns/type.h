/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_TYPE_H
#define DNS_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * type - record types by name, and where names stand in their RDATA.  One table; [any thread].
 */

/* "AAAA", "aaaa" or "TYPE28" (RFC 3597 5). */
bool type_parse(const char *text, uint16_t *ret_type);
#define TYPE_TEXT_SIZE 16
void type_print(uint16_t type, char ret_text[static TYPE_TEXT_SIZE]);

/*
 * How the RDATA of a type of RFC 1035 is laid out, for compression, which only these types may have
 * (RFC 3597 4): 's' a 16-bit number, 'l' a 32-bit number, 'N' a name.  "" for every other type.
 */
const char *type_layout(uint16_t type);

#endif
