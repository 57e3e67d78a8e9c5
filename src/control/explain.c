/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/plan/explain.h"

#include <string.h>

#include "json.h"
#include "reply.h"
#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
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
	[STEER_HELD_OBSERVER] = "held-observer",
	[STEER_HELD_LOSS] = "held-loss",
	[STEER_HELD_EVIDENCE] = "held-evidence",
	[STEER_DEGRADED] = "degraded",
	[STEER_RAMP] = "ramp",
	[STEER_WITHOUT] = "without",
	[STEER_PANIC] = "panic",
	[STEER_LAST_USABLE] = "last-usable",
	[STEER_LAST_RESORT] = "last-resort",
	[STEER_LESS_NEAR] = "less-near",
	[STEER_LOWER_PRIORITY] = "lower-priority",
	[STEER_ZERO_WEIGHT] = "zero-weight",
	[STEER_TWICE] = "twice",
	[STEER_POOL_FAILED] = "pool-failed",
	[STEER_NOT_LAST] = "not-last",
	[STEER_HEALTH_DOWN] = "health-down",
	[STEER_WAITS_DELAY] = "waits-delay",
	[STEER_WAITS_RETURN] = "waits-return",
	[STEER_NEEDS_LOST] = "needs-lost",
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

/* The first word of a monitor that decides about what it found; "" if there is none. */
static const char *finding_of(const struct explain_candidate *item)
{
	for (size_t i = 0; i < item->check_count; i++) {
		const struct verdict *verdict = item->checks[i].verdict;

		if (!item->checks[i].is_watch_only && verdict && *verdict->reason)
			return verdict->reason;
	}
	return "";
}

static bool is_checked(const struct explain_candidate *item)
{
	for (size_t i = 0; i < item->check_count; i++)
		if (!item->checks[i].is_watch_only && item->checks[i].verdict)
			return true;
	return false;
}

static json_t *checks_of(const struct explain_candidate *item)
{
	json_t *array = json_array();

	for (size_t i = 0; i < item->check_count; i++) {
		const struct explain_check *check = &item->checks[i];
		const struct verdict *verdict = check->verdict;
		json_t *json = json_object();

		json_put_text(json, "monitor", check->monitor);
		json_put(json, "decides", json_boolean(!check->is_watch_only));
		json_put_text(json, "state", verdict ? words_verdict(verdict->state) : NULL);
		json_put_text(json, "check", verdict && *verdict->reason ? verdict->reason : NULL);
		json_push(array, json);
	}
	return array;
}

static json_t *candidate_of(const struct explain_candidate *item)
{
	const struct steer_candidate *candidate = &item->candidate;
	const struct belief *belief = candidate->belief;
	const char *finding = finding_of(item);
	bool is_kept = steer_reason_is_kept(candidate->reason);
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
	json_put_text(
		json, "state", belief && is_checked(item) ? words_verdict(belief->state) : NULL);
	json_put(json, "part",
		belief ? json_real((double)belief->share / BELIEF_WHOLE) : json_null());
	json_put_text(json, "check", *finding ? finding : NULL);
	json_put(json, "checks", checks_of(item));
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

/* ---- what is answered ---- */

/* What one family decides: all of an answer to A or AAAA; of one to HTTPS, the hints of the family. */
struct part {
	struct explain_request asked; /* for addresses of the family */
	struct explain explain;
	const struct zone_block *own; /* these are answered; NULL: the pool decides */
	uint8_t family;
	bool is_wanted; /* the answer has a place for addresses of the family */
};

struct parts {
	struct part items[2];
	size_t count;	 /* at least one: what both say of name, pool and place, the first tells */
	bool is_service; /* SVCB or HTTPS */
	const struct zone_block *set; /* of that type; NULL: none */
};

static size_t step_count(const struct part *part)
{
	if (!part->is_wanted || part->explain.choice->kind == STEER_NODATA)
		return 0;
	return part->own ? 1 : part->explain.choice->step_count;
}

/* The first random number behind the step; the last step takes all that are left. */
static double step_end(const struct part *part, size_t step)
{
	return step + 1 < step_count(part) ? part->explain.choice->steps[step].below : 0x1p32;
}

static bool is_answered(const struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		if (step_count(&parts->items[i]) > 0)
			return true;
	return false;
}

static uint32_t ttl_of_block(const struct zone_block *block)
{
	struct bytes_reader reader = {.at = block->bytes + RECORD_TTL, .left = sizeof(uint32_t)};

	return bytes_read_u32(&reader);
}

/* The name's own records have a TTL of their own; hints make no TTL longer. */
static uint32_t ttl_of(const struct parts *parts)
{
	uint32_t ttl_s = parts->set ? ttl_of_block(parts->set) : UINT32_MAX;

	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];
		uint32_t part_ttl_s = part->own ? ttl_of_block(part->own) : part->explain.ttl_s;

		if (part_ttl_s < ttl_s && (step_count(part) > 0 || !parts->set))
			ttl_s = part_ttl_s;
	}
	return ttl_s;
}

static void push_addresses(json_t *array, const struct part *part, size_t step)
{
	json_t *addresses;

	if (step_count(part) == 0)
		return;
	addresses = part->own ? addresses_of_block(part->own, part->family)
			      : set_of(part->explain.choice, &part->explain.choice->steps[step]);
	for (size_t i = 0; i < json_array_size(addresses); i++)
		json_push(array, json_incref(json_array_get(addresses, i)));
	json_decref(addresses);
}

/* One random number decides all parts: where any of them changes, another set begins. */
static json_t *answers_of(const struct parts *parts)
{
	json_t *array = json_array();
	size_t at[2] = {0};

	for (double below = 0, end; is_answered(parts) && below < 0x1p32; below = end) {
		json_t *json = json_object();
		json_t *addresses = json_array();

		end = 0x1p32;
		for (size_t i = 0; i < parts->count; i++) {
			double part_end = step_end(&parts->items[i], at[i]);

			end = part_end < end ? part_end : end;
			push_addresses(addresses, &parts->items[i], at[i]);
		}
		for (size_t i = 0; i < parts->count; i++)
			at[i] += step_end(&parts->items[i], at[i]) <= end;
		json_put(json, "share", json_real((end - below) / 0x1p32));
		json_put(json, "addresses", addresses);
		json_push(array, json);
	}
	return array;
}

static json_t *candidates_of(const struct parts *parts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < parts->count; i++) {
		const struct explain *explain = &parts->items[i].explain;

		for (size_t k = 0; k < explain->candidate_count && parts->items[i].is_wanted; k++)
			json_push(array, candidate_of(&explain->candidates[k]));
	}
	return array;
}

static const char *kind_of(const struct parts *parts)
{
	if (!parts->is_service)
		return kinds[parts->items[0].explain.choice->kind];
	if (!parts->set)
		return kinds[STEER_NODATA];
	return parts->items[0].is_wanted || parts->items[1].is_wanted ? "hints" : "records";
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
	const struct plan *plan, const struct explain_request *asked, const struct parts *parts)
{
	const struct explain *explain = &parts->items[0].explain;
	json_t *json = json_object();
	bool is_scoped = !parts->is_service || is_answered(parts);

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
	json_put_number(json, "ttl_s", ttl_of(parts));
	json_put(json, "place", place_of(&explain->place));
	json_put(json, "uses_geography", json_boolean(explain->uses_geography));
	json_put_number(json, "class", explain->class);
	json_put_number(json, "scope_bits", is_scoped ? explain->scope_bits : 0);
	json_put_text(json, "kind", kind_of(parts));
	json_put(json, "candidates", candidates_of(parts));
	json_put(json, "answers", answers_of(parts));
	return json;
}

/* ---- the question ---- */

static bool is_service(uint16_t type)
{
	return type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

static bool read_question(
	const struct request *request, struct explain_request *ret_asked, struct err *err)
{
	const char *type = request->text[ARGUMENT_TYPE] ? request->text[ARGUMENT_TYPE] : "A";

	ret_asked->name = request->text[ARGUMENT_NAME];
	if (!type_parse(type, &ret_asked->type) ||
		(ret_asked->type != DNS_TYPE_A && ret_asked->type != DNS_TYPE_AAAA &&
			!is_service(ret_asked->type)))
		return err_set(err, "'%s' is not a steered type: A, AAAA, HTTPS or SVCB", type);
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

/* Decides for each family that the answer depends on. */
static bool explain_parts(const struct control_facts *facts, const struct explain_request *asked,
	struct parts *parts, struct err *err)
{
	static const struct {
		uint16_t type;
		uint8_t family;
	} families[] = {{DNS_TYPE_A, ADDRESS_IPV4}, {DNS_TYPE_AAAA, ADDRESS_IPV6}};

	parts->is_service = is_service(asked->type);
	for (unsigned i = 0; i < COUNT_OF(families); i++) {
		struct part *part = &parts->items[parts->count];

		if (!parts->is_service && asked->type != families[i].type)
			continue;
		part->asked = *asked;
		part->asked.type = families[i].type;
		part->family = families[i].family;
		if (!explain_query(facts->plan, facts->verdicts, &part->asked, &part->explain, err))
			return false;
		parts->count++;
		if (!part->explain.is_steered)
			return true;
		if (parts->is_service)
			parts->set = own_records(facts->plan, asked, asked->type);
		part->is_wanted =
			!parts->is_service || (parts->set && zone_block_is_hinted(parts->set, i));
		if (part->explain.choice->kind == STEER_STATIC)
			part->own = own_records(facts->plan, &part->asked, part->asked.type);
	}
	return true;
}

json_t *reply_explain(const struct control_facts *facts, const struct request *request,
	const struct geo_place *place, struct err *err)
{
	struct explain_request asked = {.place = place};
	struct parts parts = {0};
	json_t *json = NULL;

	if (read_question(request, &asked, err) && explain_parts(facts, &asked, &parts, err))
		json = explain_json(facts->plan, &asked, &parts);
	for (size_t i = 0; i < parts.count; i++)
		explain_done(&parts.items[i].explain);
	return json;
}
