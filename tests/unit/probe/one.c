/* SPDX-License-Identifier: Apache-2.0 */
#include "one.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "steerd/base/clock.h"

/* For machines that hang. */
#define WAIT_MAX_MS 20000

void one_init_with(struct one *one, enum settings_kind kind, const char *servers)
{
	*one = (struct one){
		.base = event_base_new(),
		.monitor = {.name = "script",
			.kind = kind,
			.every_ms = 1000,
			.timeout_ms = 5000,
			.fall = 1,
			.rise = 1,
			.at_once = 8,
			.verifies = true,
			.allows_internal = true},
		.target = {.key = "script@127.0.0.1"},
		.findings = {.arena = arena_new()},
		.trust_why = "no CA certificates",
	};
	one->probes = probes_new(one->base, servers, 8);
	assert_true(address_parse("127.0.0.1", &one->address));
	one->target.address = one->address;
	/* the last holder never lets go: it is part of the struct */
	one->orders.holders = 1;
}

void one_init(struct one *one, enum settings_kind kind)
{
	one_init_with(one, kind, NULL);
}

void one_done(struct one *one)
{
	one_cancel(one);
	recipe_drop(one->recipe);
	probes_free(one->probes);
	event_base_free(one->base);
	findings_done(&one->findings);
	assert_int_equal(one->orders.holders, 1);
}

static void on_done(void *context, const struct judge_check *result)
{
	struct one *one = context;

	assert_false(one->is_done);
	one->probe = NULL;
	one->is_done = true;
	one->says_nothing = !result;
	if (!result)
		return;
	one->result = *result;
	snprintf(one->reason, sizeof(one->reason), "%s", result->reason ? result->reason : "");
	snprintf(one->note, sizeof(one->note), "%s", result->note ? result->note : "");
	snprintf(one->certificate, sizeof(one->certificate), "%s",
		result->certificate ? result->certificate : "");
	snprintf(one->issuer, sizeof(one->issuer), "%s", result->issuer ? result->issuer : "");
	one->result.reason = one->reason;
	one->result.note = one->note;
	one->result.certificate = one->certificate;
	one->result.issuer = one->issuer;
}

/* The monitor may be another one than for the last probe. */
static void make_recipe(struct one *one)
{
	if (!recipe_is_for(&one->monitor))
		return;
	recipe_drop(one->recipe);
	one->recipe = recipe_new(&one->monitor, one->trust, &one->why);
	one->recipe_why = one->recipe ? "" : one->why.text;
	one->orders.recipes = &one->recipe;
	one->orders.recipe_why = &one->recipe_why;
}

void one_start(struct one *one)
{
	one->orders.link.monitors = &one->monitor;
	one->orders.link.monitor_count = 1;
	one->orders.link.targets = (struct target_list){.targets = &one->target, .count = 1};
	one->orders.trust = &one->trust;
	one->orders.trust_why = &one->trust_why;
	make_recipe(one);
	one->is_done = false;
	one->says_nothing = false;
	probes_obey(one->probes, &one->orders);
	one->probe = probe_start(one->probes,
		&(struct probe_order){
			.orders = &one->orders,
			.monitor = &one->monitor,
			.target = &one->target,
			.address = one->address,
			.last_state = one->last_state,
			.memory = &one->memory,
			.findings = &one->findings,
			.done = on_done,
			.context = one,
		});
	assert_false(one->is_done);
}

void one_cancel(struct one *one)
{
	probe_cancel(one->probe);
	one->probe = NULL;
}

void one_await(struct one *one, const char *about)
{
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;

	while (!one->is_done) {
		if (event_base_loop(one->base, EVLOOP_ONCE) != 0 ||
			clock_monotonic_ms() > end_at_ms)
			fail_msg("did not end: %s", about);
	}
}

void one_print(const struct one *one, char *ret_text, size_t size)
{
	const char *words =
		one->result.is_skipped || (one->result.passed && !one->result.is_degraded)
		? one->note
		: one->reason;
	const char *state = "down";

	if (one->result.passed)
		state = one->result.is_degraded ? "degraded" : "up";
	if (one->result.is_skipped)
		state = "skipped";
	if (one->says_nothing)
		snprintf(ret_text, size, "nothing");
	else
		snprintf(ret_text, size, "%s%s%s", state, words[0] ? ": " : "", words);
}

void one_expect(struct one *one, const char *want, const char *about)
{
	char outcome[300];

	one_start(one);
	one_await(one, about);
	one_print(one, outcome, sizeof(outcome));
	if (strcmp(outcome, want) != 0)
		fail_msg("%s: '%s', not '%s'", about, outcome, want);
}

/* ---- many that hang ---- */

static void on_none(void *context, const struct judge_check *result)
{
	(void)context;
	(void)result;
	fail_msg("it is not over");
}

void one_hang(struct one *one, const struct settings_monitor *monitor,
	const struct address *address, struct one_hanging *ret_hanging)
{
	*ret_hanging = (struct one_hanging){0};
	for (size_t i = 0; i < ONE_HANGING; i++) {
		ret_hanging->memories[i].has_failed = true;
		ret_hanging->probes[i] = probe_start(one->probes,
			&(struct probe_order){
				.orders = &one->orders,
				.monitor = monitor,
				.target = &one->target,
				.address = *address,
				.memory = &ret_hanging->memories[i],
				.done = on_none,
			});
	}
}

void one_hang_done(struct one_hanging *hanging)
{
	for (size_t i = 0; i < ONE_HANGING; i++)
		probe_cancel(hanging->probes[i]);
}

int one_listen_mute(const struct address *address, uint16_t *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(&to.sin_addr, address->bytes, sizeof(to.sin_addr));
	assert_int_equal(bind(fd, (const struct sockaddr *)&to, size), 0);
	assert_int_equal(listen(fd, 4 * ONE_HANGING), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &size), 0);
	*port = ntohs(to.sin_port);
	return fd;
}
