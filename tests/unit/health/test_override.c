/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/health/override.h"

static struct override said(enum override_kind kind, const char *subject)
{
	return (struct override){
		.kind = kind, .subject = subject, .reason = "", .by = "root", .since_unix_s = 50};
}

/*
 * `set`: subjects in the order in which they are said; the index of the one that rules is wanted.
 */
static const struct {
	const char *about;
	const char *set[4];
	const char *pool;
	const char *member;
	const char *site;
	int want; /* -1: none */
} finds[] = {
	{"nothing said", {NULL}, "cdn", "fra-1", "fra", -1},
	{"a member in its pool", {"cdn/fra-1"}, "cdn", "fra-1", "fra", 0},
	{"a member in every pool", {"fra-1"}, "cdn", "fra-1", "fra", 0},
	{"a site", {"site:fra"}, "cdn", "fra-1", "fra", 0},
	{"pool and member before member", {"cdn/fra-1", "fra-1"}, "cdn", "fra-1", "fra", 0},
	{"said in the other order as well", {"fra-1", "cdn/fra-1"}, "cdn", "fra-1", "fra", 1},
	{"member before site", {"fra-1", "site:fra"}, "cdn", "fra-1", "fra", 0},
	{"all three", {"site:fra", "cdn/fra-1", "fra-1"}, "cdn", "fra-1", "fra", 1},
	{"another pool", {"api/fra-1"}, "cdn", "fra-1", "fra", -1},
	{"another pool, and the member", {"api/fra-1", "fra-1"}, "cdn", "fra-1", "fra", 1},
	{"a pool whose name begins alike", {"cdn2/fra-1"}, "cdn", "fra-1", "fra", -1},
	{"a pool whose name is longer", {"cdn/fra-1"}, "cdn2", "fra-1", "fra", -1},
	{"another member", {"cdn/fra-2"}, "cdn", "fra-1", "fra", -1},
	{"a member whose name begins alike", {"fra-11"}, "cdn", "fra-1", "fra", -1},
	{"the pool alone", {"cdn"}, "cdn", "fra-1", "fra", -1},
	{"the pool and nothing", {"cdn/"}, "cdn", "fra-1", "fra", -1},
	{"another site", {"site:iad"}, "cdn", "fra-1", "fra", -1},
	{"a member without a site", {"site:fra"}, "cdn", "fra-1", NULL, -1},
	{"a site is no member", {"fra"}, "cdn", "fra-1", "fra", -1},
	{"a member is no site", {"site:fra-1"}, "cdn", "fra-1", "fra", -1},
	{"the empty subject", {""}, "cdn", "fra-1", "fra", -1},
};

static void narrowest_wins(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(finds); i++) {
		struct override_list list = {0};

		for (size_t k = 0; k < COUNT_OF(finds[i].set) && finds[i].set[k]; k++) {
			struct override one = said(OVERRIDE_DRAIN, finds[i].set[k]);

			assert_true(override_list_set(&list, &one));
		}

		const struct override *found =
			override_list_find(&list, finds[i].pool, finds[i].member, finds[i].site);

		if ((found ? (int)(found - list.items) : -1) != finds[i].want)
			fail_msg("%s", finds[i].about);
		override_list_done(&list);
	}
}

static void set_replaces_and_removes(void **state)
{
	struct override_list list = {0};
	struct override fra = said(OVERRIDE_DRAIN, "fra-1");
	struct override iad = said(OVERRIDE_UP, "iad-1");
	char subject[] = "fra-1";

	(void)state;
	assert_true(override_list_set(&list, &fra));
	assert_true(override_list_set(&list, &iad));
	assert_false(override_list_set(&list, &fra)); /* the very same */

	/* another kind: replaced, copied, and now the newest */
	fra.kind = OVERRIDE_DOWN;
	fra.subject = subject;
	fra.reason = "disk";
	assert_true(override_list_set(&list, &fra));
	memset(subject, 'x', sizeof(subject) - 1);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[1].subject, "fra-1");
	assert_int_equal(list.items[1].kind, OVERRIDE_DOWN);
	assert_string_equal(list.items[1].reason, "disk");
	assert_string_equal(list.items[1].by, "root");

	/* an item of the list itself may be passed */
	struct override own = list.items[1];

	own.until_unix_s = 99;
	assert_true(override_list_set(&list, &own));
	assert_string_equal(list.items[1].reason, "disk");
	assert_int_equal(list.items[1].until_unix_s, 99);

	struct override none = said(OVERRIDE_NONE, "sin-1");

	assert_false(override_list_set(&list, &none));
	none.subject = "fra-1";
	assert_true(override_list_set(&list, &none));
	assert_false(override_list_set(&list, &none));
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].subject, "iad-1");
	override_list_done(&list);
	assert_int_equal(list.count, 0);
}

static const struct {
	uint64_t until;
	uint64_t now;
	bool want; /* it goes */
} ends[] = {
	{0, 0, false},
	{0, UINT64_MAX, false},
	{100, 99, false},
	{100, 100, true},
	{100, 101, true},
};

static void expire_drops_what_ended(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct override_list list = {0};
		struct override one = said(OVERRIDE_DRAIN, "a");
		struct override kept = said(OVERRIDE_DRAIN, "b");

		one.until_unix_s = ends[i].until;
		override_list_set(&list, &one);
		override_list_set(&list, &kept);
		if (override_list_expire(&list, ends[i].now) != ends[i].want)
			fail_msg(
				"until %u, now %u", (unsigned)ends[i].until, (unsigned)ends[i].now);
		assert_int_equal(list.count, ends[i].want ? 1 : 2);
		assert_string_equal(list.items[list.count - 1].subject, "b");
		override_list_done(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(narrowest_wins),
		cmocka_unit_test(set_replaces_and_removes),
		cmocka_unit_test(expire_drops_what_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
