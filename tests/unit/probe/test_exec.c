/* SPDX-License-Identifier: Apache-2.0 */

/* Programs of the operator as checks: what they are told, and how what they say is taken. */

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "one.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

static void run_script(struct one *one, const char *script, const char **words)
{
	words[0] = "/bin/sh";
	words[1] = "-c";
	words[2] = script;
	words[3] = NULL;
	one->monitor.command = words;
	one->monitor.command_count = 3;
}

static const struct {
	const char *about;
	const char *script;
	const char *want;
} cases[] = {
	{"0 passes", "exit 0", "up"},
	{"what it says when it passes is the note", "echo 12 of 12 disks; exit 0",
		"up: 12 of 12 disks"},
	{"3 is degraded", "exit 3", "degraded: exit code 3"},
	{"3 with a reason", "echo 11 of 12 disks; exit 3", "degraded: 11 of 12 disks"},
	{"1 fails", "exit 1", "down: exit code 1"},
	{"2 fails, whatever other systems call a warning", "exit 2", "down: exit code 2"},
	{"127 fails", "exit 127", "down: exit code 127"},
	{"a reason", "echo no disk; exit 1", "down: no disk"},
	{"the first line alone", "echo no disk; echo at all; exit 1", "down: no disk"},
	{"a signal", "kill -SEGV $$", "down: killed by SIGSEGV"},
	{"a signal after a line", "echo well so far; kill -KILL $$", "down: killed by SIGKILL"},
	{"a signal without a name", "kill -40 $$", "down: killed by signal 40"},
	{"too much", "exec cat /dev/zero", "down: wrote more than 64 KB"},
	{"the address", "echo $STEERD_MEMBER_ADDRESS", "up: 127.0.0.1"},
	{"the monitor", "echo $STEERD_MONITOR", "up: script"},
	{"no host", "echo \"[$STEERD_HOST]${STEERD_HOST-unset}\"", "up: []"},
	{"the time limit", "echo $STEERD_TIMEOUT_MS", "up: 5000"},
	{"the last state", "echo $STEERD_LAST_STATE", "up: unknown"},
	{"no more than 160 octets of a line", "printf 'x%.0s' $(seq 300); exit 1",
		"down: "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
};

static void each_outcome(void **state)
{
	const char *words[4];
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		run_script(&one, cases[i].script, words);
		one_expect(&one, cases[i].want, cases[i].about);
		assert_true(one.result.at_unix_s > 0);
	}
	one_done(&one);
}

static void host_and_state(void **state)
{
	const char *words[4];
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	one.target = (struct target){.key = "script@edge.cdn.example", .host = "edge.cdn.example"};
	one.last_state = VERDICT_DOWN;
	assert_true(address_parse("2001:db8::1", &one.address));
	run_script(
		&one, "echo $STEERD_HOST at $STEERD_MEMBER_ADDRESS was $STEERD_LAST_STATE", words);
	one_expect(&one, "up: edge.cdn.example at 2001:db8::1 was down", "a member with a host");
	one_done(&one);
}

static void time_limit(void **state)
{
	const char *words[4];
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	one.monitor.timeout_ms = 200;
	run_script(&one, "exec sleep 60", words);
	one_expect(&one, "down: did not end within 200 ms", "its time is over");
	one_done(&one);
}

static void cannot_start(void **state)
{
	static const char *const nowhere[] = {"/nonexistent/check", NULL};
	static const char *const closed[] = {"/etc/passwd", NULL};
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	one.monitor.command = nowhere;
	one_expect(&one, "down: '/nonexistent/check' cannot be started: no such file or directory",
		"no such program");
	one.monitor.command = closed;
	one_expect(&one, "down: '/etc/passwd' cannot be started: permission denied",
		"no program at all");
	one_done(&one);
}

static void slow(void **state)
{
	const char *words[4];
	struct one one;
	unsigned took_ms;

	(void)state;
	one_init(&one, KIND_EXEC);
	one.monitor.slower_than_ms = 50;
	run_script(&one, "sleep 0.1", words);
	one_start(&one);
	one_await(&one, "one that takes its time");
	assert_true(one.result.passed && one.result.is_degraded);
	assert_int_equal(sscanf(one.reason, "slow: took %u ms, more than 50 ms", &took_ms), 1);
	assert_true(took_ms >= 100 && took_ms == one.result.latency_ms);

	run_script(&one, "sleep 0.1; echo broken; exit 1", words);
	one_expect(&one, "down: broken", "a failure is not slow");
	one_done(&one);
}

static void cancelled(void **state)
{
	const char *words[4];
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	run_script(&one, "exec sleep 600", words);
	one_start(&one);
	event_base_loop(one.base, EVLOOP_NONBLOCK);
	one_cancel(&one);
	run_script(&one, "exit 0", words);
	one_expect(&one, "up", "the next one");
	one_done(&one);
}

/* The event loop of a process that was stopped: what failed meanwhile says nothing, what passed does. */
static void stopped(void **state)
{
	const struct timespec pause = {.tv_nsec = 750000000};
	const char *words[4];
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	one.monitor.timeout_ms = 300;
	run_script(&one, "exec sleep 60", words);
	one_start(&one);
	nanosleep(&pause, NULL);
	one_await(&one, "a check while we were stopped");
	assert_true(one.says_nothing);

	run_script(&one, "exit 0", words);
	one_start(&one);
	nanosleep(&pause, NULL);
	one_await(&one, "a check that passed while we were stopped");
	assert_true(!one.says_nothing && one.result.passed);

	one_expect(&one, "up", "as ever");
	run_script(&one, "exit 1", words);
	one_expect(&one, "down: exit code 1", "failures count again");
	one_done(&one);
}

static void count_passed(void *context, const struct judge_check *result)
{
	size_t *passed = context;

	assert_true(result && result->passed);
	(*passed)++;
}

/* Of two exec monitors the smaller number counts; a program that meets another one fails. */
static void at_once(void **state)
{
	char directory[] = "/tmp/steerd-exec-XXXXXX";
	char script[128];
	const char *const words[] = {"/bin/sh", "-c", script, NULL};
	struct settings_monitor monitors[2];
	struct one one;
	size_t passed = 0;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(script, sizeof(script), "mkdir %s/busy && sleep 0.02 && rmdir %s/busy", directory,
		directory);
	one_init(&one, KIND_EXEC);
	one.monitor.command = words;
	monitors[0] = monitors[1] = one.monitor;
	monitors[1].at_once = 1;
	one.orders.link.monitors = monitors;
	one.orders.link.monitor_count = COUNT_OF(monitors);
	probes_obey(one.probes, &one.orders);
	for (size_t i = 0; i < 5; i++)
		probe_start(one.probes,
			&(struct probe_order){
				.orders = &one.orders,
				.monitor = &monitors[i % 2],
				.target = &one.target,
				.address = one.address,
				.done = count_passed,
				.context = &passed,
			});
	while (passed < 5)
		assert_int_equal(event_base_loop(one.base, EVLOOP_ONCE), 0);
	one_done(&one);
	assert_int_equal(rmdir(directory), 0);
}

/* What an operator who asks sees of it. */
static void findings(void **state)
{
	const char *words[4];
	struct one one;

	(void)state;
	one_init(&one, KIND_EXEC);
	run_script(&one, "echo well", words);
	one_expect(&one, "up: well", "a check that someone asked for");
	assert_int_equal(one.findings.count, 2);
	assert_int_equal(one.findings.items[0].section, FINDING_REQUEST);
	assert_string_equal(one.findings.items[0].value, "/bin/sh -c echo well");
	assert_int_equal(one.findings.items[1].section, FINDING_PHASE);
	assert_string_equal(one.findings.items[1].name, "run");
	one_done(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_outcome),
		cmocka_unit_test(host_and_state),
		cmocka_unit_test(time_limit),
		cmocka_unit_test(cannot_start),
		cmocka_unit_test(slow),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(stopped),
		cmocka_unit_test(at_once),
		cmocka_unit_test(findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
