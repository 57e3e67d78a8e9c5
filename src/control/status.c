/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/memory.h"
#include "steerd/control/metrics.h"
#include "steerd/control/words.h"
#include "view.h"

static const char *const prober_states[] = {
	[CONTROL_PROBER_NONE] = "none",
	[CONTROL_PROBER_RUNNING] = "running",
	[CONTROL_PROBER_SILENT] = "silent",
	[CONTROL_PROBER_DOWN] = "down",
};

static const char *const methods[] = {
	[METHOD_NEAREST] = "nearest",
	[METHOD_FAILOVER] = "failover",
	[METHOD_WEIGHTED] = "weighted",
	[METHOD_ALL] = "all",
};

/* ---- the parts of the reply ---- */

json_t *reply_one_override(const struct override *override)
{
	if (!override)
		return json_null();

	json_t *json = json_object();

	json_put_text(json, "kind", words_kind(override->kind));
	json_put_text(json, "subject", override->subject);
	json_put_text(json, "reason", override->reason);
	json_put_text(json, "by", override->by);
	json_put_time(json, "since_unix_s", override->since_unix_s);
	json_put_time(json, "until_unix_s", override->until_unix_s);
	return json;
}

static json_t *overrides_of(const struct view *view)
{
	const struct override_list *list = view->facts->overrides;
	json_t *overrides = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *override = reply_one_override(&list->items[i]);
		size_t count = 0;

		for (size_t j = 0; j < view->member_count; j++)
			count += view->members[j].override == &list->items[i];
		json_put_number(override, "members", count);
		json_push(overrides, override);
	}
	return overrides;
}

static json_t *prober_of(const struct control_prober *prober)
{
	json_t *json = json_object();

	json_put_text(json, "state", prober_states[prober->state]);
	json_put(json, "pid", prober->pid ? json_integer(prober->pid) : json_null());
	json_put_number(json, "restarts", prober->restarts);
	json_put_number(json, "renewals", prober->renewals);
	json_put_number(json, "stale", prober->stale);
	json_put_number(json, "refused", prober->refused);
	json_put(json, "heard_ms",
		prober->heard_ms == UINT64_MAX ? json_null()
					       : json_integer((json_int_t)prober->heard_ms));
	json_put_text(json, "why", prober->why);
	return json;
}

/* Each line of a report as a text of its own. */
static json_t *lines_of(const char *lines)
{
	json_t *array = json_array();

	while (lines && *lines) {
		size_t size = strcspn(lines, "\n");
		struct text line = {0};

		text_add_bytes(&line, lines, size);
		json_push_text(array, line.bytes);
		text_done(&line);
		lines += size + (lines[size] == '\n');
	}
	return array;
}

static json_t *notices_of(const struct control_notices *notices)
{
	json_t *json = json_object();

	json_put_number(json, "receivers", notices->receivers);
	json_put_number(json, "waiting", notices->waiting);
	json_put_number(json, "oldest_ms", notices->oldest_ms);
	json_put_number(json, "told", notices->told);
	json_put_number(json, "given_up", notices->given_up);
	json_put_text(json, "why", notices->given_up_why);
	return json;
}

static json_t *reload_of(const struct control_reload *reload)
{
	if (!reload->at_unix_s)
		return json_null();

	json_t *json = json_object();

	json_put_time(json, "at_unix_s", reload->at_unix_s);
	json_put(json, "ok", json_boolean(reload->done));
	json_put(json, "lines", lines_of(reload->lines));
	return json;
}

static int by_pointer(const void *a, const void *b)
{
	const struct zone *const *left = a;
	const struct zone *const *right = b;

	return (*left > *right) - (*left < *right);
}

/* Steered names for each zone: many zones, many names, so not each against each. */
static const struct zone **steered_zones(const struct zone_set *set, size_t *ret_count)
{
	size_t count = zone_set_steered_count(set);
	const struct zone **zones = memory_new((count + 1) * sizeof(*zones));

	for (size_t i = 0; i < count; i++)
		zones[i] = zone_set_steered(set, (uint32_t)i)->zone;
	qsort(zones, count, sizeof(*zones), by_pointer);
	*ret_count = count;
	return zones;
}

static size_t count_of(const struct zone *const *zones, size_t count, const struct zone *zone)
{
	const struct zone *const *found = bsearch(&zone, zones, count, sizeof(*zones), by_pointer);
	size_t same = 0;

	if (!found)
		return 0;
	while (found > zones && found[-1] == zone)
		found--;
	while (found + same < zones + count && found[same] == zone)
		same++;
	return same;
}

static json_t *zones_of(const struct zone_set *set)
{
	json_t *array = json_array();
	size_t steered_count;
	const struct zone **steered = steered_zones(set, &steered_count);

	for (size_t i = 0; i < zone_set_count(set); i++) {
		const struct zone *zone = zone_set_zone(set, i);
		json_t *json = json_object();
		char name[NAME_TEXT_SIZE];

		name_print(zone_name(zone), name);
		json_put_text(json, "name", name);
		json_put_number(json, "serial", zone_serial(zone));
		json_put_number(json, "names", zone_name_count(zone));
		json_put_number(json, "records", zone_record_count(zone));
		json_put_number(json, "steered", count_of(steered, steered_count, zone));
		json_put_text(json, "path", zone_path(zone));
		json_push(array, json);
	}
	free(steered);
	return array;
}

static json_t *listen_of(const struct control_facts *facts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < facts->listen_count; i++) {
		char text[ADDRESS_PORT_TEXT_SIZE];

		address_port_print(&facts->listen[i], text);
		json_push_text(array, text);
	}
	return array;
}

/* How many secrets there are and since when: what they are is nobody's business. */
static json_t *cookies_of(const struct snapshot *snapshot)
{
	if (!snapshot->cookies)
		return json_null();

	json_t *json = json_object();

	json_put_number(json, "secrets", snapshot->cookies->count);
	json_put_time(json, "since_unix_s", snapshot->secrets_since_unix_s);
	json_put(json, "kept", json_boolean(snapshot->secrets != SNAPSHOT_SECRETS_OF_RUN));
	return json;
}

static json_t *counters_of(const struct control_facts *facts)
{
	json_t *json = json_object();

	for (enum stats_counter i = 0; i < STATS_COUNT; i++)
		json_put_number(json, stats_name(i), facts->counters[i]);
	return json;
}

/* ---- pools ---- */

/* `row`: what says most about it; NULL: nothing does. */
static json_t *address_of(const struct belief *belief, const struct verdict *row)
{
	json_t *json = json_object();
	char text[ADDRESS_TEXT_SIZE];
	bool was_checked = row && row->checked_at_unix_s;

	address_print(&belief->address, text);
	json_put_text(json, "address", text);
	json_put_text(json, "state", words_verdict(belief->state));
	json_put_text(json, "seen", words_verdict(belief->seen));
	json_put_text(json, "why", words_belief(belief->why));
	json_put(json, "part", json_real((double)belief->share / BELIEF_WHOLE));
	json_put_time(json, "since_unix_s", belief->since_unix_s);
	json_put_time(json, "checked_at_unix_s", row ? row->checked_at_unix_s : 0);
	json_put(json, "latency_ms", was_checked ? json_integer(row->latency_ms) : json_null());
	json_put(json, "streak", was_checked ? json_integer(row->streak) : json_null());
	json_put(json, "passed", was_checked ? json_boolean(row->last_passed) : json_null());
	json_put_text(json, "reason", row && *row->reason ? row->reason : NULL);
	return json;
}

static json_t *addresses_of(const struct view *view, const struct view_member *member)
{
	json_t *array = json_array();
	size_t count;
	const struct belief *beliefs = view_beliefs(view, member, &count);

	for (size_t i = 0; i < count; i++)
		json_push(array,
			address_of(&beliefs[i], view_telling(view, member, &beliefs[i].address)));
	return array;
}

static json_t *member_of(
	const struct view *view, const struct view_member *member, bool with_checks)
{
	const struct settings_member *settings = member->member;
	json_t *json = json_object();

	json_put_text(json, "name", settings->name);
	json_put_text(json, "site", member->site);
	json_put_number(json, "weight", settings->weight);
	json_put_text(json, "host", settings->host);
	json_put_text(json, "pool",
		settings->pool == SETTINGS_NONE ? NULL
						: view->settings->pools[settings->pool].name);
	json_put_text(json, "state", view_state_text(member->state));
	json_put(json, "usable", json_boolean(member->is_usable));
	json_put_time(json, "since_unix_s", member->since_unix_s);
	json_put(json, "override", reply_one_override(member->override));
	json_put(json, "addresses", addresses_of(view, member));
	if (with_checks)
		reply_add_checks(view, member, json_object_get(json, "addresses"));
	return json;
}

static json_t *names_steered_by(const struct view *view, size_t pool)
{
	const struct snapshot *snapshot = view->facts->plan->snapshot;
	const struct zone_set *zones = snapshot->zones;
	json_t *array = json_array();

	for (size_t i = 0; i < zone_set_steered_count(zones); i++) {
		char name[NAME_TEXT_SIZE];

		if (snapshot->steered_pools[i] != pool)
			continue;
		name_print(zone_node_name(zone_set_steered(zones, (uint32_t)i)->node), name);
		json_push_text(array, name);
	}
	return array;
}

/* What the guard thinks of the pool as a whole. */
static json_t *capacity_of(const struct view *view, const struct view_pool *pool)
{
	const struct guard_pool_state *state = &view->states[pool - view->pools];
	json_t *json = json_object();

	json_put_number(json, "left_percent", state->percent);
	json_put_number(json, "lost_percent", state->loss_percent);
	json_put(json, "panic", json_boolean(state->state == BELIEF_POOL_PANIC));
	json_put(json, "without", json_boolean(state->is_without));
	json_put_number(json, "held", state->held_count);
	return json;
}

static json_t *pool_of(const struct view *view, const struct view_pool *pool, json_t *members)
{
	const struct settings_pool *settings = pool->pool;
	json_t *json = json_object();
	struct text monitor = {0};

	json_put_text(json, "name", settings->name);
	json_put_text(json, "method", methods[settings->method]);
	json_put(json, "answers",
		settings->answers == UINT16_MAX ? json_null() : json_integer(settings->answers));
	if (settings->condition)
		settings_print_condition(view->settings, settings->condition, &monitor);
	json_put_text(json, "monitor", monitor.bytes);
	text_done(&monitor);
	json_put_text(json, "when_all_down", settings_all_down_text(settings->when_all_down));
	json_put(json, "steers", names_steered_by(view, (size_t)(pool - view->pools)));
	json_put_text(json, "state", view_state_text(pool->state));
	json_put_number(json, "usable", pool->usable_count);
	json_put_number(json, "members_total", settings->member_count);
	json_put_text(json, "lost", view_lost_words(pool));
	json_put(json, "capacity", capacity_of(view, pool));
	json_put(json, "members", members);
	return json;
}

static json_t *pools_of(const struct view *view, const char *subject)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->pool_count; i++) {
		const struct view_pool *pool = &view->pools[i];
		bool whole = !subject || strcmp(subject, pool->pool->name) == 0;
		json_t *members = json_array();

		for (size_t j = 0; j < pool->pool->member_count; j++)
			if (whole || view_is_named(&pool->members[j], subject))
				json_push(members,
					member_of(view, &pool->members[j], subject && !whole));
		if (whole || json_array_size(members) > 0)
			json_push(array, pool_of(view, pool, members));
		else
			json_decref(members);
	}
	return array;
}

static bool is_known(const struct view *view, const char *subject)
{
	return !subject || settings_find_pool(view->settings, subject) != SETTINGS_NONE ||
		view_count_named(view, subject) > 0;
}

static json_t *whole_status(const struct view *view, const char *subject)
{
	const struct control_facts *facts = view->facts;
	json_t *json = json_object();

	json_put(json, "ok", json_true());
	json_put_text(json, "version", STEERD_VERSION);
	json_put(json, "pid", json_integer(getpid()));
	json_put_time(json, "now_unix_s", facts->now_unix_s);
	json_put_time(json, "started_at_unix_s", facts->started_at_unix_s);
	json_put_number(json, "generation", facts->plan->snapshot->generation);
	json_put_number(json, "plan", facts->plan->generation);
	json_put_text(json, "settings", view->settings->path);
	json_put(json, "listen", listen_of(facts));
	json_put(json, "problems", reply_problems(view));
	json_put(json, "prober", prober_of(&facts->prober));
	json_put(json, "notices", notices_of(&facts->notices));
	json_put(json, "reload", reload_of(&facts->reload));
	json_put(json, "overrides", overrides_of(view));
	json_put(json, "zones", zones_of(facts->plan->zones));
	json_put(json, "pools", pools_of(view, subject));
	json_put(json, "cookies", cookies_of(facts->plan->snapshot));
	json_put(json, "counters", counters_of(facts));
	json_put_number(json, "tcp_open", facts->tcp_open);
	return json;
}

json_t *reply_status(
	const struct control_facts *facts, const struct request *request, struct err *err)
{
	const char *subject = request->text[ARGUMENT_SUBJECT];
	struct view view;
	json_t *json = NULL;

	view_init(&view, facts);
	if (is_known(&view, subject))
		json = whole_status(&view, subject);
	else
		view_unknown_subject(&view, subject, true, err);
	view_done(&view);
	return json;
}

json_t *reply_metrics(const struct control_facts *facts)
{
	json_t *json = json_object();
	struct text text = {0};

	metrics_print(facts, &text);
	json_put(json, "ok", json_true());
	json_put_text(json, "content_type", METRICS_CONTENT_TYPE);
	json_put_text(json, "text", text.bytes);
	text_done(&text);
	return json;
}

/* ---- what all replies have ---- */

json_t *reply_refused(const char *error)
{
	json_t *json = json_object();

	json_put(json, "ok", json_false());
	json_put_text(json, "error", error);
	return json;
}

json_t *reply_done(const char *message)
{
	json_t *json = json_object();

	json_put(json, "ok", json_true());
	json_put_text(json, "message", message);
	return json;
}

json_t *reply_outcome(const struct control_outcome *outcome)
{
	json_t *json =
		outcome->done ? reply_done(outcome->message) : reply_refused(outcome->message);

	if (outcome->lines)
		json_put(json, "lines", lines_of(outcome->lines));
	json_put_number(json, "generation", outcome->generation);
	return json;
}
