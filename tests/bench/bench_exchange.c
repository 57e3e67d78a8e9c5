/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the exchange of verdicts costs both ends, with nothing else on them: with no target failing, and with many.
 *
 *	bench_exchange ROWS CHANGES SECONDS ROUNDS
 *
 * The prober's end is this program again, started by link/supervise.h as ever: prober/reports.h with a table of so many
 * rows, of which so many are checked in a second; in a calm one none changes and in a stormy one each of them does, down
 * and up again in turn.  Calm and storm alternate, each so many seconds long.  For each a line goes to stdout:
 *
 *	kind=calm bytes=N prober_cpu_ms=N steerd_cpu_ms=N tables=N states=N
 *
 * all of them a second.  The reports' time is that of its process; that of steerd's end is without what it would make of
 * the verdicts.
 */

#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reports.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/link/stream.h"
#include "steerd/link/supervise.h"

#define FD 3
#define TICK_MS 5

/* ---- the prober's end ---- */

/* Orders say what to do: the monitor's `fall` is nothing but how many rows are checked in each tick, `rise` 2 that they change. */
struct source {
	struct event_base *base;
	struct stream stream;
	struct reports *reports;
	struct verdict_table table;
	size_t checks; /* a tick */
	bool changes;
	size_t next;
};

static void copy_table(void *context, struct verdict_table *ret_table)
{
	struct source *source = context;

	*ret_table = source->table;
	ret_table->rows = memory_copy(
		source->table.rows, source->table.count * sizeof(source->table.rows[0]));
}

static void make_rows(struct source *source, const struct target_list *targets)
{
	free(source->table.rows);
	source->table =
		(struct verdict_table){.generation = targets->generation, .count = targets->count};
	source->table.rows = memory_new(targets->count * sizeof(source->table.rows[0]));
	for (target_id i = 0; i < targets->count; i++)
		source->table.rows[i] = (struct verdict){
			.target = i,
			.address = targets->targets[i].address,
			.state = VERDICT_UP,
			.since_unix_s = 1,
			.last_passed = true,
		};
}

/* What a check writes down is the same whether or not its state is another one then. */
static bool check_row(struct verdict *verdict, bool changes)
{
	bool falls = changes && verdict->state == VERDICT_UP;

	verdict->state = falls ? VERDICT_DOWN : VERDICT_UP;
	verdict->last_passed = !falls;
	memset(verdict->note, 0,
		sizeof(verdict->note)); /* zeros to its end, as judge.c leaves them */
	snprintf(verdict->note, sizeof(verdict->note), "%s",
		falls ? "connect timed out" : "HIT, age 312 s");
	return changes;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct source *source = context;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < source->checks; i++) {
		size_t row = source->next++ % source->table.count;

		if (check_row(&source->table.rows[row], source->changes))
			reports_change(source->reports, row, source->table.rows[row].state);
	}
}

static void obey(struct source *source, const struct stream_frame *frame)
{
	struct arena *arena = arena_new();
	struct link_orders orders;
	struct err err;

	if (!link_read_orders(frame->body, frame->body_size, arena, &orders, &err))
		exit(1);
	source->checks = orders.monitors[0].fall;
	source->changes = orders.monitors[0].rise == 2;
	make_rows(source, &orders.targets);
	reports_begin(source->reports);
	verdict_table_done(&orders.verdicts);
	arena_free(arena);
}

static void on_orders(evutil_socket_t fd, short what, void *context)
{
	struct source *source = context;
	struct stream_frame frame;
	struct err err;
	bool found;

	(void)fd;
	(void)what;
	if (!stream_receive(&source->stream, &err))
		exit(0);
	while (stream_peek(&source->stream, &found, &frame, &err) && found) {
		obey(source, &frame);
		stream_drop(&source->stream, &frame);
	}
}

static int run_source(void)
{
	const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	struct source source = {.base = event_base_new(), .stream = {.fd = FD}};
	struct event *readable =
		event_new(source.base, FD, EV_READ | EV_PERSIST, on_orders, &source);
	struct event *ticking = event_new(source.base, -1, EV_PERSIST, on_tick, &source);

	source.reports = reports_new(source.base, &source.stream, copy_table, &source);
	event_add(readable, NULL);
	event_add(ticking, &tick);
	event_base_dispatch(source.base);
	return 0;
}

/* ---- steerd's end ---- */

struct sink {
	struct event_base *base;
	struct supervise *supervise;
	struct link_orders orders;
	struct settings_monitor monitor;
	struct verdict_table table;
	uint64_t tables;
	uint64_t rows_told; /* by states */
	uint64_t wanted;
	pid_t pid;
};

static void give_orders(void *context, struct link_orders *ret_orders)
{
	struct sink *sink = context;

	*ret_orders = sink->orders;
}

static bool take_verdicts(void *context, struct verdict_table *table)
{
	struct sink *sink = context;

	verdict_table_done(&sink->table);
	sink->table = *table;
	*table = (struct verdict_table){0};
	if (++sink->tables == sink->wanted)
		event_base_loopbreak(sink->base);
	return true;
}

static void take_states(void *context, const struct link_states *states)
{
	struct sink *sink = context;

	sink->rows_told += states->row_count;
}

static void on_start(void *context, pid_t pid)
{
	struct sink *sink = context;

	sink->pid = pid;
}

static void on_end(void *context, const char *why)
{
	(void)context;
	fprintf(stderr, "bench_exchange: the prober's end ended: %s\n", why);
	exit(1);
}

static double cpu_ms(clockid_t clock)
{
	struct timespec spent = {0};

	clock_gettime(clock, &spent);
	return (double)spent.tv_sec * 1e3 + (double)spent.tv_nsec / 1e6;
}

/* Runs for so many tables, from one of them to the last. */
static void run_until(struct sink *sink, uint64_t tables)
{
	sink->wanted = sink->tables + tables;
	event_base_dispatch(sink->base);
}

static void measure(struct sink *sink, bool changes, unsigned seconds)
{
	struct supervise_state before;
	struct supervise_state after;
	clockid_t clock;

	sink->monitor.rise = changes ? 2 : 1;
	sink->orders.targets.generation++;
	sink->orders.verdicts.generation = sink->orders.targets.generation;
	supervise_renew(sink->supervise);
	run_until(sink, 2); /* by then it goes its way */
	clock_getcpuclockid(sink->pid, &clock);

	double prober_ms = cpu_ms(clock);
	double steerd_ms = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);

	supervise_get_state(sink->supervise, &before);
	run_until(sink, seconds);
	supervise_get_state(sink->supervise, &after);
	printf("kind=%s bytes=%.0f prober_cpu_ms=%.2f steerd_cpu_ms=%.2f tables=%.2f states=%.1f\n",
		changes ? "storm" : "calm",
		(double)(after.heard_bytes - before.heard_bytes) / seconds,
		(cpu_ms(clock) - prober_ms) / seconds,
		(cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - steerd_ms) / seconds,
		(double)(after.table_count - before.table_count) / seconds,
		(double)(after.states_count - before.states_count) / seconds);
	fflush(stdout);
}

static struct target *make_targets(size_t count)
{
	struct target *targets = memory_new(count * sizeof(targets[0]));

	for (size_t i = 0; i < count; i++)
		targets[i] = (struct target){
			.key = "m@somewhere",
			.address = {ADDRESS_IPV4,
				{10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
		};
	return targets;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return run_source();
	if (argc != 5) {
		fprintf(stderr, "usage: %s ROWS CHANGES SECONDS ROUNDS\n", argv[0]);
		return 2;
	}

	size_t count = strtoul(argv[1], NULL, 10);
	struct target *targets = make_targets(count);
	struct sink sink = {.base = event_base_new(),
		.monitor = {.name = "m",
			.kind = KIND_TCP,
			.port = 1,
			.every_ms = 1000,
			.timeout_ms = 1000,
			.fall = (uint16_t)(strtoul(argv[2], NULL, 10) * TICK_MS / 1000),
			.rise = 1}};
	const struct supervise_callbacks callbacks = {
		.orders = give_orders,
		.verdicts = take_verdicts,
		.states = take_states,
		.started = on_start,
		.ended = on_end,
		.context = &sink,
	};

	sink.orders = (struct link_orders){
		.targets = {.generation = 1, .targets = targets, .count = count},
		.monitors = &sink.monitor,
		.monitor_count = 1,
		.verdicts = {.generation = 1},
	};
	sink.supervise = supervise_new(sink.base, "/proc/self/exe", &callbacks);
	for (unsigned long round = strtoul(argv[4], NULL, 10); round > 0; round--) {
		measure(&sink, false, (unsigned)strtoul(argv[3], NULL, 10));
		measure(&sink, true, (unsigned)strtoul(argv[3], NULL, 10));
	}
	supervise_free(sink.supervise);
	verdict_table_done(&sink.table);
	free(targets);
	event_base_free(sink.base);
	return 0;
}
