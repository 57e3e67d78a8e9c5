/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * value - the small languages that values are written in.  Pure; false if the text is not of the language.
 */

/* Decimal digits alone. */
bool value_number(const char *text, uint64_t *ret_number);
/* "500ms", "5s", "2m", "1h". */
bool value_duration(const char *text, uint64_t *ret_ms);
/* The shortest text that value_duration() reads as `ms`. */
#define VALUE_DURATION_SIZE 32
void value_duration_print(uint64_t ms, char ret_text[static VALUE_DURATION_SIZE]);
/* A decimal number: "50.11", "-77". */
bool value_decimal(const char *text, double *ret_number);
/* "200-299" or "304". */
bool value_status(const char *text, uint16_t *ret_first, uint16_t *ret_last);
/* "24/56": lengths of an IPv4 and an IPv6 prefix. */
bool value_granularity(const char *text, uint8_t *ret_ipv4, uint8_t *ret_ipv6);

/* Names that operators choose: letters, digits and "._-", a letter or digit first, 63 at most.  Not '/' and ':',
 * which part the names in the subject of an override. */
bool value_is_name(const char *text);
/* A DNS name of letters, digits, '-' and '_' that is not an IP address; without a dot at the end. */
bool value_is_host(const char *text);
/* What may stand behind a host in a URL: begins with '/', printable ASCII without spaces. */
bool value_is_url_path(const char *text);

#endif
