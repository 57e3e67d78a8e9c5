/* SPDX-License-Identifier: Apache-2.0 */

/* What pools say of their checks, the observer, and who is told: every key, and what cannot be. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mistakes.h"
#include "steerd/base/memory.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

#define MONITORS "monitors: {a: {push: {}}, b: {push: {}}, c: {https: {host: h}}}\n"

static const char everything[] = MONITORS
	"pools:\n"
	"  downloads:\n"
	"    method: weighted\n"
	"    monitor: {all-of: [a, {any-of: [b, {not: c}]}, {at-least: 2, of: [a, b, c]}]}\n"
	"    watch-only: [b, c]\n"
	"    panic-below: 30%\n"
	"    max-loss: 100%\n"
	"    degraded-share: 25%\n"
	"    slow-start: 60s\n"
	"    failback-delay: 2m\n"
	"    manual-return: yes\n"
	"    needs: origin\n"
	"    without: down\n"
	"    when-all-down: last-good\n"
	"    members:\n"
	"      one: {address: 192.0.2.1, capacity: 40}\n"
	"      two: {address: 192.0.2.2, monitor: {any-of: b}}\n"
	"  origin: {method: all, monitor: a, when-all-down: fenced, watch-only: c,\n"
	"    members: {x: {host: x.example}}}\n"
	"  sized: {method: all, members: {x: {host: x.example, capacity: 1}}}\n"
	"  risky: {method: all, panic-below: 0%, members: {x: {host: x.example, capacity: 1}}}\n"
	"observer: {canaries: origin, suspect-above: 30%, networks: 2, window: 30s, confirm: 2m}\n"
	"notify:\n"
	"  ops:\n"
	"    webhook: {url: \"https://hooks.example:8443/a?b\", secret: hook.key, ca: ca.pem,\n"
	"      allow-internal: yes}\n"
	"    after: 1m\n"
	"    repeat: 1h\n"
	"    on: [observer, down]\n"
	"  pager: {command: [/usr/local/bin/page, -v]}\n";

static void assert_condition(const struct settings *settings,
	const struct settings_condition *condition, const char *want)
{
	struct text text = {0};

	settings_print_condition(settings, condition, &text);
	assert_string_equal(text.bytes, want);
	text_done(&text);
}

static struct settings *parse(const char *yaml)
{
	struct report report = {0};
	struct settings *settings =
		settings_parse(yaml, strlen(yaml), "/etc/steerd/steerd.yaml", &report);

	if (!settings)
		fail_msg("%s", report.lines.bytes);
	report_done(&report);
	return settings;
}

static void pools_health(void **state)
{
	struct settings *settings = parse(everything);
	const struct settings_pool *pool = &settings->pools[0];

	(void)state;
	assert_condition(settings, pool->condition,
		"{all-of: [a, {any-of: [b, {not: c}]}, {at-least: 2, of: [a, b, c]}]}");
	assert_int_equal(pool->condition->place.line, 5);
	assert_int_equal(pool->condition->place.column, 14);
	assert_int_equal(pool->condition->items[1].place.column, 27);
	assert_int_equal(pool->watch_only_count, 2);
	assert_int_equal(pool->watch_only[0], 1);
	assert_int_equal(pool->watch_only[1], 2);
	assert_int_equal(pool->panic_percent, 30);
	assert_int_equal(pool->loss_percent, 100);
	assert_int_equal(pool->degraded_percent, 25);
	assert_int_equal(pool->slow_start_ms, 60000);
	assert_int_equal(pool->failback_ms, 120000);
	assert_true(pool->has_manual_return);
	assert_int_equal(pool->needs, 1);
	assert_int_equal(pool->without, WITHOUT_DOWN);
	assert_int_equal(pool->when_all_down, ALL_DOWN_LAST_GOOD);
	assert_int_equal(pool->members[0].capacity, 40);
	assert_null(pool->members[0].condition);
	assert_int_equal(pool->members[1].capacity, 0);
	assert_condition(settings, pool->members[1].condition, "{any-of: [b]}");
	assert_condition(settings, settings->pools[1].condition, "a");
	assert_string_equal(settings_all_down_text(settings->pools[1].when_all_down), "fenced");
	assert_int_equal(settings->pools[1].when_all_down, ALL_DOWN_FENCED);
	assert_int_equal(settings->pools[1].watch_only_count, 1);
	settings_free(settings);
}

static void defaults(void **state)
{
	struct settings *settings = parse(everything);
	const struct settings_pool *origin = &settings->pools[1];

	(void)state;
	assert_int_equal(origin->panic_percent, 0);
	assert_int_equal(settings->pools[2].panic_percent, 50);
	assert_int_equal(settings->pools[3].panic_percent, 0);
	assert_int_equal(origin->loss_percent, 50);
	assert_int_equal(origin->degraded_percent, 50);
	assert_int_equal(origin->slow_start_ms, 0);
	assert_int_equal(origin->failback_ms, 0);
	assert_false(origin->has_manual_return);
	assert_int_equal(origin->needs, SETTINGS_NONE);
	assert_int_equal(origin->without, WITHOUT_DEGRADED);
	assert_null(settings->pools[2].condition);
	settings_free(settings);

	settings = parse("{}");
	assert_int_equal(settings->canaries, SETTINGS_NONE);
	assert_int_equal(settings->suspect_percent, 50);
	assert_int_equal(settings->suspect_networks, 3);
	assert_int_equal(settings->suspect_window_ms, 20000);
	assert_int_equal(settings->confirm_ms, 60000);
	assert_int_equal(settings->notify_count, 0);
	settings_free(settings);
}

static void observer_and_notifies(void **state)
{
	struct settings *settings = parse(everything);
	const struct settings_notify *ops = &settings->notifies[0];
	const struct settings_notify *pager = &settings->notifies[1];

	(void)state;
	assert_int_equal(settings->canaries, 1);
	assert_int_equal(settings->suspect_percent, 30);
	assert_int_equal(settings->suspect_networks, 2);
	assert_int_equal(settings->suspect_window_ms, 30000);
	assert_int_equal(settings->confirm_ms, 120000);
	assert_int_equal(settings->notify_count, 2);
	assert_string_equal(ops->name, "ops");
	assert_string_equal(ops->url, "https://hooks.example:8443/a?b");
	assert_string_equal(ops->secret->path, "/etc/steerd/hook.key");
	assert_int_equal(ops->secret->holds, FILE_SECRET);
	assert_string_equal(ops->ca->path, "/etc/steerd/ca.pem");
	assert_true(ops->allows_internal);
	assert_int_equal(ops->command_count, 0);
	assert_int_equal(ops->after_ms, 60000);
	assert_int_equal(ops->repeat_ms, 3600000);
	assert_int_equal(ops->events, NOTIFY_OBSERVER | NOTIFY_DOWN);
	assert_null(pager->url);
	assert_int_equal(pager->command_count, 2);
	assert_string_equal(pager->command[1], "-v");
	assert_null(pager->command[2]);
	assert_int_equal(pager->after_ms, 30000);
	assert_int_equal(pager->repeat_ms, 0);
	assert_int_equal(pager->events, NOTIFY_ALL);
	settings_free(settings);
}

/* A condition that nests `depth` deep, the monitor at the bottom counted. */
static void add_nested(struct text *yaml, int depth)
{
	text_add(yaml, MONITORS "pools: {p: {method: all, members: {x: {host: h}}, monitor: ");
	for (int i = 1; i < depth; i++)
		text_add(yaml, "{any-of: [");
	text_add(yaml, "a");
	for (int i = 1; i < depth; i++)
		text_add(yaml, "]}");
	text_add(yaml, "}}\n");
}

static void conditions_nest(void **state)
{
	struct report report = {0};
	struct text yaml = {0};

	(void)state;
	add_nested(&yaml, SETTINGS_CONDITION_DEPTH_MAX);
	settings_free(parse(yaml.bytes));
	text_clear(&yaml);
	add_nested(&yaml, SETTINGS_CONDITION_DEPTH_MAX + 1);
	assert_null(settings_parse(yaml.bytes, yaml.size, "steerd.yaml", &report));
	assert_string_equal(
		report.lines.bytes, "steerd.yaml:2:140: conditions nest more than 8 deep\n");
	report_done(&report);
	text_done(&yaml);
}

/* ---- mistakes --------------------------------------------------------------------------------------------------- */

/* In line 2. */
#define POOL(text) MONITORS "pools: {p: {method: all, members: {x: {host: h}}, " text "}}\n"
#define IF(condition) POOL("monitor: " condition)

static const struct mistake conditions[] = {
	{"a list of monitors", IF("[a, b]"),
		":2:60: 'monitor' must be the name of a monitor, or a map of all-of, any-of, "
		"at-least or not, not a list\n"},
	{"an empty condition", IF("{}"),
		":2:60: 'monitor' must be the name of a monitor, or a map of all-of, any-of, "
		"at-least or not, not a map\n"},
	{"a form with a slip", IF("{all-off: [a]}"),
		":2:61: unknown key 'all-off'; did you mean 'all-of'?\n"},
	{"a form of others", IF("{xor: [a, b]}"),
		":2:61: unknown key 'xor'; known here: all-of, any-of, at-least, of, not\n"},
	{"two forms", IF("{all-of: [a], any-of: [b]}"),
		":2:74: this condition has 'all-of' already; it can have one of all-of, any-of, "
		"at-least and not\n"},
	{"at least without of", IF("{at-least: 1}"), ":2:61: missing key 'of' beside 'at-least'\n"},
	{"of without at least", IF("{of: [a, b]}"), ":2:61: 'of' stands beside 'at-least' alone\n"},
	{"of beside another form", IF("{not: a, of: [b]}"),
		":2:69: 'of' stands beside 'at-least' alone\n"},
	{"more than there are", IF("{at-least: 3, of: [a, b]}"),
		":2:71: 'at-least' must be from 1 to 2, as many as stand in 'of', not 3\n"},
	{"none of them", IF("{at-least: 0, of: [a, b]}"),
		":2:71: 'at-least' must be from 1 to 2, as many as stand in 'of', not 0\n"},
	{"a word of them", IF("{at-least: two, of: [a, b]}"),
		":2:71: 'at-least' must be a whole number\n"},
	{"no items", IF("{all-of: []}"), ":2:69: 'all-of' must have from 1 to 64 items, not 0\n"},
	{"not two", IF("{not: [a, b]}"),
		":2:66: 'not' has one condition; write all-of or any-of within\n"},
	{"an unknown monitor in it", IF("{any-of: [a, {not: bb}]}"),
		":2:79: unknown monitor 'bb'; did you mean 'b'?\n"},
	{"nothing in it", IF("{any-of: [a, ~]}"),
		":2:73: 'monitor' must be the name of a monitor, or a map of all-of, any-of, "
		"at-least or not, not nothing\n"},
	{"a list in it", IF("{any-of: [a, [b]]}"),
		":2:73: 'monitor' must be the name of a monitor, or a map of all-of, any-of, "
		"at-least or not, not a list\n"},
	{"an unknown monitor to watch", POOL("watch-only: [a, d]"), ":2:67: unknown monitor 'd'\n"},
	{"a condition to watch", POOL("watch-only: {not: a}"),
		":2:63: 'watch-only' must be the name of a monitor or a list of them, not a map\n"},
	{"nothing to watch", POOL("watch-only: []"),
		":2:63: 'watch-only' must have from 1 to 16 items, not 0\n"},
	{"an unknown monitor of a member",
		"pools: {p: {method: all, members: {x: {host: h, monitor: a}}}}\n",
		":1:58: unknown monitor 'a'\n"},
};

static const struct mistake beliefs[] = {
	{"a share without its sign", POOL("panic-below: 50"),
		":2:64: 'panic-below' must be a percentage such as 50%, not '50'\n"},
	{"more than all", POOL("panic-below: 101%"),
		":2:64: 'panic-below' must be from 0% to 100%, not 101%\n"},
	{"a part of a percent", POOL("max-loss: 0.5%"),
		":2:61: 'max-loss' must be a percentage such as 50%, not '0.5%'\n"},
	{"no loss at all", POOL("max-loss: 0%"),
		":2:61: 'max-loss' must be from 1% to 100%, not 0%\n"},
	{"no share at all", POOL("degraded-share: 0%"),
		":2:67: 'degraded-share' must be from 1% to 100%, not 0%\n"},
	{"a slow start of a day", POOL("slow-start: 24h"),
		":2:63: 'slow-start' must be from 0ms to 1h, not 24h\n"},
	{"a return that is neither", POOL("manual-return: maybe"),
		":2:66: 'manual-return' must be no or yes, not 'maybe'\n"},
	{"a state that is none", POOL("needs: p, without: panic"),
		":2:58: pools in a loop: pools.p -> pools.p\n"
		"steerd.yaml:2:70: 'without' must be degraded, up or down, not 'panic'\n"},
	{"a pool that needs itself", POOL("needs: p"),
		":2:58: pools in a loop: pools.p -> pools.p\n"},
	{"an unknown pool that is needed", POOL("needs: q"), ":2:58: unknown pool 'q'\n"},
	{"pools that need each other",
		"pools:\n"
		"  a: {method: all, needs: b, members: {x: {host: h}}}\n"
		"  b: {method: all, needs: a, members: {x: {host: h}}}\n",
		":3:27: pools in a loop: pools.a -> pools.b -> pools.a\n"},
	{"a pool that needs one that holds it",
		"pools:\n"
		"  a: {method: all, members: {x: {pool: b}}}\n"
		"  b: {method: all, needs: a, members: {x: {host: h}}}\n",
		":3:27: pools in a loop: pools.a -> pools.b -> pools.a\n"},
	{"a capacity of nothing",
		MONITORS "pools: {p: {method: all, members: {x: {host: h, capacity: 0}}}}\n",
		":2:59: 'capacity' must be from 1 to 1000000000, not 0\n"},
};

#define LOOPBACK(monitors, pool)                                                                   \
	"monitors: {" monitors "}\n"                                                               \
	"pools: {p: {method: all, " pool "}}\n"
#define HTTPS "m: {https: {host: h}}"
#define ALLOWED "n: {https: {host: h}, allow-internal: yes}"

static const struct mistake internals[] = {
	{"loopback", LOOPBACK(HTTPS, "monitor: m, members: {x: {address: 127.0.0.1}}"),
		":2:61: address '127.0.0.1' leads to this host or its link; monitor 'm' checks it "
		"only with 'allow-internal: yes'\n"},
	{"several",
		LOOPBACK(HTTPS,
			"monitor: m, members: {x: {address: [192.0.2.1, \"::1\", fe80::1]}}"),
		":2:73: address '::1' leads to this host or its link; monitor 'm' checks it only "
		"with 'allow-internal: yes'\n"
		"steerd.yaml:2:80: address 'fe80::1' leads to this host or its link; monitor 'm' "
		"checks it only with 'allow-internal: yes'\n"},
	{"the host's metadata",
		LOOPBACK("m: {tcp: {port: 80}}",
			"monitor: m, members: {x: {address: 169.254.169.254}}"),
		":2:61: address '169.254.169.254' leads to this host or its link; monitor 'm' "
		"checks it only with 'allow-internal: yes'\n"},
	{"mapped",
		LOOPBACK("m: {dns: {name: h}}",
			"monitor: m, members: {x: {address: \"::ffff:127.0.0.1\"}}"),
		":2:61: address '::ffff:127.0.0.1' leads to this host or its link; monitor 'm' "
		"checks it only with 'allow-internal: yes'\n"},
	{"in a condition",
		LOOPBACK(HTTPS ", " ALLOWED,
			"monitor: {any-of: [n, {not: m}]}, members: {x: {address: 127.0.0.1}}"),
		":2:83: address '127.0.0.1' leads to this host or its link; monitor 'm' checks it "
		"only with 'allow-internal: yes'\n"},
	{"watched",
		LOOPBACK(HTTPS ", " ALLOWED,
			"monitor: n, watch-only: m, members: {x: {address: 127.0.0.1}}"),
		":2:76: address '127.0.0.1' leads to this host or its link; monitor 'm' checks it "
		"only with 'allow-internal: yes'\n"},
	{"by the member's own monitor",
		LOOPBACK(HTTPS ", " ALLOWED,
			"monitor: n, members: {x: {address: 127.0.0.1, monitor: m}}"),
		":2:61: address '127.0.0.1' leads to this host or its link; monitor 'm' checks it "
		"only with 'allow-internal: yes'\n"},
};

static const struct mistake observers[] = {
	{"canaries that are none", "observer: {canaries: c}\n", ":1:22: unknown pool 'c'\n"},
	{"canaries that nobody checks",
		"observer: {canaries: c}\npools: {c: {method: all, members: {x: {host: h}}}}\n",
		":1:22: pool 'c' has members without a monitor: nothing tells whether these "
		"canaries answer\n"},
	{"one canary that nobody checks",
		MONITORS
		"observer: {canaries: c}\npools: {c: {method: all, members: {x: {host: h}, "
		"y: {host: i, monitor: a}}}}\n",
		":2:22: pool 'c' has members without a monitor: nothing tells whether these "
		"canaries answer\n"},
	{"a suspicion without a sign", "observer: {suspect-above: 50}\n",
		":1:27: 'suspect-above' must be a percentage such as 50%, not '50'\n"},
	{"no network", "observer: {networks: 0}\n",
		":1:22: 'networks' must be from 1 to 100, not 0\n"},
	{"a window of nothing", "observer: {window: 0s}\n",
		":1:20: 'window' must be from 1s to 1h, not 0s\n"},
	{"an observer that is text", "observer: yes\n",
		":1:11: 'observer' must be a map of keys, not 'yes'\n"},
};

#define NOTIFY(text) "notify: {n: {" text "}}\n"
#define URL(url) NOTIFY("webhook: {url: '" url "'}")

static const struct mistake notifies[] = {
	{"nobody", NOTIFY("after: 1s"), ":1:10: notify 'n' has none of webhook and command\n"},
	{"two ways", NOTIFY("webhook: {url: http://h}, command: /x"),
		":1:40: notify 'n' has 'webhook' already; it can have one of webhook and "
		"command\n"},
	{"a hook without a URL", NOTIFY("webhook: {secret: s}"),
		":1:23: missing key 'url' in 'notify.n.webhook'\n"},
	{"a secret in the file", NOTIFY("webhook: {url: http://h, secret: [a]}"),
		":1:47: 'secret' must be a path, not a list\n"},
	{"another scheme", URL("ftp://h/"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'ftp://h/'\n"},
	{"no scheme", URL("hooks.example/steerd"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'hooks.example/steerd'\n"},
	{"no host", URL("https:///x"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https:///x'\n"},
	{"a user", URL("https://u:p@h/"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https://u:p@h/'\n"},
	{"a fragment", URL("https://h/#x"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https://h/#x'\n"},
	{"a blank", URL("https://h/a b"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not 'https://h/a "
		"b'\n"},
	{"a port that is none", URL("https://h:65536/"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https://h:65536/'\n"},
	{"a port without a number", URL("https://h:/"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https://h:/'\n"},
	{"IPv6 without brackets", URL("https://2001:db8::1/"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https://2001:db8::1/'\n"},
	{"a query without a path", URL("https://h?x"),
		":1:29: 'url' must be a URL such as https://hooks.example/steerd, not "
		"'https://h?x'\n"},
	{"a program without a path", NOTIFY("command: page"),
		":1:23: 'command' must begin with the absolute path of a program, not 'page'\n"},
	{"an event that is none", NOTIFY("command: /x, on: [down, up]"),
		":1:38: 'on' must be down, degraded, pool, never-up, certificate or observer, not "
		"'up'\n"},
	{"no event", NOTIFY("command: /x, on: []"),
		":1:31: 'on' must have from 1 to 6 items, not 0\n"},
};

REFUSES(conditions)
REFUSES(beliefs)
REFUSES(internals)
REFUSES(observers)
REFUSES(notifies)

static const struct mistake warnings[] = {
	{"without what is not needed",
		"pools: {p: {method: all, without: up, members: {x: {host: h}}}}\n",
		"warning: steerd.yaml:1:26: 'without' has no effect: the pool needs no other\n"},
	{"the monitor of a member that is a pool",
		"monitors: {a: {push: {}}}\n"
		"pools: {p: {method: all, members: {x: {pool: q, monitor: a}}}, q: {method: all, "
		"members: {x: {host: h}}}}\n",
		"warning: steerd.yaml:2:49: 'monitor' has no effect: the member is a pool\n"},
	{"watching pools",
		"monitors: {a: {push: {}}}\n"
		"pools: {p: {method: all, watch-only: a, members: {x: {pool: q}}}, q: {method: "
		"all, members: {x: {host: h}}}}\n",
		"warning: steerd.yaml:2:26: 'watch-only' has no effect: every member is a pool\n"},
	{"a use in a condition, by a member, or watched, is one",
		"monitors: {a: {push: {}}, b: {push: {}}, c: {push: {}}, d: {push: {}}}\n"
		"pools: {p: {method: all, watch-only: c, monitor: {not: b}, members: {x: {host: h, "
		"monitor: a}}}}\n",
		"warning: steerd.yaml:1:57: monitor 'd' is used by no pool\n"},
};

WARNS(warnings)

/* Nothing is said of what leads nowhere but where it is said to. */
static const char *const sound[] = {
	LOOPBACK(ALLOWED, "monitor: n, members: {x: {address: [127.0.0.1, \"::1\"]}}"),
	LOOPBACK("m: {push: {}}, e: {exec: {command: /x}}",
		"monitor: {any-of: [m, e]}, members: {x: {address: 127.0.0.1}}"),
	LOOPBACK("", "members: {x: {address: 127.0.0.1}}"),
	LOOPBACK(HTTPS, "monitor: m, members: {x: {address: [10.0.0.1, \"fd00::1\"]}}"),
	URL("http://192.0.2.1:8080"),
	URL("https://[2001:db8::1]:443/a"),
	URL("https://[2001:db8::1]"),
};

static void sound_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(sound); i++) {
		struct report report = {0};
		struct settings *settings =
			settings_parse(sound[i], strlen(sound[i]), "steerd.yaml", &report);

		if (!settings || report.warning_count > 0)
			fail_msg("%s%s", sound[i], report.lines.bytes);
		settings_free(settings);
		report_done(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_health),
		cmocka_unit_test(defaults),
		cmocka_unit_test(observer_and_notifies),
		cmocka_unit_test(conditions_nest),
		cmocka_unit_test(conditions_refused),
		cmocka_unit_test(beliefs_refused),
		cmocka_unit_test(internals_refused),
		cmocka_unit_test(observers_refused),
		cmocka_unit_test(notifies_refused),
		cmocka_unit_test(warnings_given),
		cmocka_unit_test(sound_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
