/* SPDX-License-Identifier: Apache-2.0 */

/* Who may run now: against what must hold whatever comes, and goes, in whatever order. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "turns.h"

#define MOST 64
#define STEPS 20000

struct one_turn {
	struct turn turn;
	bool is_there;
	bool has_begun;
};

struct stage {
	struct turns turns;
	struct one_turn all[MOST];
	size_t begun_count;
};

static void on_begin(struct turn *turn, void *context)
{
	struct stage *stage = context;
	struct one_turn *one = (struct one_turn *)((char *)turn - offsetof(struct one_turn, turn));

	assert_true(one->is_there);
	assert_false(one->has_begun);
	one->has_begun = true;
	stage->begun_count++;
}

static void check(const struct stage *stage)
{
	size_t running = 0;
	size_t suspects = 0;
	uint64_t first[2] = {UINT64_MAX, UINT64_MAX}; /* that waits, sound and suspect */
	const struct turns *turns = &stage->turns;
	size_t suspects_max = turns->places - turns->places / 4;

	for (size_t i = 0; i < MOST; i++) {
		const struct one_turn *one = &stage->all[i];

		if (!one->is_there)
			continue;
		assert_int_equal(one->has_begun, one->turn.has_place);
		running += one->has_begun;
		suspects += one->has_begun && one->turn.is_suspect;
		if (!one->has_begun && one->turn.number < first[one->turn.is_suspect])
			first[one->turn.is_suspect] = one->turn.number;
	}
	assert_int_equal(turns->running_count, running);
	assert_int_equal(turns->suspect_count, suspects);
	/* a place that is free is not for who waits: who is sound waits for none, a suspect only for the share of suspects */
	if (running < turns->places) {
		assert_true(first[false] == UINT64_MAX);
		assert_true(first[true] == UINT64_MAX || suspects >= suspects_max);
	}
	assert_int_equal(turns_any(turns) == NULL,
		running == 0 && first[false] == UINT64_MAX && first[true] == UINT64_MAX);
}

static void leave(struct stage *stage, struct one_turn *one)
{
	turns_leave(&stage->turns, &one->turn);
	*one = (struct one_turn){0};
	turns_go_on(&stage->turns);
}

static void in_any_order(void **state)
{
	struct stage stage = {0};
	struct random random;

	(void)state;
	random_seed_with(&random, 7);
	turns_init(&stage.turns, 8, on_begin, &stage);
	for (size_t step = 0; step < STEPS; step++) {
		struct one_turn *one = &stage.all[random_below(&random, MOST)];

		if (random_below(&random, 100) == 0) {
			turns_set_places(&stage.turns, random_below(&random, 20));
		} else if (one->is_there) {
			leave(&stage, one);
		} else {
			one->is_there = true;
			turns_take(&stage.turns, &one->turn, random_below(&random, 2) == 0);
		}
		/* fewer places than run: nobody begins until then, and nobody is ended */
		if (stage.turns.running_count <= stage.turns.places)
			check(&stage);
	}
	assert_true(stage.begun_count > STEPS / 10);
	for (size_t i = 0; i < MOST; i++)
		if (stage.all[i].is_there)
			leave(&stage, &stage.all[i]);
	assert_null(turns_any(&stage.turns));
}

static void who_came_first(void **state)
{
	struct stage stage = {0};

	(void)state;
	turns_init(&stage.turns, 4, on_begin, &stage);
	for (size_t i = 0; i < 8; i++) {
		stage.all[i].is_there = true;
		turns_take(&stage.turns, &stage.all[i].turn, true);
	}
	/* three of four places */
	assert_int_equal(stage.begun_count, 3);
	assert_true(turns_is_full(&stage.turns));
	stage.all[8].is_there = true;
	turns_take(&stage.turns, &stage.all[8].turn, false);
	assert_true(stage.all[8].has_begun);
	leave(&stage, &stage.all[1]);
	assert_true(stage.all[3].has_begun);
	assert_false(stage.all[4].has_begun);
	/* one that waits may go, too */
	leave(&stage, &stage.all[4]);
	leave(&stage, &stage.all[0]);
	assert_true(stage.all[5].has_begun);
	assert_int_equal(stage.begun_count, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(who_came_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
