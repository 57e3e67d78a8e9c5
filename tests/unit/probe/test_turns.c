/* SPDX-License-Identifier: Apache-2.0 */

/* Who may run now: against what must hold whatever comes, and goes, in whatever order. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
	assert_int_equal(stage.turns.running_count, 0);
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

/* Places as the rounds of the event loop allow, and as they are needed. */
static void as_this_process_keeps_up(void **state)
{
	static const struct {
		const char *about;
		uint64_t round_ms;
		size_t rounds;
		size_t waiting; /* as many want a place, all the time */
		bool are_suspect;
		size_t want;
	} lives[] = {
		{"nobody needs more", 0, 100, 10, false, 64},
		{"all are taken", 0, 1, 64, false, 69},
		{"those of suspects are taken", 0, 1, 49, true, 69},
		{"those of suspects are just enough", 0, 1, 48, true, 64},
		{"as many as there may be", 0, 200, 5000, false, 1024},
		{"a round at the limit is short", 50, 200, 5000, false, 1024},
		{"too long once", 51, 1, 64, false, 48},
		{"too long all the time", 51, 100, 64, false, 16},
	};
	static struct one_turn all[5000];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lives); i++) {
		struct stage stage = {0};

		memset(all, 0, sizeof(all));
		turns_init(&stage.turns, 1024, on_begin, &stage);
		for (size_t k = 0; k < lives[i].waiting; k++) {
			all[k].is_there = true;
			turns_take(&stage.turns, &all[k].turn, lives[i].are_suspect);
		}
		for (size_t k = 0; k < lives[i].rounds; k++)
			turns_adapt(&stage.turns, lives[i].round_ms);
		if (stage.turns.places != lives[i].want)
			fail_msg("%s: %zu places", lives[i].about, stage.turns.places);
	}
}

/* There are fewer descriptors than places that one would begin with. */
static void few_descriptors(void **state)
{
	struct stage stage = {0};

	(void)state;
	turns_init(&stage.turns, 8, on_begin, &stage);
	assert_int_equal(stage.turns.places, 8);
	turns_adapt(&stage.turns, 1000);
	assert_int_equal(stage.turns.places, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(who_came_first),
		cmocka_unit_test(as_this_process_keeps_up),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
