/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "columns.h"
#include "print.h"
#include "steerd/base/memory.h"

/*
 * Each check in a row, and under the rows what does not fit into one:
 *
 *	downloads/fra-1 192.0.2.10
 *	  MONITOR  STATE  FOR  CHECKED  LATENCY  P50    P95    LAST CHECK
 *	  edge     up     3 h  5 s      31 ms    30 ms  41 ms  passed
 *	  edge     ................!..x.........  the newest last; ! degraded, x failed
 */

static void add_ms(const json_t *check, const char *key, struct columns *columns)
{
	char span[TEXT_DURATION_SIZE];

	text_duration(print_number(check, key), span);
	columns_add(columns, COLOUR_NONE, print_number(check, key) ? span : NULL);
}

static void add_check(const json_t *check, const struct print_style *style, struct columns *columns)
{
	const char *state = print_text(check, "state");
	const char *reason = print_text(check, "reason");
	char span[TEXT_DURATION_SIZE];

	columns_addf(columns, COLOUR_NONE, "%s%s", print_text(check, "monitor"),
		json_is_true(json_object_get(check, "watch_only")) ? " (watched only)" : "");
	columns_add(columns, print_state_colour(state), state);
	columns_add(columns, COLOUR_NONE,
		print_span_since(check, "since_unix_s", style->now_unix_s, span));
	columns_add(columns, COLOUR_NONE,
		print_span_since(check, "checked_at_unix_s", style->now_unix_s, span));
	add_ms(check, "latency_ms", columns);
	add_ms(check, "latency_p50_ms", columns);
	add_ms(check, "latency_p95_ms", columns);
	if (*reason)
		columns_add(columns,
			json_is_true(json_object_get(check, "passed")) ? COLOUR_WARN : COLOUR_BAD,
			reason);
	else
		columns_add(columns, COLOUR_NONE,
			print_has(check, "checked_at_unix_s") ? "passed" : "not checked yet");
	columns_end_row(columns);
}

/* Marks of one kind in a row share one colour: a line of 64 stays readable when it is copied. */
static void print_marks(const char *marks, const struct print_style *style)
{
	while (*marks) {
		enum colour colour = *marks == 'x' ? COLOUR_BAD
			: *marks == '!'		   ? COLOUR_WARN
						   : COLOUR_GOOD;
		const char one[] = {*marks, '\0'};
		size_t size = strspn(marks, one);

		fprintf(style->out, "%s%.*s%s", colour_begin(colour, style->use_colour), (int)size,
			marks, colour_end(colour, style->use_colour));
		marks += size;
	}
}

static void print_rest(const json_t *check, const struct print_style *style)
{
	const json_t *certificate = json_object_get(check, "certificate");
	const char *monitor = print_text(check, "monitor");
	const char *marks = print_text(check, "outcomes");
	uint64_t held_until = print_number(check, "held_until_unix_s");
	char time[TEXT_TIME_SIZE];

	if (*marks) {
		fprintf(style->out, "  %s: ", monitor);
		print_marks(marks, style);
		fprintf(style->out, "  the newest last; ! degraded, x failed\n");
	}
	if (held_until > style->now_unix_s) {
		text_duration((held_until - style->now_unix_s) * 1000, time);
		fprintf(style->out, "  %s: flapped %llu times: stays down for another %s\n",
			monitor, (unsigned long long)print_number(check, "flaps"), time);
	}
	if (print_number(check, "rate_kbit_s"))
		fprintf(style->out, "  %s: %.1f Mbit/s\n", monitor,
			(double)print_number(check, "rate_kbit_s") / 1000);
	if (print_has(check, "certificate")) {
		text_time(print_number(certificate, "until_unix_s"), time);
		fprintf(style->out, "  %s: certificate for %s by %s until %s UTC\n", monitor,
			print_text(certificate, "name"), print_text(certificate, "issuer"), time);
	}
	if (print_has(check, "note"))
		fprintf(style->out, "  %s: %s\n", monitor, print_text(check, "note"));
}

void print_checks(const json_t *pool, const json_t *member, const struct print_style *style)
{
	static const char *const titles[] = {
		"MONITOR", "STATE", "FOR", "CHECKED", "LATENCY", "P50", "P95", "LAST CHECK"};
	const json_t *addresses = json_object_get(member, "addresses");

	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *address = json_array_get(addresses, i);
		const json_t *checks = json_object_get(address, "checks");
		struct columns columns = {0};

		if (json_array_size(checks) == 0)
			continue;
		fprintf(style->out, "\n%s/%s %s\n", print_text(pool, "name"),
			print_text(member, "name"), print_text(address, "address"));
		for (size_t t = 0; t < COUNT_OF(titles); t++)
			columns_add(&columns, COLOUR_FAINT, titles[t]);
		columns_end_row(&columns);
		for (size_t k = 0; k < json_array_size(checks); k++)
			add_check(json_array_get(checks, k), style, &columns);
		columns_print(&columns, style->out, style->use_colour);
		for (size_t k = 0; k < json_array_size(checks); k++)
			print_rest(json_array_get(checks, k), style);
	}
}
