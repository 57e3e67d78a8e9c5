/* SPDX-License-Identifier: Apache-2.0 */
#include "check_exec.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/outbound/terms.h"

struct check_exec {
	struct probe_order order;
	struct run *run;
};

static const char *const states[] = {
	[VERDICT_UNKNOWN] = "unknown",
	[VERDICT_UP] = "up",
	[VERDICT_DEGRADED] = "degraded",
	[VERDICT_DOWN] = "down",
};

/* ---- what it is told ---- */

enum { ADDRESS, MONITOR, HOST, TIMEOUT, LAST_STATE, VARIABLES };

static void print_variables(
	const struct probe_order *order, struct text ret_texts[static VARIABLES])
{
	char address[ADDRESS_TEXT_SIZE];

	address_print(&order->address, address);
	text_print(&ret_texts[ADDRESS], "STEERD_MEMBER_ADDRESS=%s", address);
	text_print(&ret_texts[MONITOR], "STEERD_MONITOR=%s", order->monitor->name);
	text_print(
		&ret_texts[HOST], "STEERD_HOST=%s", order->target->host ? order->target->host : "");
	text_print(&ret_texts[TIMEOUT], "STEERD_TIMEOUT_MS=%u", order->monitor->timeout_ms);
	text_print(&ret_texts[LAST_STATE], "STEERD_LAST_STATE=%s", states[order->last_state]);
}

static void tell_request(const struct probe_order *order)
{
	struct text command = {0};

	for (size_t i = 0; order->monitor->command[i]; i++)
		text_print(&command, "%s%s", i > 0 ? " " : "", order->monitor->command[i]);
	findings_add(order->findings, FINDING_REQUEST, "exec", command.bytes, 0);
	text_done(&command);
}

/* ---- what it says ---- */

static void describe_exit(const struct run_result *result, struct text *reason)
{
	if (result->line[0])
		text_add(reason, result->line);
	else
		text_print(reason, "exit code %d", result->code);
}

static void describe_signal(int number, struct text *reason)
{
	const char *name = sigabbrev_np(number);

	if (name)
		text_print(reason, "killed by SIG%s", name);
	else
		text_print(reason, "killed by signal %d", number);
}

static void describe(const struct settings_monitor *monitor, const struct run_result *result,
	struct text *reason)
{
	switch (result->end) {
	case RUN_EXITED:
		describe_exit(result, reason);
		break;
	case RUN_KILLED:
		describe_signal(result->code, reason);
		break;
	case RUN_TIMED_OUT:
		text_add(reason, "did not end within ");
		terms_limit(monitor->timeout_ms, reason);
		break;
	case RUN_FLOODED:
		text_add(reason, "wrote more than 64 KB");
		break;
	case RUN_NOT_STARTED:
		text_print(reason, "'%s' cannot be started: ", monitor->command[0]);
		terms_os(result->code, reason);
		break;
	}
}

static void on_run(void *context, const struct run_result *result)
{
	struct check_exec *check = context;
	struct probe_order order = check->order;
	struct text reason = {0};
	struct judge_check judged = {
		.passed = result->end == RUN_EXITED &&
			(result->code == 0 || result->code == CHECK_EXEC_DEGRADED),
		.is_degraded = result->end == RUN_EXITED && result->code == CHECK_EXEC_DEGRADED,
		.latency_ms = result->took_ms,
		.at_unix_s = clock_unix_s(),
		.note = result->line[0] ? result->line : NULL,
	};

	free(check);
	if (!judged.passed || judged.is_degraded) {
		describe(order.monitor, result, &reason);
		judged.reason = reason.bytes;
		judged.note = NULL;
	}
	findings_add(order.findings, FINDING_PHASE, "run", result->line,
		(uint64_t)result->took_ms * 1000);
	order.done(order.context, &judged);
	text_done(&reason);
}

struct check_exec *check_exec_start(struct runner *runner, const struct probe_order *order)
{
	struct check_exec *check = memory_new(sizeof(*check));
	struct text texts[VARIABLES] = {0};
	const char *environment[VARIABLES + 1] = {0};

	check->order = *order;
	print_variables(order, texts);
	for (size_t i = 0; i < VARIABLES; i++)
		environment[i] = texts[i].bytes;
	tell_request(order);
	check->run = run_start(runner,
		&(struct run_order){
			.command = order->monitor->command,
			.environment = environment,
			.timeout_ms = order->monitor->timeout_ms,
			.done = on_run,
			.context = check,
		});
	for (size_t i = 0; i < VARIABLES; i++)
		text_done(&texts[i]);
	return check;
}

void check_exec_cancel(struct check_exec *check)
{
	run_cancel(check->run);
	free(check);
}
