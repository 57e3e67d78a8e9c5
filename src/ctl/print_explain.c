/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "columns.h"
#include "print.h"
#include "steerd/base/memory.h"

static const char *outcome_words(const char *outcome)
{
	static const struct {
		const char *outcome;
		const char *words;
	} outcomes[] = {
		{"outside", "no zone here holds it: answered with REFUSED"},
		{"missing", "it does not exist: answered with NXDOMAIN"},
		{"below-dname", "it lies below a DNAME: answered with that and a CNAME"},
		{"referral", "it is delegated: answered with a referral"},
		{"node", "it is not steered: answered from its own records"},
	};

	for (size_t i = 0; i < COUNT_OF(outcomes); i++)
		if (strcmp(outcome, outcomes[i].outcome) == 0)
			return outcomes[i].words;
	return outcome;
}

static void print_question(const json_t *reply, FILE *out, bool use_colour)
{
	const char *zone = print_text(reply, "zone");
	const char *owner = print_text(reply, "owner");
	const char *alias = print_text(reply, "alias");

	fprintf(out, "%s%s %s%s for %s\n", colour_begin(COLOUR_BOLD, use_colour),
		print_text(reply, "name"), print_text(reply, "type"),
		colour_end(COLOUR_BOLD, use_colour), print_text(reply, "client"));
	if (*zone)
		fprintf(out, "  zone    %s%s%s%s\n", zone, *owner ? ", at " : "", owner,
			json_is_true(json_object_get(reply, "wildcard")) ? " (a wildcard)" : "");
	if (!json_is_true(json_object_get(reply, "steered")))
		fprintf(out, "  %s\n", outcome_words(print_text(reply, "outcome")));
	if (*alias)
		fprintf(out, "  it leads to %s (CNAME): explain that for the rest\n", alias);
}

static void print_place(const json_t *reply, FILE *out)
{
	const json_t *place = json_object_get(reply, "place");
	const char *source = print_text(place, "source");
	const char *label = print_text(place, "label");

	if (!json_is_true(json_object_get(reply, "uses_geography"))) {
		fprintf(out, "  client  its place does not matter to this pool\n");
	} else if (json_is_true(json_object_get(place, "known"))) {
		fprintf(out, "  client  %s%s%.2f, %.2f (%s in %s)\n", label,
			*label ? ", at " : "at ",
			json_number_value(json_object_get(place, "latitude")),
			json_number_value(json_object_get(place, "longitude")),
			print_text(place, "network"), source);
	} else {
		fprintf(out, "  client  of unknown place: the configured order holds%s%s%s\n",
			*source ? " (" : "", source, *source ? ")" : "");
	}
	fprintf(out, "  scope   /%llu, class %llu\n",
		(unsigned long long)print_number(reply, "scope_bits"),
		(unsigned long long)print_number(reply, "class"));
}

/* What is said beside the reason: what checks found, or why an operator took it out. */
static const char *find_details(const json_t *candidate)
{
	static const struct {
		const char *code;
		bool is_override;
	} codes[] = {
		{"health-down", false},
		{"held-observer", false},
		{"held-loss", false},
		{"held-evidence", false},
		{"degraded", false},
		{"panic", false},
		{"last-usable", false},
		{"drained", true},
		{"forced-down", true},
	};
	const char *code = print_text(candidate, "code");

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (strcmp(code, codes[i].code) == 0)
			return codes[i].is_override
				? print_text(json_object_get(candidate, "override"), "reason")
				: print_text(candidate, "check");
	return "";
}

static void add_decision(const json_t *candidate, struct columns *columns)
{
	bool is_kept = json_is_true(json_object_get(candidate, "kept"));
	double part = json_number_value(json_object_get(candidate, "part"));
	const char *details = find_details(candidate);
	char of_usual[40] = "";

	if (is_kept && part > 0 && part < 1)
		snprintf(of_usual, sizeof(of_usual), " (%.0f %% of its usual share)", 100 * part);
	columns_addf(columns, is_kept ? COLOUR_GOOD : COLOUR_NONE, "%s%s%s%s",
		print_text(candidate, "reason"), of_usual, *details ? ": " : "", details);
}

static void add_candidate(const json_t *candidate, struct columns *columns)
{
	const json_t *distance = json_object_get(candidate, "distance_km");
	bool is_kept = json_is_true(json_object_get(candidate, "kept"));

	columns_addf(columns, COLOUR_NONE, "%s/%s", print_text(candidate, "pool"),
		print_text(candidate, "member"));
	columns_add(columns, COLOUR_NONE, print_text(candidate, "site"));
	columns_add(columns, COLOUR_NONE, print_text(candidate, "address"));
	if (json_is_number(distance))
		columns_addf(columns, COLOUR_NONE, "%.0f km", json_number_value(distance));
	else
		columns_add(columns, COLOUR_NONE, NULL);
	if (is_kept)
		columns_addf(columns, COLOUR_GOOD, "%.1f %%",
			100 * json_number_value(json_object_get(candidate, "share")));
	else
		columns_add(columns, COLOUR_NONE, NULL);
	add_decision(candidate, columns);
	columns_end_row(columns);
}

static void print_candidates(const json_t *reply, FILE *out, bool use_colour)
{
	static const char *const titles[] = {
		"CANDIDATE", "SITE", "ADDRESS", "DISTANCE", "SHARE", "DECISION"};
	const json_t *candidates = json_object_get(reply, "candidates");
	struct columns columns = {0};

	if (json_array_size(candidates) == 0)
		return;
	fputc('\n', out);
	for (size_t i = 0; i < COUNT_OF(titles); i++)
		columns_add(&columns, COLOUR_FAINT, titles[i]);
	columns_end_row(&columns);
	for (size_t i = 0; i < json_array_size(candidates); i++)
		add_candidate(json_array_get(candidates, i), &columns);
	columns_print(&columns, out, use_colour);
}

/* What is said of the answer before its sets of addresses. */
static void print_kind(const json_t *reply, FILE *out)
{
	const char *kind = print_text(reply, "kind");
	const char *type = print_text(reply, "type");
	bool is_empty = json_array_size(json_object_get(reply, "answers")) == 0;

	if (strcmp(kind, "static") == 0)
		fprintf(out, "  all members are down: the name's own records%s\n",
			is_empty ? ", of which none is of this type" : "");
	else if (strcmp(kind, "hints") == 0)
		fprintf(out, "  the name's own %s records, %s\n", type,
			is_empty ? "without hints: A and AAAA get no address"
				 : "with what A and AAAA get as hints:");
	else if (strcmp(kind, "records") == 0)
		fprintf(out, "  the name's own %s records, which have no hints to replace\n", type);
	else if (is_empty && (strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0))
		fprintf(out, "  no data: the pool has no address of this type\n");
	else if (is_empty)
		fprintf(out, "  no data: the name has no %s records\n", type);
}

static void print_answers(const json_t *reply, FILE *out, bool use_colour)
{
	const json_t *answers = json_object_get(reply, "answers");

	fprintf(out, "\n%sanswer%s, TTL %llu s\n", colour_begin(COLOUR_BOLD, use_colour),
		colour_end(COLOUR_BOLD, use_colour),
		(unsigned long long)print_number(reply, "ttl_s"));
	print_kind(reply, out);
	for (size_t i = 0; i < json_array_size(answers); i++) {
		const json_t *answer = json_array_get(answers, i);
		const json_t *addresses = json_object_get(answer, "addresses");

		fprintf(out, "  %5.1f %% ",
			100 * json_number_value(json_object_get(answer, "share")));
		for (size_t j = 0; j < json_array_size(addresses); j++)
			fprintf(out, " %s", json_string_value(json_array_get(addresses, j)));
		fputc('\n', out);
	}
}

void print_explain(const json_t *reply, FILE *out, bool use_colour)
{
	print_question(reply, out, use_colour);
	if (!json_is_true(json_object_get(reply, "steered")))
		return;
	fprintf(out, "  pool    %s\n", print_text(reply, "pool"));
	print_place(reply, out);
	print_candidates(reply, out, use_colour);
	print_answers(reply, out, use_colour);
}
