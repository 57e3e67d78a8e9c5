/* SPDX-License-Identifier: Apache-2.0 */
#include "field.h"

#include <ctype.h>

size_t field_size(const char *text)
{
	bool is_quoted = false;
	size_t size = 0;

	for (; text[size] != '\0' && (is_quoted || text[size] != ' '); size++) {
		if (text[size] == '"')
			is_quoted = !is_quoted;
		else if (text[size] == '\\' && text[size + 1] != '\0')
			size++;
	}
	return size;
}

/* Behind a backslash: three digits, or any character; how many it takes, 0 if there is no such octet. */
static size_t decode_escape(const char *text, size_t size, uint8_t *ret_octet)
{
	unsigned value = 0;

	if (size == 0)
		return 0;
	if (!isdigit((unsigned char)text[0])) {
		*ret_octet = (uint8_t)text[0];
		return 1;
	}
	if (size < 3 || !isdigit((unsigned char)text[1]) || !isdigit((unsigned char)text[2]))
		return 0;
	for (unsigned i = 0; i < 3; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	if (value > UINT8_MAX)
		return 0;
	*ret_octet = (uint8_t)value;
	return 3;
}

bool field_decode(const char *text, size_t size, struct text *octets, struct err *err)
{
	size_t at = 0;

	while (at < size) {
		uint8_t octet = (uint8_t)text[at++];

		if (octet == '"')
			continue;
		if (octet == '\\') {
			size_t taken = decode_escape(text + at, size - at, &octet);

			if (taken == 0)
				return err_set(err, "'\\%.*s' is no escape (RFC 1035 5.1)",
					(int)(size - at < 3 ? size - at : 3), text + at);
			at += taken;
		}
		text_add_bytes(octets, &octet, 1);
	}
	return true;
}

bool field_number(const char *text, size_t size, uint16_t *ret_number)
{
	uint32_t number = 0;

	for (size_t i = 0; i < size && number <= UINT16_MAX; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		number = number * 10 + (uint32_t)(text[i] - '0');
	}
	if (size == 0 || number > UINT16_MAX)
		return false;
	*ret_number = (uint16_t)number;
	return true;
}
