/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/dns/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_MAX_TRIED 300 /* both sides of every limit between short and long */
#define AROUND 32

/* Every size, between octets that must stay as they are. */
static void copies_are_exact(void **state)
{
	uint8_t from[SIZE_MAX_TRIED];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7 + 1);
	for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
		uint8_t got[AROUND + SIZE_MAX_TRIED + AROUND];
		uint8_t want[sizeof(got)];

		memset(got, 0xee, sizeof(got));
		memset(want, 0xee, sizeof(want));
		memcpy(want + AROUND, from, size);
		wire_copy(got + AROUND, from, size);
		assert_memory_equal(got, want, sizeof(want));
	}
}

/* One octet that differs is seen wherever it stands, and none outside is looked at. */
static void equal_is_every_octet(void **state)
{
	(void)state;
	for (size_t size = 0; size <= 80; size++) {
		uint8_t a[AROUND + 80 + AROUND];
		uint8_t b[sizeof(a)];

		memset(a, 'a', sizeof(a));
		memset(b, 'b', sizeof(b));
		memset(b + AROUND, 'a', size);
		assert_true(wire_is_equal(a + AROUND, b + AROUND, size));
		for (size_t i = 0; i < size; i++) {
			b[AROUND + i] ^= 1;
			assert_false(wire_is_equal(a + AROUND, b + AROUND, size));
			b[AROUND + i] ^= 1;
		}
	}
}

static void numbers_there_and_back(void **state)
{
	static const uint32_t numbers[] = {
		0, 1, 0x80, 0xff, 0x100, 0x8001, 0xffff, 0x12345678, 0x80000001, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint8_t octets[4];

		wire_write32(octets, numbers[i]);
		assert_int_equal(octets[0], numbers[i] >> 24);
		assert_int_equal(octets[3], numbers[i] & 0xff);
		assert_int_equal(wire_read32(octets), numbers[i]);
		wire_write16(octets, (uint16_t)numbers[i]);
		assert_int_equal(wire_read16(octets), numbers[i] & 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_exact),
		cmocka_unit_test(equal_is_every_octet),
		cmocka_unit_test(numbers_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
