/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <assert.h>
#include <stdlib.h>

#include "steerd/base/memory.h"

#define LINE_SIZE 64 /* of the cache */
#define LINES_MIN 2  /* so that `shift` is less than the 64 bits of a hash */

#define SECOND_NS UINT64_C(1000000000)
/* What no sum of times comes near: nothing is limited. */
#define NEVER_NS (UINT64_C(1) << 62)

static_assert(sizeof(struct limit_place) * LIMIT_LINE == LINE_SIZE, "a query touches one line");

struct limit_rules limit_rules_of(const struct settings *settings, size_t thread_count)
{
	struct limit_rules rules = {
		.burst_ns = NEVER_NS,
		.masks = network_masks_of(settings->limit_ipv4_bits, settings->limit_ipv6_bits),
		.slip = settings->limit_slip,
		.is_dry_run = settings->limit_is_dry_run,
		.exempt = settings->limit_exempt,
		.exempt_count = settings->limit_exempt_count,
	};
	uint64_t rate = settings->limit_responses;

	if (rate == 0)
		return rules;
	/* Rounded so that all threads together never grant more than is set. */
	rules.reply_ns = (SECOND_NS * thread_count + rate - 1) / rate;
	rules.burst_ns = settings->limit_burst / thread_count * rules.reply_ns;
	if (rules.burst_ns == 0) /* a bucket that holds nothing would grant nothing, ever */
		rules.burst_ns = rules.reply_ns;
	return rules;
}

static size_t count_lines(size_t place_count)
{
	size_t lines = LINES_MIN;

	while (lines * LIMIT_LINE < place_count)
		lines *= 2;
	return lines;
}

void limit_init(struct limit *limit, size_t place_count, struct random *random)
{
	size_t lines = count_lines(place_count);

	*limit = (struct limit){
		.key = network_key_of(random),
		.shift = 64,
		/* Aligned by hand: what memory_new() gives costs no page until it is written to. */
		.memory = memory_new(lines * LINE_SIZE + LINE_SIZE),
	};
	for (size_t left = lines; left > 1; left /= 2)
		limit->shift--;
	limit->places = (struct limit_place *)(((uintptr_t)limit->memory + LINE_SIZE - 1) /
		LINE_SIZE * LINE_SIZE);
}

void limit_done(struct limit *limit)
{
	free(limit->memory);
}

struct limit_place *limit_search(struct limit_place *line, uint64_t network)
{
	struct limit_place *fullest = line;

	for (struct limit_place *place = line; place < line + LIMIT_LINE; place++) {
		if (place->network == network)
			return place;
		if (place->full_at_ns < fullest->full_at_ns)
			fullest = place;
	}
	/* One that was never taken looks like that of network 0, and is full. */
	*fullest = (struct limit_place){.network = network};
	return fullest;
}

static bool is_exempt(const struct limit_rules *rules, const struct address *address)
{
	for (size_t i = 0; i < rules->exempt_count; i++)
		if (prefix_contains(&rules->exempt[i], address))
			return true;
	return false;
}

enum limit_outcome limit_judge(const struct limit *limit, struct limit_place *place,
	const struct address *address, uint32_t random)
{
	uint64_t empty_ns = limit->now_ns + limit->rules.burst_ns;

	/* Emptier than empty it becomes only by other rules, or a clock that was set back: nobody
	 * waits for longer than an empty bucket takes. */
	if (place->full_at_ns > empty_ns)
		place->full_at_ns = empty_ns;
	if (is_exempt(&limit->rules, address))
		return LIMIT_GRANT;
	if (limit->rules.slip == 0)
		return LIMIT_DROP;
	return (uint64_t)random * limit->rules.slip >> 32 == 0 ? LIMIT_SLIP : LIMIT_DROP;
}
