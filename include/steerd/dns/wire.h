/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

#include <stdint.h>

/*
 * wire - numbers in network order, at any alignment.  The caller has checked that there is room.  [query path]
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

#endif
