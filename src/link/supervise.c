/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/link/supervise.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "questions.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/link/hearsay.h"
#include "steerd/link/stream.h"

/* Pause before a new start: from the shortest, doubling, to the longest. */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

/* A life of this length was a good one: the next pause is the shortest again. */
#define GOOD_LIFE_MS 10000

/* One that ends on purpose starts again at once, unless it did so just now. */
#define RENEW_MIN_MS 1000

/* It sends its table every second.  Ten of them missing is a hang, not a busy machine. */
#define SILENCE_MAX_S 10

struct supervise {
	struct event_base *base;
	char *path;
	struct supervise_callbacks callbacks;
	struct stream stream; /* fd -1: no prober */
	struct hearsay said;  /* what was pushed, for the next prober */
	struct event *readable;
	struct event *writable;
	struct event *silence; /* it hangs, unless a table comes */
	struct event *restart;
	struct questions *questions;
	uint64_t orders_generation; /* of the orders asked for last */
	bool has_table;		    /* for them */
	size_t row_count;	    /* of that table, the last one */
	uint32_t pause_ms;	    /* before the next start */
	uint64_t restart_at_ms;
	struct supervise_state state;
};

static void start(struct supervise *supervise);

static void ended(struct supervise *supervise, const char *why)
{
	if (supervise->callbacks.ended)
		supervise->callbacks.ended(supervise->callbacks.context, why);
}

static void restart_after(struct supervise *supervise, uint32_t pause_ms)
{
	struct timeval pause = {
		.tv_sec = pause_ms / 1000, .tv_usec = (suseconds_t)(pause_ms % 1000) * 1000};

	supervise->restart_at_ms = clock_monotonic_ms() + pause_ms;
	event_add(supervise->restart, &pause);
}

static void restart_later(struct supervise *supervise)
{
	uint32_t pause_ms = supervise->pause_ms;

	supervise->pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	restart_after(supervise, pause_ms);
}

static void drop_socket(struct supervise *supervise)
{
	if (supervise->readable)
		event_free(supervise->readable);
	if (supervise->writable)
		event_free(supervise->writable);
	supervise->readable = NULL;
	supervise->writable = NULL;
	event_del(supervise->silence);
	if (supervise->stream.fd >= 0)
		close(supervise->stream.fd);
	stream_done(&supervise->stream);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void print_status(int status, struct err *ret_why)
{
	if (WIFSIGNALED(status))
		err_set(ret_why, "killed by signal %d", WTERMSIG(status));
	else
		err_set(ret_why, "ended with exit code %d", WEXITSTATUS(status));
}

/*
 * Its end of the socket is closed, or it must not live on.  One that ends by itself has set its
 * exit status before its descriptors were closed, so that the kill does not change it; one that
 * only closed the socket ends by it, at once. `why` is NULL where the exit status says it.
 */
static void bury(struct supervise *supervise, const char *why)
{
	struct err words;
	uint64_t lived_ms = clock_monotonic_ms() - supervise->state.started_at_ms;

	drop_socket(supervise);
	questions_give_up(supervise->questions, "the prober ended meanwhile");
	kill(supervise->state.pid, SIGKILL);

	int status = wait_for(supervise->state.pid);

	supervise->state.pid = 0;
	if (!why && WIFEXITED(status) && WEXITSTATUS(status) == PROBER_EXIT_RENEW) {
		supervise->state.renew_count++;
		restart_after(supervise, lived_ms < RENEW_MIN_MS ? PAUSE_MIN_MS : 0);
		return;
	}
	supervise->state.restart_count++;
	if (lived_ms >= GOOD_LIFE_MS)
		supervise->pause_ms = PAUSE_MIN_MS;
	restart_later(supervise);
	print_status(status, &words);
	ended(supervise, why ? why : words.text);
}

/* ---- what it says ---- */

static void await_table(struct supervise *supervise)
{
	const struct timeval silence = {.tv_sec = SILENCE_MAX_S};

	event_add(supervise->silence, &silence);
}

/* A table of these orders. */
static bool take_table(struct supervise *supervise, struct verdict_table *table, struct err *err)
{
	size_t row_count = table->count;

	if (!supervise->callbacks.verdicts(supervise->callbacks.context, table))
		return err_set(err, "its table does not fit what is checked");
	supervise->has_table = true;
	supervise->row_count = row_count;
	supervise->state.table_count++;
	supervise->state.heard_at_ms = clock_monotonic_ms();
	return true;
}

static bool take_verdicts(
	struct supervise *supervise, const struct stream_frame *frame, struct err *err)
{
	struct verdict_table table;
	bool taken = true;

	if (!link_read_verdicts(frame->body, frame->body_size, &table, err))
		return false;
	await_table(supervise);
	if (table.generation == supervise->orders_generation)
		taken = take_table(supervise, &table, err);
	else
		supervise->state.stale_count++;
	verdict_table_done(&table);
	return taken;
}

static bool take_states(
	struct supervise *supervise, const struct stream_frame *frame, struct err *err)
{
	struct link_states states;

	if (!link_read_states(frame->body, frame->body_size, &states, err))
		return false;
	if (states.generation != supervise->orders_generation) {
		supervise->state.stale_count++;
		return true;
	}
	if (!supervise->has_table || states.row_count != supervise->row_count)
		return err_set(err, "its states do not fit its table");
	supervise->state.states_count++;
	if (supervise->callbacks.states)
		supervise->callbacks.states(supervise->callbacks.context, &states);
	return true;
}

static bool take_findings(
	struct supervise *supervise, const struct stream_frame *frame, struct err *err)
{
	struct arena *arena = arena_new();
	struct link_findings findings;
	bool taken = link_read_findings(frame->body, frame->body_size, arena, &findings, err);

	if (taken)
		questions_answer(supervise->questions, &findings);
	arena_free(arena);
	return taken;
}

static bool take_delivered(
	struct supervise *supervise, const struct stream_frame *frame, struct err *err)
{
	struct arena *arena = arena_new();
	struct link_delivered delivered;
	bool taken = link_read_delivered(frame->body, frame->body_size, arena, &delivered, err);

	if (taken && supervise->callbacks.delivered)
		supervise->callbacks.delivered(supervise->callbacks.context, &delivered);
	arena_free(arena);
	return taken;
}

static bool take_frame(
	struct supervise *supervise, const struct stream_frame *frame, struct err *err)
{
	supervise->state.heard_bytes += LINK_FRAME_HEADER + frame->body_size;
	switch (frame->kind) {
	case LINK_VERDICTS:
		return take_verdicts(supervise, frame, err);
	case LINK_STATES:
		return take_states(supervise, frame, err);
	case LINK_FINDINGS:
		return take_findings(supervise, frame, err);
	case LINK_DELIVERED:
		return take_delivered(supervise, frame, err);
	case LINK_ORDERS:
	case LINK_PUSHED:
	case LINK_INQUIRY:
	case LINK_NOTICE:
		break;
	}
	return err_set(err, "it sent orders");
}

static bool take_frames(struct supervise *supervise, struct err *err)
{
	for (;;) {
		struct stream_frame frame;
		bool found;

		if (!stream_peek(&supervise->stream, &found, &frame, err))
			return false;
		if (!found)
			return true;
		if (!take_frame(supervise, &frame, err))
			return false;
		stream_drop(&supervise->stream, &frame);
	}
}

static void on_silence(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	bury(context, "hung: no table came from it for 10 s");
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct supervise *supervise = context;
	struct err err = {.text = ""};

	(void)fd;
	(void)what;

	bool lives = stream_receive(&supervise->stream, &err);
	struct err nonsense;

	if (!take_frames(supervise, &nonsense)) {
		supervise->state.refused_count++;
		bury(supervise, nonsense.text);
	} else if (!lives) {
		bury(supervise, err.text[0] ? err.text : NULL);
	}
}

/* Sends what can be sent; the rest when there is room. */
static void flush(struct supervise *supervise)
{
	struct err err;

	/* that the other end is gone is seen, and said, by the reader */
	if (stream_flush(&supervise->stream, &err) && supervise->stream.out.size > 0)
		event_add(supervise->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	flush(context);
}

static void on_restart(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	start(context);
}

static void send_orders(struct supervise *supervise)
{
	struct link_orders orders = {0};

	supervise->callbacks.orders(supervise->callbacks.context, &orders);
	supervise->orders_generation = orders.targets.generation;
	supervise->has_table = false;
	link_write_orders(&orders, &supervise->stream.out);
	hearsay_prune(&supervise->said, &orders.targets);
	flush(supervise);
}

static void send_word(struct supervise *supervise, const struct word *word)
{
	int64_t age_ms = (int64_t)clock_monotonic_ms() - word->said_at_ms;
	const struct link_pushed pushed = {
		.key = word->key,
		.state = word->state,
		.reason = word->reason,
		.age_ms = (uint64_t)age_ms < LINK_PUSHED_AGE_MAX_MS ? (uint64_t)age_ms
								    : LINK_PUSHED_AGE_MAX_MS,
	};

	link_write_pushed(&pushed, &supervise->stream.out);
}

/* What the last prober was told. */
static void say_again(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->said.count; i++)
		send_word(supervise, &supervise->said.words[i]);
	flush(supervise);
}

/* What the prober gets of our environment: nothing that may hold a secret. */
static const char *const passed_on[] = {
	"PATH",
	"LANG",
	"TZ",
	"JOURNAL_STREAM",
	"STEERD_PROBER_NAMESERVERS",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"ASAN_OPTIONS",
	"LSAN_OPTIONS",
	"TSAN_OPTIONS",
	"UBSAN_OPTIONS",
};

static char *find_variable(const char *name)
{
	size_t size = strlen(name);

	for (char **at = environ; *at; at++)
		if (strncmp(*at, name, size) == 0 && (*at)[size] == '=')
			return *at;
	return NULL;
}

static void clean_environment(
	const struct supervise *supervise, char *ret_environment[static COUNT_OF(passed_on) + 2])
{
	static char again[] = PROBER_AGAIN "=1";
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(passed_on); i++)
		if ((ret_environment[count] = find_variable(passed_on[i])))
			count++;
	if (supervise->state.restart_count > 0 || supervise->state.renew_count > 0)
		ret_environment[count++] = again;
	ret_environment[count] = NULL;
}

/* Runs the program with `fd` as its descriptor 3, /dev/null to read, and stderr for all it says. */
static bool spawn(const struct supervise *supervise, int fd, pid_t *ret_pid, struct err *err)
{
	char *const arguments[] = {supervise->path, NULL};
	char *environment[COUNT_OF(passed_on) + 2];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all;
	sigset_t none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	/* first: what is opened below may take the place of a descriptor that is still needed */
	posix_spawn_file_actions_adddup2(&files, fd, PROBER_FD);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, PROBER_FD + 1);

	clean_environment(supervise, environment);
	errno = posix_spawn(ret_pid, supervise->path, &files, &attributes, arguments, environment);

	bool done = errno == 0 || err_os(err, "'%s' cannot be started", supervise->path);

	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return done;
}

static bool spawn_on_socket(struct supervise *supervise, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_os(err, "no socket for '%s'", supervise->path);

	bool done = spawn(supervise, pair[1], &supervise->state.pid, err);

	close(pair[1]);
	if (done)
		supervise->stream.fd = pair[0];
	else
		close(pair[0]);
	return done;
}

static void start(struct supervise *supervise)
{
	struct err err;

	supervise->state.started_at_ms = clock_monotonic_ms();
	if (!spawn_on_socket(supervise, &err)) {
		supervise->state.pid = 0;
		supervise->state.restart_count++;
		restart_later(supervise);
		ended(supervise, err.text);
		return;
	}
	supervise->readable = event_new(supervise->base, supervise->stream.fd, EV_READ | EV_PERSIST,
		on_readable, supervise);
	supervise->writable =
		event_new(supervise->base, supervise->stream.fd, EV_WRITE, on_writable, supervise);
	event_add(supervise->readable, NULL);
	await_table(supervise);
	send_orders(supervise);
	say_again(supervise);
	if (supervise->callbacks.started)
		supervise->callbacks.started(supervise->callbacks.context, supervise->state.pid);
}

struct supervise *supervise_new(
	struct event_base *base, const char *path, const struct supervise_callbacks *callbacks)
{
	struct supervise *supervise = memory_new(sizeof(*supervise));

	supervise->base = base;
	supervise->path = memory_text(path);
	supervise->callbacks = *callbacks;
	supervise->stream.fd = -1;
	supervise->pause_ms = PAUSE_MIN_MS;
	supervise->restart = evtimer_new(base, on_restart, supervise);
	supervise->silence = evtimer_new(base, on_silence, supervise);
	supervise->questions = questions_new(base);
	start(supervise);
	return supervise;
}

void supervise_renew(struct supervise *supervise)
{
	/* one that does not run asks for orders when it starts */
	if (supervise->stream.fd >= 0)
		send_orders(supervise);
}

void supervise_inquire(struct supervise *supervise, const struct supervise_inquiry *inquiry)
{
	const char *why_not = supervise->stream.fd >= 0 ? NULL : "the prober does not run";
	const struct link_inquiry asked = {
		.id = questions_add(supervise->questions, inquiry, why_not),
		.key = inquiry->key,
		.address = inquiry->address,
	};

	if (asked.id == 0)
		return;
	link_write_inquiry(&asked, &supervise->stream.out);
	flush(supervise);
}

void supervise_push(struct supervise *supervise, const struct link_pushed *pushed)
{
	const struct word word = {
		.key = (char *)pushed->key,
		.state = pushed->state,
		.reason = (char *)pushed->reason,
		.said_at_ms = (int64_t)clock_monotonic_ms() - (int64_t)pushed->age_ms,
	};

	hearsay_put(&supervise->said, &word);
	if (supervise->stream.fd < 0)
		return;
	send_word(supervise, hearsay_find(&supervise->said, pushed->key));
	flush(supervise);
}

void supervise_tell(struct supervise *supervise, const struct link_notice *notice)
{
	if (supervise->stream.fd < 0)
		return;
	link_write_notice(notice, &supervise->stream.out);
	flush(supervise);
}

void supervise_get_state(const struct supervise *supervise, struct supervise_state *ret_state)
{
	uint64_t now_ms = clock_monotonic_ms();

	*ret_state = supervise->state;
	ret_state->next_start_in_ms = 0;
	if (supervise->state.pid == 0 && supervise->restart_at_ms > now_ms)
		ret_state->next_start_in_ms = (uint32_t)(supervise->restart_at_ms - now_ms);
}

/* A second is more than one that was told to end needs. */
static void await_end(pid_t pid)
{
	for (int i = 0; i < 100; i++) {
		const struct timespec pause = {.tv_nsec = 10000000};

		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	wait_for(pid);
}

void supervise_free(struct supervise *supervise)
{
	if (!supervise)
		return;
	drop_socket(supervise);
	event_free(supervise->restart);
	event_free(supervise->silence);
	questions_free(supervise->questions);
	if (supervise->state.pid > 0)
		await_end(supervise->state.pid);
	hearsay_done(&supervise->said);
	free(supervise->path);
	free(supervise);
}
