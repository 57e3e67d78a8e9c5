/* SPDX-License-Identifier: Apache-2.0 */

/* The query path allocates nothing: linked so that every call of malloc() and its kin comes by here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mix.h"
#include "world.h"

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

static struct world *world;

static void ten_thousand_queries(void **state)
{
	static uint8_t out[ANSWER_TCP_MAX];
	static struct mix mix;
	static struct ask ask;
	struct stats stats = {0};

	(void)state;
	mix_init(&mix, 7);
	assert_true(calls > 0); /* the world was built: calls are seen */
	for (size_t i = 0; i < 10000; i++) {
		mix_next(&mix, &ask);

		size_t before = calls;

		(void)answer_query(
			&world->plan, &ask.client, ask.message, ask.size, ask.random, &stats, out);
		assert_int_equal(calls, before);
	}
	for (int outcome = STATS_SILENT; outcome <= STATS_WITH_ECS; outcome++)
		assert_true(stats.counters[outcome] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_queries),
	};

	world = world_new(NULL);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	world_free(world);
	return failed;
}
