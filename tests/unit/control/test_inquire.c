/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/control/inquire.h"
#include "../plan/believe.h"
#include "files.h"
#include "steerd/base/memory.h"

/* A daemon whose prober answers when the test says so. */
struct stage {
	struct files files;
	const struct snapshot *snapshot;
	struct plan *plan;
	struct verdict_table verdicts;
	struct override_list overrides;
	struct question {
		char key[128];
		struct address address;
		control_found_fn found;
		void *context;
	} questions[8];
	size_t count;
	json_t *reply; /* NULL: none yet */
};

static void describe(void *context, struct control_facts *ret_facts)
{
	struct stage *stage = context;

	*ret_facts = (struct control_facts){
		.plan = stage->plan, .verdicts = &stage->verdicts, .overrides = &stage->overrides};
}

static void inquire(void *context, const struct control_inquiry *inquiry, control_found_fn found,
	void *found_context)
{
	struct stage *stage = context;
	struct question *question = &stage->questions[stage->count++];

	assert_true(stage->count <= COUNT_OF(stage->questions));
	strcpy(question->key, inquiry->key);
	question->address = inquiry->address;
	question->found = found;
	question->context = found_context;
}

static void keep_reply(void *context, json_t *json)
{
	struct stage *stage = context;

	assert_null(stage->reply);
	stage->reply = json;
}

static int set_up(void **state)
{
	struct stage *stage = memory_new(sizeof(*stage));
	struct report report = {0};

	files_init(&stage->files);
	stage->snapshot =
		snapshot_read(stage->files.settings_path, &(struct snapshot_options){0}, &report);
	assert_non_null(stage->snapshot);
	report_done(&report);
	verdict_table_carry(&stage->snapshot->targets, NULL, NULL, 1700000000, &stage->verdicts);
	stage->plan = believe_plan(stage->snapshot, &stage->verdicts, &stage->overrides, NULL);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	json_decref(stage->reply);
	plan_free(stage->plan);
	snapshot_release(stage->snapshot);
	verdict_table_done(&stage->verdicts);
	files_done(&stage->files);
	free(stage);
	return 0;
}

static struct inquiry *ask(
	struct stage *stage, const char *subject, const char *monitor, struct err *err)
{
	const struct control_actions actions = {
		.context = stage, .describe = describe, .inquire = inquire};
	const struct request request = {.command = COMMAND_PROBE,
		.text = {[ARGUMENT_SUBJECT] = subject, [ARGUMENT_MONITOR] = monitor}};

	return inquire_start(&actions, &request, keep_reply, stage, err);
}

static void answer(struct stage *stage, size_t index, const char *verdict, const char *why)
{
	const struct finding items[] = {
		{FINDING_REQUEST, "GET", "https://dl.files.example/health", 0},
		{FINDING_PHASE, "connect", "", 1500},
		{FINDING_CERTIFICATE, "CN=dl.files.example", "CN=Test", 1800000000},
		{FINDING_VERDICT, verdict, why, 0},
	};
	const struct question *question = &stage->questions[index];

	question->found(question->context,
		&(struct control_found){.items = items, .count = COUNT_OF(items)});
}

/* What stands at `key` of the check of an address. */
static const char *text_of(const struct stage *stage, const char *address, const char *key)
{
	const json_t *checks = json_object_get(stage->reply, "checks");

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);

		if (strcmp(json_string_value(json_object_get(check, "address")), address) == 0)
			return json_string_value(json_object_get(check, key));
	}
	return NULL;
}

static void one_check_for_each_address(void **state)
{
	struct stage *stage = *state;
	struct err err;

	assert_non_null(ask(stage, "downloads/fra-1", NULL, &err));
	assert_int_equal(stage->count, 2);
	assert_string_equal(stage->questions[0].key, "edge@192.0.2.10");
	assert_string_equal(stage->questions[1].key, "edge@2001:db8:1::10");
	/* in any order; there is no reply before the last */
	answer(stage, 1, "degraded", "slow");
	assert_null(stage->reply);
	answer(stage, 0, "up", "");

	assert_true(json_is_true(json_object_get(stage->reply, "ok")));
	assert_string_equal(text_of(stage, "192.0.2.10", "verdict"), "up");
	assert_null(text_of(stage, "192.0.2.10", "reason"));
	assert_string_equal(text_of(stage, "2001:db8:1::10", "verdict"), "degraded");
	assert_string_equal(text_of(stage, "2001:db8:1::10", "reason"), "slow");
}

static void one_failure_is_told(void **state)
{
	struct stage *stage = *state;
	struct err err;

	assert_non_null(ask(stage, "site:fra", "edge", &err));
	assert_int_equal(stage->count, 3);
	answer(stage, 0, "up", "");
	answer(stage, 1, "down", "status 500");
	stage->questions[2].found(stage->questions[2].context,
		&(struct control_found){.why = "the prober does not run"});
	assert_true(json_is_false(json_object_get(stage->reply, "ok")));
	assert_string_equal(text_of(stage, "2001:db8:1::10", "reason"), "status 500");
	assert_string_equal(text_of(stage, "192.0.2.11", "error"), "the prober does not run");
	assert_null(text_of(stage, "192.0.2.11", "verdict"));
}

static void who_left_hears_nothing(void **state)
{
	struct stage *stage = *state;
	struct err err;
	struct inquiry *inquiry = ask(stage, "downloads/fra-1", NULL, &err);

	answer(stage, 0, "up", "");
	inquire_free(inquiry);
	answer(stage, 1, "up", "");
	assert_null(stage->reply);
}

static const struct {
	const char *subject;
	const char *monitor;
	const char *want;
} refusals[] = {
	{"fra-9", NULL, "no member or site is called 'fra-9'; did you mean 'fra-1'?"},
	{"downloads", NULL, "'downloads' is a pool: name its members, 'downloads/...', or a site"},
	{"fra-1", "deep", "'fra-1' is not checked by 'deep'"},
	{"z-1", NULL, "'z-1' has no address that is checked"},
	{"api/rest", NULL, "'api/rest' has no address that is checked"},
};

static void what_cannot_be_probed(void **state)
{
	struct stage *stage = *state;
	struct err err;

	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		assert_null(ask(stage, refusals[i].subject, refusals[i].monitor, &err));
		assert_string_equal(err.text, refusals[i].want);
	}
	assert_int_equal(stage->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_check_for_each_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_failure_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_left_hears_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_probed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
