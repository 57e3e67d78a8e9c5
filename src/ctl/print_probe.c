/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "columns.h"
#include "print.h"
#include "steerd/base/text.h"

struct printer {
	FILE *out;
	bool use_colour;
};

static enum colour colour_of(const char *verdict)
{
	if (strcmp(verdict, "up") == 0)
		return COLOUR_GOOD;
	return strcmp(verdict, "degraded") == 0 ? COLOUR_WARN : COLOUR_BAD;
}

/* "downloads/fra-1 192.0.2.10, monitor edge: up" */
static void print_head(const struct printer *printer, const json_t *check)
{
	const char *verdict = print_text(check, "verdict");
	const char *error = print_text(check, "error");
	const char *reason = print_text(check, "reason");
	const char *shown = *error ? "not checked" : verdict;
	enum colour colour = colour_of(shown);

	fprintf(printer->out, "%s%s/%s %s%s, monitor %s: %s%s%s%s%s\n",
		colour_begin(COLOUR_BOLD, printer->use_colour), print_text(check, "pool"),
		print_text(check, "member"), print_text(check, "address"),
		colour_end(COLOUR_BOLD, printer->use_colour), print_text(check, "monitor"),
		colour_begin(colour, printer->use_colour), shown,
		colour_end(colour, printer->use_colour), *error || *reason ? ": " : "",
		*error ? error : reason);
}

static void title(const struct printer *printer, const char *text)
{
	fprintf(printer->out, "  %s%s%s\n", colour_begin(COLOUR_FAINT, printer->use_colour), text,
		colour_end(COLOUR_FAINT, printer->use_colour));
}

static void print_phases(const struct printer *printer, const json_t *phases)
{
	struct columns columns = {0};

	for (size_t i = 0; i < json_array_size(phases); i++) {
		const json_t *phase = json_array_get(phases, i);

		columns_addf(&columns, COLOUR_NONE, "  %s", print_text(phase, "name"));
		columns_addf(&columns, COLOUR_NONE, "%9.1f ms",
			json_number_value(json_object_get(phase, "ms")));
		columns_add(&columns, COLOUR_NONE, print_text(phase, "words"));
		columns_end_row(&columns);
	}
	if (json_array_size(phases) > 0)
		title(printer, "phases");
	columns_print(&columns, printer->out, printer->use_colour);
}

/* "name  value", one a line. */
static void print_pairs(const struct printer *printer, const char *what, const json_t *pairs)
{
	struct columns columns = {0};

	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);

		columns_addf(&columns, COLOUR_NONE, "  %s", print_text(pair, "name"));
		columns_add(&columns, COLOUR_NONE, print_text(pair, "value"));
		columns_end_row(&columns);
	}
	if (json_array_size(pairs) > 0)
		title(printer, what);
	columns_print(&columns, printer->out, printer->use_colour);
}

static void print_certificates(const struct printer *printer, const json_t *chain)
{
	struct columns columns = {0};

	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *certificate = json_array_get(chain, i);
		uint64_t until = print_number(certificate, "until_unix_s");
		char time[TEXT_TIME_SIZE];

		text_time(until, time);
		columns_addf(&columns, COLOUR_NONE, "  %s", print_text(certificate, "name"));
		columns_addf(&columns, COLOUR_NONE, "by %s", print_text(certificate, "issuer"));
		columns_addf(&columns, COLOUR_NONE, "until %s UTC", time);
		columns_end_row(&columns);
	}
	if (json_array_size(chain) > 0)
		title(printer, "certificates");
	columns_print(&columns, printer->out, printer->use_colour);
}

void print_probe(const json_t *reply, FILE *out, bool use_colour)
{
	const struct printer printer = {out, use_colour};
	const json_t *checks = json_object_get(reply, "checks");

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);

		if (i > 0)
			fputc('\n', out);
		print_head(&printer, check);
		if (print_has(check, "note"))
			fprintf(out, "  %s\n", print_text(check, "note"));
		print_pairs(&printer, "request", json_object_get(check, "request"));
		print_phases(&printer, json_object_get(check, "phases"));
		print_pairs(&printer, "tls", json_object_get(check, "tls"));
		print_certificates(&printer, json_object_get(check, "certificates"));
		print_pairs(&printer, "response", json_object_get(check, "headers"));
	}
}
