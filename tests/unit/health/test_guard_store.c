/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard_rig.h"
#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"

static void rig_of(struct rig *rig, void (*change)(struct rig *rig))
{
	rig_init(rig);
	rig_pool(rig);
	for (size_t i = 0; i < 4; i++)
		rig_endpoint(rig, 0, 1, 1);
	change(rig);
	rig_use(rig);
}

static void limited(struct rig *rig)
{
	rig->pools[0].loss_percent = 1;
}

static void manual(struct rig *rig)
{
	rig->pools[0].has_manual_return = true;
}

static void delayed(struct rig *rig)
{
	rig->pools[0].failback_ms = 30000;
}

static void slow(struct rig *rig)
{
	rig->pools[0].slow_start_ms = 60000;
}

static void careful(struct rig *rig)
{
	for (size_t i = 0; i < 4; i++)
		rig->members[i].evidence_ms = 15000;
	rig->pools[0].panic_percent = 100;
}

static void watched(struct rig *rig)
{
	rig->rules.suspect_percent = 50;
	rig->rules.suspect_networks = 3;
	rig->rules.suspect_window_ms = 20000;
	rig->rules.confirm_ms = 60000;
}

/* A process ends after `before` at 10 s, the next one begins with what it wrote, on a clock that starts at 100 s. */
static const struct {
	const char *about;
	void (*change)(struct rig *rig);
	const char *before;
	const char *after; /* the first step shows what the verdicts on disk say */
} restarts[] = {
	{"a limit goes on", limited, "0 UUUU UUUU; 5 DUUU DUUU; 10 DDUU DlUU",
		"100 DDUU DlUU; 154.999 = DlUU; 155 = DDUU"},
	{"who waits for a word waits on", manual, "0 UUUU UUUU; 1 DDUU DDUU; 10 UDUU mDUU",
		"100 UDUU mDUU; 101 UUUU mmUU"},
	{"a word that was said while it was down is none", manual,
		"0 UUUU UUUU; 1 DDUU DDUU; 10 = DDUU", "100 UUUU mmUU"},
	{"a delay goes on", delayed, "0 UUUU UUUU; 1 DUUU DUUU; 5 UUUU fUUU; 10 = fUUU",
		"100 UUUU fUUU; 124.999 = fUUU; 125 = UUUU"},
	{"a share grows on", slow, "0 UUUU UUUU; 1 DUUU DUUU; 5 UUUU rUUU; 10 = rUUU",
		"100 UUUU rUUU; 154.999 = rUUU; 155 = UUUU"},
	{"evidence goes on", careful, "0 UUUU UUUU; 5 DUUU eUUU; 10 = eUUU",
		"100 DUUU eUUU; 109.999 = eUUU; 110 = DUUU"},
	{"a suspicion goes on", watched, "0 UUUU UUUU; 5 DDDU oooU; 10 DDDD oooo",
		"100 DDDD oooo; 600 DDDU DDDU"},
	{"and what passed since it began", watched, "0 UUUU UUUU; 5 DDDU oooU; 10 = oooU",
		"100 DDDU oooU; 154.999 = oooU; 155 = DDDU"},
	{"what failed meanwhile", limited, "0 UUUU UUUU; 10 = UUUU", "100 DDUU DlUU; 160 = DDUU"},
};

static struct text written(const struct rig *rig)
{
	struct text bytes = {0};

	text_add(&bytes, "before"); /* it is added to what is there */
	guard_write(rig->guard, &bytes);
	memmove(bytes.bytes, bytes.bytes + 6, bytes.size - 6);
	bytes.size -= 6;
	return bytes;
}

static void next_process(void **state)
{
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(restarts); i++) {
		struct rig rig;
		struct rig next;

		rig_of(&rig, restarts[i].change);
		rig_play(&rig, restarts[i].about, restarts[i].before);
		assert_int_equal(rig.now_ms, 10000);

		struct text bytes = written(&rig);

		rig_of(&next, restarts[i].change);
		rig_show(&next, "UUUU");
		if (!guard_read(next.guard, bytes.bytes, bytes.size, 100000, &err))
			fail_msg("%s: %s", restarts[i].about, err.text);
		rig_play(&next, restarts[i].about, restarts[i].after);
		text_done(&bytes);
		rig_done(&rig);
		rig_done(&next);
	}
}

/* Since when, and what was good last. */
static void what_is_shown_goes_on(void **state)
{
	struct rig rig;
	struct rig next;
	struct err err;

	(void)state;
	rig_of(&rig, careful);
	rig_play(&rig, "before", "0 UUUU UUUU S; 1 DUUU eUUU; 16 = DUUU P; 20 DDDD DDDe P");

	struct text bytes = written(&rig);

	rig_of(&next, careful);
	assert_true(guard_read(next.guard, bytes.bytes, bytes.size, 5, &err));
	rig_show(&next, "DDDD");
	rig_step(&next, 5);

	const struct belief *rows = guard_beliefs(next.guard)->rows;

	assert_int_equal(rows[0].since_unix_s, 1700000016);
	assert_int_equal(rows[0].state, VERDICT_DOWN);
	assert_int_equal(rows[3].state, VERDICT_UP);
	for (size_t i = 0; i < 4; i++)
		assert_true(rows[i].is_last_good);
	assert_int_equal(guard_pools(next.guard)[0].state, BELIEF_POOL_PANIC);
	assert_int_equal(guard_pools(next.guard)[0].since_unix_s, 1700000016);
	assert_true(guard_pools(next.guard)[0].was_ever_up);
	text_done(&bytes);
	rig_done(&rig);
	rig_done(&next);
}

/* Bytes for other rules: what is not there any more is left out, what is new is taken as it is seen. */
static void other_rules(void **state)
{
	struct rig rig;
	struct rig next;
	struct err err;
	char believed[RIG_TARGETS + 1];

	(void)state;
	rig_of(&rig, manual);
	rig_play(&rig, "before", "0 UUUU UUUU; 1 DDDU DDDU; 2 UUUU mmmU");

	struct text bytes = written(&rig);

	rig_of(&next, manual);
	strcpy(next.keys[0], "pool0/other");
	next.rows[1].address.bytes[3] = next.addresses[1].bytes[3] = 77;
	strcpy(next.names[0], "other");
	rig_use(&next);
	assert_true(guard_read(next.guard, bytes.bytes, bytes.size, 100000, &err));
	rig_show(&next, "UUUU");
	rig_step(&next, 100000);
	rig_believed(&next, believed);
	assert_string_equal(believed, "UUmU");
	text_done(&bytes);
	rig_done(&rig);
	rig_done(&next);
}

/* A host name has the addresses that it had, until it is known better. */
static void host_names_go_on(void **state)
{
	struct rig rig;
	struct rig next;
	struct err err;
	char believed[RIG_TARGETS + 1];

	(void)state;
	rig_of(&rig, manual);
	rig.members[0].is_host = true;
	rig_use(&rig);
	rig_play(&rig, "before", "0 UUUU UUUU; 1 DUUU DUUU");

	struct text bytes = written(&rig);

	rig_of(&next, manual);
	next.members[0].is_host = true;
	rig_use(&next);
	assert_true(guard_read(next.guard, bytes.bytes, bytes.size, 100000, &err));
	rig_show(&next, "UUUU");
	next.table.rows++; /* not resolved yet */
	next.table.count--;
	rig_step(&next, 100000);
	rig_believed(&next, believed);
	assert_string_equal(believed, "fUUU"); /* but nothing has passed since */
	text_done(&bytes);
	rig_done(&rig);
	rig_done(&next);
}

/* Every length but the whole one, and every octet changed, is refused, and nothing of it is believed. */
static void torn_and_rotten(void **state)
{
	struct rig rig;
	struct err err;

	(void)state;
	rig_of(&rig, manual);
	rig_play(&rig, "before", "0 UUUU UUUU; 1 DDDU DDDU; 2 UUUU mmmU");

	struct text bytes = written(&rig);
	struct rig next;

	rig_of(&next, manual);
	for (size_t size = 0; size < bytes.size; size++) {
		uint8_t *exact = memory_copy(bytes.bytes, size);

		if (guard_read(next.guard, exact, size, 5, &err))
			fail_msg("%zu octets were taken", size);
		free(exact);
	}
	for (size_t i = 0; i < bytes.size; i++) {
		bytes.bytes[i] ^= 1;
		if (guard_read(next.guard, bytes.bytes, bytes.size, 5, &err))
			fail_msg("octet %zu was taken", i);
		bytes.bytes[i] ^= 1;
	}
	rig_play(&next, "nothing is believed", "0 UUUU UUUU");
	text_done(&bytes);
	rig_done(&rig);
	rig_done(&next);
}

/* A whole that is sealed, with one field that cannot be.  Places are counted from the end of the first row's address. */
static const struct {
	const char *about;
	int at; /* below 0: from the start */
	uint8_t octet;
	const char *want;
} impossible[] = {
	{"a health of its own kind", 0, 4, "what was believed cannot be"},
	{"a hold of its own kind", 1, 8, "what was believed cannot be"},
	{"a ramp holds nothing", 1, BELIEF_RAMP, "what was believed cannot be"},
	{"held up and down", 1, BELIEF_LOSS, "what was believed cannot be"},
	{"a state of its own kind", 2, 4, "what was believed cannot be"},
	{"neither true nor false", 3, 2, "what was believed cannot be"},
	{"another version", -4, '2',
		"what was believed is not in a form that this version can read"},
	{"more pools than octets", -23, 9, "what was believed cannot be"},
};

static void what_cannot_be(void **state)
{
	struct rig rig;
	struct err err;

	(void)state;
	rig_of(&rig, manual);
	rig_play(&rig, "before", "0 UUUU UUUU; 1 DDDU DDDU; 2 UUUU mmmU");

	struct text whole = written(&rig);
	size_t row =
		(size_t)((char *)memmem(whole.bytes, whole.size, "pool0/m0", 8) - whole.bytes) + 8 +
		5;

	for (size_t i = 0; i < COUNT_OF(impossible); i++) {
		struct text bytes = {0};
		size_t at = impossible[i].at < 0 ? (size_t)-impossible[i].at - 1
						 : row + (size_t)impossible[i].at;

		text_add_bytes(&bytes, whole.bytes, whole.size - 4);
		bytes.bytes[at] = (char)impossible[i].octet;
		bytes_write_u32(&bytes, bytes_crc32(bytes.bytes, bytes.size));
		if (guard_read(rig.guard, bytes.bytes, bytes.size, 5000, &err))
			fail_msg("%s: taken", impossible[i].about);
		if (strcmp(err.text, impossible[i].want) != 0)
			fail_msg("%s: %s", impossible[i].about, err.text);
		text_done(&bytes);
	}

	struct text longer = {0};

	text_add_bytes(&longer, whole.bytes, whole.size - 4);
	bytes_write_u16(&longer, 0);
	bytes_write_u32(&longer, bytes_crc32(longer.bytes, longer.size));
	assert_false(guard_read(rig.guard, longer.bytes, longer.size, 5000, &err));
	assert_string_equal(err.text, "2 octets follow what was believed");
	text_done(&longer);
	text_done(&whole);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_process),
		cmocka_unit_test(what_is_shown_goes_on),
		cmocka_unit_test(other_rules),
		cmocka_unit_test(host_names_go_on),
		cmocka_unit_test(torn_and_rotten),
		cmocka_unit_test(what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
