/* SPDX-License-Identifier: Apache-2.0 */
#include "reasons.h"

#include "sample.h"
#include "steerd/base/memory.h"

static const struct {
	const char *text;
	bool is_kept;
} reasons[] = {
	[STEER_KEPT] = {"kept", true},
	[STEER_HELD_OBSERVER] = {"kept: its checks fail, but so much failed at once that the "
				 "fault may be ours",
		true},
	[STEER_HELD_LOSS] = {"kept: its checks fail, but its pool lost as much as health may take "
			     "in a minute",
		true},
	[STEER_HELD_EVIDENCE] = {"kept: its checks fail, but it is one of the last of its pool, "
				 "and more failures are needed",
		true},
	[STEER_DEGRADED] = {"kept: it is degraded", true},
	[STEER_RAMP] = {"kept: it came back, and its share grows", true},
	[STEER_WITHOUT] = {"kept: it serves without what its pool needs", true},
	[STEER_PANIC] = {"kept: too little of its pool is left, so it is answered whatever its "
			 "checks say",
		true},
	[STEER_LAST_USABLE] = {"kept: everything is down, and it was among the last that were not",
		true},
	[STEER_LAST_RESORT] = {"kept: everything is down, so it is answered as if it were up",
		true},
	[STEER_LESS_NEAR] = {"nearer ones are enough", false},
	[STEER_LOWER_PRIORITY] = {"an earlier member of its pool is usable", false},
	[STEER_ZERO_WEIGHT] = {"its weight is 0 and others are usable", false},
	[STEER_TWICE] = {"another member has the same address", false},
	[STEER_POOL_FAILED] = {"too little of its pool is left, and others are used instead",
		false},
	[STEER_NOT_LAST] = {"it was not usable when its pool last was sound", false},
	[STEER_HEALTH_DOWN] = {"its checks fail", false},
	[STEER_WAITS_DELAY] =
		{"it was down, and its failback delay is not over, or no check passed since",
			false},
	[STEER_WAITS_RETURN] = {"its checks pass, but it waits for its return", false},
	[STEER_NEEDS_LOST] = {"what its pool needs is lost", false},
	[STEER_DRAINED] = {"drained", false},
	[STEER_FORCED_DOWN] = {"forced down", false},
	[STEER_REPLACED] = {"everything is down, and the zone's own records are answered", false},
	[STEER_OTHER_FAMILY] = {"has no address of this family", false},
	[STEER_UNRESOLVED] = {"its host name has not been resolved yet", false},
};

const char *steer_reason_text(enum steer_reason reason)
{
	return reasons[reason].text;
}

bool steer_reason_is_kept(enum steer_reason reason)
{
	return reasons[reason].is_kept;
}

/* ---- The tree ------------------------------------------------------------------------------------ */

struct tracer {
	const struct reasons_question *question;
	struct steer_trace *trace;
};

/* What is handed down while the tree is described. */
struct descent {
	struct walk walk; /* of the first level, in which most is usable */
	const struct steer_pool
		*settled; /* the root, or the fenced pool that settled for less since */
	enum override_kind override;
	enum steer_reason unused; /* why nothing below is used; STEER_KEPT: it is used */
	uint16_t site;
};

static double share_of(const struct spread *spread, const struct steer_member *member,
	const struct address *address)
{
	uint64_t begin = 0;
	uint64_t held = 0;

	for (size_t i = 0; i < spread->count; i++) {
		const struct piece *piece = &spread->pieces[i];

		for (size_t k = 0; k < piece->count; k++)
			if (piece->picks[k].member == member &&
				address_is_equal(piece->picks[k].address, address))
				held += piece->below - begin;
		begin = piece->below;
	}
	return (double)held / (double)SAMPLE_WHOLE;
}

static bool is_used(const struct spread *spread, const struct steer_member *member)
{
	if (member->pool) {
		for (size_t i = 0; i < member->pool->member_count; i++)
			if (is_used(spread, &member->pool->members[i]))
				return true;
		return false;
	}
	for (size_t i = 0; i < spread->count; i++)
		for (size_t k = 0; k < spread->pieces[i].count; k++)
			if (spread->pieces[i].picks[k].member == member)
				return true;
	return false;
}

/* Why a usable member contributes nothing. */
static enum steer_reason why_unused(const struct walk *walk, const struct steer_pool *pool,
	const struct steer_member *member, enum override_kind above)
{
	if (member->pool && walk_is_failed(walk, member->pool, walk_override(walk, member, above)))
		return STEER_POOL_FAILED;
	if (!walk_has_weight(walk, pool, member, above))
		return STEER_ZERO_WEIGHT;
	switch (pool->method) {
	case STEER_NEAREST:
		return STEER_LESS_NEAR;
	case STEER_FAILOVER:
		return STEER_LOWER_PRIORITY;
	case STEER_WEIGHTED:
	case STEER_ALL:
		break;
	}
	return STEER_TWICE;
}

/* Of a row that is up, and answered. */
static enum steer_reason why_kept(const struct descent *descent, const struct belief *row)
{
	if (descent->override != OVERRIDE_NONE)
		return STEER_KEPT;
	switch ((enum belief_why)row->why) {
	case BELIEF_OBSERVER:
		return STEER_HELD_OBSERVER;
	case BELIEF_LOSS:
		return STEER_HELD_LOSS;
	case BELIEF_EVIDENCE:
		return STEER_HELD_EVIDENCE;
	case BELIEF_RAMP:
		return STEER_RAMP;
	case BELIEF_WITHOUT:
		return STEER_WITHOUT;
	case BELIEF_SEEN:
	case BELIEF_FAILBACK:
	case BELIEF_RETURN:
		break;
	}
	return row->state == VERDICT_DEGRADED ? STEER_DEGRADED : STEER_KEPT;
}

/* Of one that is down, or was taken out, and is answered all the same. */
static enum steer_reason why_still_kept(const struct descent *descent)
{
	const struct walk *walk = &descent->walk;
	bool is_panic = walk->world->pools[descent->settled->id].state == BELIEF_POOL_PANIC;

	if (walk->trust == TRUST_LAST_GOOD)
		return STEER_LAST_USABLE;
	return walk->trust == TRUST_OVERRIDES && is_panic ? STEER_PANIC : STEER_LAST_RESORT;
}

static enum steer_reason why_down(const struct belief *row)
{
	switch ((enum belief_why)row->why) {
	case BELIEF_FAILBACK:
		return STEER_WAITS_DELAY;
	case BELIEF_RETURN:
		return STEER_WAITS_RETURN;
	case BELIEF_WITHOUT:
		return STEER_NEEDS_LOST;
	case BELIEF_SEEN:
	case BELIEF_OBSERVER:
	case BELIEF_LOSS:
	case BELIEF_EVIDENCE:
	case BELIEF_RAMP:
		break;
	}
	return STEER_HEALTH_DOWN;
}

static enum steer_reason address_reason(const struct tracer *tracer, const struct descent *descent,
	const struct belief *row, double share)
{
	enum trust trust = descent->walk.trust;
	bool is_forced = descent->override == OVERRIDE_UP;
	bool is_out = descent->override != OVERRIDE_NONE && !is_forced;
	bool is_down = is_out || (row->share == 0 && !is_forced);

	if (tracer->question->kind == STEER_STATIC)
		return STEER_REPLACED;
	if (share > 0)
		return is_down ? why_still_kept(descent) : why_kept(descent, row);
	if (is_out)
		return descent->override == OVERRIDE_DRAIN ? STEER_DRAINED : STEER_FORCED_DOWN;
	if (is_down && (trust == TRUST_BELIEFS || (trust == TRUST_LAST_GOOD && !row->is_last_good)))
		return why_down(row);
	if (trust == TRUST_LAST_GOOD && !row->is_last_good && !is_forced)
		return STEER_NOT_LAST;
	return descent->unused != STEER_KEPT ? descent->unused : STEER_TWICE;
}

static void trace_add(struct steer_trace *trace, const struct steer_candidate *candidate)
{
	trace->items = MEMORY_GROW(trace->items, trace->count, &trace->capacity);
	trace->items[trace->count++] = *candidate;
}

static void describe_endpoint(const struct tracer *tracer, const struct steer_pool *pool,
	const struct steer_member *endpoint, const struct descent *descent)
{
	size_t count;
	const struct belief *rows = walk_rows(&descent->walk, endpoint, &count);
	struct steer_candidate candidate = {
		.pool = pool, .member = endpoint, .site = descent->site};
	bool has_any = false;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].address.family != descent->walk.family)
			continue;
		has_any = true;
		candidate.belief = &rows[i];
		candidate.address = rows[i].address;
		candidate.share = share_of(tracer->question->spread, endpoint, &rows[i].address);
		candidate.reason = address_reason(tracer, descent, &rows[i], candidate.share);
		trace_add(tracer->trace, &candidate);
	}
	if (has_any)
		return;
	candidate.reason = count == 0 ? STEER_UNRESOLVED : STEER_OTHER_FAMILY;
	trace_add(tracer->trace, &candidate);
}

static void describe_pool(
	const struct tracer *tracer, const struct steer_pool *pool, const struct descent *above)
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];
		struct descent descent = *above;

		descent.override = walk_override(&above->walk, member, above->override);
		if (member->site != STEER_NO_SITE)
			descent.site = member->site;
		if (descent.unused == STEER_KEPT && !is_used(tracer->question->spread, member))
			descent.unused = why_unused(&above->walk, pool, member, above->override);
		if (!member->pool) {
			describe_endpoint(tracer, pool, member, &descent);
			continue;
		}
		descent.walk = walk_enter(&above->walk, member->pool, descent.override);
		if (descent.walk.trust != above->walk.trust)
			descent.settled = member->pool;
		describe_pool(tracer, member->pool, &descent);
	}
}

void reasons_trace(const struct reasons_question *question, struct steer_trace *trace)
{
	const struct tracer tracer = {question, trace};
	const struct descent top = {
		.walk = *question->walk,
		.settled = question->root,
		.unused = STEER_KEPT,
		.site = STEER_NO_SITE,
	};

	describe_pool(&tracer, question->root, &top);
}
