/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errands.h"
#include "fixed.h"
#include "flood.h"
#include "herald.h"
#include "jobs.h"
#include "reload.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/control/control.h"
#include "steerd/link/supervise.h"
#include "steerd/server/server.h"
#include "world.h"

/* A prober says its whole table every second; after three that did not come, people should know. */
#define PROBER_SILENT_MS 3000
#define TICK_S 1

struct daemon {
	const struct daemon_options *options;
	struct event_base *base;
	struct event *signals[3];
	struct event *tick;
	struct event *due; /* the guard's next look */
	struct jobs *jobs;
	struct fixed fixed;
	struct world world;
	struct reload reload;
	struct server *server;
	struct supervise *supervise;
	struct control *control;
	struct herald *herald;
	struct address_port *listen;
	uint64_t started_at_unix_s;
	struct flood flood;
	char prober_ended[256]; /* why the last one did; "" */
};

/* ---- the prober ---- */

static void give_orders(void *context, struct link_orders *ret_orders)
{
	const struct daemon *daemon = context;
	const struct snapshot *snapshot = world_snapshot(&daemon->world);

	*ret_orders = (struct link_orders){
		.targets = snapshot->targets,
		.monitors = snapshot->settings->monitors,
		.monitor_count = snapshot->settings->monitor_count,
		.notifies = snapshot->settings->notifies,
		.notify_count = snapshot->settings->notify_count,
		.own = daemon->listen,
		.own_count = server_listen_count(daemon->server),
		.verdicts = daemon->world.verdicts,
	};
}

static bool take_verdicts(void *context, struct verdict_table *table)
{
	struct daemon *daemon = context;

	return world_take_verdicts(&daemon->world, table);
}

static void take_states(void *context, const struct link_states *states)
{
	struct daemon *daemon = context;

	world_take_states(&daemon->world, states);
}

static void take_delivered(void *context, const struct link_delivered *delivered)
{
	struct daemon *daemon = context;

	herald_settle(daemon->herald, delivered);
}

static void send_notice(void *context, const struct link_notice *notice)
{
	struct daemon *daemon = context;

	supervise_tell(daemon->supervise, notice);
}

static void prober_started(void *context, pid_t pid)
{
	struct daemon *daemon = context;

	log_info("the prober runs, process %d", (int)pid);
	/* the first one is started before anything is told */
	if (daemon->supervise)
		herald_repeat(daemon->herald);
}

static void prober_ended(void *context, const char *why)
{
	struct daemon *daemon = context;
	bool is_news = strcmp(why, daemon->prober_ended) != 0;

	/* one that cannot be started is tried for ever, but not told for ever */
	if (is_news)
		log_warning("the prober ended, health stays as it was: %s", why);
	else
		log_debug("the prober ended again: %s", why);
	snprintf(daemon->prober_ended, sizeof(daemon->prober_ended), "%s", why);
}

static void start_prober(struct daemon *daemon)
{
	const struct supervise_callbacks callbacks = {
		.orders = give_orders,
		.verdicts = take_verdicts,
		.states = take_states,
		.delivered = take_delivered,
		.started = prober_started,
		.ended = prober_ended,
		.context = daemon,
	};

	daemon->supervise = supervise_new(daemon->base, daemon->options->prober_path, &callbacks);
}

/* ---- what the control socket asks and wants ---- */

static enum control_prober_state prober_state(
	const struct daemon *daemon, const struct control_prober *prober)
{
	if (world_snapshot(&daemon->world)->targets.count == 0)
		return CONTROL_PROBER_NONE;
	if (prober->pid == 0)
		return CONTROL_PROBER_DOWN;
	if (prober->heard_ms > PROBER_SILENT_MS && prober->started_ms > PROBER_SILENT_MS)
		return CONTROL_PROBER_SILENT;
	return CONTROL_PROBER_RUNNING;
}

static void describe_prober(const struct daemon *daemon, struct control_prober *ret_prober)
{
	struct supervise_state state;
	uint64_t now_ms = clock_monotonic_ms();

	supervise_get_state(daemon->supervise, &state);
	*ret_prober = (struct control_prober){
		.pid = state.pid,
		.restarts = state.restart_count,
		.renewals = state.renew_count,
		.stale = state.stale_count,
		.refused = state.refused_count,
		.started_ms = now_ms - state.started_at_ms,
		.heard_ms = state.heard_at_ms ? now_ms - state.heard_at_ms : UINT64_MAX,
		.why = *daemon->prober_ended ? daemon->prober_ended : NULL,
	};
	ret_prober->state = prober_state(daemon, ret_prober);
}

/* Why there is no news; NULL: there is, or none is needed. */
static const char *prober_trouble(const struct daemon *daemon)
{
	struct control_prober prober;

	describe_prober(daemon, &prober);
	if (prober.state == CONTROL_PROBER_SILENT)
		return "the prober says nothing: health stays as it was";
	if (prober.state != CONTROL_PROBER_DOWN)
		return NULL;
	return prober.why ? prober.why : "the prober does not run: health stays as it was";
}

static void describe(void *context, struct control_facts *ret_facts)
{
	struct daemon *daemon = context;
	const struct world *world = &daemon->world;

	*ret_facts = (struct control_facts){
		.plan = live_current(world->live),
		.verdicts = &world->verdicts,
		.overrides = &world->overrides,
		.beliefs = guard_beliefs(world->guard),
		.pools = guard_pools(world->guard),
		.observer = guard_observer(world->guard),
		.listen = daemon->listen,
		.listen_count = server_listen_count(daemon->server),
		.now_unix_s = clock_unix_s(),
		.started_at_unix_s = daemon->started_at_unix_s,
		.reload = {.at_unix_s = daemon->reload.at_unix_s,
			.done = daemon->reload.done,
			.lines = daemon->reload.lines.bytes},
		.state_error = *world->keep.error.text ? world->keep.error.text : NULL,
		.tcp_open = server_tcp_open(daemon->server),
	};
	describe_prober(daemon, &ret_facts->prober);
	herald_describe(daemon->herald, &ret_facts->notices);
	server_stats(daemon->server, ret_facts->counters);
}

static bool apply_override(void *context, const struct override *override, struct err *err)
{
	struct daemon *daemon = context;

	return world_override(&daemon->world, override, err);
}

static void read_files(void *context, enum control_reading what, struct control_call *call)
{
	struct daemon *daemon = context;

	reload_start(&daemon->reload, what, call);
}

static void work(void *context, const struct control_work *work)
{
	struct daemon *daemon = context;

	jobs_add(daemon->jobs, &(struct job){work->run, work->done, work->context});
}

static void inquire(void *context, const struct control_inquiry *asked, control_found_fn found,
	void *found_context)
{
	struct daemon *daemon = context;

	errands_inquire(daemon->supervise, world_snapshot(&daemon->world),
		&(struct errand){asked, found, found_context});
}

static bool push(void *context, const char *key, enum verdict_state state, const char *reason,
	struct err *err)
{
	struct daemon *daemon = context;
	const struct link_pushed pushed = {.key = key, .state = (uint8_t)state, .reason = reason};

	(void)err; /* one that does not run now is told when it does */
	supervise_push(daemon->supervise, &pushed);
	return true;
}

static size_t let_back(void *context, uint32_t member_id)
{
	struct daemon *daemon = context;

	return world_return(&daemon->world, member_id);
}

static void stop(void *context)
{
	struct daemon *daemon = context;

	event_base_loopbreak(daemon->base);
}

static bool start_control(struct daemon *daemon, const char *path, struct err *err)
{
	const struct control_actions actions = {
		.context = daemon,
		.describe = describe,
		.override = apply_override,
		.read = read_files,
		.work = work,
		.inquire = inquire,
		.push = push,
		.let_back = let_back,
		.stop = stop,
	};

	daemon->control = control_start(daemon->base, path, &actions, err);
	return daemon->control != NULL;
}

/* ---- signals and time ---- */

static void on_stop(evutil_socket_t signal_number, short what, void *context)
{
	(void)what;
	log_notice("stopping: %s", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	stop(context);
}

static void on_hangup(evutil_socket_t signal_number, short what, void *context)
{
	struct daemon *daemon = context;

	(void)signal_number;
	(void)what;
	reload_start(&daemon->reload, CONTROL_RELOAD, NULL);
}

static void look_for_flood(struct daemon *daemon)
{
	uint64_t counters[STATS_COUNT];
	struct text line = {0};

	server_stats(daemon->server, counters);
	if (flood_look(&daemon->flood, counters, clock_monotonic_ms(), &line))
		log_notice("%s", line.bytes);
	text_done(&line);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	world_tick(&daemon->world);
	herald_tick(daemon->herald, prober_trouble(daemon));
	look_for_flood(daemon);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	world_look(&daemon->world);
}

/* To the millisecond: what is believed of time alone is answered when it is true. */
static void set_due(void *context, uint64_t at_ms)
{
	struct daemon *daemon = context;
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	const struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};

	if (at_ms == UINT64_MAX)
		evtimer_del(daemon->due);
	else
		evtimer_add(daemon->due, &wait);
}

static void on_swapped(void *context)
{
	struct daemon *daemon = context;

	supervise_renew(daemon->supervise);
	herald_renew(daemon->herald);
}

static void add_events(struct daemon *daemon)
{
	const struct timeval every = {.tv_sec = TICK_S};

	daemon->signals[0] = evsignal_new(daemon->base, SIGTERM, on_stop, daemon);
	daemon->signals[1] = evsignal_new(daemon->base, SIGINT, on_stop, daemon);
	daemon->signals[2] = evsignal_new(daemon->base, SIGHUP, on_hangup, daemon);
	for (size_t i = 0; i < COUNT_OF(daemon->signals); i++)
		event_add(daemon->signals[i], NULL);
	daemon->tick = event_new(daemon->base, -1, EV_PERSIST, on_tick, daemon);
	event_add(daemon->tick, &every);
	daemon->due = evtimer_new(daemon->base, on_due, daemon);
	daemon->world.due = set_due;
	daemon->world.due_context = daemon;
	world_look(&daemon->world);
}

/* ---- start ---- */

/* The files, for the first time: what is wrong is left out and said; without a configuration there is no start. */
static const struct snapshot *read_first(struct daemon *daemon, struct err *err)
{
	const char *path = daemon->options->settings_path;
	const struct snapshot_options options = {0};
	struct report report = {0};
	const struct snapshot *snapshot = snapshot_read(path, &options, &report);

	reload_log_report(&report);
	if (!snapshot)
		err_set(err, "cannot start: %zu error%s in what '%s' says", report.error_count,
			report.error_count == 1 ? "" : "s", path);
	else if (report.error_count > 0)
		log_err("answering without what is wrong: %zu error%s; 'steerctl check' lists them",
			report.error_count, report.error_count == 1 ? "" : "s");
	if (report.error_count > 0) {
		daemon->reload.at_unix_s = clock_unix_s();
		text_add(&daemon->reload.lines, report.lines.bytes);
	}
	report_done(&report);
	return snapshot;
}

/* Signals are for the main thread: the server's threads inherit a mask with all of them. */
static struct server *start_server(
	const struct settings *settings, const struct live *live, struct err *err)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);

	struct server *server = server_start(settings, live, err);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return server;
}

static void warn_of_buffer(size_t granted, size_t wanted, const char *what, const char *setting)
{
	if (granted < wanted)
		log_warning(
			"the kernel gives UDP %s buffers of %zu octets instead of %zu: it loses "
			"more in a burst; raise %s (sysctl)",
			what, granted, wanted, setting);
}

/* What the system grants less of than is wanted. */
static void warn_of_limits(const struct daemon *daemon, const struct settings *settings)
{
	struct server_buffers buffers = server_buffers(daemon->server);
	size_t room = server_tcp_room(daemon->server);

	if (room < settings->tcp_connections)
		log_warning("tcp.connections is %u, but the limit on open files has room for %zu: "
			    "no more are kept open; raise it (LimitNOFILE of the unit, ulimit -n)",
			settings->tcp_connections, room);
	warn_of_buffer(buffers.receive_bytes, buffers.wanted_bytes, "receive", "net.core.rmem_max");
	warn_of_buffer(buffers.send_bytes, buffers.wanted_bytes, "send", "net.core.wmem_max");
}

static void say_ready(struct daemon *daemon)
{
	size_t count = server_listen_count(daemon->server);
	struct text line = {0};

	daemon->listen = memory_new((count + 1) * sizeof(daemon->listen[0]));
	text_add(&line, "ready:");
	for (size_t i = 0; i < count; i++) {
		char text[ADDRESS_PORT_TEXT_SIZE];

		daemon->listen[i] = server_listen(daemon->server, i);
		address_port_print(&daemon->listen[i], text);
		text_print(&line, " %s", text);
	}
	text_add(&line, " (");
	reload_print_counts(world_snapshot(&daemon->world), &line);
	text_add(&line, ")");
	log_info("%s", line.bytes);
	printf("%s\n", line.bytes);
	fflush(stdout);
	text_done(&line);
}

static bool start(struct daemon *daemon, struct err *err)
{
	const struct snapshot *snapshot = read_first(daemon, err);

	if (!snapshot)
		return false;

	const struct settings *settings = snapshot->settings;
	struct state *state = state_open(settings->state_path, err);

	if (!state) {
		snapshot_release(snapshot);
		return false;
	}
	fixed_init(&daemon->fixed, settings);
	world_init(&daemon->world, snapshot, state, daemon->jobs);
	if (!start_control(daemon, settings->control_path, err))
		return false;
	daemon->server = start_server(settings, daemon->world.live, err);
	if (!daemon->server)
		return false;
	warn_of_limits(daemon, settings);
	daemon->herald = herald_new(&(struct herald_options){.world = &daemon->world,
		.jobs = daemon->jobs,
		.send = send_notice,
		.context = daemon});
	add_events(daemon);
	say_ready(daemon);
	start_prober(daemon);
	return true;
}

static void init(struct daemon *daemon, const struct daemon_options *options)
{
	*daemon = (struct daemon){
		.options = options,
		.base = event_base_new(),
		.started_at_unix_s = clock_unix_s(),
	};
	daemon->reload.path = options->settings_path;
	daemon->reload.world = &daemon->world;
	daemon->reload.fixed = &daemon->fixed;
	daemon->reload.swapped = on_swapped;
	daemon->reload.context = daemon;
	reload_init(&daemon->reload);
}

/* Answers first stop when all else is said; what is left to free is freed, so that leaks are found. */
static void finish(struct daemon *daemon)
{
	if (daemon->server)
		world_save(&daemon->world);
	herald_save(daemon->herald);
	supervise_free(daemon->supervise);
	server_stop(daemon->server);
	control_stop(daemon->control);
	if (daemon->jobs && !jobs_is_idle(daemon->jobs)) {
		/* A thread still reads files: it needs them, we do not. */
		fflush(NULL);
		_exit(0);
	}
	jobs_free(daemon->jobs);
	for (size_t i = 0; i < COUNT_OF(daemon->signals); i++)
		if (daemon->signals[i])
			event_free(daemon->signals[i]);
	if (daemon->tick)
		event_free(daemon->tick);
	if (daemon->due)
		event_free(daemon->due);
	herald_free(daemon->herald);
	if (daemon->world.live)
		world_done(&daemon->world);
	reload_done(&daemon->reload);
	fixed_done(&daemon->fixed);
	free(daemon->listen);
	event_base_free(daemon->base);
}

bool daemon_run(const struct daemon_options *options, struct err *err)
{
	struct daemon daemon;
	bool started;

	init(&daemon, options);
	daemon.jobs = jobs_new(daemon.base, err);
	daemon.reload.jobs = daemon.jobs;
	started = daemon.jobs && start(&daemon, err);
	if (started)
		event_base_dispatch(daemon.base);
	finish(&daemon);
	return started;
}

bool daemon_check(const char *settings_path)
{
	const struct snapshot_options options = {0};
	struct report report = {0};
	const struct snapshot *snapshot = snapshot_read(settings_path, &options, &report);
	bool right = snapshot && report.error_count == 0;
	struct text counts = {0};

	if (report.lines.size > 0)
		fputs(report.lines.bytes, stderr);
	if (right) {
		reload_print_all_counts(snapshot, &counts);
		printf("%s: no mistake found: %s\n", settings_path, counts.bytes);
	} else {
		fprintf(stderr, "%s: refused, %zu error%s\n", settings_path, report.error_count,
			report.error_count == 1 ? "" : "s");
	}
	text_done(&counts);
	snapshot_release(snapshot);
	report_done(&report);
	return right;
}
