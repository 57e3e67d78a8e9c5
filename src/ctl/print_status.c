/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "columns.h"
#include "print.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* More than one look takes in; all of them are in --json. */
#define PROBLEMS_SHOWN 20

struct printer {
	const json_t *reply;
	FILE *out;
	bool use_colour;
	uint64_t now_unix_s;
};

static const char *span_since(const struct printer *printer, const json_t *object, const char *key,
	char span[static TEXT_DURATION_SIZE])
{
	return print_span_since(object, key, printer->now_unix_s, span);
}

static void print_head(const struct printer *printer)
{
	const json_t *reply = printer->reply;
	const json_t *listen = json_object_get(reply, "listen");
	const json_t *zones = json_object_get(reply, "zones");
	size_t zone_count = json_array_size(zones);
	uint64_t steered = 0;
	char span[TEXT_DURATION_SIZE];

	for (size_t i = 0; i < zone_count; i++)
		steered += print_number(json_array_get(zones, i), "steered");
	fprintf(printer->out, "steerd %s on", print_text(reply, "version"));
	for (size_t i = 0; i < json_array_size(listen); i++)
		fprintf(printer->out, " %s", json_string_value(json_array_get(listen, i)));
	fprintf(printer->out, ", for %s, process %llu\n",
		span_since(printer, reply, "started_at_unix_s", span),
		(unsigned long long)print_number(reply, "pid"));
	fprintf(printer->out, "%s, generation %llu: %zu zone%s, %llu steered name%s\n",
		print_text(reply, "settings"),
		(unsigned long long)print_number(reply, "generation"), zone_count,
		zone_count == 1 ? "" : "s", (unsigned long long)steered, steered == 1 ? "" : "s");
}

static void print_problems(const struct printer *printer)
{
	const json_t *problems = json_object_get(printer->reply, "problems");
	size_t count = json_array_size(problems);
	FILE *out = printer->out;

	if (count == 0) {
		fprintf(out, "\n%sall is well%s\n", colour_begin(COLOUR_GOOD, printer->use_colour),
			colour_end(COLOUR_GOOD, printer->use_colour));
		return;
	}
	fprintf(out, "\n%s%zu problem%s%s\n", colour_begin(COLOUR_BAD, printer->use_colour), count,
		count == 1 ? "" : "s", colour_end(COLOUR_BAD, printer->use_colour));
	for (size_t i = 0; i < count && i < PROBLEMS_SHOWN; i++)
		fprintf(out, "  %s\n", json_string_value(json_array_get(problems, i)));
	if (count > PROBLEMS_SHOWN)
		fprintf(out, "  ... and %zu more: steerctl status --json\n",
			count - PROBLEMS_SHOWN);
}

static void print_prober(const struct printer *printer)
{
	const json_t *prober = json_object_get(printer->reply, "prober");
	const char *state = print_text(prober, "state");
	uint64_t restarts = print_number(prober, "restarts");
	uint64_t renewals = print_number(prober, "renewals");
	enum colour colour = print_state_colour(state);
	char span[TEXT_DURATION_SIZE];

	fprintf(printer->out, "\nprober: %s%s%s", colour_begin(colour, printer->use_colour), state,
		colour_end(colour, printer->use_colour));
	text_duration(print_number(prober, "heard_ms"), span);
	if (print_has(prober, "heard_ms"))
		fprintf(printer->out, ", last heard %s ago", span);
	if (restarts > 0)
		fprintf(printer->out, "; started again %llu time%s, last because: %s",
			(unsigned long long)restarts, restarts == 1 ? "" : "s",
			print_text(prober, "why"));
	if (renewals > 0)
		fprintf(printer->out, "; %llu time%s on purpose, for other rights",
			(unsigned long long)renewals, renewals == 1 ? "" : "s");
	fputc('\n', printer->out);
}

static void print_reload(const struct printer *printer)
{
	const json_t *reload = json_object_get(printer->reply, "reload");
	bool done = json_is_true(json_object_get(reload, "ok"));
	char span[TEXT_DURATION_SIZE];

	if (!print_has(printer->reply, "reload"))
		return;
	fprintf(printer->out, "files: last read %s ago, %s%s%s\n",
		span_since(printer, reload, "at_unix_s", span),
		colour_begin(done ? COLOUR_NONE : COLOUR_BAD, printer->use_colour),
		done ? "all taken" : "with mistakes",
		colour_end(done ? COLOUR_NONE : COLOUR_BAD, printer->use_colour));
}

static void print_traffic(const struct printer *printer)
{
	const json_t *counters = json_object_get(printer->reply, "counters");
	uint64_t tcp_open = print_number(printer->reply, "tcp_open");

	fprintf(printer->out,
		"queries: %llu over UDP, %llu over TCP (%llu connection%s open); %llu steered\n",
		(unsigned long long)print_number(counters, "udp_queries"),
		(unsigned long long)print_number(counters, "tcp_queries"),
		(unsigned long long)tcp_open, tcp_open == 1 ? "" : "s",
		(unsigned long long)print_number(counters, "steered"));
}

static void print_limited(const struct printer *printer)
{
	const json_t *counters = json_object_get(printer->reply, "counters");
	uint64_t slipped = print_number(counters, "limited_slipped");
	uint64_t dropped = print_number(counters, "limited_dropped");
	uint64_t dry_slipped = print_number(counters, "would_have_slipped");
	uint64_t dry_dropped = print_number(counters, "would_have_dropped");

	if (slipped + dropped + dry_slipped + dry_dropped == 0)
		return;
	fprintf(printer->out,
		"above the rate limit: %llu slipped, %llu dropped; in a dry run %llu would have "
		"slipped, %llu been dropped\n",
		(unsigned long long)slipped, (unsigned long long)dropped,
		(unsigned long long)dry_slipped, (unsigned long long)dry_dropped);
}

static const char *kind_word(const json_t *override)
{
	const char *kind = print_text(override, "kind");

	if (strcmp(kind, "drain") == 0)
		return "drained";
	return strcmp(kind, "up") == 0 ? "forced-up" : "forced-down";
}

static void add_titles(struct columns *columns, const char *const *titles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		columns_add(columns, COLOUR_FAINT, titles[i]);
	columns_end_row(columns);
}

static void add_override(
	const struct printer *printer, const json_t *override, struct columns *columns)
{
	uint64_t until = print_number(override, "until_unix_s");
	char span[TEXT_DURATION_SIZE];
	const char *state = kind_word(override);

	columns_add(columns, COLOUR_NONE, print_text(override, "subject"));
	columns_add(columns, print_state_colour(state), state);
	columns_add(columns, COLOUR_NONE, span_since(printer, override, "since_unix_s", span));
	if (until > printer->now_unix_s) {
		text_duration((until - printer->now_unix_s) * 1000, span);
		columns_addf(columns, COLOUR_NONE, "in %s", span);
	} else {
		columns_add(columns, COLOUR_NONE, until ? "now" : "it is released");
	}
	columns_addf(columns, COLOUR_NONE, "%llu",
		(unsigned long long)print_number(override, "members"));
	columns_add(columns, COLOUR_NONE, print_text(override, "by"));
	columns_add(columns, COLOUR_NONE, print_text(override, "reason"));
	columns_end_row(columns);
}

static void print_cookies(const struct printer *printer)
{
	const json_t *cookies = json_object_get(printer->reply, "cookies");
	uint64_t secrets = print_number(cookies, "secrets");
	bool is_kept = json_is_true(json_object_get(cookies, "kept"));
	char span[TEXT_DURATION_SIZE];

	if (!print_has(printer->reply, "cookies"))
		return;
	fprintf(printer->out, "cookies: %llu secret%s for %s%s\n", (unsigned long long)secrets,
		secrets == 1 ? "" : "s", span_since(printer, cookies, "since_unix_s", span),
		is_kept ? "" : ", of this run alone");
}

static void print_overrides(const struct printer *printer)
{
	static const char *const titles[] = {
		"SUBJECT", "STATE", "FOR", "ENDS", "MEMBERS", "BY", "REASON"};
	const json_t *overrides = json_object_get(printer->reply, "overrides");
	struct columns columns = {0};

	if (json_array_size(overrides) == 0)
		return;
	fprintf(printer->out, "\n%soverrides%s\n", colour_begin(COLOUR_BOLD, printer->use_colour),
		colour_end(COLOUR_BOLD, printer->use_colour));
	add_titles(&columns, titles, COUNT_OF(titles));
	for (size_t i = 0; i < json_array_size(overrides); i++)
		add_override(printer, json_array_get(overrides, i), &columns);
	columns_print(&columns, printer->out, printer->use_colour);
}

/* ---- pools ---- */

static void add_last_check(
	const struct printer *printer, const json_t *address, struct columns *columns)
{
	char span[TEXT_DURATION_SIZE];
	const char *reason = print_text(address, "reason");

	columns_add(columns, COLOUR_NONE, span_since(printer, address, "checked_at_unix_s", span));
	if (!print_has(address, "checked_at_unix_s"))
		return;
	text_duration(print_number(address, "latency_ms"), span);
	if (!json_is_true(json_object_get(address, "passed")))
		columns_add(columns, COLOUR_BAD, reason);
	else if (reason[0] != '\0') /* degraded */
		columns_addf(columns, COLOUR_WARN, "passed in %s, but %s", span, reason);
	else
		columns_addf(columns, COLOUR_NONE, "passed in %s", span);
}

static bool rules_checks(const char *state)
{
	return strcmp(state, "drained") == 0 || strncmp(state, "forced", 6) == 0;
}

/* What is believed, and what is seen where that is something else; the share that it gets where that is not whole. */
static void add_address_state(const json_t *address, struct columns *columns)
{
	const char *state = print_text(address, "state");
	const char *seen = print_text(address, "seen");
	double part = json_number_value(json_object_get(address, "part"));
	char shown[64];
	int size = snprintf(shown, sizeof(shown), "%s", state);

	if (part > 0 && part < 1)
		size += snprintf(
			shown + size, sizeof(shown) - (size_t)size, " at %.0f %%", 100 * part);
	if (*seen && strcmp(seen, state) != 0)
		snprintf(shown + size, sizeof(shown) - (size_t)size, " (checks: %s)", seen);
	columns_add(columns, print_state_colour(strcmp(seen, "down") == 0 ? seen : state), shown);
}

/* An override has the word for its member; what checks say of each address stands behind it. */
static void add_state(const struct printer *printer, const json_t *member, const json_t *address,
	struct columns *columns)
{
	const char *state = print_text(member, "state");
	const json_t *whose = member;
	char span[TEXT_DURATION_SIZE];

	if (rules_checks(state) && address) {
		columns_addf(columns, print_state_colour(state), "%s (checks: %s)", state,
			print_text(address, print_has(address, "seen") ? "seen" : "state"));
	} else if (address && strcmp(state, "unchecked") != 0) {
		whose = address;
		add_address_state(address, columns);
	} else {
		columns_add(columns, print_state_colour(state), state);
	}
	columns_add(columns, COLOUR_NONE, span_since(printer, whose, "since_unix_s", span));
}

static void add_member(const struct printer *printer, const json_t *member, struct columns *columns)
{
	const json_t *addresses = json_object_get(member, "addresses");
	size_t count = json_array_size(addresses);

	for (size_t i = 0; i < count || i == 0; i++) {
		const json_t *address = json_array_get(addresses, i);

		columns_add(columns, COLOUR_NONE, i == 0 ? print_text(member, "name") : "");
		columns_add(columns, COLOUR_NONE, i == 0 ? print_text(member, "site") : "");
		if (address)
			columns_add(columns, COLOUR_NONE, print_text(address, "address"));
		else if (print_has(member, "pool"))
			columns_addf(columns, COLOUR_NONE, "pool %s", print_text(member, "pool"));
		else
			columns_addf(columns, COLOUR_NONE, "host %s", print_text(member, "host"));
		add_state(printer, member, address, columns);
		if (address)
			add_last_check(printer, address, columns);
		columns_end_row(columns);
	}
}

static void print_pool_head(const struct printer *printer, const json_t *pool)
{
	const json_t *steers = json_object_get(pool, "steers");
	const char *state = print_text(pool, "state");
	enum colour colour = print_state_colour(state);

	fprintf(printer->out, "\n%spool %s%s: %s%s%s, %llu of %llu usable; %s",
		colour_begin(COLOUR_BOLD, printer->use_colour), print_text(pool, "name"),
		colour_end(COLOUR_BOLD, printer->use_colour),
		colour_begin(colour, printer->use_colour), state,
		colour_end(colour, printer->use_colour),
		(unsigned long long)print_number(pool, "usable"),
		(unsigned long long)print_number(pool, "members_total"),
		print_text(pool, "method"));
	if (json_is_true(json_object_get(json_object_get(pool, "capacity"), "panic")))
		fprintf(printer->out, ", %sin panic%s",
			colour_begin(COLOUR_BAD, printer->use_colour),
			colour_end(COLOUR_BAD, printer->use_colour));
	if (print_has(pool, "answers"))
		fprintf(printer->out, ", %llu answer%s",
			(unsigned long long)print_number(pool, "answers"),
			print_number(pool, "answers") == 1 ? "" : "s");
	fprintf(printer->out, print_has(pool, "monitor") ? ", checked by %s" : ", not checked%s",
		print_text(pool, "monitor"));
	for (size_t i = 0; i < json_array_size(steers); i++)
		fprintf(printer->out, "%s %s", i == 0 ? "; steers" : ",",
			json_string_value(json_array_get(steers, i)));
	fputc('\n', printer->out);
}

static void print_pools(const struct printer *printer)
{
	static const char *const titles[] = {
		"MEMBER", "SITE", "ADDRESS", "STATE", "FOR", "CHECKED", "LAST CHECK"};
	const json_t *pools = json_object_get(printer->reply, "pools");
	const struct print_style style = {printer->out, printer->use_colour, printer->now_unix_s};

	for (size_t i = 0; i < json_array_size(pools); i++) {
		const json_t *pool = json_array_get(pools, i);
		const json_t *members = json_object_get(pool, "members");
		struct columns columns = {0};

		print_pool_head(printer, pool);
		add_titles(&columns, titles, COUNT_OF(titles));
		for (size_t j = 0; j < json_array_size(members); j++)
			add_member(printer, json_array_get(members, j), &columns);
		columns_print(&columns, printer->out, printer->use_colour);
		for (size_t j = 0; j < json_array_size(members); j++)
			print_checks(pool, json_array_get(members, j), &style);
	}
}

static void print_zones(const struct printer *printer)
{
	static const char *const titles[] = {
		"ZONE", "SERIAL", "NAMES", "RECORDS", "STEERED", "FILE"};
	static const char *const counts[] = {"serial", "names", "records", "steered"};
	const json_t *zones = json_object_get(printer->reply, "zones");
	struct columns columns = {0};

	fprintf(printer->out, "\n%szones%s\n", colour_begin(COLOUR_BOLD, printer->use_colour),
		colour_end(COLOUR_BOLD, printer->use_colour));
	add_titles(&columns, titles, COUNT_OF(titles));
	for (size_t i = 0; i < json_array_size(zones); i++) {
		const json_t *zone = json_array_get(zones, i);

		columns_add(&columns, COLOUR_NONE, print_text(zone, "name"));
		for (size_t j = 0; j < COUNT_OF(counts); j++)
			columns_addf(&columns, COLOUR_NONE, "%llu",
				(unsigned long long)print_number(zone, counts[j]));
		columns_add(&columns, COLOUR_NONE, print_text(zone, "path"));
		columns_end_row(&columns);
	}
	columns_print(&columns, printer->out, printer->use_colour);
}

void print_status(const json_t *reply, FILE *out, bool use_colour)
{
	const struct printer printer = {
		.reply = reply,
		.out = out,
		.use_colour = use_colour,
		.now_unix_s = print_number(reply, "now_unix_s"),
	};

	print_head(&printer);
	print_problems(&printer);
	print_prober(&printer);
	print_reload(&printer);
	print_traffic(&printer);
	print_limited(&printer);
	print_cookies(&printer);
	print_overrides(&printer);
	print_pools(&printer);
	print_zones(&printer);
}
