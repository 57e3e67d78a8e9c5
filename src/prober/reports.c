/* SPDX-License-Identifier: Apache-2.0 */
#include "reports.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/time.h>

#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

struct reports {
	struct stream *stream;
	reports_table_fn table;
	void *context;
	struct event *writable;
	struct event *tick;    /* a table is due */
	struct event *changed; /* states are due */
	uint64_t generation;   /* of the last table that was sent */
	uint8_t *bits;	       /* the states of its rows as they are now */
	size_t row_count;
	uint64_t states_at_ms; /* when they were last sent */
	bool owes_table;       /* steerd has not yet read what was sent before */
	bool owes_states;
};

static struct timeval span_of(uint64_t ms)
{
	return (struct timeval){
		.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

/* What the other end is to have read before more is written. */
static bool is_behind(const struct reports *reports)
{
	return reports->stream->out.size > 0;
}

static void flush(struct reports *reports)
{
	struct err err;

	/* that steerd is gone is seen by who reads */
	if (stream_flush(reports->stream, &err) && is_behind(reports))
		event_add(reports->writable, NULL);
}

/* ---- tables and states ---- */

static void keep_states(struct reports *reports, const struct verdict_table *table)
{
	free(reports->bits);
	reports->generation = table->generation;
	reports->row_count = table->count;
	reports->bits = memory_new(link_states_size(table->count) + 1);
	for (size_t i = 0; i < table->count; i++)
		link_states_set(reports->bits, i, table->rows[i].state);
}

static void send_table(struct reports *reports)
{
	struct verdict_table table;

	reports->owes_table = is_behind(reports);
	if (reports->owes_table)
		return;
	reports->table(reports->context, &table);
	keep_states(reports, &table);
	link_write_verdicts(&table, &reports->stream->out);
	verdict_table_done(&table);
	reports->owes_states = false; /* it says them */
	event_del(reports->changed);
	flush(reports);
}

static void send_states(struct reports *reports)
{
	const struct link_states states = {
		.generation = reports->generation,
		.row_count = reports->row_count,
		.bits = reports->bits,
	};

	reports->owes_states = is_behind(reports);
	if (reports->owes_states)
		return;
	reports->states_at_ms = clock_monotonic_ms();
	link_write_states(&states, &reports->stream->out);
	flush(reports);
}

/* ---- when ---- */

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	send_table(context);
}

static void on_changed(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	send_states(context);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct reports *reports = context;

	(void)fd;
	(void)what;
	flush(reports);
	if (is_behind(reports))
		return;
	if (reports->owes_table)
		send_table(reports);
	else if (reports->owes_states)
		send_states(reports);
}

void reports_begin(struct reports *reports)
{
	const struct timeval every = span_of(REPORTS_TABLE_EVERY_MS);

	/* anew: the next one is a whole second away */
	event_add(reports->tick, &every);
	send_table(reports);
}

/* Not within the call: all that changes in this turn of the loop goes in one frame. */
static void send_states_soon(struct reports *reports)
{
	uint64_t since_ms = clock_monotonic_ms() - reports->states_at_ms;
	const struct timeval wait =
		span_of(since_ms < REPORTS_GAP_MS ? REPORTS_GAP_MS - since_ms : 0);

	event_add(reports->changed, &wait);
}

void reports_change(struct reports *reports, size_t row, uint8_t state)
{
	assert(row < reports->row_count);
	link_states_set(reports->bits, row, state);
	if (!event_pending(reports->changed, EV_TIMEOUT, NULL))
		send_states_soon(reports);
}

void reports_add_findings(struct reports *reports, const struct link_findings *findings)
{
	link_write_findings(findings, &reports->stream->out);
	flush(reports);
}

void reports_add_delivered(struct reports *reports, const struct link_delivered *delivered)
{
	link_write_delivered(delivered, &reports->stream->out);
	flush(reports);
}

struct reports *reports_new(
	struct event_base *base, struct stream *stream, reports_table_fn table, void *context)
{
	struct reports *reports = memory_new(sizeof(*reports));

	reports->stream = stream;
	reports->table = table;
	reports->context = context;
	reports->writable = event_new(base, stream->fd, EV_WRITE, on_writable, reports);
	reports->tick = event_new(base, -1, EV_PERSIST, on_tick, reports);
	reports->changed = evtimer_new(base, on_changed, reports);
	return reports;
}

void reports_free(struct reports *reports)
{
	if (!reports)
		return;
	event_free(reports->writable);
	event_free(reports->tick);
	event_free(reports->changed);
	free(reports->bits);
	free(reports);
}
