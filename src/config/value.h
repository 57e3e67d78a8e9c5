/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * value - the small languages that values are written in.  Pure; false if the text is not of the language.
 */

/* Decimal digits alone. */
bool value_number(const char *text, uint64_t *ret_number);
/* "500ms", "5s", "2m", "1h". */
bool value_duration(const char *text, uint64_t *ret_ms);
/* "4700000000", "64KiB", "4MiB", "1GiB", "2TiB". */
bool value_size(const char *text, uint64_t *ret_bytes);
/* "800kbit/s", "50Mbit/s", "1Gbit/s". */
bool value_rate(const char *text, uint64_t *ret_bits_s);
/* "50%". */
bool value_percent(const char *text, uint64_t *ret_percent);
/* The shortest texts that those read as the number. */
#define VALUE_TEXT_SIZE 32
void value_duration_print(uint64_t ms, char ret_text[static VALUE_TEXT_SIZE]);
void value_size_print(uint64_t bytes, char ret_text[static VALUE_TEXT_SIZE]);
void value_rate_print(uint64_t bits_s, char ret_text[static VALUE_TEXT_SIZE]);
void value_percent_print(uint64_t percent, char ret_text[static VALUE_TEXT_SIZE]);
/* 64 hexadecimal digits. */
#define VALUE_DIGEST_SIZE 32
bool value_digest(const char *text, uint8_t ret_digest[static VALUE_DIGEST_SIZE]);
/* A decimal number: "50.11", "-77". */
bool value_decimal(const char *text, double *ret_number);
/* "200-299" or "304". */
bool value_status(const char *text, uint16_t *ret_first, uint16_t *ret_last);
/* "24/56": lengths of an IPv4 and an IPv6 prefix. */
bool value_granularity(const char *text, uint8_t *ret_ipv4, uint8_t *ret_ipv6);

/* Is the file at `path` within that directory, or the directory itself?  Both are absolute, or relative to the same. */
bool value_is_path_within(const char *path, const char *directory, size_t directory_size);

/* Names that operators choose: letters, digits and "._-", a letter or digit first, 63 at most.  Not '/' and ':',
 * which part the names in the subject of an override. */
bool value_is_name(const char *text);
/* A DNS name of letters, digits, '-' and '_' that is not an IP address; without a dot at the end. */
bool value_is_host(const char *text);
/* What may stand behind a host in a URL: begins with '/', printable ASCII without spaces. */
bool value_is_url_path(const char *text);
/* "https://hooks.example:8443/steerd", or http: an address for a host as well, no user and no fragment. */
bool value_is_url(const char *text);
/* What may be the name of a header field or a method (RFC 9110 5.6.2). */
bool value_is_token(const char *text);
/* Without control characters, so that it ends no line. */
bool value_is_line(const char *text);

#endif
