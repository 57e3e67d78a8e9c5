/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard_rig.h"
#include "steerd/base/memory.h"

/* Addresses of members and of host names that come and go, at a reload or between two. */

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

/* ---- host names ---- */

/* A member whose name two monitors look up: their rows are "ADDRESS STATE" each. */
struct host {
	struct guard *guard;
	struct guard_rules rules;
	struct guard_pool pool;
	struct guard_member member;
	struct guard_condition all;
	struct guard_condition each[2];
	target_id targets[2];
	uint32_t id;
	struct verdict rows[8];
	struct verdict_table table;
	uint64_t now_ms;
};

static void host_init(struct host *host)
{
	*host = (struct host){
		.guard = guard_new(),
		.targets = {0, 1},
		.rules = {.pool_count = 1,
			.member_count = 1,
			.canaries = GUARD_NONE,
			.suspect_percent = 100},
		.pool = {.name = "p", .member_count = 1, .loss_percent = 100, .needs = GUARD_NONE},
		.member = {.key = "p/m", .child = GUARD_NONE, .is_host = true},
		.all = {.kind = GUARD_AT_LEAST, .at_least = 2, .item_count = 2},
	};
	host->pool.members = &host->id;
	host->rules.pools = &host->pool;
	host->rules.members = &host->member;
	host->all.items = host->each;
	host->member.condition = &host->all;
	for (size_t i = 0; i < 2; i++)
		host->each[i].targets = &host->targets[i];
	host->table.rows = host->rows;
	guard_set_rules(host->guard, &host->rules);
}

/* "1U 2D | 1U": what each monitor sees of 192.0.2.1, ... */
static bool host_see(struct host *host, const char *seen)
{
	target_id target = 0;

	host->table.count = 0;
	for (; *seen; seen++) {
		if (*seen == '|')
			target = 1;
		if (*seen < '0' || *seen > '9')
			continue;

		struct verdict *row = &host->rows[host->table.count++];

		*row = (struct verdict){
			.target = target,
			.address =
				address_of_in((const uint8_t[]){192, 0, 2, (uint8_t)(*seen - '0')}),
			.state = seen[1] == 'U' ? VERDICT_UP : VERDICT_DOWN,
			.checked_at_unix_s = 1 + host->now_ms,
			.last_passed = seen[1] == 'U',
		};
		seen++;
	}

	const struct guard_input input = {
		.verdicts = &host->table, .now_ms = ++host->now_ms, .now_unix_s = 1000};

	return guard_step(host->guard, &input);
}

/* "1U 2D" */
static void host_believed(const struct host *host, char *ret_text)
{
	size_t count;
	const struct belief *rows = belief_table_find(guard_beliefs(host->guard), 0, &count);

	*ret_text = '\0';
	for (size_t i = 0; i < count; i++)
		ret_text += sprintf(ret_text, "%s%u%c", i > 0 ? " " : "", rows[i].address.bytes[3],
			rows[i].state == VERDICT_DOWN		   ? 'D'
				: rows[i].state == VERDICT_UP	   ? 'U'
				: rows[i].state == VERDICT_UNKNOWN ? '?'
								   : 'G');
}

static const struct {
	const char *about;
	const char *seen[4]; /* one step after the other */
	const char *believed[4];
} hosts[] = {
	{"none before the first check", {"", "1U|1U"}, {"", "1U"}},
	{"those of both, sorted, each once", {"1U 3U|2U 3U"}, {"1U 2U 3U"}},
	{"what one does not know is unknown there", {"1D 3U|2U 3U"}, {"1D 2U 3U"}},
	{"one comes", {"1U|1U", "1U 2U|1U 2U"}, {"1U", "1U 2U"}},
	{"one goes", {"1U 2U|1U 2U", "2U|2U"}, {"1U 2U", "2U"}},
	{"one goes of one monitor", {"1U 2D|1U 2U", "1U|1U 2U"}, {"1U 2D", "1U 2U"}},
	{"all are others", {"1U 2U|1U 2U", "3U|4U"}, {"1U 2U", "3U 4U"}},
	{"what is down stays so beside what comes", {"2D|2U", "1U 2D|1U 2U", "1U 2U|1U 2U"},
		{"2D", "1U 2D", "1U 2U"}},
	{"none is no news", {"1U 2D|1U 2U", "", "3U|3U"}, {"1U 2D", "1? 2D", "3U"}},
	{"one that comes back is new", {"1D 2U|1D 2U", "2U|2U", "1U 2U|2U"},
		{"1D 2U", "2U", "1U 2U"}},
};

static void host_names(void **state)
{
	char got[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct host host;

		host_init(&host);
		for (size_t k = 0; k < 4 && hosts[i].seen[k]; k++) {
			host_see(&host, hosts[i].seen[k]);
			host_believed(&host, got);
			if (strcmp(got, hosts[i].believed[k]) != 0)
				fail_msg("%s: after '%s': %s", hosts[i].about, hosts[i].seen[k],
					got);
			assert_false(host_see(&host, hosts[i].seen[k]));
		}
		guard_free(host.guard);
	}
}

/* An address that comes is not trusted to be down at once: it might be all that is left. */
static void newcomers_are_guarded(void **state)
{
	struct host host;
	char got[64];

	(void)state;
	host_init(&host);
	host.member.evidence_ms = 1000;
	host_see(&host, "1U|1U");
	host_see(&host, "2D 3D|2D 3D");
	host_believed(&host, got);
	assert_string_equal(got, "2D 3?");
	guard_free(host.guard);
}

/* Capacity is divided anew. */
static void capacity_follows(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	host_see(&host, "1U 2D|1U 2U");
	assert_int_equal(guard_pools(host.guard)[0].percent, 50);
	host_see(&host, "1U 2D 3U 4U|1U 2U");
	assert_int_equal(guard_pools(host.guard)[0].percent, 75);
	host_see(&host, "1U 2D 3U|1U 2U");
	assert_int_equal(guard_pools(host.guard)[0].percent, 66);
	guard_free(host.guard);
}

/* What is not resolved yet is no reason to be without it. */
static void unresolved_is_unknown(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_pool(&rig);
	rig_pool(&rig);
	rig_endpoint(&rig, 0, 1, 1);
	rig.members[rig_endpoint(&rig, 1, 1, 1)].is_host = true;
	rig.pools[0].needs = 1;
	rig.pools[0].without = VERDICT_DOWN;
	rig.table.count = 1;
	rig_use(&rig);
	rig_play(&rig, "unresolved", "0 UU U SL");
	rig.table.count = 2;
	rig_step(&rig, 0);
	rig_play(&rig, "resolved", "1 UU UU SS; 2 UD xD LL");
	rig_done(&rig);
}

/* ---- reloads ---- */

/* The same guard under other rules: members m0, m1, m2 of one pool become others. */
static void rules_change(void **state)
{
	struct rig before;
	struct rig after;
	struct guard *unused;

	(void)state;
	rig_init(&before);
	rig_pool(&before);
	for (size_t i = 0; i < 3; i++)
		rig_endpoint(&before, 0, 1, 1);
	before.pools[0].loss_percent = 1;
	before.pools[0].has_manual_return = true;
	rig_use(&before);
	rig_play(&before, "before", "0 UUU UUU; 1 DUU DUU; 2 UDU mlU");

	/* one is gone, one is new and fails, the rest are in another order and have other targets */
	rig_init(&after);
	unused = after.guard;
	after.guard = before.guard;
	rig_pool(&after);
	for (size_t i = 0; i < 3; i++)
		rig_endpoint(&after, 0, 1, 1);
	after.pools[0].loss_percent = 1;
	after.pools[0].has_manual_return = true;
	strcpy(after.keys[0], "pool0/m1");
	after.rows[0].address = after.addresses[0] = before.addresses[1];
	strcpy(after.keys[1], "pool0/new");
	after.rows[1].address = after.addresses[1] = before.addresses[2];
	strcpy(after.keys[2], "pool0/m0");
	after.rows[2].address = after.addresses[2] = before.addresses[0];
	rig_use(&after);
	rig_show(&after, "DDU");
	rig_step(&after, 3000);
	rig_play(&after, "after", "3 DDU lDm; 61 = DDm");
	assert_int_equal(guard_beliefs(after.guard)->rows[2].since_unix_s, 1700000001);
	guard_free(unused);
	rig_done(&after);
}

/* A pool goes on by its name: what it was since when, and that it was up. */
static void pools_go_on(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_pool(&rig);
	rig_endpoint(&rig, 0, 1, 1);
	rig_use(&rig);
	rig_play(&rig, "before", "0 U U S; 5 D D L");
	rig_use(&rig);
	rig_step(&rig, 9000);
	assert_int_equal(guard_pools(rig.guard)[0].state, BELIEF_POOL_LOST);
	assert_int_equal(guard_pools(rig.guard)[0].since_unix_s, 1700000005);
	assert_true(guard_pools(rig.guard)[0].was_ever_up);
	assert_true(guard_beliefs(rig.guard)->rows[0].is_last_good);

	strcpy(rig.names[0], "other");
	rig.pools[0].name = "another";
	rig_use(&rig);
	rig_step(&rig, 10000);
	assert_true(guard_pools(rig.guard)[0].was_ever_up); /* its address was */
	rig_done(&rig);
}

/* A suspicion is the process's, not the rules'; and what has begun to fail goes on counting, by address. */
static void suspicion_goes_on(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_pool(&rig);
	for (size_t i = 0; i < 4; i++)
		rig_endpoint(&rig, 0, 1, 1);
	rig.rules.suspect_percent = 50;
	rig.rules.suspect_networks = 3;
	rig.rules.suspect_window_ms = 20000;
	rig.rules.confirm_ms = 60000;
	rig_use(&rig);
	rig_play(&rig, "before", "0 UUUU UUUU; 1 DDUU DDUU");
	rig_use(&rig);
	rig_step(&rig, 2000);
	rig_play(&rig, "it counts", "3 DDDU DDoU");
	rig_use(&rig);
	rig_step(&rig, 4000);
	rig_play(&rig, "suspect", "5 DDDU DDoU");
	/* members with other names are new, but not taken as they are seen now */
	strcpy(rig.keys[2], "pool0/other");
	rig_use(&rig);
	rig_step(&rig, 6000);
	rig_play(&rig, "new while suspect", "7 DDDU DDoU; 63 = DDDU");
	rig_done(&rig);
}

/* An address is moved between members, or becomes one of two. */
static void addresses_change(void **state)
{
	struct rig rig;
	struct address moved = address_of("10.9.0.9");
	char believed[RIG_TARGETS + 1];

	(void)state;
	rig_init(&rig);
	rig_pool(&rig);
	rig_endpoint(&rig, 0, 2, 2);
	rig_endpoint(&rig, 0, 1, 1);
	rig.pools[0].has_manual_return = true;
	rig_use(&rig);
	rig_play(&rig, "before", "0 UUU UUU; 1 DUU DUU; 2 UUU mUU");
	rig.addresses[1] = rig.rows[1].address = rig.addresses[0];
	rig.addresses[0] = rig.rows[0].address = moved;
	rig_use(&rig);
	rig_step(&rig, 3000);
	rig_believed(&rig, believed);
	assert_string_equal(believed, "UmU");
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_names),
		cmocka_unit_test(newcomers_are_guarded),
		cmocka_unit_test(capacity_follows),
		cmocka_unit_test(unresolved_is_unknown),
		cmocka_unit_test(rules_change),
		cmocka_unit_test(pools_go_on),
		cmocka_unit_test(suspicion_goes_on),
		cmocka_unit_test(addresses_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
