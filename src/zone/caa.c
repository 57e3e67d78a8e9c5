/* SPDX-License-Identifier: Apache-2.0 */
#include "caa.h"

#include <ctype.h>
#include <string.h>

#include "field.h"

/* Behind a field and the blanks that end it. */
static const char *behind(const char *field, size_t size)
{
	return field + size + strspn(field + size, " ");
}

bool caa_parse(const char *text, struct text *wire, struct err *err)
{
	size_t flags_size = field_size(text);
	const char *tag = behind(text, flags_size);
	size_t tag_size = field_size(tag);
	const char *value = behind(tag, tag_size);
	size_t value_size = field_size(value);
	uint16_t flags;

	if (!field_number(text, flags_size, &flags) || flags > UINT8_MAX)
		return err_set(err, "the flags are not a number from 0 to 255 (RFC 8659 4.1.1)");
	if (tag_size > UINT8_MAX)
		return err_set(err, "the tag is longer than 255 characters (RFC 8659 4.1)");
	if (value_size == 0)
		return err_set(err, "it ends before the value (RFC 8659 4.1.1)");
	if (*behind(value, value_size) != '\0')
		return err_set(err, "it goes on behind the value (RFC 8659 4.1.1)");
	text_add_bytes(wire, (uint8_t[]){(uint8_t)flags, (uint8_t)tag_size}, 2);
	for (size_t i = 0; i < tag_size; i++) {
		char letter = (char)tolower((unsigned char)tag[i]);

		text_add_bytes(wire, &letter, 1);
	}
	return field_decode(value, value_size, wire, err);
}

bool caa_check(const uint8_t *rdata, size_t size, struct err *err)
{
	size_t tag_size = size > 1 ? rdata[1] : 0;

	if (tag_size == 0 || tag_size > size - 2)
		return err_set(err, "it has no tag (RFC 8659 4.1)");
	for (size_t i = 0; i < tag_size; i++)
		if (!isalnum(rdata[2 + i]))
			return err_set(
				err, "the tag is not of letters and digits alone (RFC 8659 4.1)");
	return true;
}
