/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/text.h"

/*
 * bytes - numbers, texts and addresses as bytes and back: for what our programs tell each other and
 * keep on disk.
 *
 * Numbers are in network order.  The reader remembers failure: read all fields, then check `failed`
 * once; what is read after the failure is zero or empty, and nothing beyond `left` is ever touched.
 * Not for DNS packets.
 */
void bytes_write_u8(struct text *ret_bytes, uint8_t value);
void bytes_write_u16(struct text *ret_bytes, uint16_t value);
void bytes_write_u32(struct text *ret_bytes, uint32_t value);
void bytes_write_u64(struct text *ret_bytes, uint64_t value);
/* Two octets of length, then the text, at most 65,535 octets of it; NULL is told from "". */
void bytes_write_text(struct text *ret_bytes, const char *text);
/* One octet of family, then as many as the family has. */
void bytes_write_address(struct text *ret_bytes, const struct address *address);

struct bytes_reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

uint8_t bytes_read_u8(struct bytes_reader *reader);
uint16_t bytes_read_u16(struct bytes_reader *reader);
uint32_t bytes_read_u32(struct bytes_reader *reader);
uint64_t bytes_read_u64(struct bytes_reader *reader);
/* 0 or 1; anything else fails. */
bool bytes_read_bool(struct bytes_reader *reader);
/* `size` octets where they lie; NULL if there are fewer. */
const uint8_t *bytes_read_raw(struct bytes_reader *reader, size_t size);
/*
 * The text where it lies, without a '\0' behind it; NULL for NULL and on failure.  A '\0' within it
 * fails.
 */
const char *bytes_read_text(struct bytes_reader *reader, size_t *ret_size);
struct address bytes_read_address(struct bytes_reader *reader);

/* CRC-32 as in IEEE 802.3: finds a torn or rotten file, not an attacker. */
uint32_t bytes_crc32(const void *bytes, size_t size);

#endif
