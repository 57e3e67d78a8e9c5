/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

static void print_listen(const struct settings *settings, struct text *ret_text)
{
	for (size_t i = 0; i < settings->listen_count; i++) {
		char text[ADDRESS_PORT_TEXT_SIZE];

		address_port_print(&settings->listen[i], text);
		text_print(ret_text, "%s%s", i > 0 ? ", " : "", text);
	}
}

static void print_workers(const struct settings *settings, struct text *ret_text)
{
	text_print(ret_text, "%u", settings->workers);
}

static void print_connections(const struct settings *settings, struct text *ret_text)
{
	text_print(ret_text, "%u", settings->tcp_connections);
}

static void print_per_address(const struct settings *settings, struct text *ret_text)
{
	text_print(ret_text, "%u", settings->tcp_per_address);
}

static void print_per_network(const struct settings *settings, struct text *ret_text)
{
	text_print(ret_text, "%u", settings->tcp_per_network);
}

static void print_span(uint32_t span_ms, struct text *ret_text)
{
	char span[TEXT_DURATION_SIZE];

	text_duration(span_ms, span);
	text_add(ret_text, span);
}

static void print_idle(const struct settings *settings, struct text *ret_text)
{
	print_span(settings->tcp_idle_ms, ret_text);
}

static void print_io(const struct settings *settings, struct text *ret_text)
{
	print_span(settings->tcp_io_ms, ret_text);
}

static void print_table(const struct settings *settings, struct text *ret_text)
{
	text_print(ret_text, "%u", settings->limit_table);
}

static void print_state(const struct settings *settings, struct text *ret_text)
{
	text_add(ret_text, settings->state_path);
}

static void print_control(const struct settings *settings, struct text *ret_text)
{
	text_add(ret_text, settings->control_path);
}

static const struct {
	const char *key;
	void (*print)(const struct settings *settings, struct text *ret_text);
} fixed_settings[FIXED_COUNT] = {
	{"listen", print_listen},
	{"workers", print_workers},
	{"tcp.connections", print_connections},
	{"tcp.per-address", print_per_address},
	{"tcp.per-network", print_per_network},
	{"tcp.idle", print_idle},
	{"tcp.io", print_io},
	{"rate-limit.table", print_table},
	{"state", print_state},
	{"control", print_control},
};

void fixed_init(struct fixed *fixed, const struct settings *settings)
{
	for (size_t i = 0; i < FIXED_COUNT; i++) {
		struct text value = {0};

		text_add(&value, "");
		fixed_settings[i].print(settings, &value);
		fixed->values[i] = value.bytes;
	}
}

void fixed_done(struct fixed *fixed)
{
	for (size_t i = 0; i < FIXED_COUNT; i++)
		free(fixed->values[i]);
	*fixed = (struct fixed){0};
}

void fixed_compare(
	const struct fixed *fixed, const struct settings *settings, struct report *report)
{
	const struct report_place place = {.path = settings->path};
	struct fixed now;

	fixed_init(&now, settings);
	for (size_t i = 0; i < FIXED_COUNT; i++)
		if (strcmp(fixed->values[i], now.values[i]) != 0)
			report_warning(report, place,
				"'%s' is '%s' now, but stays '%s' until steerd is restarted",
				fixed_settings[i].key, now.values[i], fixed->values[i]);
	fixed_done(&now);
}
