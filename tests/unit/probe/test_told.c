/* SPDX-License-Identifier: Apache-2.0 */

/* Words that are pushed while the prober runs, dies, and is not there: none is lost. */

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"
#include "steerd/base/clock.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* For machines that hang. */
#define WAIT_MAX_MS 20000

/* A program in the prober's place, which keeps all that it is told, but only once it may. */
struct listener {
	char directory[64];
	char program[96];
	char gate[96];
	char heard[96];
	struct rig_steerd steerd;
};

static void touch(const char *path)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fclose(file);
}

static void open_listener(struct listener *listener, const struct link_orders *orders)
{
	snprintf(listener->directory, sizeof(listener->directory), "/tmp/steerd-told-XXXXXX");
	assert_non_null(mkdtemp(listener->directory));
	snprintf(listener->program, sizeof(listener->program), "%s/prober", listener->directory);
	snprintf(listener->gate, sizeof(listener->gate), "%s/gate", listener->directory);
	snprintf(listener->heard, sizeof(listener->heard), "%s/heard", listener->directory);

	FILE *file = fopen(listener->program, "we");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n[ -e %s ] || exit 1\nexec cat <&3 >>%s\n", listener->gate,
		listener->heard);
	fclose(file);
	chmod(listener->program, 0700);
	touch(listener->heard);
	rig_start_steerd(&listener->steerd, listener->program, orders);
}

static void close_listener(struct listener *listener)
{
	rig_stop_steerd(&listener->steerd);
	unlink(listener->program);
	unlink(listener->gate);
	unlink(listener->heard);
	rmdir(listener->directory);
}

/* "orders, KEY STATE REASON, ...": all frames so far; ages that are wrong are told. */
static void print_heard(const struct listener *listener, uint64_t least_age_ms, struct text *ret)
{
	struct text bytes = {0};
	struct err err;
	size_t at = 0;

	text_clear(ret);
	text_add(ret, "");
	assert_true(file_read(listener->heard, 1 << 20, &bytes, &err));
	while (at < bytes.size) {
		struct arena *arena = arena_new();
		struct link_pushed pushed;
		enum link_kind kind;
		const uint8_t *body;
		size_t size;

		assert_true(
			link_find_frame(bytes.bytes + at, bytes.size - at, &kind, &body, &size));
		if (size == 0) {
			arena_free(arena);
			break;
		}
		text_add(ret, ret->size > 0 ? ", " : "");
		if (kind != LINK_PUSHED) {
			text_add(ret, kind == LINK_ORDERS ? "orders" : "something else");
		} else {
			assert_true(link_read_pushed(
				body, size - LINK_FRAME_HEADER, arena, &pushed, &err));
			text_print(ret, "%s %u %s%s", pushed.key, pushed.state, pushed.reason,
				pushed.age_ms < least_age_ms ? " too young" : "");
		}
		arena_free(arena);
		at += size;
	}
	text_done(&bytes);
}

static void expect_heard(struct listener *listener, uint64_t least_age_ms, const char *want)
{
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;
	struct text got = {0};

	for (;;) {
		event_base_loop(listener->steerd.base, EVLOOP_NONBLOCK);
		print_heard(listener, least_age_ms, &got);
		if (strcmp(got.bytes, want) == 0)
			break;
		if (clock_monotonic_ms() > end_at_ms)
			fail_msg("'%s', not '%s'", got.bytes, want);
		usleep(2000);
	}
	text_done(&got);
}

static void push(struct listener *listener, const char *key, enum verdict_state state,
	const char *reason, uint64_t age_ms)
{
	supervise_push(listener->steerd.supervise,
		&(struct link_pushed){
			.key = key, .state = (uint8_t)state, .reason = reason, .age_ms = age_ms});
}

static void forget(struct listener *listener)
{
	assert_int_equal(truncate(listener->heard, 0), 0);
}

/* The one that runs dies; what it heard is forgotten first. */
static void kill_prober(struct listener *listener)
{
	size_t before = listener->steerd.started_count;

	forget(listener);
	kill(listener->steerd.pid, SIGKILL);
	while (listener->steerd.started_count == before)
		event_base_loop(listener->steerd.base, EVLOOP_ONCE);
}

static void await_absence(struct listener *listener)
{
	struct supervise_state state;

	do {
		event_base_loop(listener->steerd.base, EVLOOP_ONCE);
		supervise_get_state(listener->steerd.supervise, &state);
	} while (state.pid > 0 || listener->steerd.ended_count == 0);
}

static void words_are_kept(void **state)
{
	const struct target targets[] = {
		rig_target("fed@192.0.2.1", TARGET_NONE, "192.0.2.1"),
		rig_target("fed@192.0.2.2", TARGET_NONE, "192.0.2.2"),
	};
	const struct link_orders orders = {
		.targets = {.generation = 1, .targets = targets, .count = 2}};
	struct listener listener;

	(void)state;
	open_listener(&listener, &orders);

	/* there is none: each start ends at once, and there is none while we do not let it start */
	await_absence(&listener);
	push(&listener, "fed@192.0.2.2", VERDICT_UP, "", 500);
	push(&listener, "fed@192.0.2.1", VERDICT_UP, "", 500);
	push(&listener, "fed@192.0.2.1", VERDICT_DOWN, "on fire", 500);
	touch(listener.gate);
	expect_heard(&listener, 500, "orders, fed@192.0.2.1 3 on fire, fed@192.0.2.2 1 ");

	/* it runs */
	forget(&listener);
	push(&listener, "fed@192.0.2.1", VERDICT_DEGRADED, "put out", 0);
	expect_heard(&listener, 0, "fed@192.0.2.1 2 put out");

	/* what is no line is made one: the prober would not take it */
	forget(&listener);
	push(&listener, "fed@192.0.2.1", VERDICT_DOWN, "two\nlines\033[2J", 0);
	expect_heard(&listener, 0, "fed@192.0.2.1 3 two?lines?[2J");
	forget(&listener);

	/* the next one is told all that holds, after its orders */
	push(&listener, "fed@192.0.2.1", VERDICT_UP, "well", 700);
	expect_heard(&listener, 0, "fed@192.0.2.1 1 well");
	kill_prober(&listener);
	expect_heard(&listener, 500, "orders, fed@192.0.2.1 1 well, fed@192.0.2.2 1 ");

	/* a reload takes a target away: what was said of it is forgotten */
	forget(&listener);
	listener.steerd.orders.targets.count = 1;
	supervise_renew(listener.steerd.supervise);
	expect_heard(&listener, 0, "orders");
	kill_prober(&listener);
	expect_heard(&listener, 700, "orders, fed@192.0.2.1 1 well");
	close_listener(&listener);
}

/* ---- the real prober ---- */

/* What the only row must say. */
struct wanted {
	enum verdict_state state;
	const char *reason;
};

static bool row_is(const struct rig_steerd *steerd, const void *context)
{
	const struct wanted *wanted = context;

	return steerd->table.count == 1 && steerd->table.rows[0].state == wanted->state &&
		strcmp(steerd->table.rows[0].reason, wanted->reason) == 0;
}

static bool does_not_run(const struct rig_steerd *steerd, const void *context)
{
	struct supervise_state state;

	(void)context;
	supervise_get_state(steerd->supervise, &state);
	return state.pid == 0;
}

static void tell_prober(struct rig_steerd *steerd, enum verdict_state state, const char *reason)
{
	supervise_push(steerd->supervise,
		&(struct link_pushed){
			.key = "fed@192.0.2.1", .state = (uint8_t)state, .reason = reason});
}

/* What is pushed is judged within moments, whether a prober runs or is between two lives. */
static void words_are_judged(void **state)
{
	const struct settings_monitor monitor = {.name = "fed",
		.kind = KIND_PUSH,
		.every_ms = 60000,
		.timeout_ms = 1000,
		.fall = 1,
		.rise = 1,
		.max_age_ms = 60000,
		.on_stale = STALE_DOWN};
	const struct target target = rig_target("fed@192.0.2.1", 0, "192.0.2.1");
	const struct link_orders orders = {
		.targets = {.generation = 1, .targets = &target, .count = 1},
		.monitors = &monitor,
		.monitor_count = 1};
	struct rig_steerd steerd;

	(void)state;
	rig_start_steerd(&steerd, RIG_PROBER, &orders);
	rig_wait(&steerd, row_is, &(struct wanted){VERDICT_UNKNOWN, ""}, "nobody said anything");
	tell_prober(&steerd, VERDICT_DOWN, "on fire");
	rig_wait(&steerd, row_is, &(struct wanted){VERDICT_DOWN, "on fire"}, "a word");
	tell_prober(&steerd, VERDICT_DEGRADED, "put out");
	rig_wait(&steerd, row_is, &(struct wanted){VERDICT_DEGRADED, "put out"}, "another word");

	kill(steerd.pid, SIGKILL);
	rig_wait(&steerd, does_not_run, NULL, "its death");
	tell_prober(&steerd, VERDICT_DOWN, "on fire again");
	rig_wait(&steerd, row_is, &(struct wanted){VERDICT_DOWN, "on fire again"},
		"a word from between two lives");
	assert_int_equal(steerd.started_count, 2);
	rig_stop_steerd(&steerd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_kept),
		cmocka_unit_test(words_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
