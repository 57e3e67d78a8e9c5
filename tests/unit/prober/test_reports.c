/* SPDX-License-Identifier: Apache-2.0 */

/* What the prober tells, and how often: whatever happens, a table a second and few states between two of them. */

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

#define ROWS 200

/* Both ends: rows that change, and what was read of them. */
struct stage {
	struct event_base *base;
	struct stream prober;
	struct stream steerd;
	struct reports *reports;
	uint8_t states[ROWS];
	size_t made; /* tables that were asked for */
	size_t tables;
	size_t frames; /* of states */
	uint8_t told[ROWS];
};

static void make_table(void *context, struct verdict_table *ret_table)
{
	struct stage *stage = context;

	*ret_table = (struct verdict_table){
		.generation = 7, .count = ROWS, .rows = memory_new(ROWS * sizeof(struct verdict))};
	for (size_t i = 0; i < ROWS; i++)
		ret_table->rows[i] = (struct verdict){.target = (target_id)i,
			.address = {ADDRESS_IPV4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}},
			.state = stage->states[i]};
	stage->made++;
}

static int begin(void **state)
{
	struct stage *stage = memory_new(sizeof(*stage));
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	stage->base = event_base_new();
	stage->prober.fd = pair[0];
	stage->steerd.fd = pair[1];
	stage->reports = reports_new(stage->base, &stage->prober, make_table, stage);
	*state = stage;
	return 0;
}

static int end(void **state)
{
	struct stage *stage = *state;

	reports_free(stage->reports);
	close(stage->prober.fd);
	close(stage->steerd.fd);
	stream_done(&stage->prober);
	stream_done(&stage->steerd);
	event_base_free(stage->base);
	free(stage);
	return 0;
}

static void set(struct stage *stage, size_t row, uint8_t to)
{
	stage->states[row] = to;
	reports_change(stage->reports, row, to);
}

static void take(struct stage *stage, const struct stream_frame *frame)
{
	struct verdict_table table;
	struct link_states states;
	struct err err;

	if (frame->kind == LINK_VERDICTS) {
		assert_true(link_read_verdicts(frame->body, frame->body_size, &table, &err));
		assert_int_equal(table.count, ROWS);
		for (size_t i = 0; i < ROWS; i++)
			stage->told[i] = table.rows[i].state;
		verdict_table_done(&table);
		stage->tables++;
		return;
	}
	assert_int_equal(frame->kind, LINK_STATES);
	assert_true(link_read_states(frame->body, frame->body_size, &states, &err));
	assert_int_equal(states.generation, 7);
	assert_int_equal(states.row_count, ROWS);
	for (size_t i = 0; i < ROWS; i++)
		stage->told[i] = (uint8_t)link_states_get(states.bits, i);
	stage->frames++;
}

static void read_all(struct stage *stage)
{
	struct stream_frame frame;
	struct err err;
	bool found;

	assert_true(stream_receive(&stage->steerd, &err));
	while (stream_peek(&stage->steerd, &found, &frame, &err) && found) {
		take(stage, &frame);
		stream_drop(&stage->steerd, &frame);
	}
}

static bool knows_all(const struct stage *stage)
{
	for (size_t i = 0; i < ROWS; i++)
		if (stage->told[i] != stage->states[i])
			return false;
	return true;
}

/* Turns the loop until steerd knows all. */
static void settle(struct stage *stage)
{
	for (read_all(stage); !knows_all(stage); read_all(stage))
		event_base_loop(stage->base, EVLOOP_ONCE);
}

static void a_change_is_told_by_states_alone(void **state)
{
	struct stage *stage = *state;

	reports_begin(stage->reports);
	read_all(stage);
	assert_int_equal(stage->tables, 1);
	set(stage, 3, VERDICT_DOWN);
	settle(stage);
	if (stage->tables == 1) /* unless this machine slept for a second */
		assert_int_equal(stage->frames, 1);
	set(stage, 3, VERDICT_UP);
	set(stage, ROWS - 1, VERDICT_DEGRADED);
	settle(stage);
	assert_int_equal(stage->made, stage->tables);
}

/* All that changes in one turn of the loop goes in one frame. */
static void many_changes_are_one_frame(void **state)
{
	struct stage *stage = *state;

	reports_begin(stage->reports);
	for (size_t i = 0; i < ROWS; i++)
		set(stage, i, (uint8_t)(1 + i % 3));
	settle(stage);
	assert_true(stage->frames <= 1);
}

/* More than two seconds of changes without an end cost what a quiet time costs, and some states. */
static void a_storm_costs_no_table(void **state)
{
	struct stage *stage = *state;
	uint64_t begin_ms = clock_monotonic_ms();
	uint64_t span_ms;
	size_t row = 0;

	reports_begin(stage->reports);
	read_all(stage);
	while (stage->tables < 3) {
		set(stage, row % ROWS, (uint8_t)(row / ROWS % 4));
		row++;
		event_base_loop(stage->base, EVLOOP_NONBLOCK);
		read_all(stage);
	}
	/* timers and this clock need not agree to the millisecond */
	span_ms = clock_monotonic_ms() - begin_ms + 20;
	assert_true(row > ROWS / 2);
	/* as many as fit into the time, however long this machine took for it */
	assert_true(stage->tables - 1 <= span_ms / REPORTS_TABLE_EVERY_MS);
	assert_true(stage->frames <= span_ms / REPORTS_GAP_MS + 1);
	assert_true(stage->frames > 0);
}

/* While steerd does not read, one frame waits at the most; then it is told what is so now. */
static void who_does_not_read_gets_the_newest(void **state)
{
	struct stage *stage = *state;
	const size_t table_size = LINK_FRAME_HEADER + 20 + ROWS * VERDICT_ROW_SIZE;
	const int small = 4096;
	uint64_t begin_ms = clock_monotonic_ms();
	size_t row = 0;

	assert_int_equal(
		setsockopt(stage->prober.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	reports_begin(stage->reports);
	while (clock_monotonic_ms() - begin_ms < 2 * REPORTS_TABLE_EVERY_MS + 100) {
		set(stage, row % ROWS, (uint8_t)(row / ROWS % 4));
		row++;
		event_base_loop(stage->base, EVLOOP_NONBLOCK);
		assert_true(stage->prober.out.size <= table_size);
	}
	assert_true(stage->prober.out.size > 0);
	settle(stage);
	assert_true(stage->tables <= 3);
}

/* New orders: a table at once, and the next a second after it. */
static void orders_are_answered_at_once(void **state)
{
	struct stage *stage = *state;

	reports_begin(stage->reports);
	read_all(stage);
	set(stage, 1, VERDICT_DOWN);
	reports_begin(stage->reports);
	read_all(stage);
	assert_int_equal(stage->tables, 2);
	assert_true(knows_all(stage));
	/* what the table said is not said again */
	event_base_loop(stage->base, EVLOOP_NONBLOCK);
	read_all(stage);
	assert_int_equal(stage->frames, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change_is_told_by_states_alone, begin, end),
		cmocka_unit_test_setup_teardown(many_changes_are_one_frame, begin, end),
		cmocka_unit_test_setup_teardown(a_storm_costs_no_table, begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_read_gets_the_newest, begin, end),
		cmocka_unit_test_setup_teardown(orders_are_answered_at_once, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
