/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/plan/explain.h"

#include <string.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/bytes.h"
#include "steerd/control/words.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/name.h"
#include "steerd/dns/type.h"

static const char *const outcomes[] = {
	[ZONE_OUTSIDE] = "outside",
	[ZONE_NODE] = "node",
	[ZONE_REFERRAL] = "referral",
	[ZONE_BELOW_DNAME] = "below-dname",
	[ZONE_MISSING] = "missing",
};

static const char *const kinds[] = {
	[STEER_ADDRESSES] = "addresses",
	[STEER_STATIC] = "static",
	[STEER_NODATA] = "nodata",
};

static const char *const codes[] = {
	[STEER_KEPT] = "kept",
	[STEER_LAST_RESORT] = "last-resort",
	[STEER_LESS_NEAR] = "less-near",
	[STEER_LOWER_PRIORITY] = "lower-priority",
	[STEER_ZERO_WEIGHT] = "zero-weight",
	[STEER_TWICE] = "twice",
	[STEER_HEALTH_DOWN] = "health-down",
	[STEER_DRAINED] = "drained",
	[STEER_FORCED_DOWN] = "forced-down",
	[STEER_REPLACED] = "replaced",
	[STEER_OTHER_FAMILY] = "other-family",
	[STEER_UNRESOLVED] = "unresolved",
};

static json_t *place_of(const struct geo_place *place)
{
	json_t *json = json_object();
	char network[PREFIX_TEXT_SIZE];

	prefix_print(&place->network, network);
	json_put(json, "known", json_boolean(place->is_known));
	json_put(json, "latitude", place->is_known ? json_real(place->at.latitude) : json_null());
	json_put(json, "longitude", place->is_known ? json_real(place->at.longitude) : json_null());
	json_put_text(
		json, "network", place->network.address.family == ADDRESS_NONE ? NULL : network);
	json_put_text(json, "label", *place->label ? place->label : NULL);
	json_put_text(json, "source", *place->source ? place->source : NULL);
	return json;
}

static json_t *candidate_of(const struct explain_candidate *item)
{
	const struct steer_candidate *candidate = &item->candidate;
	const struct verdict *verdict = item->verdict;
	bool is_kept = candidate->reason == STEER_KEPT || candidate->reason == STEER_LAST_RESORT;
	bool has_address = candidate->address.family != ADDRESS_NONE;
	json_t *json = json_object();
	char address[ADDRESS_TEXT_SIZE] = "";

	if (has_address)
		address_print(&candidate->address, address);
	json_put_text(json, "pool", candidate->pool->name);
	json_put_text(json, "member", candidate->member->name);
	json_put_text(json, "site", item->site);
	json_put_text(json, "address", has_address ? address : NULL);
	json_put(json, "distance_km",
		item->distance_km < 0 ? json_null() : json_real(item->distance_km));
	json_put(json, "kept", json_boolean(is_kept));
	json_put(json, "share", json_real(is_kept ? candidate->share : 0));
	json_put_text(json, "code", codes[candidate->reason]);
	json_put_text(json, "reason", steer_reason_text(candidate->reason));
	json_put_text(json, "state", verdict ? words_verdict(verdict->state) : NULL);
	json_put_text(json, "check", verdict && *verdict->reason ? verdict->reason : NULL);
	json_put(json, "override", reply_one_override(item->override));
	return json;
}

static json_t *set_of(const struct steer_choice *choice, const struct steer_step *step)
{
	json_t *array = json_array();

	for (size_t i = 0; i < step->count; i++) {
		struct address address = {
			.family = choice->address_size == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6};
		char text[ADDRESS_TEXT_SIZE];

		memcpy(address.bytes, choice->addresses + (step->first + i) * choice->address_size,
			choice->address_size);
		address_print(&address, text);
		json_push_text(array, text);
	}
	return array;
}

static json_t *sets_of(const struct steer_choice *choice)
{
	json_t *array = json_array();
	double below = 0;

	for (size_t i = 0; i < choice->step_count; i++) {
		/* the last step takes all numbers that are left */
		double next = i + 1 == choice->step_count ? 0x1p32 : choice->steps[i].below;
		json_t *json = json_object();

		json_put(json, "share", json_real((next - below) / 0x1p32));
		json_put(json, "addresses", set_of(choice, &choice->steps[i]));
		json_push(array, json);
		below = next;
	}
	return array;
}

/* A rendered RRset of addresses (zone.h): each record is pointer 2, type 2, class 2, TTL 4, length 2, address. */
#define RECORD_HEAD 12
#define RECORD_TTL 6

static json_t *addresses_of_block(const struct zone_block *block, uint8_t family)
{
	struct address address = {.family = family};
	size_t size = address_size(&address);
	json_t *array = json_array();

	for (size_t i = 0; i < block->record_count; i++) {
		char text[ADDRESS_TEXT_SIZE];

		memcpy(address.bytes, block->bytes + i * (RECORD_HEAD + size) + RECORD_HEAD, size);
		address_print(&address, text);
		json_push_text(array, text);
	}
	return array;
}

/* The name's own records of a type; NULL if it has none. */
static const struct zone_block *own_records(
	const struct plan *plan, const struct explain_request *asked, uint16_t type)
{
	struct name_key key;
	struct zone_match match;
	struct err err;

	if (!name_parse(asked->name, &key, &err))
		return NULL;
	zone_set_find(plan->zones, &key, asked->type, &match);
	return match.node ? zone_node_get_set(match.node, type) : NULL;
}

/* Where a CNAME leads, which is what decides then. */
static void put_alias(json_t *json, const struct plan *plan, const struct explain_request *asked)
{
	const struct zone_block *block = own_records(plan, asked, DNS_TYPE_CNAME);
	char target[NAME_TEXT_SIZE];

	if (block)
		name_print(block->bytes + RECORD_HEAD, target);
	json_put_text(json, "alias", block ? target : NULL);
}

/* The name's own records have a TTL of their own. */
static uint32_t ttl_of(
	const struct plan *plan, const struct explain *explain, const struct explain_request *asked)
{
	const struct zone_block *block = explain->choice->kind == STEER_STATIC
		? own_records(plan, asked, asked->type)
		: NULL;

	if (!block)
		return explain->ttl_s;

	struct bytes_reader reader = {.at = block->bytes + RECORD_TTL, .left = sizeof(uint32_t)};

	return bytes_read_u32(&reader);
}

static json_t *answers_of(const struct plan *plan, const struct steer_choice *choice,
	const struct explain_request *asked)
{
	const struct zone_block *block =
		choice->kind == STEER_STATIC ? own_records(plan, asked, asked->type) : NULL;

	if (choice->kind == STEER_NODATA)
		return json_array();
	if (!block)
		return sets_of(choice);

	json_t *array = json_array();
	json_t *set = json_object();

	json_put(set, "share", json_real(1));
	json_put(set, "addresses",
		addresses_of_block(block, asked->type == DNS_TYPE_A ? ADDRESS_IPV4 : ADDRESS_IPV6));
	json_push(array, set);
	return array;
}

static json_t *candidates_of(const struct explain *explain)
{
	json_t *array = json_array();

	for (size_t i = 0; i < explain->candidate_count; i++)
		json_push(array, candidate_of(&explain->candidates[i]));
	return array;
}

static void put_question(json_t *json, const struct explain_request *asked)
{
	struct name_key key;
	struct err err;
	char name[NAME_TEXT_SIZE];
	char client[PREFIX_TEXT_SIZE];
	char type[TYPE_TEXT_SIZE];

	prefix_print(&asked->client, client);
	type_print(asked->type, type);
	if (name_parse(asked->name, &key, &err))
		name_print(key.wire, name);
	else
		name[0] = '\0'; /* explain_query() has read it before us */
	json_put_text(json, "name", name);
	json_put_text(json, "type", type);
	json_put_text(json, "client", client);
}

static json_t *explain_json(
	const struct plan *plan, const struct explain *explain, const struct explain_request *asked)
{
	json_t *json = json_object();

	json_put(json, "ok", json_true());
	put_question(json, asked);
	json_put_text(json, "outcome", outcomes[explain->outcome]);
	json_put_text(json, "zone", explain->zone);
	json_put_text(json, "owner", explain->owner);
	json_put(json, "wildcard", json_boolean(explain->is_wildcard));
	json_put(json, "steered", json_boolean(explain->is_steered));
	if (!explain->is_steered) {
		put_alias(json, plan, asked);
		return json;
	}
	json_put_text(json, "pool", explain->pool);
	json_put_number(json, "ttl_s", ttl_of(plan, explain, asked));
	json_put(json, "place", place_of(&explain->place));
	json_put(json, "uses_geography", json_boolean(explain->uses_geography));
	json_put_number(json, "class", explain->class);
	json_put_number(json, "scope_bits", explain->scope_bits);
	json_put_text(json, "kind", kinds[explain->choice->kind]);
	json_put(json, "candidates", candidates_of(explain));
	json_put(json, "answers", answers_of(plan, explain->choice, asked));
	return json;
}

static bool read_question(
	const struct request *request, struct explain_request *ret_asked, struct err *err)
{
	const char *type = request->text[ARGUMENT_TYPE] ? request->text[ARGUMENT_TYPE] : "A";

	ret_asked->name = request->text[ARGUMENT_NAME];
	if (!type_parse(type, &ret_asked->type) ||
		(ret_asked->type != DNS_TYPE_A && ret_asked->type != DNS_TYPE_AAAA))
		return err_set(err, "'%s' is not a steered type: A or AAAA", type);
	if (!prefix_parse(request->text[ARGUMENT_CLIENT], &ret_asked->client, err))
		return err_within(err, "client");
	/* RFC 7871 7.1.2: of such a client nothing may be known, and the answer goes by who sends the query */
	if (ret_asked->client.bits == 0)
		return err_set(err,
			"client: '%s' tells no place; it gets what the resolver that asks gets: "
			"give its address",
			request->text[ARGUMENT_CLIENT]);
	return true;
}

json_t *reply_explain(const struct control_facts *facts, const struct request *request,
	const struct geo_place *place, struct err *err)
{
	struct explain_request asked = {.place = place};
	struct explain explain = {0};

	if (!read_question(request, &asked, err) ||
		!explain_query(facts->plan, &asked, &explain, err))
		return NULL;

	json_t *json = explain_json(facts->plan, &explain, &asked);

	explain_done(&explain);
	return json;
}
