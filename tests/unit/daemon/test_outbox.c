/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/daemon/outbox.h"
#include "steerd/base/memory.h"

static const struct settings_notify both[] = {{.name = "ops"}, {.name = "pager"}};
static const struct settings_notify turned[] = {{.name = "pager"}, {.name = "ops"}};

static void put(struct outbox *outbox, uint64_t id, const char *receiver)
{
	char body[] = "{}"; /* nothing may point into it */

	outbox_put(outbox,
		&(struct link_notice){
			.id = id, .body = body, .event = "e", .subject = "s", .reason = "r"},
		receiver, 5);
	memset(body, 'x', sizeof(body) - 1);
}

static void kept_until_dropped(void **state)
{
	struct outbox outbox;

	(void)state;
	outbox_init(&outbox);
	assert_null(outbox_find(&outbox, 1));
	put(&outbox, 1, "ops");
	put(&outbox, 2, "pager");
	assert_string_equal(outbox_find(&outbox, 1)->notice.body, "{}");
	assert_string_equal(outbox_find(&outbox, 2)->receiver, "pager");
	assert_int_equal(outbox_find(&outbox, 2)->put_at_ms, 5);
	outbox_drop(&outbox, 1);
	outbox_drop(&outbox, 1);
	assert_null(outbox_find(&outbox, 1));
	assert_non_null(outbox_find(&outbox, 2));
	assert_int_equal(outbox.count, 1);
	outbox_done(&outbox);
	assert_int_equal(outbox.count, 0);
}

/* Receivers are known by name: their numbers are those of the configuration that holds. */
static void addressed_by_name(void **state)
{
	struct outbox outbox;
	struct link_notice notice;

	(void)state;
	outbox_init(&outbox);
	put(&outbox, 1, "ops");
	put(&outbox, 2, "pager");
	assert_true(outbox_address(outbox_find(&outbox, 2), both, 2, &notice));
	assert_int_equal(notice.notify, 1);
	assert_int_equal(notice.id, 2);
	assert_true(outbox_address(outbox_find(&outbox, 2), turned, 2, &notice));
	assert_int_equal(notice.notify, 0);
	assert_null(outbox_orphan(&outbox, turned, 2));
	assert_int_equal(outbox_orphan(&outbox, turned, 1)->notice.id, 1);
	assert_int_equal(outbox_orphan(&outbox, NULL, 0)->notice.id, 1);
	assert_false(outbox_address(outbox_find(&outbox, 1), turned, 1, &notice));
	outbox_done(&outbox);
}

static void oldest_is_too_much(void **state)
{
	struct outbox outbox;

	(void)state;
	outbox_init(&outbox);
	for (uint64_t id = 1; id <= LINK_NOTICES_MAX; id++) {
		put(&outbox, id, "ops");
		assert_null(outbox_surplus(&outbox));
	}
	put(&outbox, LINK_NOTICES_MAX + 1, "ops");
	assert_int_equal(outbox_surplus(&outbox)->notice.id, 1);
	outbox_drop(&outbox, 1);
	assert_null(outbox_surplus(&outbox));
	outbox_done(&outbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_until_dropped),
		cmocka_unit_test(addressed_by_name),
		cmocka_unit_test(oldest_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
