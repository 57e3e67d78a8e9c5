/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/terms.h"

#include <ctype.h>
#include <string.h>

void terms_limit(uint32_t ms, struct text *ret_text)
{
	if (ms % 1000 == 0)
		text_print(ret_text, "%u s", ms / 1000);
	else
		text_print(ret_text, "%u ms", ms);
}

void terms_os(int error, struct text *ret_text)
{
	const char *words = strerror(error);

	text_print(ret_text, "%c%s", tolower((unsigned char)words[0]), words + 1);
}

void terms_quote(const void *bytes, size_t size, size_t most, struct text *ret_text)
{
	const unsigned char *octets = bytes;

	text_add(ret_text, "'");
	for (size_t i = 0; i < size && i < most; i++) {
		char shown = octets[i] >= 0x20 && octets[i] < 0x7f ? (char)octets[i] : '?';

		text_add_bytes(ret_text, &shown, 1);
	}
	text_add(ret_text, size > most ? "...'" : "'");
}
