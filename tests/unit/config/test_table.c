/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"
#include "steerd/config/table.h"

static bool is_level(const struct setting *setting)
{
	return setting->type == SETTING_MAP || setting->type == SETTING_NAMED;
}

static void entries_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_count(); i++) {
		const struct setting *setting = table_get(i);
		size_t meaning_size = strlen(setting->meaning);

		if (meaning_size == 0 || setting->meaning[meaning_size - 1] != '.')
			fail_msg("%s: its meaning is no sentence", setting->path);
		if (!is_level(setting) && !setting->example)
			fail_msg("%s: has no example", setting->path);
		if (setting->is_required && (setting->initial || setting->initial_words))
			fail_msg("%s: a default that is never used", setting->path);
		if (setting->min > setting->max)
			fail_msg("%s: limits that nothing meets", setting->path);
		if (!*table_type_text(setting->type))
			fail_msg("%s: its type has no name", setting->path);
		for (size_t j = 0; j < i; j++)
			if (strcmp(table_get(j)->path, setting->path) == 0)
				fail_msg("%s: stands twice", setting->path);
	}
}

/* A level stands before what it holds. */
static void levels_come_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_count(); i++) {
		bool is_found = table_is_below(table_get(i), "");

		for (size_t j = 0; j < i && !is_found; j++)
			is_found = is_level(table_get(j)) &&
				table_is_below(table_get(i), table_get(j)->path);
		if (!is_found)
			fail_msg("%s: its level is not there", table_get(i)->path);
	}
}

static const struct {
	const char *level;
	const char *key;
	const char *want; /* path; NULL: none */
} finds[] = {
	{"", "listen", "listen"},
	{"tcp", "idle", "tcp.idle"},
	{"pools.NAME.members.NAME", "pool", "pools.NAME.members.NAME.pool"},
	{"pools.NAME", "monitor", "pools.NAME.monitor"},
	{"", "idle", NULL},
	{"", "tcp.idle", NULL},
	{"tc", "p.idle", NULL},
	{"tcp", "idl", NULL},
	{"tcp", "", NULL},
	{"tcp.idle", "", NULL},
	{"pools", "monitor", NULL},
	{"nowhere", "listen", NULL},
	{"monitors.NAME.https", "port", "monitors.NAME.https.port"},
	{"monitors.NAME.http", "port", "monitors.NAME.http.port"},
	{"monitors.NAME.http", "host", "monitors.NAME.https.host"},
	{"monitors.NAME.http", "ca", NULL},
	{"monitors.NAME.tcp", "ca", "monitors.NAME.https.ca"},
	{"monitors.NAME.tcp", "host", "monitors.NAME.tcp.host"},
	{"monitors.NAME.tcp", "path", NULL},
	{"monitors.NAME.dns", "host", NULL},
};

/* As the reader looks: among all that the level holds. */
static const struct setting *find(const char *level, const char *key)
{
	const struct setting **below = memory_new(table_count() * sizeof(below[0]));
	const struct setting *found = NULL;
	size_t count = 0;

	if (!*level)
		count = table_list(NULL, below);
	for (size_t i = 0; i < table_count(); i++)
		if (strcmp(table_get(i)->path, level) == 0)
			count = table_list(table_get(i), below);
	for (size_t i = 0; i < count; i++)
		if (strcmp(table_key(below[i]), key) == 0)
			found = below[i];
	free(below);
	return found;
}

static void keys_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(finds); i++) {
		const struct setting *found = find(finds[i].level, finds[i].key);

		if (!found != !finds[i].want || (found && strcmp(found->path, finds[i].want) != 0))
			fail_msg("'%s' at '%s': %s", finds[i].key, finds[i].level,
				found ? found->path : "none");
	}
}

static const struct {
	const char *path;
	const char *want;
} limits[] = {
	{"workers", "from 1 to 256"},
	{"tcp.idle", "from 100ms to 1h"},
	{"monitors.NAME.timeout", "from 100ms to 5m"},
	{"sites", "at most 255 entries"},
	{"pools.NAME.members", "from 1 to 4096 entries"},
	{"monitors.NAME.expect.body", "from 1 to 1024 bytes"},
	{"listen", "from 1 to 64 items"},
	{"pools.NAME.members.NAME.weight", "from 0 to 65535"},
	{"monitors.NAME.expect.body-limit", "from 1 to 16MiB"},
	{"monitors.NAME.range.floor", "from 1kbit/s to 1000Gbit/s"},
	{"monitors.NAME.expect.headers", "from 1 to 32 entries"},
	{"monitors.NAME.expect.sha256", ""},
	{"tcp", ""},
	{"zones", ""},
	{"pools.NAME.method", ""},
	{"pools.NAME.members.NAME.pool", ""},
};

static void limits_are_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct text text = {0};

		text_add(&text, "");
		for (size_t j = 0; j < table_count(); j++)
			if (strcmp(table_get(j)->path, limits[i].path) == 0)
				table_print_limits(table_get(j), &text);
		if (strcmp(text.bytes, limits[i].want) != 0)
			fail_msg("%s: '%s'", limits[i].path, text.bytes);
		text_done(&text);
	}
}

/* What an example needs around it. */
static const struct {
	const char *level;
	const char *before;
	const char *after;
} frames[] = {
	{"", "", ""},
	{"udp", "udp: {", "}"},
	{"tcp", "tcp: {", "}"},
	{"rate-limit", "rate-limit: {", "}"},
	{"geo", "geo: {", "}"},
	{"sites.NAME", "sites: {s: {", "}}"},
	{"monitors.NAME", "monitors: {m: {https: {host: h}, ", "}}"},
	{"monitors.NAME.https", "monitors: {m: {https: {", "}}}"},
	{"monitors.NAME.http", "monitors: {m: {http: {host: h, ", "}}}"},
	{"monitors.NAME.tcp", "monitors: {m: {tcp: {", "}}}"},
	{"monitors.NAME.dns", "monitors: {m: {dns: {", "}}}"},
	{"monitors.NAME.exec", "monitors: {m: {exec: {", "}}}"},
	{"monitors.NAME.push", "monitors: {m: {push: {", "}}}"},
	{"monitors.NAME.limits", "monitors: {m: {https: {host: h}, limits: {", "}}}"},
	{"monitors.NAME.expect", "monitors: {m: {https: {host: h}, expect: {", "}}}"},
	{"monitors.NAME.certificate-days", "monitors: {m: {https: {host: h}, certificate-days: {",
		"}}}"},
	{"monitors.NAME.range", "monitors: {m: {https: {host: h}, range: {", "}}}"},
	{"pools.NAME",
		"monitors: {edge: {https: {host: h}}, deep: {push: {}}, maintenance: {push: {}}}\n"
		"sites: {fra: {at: [1, 2]}}\n"
		"pools: {origin: {method: all, members: {a: {host: h}}}, "
		"p: {members: {a: {site: fra, address: 192.0.2.1}}, ",
		"}}"},
	{"notify.NAME", "notify: {n: {", "}}"},
	{"notify.NAME.webhook", "notify: {n: {webhook: {", "}}}"},
	{"observer",
		"monitors: {m: {https: {host: h}}}\n"
		"pools: {canaries: {method: all, monitor: m, members: {a: {host: h}}}}\n"
		"observer: {",
		"}"},
	{"pools.NAME.members.NAME",
		"sites: {fra: {at: [1, 2]}}\nmonitors: {edge: {https: {host: h}}}\n"
		"pools: {europe: {method: all, members: {a: {host: h}}}, "
		"p: {method: weighted, members: {m: {",
		"}}}}"},
};

/* Keys that must be there as well, unless the example is theirs. */
static const struct {
	const char *unless;
	const char *level;
	const char *text;
} companions[] = {
	{"monitors.NAME.https.host", "monitors.NAME.https", ", host: h"},
	{"monitors.NAME.tcp.port", "monitors.NAME.tcp", ", port: 22"},
	{"monitors.NAME.dns.name", "monitors.NAME.dns", ", name: h"},
	{"monitors.NAME.exec.command", "monitors.NAME.exec", ", command: /bin/true"},
	{"notify.NAME.command", "notify.NAME", ", command: /bin/true"},
	{"notify.NAME.webhook.url", "notify.NAME.webhook", ", url: \"http://h\""},
	{"monitors.NAME.range.size", "monitors.NAME.range", ", size: 4MiB"},
	{"pools.NAME.method", "pools.NAME", ", method: all"},
};

/* Keys that an example needs beside it. */
static const struct {
	const char *path;
	const char *text;
} partners[] = {
	{"monitors.NAME.https.certificate", ", key: client.key"},
	{"monitors.NAME.tcp.tls", ", host: h"},
	{"monitors.NAME.https.key", ", certificate: client.pem"},
};

static void add_example(struct text *yaml, const struct setting *setting)
{
	bool is_endpoint = strcmp(table_key(setting), "address") == 0 ||
		strcmp(table_key(setting), "host") == 0 || strcmp(table_key(setting), "pool") == 0;

	for (size_t i = 0; i < COUNT_OF(frames); i++) {
		if (!table_is_below(setting, frames[i].level))
			continue;
		text_print(
			yaml, "%s%s: %s", frames[i].before, table_key(setting), setting->example);
		for (size_t j = 0; j < COUNT_OF(companions); j++)
			if (table_is_below(setting, companions[j].level) &&
				strcmp(setting->path, companions[j].unless) != 0)
				text_add(yaml, companions[j].text);
		for (size_t j = 0; j < COUNT_OF(partners); j++)
			if (strcmp(setting->path, partners[j].path) == 0)
				text_add(yaml, partners[j].text);
		if (table_is_below(setting, "pools.NAME.members.NAME") && !is_endpoint)
			text_add(yaml, ", address: 192.0.2.9");
		text_print(yaml, "%s\n", frames[i].after);
	}
}

/* The manual shows them. */
static void examples_are_taken(void **state)
{
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < table_count(); i++) {
		struct report report = {0};
		struct text yaml = {0};

		if (!table_get(i)->example)
			continue;
		add_example(&yaml, table_get(i));
		if (yaml.size == 0)
			fail_msg("%s: no frame for its example", table_get(i)->path);

		struct settings *settings =
			settings_parse(yaml.bytes, yaml.size, "example", &report);

		if (!settings)
			fail_msg("%s: %s%s", table_get(i)->path, yaml.bytes, report.lines.bytes);
		settings_free(settings);
		report_done(&report);
		text_done(&yaml);
		taken++;
	}
	assert_true(taken > 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_whole),
		cmocka_unit_test(levels_come_first),
		cmocka_unit_test(keys_are_found),
		cmocka_unit_test(limits_are_printed),
		cmocka_unit_test(examples_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
