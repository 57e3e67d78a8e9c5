/* SPDX-License-Identifier: Apache-2.0 */
#include "push.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "findings.h"
#include "push_file.h"
#include "steerd/base/clock.h"
#include "steerd/base/file.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/link/hearsay.h"

/* What tells a file from the one that was there before. */
struct signature {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

/* A watched file; several monitors may watch one. */
struct watched {
	char *path;
	struct signature seen;	     /* of what was read last, whether it was taken or not */
	struct signature unfinished; /* of what had no end at the last look */
	bool is_missing;	     /* that was said */
	int64_t said_at_ms;	     /* monotonic; of `entries` */
	struct push_entries entries;
	struct arena *arena; /* theirs; NULL: nothing was read yet */
	LIST_ENTRY(watched) link;
};

struct push {
	struct event_base *base;
	struct hearsay said;
	LIST_HEAD(, watched) files;
};

struct push_check {
	struct push *push;
	struct probe_order order;
	struct event *due; /* at once: a check is never over before it has begun */
};

/* ---- watched files ---- */

static void sign(const struct stat *status, struct signature *ret_signature)
{
	/* whole, with what lies between: signatures are compared by octets */
	memset(ret_signature, 0, sizeof(*ret_signature));
	ret_signature->device = status->st_dev;
	ret_signature->inode = status->st_ino;
	ret_signature->size = status->st_size;
	ret_signature->modified = status->st_mtim;
	ret_signature->changed = status->st_ctim;
}

static bool is_same(const struct signature *a, const struct signature *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static const char *and_then(const struct watched *file)
{
	return file->arena ? "what it said before goes on" : "it says nothing yet";
}

/* Since when it has said so, on the clock of timers. */
static int64_t monotonic_of(const struct timespec *modified)
{
	int64_t age_ms = (int64_t)clock_unix_ms() - (int64_t)modified->tv_sec * 1000 -
		modified->tv_nsec / 1000000;

	/* one from the future is as new as can be */
	return (int64_t)clock_monotonic_ms() - (age_ms > 0 ? age_ms : 0);
}

static void take_text(struct watched *file, const struct text *text, const struct stat *status)
{
	struct arena *arena = arena_new();
	struct report report = {0};
	struct push_entries entries;

	if (push_file_parse(text->bytes, text->size, file->path, arena, &entries, &report)) {
		arena_free(file->arena);
		file->arena = arena;
		file->entries = entries;
		file->said_at_ms = monotonic_of(&status->st_mtim);
		log_debug("%s: %zu lines", file->path, entries.count);
	} else {
		arena_free(arena);
		log_lines(LOG_LEVEL_ERR, report.lines.bytes);
		log_err("%s: refused, %zu error%s; %s", file->path, report.error_count,
			report.error_count == 1 ? "" : "s", and_then(file));
	}
	report_done(&report);
}

/* It may be in the middle of being written; it is said when it stays so. */
static void leave_unfinished(struct watched *file, const struct signature *signature)
{
	if (is_same(signature, &file->unfinished)) {
		log_err("%s: its last line has no end: taken for one that is being written; %s",
			file->path, and_then(file));
		file->seen = *signature;
	}
	file->unfinished = *signature;
}

static void read_file(
	struct watched *file, const struct stat *status, const struct signature *signature)
{
	struct text text = {0};
	struct err err;

	if (!file_read(file->path, PUSH_FILE_MAX, &text, &err)) {
		file->seen = *signature;
		log_err("%s; %s", err.text, and_then(file));
	} else if (!push_file_is_whole(text.bytes, text.size)) {
		leave_unfinished(file, signature);
	} else {
		file->seen = *signature;
		take_text(file, &text, status);
	}
	text_done(&text);
}

static void look_at(struct watched *file)
{
	struct signature signature;
	struct stat status;

	if (stat(file->path, &status) < 0) {
		struct err err;

		if (!file->is_missing) {
			err_os(&err, "cannot open '%s'", file->path);
			log_err("%s; %s", err.text, and_then(file));
		}
		file->is_missing = true;
		return;
	}
	if (file->is_missing)
		log_notice("%s is there again", file->path);
	file->is_missing = false;
	sign(&status, &signature);
	if (!is_same(&signature, &file->seen))
		read_file(file, &status, &signature);
}

static struct watched *find_file(const struct push *push, const char *path)
{
	struct watched *file = LIST_FIRST(&push->files);

	while (file && strcmp(file->path, path) != 0)
		file = LIST_NEXT(file, link);
	return file;
}

static struct watched *get_file(struct push *push, const char *path)
{
	struct watched *file = find_file(push, path);

	if (file)
		return file;
	file = memory_new(sizeof(*file));
	file->path = memory_text(path);
	LIST_INSERT_HEAD(&push->files, file, link);
	return file;
}

static void watched_free(struct watched *file)
{
	LIST_REMOVE(file, link);
	arena_free(file->arena);
	free(file->path);
	free(file);
}

/* ---- the last word ---- */

/* What a check judges by; texts are lent. */
struct saying {
	uint8_t state; /* VERDICT_UNKNOWN: nobody has said anything for as long as `age_ms` */
	uint64_t age_ms;
	const char *reason;
};

/* From now on it is counted how long nobody says anything. */
static const struct word *begin_silence(struct push *push, const char *key)
{
	struct word silence = {
		.key = (char *)key,
		.state = VERDICT_UNKNOWN,
		.said_at_ms = (int64_t)clock_monotonic_ms(),
	};

	hearsay_put(&push->said, &silence);
	return hearsay_find(&push->said, key);
}

static void find_last(const struct push_check *check, struct saying *ret_saying)
{
	struct push *push = check->push;
	const struct probe_order *order = &check->order;
	const struct word *word = hearsay_find(&push->said, order->target->key);
	struct saying saying;
	int64_t said_at_ms;

	if (!word)
		word = begin_silence(push, order->target->key);
	saying.state = word->state;
	saying.reason = word->reason;
	said_at_ms = word->said_at_ms;
	if (order->monitor->push_path) {
		struct watched *file = get_file(push, order->monitor->push_path);

		look_at(file);

		const struct push_entry *entry = push_file_find(&file->entries, &order->address);

		if (entry && (word->state == VERDICT_UNKNOWN || file->said_at_ms > said_at_ms)) {
			saying.state = entry->state;
			saying.reason = entry->reason;
			said_at_ms = file->said_at_ms;
			/* should its line go, the silence begins then */
			if (word->state == VERDICT_UNKNOWN)
				begin_silence(push, order->target->key);
		}
	}
	saying.age_ms = (uint64_t)((int64_t)clock_monotonic_ms() - said_at_ms);
	*ret_saying = saying;
}

/* ---- what it means ---- */

static void finish(struct push_check *check, const struct judge_check *result)
{
	struct probe_order order = check->order;

	event_free(check->due);
	free(check);
	order.done(order.context, result);
}

/* A word that is fresh, or that `on-stale: last` lets hold; `silence` is "" or how old it is. */
static void tell_word(struct push_check *check, const struct saying *saying, const char *silence)
{
	static const char *const without_reason[] = {
		[VERDICT_UP] = "",
		[VERDICT_DEGRADED] = "said to be degraded",
		[VERDICT_DOWN] = "said to be down",
	};
	const char *words = saying->reason[0] ? saying->reason : without_reason[saying->state];
	struct text text = {0};

	text_print(&text, "%s%s%s", words, words[0] && silence[0] ? "; " : "", silence);
	finish(check,
		&(struct judge_check){
			.passed = saying->state != VERDICT_DOWN,
			.is_degraded = saying->state == VERDICT_DEGRADED,
			.at_unix_s = clock_unix_s(),
			.reason = saying->state == VERDICT_UP ? NULL : text.bytes,
			.note = saying->state == VERDICT_UP && text.size > 0 ? text.bytes : NULL,
		});
	text_done(&text);
}

static void tell_stale(struct push_check *check, const struct saying *saying)
{
	char age[TEXT_DURATION_SIZE];
	struct text silence = {0};

	text_duration(saying->age_ms, age);
	text_print(&silence, "no word for %s: ", age);
	switch (check->order.monitor->on_stale) {
	case STALE_LAST:
		text_add(&silence, "its last state stays");
		tell_word(check, saying, silence.bytes);
		break;
	case STALE_UP:
		text_add(&silence, "counts as up");
		tell_word(
			check, &(struct saying){.state = VERDICT_UP, .reason = ""}, silence.bytes);
		break;
	case STALE_DOWN:
		text_add(&silence, "counts as down");
		tell_word(check, &(struct saying){.state = VERDICT_DOWN, .reason = silence.bytes},
			"");
		break;
	}
	text_done(&silence);
}

/* Nobody has said anything, and that is no reason to believe anything yet: what is known of it stays. */
static void tell_silence(struct push_check *check)
{
	finish(check,
		&(struct judge_check){
			.is_skipped = true,
			.at_unix_s = clock_unix_s(),
			.note = "nobody has said anything yet",
		});
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
	struct push_check *check = context;
	const struct settings_monitor *monitor = check->order.monitor;
	struct saying saying;

	(void)fd;
	(void)what;
	find_last(check, &saying);

	bool is_silent = saying.state == VERDICT_UNKNOWN;
	bool is_fresh = saying.age_ms <= monitor->max_age_ms;

	if (is_silent && (is_fresh || monitor->on_stale == STALE_LAST))
		tell_silence(check);
	else if (is_fresh)
		tell_word(check, &saying, "");
	else
		tell_stale(check, &saying);
}

/* ---- the whole ---- */

struct push *push_new(struct event_base *base)
{
	struct push *push = memory_new(sizeof(*push));

	push->base = base;
	LIST_INIT(&push->files);
	return push;
}

void push_free(struct push *push)
{
	struct watched *file;

	if (!push)
		return;
	while ((file = LIST_FIRST(&push->files)))
		watched_free(file);
	hearsay_done(&push->said);
	free(push);
}

struct push_check *push_check_start(struct push *push, const struct probe_order *order)
{
	const struct timeval at_once = {0};
	const char *path = order->monitor->push_path;
	struct push_check *check = memory_new(sizeof(*check));

	check->push = push;
	check->order = *order;
	check->due = evtimer_new(push->base, on_due, check);
	event_add(check->due, &at_once);
	findings_add(order->findings, FINDING_REQUEST, "push",
		path ? path : "what was said over the control socket", 0);
	return check;
}

void push_check_cancel(struct push_check *check)
{
	event_free(check->due);
	free(check);
}

void push_take(struct push *push, const struct link_pushed *pushed)
{
	struct word word = {
		.key = (char *)pushed->key,
		.state = pushed->state,
		.reason = (char *)pushed->reason,
		.said_at_ms = (int64_t)clock_monotonic_ms() - (int64_t)pushed->age_ms,
	};

	hearsay_put(&push->said, &word);
}

static bool is_watched(const struct orders *orders, const char *path)
{
	for (size_t i = 0; i < orders->link.monitor_count; i++) {
		const char *known = orders->link.monitors[i].push_path;

		if (known && strcmp(known, path) == 0)
			return true;
	}
	return false;
}

void push_obey(struct push *push, const struct orders *orders)
{
	struct watched *next;

	hearsay_prune(&push->said, &orders->link.targets);
	for (struct watched *file = LIST_FIRST(&push->files); file; file = next) {
		next = LIST_NEXT(file, link);
		if (!is_watched(orders, file->path))
			watched_free(file);
	}
}
