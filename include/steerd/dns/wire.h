/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * wire - numbers in network order, at any alignment, and runs of octets as short as names and records are.  The
 * caller has checked that there is room.  [query path]
 */
static inline uint16_t wire_read16(const uint8_t *wire)
{
	return (uint16_t)(wire[0] << 8 | wire[1]);
}

static inline uint32_t wire_read32(const uint8_t *wire)
{
	return (uint32_t)wire_read16(wire) << 16 | wire_read16(wire + 2);
}

static inline void wire_write16(uint8_t *wire, uint16_t value)
{
	wire[0] = (uint8_t)(value >> 8);
	wire[1] = (uint8_t)value;
}

static inline void wire_write32(uint8_t *wire, uint32_t value)
{
	wire_write16(wire, (uint16_t)(value >> 16));
	wire_write16(wire + 2, (uint16_t)value);
}

static inline void wire_write64(uint8_t *wire, uint64_t value)
{
	wire_write32(wire, (uint32_t)(value >> 32));
	wire_write32(wire + 4, (uint32_t)value);
}

/*
 * Copies octets to where none of them is.  Whole blocks, of which the last may overlap the one before, so that
 * nothing but the octets is read or written.  Most names and records are so short that a call of memcpy() costs more,
 * for the caller too, whose registers it takes.
 */
static inline void wire_copy(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size >= 16) {
		for (size_t i = 0; i + 16 < size; i += 16)
			memcpy(to + i, from + i, 16);
		memcpy(to + size - 16, from + size - 16, 16);
	} else if (size >= 8) {
		memcpy(to, from, 8);
		memcpy(to + size - 8, from + size - 8, 8);
	} else {
		for (size_t i = 0; i < size; i++)
			to[i] = from[i];
	}
}

/* Whether two runs are the same: word by word from the end, where the first word may be read twice; never a call. */
static inline bool wire_is_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	if (size >= 8) {
		for (; size > 8; size -= 8)
			if (memcmp(a + size - 8, b + size - 8, 8) != 0)
				return false;
		return memcmp(a, b, 8) == 0;
	}
	while (size > 0 && a[size - 1] == b[size - 1])
		size--;
	return size == 0;
}

#endif
