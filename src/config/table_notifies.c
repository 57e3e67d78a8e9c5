/* SPDX-License-Identifier: Apache-2.0 */

/* The settings of who is told what happens. */

#include "rows.h"

#include "steerd/base/memory.h"
#include "steerd/config/settings.h"

static_assert(offsetof(struct settings_notify, name) == 0, "the name is first");

/* In the order of their bits. */
static const char *const events[] = {
	"down", "degraded", "pool", "never-up", "certificate", "observer", NULL};
static_assert(NOTIFY_ALL == (1u << (COUNT_OF(events) - 1)) - 1, "a word for each bit");

const struct setting table_notifies[] = {
	{.path = "notify",
		.type = SETTING_NAMED,
		.initial = "{}",
		.min = 0,
		.max = 64,
		.meaning = "Who is told what happens, in which way. Each has one of webhook and "
			   "command. See NOTIFICATIONS.",
		NAMED(struct settings, notifies, notify_count, struct settings_notify)},
	{.path = "notify.NAME", .type = SETTING_MAP, .meaning = "One of them."},
	{.path = "notify.NAME.webhook",
		.type = SETTING_MAP,
		.is_optional = true,
		.meaning = "A request to a web server, with a body in JSON."},
	{.path = "notify.NAME.webhook.url",
		.type = SETTING_URL,
		.is_required = true,
		.min = 1,
		.max = 1024,
		.meaning = "Where it goes: https, or http.",
		.example = "https://hooks.example/steerd",
		FIELD(struct settings_notify, url)},
	{.path = "notify.NAME.webhook.secret",
		.type = SETTING_CONTENT,
		.choice = FILE_SECRET,
		.initial_words = "requests are not signed",
		.meaning = "A file with the key that requests are signed with (HMAC-SHA-256).",
		.example = "hook.key",
		FIELD(struct settings_notify, secret)},
	{.path = "notify.NAME.webhook.ca",
		.type = SETTING_CONTENT,
		.choice = FILE_CERTIFICATES,
		.initial_words = "the system's store",
		.meaning = "A PEM file of the certificate authorities to trust.",
		.example = "ca.pem",
		FIELD(struct settings_notify, ca)},
	{.path = "notify.NAME.webhook.allow-internal",
		.type = SETTING_WORD,
		.words = table_no_yes,
		.initial = "no",
		.meaning = "Whether it may go to loopback and link-local addresses and to steerd's "
			   "own sockets.",
		.example = "yes",
		FIELD(struct settings_notify, allows_internal)},
	{.path = "notify.NAME.command",
		.type = SETTING_COMMAND,
		.min = 1,
		.max = 64,
		.meaning = "Or a program that is run, by its absolute path, and its arguments. No "
			   "shell reads them.",
		.example = "[/usr/local/bin/page, --now]",
		LIST(struct settings_notify, command, command_count)},
	{.path = "notify.NAME.after",
		.type = SETTING_DURATION,
		.initial = "30s",
		.min = 0,
		.max = 24 * HOUR_MS,
		.meaning = "What is over again by then is not told.",
		.example = "60s",
		FIELD(struct settings_notify, after_ms)},
	{.path = "notify.NAME.repeat",
		.type = SETTING_DURATION,
		.initial = "0s",
		.min = 0,
		.max = 24 * 7 * HOUR_MS,
		.meaning = "How often it is told again while it lasts. 0s: never.",
		.example = "1h",
		FIELD(struct settings_notify, repeat_ms)},
	{.path = "notify.NAME.on",
		.type = SETTING_WORDS,
		.words = events,
		.initial = "[down, degraded, pool, never-up, certificate, observer]",
		.min = 1,
		.max = COUNT_OF(events) - 1,
		.meaning =
			"What is told: a member that goes down, one that is degraded, a pool in "
			"panic or at its last resort, each with its end; a member that passed no "
			"check since it was configured; a certificate that ends soon; a fault "
			"that may be this host's own, or a prober that is gone.",
		.example = "[down, pool]",
		FIELD(struct settings_notify, events)},
};

const size_t table_notify_count = COUNT_OF(table_notifies);
