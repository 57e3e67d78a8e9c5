/* SPDX-License-Identifier: Apache-2.0 */

/* Look-ups in random zones against a reference that only knows the list of owners and RFC 1034 4.3.2. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/dns/dns.h"
#include "zones.h"

#define ROUNDS 60
#define OWNERS_MAX 24
#define NAME_SIZE 32

struct owner {
	char name[NAME_SIZE]; /* "a.*.b.t." */
	bool is_cut;
};

struct model {
	const char *apex;
	struct owner owners[OWNERS_MAX];
	size_t count;
};

struct answer {
	enum zone_outcome outcome;
	const char *apex;
	char node[NAME_SIZE + 2]; /* "" if there is none */
	bool is_wildcard;
};

static bool is_at_or_below(const char *name, const char *ancestor)
{
	size_t size = strlen(name);
	size_t suffix = strlen(ancestor);

	return size >= suffix && strcmp(name + size - suffix, ancestor) == 0 &&
		(size == suffix || name[size - suffix - 1] == '.');
}

static bool has_cut(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->owners[i].is_cut && strcmp(model->owners[i].name, name) == 0)
			return true;
	return false;
}

/* By a record of its own, or as an empty non-terminal. */
static bool exists(const struct model *model, const char *name)
{
	if (strcmp(name, model->apex) == 0)
		return true;
	for (size_t i = 0; i < model->count; i++)
		if (is_at_or_below(model->owners[i].name, name))
			return true;
	return false;
}

/* The delegation nearest to the apex that holds the name; NULL if there is none. */
static const char *find_cut(const struct model *model, const char *name)
{
	const char *cut = NULL;

	for (; strcmp(name, model->apex) != 0; name = strchr(name, '.') + 1)
		if (has_cut(model, name))
			cut = name;
	return cut;
}

static void set_node(struct answer *answer, const char *name)
{
	snprintf(answer->node, sizeof(answer->node), "%s", name);
}

static void ask_model(
	const struct model *model, const char *name, bool is_ds, struct answer *answer)
{
	const char *cut = find_cut(model, name);
	const char *encloser = name;
	char wildcard[NAME_SIZE + 2];

	*answer = (struct answer){.apex = model->apex, .outcome = ZONE_NODE};
	if (cut && !(is_ds && strcmp(cut, name) == 0)) {
		answer->outcome = ZONE_REFERRAL;
		set_node(answer, cut);
		return;
	}
	if (exists(model, name)) {
		set_node(answer, name);
		return;
	}
	while (!exists(model, encloser))
		encloser = strchr(encloser, '.') + 1;
	snprintf(wildcard, sizeof(wildcard), "*.%s", encloser);
	answer->is_wildcard = exists(model, wildcard);
	if (answer->is_wildcard)
		set_node(answer, wildcard);
	else
		answer->outcome = ZONE_MISSING;
}

/* Two zones: `models[1]` lies in `models[0]`. */
static void ask_models(
	const struct model models[2], const char *name, bool is_ds, struct answer *answer)
{
	bool is_child = is_at_or_below(name, models[1].apex);

	if (is_ds && strcmp(name, models[1].apex) == 0 && exists(&models[0], name)) {
		const char *cut = find_cut(&models[0], name);

		if (!cut || strcmp(cut, name) == 0)
			is_child = false; /* the parent speaks for the apex of its child */
	}
	ask_model(&models[is_child ? 1 : 0], name, is_ds, answer);
}

static void random_name(struct random *random, const char *apex, char name[NAME_SIZE])
{
	static const char letters[] = "aab*c";
	char front[NAME_SIZE] = "";
	unsigned labels = 1 + random_below(random, 4);

	for (unsigned i = 0; i < labels; i++) {
		front[2 * i] = letters[random_below(random, 5)];
		front[2 * i + 1] = '.';
	}
	snprintf(name, NAME_SIZE, "%.8s%s", front, apex);
}

static void random_zone(struct random *random, struct model *model)
{
	model->count = random_below(random, OWNERS_MAX);
	for (size_t i = 0; i < model->count; i++) {
		struct owner *owner = &model->owners[i];

		random_name(random, model->apex, owner->name);
		owner->is_cut = owner->name[0] != '*' && random_below(random, 8) == 0;
	}
}

static void write_zone(const struct model *model, const char *path)
{
	struct text text = {0};

	text_add(&text, ZONES_HEAD);
	for (size_t i = 0; i < model->count; i++)
		text_print(&text, "%s %s\n", model->owners[i].name,
			model->owners[i].is_cut ? "NS ns.elsewhere." : "A 192.0.2.1");
	zones_write(path, text.bytes);
	text_done(&text);
}

static void compare(const struct zones *zones, const struct model models[2], const char *name)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_DS};

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct answer want;
		struct zone_match got = zones_find(zones, name, types[i]);
		char node[NAME_TEXT_SIZE] = "";
		char apex[NAME_TEXT_SIZE];

		ask_models(models, name, types[i] == DNS_TYPE_DS, &want);
		if (got.node)
			name_print(zone_node_name(got.node), node);
		name_print(zone_name(got.zone), apex);
		if (got.outcome != want.outcome || got.is_wildcard != want.is_wildcard ||
			strcmp(node, want.node) != 0 || strcmp(apex, want.apex) != 0)
			fail_msg("%s %u: %d '%s' in %s, not %d '%s' in %s", name, types[i],
				(int)got.outcome, node, apex, (int)want.outcome, want.node,
				want.apex);
	}
}

/* Every name of up to four labels over five letters, of which one is in no zone. */
static void compare_all(const struct zones *zones, const struct model models[2])
{
	static const char letters[] = "ab*cd";

	for (unsigned labels = 1, count = 5; labels <= 4; labels++, count *= 5) {
		for (unsigned number = 0; number < count; number++) {
			char name[NAME_SIZE] = "";
			unsigned rest = number;

			for (unsigned i = 0; i < labels; i++, rest /= 5) {
				name[2 * i] = letters[rest % 5];
				name[2 * i + 1] = '.';
			}
			memcpy(name + 2 * labels, "t.", 3);
			compare(zones, models, name);
		}
	}
}

/* RFC 1034 4.3.2, RFC 4592 3.3.1 */
static void random_zones(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 20261122);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct model models[2] = {
			{.apex = "t."}, {.apex = round % 2 == 0 ? "a.t." : "b.a.t."}};
		struct zones zones;

		zones_init(&zones);
		random_zone(&random, &models[0]);
		random_zone(&random, &models[1]);
		write_zone(&models[0], "zones/t.zone");
		write_zone(&models[1], round % 2 == 0 ? "zones/a.t.zone" : "zones/b.a.t.zone");
		if (!zones_read(&zones) || zones.report.error_count > 0)
			fail_msg("%s", zones_said(&zones));
		compare_all(&zones, models);
		zones_done(&zones);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
