/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/base/suggest.h"

static const struct {
	const char *text;
	bool is_usable;
} states[] = {
	[VIEW_UP] = {"up", true},
	[VIEW_PARTLY] = {"partly", true},
	[VIEW_DEGRADED] = {"degraded", true},
	[VIEW_DOWN] = {"down", false},
	[VIEW_UNKNOWN] = {"unknown", true},
	[VIEW_UNCHECKED] = {"unchecked", true},
	[VIEW_UNRESOLVED] = {"unresolved", false},
	[VIEW_DRAINED] = {"drained", false},
	[VIEW_FORCED_DOWN] = {"forced-down", false},
	[VIEW_FORCED_UP] = {"forced-up", true},
};

const char *view_state_text(enum view_state state)
{
	return states[state].text;
}

const char *view_lost_words(const struct view_pool *pool)
{
	if (pool->usable_count == 0)
		return "member";
	if (pool->is_ipv4_lost)
		return "IPv4 address";
	return pool->is_ipv6_lost ? "IPv6 address" : NULL;
}

static bool is_without_address(const struct view_pool *pool)
{
	for (size_t i = 0; i < pool->pool->member_count; i++)
		if (pool->members[i].state != VIEW_UNRESOLVED)
			return false;
	return true;
}

const char *view_all_down_words(const struct view *view, const struct view_pool *pool)
{
	const struct snapshot *snapshot = view->facts->plan->snapshot;

	if (!snapshot->pool_infos[pool - view->pools].is_root)
		return "pools that hold it go on without it";
	if (is_without_address(pool))
		return "it has no address, its names are answered from their own records";
	switch (pool->pool->when_all_down) {
	case ALL_DOWN_SERVE_ALL:
		return "it answers with all of them (serve-all)";
	case ALL_DOWN_FALLBACK:
		return "its names are answered from their own records (fallback)";
	case ALL_DOWN_LAST_GOOD:
		return "it answers as when it last had one (last-good)";
	case ALL_DOWN_FENCED:
		return "it answers with all of its own (fenced)";
	}
	return "";
}

/* NULL: none decides. */
static const struct snapshot_check *first_check(const struct view_member *endpoint)
{
	const struct snapshot_member *checked = endpoint->checked;

	return checked->check_count > 0 && !checked->checks[0].is_watch_only ? &checked->checks[0]
									     : NULL;
}

/* How the addresses of an endpoint are believed to be, counted. */
struct tally {
	size_t row_count;
	size_t count[VERDICT_DOWN + 1];
	uint64_t since_unix_s[VERDICT_DOWN + 1]; /* the youngest of each state */
};

static void tally_rows(
	const struct control_facts *facts, const struct view_member *endpoint, struct tally *tally)
{
	const struct belief *rows =
		belief_table_find(plan_world(facts->plan).beliefs, endpoint->id, &tally->row_count);

	for (size_t i = 0; i < tally->row_count; i++) {
		tally->count[rows[i].state]++;
		if (rows[i].since_unix_s > tally->since_unix_s[rows[i].state])
			tally->since_unix_s[rows[i].state] = rows[i].since_unix_s;
	}
}

static enum view_state state_of_endpoint(
	const struct control_facts *facts, const struct view_member *member, uint64_t *ret_since)
{
	struct tally tally = {0};

	const struct snapshot_check *check = first_check(member);

	tally_rows(facts, member, &tally);
	*ret_since = 0;
	if (member->member->host && tally.row_count == 0)
		return VIEW_UNRESOLVED;
	if (!check || check->monitor == SETTINGS_NONE)
		return VIEW_UNCHECKED;
	if (tally.count[VERDICT_DOWN] > 0) {
		*ret_since = tally.since_unix_s[VERDICT_DOWN];
		return tally.count[VERDICT_DOWN] == tally.row_count ? VIEW_DOWN : VIEW_PARTLY;
	}
	if (tally.count[VERDICT_DEGRADED] > 0) {
		*ret_since = tally.since_unix_s[VERDICT_DEGRADED];
		return VIEW_DEGRADED;
	}
	if (tally.count[VERDICT_UP] == 0)
		return VIEW_UNKNOWN;
	*ret_since = tally.since_unix_s[VERDICT_UP];
	return VIEW_UP;
}

static enum view_state state_of_override(const struct override *override)
{
	switch (override->kind) {
	case OVERRIDE_DRAIN:
		return VIEW_DRAINED;
	case OVERRIDE_DOWN:
		return VIEW_FORCED_DOWN;
	case OVERRIDE_UP:
		return VIEW_FORCED_UP;
	case OVERRIDE_NONE:
		break;
	}
	return VIEW_UNKNOWN;
}

static void see_member(const struct view *view, struct view_member *member)
{
	member->override = override_list_find(
		view->facts->overrides, member->pool->name, member->member->name, member->site);
	if (member->override) {
		member->state = state_of_override(member->override);
		member->since_unix_s = member->override->since_unix_s;
	} else if (member->member->pool != SETTINGS_NONE) {
		member->state = view->pools[member->member->pool].state;
	} else {
		member->state = state_of_endpoint(view->facts, member, &member->since_unix_s);
	}
	member->is_usable = states[member->state].is_usable;
}

/* True if its state changed. */
static bool see_pool(const struct view *view, struct view_pool *pool, struct view_member *members)
{
	size_t usable = 0;
	bool all_up = true;

	for (size_t i = 0; i < pool->pool->member_count; i++) {
		see_member(view, &members[i]);
		usable += members[i].is_usable;
		all_up = all_up && members[i].is_usable && members[i].state != VIEW_DEGRADED &&
			members[i].state != VIEW_PARTLY;
	}

	enum view_state state = usable == 0 ? VIEW_DOWN : all_up ? VIEW_UP : VIEW_DEGRADED;
	bool changed = state != pool->state;

	pool->state = state;
	pool->usable_count = usable;
	return changed;
}

/* Pools hold pools, without loops: what is at the bottom is settled by the first pass, what is above it by the next. */
static void see_pools(struct view *view)
{
	bool changed = true;

	for (size_t pass = 0; changed && pass <= view->pool_count; pass++) {
		struct view_member *members = view->members;

		changed = false;
		for (size_t i = 0; i < view->pool_count; i++) {
			changed = see_pool(view, &view->pools[i], members) || changed;
			members += view->pools[i].pool->member_count;
		}
	}
}

/* As a plan judges it, with the overrides of now. */
static void see_families(struct view *view, const struct snapshot *snapshot)
{
	uint8_t *overrides = memory_new(snapshot->member_count);
	struct steer_world world = plan_world(view->facts->plan);

	world.overrides = overrides;

	for (size_t i = 0; i < view->member_count; i++)
		if (view->members[i].override)
			overrides[view->members[i].id] = (uint8_t)view->members[i].override->kind;
	for (size_t i = 0; i < view->pool_count; i++) {
		const struct steer_pool *pool = &snapshot->pools[i];

		view->pools[i].is_ipv4_lost =
			steer_pool_coverage(pool, ADDRESS_IPV4, &world) == STEER_LOST;
		view->pools[i].is_ipv6_lost =
			steer_pool_coverage(pool, ADDRESS_IPV6, &world) == STEER_LOST;
	}
	free(overrides);
}

static void fill(struct view *view, const struct snapshot *snapshot)
{
	struct view_member *next = view->members;

	for (size_t i = 0; i < view->pool_count; i++) {
		const struct settings_pool *pool = &view->settings->pools[i];

		view->pools[i] =
			(struct view_pool){.pool = pool, .members = next, .state = VIEW_DOWN};
		for (size_t j = 0; j < pool->member_count; j++) {
			uint32_t site = pool->members[j].site;

			*next++ = (struct view_member){
				.pool = pool,
				.member = &pool->members[j],
				.id = snapshot->pools[i].members[j].id,
				.checked = &snapshot->members[snapshot->pools[i].members[j].id],
				.site = site == SETTINGS_NONE ? NULL
							      : view->settings->sites[site].name,
			};
		}
	}
}

void view_init(struct view *view, const struct control_facts *facts)
{
	const struct snapshot *snapshot = facts->plan->snapshot;

	*view = (struct view){
		.facts = facts,
		.settings = snapshot->settings,
		.beliefs = facts->beliefs ? facts->beliefs : plan_world(facts->plan).beliefs,
		.states = facts->pools ? facts->pools : plan_world(facts->plan).pools,
		.pool_count = snapshot->settings->pool_count,
	};
	for (size_t i = 0; i < view->pool_count; i++)
		view->member_count += view->settings->pools[i].member_count;
	view->pools = memory_new(view->pool_count * sizeof(view->pools[0]));
	view->members = memory_new(view->member_count * sizeof(view->members[0]));
	fill(view, snapshot);
	see_pools(view);
	see_families(view, snapshot);
}

void view_done(struct view *view)
{
	free(view->pools);
	free(view->members);
	*view = (struct view){0};
}

/* ---- checks ---- */

/* The target that a check applies to an address: of a host, its one; TARGET_NONE: the address is not checked by it. */
static target_id target_for(const struct view_member *member, const struct snapshot_check *check,
	const struct address *address)
{
	if (member->member->host)
		return check->targets[0];
	for (size_t i = 0; i < check->target_count; i++)
		if (address_is_equal(&member->member->addresses[i], address))
			return check->targets[i];
	return TARGET_NONE;
}

static const struct verdict *row_of(
	const struct view *view, target_id target, const struct address *address)
{
	size_t count;
	const struct verdict *rows = verdict_table_find(view->facts->verdicts, target, &count);

	for (size_t i = 0; i < count; i++)
		if (address_is_equal(&rows[i].address, address))
			return &rows[i];
	return NULL;
}

size_t view_checks(const struct view *view, const struct view_member *member,
	const struct address *address, struct view_check ret_checks[static VIEW_CHECKS_MAX])
{
	const struct snapshot *snapshot = view->facts->plan->snapshot;
	size_t count = 0;

	for (size_t i = 0; i < member->checked->check_count && count < VIEW_CHECKS_MAX; i++) {
		const struct snapshot_check *check = &member->checked->checks[i];
		target_id target = target_for(member, check, address);

		if (check->monitor == SETTINGS_NONE || target == TARGET_NONE)
			continue;
		ret_checks[count++] = (struct view_check){
			.target = &snapshot->targets.targets[target],
			.monitor = &view->settings->monitors[check->monitor],
			.verdict = row_of(view, target, address),
			.is_watch_only = check->is_watch_only,
		};
	}
	return count;
}

const struct belief *view_beliefs(
	const struct view *view, const struct view_member *member, size_t *ret_count)
{
	return belief_table_find(view->beliefs, member->id, ret_count);
}

/* How much a state says. */
static int weight_of(const struct verdict *verdict)
{
	return verdict->state == VERDICT_DOWN ? 3 : verdict->state == VERDICT_DEGRADED ? 2 : 1;
}

const struct verdict *view_telling(
	const struct view *view, const struct view_member *member, const struct address *address)
{
	struct view_check checks[VIEW_CHECKS_MAX];
	size_t count = view_checks(view, member, address, checks);
	const struct verdict *telling = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct verdict *verdict = checks[i].verdict;

		if (verdict && !checks[i].is_watch_only &&
			(!telling || weight_of(verdict) > weight_of(telling)))
			telling = verdict;
	}
	return telling;
}

bool view_is_named(const struct view_member *member, const char *subject)
{
	/* asked as an override would be, so that both can never differ */
	struct override alone = {.kind = OVERRIDE_DRAIN, .subject = subject};
	const struct override_list list = {.items = &alone, .count = 1, .capacity = 1};

	return override_list_find(&list, member->pool->name, member->member->name, member->site) !=
		NULL;
}

size_t view_count_named(const struct view *view, const char *subject)
{
	size_t count = 0;

	for (size_t i = 0; i < view->member_count; i++)
		count += view_is_named(&view->members[i], subject);
	return count;
}

/* ---- what may have been meant ---- */

struct words {
	char **items;
	size_t count;
	size_t capacity;
};

static void add_word(struct words *words, const char *first, const char *middle, const char *last)
{
	struct text word = {0};

	text_print(&word, "%s%s%s", first, middle, last);
	words->items = MEMORY_GROW(words->items, words->count, &words->capacity);
	words->items[words->count++] = word.bytes;
}

static void add_words(struct words *words, const struct view *view, bool with_pools)
{
	for (size_t i = 0; i < view->settings->site_count; i++)
		add_word(words, "site:", view->settings->sites[i].name, "");
	for (size_t i = 0; with_pools && i < view->pool_count; i++)
		add_word(words, view->pools[i].pool->name, "", "");
	for (size_t i = 0; i < view->member_count; i++) {
		const struct view_member *member = &view->members[i];

		add_word(words, member->member->name, "", "");
		add_word(words, member->pool->name, "/", member->member->name);
	}
}

bool view_unknown_subject(
	const struct view *view, const char *subject, bool with_pools, struct err *err)
{
	struct words words = {0};
	struct suggestion suggestion = suggest_begin(subject);

	if (settings_find_site(view->settings, subject) != SETTINGS_NONE)
		return err_set(err, "'%s' is a site: say 'site:%s'", subject, subject);
	if (settings_find_pool(view->settings, subject) != SETTINGS_NONE)
		return err_set(err, "'%s' is a pool: name its members, '%s/...', or a site",
			subject, subject);
	add_words(&words, view, with_pools);

	for (size_t i = 0; i < words.count; i++)
		suggest_try(&suggestion, words.items[i]);

	const char *what = with_pools ? "pool, member or site" : "member or site";

	if (suggestion.best)
		err_set(err, "no %s is called '%s'; did you mean '%s'?", what, subject,
			suggestion.best);
	else
		err_set(err, "no %s is called '%s'; 'steerctl status' lists them", what, subject);
	for (size_t i = 0; i < words.count; i++)
		free(words.items[i]);
	free(words.items);
	return false;
}
