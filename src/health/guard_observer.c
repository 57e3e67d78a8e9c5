/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_observer.h"

#include <stdlib.h>
#include <string.h>

#include "guard_rows.h"
#include "steerd/base/memory.h"

/* What is taken for one network: what one provider has at one place, about. */
#define NETWORK_BITS_IPV4 16
#define NETWORK_BITS_IPV6 32

void guard_observer_done(struct guard_sights *sights)
{
	free(sights->items);
	free(sights->first);
	free(sights->networks);
	*sights = (struct guard_sights){0};
}

/* ---- other rows ---- */

static bool has_same_rows(const struct guard_sights *sights, const struct verdict_table *table)
{
	if (sights->count != table->count)
		return false;
	for (size_t i = 0; i < table->count; i++)
		if (sights->items[i].target != table->rows[i].target ||
			!address_is_equal(&sights->items[i].address, &table->rows[i].address))
			return false;
	return true;
}

static int compare_rows(const void *a, const void *b)
{
	const struct guard_sight *x = a;
	const struct guard_sight *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return address_compare(&x->address, &y->address);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct guard_sight *x = a;
	const struct guard_sight *y = b;

	return address_compare(&x->address, &y->address);
}

static struct guard_sight first_sight(const struct verdict *row)
{
	bool was_checked = row->checked_at_unix_s != 0;

	return (struct guard_sight){
		.target = row->target,
		.address = row->address,
		.checked_at_unix_s = row->checked_at_unix_s,
		.state = row->state,
		.last_passed = row->last_passed,
		.is_failing = was_checked ? !row->last_passed : row->state == VERDICT_DOWN,
	};
}

/* Under other rules a target has another id, and its address must do to know it again. */
static void carry_sights(
	struct guard_sight *items, size_t count, struct guard_sights *old, bool has_other_ids)
{
	int (*compare)(const void *, const void *) =
		has_other_ids ? compare_addresses : compare_rows;

	if (old->count == 0)
		return;
	if (has_other_ids)
		qsort(old->items, old->count, sizeof(old->items[0]), compare);
	for (size_t i = 0; i < count; i++) {
		const struct guard_sight *found =
			bsearch(&items[i], old->items, old->count, sizeof(old->items[0]), compare);

		if (!found)
			continue;
		if (!has_other_ids)
			items[i] = *found;
		else if (found->is_failing && items[i].is_failing) {
			items[i].began_ms = found->began_ms;
			items[i].counts = found->counts;
		}
	}
}

static struct prefix network_of(const struct address *address)
{
	return prefix_of(
		address, address->family == ADDRESS_IPV4 ? NETWORK_BITS_IPV4 : NETWORK_BITS_IPV6);
}

/* Numbers the distinct networks. */
static void number_networks(struct guard_sights *sights)
{
	struct guard_sight *sorted = memory_copy(sights->items, sights->count * sizeof(*sorted));
	uint32_t count = 0;

	for (size_t i = 0; i < sights->count; i++) {
		sorted[i].address = network_of(&sorted[i].address).address;
		sorted[i].network = (uint32_t)i; /* whose it is, while it is sorted */
	}
	if (sights->count > 0)
		qsort(sorted, sights->count, sizeof(*sorted), compare_addresses);
	for (size_t i = 0; i < sights->count; i++) {
		if (i > 0 && compare_addresses(&sorted[i - 1], &sorted[i]) != 0)
			count++;
		sights->items[sorted[i].network].network = count;
	}
	free(sorted);
	free(sights->networks);
	sights->network_count = sights->count > 0 ? count + 1 : 0;
	sights->networks = memory_new(sights->network_count * sizeof(sights->networks[0]));
	sights->step = 0;
}

static void index_targets(struct guard_sights *sights)
{
	sights->target_count =
		sights->count > 0 ? (size_t)sights->items[sights->count - 1].target + 1 : 0;
	free(sights->first);
	sights->first = memory_new((sights->target_count + 1) * sizeof(sights->first[0]));
	for (size_t i = 0; i < sights->count; i++)
		sights->first[sights->items[i].target + 1] = (uint32_t)i + 1;
	/* targets without a row begin where the one before them ends */
	for (size_t i = 1; i <= sights->target_count; i++)
		if (sights->first[i] < sights->first[i - 1])
			sights->first[i] = sights->first[i - 1];
}

static void mark_canary(void *context, target_id target)
{
	struct guard_sights *sights = context;

	for (uint32_t i = target < sights->target_count ? sights->first[target] : UINT32_MAX;
		i < sights->count && sights->items[i].target == target; i++)
		sights->items[i].is_canary = true;
}

/* The canaries are the endpoints of one pool, and of those below it. */
static void mark_canaries(struct guard *guard)
{
	const struct guard_rules *rules = guard->rules;
	bool *is_canary = memory_new(rules->pool_count + 1);

	for (size_t i = 0; i < guard->sights.count; i++)
		guard->sights.items[i].is_canary = false;
	if (rules->canaries < rules->pool_count)
		is_canary[rules->canaries] = true;
	/* children stand before the pools that hold them */
	for (size_t i = rules->pool_count; i-- > 0;) {
		uint32_t id = guard->capacity.order[i];
		const struct guard_pool *pool = &rules->pools[id];

		for (size_t k = 0; is_canary[id] && k < pool->member_count; k++) {
			const struct guard_member *member = &rules->members[pool->members[k]];

			if (member->child != GUARD_NONE)
				is_canary[member->child] = true;
			else
				guard_combine_targets(member, mark_canary, &guard->sights);
		}
	}
	free(is_canary);
}

bool guard_observer_follow(struct guard *guard, const struct verdict_table *table)
{
	struct guard_sights *sights = &guard->sights;

	if (!guard->is_fresh && has_same_rows(sights, table))
		return false;

	struct guard_sight *items = memory_new(table->count * sizeof(items[0]));

	for (size_t i = 0; i < table->count; i++)
		items[i] = first_sight(&table->rows[i]);
	carry_sights(items, table->count, sights, guard->is_fresh);
	free(sights->items);
	sights->items = items;
	sights->count = table->count;
	number_networks(sights);
	index_targets(sights);
	mark_canaries(guard);
	return true;
}

/* ---- what they say ---- */

/* Of all rows, at one step. */
struct sum {
	uint32_t failing;
	uint32_t checked;
	uint32_t began; /* to fail, lately */
	uint32_t networks;
	uint32_t canaries; /* that are checked */
	uint32_t canaries_failing;
	bool has_passed; /* a check, since the suspicion began */
	bool has_canary_passed;
};

static void look_at(struct guard_sight *sight, const struct verdict *row, uint64_t now_ms)
{
	bool went_down = row->state == VERDICT_DOWN && sight->state != VERDICT_DOWN;
	bool fails = went_down || (row->checked_at_unix_s != 0 && !row->last_passed);

	if (fails && !sight->is_failing) {
		sight->began_ms = now_ms;
		sight->counts = true;
	}
	sight->is_failing = fails;
	sight->checked_at_unix_s = row->checked_at_unix_s;
	sight->last_passed = row->last_passed;
	sight->state = row->state;
}

static void add_up(struct guard_sights *sights, const struct guard_sight *sight, struct sum *sum)
{
	sum->failing += sight->is_failing;
	sum->canaries += sight->is_canary;
	sum->canaries_failing += sight->is_canary && sight->is_failing;
	if (!sight->is_failing || !sight->counts)
		return;
	sum->began++;
	sum->networks += sights->networks[sight->network] != sights->step;
	sights->networks[sight->network] = sights->step;
}

/* One that ended before the suspicion began may be told after it: it says nothing about now. */
static void note_pass(const struct guard_sights *sights, const struct guard_sight *sight,
	bool is_news, struct sum *sum)
{
	if (!is_news || sight->is_failing || sight->checked_at_unix_s <= sights->shown.since_unix_s)
		return;
	sum->has_passed = true;
	sum->has_canary_passed = sum->has_canary_passed || sight->is_canary;
}

static struct sum look_at_all(struct guard *guard, const struct guard_input *input)
{
	struct guard_sights *sights = &guard->sights;
	uint32_t window_ms = guard->rules->suspect_window_ms;
	struct sum sum = {0};

	sights->step++;
	for (size_t i = 0; i < sights->count; i++) {
		struct guard_sight *sight = &sights->items[i];
		const struct verdict *row = &input->verdicts->rows[i];
		bool is_news = row->checked_at_unix_s != sight->checked_at_unix_s ||
			row->last_passed != sight->last_passed || row->state != sight->state;

		if (row->checked_at_unix_s == 0 && row->state != VERDICT_DOWN && !is_news)
			continue; /* not checked, or not yet */
		if (is_news)
			look_at(sight, row, guard->now_ms);
		if (sight->counts && guard->now_ms - sight->began_ms > window_ms)
			sight->counts = false;
		sum.checked++;
		note_pass(sights, sight, is_news, &sum);
		add_up(sights, sight, &sum);
	}
	return sum;
}

static bool looks_wrong(const struct guard_rules *rules, const struct sum *sum)
{
	if (sum->canaries > 0 && sum->canaries_failing == sum->canaries)
		return true;
	return sum->networks >= rules->suspect_networks && sum->began > 0 &&
		UINT64_C(100) * sum->began > (uint64_t)rules->suspect_percent * sum->checked;
}

static bool is_over(struct guard *guard, const struct sum *sum)
{
	uint64_t confirmed_ms = guard->sights.since_ms + guard->rules->confirm_ms;

	if (sum->canaries > 0)
		return sum->has_canary_passed;
	if (!guard->sights.has_passed)
		return false;
	guard_rows_wake(guard, confirmed_ms);
	return guard->now_ms >= confirmed_ms;
}

static void begin(struct guard *guard)
{
	guard->sights.since_ms = guard->now_ms;
	guard->sights.has_passed = false;
	guard->sights.shown.since_unix_s = guard->now_unix_s;
}

/* What failed together is what it is: it takes as many others to become suspect anew. */
static void end(struct guard *guard)
{
	guard->sights.shown.since_unix_s = guard->now_unix_s;
	for (size_t i = 0; i < guard->sights.count; i++)
		guard->sights.items[i].counts = false;
}

bool guard_observer_look(struct guard *guard, const struct guard_input *input)
{
	struct sum sum = look_at_all(guard, input);
	struct guard_observer *shown = &guard->sights.shown;
	bool was_suspect = shown->is_suspect;

	if (shown->since_unix_s > guard->now_unix_s)
		shown->since_unix_s = guard->now_unix_s; /* the clock was set back */
	shown->failing = sum.failing;
	shown->checked = sum.checked;
	shown->networks = sum.networks;
	shown->are_canaries_down = sum.canaries > 0 && sum.canaries_failing == sum.canaries;
	if (was_suspect) {
		guard->sights.has_passed = guard->sights.has_passed || sum.has_passed;
		shown->is_suspect = input->is_stale || !is_over(guard, &sum);
		if (!shown->is_suspect)
			end(guard);
	} else {
		shown->is_suspect = looks_wrong(guard->rules, &sum);
		if (shown->is_suspect)
			begin(guard);
	}
	return shown->is_suspect != was_suspect;
}
