/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"

/* One reading of the files. */
struct reading {
	STAILQ_ENTRY(reading) later;
	struct reload *reload;
	enum control_reading what;
	struct control_call *call; /* NULL: a signal's */
	const struct snapshot *previous;
	const struct snapshot *next; /* NULL: refused */
	struct report report;
	uint64_t began_at_ms;
};

void reload_print_counts(const struct snapshot *snapshot, struct text *ret_text)
{
	size_t zones = zone_set_count(snapshot->zones);
	size_t steered = zone_set_steered_count(snapshot->zones);

	text_print(ret_text, "%zu zone%s, %zu steered name%s", zones, zones == 1 ? "" : "s",
		steered, steered == 1 ? "" : "s");
}

void reload_print_all_counts(const struct snapshot *snapshot, struct text *ret_text)
{
	size_t pools = snapshot->settings->pool_count;
	uint32_t members = snapshot->member_count;

	reload_print_counts(snapshot, ret_text);
	text_print(ret_text, ", %zu pool%s, %u member%s", pools, pools == 1 ? "" : "s", members,
		members == 1 ? "" : "s");
}

static void run(void *context)
{
	struct reading *reading = context;
	const struct snapshot_options options = {
		.is_forced = reading->what == CONTROL_RELOAD_FORCE,
		.previous = reading->previous,
	};

	reading->began_at_ms = clock_monotonic_ms();
	reading->next = snapshot_read(reading->reload->path, &options, &reading->report);
}

static bool is_right(const struct reading *reading)
{
	return reading->next && reading->report.error_count == 0;
}

static void print_refused(const struct reading *reading, struct text *message)
{
	size_t errors = reading->report.error_count;

	text_print(message, "%s, %zu error%s; still serving generation %" PRIu64,
		reading->what == CONTROL_CHECK ? "a reload would be refused" : "reload refused",
		errors, errors == 1 ? "" : "s", world_snapshot(reading->reload->world)->generation);
}

static void print_done(const struct reading *reading, struct text *message)
{
	char span[TEXT_DURATION_SIZE];

	text_duration(clock_monotonic_ms() - reading->began_at_ms, span);
	text_add(message, reading->what == CONTROL_CHECK ? "no mistake found: " : "reloaded: ");
	reload_print_all_counts(reading->next, message);
	text_print(message, "; read in %s", span);
}

static void log_line(const char *line, bool right)
{
	static const char warning[] = "warning: ";

	if (strncmp(line, warning, strlen(warning)) == 0)
		log_warning("%s", line + strlen(warning));
	else if (right)
		log_notice("%s", line);
	else
		log_err("%s", line);
}

void reload_log_report(const struct report *report)
{
	char *lines = report->lines.size > 0 ? memory_text(report->lines.bytes) : NULL;
	char *rest = lines;

	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			log_line(line, report->error_count == 0);
	free(lines);
}

/* Remembers how it went, for status, and says it. */
static void note(const struct reading *reading, const char *message)
{
	struct reload *reload = reading->reload;

	reload_log_report(&reading->report);
	if (is_right(reading))
		log_notice("%s", message);
	else
		log_err("%s", message);
	reload->at_unix_s = clock_unix_s();
	reload->done = is_right(reading);
	text_clear(&reload->lines);
	text_add_bytes(&reload->lines, reading->report.lines.bytes, reading->report.lines.size);
}

static void finish(const struct reading *reading, const char *message)
{
	struct control_outcome outcome = {
		.done = is_right(reading),
		.message = message,
		.lines = reading->report.lines.size > 0 ? reading->report.lines.bytes : NULL,
		.generation = world_snapshot(reading->reload->world)->generation,
	};

	if (reading->call)
		control_finish(reading->call, &outcome);
}

static void swap(struct reading *reading)
{
	struct reload *reload = reading->reload;

	world_take_snapshot(reload->world, snapshot_hold(reading->next));
	reload->swapped(reload->context);
}

static void end(struct reading *reading)
{
	STAILQ_REMOVE_HEAD(&reading->reload->readings, later);
	snapshot_release(reading->next);
	snapshot_release(reading->previous);
	report_done(&reading->report);
	free(reading);
}

static void begin(struct reload *reload);

static void done(void *context)
{
	struct reading *reading = context;
	struct reload *reload = reading->reload;
	struct text message = {0};

	if (is_right(reading)) {
		fixed_compare(reload->fixed, reading->next->settings, &reading->report);
		print_done(reading, &message);
	} else {
		print_refused(reading, &message);
	}
	if (reading->what != CONTROL_CHECK) {
		note(reading, message.bytes);
		if (is_right(reading))
			swap(reading);
	}
	finish(reading, message.bytes);
	text_done(&message);
	end(reading);
	begin(reload);
}

/* The next one begins when this one has ended, not before: it is compared with what is served then. */
static void begin(struct reload *reload)
{
	struct reading *reading = STAILQ_FIRST(&reload->readings);

	if (!reading)
		return;
	if (!reading->call)
		reload->is_signalled = false;
	log_info("reading %s", reload->path);
	reading->previous = snapshot_hold(world_snapshot(reload->world));
	jobs_add(reload->jobs, &(struct job){run, done, reading});
}

void reload_init(struct reload *reload)
{
	STAILQ_INIT(&reload->readings);
}

void reload_start(struct reload *reload, enum control_reading what, struct control_call *call)
{
	bool is_busy = !STAILQ_EMPTY(&reload->readings);

	if (!call && reload->is_signalled)
		return;
	reload->is_signalled = reload->is_signalled || !call;

	struct reading *reading = memory_new(sizeof(*reading));

	reading->reload = reload;
	reading->what = what;
	reading->call = call;
	STAILQ_INSERT_TAIL(&reload->readings, reading, later);
	if (!is_busy)
		begin(reload);
}

void reload_done(struct reload *reload)
{
	text_done(&reload->lines);
}
