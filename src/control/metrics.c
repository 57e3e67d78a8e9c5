/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/control/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"
#include "steerd/base/memory.h"
#include "steerd/control/words.h"
#include "view.h"

/* Whole numbers below it are what they are as a double, and have 15 digits. */
#define WHOLE_MAX 1e15

/* What a series is about; a metric has one for each. */
enum scope {
	SCOPE_ALL,
	SCOPE_BUILD,
	SCOPE_ZONE,
	SCOPE_POOL,
	SCOPE_MEMBER,
	SCOPE_ADDRESS,
	SCOPE_CHECK,
	SCOPE_CERTIFICATE,
	SCOPE_COUNT
};

/* One of these: what is above it is there as well. */
struct subject {
	const struct view *view;
	const struct zone *zone;
	const struct view_pool *pool;
	const struct view_member *member;
	const struct belief *belief;
	struct view_check check;
	size_t labels_at; /* in the labels of its set */
	size_t labels_size;
};

struct metric {
	const char *name;
	const char *type;
	enum scope scope;
	const char *help;
	bool (*read)(const struct subject *subject, double *ret_value); /* false: not known */
};

static const char *const scope_labels[SCOPE_COUNT] = {
	[SCOPE_ALL] = "",
	[SCOPE_BUILD] = "version",
	[SCOPE_ZONE] = "zone",
	[SCOPE_POOL] = "pool",
	[SCOPE_MEMBER] = "pool, member, site",
	[SCOPE_ADDRESS] = "pool, member, address",
	[SCOPE_CHECK] = "pool, member, address, monitor",
	[SCOPE_CERTIFICATE] = "pool, member, address, monitor, name, issuer",
};

/* ---- what each reads ---- */

#define READ(name) static bool name(const struct subject *at, double *ret_value)

/* A value that is always known. */
#define READ_VALUE(name, expression)                                                               \
	READ(name)                                                                                 \
	{                                                                                          \
		*ret_value = (double)(expression);                                                 \
		return true;                                                                       \
	}

/* One that is known under a condition. */
#define READ_IF(name, condition, expression)                                                       \
	READ(name)                                                                                 \
	{                                                                                          \
		if (!(condition))                                                                  \
			return false;                                                              \
		*ret_value = (double)(expression);                                                 \
		return true;                                                                       \
	}

static const struct guard_pool_state *state_of(const struct subject *at)
{
	return &at->view->states[at->pool - at->view->pools];
}

READ_VALUE(read_one, at->view != NULL)
READ_VALUE(read_start, at->view->facts->started_at_unix_s)
READ_VALUE(read_generation, at->view->facts->plan->snapshot->generation)
READ_IF(read_reload_ok, at->view->facts->reload.at_unix_s > 0, at->view->facts->reload.done)
READ_IF(read_reload_time, at->view->facts->reload.at_unix_s > 0, at->view->facts->reload.at_unix_s)
READ_VALUE(read_state_saved, at->view->facts->state_error == NULL)
READ_VALUE(read_tcp_open, at->view->facts->tcp_open)
READ_VALUE(read_overrides, at->view->facts->overrides->count)
READ(read_problems)
{
	json_t *problems = reply_problems(at->view);

	*ret_value = (double)json_array_size(problems);
	json_decref(problems);
	return true;
}

READ_IF(read_prober_up, at->view->facts->prober.state != CONTROL_PROBER_NONE,
	at->view->facts->prober.state == CONTROL_PROBER_RUNNING)
READ_VALUE(read_prober_restarts, at->view->facts->prober.restarts)
READ_VALUE(read_prober_renewals, at->view->facts->prober.renewals)
READ_VALUE(read_prober_stale, at->view->facts->prober.stale)
READ_VALUE(read_prober_refused, at->view->facts->prober.refused)
READ_IF(read_prober_heard, at->view->facts->prober.heard_ms != UINT64_MAX,
	(double)at->view->facts->prober.heard_ms / 1000)

READ_IF(read_suspect, at->view->facts->observer, at->view->facts->observer->is_suspect)
READ_IF(read_canaries, at->view->facts->observer, at->view->facts->observer->are_canaries_down)
READ_IF(read_checked, at->view->facts->observer, at->view->facts->observer->checked)
READ_IF(read_failing, at->view->facts->observer, at->view->facts->observer->failing)

READ_VALUE(read_notices_waiting, at->view->facts->notices.waiting)
READ_VALUE(read_notices_oldest, (double)at->view->facts->notices.oldest_ms / 1000)
READ_VALUE(read_notices_told, at->view->facts->notices.told)
READ_VALUE(read_notices_given_up, at->view->facts->notices.given_up)

READ_VALUE(read_zone_serial, zone_serial(at->zone))
READ_VALUE(read_zone_records, zone_record_count(at->zone))

READ_VALUE(read_pool_members, at->pool->pool->member_count)
READ_VALUE(read_pool_usable, at->pool->usable_count)
READ_VALUE(read_pool_left, (double)state_of(at)->percent / 100)
READ_VALUE(read_pool_lost, (double)state_of(at)->loss_percent / 100)
READ_VALUE(read_pool_panic, state_of(at)->state == BELIEF_POOL_PANIC)
READ_VALUE(read_pool_without, state_of(at)->is_without)
READ_VALUE(read_pool_held, state_of(at)->held_count)
READ_VALUE(read_pool_ipv4, !at->pool->is_ipv4_lost)
READ_VALUE(read_pool_ipv6, !at->pool->is_ipv6_lost)

READ_VALUE(read_member_usable, at->member->is_usable)
READ_VALUE(read_member_overridden, at->member->override != NULL)

READ_VALUE(read_address_state, at->belief->state)
READ_VALUE(read_address_seen, at->belief->seen)
READ_VALUE(read_address_held, at->belief->state != at->belief->seen)
READ_VALUE(read_address_share, (double)at->belief->share / BELIEF_WHOLE)
READ_IF(read_address_since, at->belief->since_unix_s > 0, at->belief->since_unix_s)

static bool was_checked(const struct subject *at)
{
	return at->check.verdict && at->check.verdict->checked_at_unix_s > 0;
}

READ_VALUE(read_check_state, at->check.verdict ? at->check.verdict->state : VERDICT_UNKNOWN)
READ_IF(read_check_passed, was_checked(at), at->check.verdict->last_passed)
READ_IF(read_check_time, was_checked(at), at->check.verdict->checked_at_unix_s)
READ_IF(read_check_latency, was_checked(at), (double)at->check.verdict->latency_ms / 1000)
READ_IF(read_check_p50, was_checked(at) && at->check.verdict->latency_p50_ms > 0,
	(double)at->check.verdict->latency_p50_ms / 1000)
READ_IF(read_check_p95, was_checked(at) && at->check.verdict->latency_p95_ms > 0,
	(double)at->check.verdict->latency_p95_ms / 1000)
READ_IF(read_check_rate, was_checked(at) && at->check.verdict->rate_kbit_s > 0,
	(double)at->check.verdict->rate_kbit_s * 125)
READ_IF(read_check_flaps, was_checked(at), at->check.verdict->flaps)
READ_IF(read_certificate, at->check.verdict->certificate_until_unix_s > 0,
	at->check.verdict->certificate_until_unix_s)

/* ---- the table ---- */

#define STATES "0 unknown, 1 up, 2 degraded, 3 down"

static const struct metric metrics[] = {
	{"steerd_build_info", "gauge", SCOPE_BUILD, "always 1", read_one},
	{"steerd_start_time_seconds", "gauge", SCOPE_ALL, "when this process started", read_start},
	{"steerd_generation", "gauge", SCOPE_ALL,
		"of configuration and zones; rises with each reload", read_generation},
	{"steerd_reload_ok", "gauge", SCOPE_ALL,
		"whether the last reload was taken; absent before the first", read_reload_ok},
	{"steerd_reload_time_seconds", "gauge", SCOPE_ALL, "when the last reload was asked for",
		read_reload_time},
	{"steerd_state_saved", "gauge", SCOPE_ALL, "whether state on disk is what it is to be",
		read_state_saved},
	{"steerd_problems", "gauge", SCOPE_ALL,
		"lines that steerctl status shows first: what someone should look at",
		read_problems},
	{"steerd_overrides", "gauge", SCOPE_ALL, "drains and forces that hold", read_overrides},
	{"steerd_tcp_open", "gauge", SCOPE_ALL, "TCP connections that are open", read_tcp_open},

	{"steerd_prober_up", "gauge", SCOPE_ALL,
		"whether the prober runs and is heard; absent if there is nothing to check",
		read_prober_up},
	{"steerd_prober_restarts_total", "counter", SCOPE_ALL, "deaths of the prober",
		read_prober_restarts},
	{"steerd_prober_renewals_total", "counter", SCOPE_ALL,
		"times that it ended on purpose, to start with other rights", read_prober_renewals},
	{"steerd_prober_stale_total", "counter", SCOPE_ALL,
		"what it said for older orders, and was dropped", read_prober_stale},
	{"steerd_prober_refused_total", "counter", SCOPE_ALL,
		"what it said that cannot be: it was replaced each time", read_prober_refused},
	{"steerd_prober_table_age_seconds", "gauge", SCOPE_ALL,
		"since its last table of verdicts came; absent before the first",
		read_prober_heard},

	{"steerd_observer_suspect", "gauge", SCOPE_ALL,
		"whether so much fails at once that nothing goes down for now", read_suspect},
	{"steerd_observer_canaries_down", "gauge", SCOPE_ALL, "whether all canaries fail",
		read_canaries},
	{"steerd_observer_checked", "gauge", SCOPE_ALL, "targets that are checked", read_checked},
	{"steerd_observer_failing", "gauge", SCOPE_ALL, "those of them that fail", read_failing},

	{"steerd_notices_waiting", "gauge", SCOPE_ALL,
		"notifications of which it is not known yet what became", read_notices_waiting},
	{"steerd_notices_oldest_seconds", "gauge", SCOPE_ALL,
		"how long the first of these has waited", read_notices_oldest},
	{"steerd_notices_told_total", "counter", SCOPE_ALL, "notifications that were delivered",
		read_notices_told},
	{"steerd_notices_given_up_total", "counter", SCOPE_ALL, "notifications that were given up",
		read_notices_given_up},

	{"steerd_zone_serial", "gauge", SCOPE_ZONE, "of its SOA", read_zone_serial},
	{"steerd_zone_records", "gauge", SCOPE_ZONE, "records that it has", read_zone_records},

	{"steerd_pool_members", "gauge", SCOPE_POOL, "members that it has", read_pool_members},
	{"steerd_pool_usable_members", "gauge", SCOPE_POOL, "members that may be answered",
		read_pool_usable},
	{"steerd_pool_capacity_left_ratio", "gauge", SCOPE_POOL,
		"part of its capacity that is left, without what operators took out",
		read_pool_left},
	{"steerd_pool_capacity_lost_ratio", "gauge", SCOPE_POOL,
		"part of its capacity that health took away within the last minute",
		read_pool_lost},
	{"steerd_pool_panic", "gauge", SCOPE_POOL,
		"whether less is left than its panic-below: it counts as failed", read_pool_panic},
	{"steerd_pool_without", "gauge", SCOPE_POOL, "whether what it needs is lost",
		read_pool_without},
	{"steerd_pool_held_addresses", "gauge", SCOPE_POOL,
		"addresses that stay in answers though their checks fail", read_pool_held},
	{"steerd_pool_ipv4_usable", "gauge", SCOPE_POOL,
		"whether an IPv4 address is usable, or it has none at all", read_pool_ipv4},
	{"steerd_pool_ipv6_usable", "gauge", SCOPE_POOL, "the same of IPv6", read_pool_ipv6},

	{"steerd_member_usable", "gauge", SCOPE_MEMBER, "whether it may be answered",
		read_member_usable},
	{"steerd_member_overridden", "gauge", SCOPE_MEMBER, "whether it is drained or forced",
		read_member_overridden},

	{"steerd_address_state", "gauge", SCOPE_ADDRESS, "what is believed of it: " STATES,
		read_address_state},
	{"steerd_address_seen", "gauge", SCOPE_ADDRESS, "what its checks say: " STATES,
		read_address_seen},
	{"steerd_address_held", "gauge", SCOPE_ADDRESS,
		"whether something else is believed than its checks say", read_address_held},
	{"steerd_address_share_ratio", "gauge", SCOPE_ADDRESS,
		"part of its usual share that it gets; 0 when it is down", read_address_share},
	{"steerd_address_since_seconds", "gauge", SCOPE_ADDRESS, "when its state began",
		read_address_since},

	{"steerd_check_state", "gauge", SCOPE_CHECK, STATES, read_check_state},
	{"steerd_check_passed", "gauge", SCOPE_CHECK, "whether the last check passed",
		read_check_passed},
	{"steerd_check_time_seconds", "gauge", SCOPE_CHECK, "when the last check ended",
		read_check_time},
	{"steerd_check_latency_seconds", "gauge", SCOPE_CHECK, "how long the last check took",
		read_check_latency},
	{"steerd_check_latency_p50_seconds", "gauge", SCOPE_CHECK,
		"median of the last 64 that passed", read_check_p50},
	{"steerd_check_latency_p95_seconds", "gauge", SCOPE_CHECK,
		"95th percentile of the last 64 that passed", read_check_p95},
	{"steerd_check_rate_bytes", "gauge", SCOPE_CHECK,
		"octets a second of the last transfer of a range", read_check_rate},
	{"steerd_check_flaps", "gauge", SCOPE_CHECK,
		"recoveries that did not last, for which it is held down longer", read_check_flaps},
	{"steerd_certificate_end_seconds", "gauge", SCOPE_CERTIFICATE,
		"when the certificate that it showed ends", read_certificate},
};

/* ---- the format ---- */

/* Backslash, quote and line end are escaped; steerd's own texts are UTF-8 or ASCII. */
static void add_label(struct text *text, const char *name, const char *value, bool is_first)
{
	text_print(text, "%s%s=\"", is_first ? "{" : ",", name);
	for (const char *at = value; *at;) {
		size_t plain = strcspn(at, "\\\"\n");

		text_add_bytes(text, at, plain);
		at += plain;
		if (*at == '\n')
			text_add(text, "\\n");
		else if (*at)
			text_print(text, "\\%c", *at);
		at += *at != '\0';
	}
	text_add(text, "\"");
}

static void add_labels(struct text *text, enum scope scope, const struct subject *at)
{
	char word[NAME_TEXT_SIZE > ADDRESS_TEXT_SIZE ? NAME_TEXT_SIZE : ADDRESS_TEXT_SIZE];

	if (scope == SCOPE_ALL)
		return;
	if (scope == SCOPE_BUILD)
		add_label(text, "version", STEERD_VERSION, true);
	if (scope == SCOPE_ZONE) {
		name_print(zone_name(at->zone), word);
		add_label(text, "zone", word, true);
	}
	if (scope >= SCOPE_POOL)
		add_label(text, "pool", at->pool->pool->name, true);
	if (scope >= SCOPE_MEMBER)
		add_label(text, "member", at->member->member->name, false);
	if (scope == SCOPE_MEMBER)
		add_label(text, "site", at->member->site ? at->member->site : "", false);
	if (scope >= SCOPE_ADDRESS) {
		address_print(&at->belief->address, word);
		add_label(text, "address", word, false);
	}
	if (scope >= SCOPE_CHECK)
		add_label(text, "monitor", at->check.monitor->name, false);
	if (scope == SCOPE_CERTIFICATE) {
		add_label(text, "name", at->check.verdict->certificate, false);
		add_label(text, "issuer", at->check.verdict->issuer, false);
	}
	text_add(text, "}");
}

static void add_head(struct text *text, const char *name, const char *type, const char *help)
{
	text_print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- all subjects ---- */

struct subjects {
	struct subject *items; /* heap */
	size_t count;
	size_t capacity;
	struct text labels; /* of all, for each metric has the same */
};

static void add(
	struct subjects sets[static SCOPE_COUNT], enum scope scope, const struct subject *subject)
{
	struct subjects *subjects = &sets[scope];
	struct subject *added;

	if (subjects->count == subjects->capacity) {
		subjects->capacity = subjects->capacity ? 2 * subjects->capacity : 64;
		subjects->items = memory_resize(
			subjects->items, subjects->capacity * sizeof(subjects->items[0]));
	}
	added = &subjects->items[subjects->count++];
	*added = *subject;
	added->labels_at = subjects->labels.size;
	add_labels(&subjects->labels, scope, subject);
	added->labels_size = subjects->labels.size - added->labels_at;
}

/* A condition may name a monitor more than once. */
static bool is_repeated(const struct view_check *checks, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (checks[i].monitor == checks[index].monitor)
			return true;
	return false;
}

static void gather_address(struct subjects sets[static SCOPE_COUNT], const struct subject *address)
{
	struct view_check checks[VIEW_CHECKS_MAX];
	struct subject subject = *address;
	size_t count = view_checks(subject.view, subject.member, &subject.belief->address, checks);

	add(sets, SCOPE_ADDRESS, &subject);
	for (size_t i = 0; i < count; i++) {
		subject.check = checks[i];
		if (is_repeated(checks, i))
			continue;
		add(sets, SCOPE_CHECK, &subject);
		if (checks[i].verdict)
			add(sets, SCOPE_CERTIFICATE, &subject);
	}
}

static void gather_pool(struct subjects sets[static SCOPE_COUNT], const struct subject *pool)
{
	struct subject subject = *pool;

	add(sets, SCOPE_POOL, &subject);
	for (size_t i = 0; i < subject.pool->pool->member_count; i++) {
		size_t count;
		const struct belief *beliefs;

		subject.member = &subject.pool->members[i];
		add(sets, SCOPE_MEMBER, &subject);
		beliefs = view_beliefs(subject.view, subject.member, &count);
		for (size_t k = 0; k < count; k++) {
			subject.belief = &beliefs[k];
			gather_address(sets, &subject);
		}
	}
}

static void gather(const struct view *view, struct subjects sets[static SCOPE_COUNT])
{
	const struct zone_set *zones = view->facts->plan->zones;
	struct subject subject = {.view = view};

	add(sets, SCOPE_ALL, &subject);
	add(sets, SCOPE_BUILD, &subject);
	for (size_t i = 0; i < zone_set_count(zones); i++) {
		subject.zone = zone_set_zone(zones, i);
		add(sets, SCOPE_ZONE, &subject);
	}
	for (size_t i = 0; i < view->pool_count; i++) {
		subject.pool = &view->pools[i];
		gather_pool(sets, &subject);
	}
}

/* ---- all of it ---- */

static void print_counters(const struct control_facts *facts, struct text *text)
{
	for (size_t i = COUNT_OF(metrics); i < metrics_count(); i++) {
		const struct metrics_info info = metrics_info(i);

		add_head(text, info.name, info.type, info.help);
		text_print(text, "%s %" PRIu64 "\n", info.name,
			facts->counters[i - COUNT_OF(metrics)]);
	}
}

/* Nearly all are whole: digits by hand, for there may be a hundred thousand. */
static void add_value(struct text *text, double value)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t whole = value >= 0 && value < WHOLE_MAX ? (uint64_t)value : 0;

	if ((double)whole != value) {
		text_print(text, " %.15g\n", value);
		return;
	}
	digits[--at] = '\n';
	do
		digits[--at] = (char)('0' + whole % 10);
	while ((whole /= 10) > 0);
	digits[--at] = ' ';
	text_add_bytes(text, digits + at, sizeof(digits) - at);
}

static void print_series(
	const struct metric *metric, const struct subjects *subjects, struct text *text)
{
	add_head(text, metric->name, metric->type, metric->help);
	for (size_t i = 0; i < subjects->count; i++) {
		const struct subject *subject = &subjects->items[i];
		double value;

		if (!metric->read(subject, &value))
			continue;
		text_add(text, metric->name);
		if (subject->labels_size > 0)
			text_add_bytes(text, subjects->labels.bytes + subject->labels_at,
				subject->labels_size);
		add_value(text, value);
	}
}

static void print_all(const struct view *view, struct text *text)
{
	struct subjects sets[SCOPE_COUNT] = {0};

	gather(view, sets);
	for (size_t i = 0; i < COUNT_OF(metrics); i++)
		print_series(&metrics[i], &sets[metrics[i].scope], text);
	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		free(sets[i].items);
		text_done(&sets[i].labels);
	}
}

void metrics_print(const struct control_facts *facts, struct text *ret_text)
{
	struct view view;

	view_init(&view, facts);
	print_all(&view, ret_text);
	view_done(&view);
	print_counters(facts, ret_text);
}

/* ---- the table, told ---- */

size_t metrics_count(void)
{
	return COUNT_OF(metrics) + STATS_COUNT;
}

struct metrics_info metrics_info(size_t index)
{
	static char name[64];

	if (index < COUNT_OF(metrics))
		return (struct metrics_info){metrics[index].name, metrics[index].type,
			metrics[index].help, scope_labels[metrics[index].scope]};

	enum stats_counter counter = (enum stats_counter)(index - COUNT_OF(metrics));

	snprintf(name, sizeof(name), "steerd_%s_total", stats_name(counter));
	return (struct metrics_info){name, "counter", stats_help(counter), ""};
}
