/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/base/bytes.h"

#include <string.h>

/* In place of a length: there is no text at all. */
#define TEXT_IS_NULL UINT16_MAX

void bytes_write_u8(struct text *ret_bytes, uint8_t value)
{
	text_add_bytes(ret_bytes, &value, 1);
}

static void write_number(struct text *ret_bytes, uint64_t value, size_t size)
{
	uint8_t octets[8];

	for (size_t i = 0; i < size; i++)
		octets[i] = (uint8_t)(value >> 8 * (size - 1 - i));
	text_add_bytes(ret_bytes, octets, size);
}

void bytes_write_u16(struct text *ret_bytes, uint16_t value)
{
	write_number(ret_bytes, value, 2);
}

void bytes_write_u32(struct text *ret_bytes, uint32_t value)
{
	write_number(ret_bytes, value, 4);
}

void bytes_write_u64(struct text *ret_bytes, uint64_t value)
{
	write_number(ret_bytes, value, 8);
}

void bytes_write_text(struct text *ret_bytes, const char *text)
{
	size_t size = text ? strlen(text) : TEXT_IS_NULL;

	if (text && size >= TEXT_IS_NULL)
		size = TEXT_IS_NULL - 1;
	bytes_write_u16(ret_bytes, (uint16_t)size);
	if (text)
		text_add_bytes(ret_bytes, text, size);
}

void bytes_write_address(struct text *ret_bytes, const struct address *address)
{
	bytes_write_u8(ret_bytes, address->family);
	if (address->family != ADDRESS_NONE)
		text_add_bytes(ret_bytes, address->bytes, address_size(address));
}

const uint8_t *bytes_read_raw(struct bytes_reader *reader, size_t size)
{
	const uint8_t *at = reader->at;

	if (reader->failed || size > reader->left) {
		reader->failed = true;
		return NULL;
	}
	reader->at += size;
	reader->left -= size;
	return at;
}

static uint64_t read_number(struct bytes_reader *reader, size_t size)
{
	const uint8_t *octets = bytes_read_raw(reader, size);
	uint64_t value = 0;

	for (size_t i = 0; octets && i < size; i++)
		value = value << 8 | octets[i];
	return value;
}

uint8_t bytes_read_u8(struct bytes_reader *reader)
{
	return (uint8_t)read_number(reader, 1);
}

uint16_t bytes_read_u16(struct bytes_reader *reader)
{
	return (uint16_t)read_number(reader, 2);
}

uint32_t bytes_read_u32(struct bytes_reader *reader)
{
	return (uint32_t)read_number(reader, 4);
}

uint64_t bytes_read_u64(struct bytes_reader *reader)
{
	return read_number(reader, 8);
}

bool bytes_read_bool(struct bytes_reader *reader)
{
	uint8_t value = bytes_read_u8(reader);

	if (value > 1)
		reader->failed = true;
	return value == 1;
}

const char *bytes_read_text(struct bytes_reader *reader, size_t *ret_size)
{
	size_t size = bytes_read_u16(reader);

	*ret_size = 0;
	if (reader->failed || size == TEXT_IS_NULL)
		return NULL;

	const char *text = (const char *)bytes_read_raw(reader, size);

	if (!text)
		return NULL;
	if (memchr(text, '\0', size)) {
		reader->failed = true;
		return NULL;
	}
	*ret_size = size;
	return text;
}

struct address bytes_read_address(struct bytes_reader *reader)
{
	struct address address = {.family = bytes_read_u8(reader)};
	const uint8_t *octets;

	switch (address.family) {
	case ADDRESS_NONE:
		return address;
	case ADDRESS_IPV4:
	case ADDRESS_IPV6:
		octets = bytes_read_raw(reader, address_size(&address));
		if (octets)
			memcpy(address.bytes, octets, address_size(&address));
		return address;
	default: /* any octet may come */
		reader->failed = true;
		return (struct address){.family = ADDRESS_NONE};
	}
}

/* The remainders of all values of half an octet. */
static const uint32_t remainders[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190,
	0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

static uint32_t add_octet(uint32_t crc, uint8_t octet)
{
	crc = remainders[(crc ^ octet) & 15] ^ crc >> 4;
	return remainders[(crc ^ octet >> 4) & 15] ^ crc >> 4;
}

/*
 * From here on tables for eight octets at a time are worth their making, 8 KB in some two
 * microseconds: verdicts are megabytes each second.
 */
#define CRC_LONG 1024
#define CRC_STRIDE 8

/* tables[k][v]: what octet v, with k octets of zero behind it, adds. */
static void make_tables(uint32_t tables[CRC_STRIDE][256])
{
	for (unsigned value = 0; value < 256; value++)
		tables[0][value] = add_octet(0, (uint8_t)value);
	for (unsigned k = 1; k < CRC_STRIDE; k++)
		for (unsigned value = 0; value < 256; value++)
			tables[k][value] =
				tables[0][tables[k - 1][value] & 255] ^ tables[k - 1][value] >> 8;
}

/* As many strides as there are; adds the number of octets to `ret_done`. */
static uint32_t add_strides(uint32_t crc, const uint8_t *octets, size_t size, size_t *ret_done)
{
	uint32_t tables[CRC_STRIDE][256];
	size_t done = 0;

	make_tables(tables);
	for (; size - done >= CRC_STRIDE; done += CRC_STRIDE) {
		const uint8_t *at = octets + done;
		uint32_t next = 0;

		for (unsigned k = 0; k < CRC_STRIDE; k++) {
			uint8_t mixed = (uint8_t)(k < 4 ? at[k] ^ crc >> 8 * k : at[k]);

			next ^= tables[CRC_STRIDE - 1 - k][mixed];
		}
		crc = next;
	}
	*ret_done = done;
	return crc;
}

uint32_t bytes_crc32(const void *bytes, size_t size)
{
	const uint8_t *octets = bytes;
	uint32_t crc = UINT32_MAX;
	size_t done = 0;

	if (size >= CRC_LONG)
		crc = add_strides(crc, octets, size, &done);
	for (; done < size; done++)
		crc = add_octet(crc, octets[done]);
	return ~crc;
}
