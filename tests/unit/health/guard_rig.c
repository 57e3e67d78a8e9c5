/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNIX_OF_START 1700000000

void rig_init(struct rig *rig)
{
	*rig = (struct rig){
		.guard = guard_new(),
		.rules = {.canaries = GUARD_NONE, .suspect_percent = 100, .suspect_networks = 1},
	};
	rig->rules.pools = rig->pools;
	rig->rules.members = rig->members;
	rig->table.rows = rig->rows;
}

void rig_done(struct rig *rig)
{
	guard_free(rig->guard);
}

uint32_t rig_pool(struct rig *rig)
{
	uint32_t id = (uint32_t)rig->rules.pool_count++;

	assert_true(id < RIG_POOLS);
	snprintf(rig->names[id], sizeof(rig->names[id]), "pool%u", id);
	rig->pools[id] = (struct guard_pool){
		.name = rig->names[id],
		.members = rig->pool_members[id],
		.loss_percent = 100,
		.degraded_share = BELIEF_WHOLE / 2,
		.needs = GUARD_NONE,
	};
	return id;
}

static uint32_t add_member(struct rig *rig, uint32_t pool)
{
	uint32_t id = (uint32_t)rig->rules.member_count++;

	assert_true(id < RIG_MEMBERS);
	snprintf(rig->keys[id], sizeof(rig->keys[id]), "pool%u/m%u", pool, id);
	rig->members[id] = (struct guard_member){
		.key = rig->keys[id],
		.pool = pool,
		.child = GUARD_NONE,
	};
	rig->pool_members[pool][rig->pools[pool].member_count++] = id;
	return id;
}

uint32_t rig_endpoint(struct rig *rig, uint32_t pool, size_t address_count, size_t ipv6_from)
{
	uint32_t id = add_member(rig, pool);
	size_t first = rig->target_count;

	assert_true(first + address_count <= RIG_TARGETS);
	for (size_t i = first; i < first + address_count; i++) {
		char text[ADDRESS_TEXT_SIZE];

		snprintf(text, sizeof(text), i - first < ipv6_from ? "10.%zu.0.1" : "fd00:%zu::1",
			i + 1);
		assert_true(address_parse(text, &rig->addresses[i]));
		rig->targets[i] = (target_id)i;
		rig->rows[i] =
			(struct verdict){.target = (target_id)i, .address = rig->addresses[i]};
	}
	rig->target_count += address_count;
	rig->table.count = rig->target_count;
	rig->conditions[id] = (struct guard_condition){.targets = &rig->targets[first]};
	rig->members[id].addresses = &rig->addresses[first];
	rig->members[id].address_count = address_count;
	rig->members[id].condition = &rig->conditions[id];
	return id;
}

uint32_t rig_child(struct rig *rig, uint32_t pool, uint32_t child)
{
	uint32_t id = add_member(rig, pool);

	rig->members[id].child = child;
	return id;
}

void rig_use(struct rig *rig)
{
	guard_set_rules(rig->guard, &rig->rules);
}

static const char seen_letters[] = {[VERDICT_UNKNOWN] = '?',
	[VERDICT_UP] = 'U',
	[VERDICT_DEGRADED] = 'G',
	[VERDICT_DOWN] = 'D'};

void rig_check(const struct rig *rig, struct verdict *row)
{
	uint64_t now_unix_s = UNIX_OF_START + rig->shown_ms / 1000;

	row->checked_at_unix_s =
		row->checked_at_unix_s < now_unix_s ? now_unix_s : row->checked_at_unix_s + 1;
}

void rig_show(struct rig *rig, const char *seen)
{
	for (size_t i = 0; i < rig->target_count; i++) {
		struct verdict *row = &rig->rows[i];

		for (uint8_t state = 0; *seen && state < sizeof(seen_letters); state++)
			if (seen_letters[state] == seen[i])
				row->state = state;
		if (row->state == VERDICT_UNKNOWN)
			continue;
		rig_check(rig, row);
		row->last_passed = row->state != VERDICT_DOWN;
	}
}

bool rig_step(struct rig *rig, uint64_t now_ms)
{
	const struct guard_input input = {
		.verdicts = &rig->table,
		.overrides = rig->overrides,
		.is_stale = rig->is_stale,
		.now_ms = now_ms,
		.now_unix_s = UNIX_OF_START + now_ms / 1000,
	};

	rig->has_stepped = true;
	rig->now_ms = rig->shown_ms = now_ms;
	return guard_step(rig->guard, &input);
}

static char letter_of(const struct belief *belief)
{
	switch ((enum belief_why)belief->why) {
	case BELIEF_SEEN:
		return seen_letters[belief->state];
	case BELIEF_OBSERVER:
		return 'o';
	case BELIEF_LOSS:
		return 'l';
	case BELIEF_EVIDENCE:
		return 'e';
	case BELIEF_FAILBACK:
		return 'f';
	case BELIEF_RETURN:
		return 'm';
	case BELIEF_RAMP:
		return 'r';
	case BELIEF_WITHOUT:
		return belief->state == VERDICT_DOWN ? 'x' : 'w';
	}
	return '!';
}

void rig_believed(const struct rig *rig, char ret_letters[static RIG_TARGETS + 1])
{
	const struct belief_table *beliefs = guard_beliefs(rig->guard);
	size_t count = beliefs->first[beliefs->member_count];

	for (size_t i = 0; i < count; i++) {
		const struct belief *belief = &beliefs->rows[i];

		ret_letters[i] = letter_of(belief);
		/* what always holds */
		assert_true((belief->share == 0) == (belief->state == VERDICT_DOWN));
		assert_true(belief->share <= BELIEF_WHOLE);
	}
	ret_letters[count] = '\0';
}

static void compare_pools(
	const struct rig *rig, const char *about, const char *step, const char *wanted)
{
	static const char letters[] = {
		[BELIEF_POOL_SOUND] = 'S', [BELIEF_POOL_PANIC] = 'P', [BELIEF_POOL_LOST] = 'L'};
	char got[RIG_POOLS + 1] = "";

	for (size_t i = 0; i < rig->rules.pool_count; i++)
		got[i] = letters[guard_pools(rig->guard)[i].state];
	if (*wanted && strcmp(got, wanted) != 0)
		fail_msg("%s: '%s': pools are %s", about, step, got);
}

/* Up to the time of the next step, what time alone changes is said before. */
static void pass_time(struct rig *rig, const char *about, const char *step, uint64_t until_ms)
{
	uint64_t due_ms = guard_due_at_ms(rig->guard);

	while (due_ms < until_ms) {
		if (due_ms <= rig->now_ms)
			fail_msg("%s: before '%s': due in the past", about, step);
		if (due_ms - 1 > rig->now_ms && rig_step(rig, due_ms - 1))
			fail_msg("%s: before '%s': something changed at %llu, before it was due",
				about, step, (unsigned long long)due_ms - 1);
		rig_step(rig, due_ms);
		due_ms = guard_due_at_ms(rig->guard);
	}
	if (until_ms - 1 > rig->now_ms && rig_step(rig, until_ms - 1))
		fail_msg("%s: before '%s': something changed though nothing was due", about, step);
}

static void play_step(struct rig *rig, const char *about, const char *step)
{
	char seen[RIG_TARGETS + 1] = "";
	char wanted[RIG_TARGETS + 1] = "";
	char pools[RIG_POOLS + 1] = "";
	char got[RIG_TARGETS + 1];
	double at_s;

	if (sscanf(step, "%lf %128s %128s %8s", &at_s, seen, wanted, pools) < 3)
		fail_msg("%s: '%s' is not a step", about, step);

	uint64_t at_ms = (uint64_t)(at_s * 1000);

	if (rig->has_stepped && at_ms > rig->now_ms)
		pass_time(rig, about, step, at_ms);
	rig->shown_ms = at_ms;
	rig_show(rig, strcmp(seen, "=") == 0 ? "" : seen);
	rig_step(rig, at_ms);
	rig_believed(rig, got);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s: '%s': believed is %s", about, step, got);
	compare_pools(rig, about, step, pools);
	if (rig_step(rig, at_ms))
		fail_msg("%s: '%s': the same again is a change", about, step);
}

void rig_play(struct rig *rig, const char *about, const char *script)
{
	char *copy = strdup(script);
	char *rest = NULL;

	for (char *step = strtok_r(copy, ";", &rest); step; step = strtok_r(NULL, ";", &rest))
		play_step(rig, about, step);
	free(copy);
}
