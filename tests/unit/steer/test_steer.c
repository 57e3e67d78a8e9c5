/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/base/text.h"
#include "steerd/steer/steer.h"

/*
 * The pools of these tests.  An endpoint's address is 10.0.0.N, or 2001:db8::N where it is IPv6, and N is how the tables
 * below write it.
 */
#define ADDRESS_COUNT 32
#define MEMBERS_MAX 32
#define POOLS_MAX 16

static struct address ipv4[ADDRESS_COUNT];
static struct address ipv6[ADDRESS_COUNT];

/* An endpoint with the addresses 10.0.0.`n` to 10.0.0.(n + count - 1): its name, "1x4", says so to believe_tree(). */
#define END(member_id, member_site, member_weight, n, count)                                       \
	{                                                                                          \
		.name = #n "x" #count, .id = (member_id), .site = (member_site),                   \
		.weight = (member_weight)                                                          \
	}
#define SUB(member_id, member_site, member_weight, sub)                                            \
	{                                                                                          \
		.name = #sub, .id = (member_id), .site = (member_site), .weight = (member_weight), \
		.pool = &(sub)                                                                     \
	}
#define POOL(pool_id, pool_method, most, list)                                                     \
	{                                                                                          \
		.name = #list, .id = (pool_id), .method = (pool_method), .answers = (most),        \
		.members = (list), .member_count = COUNT_OF(list)                                  \
	}
#define NOWHERE STEER_NO_SITE

static const struct steer_member three_sites[] = {
	END(0, 0, 1, 1, 1), END(1, 1, 1, 2, 1), END(2, 2, 1, 3, 1)};
static const struct steer_pool nearest = POOL(0, STEER_NEAREST, 1, three_sites);
static const struct steer_pool nearest_two = POOL(0, STEER_NEAREST, 2, three_sites);

static const struct steer_member two_at_a_site[] = {
	END(0, 0, 1, 1, 1), END(1, 0, 3, 2, 1), END(2, 1, 1, 3, 1)};
static const struct steer_pool shared_site = POOL(0, STEER_NEAREST, 1, two_at_a_site);
static const struct steer_pool shared_site_three = POOL(0, STEER_NEAREST, 3, two_at_a_site);

static const struct steer_member plain[] = {
	END(0, NOWHERE, 1, 1, 1), END(1, NOWHERE, 1, 2, 1), END(2, NOWHERE, 2, 3, 1)};
static const struct steer_pool weighted = POOL(0, STEER_WEIGHTED, 1, plain);
static const struct steer_pool weighted_two = POOL(0, STEER_WEIGHTED, 2, plain);
static const struct steer_pool failover = POOL(0, STEER_FAILOVER, 1, plain);
static const struct steer_pool all = POOL(0, STEER_ALL, 64, plain);
static const struct steer_pool all_two = POOL(0, STEER_ALL, 2, plain);

static const struct steer_pool fallback = {
	.name = "plain",
	.method = STEER_FAILOVER,
	.when_all_down = STEER_FALLBACK,
	.answers = 1,
	.members = plain,
	.member_count = COUNT_OF(plain),
};

static const struct steer_pool last_good = {
	.name = "plain",
	.method = STEER_ALL,
	.when_all_down = STEER_LAST_GOOD,
	.answers = 64,
	.members = plain,
	.member_count = COUNT_OF(plain),
};

/* What is inside the fence, and what is behind it. */
static const struct steer_member fence_list[] = {END(0, 0, 1, 6, 1), END(1, 1, 1, 7, 1)};
static const struct steer_pool fence = {
	.name = "fence",
	.id = 1,
	.method = STEER_ALL,
	.when_all_down = STEER_FENCED,
	.answers = 64,
	.members = fence_list,
	.member_count = COUNT_OF(fence_list),
};
static const struct steer_member behind_list[] = {SUB(2, 0, 1, fence), END(3, 1, 1, 8, 1)};
static const struct steer_pool behind = POOL(0, STEER_FAILOVER, 1, behind_list);
static const struct steer_pool behind_all = POOL(0, STEER_ALL, 64, behind_list);
static const struct steer_pool fenced_nearest = {
	.name = "fence",
	.id = 1,
	.method = STEER_NEAREST,
	.when_all_down = STEER_FENCED,
	.answers = 1,
	.members = fence_list,
	.member_count = COUNT_OF(fence_list),
};
static const struct steer_member behind_near_list[] = {
	SUB(2, 0, 1, fenced_nearest), END(3, 1, 1, 8, 1)};
static const struct steer_pool behind_near = POOL(0, STEER_NEAREST, 1, behind_near_list);

/* A fenced region between two others. */
static const struct steer_member region_list[] = {
	END(0, NOWHERE, 1, 1, 1), END(1, NOWHERE, 1, 2, 1)};
static const struct steer_pool region = {
	.name = "region",
	.id = 1,
	.method = STEER_FAILOVER,
	.when_all_down = STEER_FENCED,
	.answers = 1,
	.members = region_list,
	.member_count = COUNT_OF(region_list),
};
static const struct steer_member regions_list[] = {
	END(2, 0, 1, 3, 1), SUB(3, 1, 1, region), END(4, 2, 1, 4, 1)};
static const struct steer_pool regions = POOL(0, STEER_NEAREST, 1, regions_list);
static const struct steer_pool regions_two = POOL(0, STEER_NEAREST, 2, regions_list);

static const struct steer_member with_zero[] = {
	END(0, NOWHERE, 0, 1, 1), END(1, NOWHERE, 1, 2, 1), END(2, NOWHERE, 0, 3, 1)};
static const struct steer_pool zero_weight = POOL(0, STEER_WEIGHTED, 1, with_zero);

static const struct steer_member many_addresses[] = {
	END(0, NOWHERE, 1, 1, 4), END(1, NOWHERE, 1, 5, 1)};
static const struct steer_pool failover_many = POOL(0, STEER_FAILOVER, 1, many_addresses);
static const struct steer_pool failover_many_two = POOL(0, STEER_FAILOVER, 2, many_addresses);
static const struct steer_pool all_many = POOL(0, STEER_ALL, 5, many_addresses);

/* Nearest over regions, each failing over from weighted CDN edges to an origin. */
static const struct steer_member eu_cdn_list[] = {
	END(10, NOWHERE, 1, 1, 1), END(11, NOWHERE, 3, 2, 1)};
static const struct steer_pool eu_cdn = POOL(1, STEER_WEIGHTED, 1, eu_cdn_list);
static const struct steer_member eu_list[] = {
	SUB(12, NOWHERE, 1, eu_cdn), END(13, NOWHERE, 1, 3, 1)};
static const struct steer_pool eu = POOL(2, STEER_FAILOVER, 1, eu_list);
static const struct steer_member us_list[] = {END(14, NOWHERE, 1, 4, 1), END(15, NOWHERE, 1, 5, 1)};
static const struct steer_pool us = POOL(3, STEER_FAILOVER, 1, us_list);
static const struct steer_member world_list[] = {SUB(16, 0, 1, eu), SUB(17, 1, 1, us)};
static const struct steer_pool world_pool = POOL(0, STEER_NEAREST, 1, world_list);
static const struct steer_pool world_two = POOL(0, STEER_NEAREST, 2, world_list);

/* The same address below two members. */
static const struct steer_member twice_a[] = {END(0, NOWHERE, 1, 1, 1)};
static const struct steer_pool twice_a_pool = POOL(1, STEER_ALL, 64, twice_a);
static const struct steer_member twice_b[] = {END(1, NOWHERE, 1, 1, 2)};
static const struct steer_pool twice_b_pool = POOL(2, STEER_ALL, 64, twice_b);
static const struct steer_member twice_list[] = {
	SUB(2, NOWHERE, 1, twice_a_pool), SUB(3, NOWHERE, 1, twice_b_pool)};
static const struct steer_pool twice = POOL(0, STEER_ALL, 64, twice_list);

static const uint16_t sites[] = {0, 1, 2};

static void fill_addresses(void)
{
	for (uint8_t i = 0; i < ADDRESS_COUNT; i++) {
		ipv4[i] = (struct address){ADDRESS_IPV4, {10, 0, 0, i}};
		ipv6[i] = (struct address){ADDRESS_IPV6, {0x20, 0x01, 0x0d, 0xb8, [15] = i}};
	}
}

/* ---- What is believed ------------------------------------------------------------------------------ */

struct scene {
	uint32_t first[MEMBERS_MAX + 1];
	struct belief rows[MEMBERS_MAX * 4];
	struct belief_table table;
	struct guard_pool_state pools[POOLS_MAX];
	uint8_t overrides[MEMBERS_MAX];
	struct steer_world world;
};

static void scene_begin(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->table = (struct belief_table){MEMBERS_MAX, scene->first, scene->rows};
	scene->world = (struct steer_world){&scene->table, scene->pools, scene->overrides};
}

/* Rows are added in the order of members' ids. */
static struct belief *add_row(struct scene *scene, uint32_t member, const struct address *address)
{
	struct belief *row = &scene->rows[scene->first[MEMBERS_MAX]];

	*row = (struct belief){.address = *address, .state = VERDICT_UP, .share = BELIEF_WHOLE};
	for (uint32_t i = member + 1; i <= MEMBERS_MAX; i++)
		scene->first[i]++;
	return row;
}

static const struct steer_member *find_member(const struct steer_pool *pool, uint32_t id)
{
	const struct steer_member *found = NULL;

	for (size_t i = 0; i < pool->member_count && !found; i++) {
		if (pool->members[i].id == id)
			return &pool->members[i];
		if (pool->members[i].pool)
			found = find_member(pool->members[i].pool, id);
	}
	return found;
}

static struct belief *find_row(struct scene *scene, unsigned long n)
{
	for (uint32_t i = 0; i < scene->first[MEMBERS_MAX]; i++)
		if (scene->rows[i].address.bytes[address_size(&scene->rows[i].address) - 1] == n)
			return &scene->rows[i];
	fail_msg("no address %lu", n);
	return NULL;
}

static const struct steer_pool *find_pool(
	const struct steer_pool *pool, const char *name, size_t size)
{
	const struct steer_pool *found = NULL;

	if (strlen(pool->name) == size && memcmp(pool->name, name, size) == 0)
		return pool;
	for (size_t i = 0; i < pool->member_count && !found; i++)
		if (pool->members[i].pool)
			found = find_pool(pool->members[i].pool, name, size);
	return found;
}

static void believe_pool(struct scene *scene, const struct steer_pool *root, const char *word)
{
	size_t size = strcspn(word, "=");
	const struct steer_pool *pool = find_pool(root, word, size);

	assert_non_null(pool);
	scene->pools[pool->id].state = word[size + 1] == 'p' ? BELIEF_POOL_PANIC : BELIEF_POOL_LOST;
}

static void believe_row(struct scene *scene, const char *word)
{
	char *end;
	struct belief *row = find_row(scene, strtoul(word, &end, 10));

	row->share = 0;
	if (*end == '/')
		row->share = (uint8_t)strtoul(end + 1, &end, 10);
	row->state = row->share == 0 ? VERDICT_DOWN : VERDICT_UP;
	row->is_last_good = *end == '!';
	end += *end == '!';
	if (end[0] == ':' && end[1] == 'd')
		row->state = VERDICT_DEGRADED;
	else if (*end == ':')
		row->why = (uint8_t)(end[1] - 'A');
}

/*
 * All of the tree up, but for `beliefs`: "1" is down; "2/16" has that share; "3!" is down, and was usable when its pool last
 * was sound; "NAME=p" is a pool in panic, "NAME=l" a lost one.  ":d" behind a row is that it is degraded, and ":A", ":B" and
 * so on are reasons, in the order of enum belief_why.
 */
static void believe_tree(struct scene *scene, const struct steer_pool *root, const char *beliefs)
{
	scene_begin(scene);
	for (uint32_t id = 0; id < MEMBERS_MAX; id++) {
		const struct steer_member *member = find_member(root, id);
		unsigned n;
		unsigned count;

		if (!member || member->pool || sscanf(member->name, "%ux%u", &n, &count) != 2)
			continue;
		for (unsigned i = 0; i < count; i++)
			add_row(scene, id, &ipv4[n + i]);
	}
	for (; *beliefs; beliefs += strcspn(beliefs, " "), beliefs += *beliefs == ' ')
		if (strchr("0123456789", *beliefs))
			believe_row(scene, beliefs);
		else
			believe_pool(scene, root, beliefs);
}

/* "1,2:25% 3:75%": each list and its share, in the order of the steps. */
static void print_choice(const struct steer_choice *choice, struct text *ret_text)
{
	static const char *const kinds[] = {
		[STEER_ADDRESSES] = "", [STEER_STATIC] = "static ", [STEER_NODATA] = "nodata "};
	double begin = 0;

	text_add(ret_text, kinds[choice->kind]);
	for (size_t i = 0; i < choice->step_count; i++) {
		const struct steer_step *step = &choice->steps[i];
		double below = i + 1 < choice->step_count ? step->below / 4294967296.0 : 1;

		for (unsigned k = 0; k < step->count; k++)
			text_print(ret_text, k > 0 ? ",%u" : "%u",
				choice->addresses[(step->first + k + 1u) * choice->address_size -
					1]);
		text_print(ret_text, ":%.3g%% ", (below - begin) * 100);
		begin = below;
	}
	if (ret_text->size > 0)
		ret_text->bytes[--ret_text->size] = '\0';
}

static const struct {
	const char *about;
	const struct steer_pool *root;
	uint8_t order[3];
	const char *beliefs;
	const char *overrides; /* "ID=d" drained, "ID=x" forced down, "ID=u" forced up */
	const char *want;
} cases[] = {
	{"nearest takes the nearest", &nearest, {1, 0, 2}, "", "", "2:100%"},
	{"nearest passes over what is down", &nearest, {1, 0, 2}, "2", "", "1:100%"},
	{"nearest passes over two", &nearest, {1, 0, 2}, "1 2", "", "3:100%"},
	{"nearest passes over what is drained", &nearest, {1, 0, 2}, "", "1=d", "1:100%"},
	{"forced up beats the checks", &nearest, {1, 0, 2}, "2", "1=u", "2:100%"},
	{"all down: as if all were up", &nearest, {1, 0, 2}, "1 2 3", "", "2:100%"},
	{"all down, but what is drained stays out", &nearest, {1, 0, 2}, "1 2 3", "1=d", "1:100%"},
	{"all drained: as if none were", &nearest, {1, 0, 2}, "", "0=d 1=d 2=d", "2:100%"},
	{"all forced down: still an answer", &nearest, {2, 0, 1}, "1", "0=x 1=x 2=x", "3:100%"},
	{"two answers: the two nearest, nearest first", &nearest_two, {2, 0, 1}, "", "",
		"3,1:100%"},
	{"two answers with one down", &nearest_two, {2, 0, 1}, "1", "", "3,2:100%"},
	{"two answers with one left", &nearest_two, {2, 0, 1}, "1 2", "", "3:100%"},
	{"a site's members share by weight", &shared_site, {0, 1, 2}, "", "", "1:25% 2:75%"},
	{"one of a site left", &shared_site, {0, 1, 2}, "2", "", "1:100%"},
	{"the whole site down", &shared_site, {0, 1, 2}, "1 2", "", "3:100%"},
	{"the site first, then the next", &shared_site_three, {0, 1, 2}, "", "", "1,2,3:100%"},
	{"by weight", &weighted, {0}, "", "", "1:25% 2:25% 3:50%"},
	{"by weight of what is up", &weighted, {0}, "3", "", "1:50% 2:50%"},
	{"two by weight: half of 4 is always in", &weighted_two, {0}, "", "", "1,3:50% 2,3:50%"},
	{"two by weight of two", &weighted_two, {0}, "1", "", "2,3:100%"},
	{"weight 0 is never chosen", &zero_weight, {0}, "", "", "2:100%"},
	{"but as a last resort, evenly", &zero_weight, {0}, "2", "", "1:50% 3:50%"},
	{"failover takes the first", &failover, {0}, "", "", "1:100%"},
	{"then the second", &failover, {0}, "1", "", "2:100%"},
	{"then the third", &failover, {0}, "1 2", "", "3:100%"},
	{"failover with all down: the first", &failover, {0}, "1 2 3", "", "1:100%"},
	{"one of an endpoint's addresses, evenly", &failover_many, {0}, "2", "",
		"1:33.3% 3:33.3% 4:33.3%"},
	{"two of an endpoint's addresses, evenly", &failover_many_two, {0}, "", "",
		"1,3:50% 2,4:50%"},
	{"failover never fills from the next member", &failover_many_two, {0}, "1 2 3", "",
		"4:100%"},
	{"all", &all, {0}, "", "", "1,2,3:100%"},
	{"all that are up", &all, {0}, "2", "", "1,3:100%"},
	{"all, but two at most", &all_two, {0}, "", "", "1,3:50% 2,3:50%"},
	{"all fills what one member leaves open", &all_many, {0}, "", "",
		"1,2,3,5,4:25% 1,2,4,5,3:25% 1,3,4,5,2:25% 2,3,4,5,1:25%"},
	{"nested: shares of the inner pool", &world_pool, {0, 1, 2}, "", "", "1:25% 2:75%"},
	{"nested: the origin when both edges are down", &world_pool, {0, 1, 2}, "1 2", "",
		"3:100%"},
	{"nested: the next region when all of one is down", &world_pool, {0, 1, 2}, "1 2 3", "",
		"4:100%"},
	{"nested: everything down", &world_pool, {0, 1, 2}, "1 2 3 4 5", "", "1:25% 2:75%"},
	{"nested: a drained region", &world_pool, {0, 1, 2}, "", "16=d", "4:100%"},
	{"nested: forced up inside a drained region", &world_pool, {0, 1, 2}, "", "16=d 13=u",
		"3:100%"},
	{"nested: two regions", &world_two, {0, 1, 2}, "", "", "1,4:25% 2,4:75%"},
	{"an address that is there twice is answered once", &twice, {0}, "", "", "1,2:100%"},
	{"fallback has addresses too", &fallback, {0}, "1 2 3", "", "static 1:100%"},

	/* shares */
	{"failover: a share, and the rest to the next", &failover, {0}, "1/16", "", "1:25% 2:75%"},
	{"two shares", &failover, {0}, "1/16 2/32", "", "1:25% 2:25% 3:50%"},
	{"a share below that of the one before", &failover, {0}, "1/32 2/16", "", "1:50% 3:50%"},
	{"the smallest", &failover, {0}, "1/1", "", "1:1.56% 2:98.4%"},
	{"nearest", &nearest, {1, 0, 2}, "2/16", "", "2:25% 1:75%"},
	{"nearest, two answers", &nearest_two, {1, 0, 2}, "2/16", "", "2,1:25% 1,3:75%"},
	{"weighted: of its usual share", &weighted, {0}, "1/32", "",
		"1:12.5% 2:12.5% 3:25% 2:16.7% 3:33.3%"},
	{"all", &all, {0}, "2/16", "", "1,2,3:25% 1,3:75%"},
	{"weight 0 stands in", &zero_weight, {0}, "2/32", "", "2:50% 1:25% 3:25%"},
	{"of an endpoint's addresses", &failover_many, {0}, "1/32", "",
		"1:12.5% 2:12.5% 3:12.5% 4:12.5% 2:16.7% 3:16.7% 4:16.7%"},
	{"nothing else: as if it were whole", &failover, {0}, "1 2/16 3", "", "2:100%"},
	{"nothing but shares: where none is left, as if they were whole", &failover, {0},
		"1/16 2/16 3/16", "", "1:100%"},
	{"nothing but shares, by weight", &weighted, {0}, "1/16 2/32 3/16", "",
		"1:6.25% 2:6.25% 3:12.5% 2:25% 1:12.5% 2:12.5% 3:25%"},
	{"forced up is whole", &failover, {0}, "1/16", "0=u", "1:100%"},
	{"drained is drained", &failover, {0}, "1/16", "0=d", "2:100%"},
	{"one that is not used cuts nothing", &failover, {0}, "2/16", "", "1:100%"},
	{"nested: the pool has what its members have", &world_pool, {0, 1, 2}, "1/32 2/32", "",
		"1:12.5% 2:37.5% 3:50%"},
	{"nested: a region", &world_pool, {0, 1, 2}, "1/32 2/32 3/32", "", "1:12.5% 2:37.5% 4:50%"},

	/* pools that count as failed */
	{"a pool in panic is passed over", &world_pool, {0, 1, 2}, "1 eu_cdn_list=p", "", "3:100%"},
	{"a region in panic", &world_pool, {0, 1, 2}, "1 2 eu_list=p", "", "4:100%"},
	{"forced up beats the panic", &world_pool, {0, 1, 2}, "2 eu_list=p", "16=u", "1:25% 2:75%"},
	{"all in panic", &world_pool, {1, 0, 2}, "1 5 eu_list=p us_list=p world_list=p", "",
		"4:100%"},
	{"all that it holds in panic", &world_pool, {1, 0, 2}, "4 eu_list=p us_list=p", "",
		"4:100%"},
	{"in panic: whatever checks say", &weighted, {0}, "1 2 plain=p", "", "1:25% 2:25% 3:50%"},
	{"in panic: what is drained stays out", &weighted, {0}, "1 2 plain=p", "1=d",
		"1:33.3% 3:66.7%"},
	{"in panic: no shares", &weighted, {0}, "1/16 2 plain=p", "", "1:25% 2:25% 3:50%"},
	{"in panic, with a fallback", &fallback, {0}, "1 plain=p", "", "static 1:100%"},
	{"last good", &last_good, {0}, "1 2! 3!", "", "2,3:100%"},
	{"last good, in panic", &last_good, {0}, "1 2! 3/64! plain=p", "", "2,3:100%"},
	{"in panic, and up, but was not good", &last_good, {0}, "1 2! plain=p", "", "2:100%"},
	{"never good: all", &last_good, {0}, "1 2 3", "", "1,2,3:100%"},
	{"last good, and drained", &last_good, {0}, "1 2! 3!", "1=d", "3:100%"},
	{"last good are all drained: the others", &last_good, {0}, "1 2! 3", "1=d", "1,3:100%"},
	{"last good and all drained", &last_good, {0}, "1 2! 3", "0=d 1=d 2=d", "1,2,3:100%"},

	/* fences */
	{"inside the fence", &behind, {0}, "6", "", "7:100%"},
	{"nothing inside the fence: all of it", &behind, {0}, "6 7", "", "6:50% 7:50%"},
	{"the fence is in panic: all of it", &behind, {0}, "6 fence=p", "", "6:50% 7:50%"},
	{"one that is drained inside stays out", &behind, {0}, "6 7", "0=d", "7:100%"},
	{"all drained inside: still the fence", &behind, {0}, "", "0=d 1=d", "6:50% 7:50%"},
	{"an operator opens it", &behind, {0}, "", "2=d", "8:100%"},
	{"an operator opens it, with nothing inside", &behind, {0}, "6 7 fence=l", "2=x", "8:100%"},
	{"shares inside: none is left over", &behind, {0}, "6/16 7/16", "", "6:50% 7:50%"},
	{"a share beside a whole one", &behind, {0}, "6/16 7", "", "6:100%"},
	{"all, with a fence that is lost", &behind_all, {0}, "6 7 fence=l", "", "6,7,8:100%"},
	{"all, with a fence that holds", &behind_all, {0}, "6", "", "7,8:100%"},
	{"a root with a fence", &fence, {0}, "6 7", "", "6,7:100%"},
	{"a lost root over a fence", &behind, {0}, "6 7 8 fence=l behind_list=l", "",
		"6:50% 7:50%"},
	{"nearest inside the fence, of what is up", &behind_near, {0, 1, 2}, "6", "", "7:100%"},
	{"nearest inside the fence, of what is down", &behind_near, {0, 1, 2}, "6 7 fence=l", "",
		"6:100%"},
	{"a lost fence holds its own", &regions, {1, 0, 2}, "1 2 region=l", "", "1:100%"},
	{"a lost fence holds nobody else", &regions, {0, 1, 2}, "1 2 3 region=l", "", "4:100%"},
	{"a drained region's clients are not its own", &regions, {0, 1, 2}, "1 2 region=l", "2=d",
		"4:100%"},
	{"a fence with something left takes others", &regions, {0, 1, 2}, "1 3", "", "2:100%"},
	{"a fence in panic takes no others", &regions, {0, 1, 2}, "1 3 region=p", "", "4:100%"},
	{"when all are lost a fence is better than none", &regions, {0, 1, 2}, "1 2 3 4 region=l",
		"", "1:100%"},
	{"a second answer is not from a lost fence", &regions_two, {0, 1, 2}, "1 2 region=l", "",
		"3,4:100%"},
	{"a second answer is not its own region's", &regions_two, {1, 0, 2}, "1 2 region=l", "",
		"1,3:100%"},
};

static void apply_overrides(const char *overrides, uint8_t *kinds)
{
	char *end;

	for (; *overrides; overrides = *end == ' ' ? end + 1 : end) {
		unsigned long id = strtoul(overrides, &end, 10);
		char kind = end[1];

		kinds[id] = kind == 'd' ? OVERRIDE_DRAIN
			: kind == 'x'	? OVERRIDE_DOWN
					: OVERRIDE_UP;
		end += 2;
	}
}

static void choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct scene scene;
		struct arena *arena = arena_new();
		struct text got = {0};

		believe_tree(&scene, cases[i].root, cases[i].beliefs);
		apply_overrides(cases[i].overrides, scene.overrides);

		struct steer_planner *planner = steer_planner_new(
			cases[i].root, ADDRESS_IPV4, &scene.world, sites, COUNT_OF(sites), arena);

		print_choice(steer_planner_choose(planner, cases[i].order, NULL), &got);
		if (strcmp(got.bytes, cases[i].want) != 0)
			fail_msg("%s: %s, not %s", cases[i].about, got.bytes, cases[i].want);
		steer_planner_free(planner);
		text_done(&got);
		arena_free(arena);
	}
}

/* ---- Families, hosts, and what is answered instead ------------------------------------------------- */

static void families_are_judged_apart(void **state)
{
	const struct steer_member members[] = {
		{.name = "a", .id = 0, .site = NOWHERE, .weight = 1}, END(1, NOWHERE, 1, 3, 1)};
	const struct steer_pool pool = POOL(0, STEER_FAILOVER, 1, members);
	struct scene scene;
	struct arena *arena = arena_new();
	struct text got = {0};

	(void)state;
	scene_begin(&scene);
	add_row(&scene, 0, &ipv4[1])->share = 0;
	add_row(&scene, 0, &ipv6[2]);
	add_row(&scene, 1, &ipv4[3]);
	for (int family = ADDRESS_IPV4; family <= ADDRESS_IPV6; family += 2) {
		struct steer_planner *planner = steer_planner_new(
			&pool, (enum address_family)family, &scene.world, NULL, 0, arena);

		print_choice(steer_planner_choose(planner, NULL, NULL), &got);
		steer_planner_free(planner);
		assert_string_equal(got.bytes, family == ADDRESS_IPV4 ? "3:100%" : "2:100%");
		text_clear(&got);
	}

	/* a pool without IPv6 has no data */
	believe_tree(&scene, &weighted, "");

	struct steer_planner *none =
		steer_planner_new(&weighted, ADDRESS_IPV6, &scene.world, NULL, 0, arena);

	assert_int_equal(steer_planner_choose(none, NULL, NULL)->kind, STEER_NODATA);
	steer_planner_free(none);
	text_done(&got);
	arena_free(arena);
}

static const struct {
	const char *about;
	const struct steer_pool *pool;
	enum address_family family;
	const char *beliefs;
	const char *overrides;
	enum steer_coverage want;
} coverages[] = {
	{"some are up", &failover, ADDRESS_IPV4, "1 2", "", STEER_COVERED},
	{"none is up", &failover, ADDRESS_IPV4, "1 2 3", "", STEER_LOST},
	{"one is up, but drained", &failover, ADDRESS_IPV4, "1 2", "2=d", STEER_LOST},
	{"one is down, but forced up", &failover, ADDRESS_IPV4, "1 2 3", "1=u", STEER_COVERED},
	{"below another pool", &world_pool, ADDRESS_IPV4, "1 2 3 5", "", STEER_COVERED},
	{"nothing below another pool", &world_pool, ADDRESS_IPV4, "1 2 3 4 5", "", STEER_LOST},
	{"no member of the family", &failover, ADDRESS_IPV6, "", "", STEER_UNCOVERED},
	{"pools that count as failed", &world_pool, ADDRESS_IPV4, "eu_list=p us_list=l", "",
		STEER_LOST},
	{"its own panic is another matter", &failover, ADDRESS_IPV4, "1 2 plain=p", "",
		STEER_COVERED},
	{"a fence", &behind, ADDRESS_IPV4, "6 7 8", "", STEER_COVERED},
	{"what is left inside a fence", &fence, ADDRESS_IPV4, "6 7", "", STEER_LOST},
	{"a share", &failover, ADDRESS_IPV4, "1 2 3/1", "", STEER_COVERED},
};

static void coverage_of_families(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(coverages); i++) {
		struct scene scene;

		believe_tree(&scene, coverages[i].pool, coverages[i].beliefs);
		apply_overrides(coverages[i].overrides, scene.overrides);
		if (steer_pool_coverage(coverages[i].pool, coverages[i].family, &scene.world) !=
			coverages[i].want)
			fail_msg("%s", coverages[i].about);
	}
}

static void hosts_answer_their_rows(void **state)
{
	const struct steer_member members[] = {{.name = "h", .site = NOWHERE, .weight = 1}};
	const struct steer_pool pool = POOL(0, STEER_ALL, 64, members);
	struct scene scene;
	struct arena *arena = arena_new();
	struct text got = {0};
	struct steer_planner *planner;

	(void)state;
	scene_begin(&scene);
	add_row(&scene, 0, &ipv4[7]);
	add_row(&scene, 0, &ipv4[8])->share = 0;
	add_row(&scene, 0, &ipv4[9])->state = VERDICT_UNKNOWN;
	planner = steer_planner_new(&pool, ADDRESS_IPV4, &scene.world, NULL, 0, arena);
	print_choice(steer_planner_choose(planner, NULL, NULL), &got);
	assert_string_equal(got.bytes, "7,9:100%");
	steer_planner_free(planner);

	/* before the first resolution nothing is known: the zone's own records, and no address */
	scene_begin(&scene);
	planner = steer_planner_new(&pool, ADDRESS_IPV4, &scene.world, NULL, 0, arena);
	assert_int_equal(steer_planner_choose(planner, NULL, NULL)->kind, STEER_STATIC);
	assert_int_equal(steer_planner_choose(planner, NULL, NULL)->step_count, 0);
	steer_planner_free(planner);
	text_done(&got);
	arena_free(arena);
}

/* ---- Reasons --------------------------------------------------------------------------------------- */

static const struct {
	const char *about;
	const struct steer_pool *root;
	const char *beliefs;
	const char *overrides;
	enum steer_reason want[6];
} reasons[] = {
	{"nearest", &nearest, "", "", {STEER_KEPT, STEER_LESS_NEAR, STEER_LESS_NEAR}},
	{"nearest is down", &nearest, "1", "", {STEER_HEALTH_DOWN, STEER_KEPT, STEER_LESS_NEAR}},
	{"drained", &nearest, "", "0=d", {STEER_DRAINED, STEER_KEPT, STEER_LESS_NEAR}},
	{"forced down", &nearest, "2", "0=x", {STEER_FORCED_DOWN, STEER_HEALTH_DOWN, STEER_KEPT}},
	{"all down", &nearest, "1 2 3", "", {STEER_LAST_RESORT, STEER_LESS_NEAR, STEER_LESS_NEAR}},
	{"failover", &failover, "1", "", {STEER_HEALTH_DOWN, STEER_KEPT, STEER_LOWER_PRIORITY}},
	{"weight 0", &zero_weight, "", "", {STEER_ZERO_WEIGHT, STEER_KEPT, STEER_ZERO_WEIGHT}},
	{"weighted keeps all", &weighted, "", "", {STEER_KEPT, STEER_KEPT, STEER_KEPT}},
	{"nested", &world_pool, "2", "",
		{STEER_KEPT, STEER_HEALTH_DOWN, STEER_LOWER_PRIORITY, STEER_LESS_NEAR,
			STEER_LESS_NEAR}},
	{"a drained region", &world_pool, "", "16=d",
		{STEER_DRAINED, STEER_DRAINED, STEER_DRAINED, STEER_KEPT, STEER_LOWER_PRIORITY}},
	{"twice", &twice, "", "", {STEER_KEPT, STEER_TWICE, STEER_KEPT}},
	{"in panic", &weighted, "1 plain=p", "", {STEER_PANIC, STEER_KEPT, STEER_KEPT}},
	{"in panic, and drained", &weighted, "1 plain=p", "0=d",
		{STEER_DRAINED, STEER_KEPT, STEER_KEPT}},
	{"why they are up", &weighted, "1/64:B 2/32:G 3/64:H", "",
		{STEER_HELD_OBSERVER, STEER_RAMP, STEER_WITHOUT}},
	{"held as one of the last, and by the limit", &weighted, "1/64:C 2/64:D", "",
		{STEER_HELD_LOSS, STEER_HELD_EVIDENCE, STEER_KEPT}},
	{"why they are down", &weighted, "1:E 2:F 3/32:d", "",
		{STEER_WAITS_DELAY, STEER_WAITS_RETURN, STEER_DEGRADED}},
	{"an operator's word is the reason", &weighted, "1:E 2/32:G", "0=u 1=u",
		{STEER_KEPT, STEER_KEPT, STEER_KEPT}},
	{"what it needs is lost", &weighted, "1:H", "", {STEER_NEEDS_LOST, STEER_KEPT, STEER_KEPT}},
	{"a share that a lower priority has", &failover, "2/32:G", "",
		{STEER_KEPT, STEER_LOWER_PRIORITY, STEER_LOWER_PRIORITY}},
	{"a pool in panic", &world_pool, "1 eu_cdn_list=p", "",
		{STEER_HEALTH_DOWN, STEER_POOL_FAILED, STEER_KEPT, STEER_LESS_NEAR,
			STEER_LESS_NEAR}},
	{"last good", &last_good, "1 2! 3!", "",
		{STEER_HEALTH_DOWN, STEER_LAST_USABLE, STEER_LAST_USABLE}},
	{"last good, in panic", &last_good, "1 2! plain=p", "",
		{STEER_HEALTH_DOWN, STEER_LAST_USABLE, STEER_NOT_LAST}},
	{"a fence that is lost", &behind, "6 7 fence=l", "",
		{STEER_LAST_RESORT, STEER_LAST_RESORT, STEER_LOWER_PRIORITY}},
	{"a fence in panic", &behind, "6 fence=p", "",
		{STEER_PANIC, STEER_KEPT, STEER_LOWER_PRIORITY}},
	{"a lost fence, for others", &regions, "1 2 3 region=l", "",
		{STEER_HEALTH_DOWN, STEER_POOL_FAILED, STEER_POOL_FAILED, STEER_KEPT}},
	{"replaced", &fallback, "1 2 3", "", {STEER_REPLACED, STEER_REPLACED, STEER_REPLACED}},
};

static void each_candidate_has_its_reason(void **state)
{
	const uint8_t order[] = {0, 1, 2};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		struct scene scene;
		struct arena *arena = arena_new();
		struct steer_trace trace = {0};

		believe_tree(&scene, reasons[i].root, reasons[i].beliefs);
		apply_overrides(reasons[i].overrides, scene.overrides);

		struct steer_planner *planner = steer_planner_new(
			reasons[i].root, ADDRESS_IPV4, &scene.world, sites, COUNT_OF(sites), arena);

		steer_planner_choose(planner, order, &trace);
		for (size_t k = 0; k < trace.count; k++)
			if (trace.items[k].reason != reasons[i].want[k])
				fail_msg("%s: candidate %zu: %s", reasons[i].about, k,
					steer_reason_text(trace.items[k].reason));
		steer_planner_free(planner);
		free(trace.items);
		arena_free(arena);
	}
}

/* ---- Shares ---------------------------------------------------------------------------------------- */

/* Whatever the weights: each member is in exactly its share of the answers, and each answer is full. */
static void shares_are_exact(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 5);
	for (int round = 0; round < 3000; round++) {
		struct steer_member members[8] = {0};
		size_t count = 2 + random_below(&random, 7);
		uint16_t want = (uint16_t)(1 + random_below(&random, (uint32_t)count - 1));
		double sum = 0;
		struct scene scene;
		struct arena *arena = arena_new();
		double held[ADDRESS_COUNT] = {0};
		double begin = 0;

		scene_begin(&scene);
		for (size_t i = 0; i < count; i++) {
			members[i] = (struct steer_member){.id = (uint32_t)i, .site = NOWHERE};
			members[i].weight = (uint16_t)(1 + random_below(&random, 1000));
			add_row(&scene, (uint32_t)i, &ipv4[i]);
			sum += members[i].weight;
		}

		struct steer_pool pool = {.method = STEER_WEIGHTED,
			.answers = want,
			.members = members,
			.member_count = count};
		struct steer_planner *planner =
			steer_planner_new(&pool, ADDRESS_IPV4, &scene.world, NULL, 0, arena);
		const struct steer_choice *choice = steer_planner_choose(planner, NULL, NULL);

		assert_true(choice->step_count <= count);
		for (size_t i = 0; i < choice->step_count; i++) {
			const struct steer_step *step = &choice->steps[i];
			double below = i + 1 < choice->step_count ? step->below / 4294967296.0 : 1;

			assert_int_equal(step->count, want);
			for (unsigned k = 0; k < step->count; k++)
				held[choice->addresses[(step->first + k) * 4u + 3]] +=
					below - begin;
			begin = below;
		}
		for (size_t i = 0; i < count; i++) {
			double share = members[i].weight * want / sum;
			bool is_capped = false;

			for (size_t k = 0; k < count; k++)
				is_capped |= members[k].weight * want >= sum;
			if (!is_capped && fabs(held[i] - share) > 1e-6)
				fail_msg("round %d: member %zu has %f, not %f", round, i, held[i],
					share);
			if (is_capped && members[i].weight * want >= sum)
				assert_true(held[i] > 1 - 1e-6);
		}
		steer_planner_free(planner);
		arena_free(arena);
	}
}

/* So many addresses that not every level has room for all of them: shares are rounded up, and still every list is there. */
static void shares_of_many_are_rounded_up(void **state)
{
	enum { COUNT = 3000, GRAIN = 4 };
	static struct belief rows[COUNT];
	static uint32_t first[] = {0, COUNT};
	struct belief_table table = {1, first, rows};
	const struct steer_member members[] = {{.name = "m", .site = NOWHERE, .weight = 1}};
	const struct steer_pool pool = POOL(0, STEER_WEIGHTED, 1, members);
	struct guard_pool_state sound = {0};
	uint8_t override = OVERRIDE_NONE;
	const struct steer_world world = {&table, &sound, &override};
	struct arena *arena = arena_new();
	static double got[COUNT];
	double begin = 0;

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		rows[i] = (struct belief){
			.address = {ADDRESS_IPV4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}},
			.share = (uint8_t)(1 + i % BELIEF_WHOLE),
		};

	struct steer_planner *planner =
		steer_planner_new(&pool, ADDRESS_IPV4, &world, NULL, 0, arena);
	const struct steer_choice *choice = steer_planner_choose(planner, NULL, NULL);

	for (size_t i = 0; i < choice->step_count; i++) {
		const struct steer_step *step = &choice->steps[i];
		double below = i + 1 < choice->step_count ? step->below / 4294967296.0 : 1;
		const uint8_t *bytes = choice->addresses + step->first * 4u;

		assert_int_equal(step->count, 1);
		got[bytes[2] << 8 | bytes[3]] += below - begin;
		begin = below;
	}
	for (size_t i = 0; i < COUNT; i++) {
		double want = 0;

		for (unsigned level = 0; level < rows[i].share; level += GRAIN) {
			size_t usable = 0;

			for (size_t k = 0; k < COUNT; k++)
				usable += rows[k].share > level;
			want += (double)GRAIN / BELIEF_WHOLE / (double)usable;
		}
		if (fabs(got[i] - want) > 1e-7)
			fail_msg("address %zu has %f, not %f", i, got[i], want);
	}
	steer_planner_free(planner);
	arena_free(arena);
}

/* Classes that differ only behind the sites that are used share one choice. */
static void like_classes_share_a_choice(void **state)
{
	struct scene scene;
	struct arena *arena = arena_new();

	believe_tree(&scene, &nearest, "1");

	struct steer_planner *planner = steer_planner_new(
		&nearest, ADDRESS_IPV4, &scene.world, sites, COUNT_OF(sites), arena);
	const uint8_t orders[][3] = {{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}};
	const struct steer_choice *got[4];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(orders); i++)
		got[i] = steer_planner_choose(planner, orders[i], NULL);
	assert_ptr_equal(got[0], got[1]);
	assert_ptr_equal(got[1], got[2]);
	assert_ptr_not_equal(got[2], got[3]);
	steer_planner_free(planner);
	arena_free(arena);
}

/* Near a region that is down and a fence that holds its own alone, classes differ by what is behind both. */
static void classes_behind_a_lost_fence(void **state)
{
	const uint16_t four_sites[] = {0, 1, 2, 3};
	const struct steer_member members[] = {
		END(2, 0, 1, 3, 1), SUB(3, 1, 1, region), END(4, 2, 1, 4, 1), END(5, 3, 1, 5, 1)};
	const struct steer_pool pool = POOL(0, STEER_NEAREST, 1, members);
	static const struct {
		uint8_t order[4];
		const char *want;
	} classes[] = {
		{{0, 1, 2, 3}, "4:100%"},
		{{0, 1, 3, 2}, "5:100%"},
		{{1, 0, 2, 3}, "1:100%"},
		{{3, 1, 0, 2}, "5:100%"},
	};
	struct scene scene;
	struct arena *arena = arena_new();
	struct text got = {0};

	(void)state;
	believe_tree(&scene, &pool, "1 2 3 region=l");

	struct steer_planner *planner = steer_planner_new(
		&pool, ADDRESS_IPV4, &scene.world, four_sites, COUNT_OF(four_sites), arena);

	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		print_choice(steer_planner_choose(planner, classes[i].order, NULL), &got);
		assert_string_equal(got.bytes, classes[i].want);
		text_clear(&got);
	}
	steer_planner_free(planner);
	text_done(&got);
	arena_free(arena);
}

static void steps_are_found(void **state)
{
	const struct steer_step steps[] = {{100, 0, 1}, {200, 1, 1}, {UINT32_MAX, 2, 1}};
	const struct steer_choice choice = {.step_count = 3, .steps = steps};

	(void)state;
	assert_int_equal(steer_choice_step(&choice, 0)->first, 0);
	assert_int_equal(steer_choice_step(&choice, 99)->first, 0);
	assert_int_equal(steer_choice_step(&choice, 100)->first, 1);
	assert_int_equal(steer_choice_step(&choice, 200)->first, 2);
	assert_int_equal(steer_choice_step(&choice, UINT32_MAX)->first, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices),
		cmocka_unit_test(families_are_judged_apart),
		cmocka_unit_test(coverage_of_families),
		cmocka_unit_test(hosts_answer_their_rows),
		cmocka_unit_test(each_candidate_has_its_reason),
		cmocka_unit_test(shares_are_exact),
		cmocka_unit_test(shares_of_many_are_rounded_up),
		cmocka_unit_test(like_classes_share_a_choice),
		cmocka_unit_test(classes_behind_a_lost_fence),
		cmocka_unit_test(steps_are_found),
	};

	fill_addresses();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
