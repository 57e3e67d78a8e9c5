/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../plan/believe.h"
#include "files.h"
#include "steerd/base/memory.h"
#include "steerd/control/control.h"
#include "steerd/control/lost.h"

/* ---- a daemon that consists of a plan and a list ---- */

#define NOW_UNIX_S 1700001000

struct stage {
	struct files files;
	const struct snapshot *snapshot;
	struct plan *plan;
	struct verdict_table verdicts;
	struct override_list overrides;
	struct control_prober prober;
	struct control_reload reload;
	struct control_notices notices;
	bool disk_is_full;
	struct text pushed;	 /* "KEY STATE REASON" a line */
	uint32_t waiting_member; /* waits for its return; UINT32_MAX: none */
};

static const struct address_port listening = {{ADDRESS_IPV4, {127, 0, 0, 1}}, 5300};

static void describe(void *context, struct control_facts *ret_facts)
{
	struct stage *stage = context;

	*ret_facts = (struct control_facts){
		.plan = stage->plan,
		.verdicts = &stage->verdicts,
		.overrides = &stage->overrides,
		.listen = &listening,
		.listen_count = 1,
		.now_unix_s = NOW_UNIX_S,
		.started_at_unix_s = NOW_UNIX_S - 1000,
		.prober = stage->prober,
		.reload = stage->reload,
		.notices = stage->notices,
		.state_error = stage->disk_is_full ? "no space left on device" : NULL,
		.counters = {[STATS_UDP_QUERIES] = 17},
		.tcp_open = 2,
	};
}

static void plan_again(struct stage *stage)
{
	struct plan *next =
		believe_plan(stage->snapshot, &stage->verdicts, &stage->overrides, stage->plan);

	plan_free(stage->plan);
	stage->plan = next;
}

static bool apply(void *context, const struct override *override, struct err *err)
{
	struct stage *stage = context;

	override_list_set(&stage->overrides, override);
	plan_again(stage);
	return !stage->disk_is_full || err_set(err, "no space left on device");
}

static bool push(void *context, const char *key, enum verdict_state verdict_state,
	const char *reason, struct err *err)
{
	struct stage *stage = context;

	if (stage->disk_is_full)
		return err_set(err, "the prober does not take it");
	text_print(&stage->pushed, "%s %d %s\n", key, (int)verdict_state, reason ? reason : "-");
	return true;
}

static size_t let_back(void *context, uint32_t member_id)
{
	struct stage *stage = context;

	return member_id == stage->waiting_member ? 2 : 0;
}

/* For the first time, or again. */
static void read_files(struct stage *stage)
{
	const struct snapshot *before = stage->snapshot;
	struct report report = {0};

	stage->snapshot =
		snapshot_read(stage->files.settings_path, &(struct snapshot_options){0}, &report);
	if (!stage->snapshot || report.error_count > 0)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	verdict_table_done(&stage->verdicts);
	verdict_table_carry(&stage->snapshot->targets, NULL, NULL, NOW_UNIX_S, &stage->verdicts);
	plan_free(stage->plan);
	stage->plan = NULL;
	plan_again(stage);
	snapshot_release(before);
}

static int set_up(void **state)
{
	struct stage *stage = memory_new(sizeof(*stage));

	files_init(&stage->files);
	stage->prober =
		(struct control_prober){.state = CONTROL_PROBER_RUNNING, .pid = 7, .heard_ms = 400};
	read_files(stage);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	plan_free(stage->plan);
	snapshot_release(stage->snapshot);
	verdict_table_done(&stage->verdicts);
	override_list_done(&stage->overrides);
	files_done(&stage->files);
	text_done(&stage->pushed);
	free(stage);
	return 0;
}

/* The checks of an address say so, for 300 s. */
static void set_verdict(struct stage *stage, const char *text, enum verdict_state verdict_state)
{
	struct address address;

	assert_true(address_parse(text, &address));
	for (size_t i = 0; i < stage->verdicts.count; i++) {
		struct verdict *row = &stage->verdicts.rows[i];

		if (!address_is_equal(&row->address, &address))
			continue;
		row->state = (uint8_t)verdict_state;
		row->since_unix_s = NOW_UNIX_S - 300;
		row->checked_at_unix_s = NOW_UNIX_S - 2;
		row->latency_ms = 2000;
		row->streak = 3;
		row->last_passed = verdict_state == VERDICT_UP;
		row->was_up = true;
		strcpy(row->reason,
			verdict_state == VERDICT_UP ? "" : "connect timed out after 2 s");
	}
	plan_again(stage);
}

static json_t *ask(struct stage *stage, const char *json)
{
	const struct control_actions actions = {
		.context = stage,
		.describe = describe,
		.override = apply,
		.push = push,
		.let_back = let_back,
	};
	struct request request;
	struct text body = {0};
	struct err err;
	json_error_t error;

	if (!request_read(json, strlen(json), &request, &err))
		fail_msg("%s: %s", json, err.text);
	control_reply(&actions, &request, "alice", &body);
	request_done(&request);

	json_t *reply = json_loadb(body.bytes, body.size, 0, &error);

	assert_non_null(reply);
	text_done(&body);
	return reply;
}

/* A part of a reply as text: "pools.0.state"; "-" if it is not there. */
static char *part(json_t *reply, const char *path)
{
	json_t *at = reply;
	char *words = memory_text(path);
	char *rest = words;

	for (char *word; at && (word = strsep(&rest, "."));)
		at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(word, NULL, 10))
				       : json_object_get(at, word);
	free(words);
	if (json_is_string(at))
		return memory_text(json_string_value(at));
	return at ? json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6))
		  : memory_text("-");
}

static void assert_part(json_t *reply, const char *path, const char *want)
{
	char *got = part(reply, path);

	if (strcmp(got, want) != 0) {
		char *whole = json_dumps(reply, JSON_INDENT(1));

		fail_msg("%s is %s, not %s, in %s", path, got, want, whole);
	}
	free(got);
}

/* ---- overrides: one after the other, each on what stands then ---- */

static const struct {
	const char *request;
	const char *want; /* message or error */
	const char *warnings;
} steps[] = {
	{"{\"command\":\"undrain\",\"subject\":\"site:fra\"}", "'site:fra' is not drained", "-"},
	{"{\"command\":\"release\",\"subject\":\"iad-1\"}", "'iad-1' is not drained or forced",
		"-"},
	{"{\"command\":\"drain\",\"subject\":\"nobody\"}",
		"no member or site is called 'nobody'; 'steerctl status' lists them", "-"},
	{"{\"command\":\"drain\",\"subject\":\"fra-l\"}",
		"no member or site is called 'fra-l'; did you mean 'fra-1'?", "-"},
	{"{\"command\":\"drain\",\"subject\":\"downloads/fra-3\"}",
		"no member or site is called 'downloads/fra-3'; did you mean 'downloads/fra-1'?",
		"-"},
	{"{\"command\":\"drain\",\"subject\":\"fra\"}", "'fra' is a site: say 'site:fra'", "-"},
	{"{\"command\":\"drain\",\"subject\":\"downloads\"}",
		"'downloads' is a pool: name its members, 'downloads/...', or a site", "-"},
	{"{\"command\":\"drain\",\"subject\":\"\"}",
		"no member or site is called ''; 'steerctl status' lists them", "-"},
	{"{\"command\":\"drain\",\"subject\":\"site:\"}",
		"no member or site is called 'site:'; 'steerctl status' lists them", "-"},
	{"{\"command\":\"force\",\"state\":\"off\",\"subject\":\"iad-1\"}",
		"'off' is neither 'up' nor 'down'", "-"},
	{"{\"command\":\"drain\",\"subject\":\"fra-1\",\"for\":7200}",
		"fra-1: drained (2 members in 2 pools), until 2023-11-15 00:30:00 UTC",
		"[\"pool downloads has no usable IPv6 address left: it answers with all of them "
		"(serve-all)\"]"},
	{"{\"command\":\"undrain\",\"subject\":\"downloads/fra-1\"}",
		"'downloads/fra-1' has no override of its own; 'fra-1' is drained: say that "
		"instead",
		"-"},
	{"{\"command\":\"drain\",\"subject\":\"site:fra\",\"reason\":\"power\"}",
		"site:fra: drained (2 members in 1 pool)",
		"[\"downloads/fra-1 is still drained, as 'fra-1'\"]"},
	{"{\"command\":\"force\",\"state\":\"down\",\"subject\":\"downloads/iad-1\"}",
		"downloads/iad-1: forced down (1 member in 1 pool)",
		"[\"pool downloads has no usable member left: it answers with all of them "
		"(serve-all)\"]"},
	{"{\"command\":\"undrain\",\"subject\":\"downloads/iad-1\"}",
		"'downloads/iad-1' is forced down, not drained: end that with 'steerctl release "
		"downloads/iad-1'",
		"-"},
	{"{\"command\":\"drain\",\"subject\":\"z-1\"}", "z-1: drained (1 member in 1 pool)",
		"[\"pool api has no usable member left: it answers with all of them (serve-all)\","
		"\"pool last has no usable member left: its names are answered from their own "
		"records (fallback)\"]"},
	{"{\"command\":\"force\",\"state\":\"up\",\"subject\":\"downloads/iad-1\"}",
		"downloads/iad-1: forced up (1 member in 1 pool)", "[]"},
	{"{\"command\":\"release\",\"subject\":\"downloads/iad-1\"}",
		"downloads/iad-1: released (1 member in 1 pool)", "[]"},
	{"{\"command\":\"release\",\"subject\":\"fra-1\"}",
		"fra-1: released (2 members in 2 pools)",
		"[\"downloads/fra-1 is still drained, as 'site:fra'\"]"},
	{"{\"command\":\"undrain\",\"subject\":\"site:fra\"}",
		"site:fra: released (2 members in 1 pool)", "[]"},
};

static void overrides_in_turn(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		json_t *reply = ask(stage, steps[i].request);
		bool done = json_is_true(json_object_get(reply, "ok"));

		assert_part(reply, done ? "message" : "error", steps[i].want);
		assert_part(reply, "warnings", steps[i].warnings);
		json_decref(reply);
	}
	/* what is left of all that */
	assert_int_equal(stage->overrides.count, 1);
	assert_string_equal(stage->overrides.items[0].subject, "z-1");
	assert_string_equal(stage->overrides.items[0].by, "alice");
	assert_int_equal(stage->overrides.items[0].since_unix_s, NOW_UNIX_S);
}

static void override_of_what_is_gone(void **state)
{
	struct stage *stage = *state;
	json_t *reply;

	/* a member that the configuration had when it was drained */
	override_list_set(&stage->overrides,
		&(struct override){OVERRIDE_DRAIN, "old-1", "", "bob", 1700000000, 0});
	reply = ask(stage, "{\"command\":\"status\"}");
	assert_part(reply, "overrides.0.subject", "old-1");
	assert_part(reply, "overrides.0.members", "0");
	json_decref(reply);
	reply = ask(stage, "{\"command\":\"undrain\",\"subject\":\"old-1\"}");
	assert_part(reply, "ok", "true");
	assert_int_equal(stage->overrides.count, 0);
	json_decref(reply);
}

/* One that waits for a moment is no problem, one that waits for a minute is. */
static void notices_that_wait(void **state)
{
	struct stage *stage = *state;
	json_t *reply;

	stage->notices = (struct control_notices){
		.receivers = 1, .waiting = 2, .oldest_ms = 59999, .told = 7};
	reply = ask(stage, "{\"command\":\"status\"}");
	assert_part(reply, "problems", "[]");
	assert_part(reply, "notices",
		"{\"receivers\":1,\"waiting\":2,\"oldest_ms\":59999,\"told\":7,\"given_up\":0,"
		"\"why\":null}");
	json_decref(reply);
	stage->notices.oldest_ms = 60000;
	reply = ask(stage, "{\"command\":\"status\"}");
	assert_part(reply, "problems",
		"[\"2 notifications cannot be delivered, the oldest for 1 min\"]");
	json_decref(reply);
}

static void override_that_cannot_be_saved(void **state)
{
	struct stage *stage = *state;
	json_t *reply;

	stage->disk_is_full = true;
	reply = ask(stage, "{\"command\":\"drain\",\"subject\":\"iad-1\"}");
	assert_part(reply, "ok", "true");
	assert_part(reply, "warnings",
		"[\"it is not on disk yet, and a restart would lose it: no space left on "
		"device\"]");
	json_decref(reply);
	reply = ask(stage, "{\"command\":\"status\"}");
	assert_part(reply, "problems", "[\"state is not saved: no space left on device\"]");
	json_decref(reply);
}

/* ---- return ---- */

static void only_who_waits_returns(void **state)
{
	struct stage *stage = *state;
	json_t *reply;

	stage->waiting_member = UINT32_MAX;
	reply = ask(stage, "{\"command\":\"return\",\"subject\":\"fra-1\"}");
	assert_part(reply, "error", "'fra-1' does not wait to be returned");
	json_decref(reply);
	stage->waiting_member = stage->snapshot->pools[0].members[0].id;
	reply = ask(stage, "{\"command\":\"return\",\"subject\":\"fra-1\"}");
	assert_part(reply, "message", "fra-1: returned (2 addresses of 1 member)");
	json_decref(reply);
	reply = ask(stage, "{\"command\":\"return\",\"subject\":\"fra-l\"}");
	assert_part(reply, "error", "no member or site is called 'fra-l'; did you mean 'fra-1'?");
	json_decref(reply);
}

/* ---- status ---- */

struct want {
	const char *path;
	const char *text;
};

static void assert_parts(json_t *reply, const struct want *wants, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_part(reply, wants[i].path, wants[i].text);
	json_decref(reply);
}

static void status_of_a_fresh_start(void **state)
{
	static const struct want wants[] = {
		{"ok", "true"},
		{"generation", "1"},
		{"listen", "[\"127.0.0.1:5300\"]"},
		{"problems", "[]"},
		{"prober.state", "running"},
		{"prober.heard_ms", "400"},
		{"prober.why", "null"},
		{"reload", "null"},
		{"overrides", "[]"},
		{"zones.0.name", "files.example."},
		{"zones.0.serial", "2026112201"},
		{"zones.0.steered", "4"},
		{"counters.udp_queries", "17"},
		{"cookies.secrets", "1"},
		{"cookies.kept", "true"},
		{"tcp_open", "2"},
		{"pools.0.name", "downloads"},
		{"pools.0.method", "nearest"},
		{"pools.0.answers", "2"},
		{"pools.0.monitor", "edge"},
		{"pools.0.state", "up"},
		{"pools.0.usable", "3"},
		{"pools.0.members.0.name", "fra-1"},
		{"pools.0.members.0.site", "fra"},
		{"pools.0.members.0.state", "unknown"},
		{"pools.0.members.0.addresses.1.address", "2001:db8:1::10"},
		{"pools.0.members.0.addresses.1.state", "unknown"},
		{"pools.0.members.0.addresses.1.checked_at_unix_s", "null"},
		{"pools.0.members.0.addresses.1.passed", "null"},
		{"pools.1.monitor", "{all-of: [edge, edge]}"},
		{"pools.1.when_all_down", "serve-all"},
		{"pools.1.members.1.pool", "last"},
		{"pools.1.members.1.state", "up"},
		{"pools.1.members.1.addresses", "[]"},
		{"pools.2.when_all_down", "fallback"},
		{"pools.2.monitor", "null"},
		{"pools.2.members.0.state", "unchecked"},
		{"pools.2.steers", "[\"last.files.example.\"]"},
		{"pools.3", "-"},
	};

	assert_parts(ask(*state, "{\"command\":\"status\"}"), wants, COUNT_OF(wants));
}

static void status_of_bad_days(void **state)
{
	static const struct want partly[] = {
		{"pools.0.state", "degraded"},
		{"pools.0.usable", "2"},
		{"pools.0.members.0.state", "partly"},
		{"pools.0.members.0.usable", "true"},
		{"pools.0.members.0.since_unix_s", "1700000700"},
		{"pools.0.members.0.addresses.0.state", "down"},
		{"pools.0.members.0.addresses.0.reason", "connect timed out after 2 s"},
		{"pools.0.members.0.addresses.0.streak", "3"},
		{"pools.0.members.0.addresses.1.state", "up"},
		{"pools.0.members.0.addresses.1.reason", "null"},
		{"pools.0.members.1.state", "down"},
		{"pools.0.members.1.usable", "false"},
		{"pools.1.state", "degraded"},
		{"pools.1.members.0.state", "down"},
		{"problems.0",
			"downloads/fra-1 192.0.2.10 is down for 5 min: connect timed out "
			"after 2 s"},
		{"problems.2",
			"api/fra-1 192.0.2.10 is down for 5 min: connect timed out after 2 s"},
		{"problems.3", "-"},
	};
	static const struct want lost[] = {
		{"problems.0",
			"pool downloads has no usable member: it answers with all of them "
			"(serve-all)"},
		{"problems.1",
			"the prober does not run: killed by signal 9: health stays as it "
			"was; it is started again"},
		{"problems.2",
			"the files had mistakes when they were read at 2023-11-14 22:26:40 "
			"UTC: see 'steerctl check'"},
		{"prober.state", "down"},
		{"prober.heard_ms", "null"},
		{"reload.ok", "false"},
		{"reload.lines", "[\"a.zone:3: x\",\"b\"]"},
		{"pools.0.state", "down"},
		{"pools.0.usable", "0"},
	};
	struct stage *stage = *state;

	set_verdict(stage, "192.0.2.10", VERDICT_DOWN);
	set_verdict(stage, "192.0.2.11", VERDICT_DOWN);
	set_verdict(stage, "2001:db8:1::10", VERDICT_UP);
	assert_parts(ask(stage, "{\"command\":\"status\"}"), partly, COUNT_OF(partly));

	set_verdict(stage, "192.0.2.20", VERDICT_DOWN);
	set_verdict(stage, "2001:db8:1::10", VERDICT_DOWN);
	stage->prober = (struct control_prober){
		.state = CONTROL_PROBER_DOWN, .heard_ms = UINT64_MAX, .why = "killed by signal 9"};
	stage->reload = (struct control_reload){NOW_UNIX_S - 200, false, "a.zone:3: x\nb\n"};
	assert_parts(ask(stage, "{\"command\":\"status\"}"), lost, COUNT_OF(lost));
}

static void status_of_overrides(void **state)
{
	static const struct want wants[] = {
		{"overrides.0.kind", "drain"},
		{"overrides.0.subject", "site:fra"},
		{"overrides.0.reason", "power"},
		{"overrides.0.by", "alice"},
		{"overrides.0.since_unix_s", "1700001000"},
		{"overrides.0.until_unix_s", "1700001060"},
		{"overrides.0.members", "1"},
		{"overrides.1.kind", "up"},
		{"overrides.1.until_unix_s", "null"},
		{"overrides.1.members", "2"},
		{"pools.0.state", "degraded"},
		{"pools.0.members.0.state", "forced-up"},
		{"pools.0.members.0.usable", "true"},
		{"pools.0.members.0.override.subject", "fra-1"},
		{"pools.0.members.1.state", "drained"},
		{"pools.0.members.1.usable", "false"},
		{"pools.0.members.2.override", "null"},
		{"problems", "[]"},
	};

	json_decref(ask(*state,
		"{\"command\":\"drain\",\"subject\":\"site:fra\",\"reason\":"
		"\"power\",\"for\":60}"));
	json_decref(ask(*state, "{\"command\":\"force\",\"state\":\"up\",\"subject\":\"fra-1\"}"));
	assert_parts(ask(*state, "{\"command\":\"status\"}"), wants, COUNT_OF(wants));
}

static const struct {
	const char *subject;
	const char *pools; /* of the reply: pool/member,... */
	const char *error;
} subjects[] = {
	{"downloads", "downloads/fra-1 downloads/fra-2 downloads/iad-1 ", NULL},
	{"fra-1", "downloads/fra-1 api/fra-1 ", NULL},
	{"api/fra-1", "api/fra-1 ", NULL},
	{"site:iad", "downloads/iad-1 ", NULL},
	{"rest", "api/rest ", NULL},
	{"iad", NULL, "'iad' is a site: say 'site:iad'"},
	{"download", NULL,
		"no pool, member or site is called 'download'; did you mean 'downloads'?"},
	{"site:xyz", NULL,
		"no pool, member or site is called 'site:xyz'; 'steerctl status' lists them"},
};

/* ---- metrics ---- */

static size_t count_lines(const char *text, const char *begin)
{
	size_t count = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		count += strncmp(line, begin, strlen(begin)) == 0;
	return count;
}

static const char *const lines_of_bad_days[] = {
	"# TYPE steerd_udp_queries_total counter",
	"steerd_udp_queries_total 17",
	"steerd_tcp_open 2",
	"steerd_state_saved 0",
	"steerd_prober_up 1",
	"steerd_prober_table_age_seconds 0.4",
	"steerd_zone_serial{zone=\"files.example.\"} 2026112201",
	"steerd_pool_usable_members{pool=\"downloads\"} 2",
	"steerd_member_usable{pool=\"downloads\",member=\"fra-2\",site=\"fra\"} 0",
	"steerd_member_usable{pool=\"api\",member=\"rest\",site=\"\"} 1",
	"steerd_address_state{pool=\"downloads\",member=\"fra-2\",address=\"192.0.2.11\"} 3",
	"steerd_address_state{pool=\"last\",member=\"z-1\",address=\"192.0.2.99\"} 1",
	"steerd_check_latency_seconds{pool=\"downloads\",member=\"fra-2\",address=\"192.0.2.11\","
	"monitor="
	"\"edge\"} 2",
	"steerd_certificate_end_seconds{pool=\"downloads\",member=\"fra-2\",address=\"192.0.2.11\","
	"monitor="
	"\"edge\",name=\"a\\\\b\",issuer=\"\\\"CA\\\"\"} 1700005000",
};

static void metrics_of_bad_days(void **state)
{
	struct stage *stage = *state;

	stage->disk_is_full = true;
	set_verdict(stage, "192.0.2.11", VERDICT_DOWN);
	for (size_t i = 0; i < stage->verdicts.count; i++) {
		struct verdict *row = &stage->verdicts.rows[i];

		if (row->state != VERDICT_DOWN)
			continue;
		row->certificate_until_unix_s = NOW_UNIX_S + 4000;
		strcpy(row->certificate, "a\\b");
		strcpy(row->issuer, "\"CA\"");
	}

	json_t *reply = ask(stage, "{\"command\": \"metrics\"}");
	const char *text = json_string_value(json_object_get(reply, "text"));

	for (size_t i = 0; i < COUNT_OF(lines_of_bad_days); i++) {
		struct text line = {0};

		text_print(&line, "%s\n", lines_of_bad_days[i]);
		if (count_lines(text, line.bytes) != 1)
			fail_msg("not once: %s in\n%s", line.bytes, text);
		text_done(&line);
	}
	/* a monitor that a condition names twice is one check; what is not checked has none */
	assert_int_equal(count_lines(text, "steerd_check_state{pool=\"api\""), 1);
	assert_int_equal(count_lines(text, "steerd_check_state{pool=\"last\""), 0);
	assert_int_equal(count_lines(text, "steerd_reload"), 0);
	json_decref(reply);
}

static void status_of_subjects(void **state)
{
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		struct text request = {0};
		struct text got = {0};
		size_t p, m;
		json_t *pool, *member;

		text_print(&request, "{\"command\":\"status\",\"subject\":\"%s\"}",
			subjects[i].subject);

		json_t *reply = ask(*state, request.bytes);

		if (subjects[i].error) {
			assert_part(reply, "error", subjects[i].error);
		} else {
			json_array_foreach (json_object_get(reply, "pools"), p, pool)
				json_array_foreach (json_object_get(pool, "members"), m, member)
					text_print(&got, "%s/%s ",
						json_string_value(json_object_get(pool, "name")),
						json_string_value(json_object_get(member, "name")));
			assert_string_equal(got.bytes, subjects[i].pools);
		}
		json_decref(reply);
		text_done(&got);
		text_done(&request);
	}
}

/* ---- pools that are lost ---- */

static const struct {
	const char *override; /* applied first; NULL: none */
	const char *lost;
	const char *back;
} losses[] = {
	{NULL, "", ""},
	{"{\"command\":\"drain\",\"subject\":\"site:fra\"}",
		"pool downloads has no usable IPv6 address: it answers with all of them "
		"(serve-all)\n",
		""},
	{"{\"command\":\"drain\",\"subject\":\"iad-1\"}",
		"pool downloads has no usable member: it answers with all of them (serve-all)\n",
		""},
	{"{\"command\":\"drain\",\"subject\":\"z-1\"}",
		"pool last has no usable member: its names are answered from their own records "
		"(fallback)\n",
		""},
	{NULL, "", ""},
	{"{\"command\":\"force\",\"state\":\"down\",\"subject\":\"api/fra-1\"}",
		"pool api has no usable member: it answers with all of them (serve-all)\n", ""},
	{"{\"command\":\"release\",\"subject\":\"z-1\"}", "",
		"pool api has a usable member again\npool last has a usable member again\n"},
	{"{\"command\":\"undrain\",\"subject\":\"site:fra\"}", "",
		"pool downloads has a usable member again\n"},
};

static void losses_are_said_once(void **state)
{
	struct lost lost = {0};

	for (size_t i = 0; i < COUNT_OF(losses); i++) {
		struct control_facts facts;
		struct text gone = {0};
		struct text back = {0};

		if (losses[i].override)
			json_decref(ask(*state, losses[i].override));
		describe(*state, &facts);
		text_add(&gone, "");
		text_add(&back, "");
		lost_update(&lost, &facts, &gone, &back);
		assert_string_equal(gone.bytes, losses[i].lost);
		assert_string_equal(back.bytes, losses[i].back);
		text_done(&gone);
		text_done(&back);
	}
	lost_done(&lost);
}

/* What a pool does that no zone names, or of which no address is known, is not what its settings say. */
static void losses_that_settings_do_not_decide(void **state)
{
	struct stage *stage = *state;
	struct control_facts facts;
	struct lost lost = {0};
	struct text gone = {0};
	struct text back = {0};

	struct text settings = {0};
	char *city = realpath("geo/default.geo", NULL); /* not what is installed, if anything is */

	assert_non_null(city);
	text_print(&settings,
		"zones: zones/\n"
		"geo: {city: %s}\n"
		"pools:\n"
		"  api: {method: failover, members: {a: {pool: inner}, b: {address: 192.0.2.1}}}\n"
		"  inner: {method: all, members: {c: {address: 192.0.2.2}}}\n"
		"  hosts: {method: all, members: {d: {host: d.example}}}\n",
		city);
	free(city);
	files_put(&stage->files, "steerd.yaml", settings.bytes);
	text_done(&settings);
	files_put(&stage->files, "zones/files.example.zone",
		"$TTL 60\n"
		"@ SOA ns1 hostmaster 1 7200 900 1209600 60\n"
		"@ NS ns1\n"
		"ns1 A 192.0.2.1\n"
		"_steer.api TXT \"pool=api\"\n"
		"_steer.hosts TXT \"pool=hosts\"\n");
	read_files(stage);
	json_decref(ask(stage, "{\"command\":\"drain\",\"subject\":\"inner/c\"}"));
	describe(stage, &facts);
	lost_update(&lost, &facts, &gone, &back);
	assert_string_equal(gone.bytes,
		"pool inner has no usable member: pools that hold it go on without it\n"
		"pool hosts has no usable member: it has no address, its names are answered from "
		"their own records\n");
	text_done(&gone);
	text_done(&back);
	lost_done(&lost);
}

/* ---- explain ---- */

static void explain_names_where_an_alias_leads(void **state)
{
	static const struct {
		const char *name;
		const char *want; /* of "alias"; "-": it is not there */
	} names[] = {
		{"www", "dl.files.example."},
		{"out", "far.example."},
		{"any.x", "api.files.example."},
		{"ns1", "null"},
		{"dl", "-"},
	};
	struct stage *stage = *state;

	files_put(&stage->files, "zones/files.example.zone",
		"$TTL 60\n"
		"@ SOA ns1 hostmaster 1 7200 900 1209600 60\n"
		"@ NS ns1\n"
		"ns1 A 192.0.2.1\n"
		"www CNAME dl\n"
		"out CNAME far.example.\n"
		"*.x CNAME api\n"
		"_steer.dl TXT \"pool=downloads\"\n");
	read_files(stage);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct want wants[] = {{"ok", "true"}, {"alias", names[i].want}};
		struct text request = {0};

		text_print(&request,
			"{\"command\":\"explain\",\"client\":\"198.18.0.1\",\"name\":\"%s.files."
			"example\"}",
			names[i].name);

		assert_parts(ask(stage, request.bytes), wants, COUNT_OF(wants));
		text_done(&request);
	}
}

static void explain_near_frankfurt(void **state)
{
	static const struct want wants[] = {
		{"ok", "true"},
		{"name", "dl.files.example."},
		{"type", "A"},
		{"client", "198.18.7.0/24"},
		{"outcome", "node"},
		{"zone", "files.example."},
		{"owner", "dl.files.example."},
		{"wildcard", "false"},
		{"steered", "true"},
		{"pool", "downloads"},
		{"ttl_s", "30"},
		{"place.known", "true"},
		{"uses_geography", "true"},
		{"kind", "addresses"},
		{"candidates.0.member", "fra-1"},
		{"candidates.0.site", "fra"},
		{"candidates.0.distance_km", "0.0"},
		{"candidates.0.kept", "true"},
		{"candidates.0.share", "1.0"},
		{"candidates.0.code", "kept"},
		{"candidates.0.state", "up"},
		{"candidates.0.part", "1.0"},
		{"candidates.0.checks.0.monitor", "edge"},
		{"candidates.0.checks.0.decides", "true"},
		{"candidates.0.checks.0.state", "up"},
		{"candidates.0.checks.0.check", "null"},
		{"candidates.0.checks.1", "-"},
		{"candidates.0.override", "null"},
		{"answers.0.share", "1.0"},
		{"answers.1", "-"},
	};
	static const struct want drained[] = {
		{"candidates.0.code", "health-down"},
		{"candidates.0.kept", "false"},
		{"candidates.0.part", "0.0"},
		{"candidates.0.check", "connect timed out after 2 s"},
		{"candidates.0.checks.0.state", "down"},
		{"candidates.0.checks.0.check", "connect timed out after 2 s"},
	};
	struct stage *stage = *state;
	const char *request = "{\"command\":\"explain\",\"name\":\"dl.files.example\",\"client\":"
			      "\"198.18.7.0/24\"}";

	set_verdict(stage, "192.0.2.10", VERDICT_UP);
	assert_parts(ask(stage, request), wants, COUNT_OF(wants));
	set_verdict(stage, "192.0.2.10", VERDICT_DOWN);
	assert_parts(ask(stage, request), drained, COUNT_OF(drained));
}

static const struct {
	const char *request;
	const char *path;
	const char *want;
} explains[] = {
	{"{\"command\":\"explain\",\"name\":\"x.w.files.example.\",\"client\":\"198.19.0.1\"}",
		"wildcard", "true"},
	{"{\"command\":\"explain\",\"name\":\"x.w.files.example.\",\"client\":\"198.19.0.1\"}",
		"client", "198.19.0.1/32"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"198.19.0.1\"}",
		"answers", "[{\"share\":1.0,\"addresses\":[\"192.0.2.10\"]}]"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"198.19.0.1\"}",
		"uses_geography", "false"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"type\":\"aaaa\",\"client\":"
	 "\"::1\"}",
		"kind", "nodata"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"type\":\"AAAA\",\"client\":"
	 "\"::1\"}",
		"answers", "[]"},
	{"{\"command\":\"explain\",\"name\":\"ns1.files.example\",\"client\":\"198.19.0.1\"}",
		"steered", "false"},
	{"{\"command\":\"explain\",\"name\":\"no.files.example\",\"client\":\"198.19.0.1\"}",
		"outcome", "missing"},
	{"{\"command\":\"explain\",\"name\":\"other.example\",\"client\":\"198.19.0.1\"}",
		"outcome", "outside"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"type\":\"MX\",\"client\":"
	 "\"::1\"}",
		"error", "'MX' is not a steered type: A, AAAA, HTTPS or SVCB"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"type\":\"\",\"client\":\"::"
	 "1\"}",
		"error", "'' is not a steered type: A, AAAA, HTTPS or SVCB"},
	{"{\"command\":\"explain\",\"name\":\"api..example\",\"client\":\"198.19.0.1\"}", "ok",
		"false"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"198.19.0.300\"}",
		"ok", "false"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"198.19.0.1/24\"}",
		"ok", "false"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"\"}", "ok", "false"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"0.0.0.0/0\"}",
		"error",
		"client: '0.0.0.0/0' tells no place; it gets what the resolver that asks gets: "
		"give its address"},
	{"{\"command\":\"explain\",\"name\":\"api.files.example\",\"client\":\"::/0\"}", "ok",
		"false"},
};

static void explain_others(void **state)
{
	for (size_t i = 0; i < COUNT_OF(explains); i++) {
		json_t *reply = ask(*state, explains[i].request);

		assert_part(reply, explains[i].path, explains[i].want);
		json_decref(reply);
	}
}

/* All down, and the pool says `fallback`: what is answered are the name's own records. */
static void explain_fallback(void **state)
{
	static const struct want wants[] = {
		{"kind", "static"},
		{"ttl_s", "3600"},
		{"candidates.0.code", "replaced"},
		{"candidates.0.kept", "false"},
		{"candidates.0.share", "0.0"},
		{"candidates.0.override.by", "alice"},
		{"answers", "[{\"share\":1.0,\"addresses\":[\"192.0.2.3\"]}]"},
	};

	json_decref(ask(*state, "{\"command\":\"drain\",\"subject\":\"z-1\"}"));
	assert_parts(ask(*state,
			     "{\"command\":\"explain\",\"name\":\"last.files.example\","
			     "\"client\":\"198.19.0.1\"}"),
		wants, COUNT_OF(wants));
}

/* Of HTTPS, the pool decides the hints: both families by one random number. */
static void explain_hints(void **state)
{
#define EXPLAIN(name, type)                                                                        \
	"{\"command\":\"explain\",\"client\":\"198.18.7.1\",\"name\":\"" name                      \
	".files.example\",\"type\":\"" type "\"}"
	static const struct {
		const char *request;
		const char *kind;
		const char *ttl_s;
		const char *candidate; /* the first's member; "-": there is none */
		const char *answers;
	} cases[] = {
		{EXPLAIN("both", "HTTPS"), "hints", "60", "a",
			"[{\"share\":0.25,\"addresses\":[\"192.0.2.1\",\"2001:db8::1\"]},"
			"{\"share\":0.25,\"addresses\":[\"192.0.2.2\",\"2001:db8::1\"]},"
			"{\"share\":0.5,\"addresses\":[\"192.0.2.2\",\"2001:db8::2\"]}]"},
		{EXPLAIN("both", "https"), "hints", "60", "a", NULL},
		{EXPLAIN("both", "SVCB"), "hints", "20", "a",
			"[{\"share\":0.25,\"addresses\":[\"192.0.2.1\"]},"
			"{\"share\":0.75,\"addresses\":[\"192.0.2.2\"]}]"},
		{EXPLAIN("bare", "HTTPS"), "records", "300", "-", "[]"},
		{EXPLAIN("bare", "SVCB"), "nodata", "60", "-", "[]"},
		{EXPLAIN("four", "HTTPS"), "hints", "300", "z", "[]"},
		{EXPLAIN("last", "HTTPS"), "hints", "120", "z-1",
			"[{\"share\":1.0,\"addresses\":[\"192.0.2.3\"]}]"},
	};
	struct stage *stage = *state;
	char *city = realpath("geo/default.geo", NULL); /* as files_put_settings() does */
	struct text settings = {0};

	files_put(&stage->files, "zones/files.example.zone",
		"$TTL 300\n"
		"@ SOA ns1 hostmaster 1 7200 900 1209600 60\n"
		"@ NS ns1\n"
		"ns1 A 192.0.2.1\n"
		"_steer.both 60 TXT \"pool=weights\"\n"
		"both HTTPS 1 . alpn=h2 ipv4hint=203.0.113.1 ipv6hint=2001:db8:bad::\n"
		"both 20 SVCB 1 . ipv4hint=203.0.113.1\n"
		"_steer.bare 60 TXT \"pool=weights\"\n"
		"bare HTTPS 1 . alpn=h2\n"
		"_steer.four 60 TXT \"pool=four\"\n"
		"four HTTPS 1 . alpn=h2 ipv6hint=::1\n"
		"_steer.last 60 TXT \"pool=last\"\n"
		"last 120 A 192.0.2.3\n"
		"last HTTPS 1 . ipv4hint=203.0.113.1\n");
	text_print(&settings,
		"listen: [\"127.0.0.1:0\"]\n"
		"zones: zones\n"
		"state: state\n"
		"control: control\n"
		"geo: {city: %s}\n"
		"pools:\n"
		"  weights:\n"
		"    method: weighted\n"
		"    answers: 1\n"
		"    members:\n"
		"      a: {address: 192.0.2.1, weight: 1}\n"
		"      b: {address: 192.0.2.2, weight: 3}\n"
		"      c: {address: \"2001:db8::1\", weight: 2}\n"
		"      d: {address: \"2001:db8::2\", weight: 2}\n"
		"  four: {method: all, members: {z: {address: 192.0.2.4}}}\n"
		"  last:\n"
		"    method: all\n"
		"    when-all-down: fallback\n"
		"    members: {z-1: {address: 192.0.2.9}}\n",
		city);
	files_put(&stage->files, "steerd.yaml", settings.bytes);
	text_done(&settings);
	free(city);
	read_files(stage);
	json_decref(ask(stage, "{\"command\":\"drain\",\"subject\":\"z-1\"}"));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct want wants[] = {{"ok", "true"}, {"kind", cases[i].kind},
			{"ttl_s", cases[i].ttl_s}, {"candidates.0.member", cases[i].candidate}};
		json_t *reply = ask(stage, cases[i].request);

		if (cases[i].answers)
			assert_part(reply, "answers", cases[i].answers);
		assert_parts(reply, wants, COUNT_OF(wants));
	}
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(overrides_in_turn),
		ON_STAGE(override_of_what_is_gone),
		ON_STAGE(notices_that_wait),
		ON_STAGE(override_that_cannot_be_saved),
		ON_STAGE(only_who_waits_returns),
		ON_STAGE(status_of_a_fresh_start),
		ON_STAGE(status_of_bad_days),
		ON_STAGE(status_of_overrides),
		ON_STAGE(metrics_of_bad_days),
		ON_STAGE(status_of_subjects),
		ON_STAGE(losses_are_said_once),
		ON_STAGE(losses_that_settings_do_not_decide),
		ON_STAGE(explain_names_where_an_alias_leads),
		ON_STAGE(explain_near_frankfurt),
		ON_STAGE(explain_others),
		ON_STAGE(explain_fallback),
		ON_STAGE(explain_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
