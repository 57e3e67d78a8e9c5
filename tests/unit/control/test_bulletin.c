/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/control/bulletin.h"

static const char *const monitors[] = {"edge"};
static const struct target targets[] = {{.key = "edge@192.0.2.10", .monitor = 0}};
static const struct target_list target_list = {.targets = targets, .count = 1};

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static struct notice down(void)
{
	return (struct notice){
		.id = 0x2a,
		.event = "member-down",
		.subject = {.kind = NOTICE_MEMBER,
			.pool = "downloads",
			.member = "fra-1",
			.address = address_of("192.0.2.10")},
		.level = 2,
		.since_unix_s = 1700000000,
		.reason = "connect timed out\nafter 2 s",
	};
}

static void whole(void **state)
{
	struct notice notice = down();
	const struct verdict row = {
		.address = address_of("192.0.2.10"),
		.state = VERDICT_DOWN,
		.since_unix_s = 1700000000,
		.checked_at_unix_s = 1700000060,
		.latency_ms = 2000,
		.streak = 3,
		.outcome_count = 6,
		.outcomes_failed = 7,
		.outcomes_degraded = 8,
		.latency_p50_ms = 20,
		.latency_p95_ms = 80,
		.certificate_until_unix_s = 1710000000,
		.certificate = "dl.files.example",
		.issuer = "an authority",
		.reason = "connect timed out after 2 s",
	};
	const struct verdict *const rows[] = {&row};
	const struct guard_pool_state pool = {.state = BELIEF_POOL_PANIC,
		.percent = 40,
		.loss_percent = 60,
		.since_unix_s = 1700000001};
	const struct bulletin bulletin = {
		.notice = &notice,
		.host = "ns1.example",
		.generation = 9,
		.now_unix_s = 1700000061,
		.pool = &pool,
		.rows = rows,
		.row_count = 1,
		.targets = &target_list,
		.monitors = monitors,
	};
	struct text json = {0};

	(void)state;
	bulletin_print(&bulletin, &json);
	assert_string_equal(json.bytes,
		"{\"id\":\"000000000000002a\",\"event\":\"member-down\",\"repeat\":false,"
		"\"subject\":\"downloads/fra-1 192.0.2.10\",\"pool\":\"downloads\","
		"\"member\":\"fra-1\",\"address\":\"192.0.2.10\",\"monitor\":null,"
		"\"since_unix_s\":1700000000,\"at_unix_s\":1700000061,"
		"\"reason\":\"connect timed out?after 2 s\",\"checks\":[{\"monitor\":\"edge\","
		"\"address\":\"192.0.2.10\",\"state\":\"down\",\"since_unix_s\":1700000000,"
		"\"checked_at_unix_s\":1700000060,\"passed\":false,\"streak\":3,"
		"\"outcomes\":\"..!xxx\",\"latency_ms\":2000,\"latency_p50_ms\":20,"
		"\"latency_p95_ms\":80,\"reason\":\"connect timed out after 2 s\",\"note\":null,"
		"\"certificate\":{\"for\":\"dl.files.example\",\"issuer\":\"an authority\","
		"\"until_unix_s\":1710000000}}],\"pool_state\":{\"state\":\"panic\","
		"\"capacity_percent\":40,\"lost_percent\":60,\"held\":0,"
		"\"since_unix_s\":1700000001},\"host\":\"ns1.example\",\"generation\":9}");
	text_done(&json);
}

static const struct {
	const char *about;
	struct notice_subject subject;
	const char *want;
} subjects[] = {
	{"a pool", {.kind = NOTICE_POOL, .pool = "downloads"}, "downloads"},
	{"a monitor", {.kind = NOTICE_CERTIFICATE, .monitor = "edge"}, "edge"},
	{"the observer", {.kind = NOTICE_OBSERVER}, "observer"},
	{"the prober", {.kind = NOTICE_PROBER}, "prober"},
};

static void subjects_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		const struct notice notice = {.event = "x", .subject = subjects[i].subject};
		const struct bulletin bulletin = {.notice = &notice};
		struct text line = {0};

		bulletin_print_subject(&bulletin, &line);
		if (strcmp(line.bytes, subjects[i].want) != 0)
			fail_msg("%s: %s", subjects[i].about, line.bytes);
		text_done(&line);
	}
}

static void ends(void **state)
{
	struct notice notice = down();
	struct bulletin bulletin = {.notice = &notice};
	struct text line = {0};

	(void)state;
	notice.level = 0;
	notice.event = "member-up";
	bulletin_print_reason(&bulletin, &line);
	assert_string_equal(line.bytes, "it is over; it was: connect timed out?after 2 s");
	assert_string_equal(bulletin_event(&bulletin), "member-up");
	text_clear(&line);
	bulletin.is_gone = true;
	bulletin_print_reason(&bulletin, &line);
	assert_string_equal(line.bytes, "it is not configured any more");
	assert_string_equal(bulletin_event(&bulletin), "removed");
	text_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(subjects_in_words),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
