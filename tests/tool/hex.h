/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOL_HEX_H
#define TOOL_HEX_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * hex - messages as tests write them: hexadecimal digits, with spaces where a reader wants them, and labels or
 * other text in single quotes: "03 'www' 00".
 */
static inline unsigned hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = strchr(digits, c);

	assert(c != '\0' && at);
	return (unsigned)(at - digits);
}

/* Octets written to `out`, which has room for `room`. */
static inline size_t hex_read(const char *hex, uint8_t *out, size_t room)
{
	size_t used = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		if (*hex == '\'') {
			for (hex++; *hex != '\''; hex++) {
				assert(*hex && used < room);
				out[used++] = (uint8_t)*hex;
			}
			continue;
		}
		assert(used < room);
		out[used++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex++;
	}
	return used;
}

#endif
