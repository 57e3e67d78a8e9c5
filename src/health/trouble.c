/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/health/trouble.h"

#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/health/override.h"

#define DAY_S 86400

static void add(struct trouble_list *list, const struct notice_trouble *trouble)
{
	list->items = MEMORY_GROW(list->items, list->count, &list->capacity);
	list->items[list->count++] = *trouble;
}

static const char *keep(struct arena *arena, struct text *text)
{
	const char *kept = arena_text(arena, text->bytes);

	text_done(text);
	return kept;
}

/* ---- the rows behind an address of a member ---- */

struct gathered {
	const struct verdict **rows;
	size_t count;
};

static const struct verdict *find_row(
	const struct verdict_table *verdicts, target_id target, const struct address *address)
{
	size_t count;
	const struct verdict *rows = verdict_table_find(verdicts, target, &count);

	for (size_t i = 0; i < count; i++)
		if (address_is_equal(&rows[i].address, address))
			return &rows[i];
	return NULL;
}

/* Conditions nest GUARD_DEPTH_MAX deep at most: checked when they were read. */
static void gather(const struct trouble_input *input, const struct guard_condition *condition,
	size_t which, const struct address *address, struct gathered *gathered)
{
	if (condition->kind != GUARD_TARGETS) {
		for (size_t i = 0; i < condition->item_count; i++)
			gather(input, &condition->items[i], which, address, gathered);
		return;
	}

	target_id target = condition->targets[which];
	const struct verdict *row =
		target == TARGET_NONE ? NULL : find_row(input->verdicts, target, address);

	if (row && gathered->count < TROUBLE_ROWS_MAX)
		gathered->rows[gathered->count++] = row;
}

size_t trouble_rows(const struct trouble_input *input, uint32_t member, size_t address,
	const struct verdict *ret_rows[TROUBLE_ROWS_MAX])
{
	const struct guard_member *rule = &input->rules->members[member];
	struct gathered gathered = {.rows = ret_rows};
	size_t count;
	const struct belief *rows = belief_table_find(input->beliefs, member, &count);

	if (rule->condition && address < count)
		gather(input, rule->condition, rule->is_host ? 0 : address, &rows[address].address,
			&gathered);
	return gathered.count;
}

/* ---- members ---- */

static const char *name_of(const struct guard_member *member)
{
	const char *slash = strchr(member->key, '/');

	return slash ? slash + 1 : member->key;
}

static bool has_passed_once(const struct verdict *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i]->was_up)
			return true;
	return false;
}

static bool was_checked(const struct verdict *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i]->checked_at_unix_s > 0)
			return true;
	return false;
}

/* What the first check says that is as bad as `state`; or why that is believed all the same. */
static const char *reason_of(
	const struct belief *belief, uint8_t state, const struct verdict *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i]->state == state && rows[i]->reason[0] != '\0')
			return rows[i]->reason;
	switch ((enum belief_why)belief->why) {
	case BELIEF_WITHOUT:
		return "it serves without what its pool needs";
	case BELIEF_RETURN:
		return "its checks pass; it waits for an operator to return it";
	case BELIEF_FAILBACK:
		return "its checks pass; its failback delay is not over";
	case BELIEF_SEEN:
	case BELIEF_OBSERVER:
	case BELIEF_LOSS:
	case BELIEF_EVIDENCE:
	case BELIEF_RAMP:
		break;
	}
	return "its monitors together say so";
}

static bool is_taken_out(const struct trouble_input *input, uint32_t member)
{
	return input->overrides[member] == OVERRIDE_DRAIN ||
		input->overrides[member] == OVERRIDE_DOWN;
}

static uint8_t level_of(const struct belief *belief)
{
	switch ((enum verdict_state)belief->state) {
	case VERDICT_DOWN:
		return 2;
	case VERDICT_DEGRADED:
		return 1;
	case VERDICT_UP:
		return 0;
	case VERDICT_UNKNOWN:
		break;
	}
	return NOTICE_UNKNOWN;
}

static void find_of_address(
	const struct trouble_input *input, uint32_t id, size_t which, struct trouble_list *list)
{
	const struct guard_member *member = &input->rules->members[id];
	const struct belief *belief = &input->beliefs->rows[input->beliefs->first[id] + which];
	const struct verdict *rows[TROUBLE_ROWS_MAX];
	size_t count = trouble_rows(input, id, which, rows);
	bool never_up = was_checked(rows, count) && !has_passed_once(rows, count);
	struct notice_trouble trouble = {
		.subject = {.kind = NOTICE_MEMBER,
			.pool = input->rules->pools[member->pool].name,
			.member = name_of(member),
			.address = belief->address},
		.level = is_taken_out(input, id) ? NOTICE_UNKNOWN : level_of(belief),
		.was_never_up = never_up,
		.since_unix_s = belief->since_unix_s,
		.reason = reason_of(belief, belief->state, rows, count),
	};

	if (trouble.level > 0)
		add(list, &trouble);
	if (!never_up)
		return;
	trouble.subject.kind = NOTICE_NEVER_UP;
	trouble.level = is_taken_out(input, id) ? NOTICE_UNKNOWN : 1;
	trouble.was_never_up = false;
	trouble.reason = reason_of(belief, belief->seen, rows, count);
	/* long enough that it had twice the checks that would make it down */
	trouble.delay_ms =
		member->evidence_ms < UINT32_MAX / 2 ? member->evidence_ms * 2 : UINT32_MAX;
	add(list, &trouble);
}

/* Most are: of these no row need be looked for, each second. */
static bool is_well(const struct trouble_input *input, uint32_t member, const struct belief *belief)
{
	return belief->state == VERDICT_UP && belief->seen == VERDICT_UP &&
		!is_taken_out(input, member);
}

static void find_of_members(const struct trouble_input *input, struct trouble_list *list)
{
	for (uint32_t id = 0; id < input->rules->member_count; id++) {
		size_t count;
		const struct belief *rows = belief_table_find(input->beliefs, id, &count);

		for (size_t i = 0; input->rules->members[id].condition && i < count; i++)
			if (!is_well(input, id, &rows[i]))
				find_of_address(input, id, i, list);
	}
}

/* ---- pools ---- */

static void find_of_pools(
	const struct trouble_input *input, struct arena *arena, struct trouble_list *list)
{
	for (size_t i = 0; i < input->rules->pool_count; i++) {
		const struct guard_pool_state *state = &input->pools[i];
		bool is_lost = state->state == BELIEF_POOL_LOST;
		struct text reason = {0};

		if (state->state == BELIEF_POOL_SOUND)
			continue;
		if (is_lost)
			text_add(&reason, "nothing usable is left");
		else
			text_print(&reason, "%u %% of its capacity is left", state->percent);
		text_print(&reason, "; %s", input->last_resorts[i]);
		add(list,
			&(struct notice_trouble){.subject = {.kind = NOTICE_POOL,
							 .pool = input->rules->pools[i].name},
				.level = is_lost ? 2 : 1,
				.since_unix_s = state->since_unix_s,
				.reason = keep(arena, &reason)});
	}
}

/* ---- certificates ---- */

static bool ends_soon(const struct trouble_input *input, const struct verdict *row)
{
	uint32_t monitor = input->targets->targets[row->target].monitor;

	return monitor != TARGET_NONE && row->certificate_until_unix_s > 0 &&
		input->warn_days[monitor] > 0 &&
		row->certificate_until_unix_s <
		input->now_unix_s + (uint64_t)input->warn_days[monitor] * DAY_S;
}

static void add_certificate(const struct trouble_input *input, const struct verdict *row,
	struct arena *arena, struct trouble_list *list)
{
	uint32_t monitor = input->targets->targets[row->target].monitor;
	bool is_over = row->certificate_until_unix_s <= input->now_unix_s;
	uint64_t apart_s = is_over ? input->now_unix_s - row->certificate_until_unix_s
				   : row->certificate_until_unix_s - input->now_unix_s;
	char address[ADDRESS_TEXT_SIZE];
	char until[TEXT_TIME_SIZE];
	struct text reason = {0};

	address_print(&row->address, address);
	text_time(row->certificate_until_unix_s, until);
	text_print(&reason, "the certificate of %s, '%s' by '%s', %s on %.10s, ", address,
		row->certificate, row->issuer, is_over ? "ended" : "ends", until);
	text_print(&reason, is_over ? "%u days ago" : "in %u days", (unsigned)(apart_s / DAY_S));
	add(list,
		&(struct notice_trouble){.subject = {.kind = NOTICE_CERTIFICATE,
						 .monitor = input->monitors[monitor]},
			.level = 1,
			.since_unix_s = row->certificate_until_unix_s -
				(uint64_t)input->warn_days[monitor] * DAY_S,
			.reason = keep(arena, &reason)});
}

/* Of each monitor the first to end; monitors are few. */
static void find_of_certificates(
	const struct trouble_input *input, struct arena *arena, struct trouble_list *list)
{
	uint32_t count = 0;

	for (size_t i = 0; i < input->targets->count; i++)
		if (input->targets->targets[i].monitor != TARGET_NONE &&
			input->targets->targets[i].monitor >= count)
			count = input->targets->targets[i].monitor + 1;

	const struct verdict **first = ARENA_ARRAY(arena, const struct verdict *, count);

	for (size_t i = 0; i < input->verdicts->count; i++) {
		const struct verdict *row = &input->verdicts->rows[i];

		if (!ends_soon(input, row))
			continue;

		const struct verdict **at = &first[input->targets->targets[row->target].monitor];

		if (!*at || row->certificate_until_unix_s < (*at)->certificate_until_unix_s)
			*at = row;
	}
	for (uint32_t i = 0; i < count; i++)
		if (first[i])
			add_certificate(input, first[i], arena, list);
}

/* ---- ourselves ---- */

static void find_of_observer(
	const struct trouble_input *input, struct arena *arena, struct trouble_list *list)
{
	const struct guard_observer *observer = input->observer;
	struct text reason = {0};

	if (!observer->is_suspect)
		return;
	if (observer->are_canaries_down)
		text_add(&reason, "the canaries are down");
	else
		text_print(&reason,
			"%u of %u checked targets fail, those that began together in %u networks",
			observer->failing, observer->checked, observer->networks);
	text_add(&reason, "; nothing goes down until that is confirmed");
	add(list,
		&(struct notice_trouble){.subject = {.kind = NOTICE_OBSERVER},
			.level = 1,
			.since_unix_s = observer->since_unix_s,
			.reason = keep(arena, &reason)});
}

void trouble_find(
	const struct trouble_input *input, struct arena *arena, struct trouble_list *ret_list)
{
	ret_list->count = 0;
	find_of_members(input, ret_list);
	find_of_pools(input, arena, ret_list);
	find_of_certificates(input, arena, ret_list);
	find_of_observer(input, arena, ret_list);
	if (input->prober_why)
		add(ret_list,
			&(struct notice_trouble){.subject = {.kind = NOTICE_PROBER},
				.level = 1,
				.since_unix_s = input->prober_since_unix_s,
				.reason = input->prober_why});
}
