/* SPDX-License-Identifier: Apache-2.0 */

/* A step allocates nothing while rows are the same: linked so that every call of malloc() and its kin comes by here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard_crowd.h"
#include "steerd/health/guard.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static size_t calls;

void *__wrap_malloc(size_t size)
{
	calls++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	calls++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	calls++;
	return __real_realloc(old, size);
}

void __wrap_free(void *memory)
{
	calls++;
	__real_free(memory);
}

/* A third fails, all fail, all are well: each is held, goes, comes back and grows meanwhile. */
static void steps(void **state)
{
	static const size_t failing[] = {0, 3, 1, 2, 0, 5, 0};
	struct crowd *crowd = crowd_new(1000);
	size_t before;

	(void)state;
	crowd_step(crowd, 0);
	before = calls;
	for (size_t i = 0; i < 7; i++) {
		crowd_show(crowd, failing[i]);
		for (uint64_t k = 1; k <= 20; k++)
			crowd_step(crowd, (20 * i + k) * 7000);
		/* it was not for nothing: two minutes are enough for each */
		assert_int_equal(crowd_down(crowd),
			failing[i] == 0 ? 0 : (1000 + failing[i] - 1) / failing[i]);
	}
	assert_int_equal(calls, before);
	crowd_free(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
