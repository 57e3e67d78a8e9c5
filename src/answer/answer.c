/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/answer/answer.h"

#include "chaos.h"
#include "hints.h"
#include "reply.h"
#include "steerd/dns/query.h"

/*
 * The steps of RFC 1034 4.3.2:
 *
 *	answer_query     reads the query; what is not a question gets its rcode
 *	answer_question  2: the zone; 3: down the tree, again for each target of a CNAME
 *	answer_node      3a: the name exists: steered, an RRset, a CNAME, or no data
 *	answer_referral  3b: it is delegated
 *	answer_redirect  3c: it lies below a DNAME (RFC 6672 3.2)
 *	answer_negative  3c: it does not exist, nor does a wildcard; or it has no such type
 *
 * The zone room finds wildcards on the way down; to everything here, a wildcard's node is the name's own.
 * Each step says how the query is counted.
 */

/*
 * CNAMEs, of the zone or made of a DNAME, that one answer follows.  A resolver asks for the rest; a chain of three is
 * already a mistake.
 */
#define LINKS_MAX 8

/* One query on its way through the steps. */
struct job {
	const struct plan *plan;
	const struct answer_client *client;
	uint32_t random;
	struct stats *stats;
	struct query query; /* `name` becomes the target of each CNAME */
	struct reply reply;
	unsigned link_count;
	uint32_t links[LINKS_MAX]; /* hashes of the names that CNAMEs were found at */
	const struct zone_block *dnames[LINKS_MAX]; /* that the links were made of; NULL: of none */
	struct hints hints;			    /* while they are needed */
};

/*
 * Which clients this one is among, and for which network that is true (RFC 7871 7.1, 7.2).
 *
 * An opted-out client (source length 0) counts as its resolver, and its answer is for everybody who opts out there.
 * A special-purpose subnet, which says nothing about a place, counts as its resolver too, unless the networks
 * file knows it; the scope is the whole block then, or less where the networks file knows a part of it.
 */
static inline struct geo_hit client_class(
	const struct geo_map *map, const struct query_ecs *ecs, const struct address *source)
{
	if (!ecs->is_present || ecs->source.bits == 0) {
		struct geo_hit hit = geo_map_find(map, source);

		hit.scope_bits = 0;
		return hit;
	}

	struct geo_hit hit = geo_map_find_prefix(map, &ecs->source);

	if (hit.is_special) {
		unsigned special_bits = address_special_bits(&ecs->source.address);

		hit.class = geo_map_find(map, source).class;
		if (hit.scope_bits < special_bits)
			hit.scope_bits = (uint8_t)special_bits;
	}
	return hit;
}

/* The same for the client of a job; the scope becomes the reply's. */
static inline uint32_t job_class(struct job *job, const struct geo_map *map)
{
	struct geo_hit hit = client_class(map, &job->query.ecs, &job->client->address);

	if (hit.scope_bits > job->reply.scope_bits) /* of a chain, the longest (RFC 7871 7.2.1) */
		job->reply.scope_bits = hit.scope_bits;
	return hit.class;
}

/* The choice of addresses for this client. */
static const struct steer_choice *job_choice(
	struct job *job, const struct plan_steering *steering, uint16_t type)
{
	const struct steer_choice *const *choices = steering->choices[type == DNS_TYPE_AAAA];

	if (!steering->map)
		return choices[0];
	return choices[job_class(job, steering->map)];
}

static enum stats_counter answer_negative(struct job *job, const struct zone *zone)
{
	job->reply.flags |= DNS_FLAG_AA;
	job->reply.scope_bits = 0; /* RFC 7871 7.4 */
	(void)reply_add_block(&job->reply, REPLY_AUTHORITY, zone_negative(zone));
	return STATS_NODATA;
}

static enum stats_counter answer_missing(struct job *job, const struct zone *zone)
{
	job->reply.rcode = DNS_RCODE_NXDOMAIN; /* of the last name of a chain (RFC 6604 3) */
	(void)answer_negative(job, zone);
	return STATS_NXDOMAIN;
}

/* All of a cut's glue is in its block: if that does not fit, TC says so (RFC 9471 3.1). */
static enum stats_counter answer_referral(struct job *job, const struct zone_node *cut)
{
	(void)reply_add_block(&job->reply, REPLY_AUTHORITY, zone_node_referral(cut));
	return STATS_REFERRALS;
}

static enum stats_counter answer_refused(struct job *job)
{
	job->reply.rcode = DNS_RCODE_REFUSED;
	return STATS_REFUSED;
}

static enum stats_counter answer_outside(struct job *job)
{
	if (job->link_count > 0)
		return STATS_NOERROR; /* a chain that leaves us: the resolver goes on elsewhere */
	if (job->query.has_edns)
		reply_add_error(&job->reply, DNS_EDE_NOT_AUTHORITATIVE);
	return answer_refused(job);
}

static bool is_address(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

/* What ANY of a steered name gets: one set, as small as any (RFC 8482 4.1). */
static uint16_t any_type(const struct plan_steering *steering)
{
	/* whether a pool has a family at all is the same for every class */
	return steering->choices[0][0]->kind == STEER_NODATA ? DNS_TYPE_AAAA : DNS_TYPE_A;
}

/* What a pool says; false if the name's own records are to be used. */
static bool answer_steered(
	struct job *job, const struct zone_match *match, enum stats_counter *ret_counted)
{
	const struct plan_steering *steering = job->plan->steerings[match->steered];
	uint16_t type = job->query.type;

	if (!is_address(type) && type != DNS_TYPE_ANY)
		return false;
	if (type == DNS_TYPE_ANY)
		type = any_type(steering);

	const struct steer_choice *choice = job_choice(job, steering, type);
	const struct steer_step *step;

	/* the zone's own records come first where they are the fallback, and may be all there is */
	if (choice->kind == STEER_STATIC && zone_node_get_set(match->node, type))
		return false;
	if (choice->step_count == 0) {
		*ret_counted = answer_negative(job, match->zone);
		return true;
	}
	step = steer_choice_step(choice, job->random);
	reply_add_addresses(&job->reply,
		&(struct reply_addresses){
			.bytes = choice->addresses + (size_t)step->first * choice->address_size,
			.count = step->count,
			.address_size = choice->address_size,
			.ttl_s = zone_set_steered(job->plan->zones, match->steered)->ttl_s,
		});
	stats_add(job->stats, STATS_STEERED, 1);
	*ret_counted = STATS_NOERROR;
	return true;
}

/* Records of SVCB and HTTPS of which some do not have the hints of the zone file. */
static void answer_hinted(
	struct job *job, const struct zone_match *match, const struct zone_block *block)
{
	uint8_t scope_bits = job->reply.scope_bits;

	hints_begin(&job->hints, job->plan, block);
	if (job->hints.is_steered) {
		const struct geo_map *map = job->plan->steerings[match->steered]->map;
		uint32_t class = map ? job_class(job, map) : 0;

		switch (hints_find(&job->hints, match, class, job->random)) {
		case HINTS_NONE: /* nor has any other client */
			job->reply.scope_bits = scope_bits;
			break;
		case HINTS_OF_POOL:
			stats_add(job->stats, STATS_STEERED, 1);
			break;
		case HINTS_OF_ZONE:
			break;
		}
	}
	(void)hints_add(&job->hints, &job->reply);
}

/* What is more than one set, or a set that may not be copied as it is; false if there is none. */
static bool answer_rare(struct job *job, const struct zone_match *match)
{
	const struct zone_block *block;

	/* one set is enough, and a small one is worth nothing to those who forge queries (RFC 8482 4.1) */
	if (job->query.type == DNS_TYPE_ANY)
		block = zone_node_small_set(match->node);
	else
		block = zone_node_get_set(match->node, job->query.type);
	if (!block)
		return false;
	if (block->hints_count > 0)
		answer_hinted(job, match, block);
	else
		(void)reply_add_block(&job->reply, REPLY_ANSWER, block);
	return true;
}

/* The name's own records of the type; false if it has none. */
static bool answer_set(struct job *job, const struct zone_match *match)
{
	const struct zone_block *block;

	/* the types that are asked for most have lower numbers, and are nothing but copied */
	if (job->query.type >= DNS_TYPE_SVCB)
		return answer_rare(job, match);
	block = zone_node_get_set(match->node, job->query.type);
	if (!block)
		return false;
	(void)reply_add_block(&job->reply, REPLY_ANSWER, block);
	return true;
}

/*
 * Makes the target of a CNAME, the last record of the reply, the name to answer.  False when the chain ends here: it
 * is long enough, or the target had its turn.  (Names are told apart by their hash: a collision ends a chain
 * early, and the resolver asks for the rest.)
 */
static bool follow_target(struct job *job, size_t target, const struct zone_block *dname)
{
	struct reply *reply = &job->reply;
	struct name_key *name = &job->query.name;

	job->dnames[job->link_count] = dname;
	job->links[job->link_count++] = name_key_hash(name, 0);
	reply->place.owner_offset = (uint16_t)target;
	(void)name_key_read(reply->out + target, reply->used - target, name);

	uint32_t next = name_key_hash(name, 0);

	for (unsigned i = 0; i < job->link_count; i++)
		if (job->links[i] == next)
			return false;
	return job->link_count < LINKS_MAX;
}

static bool follow_cname(struct job *job, const struct zone_block *cname)
{
	size_t target = job->reply.used + REPLY_RECORD_HEAD_SIZE;

	return reply_add_block(&job->reply, REPLY_ANSWER, cname) &&
		follow_target(job, target, NULL);
}

static bool is_dname_new(const struct job *job, const struct zone_block *dname)
{
	for (unsigned i = 0; i < job->link_count; i++)
		if (job->dnames[i] == dname)
			return false;
	return true;
}

/* True: there is a new name to answer. */
static bool answer_redirect(
	struct job *job, const struct zone_match *match, enum stats_counter *ret_counted)
{
	const struct zone_block *dname = zone_node_get_set(match->node, DNS_TYPE_DNAME);
	bool is_new = is_dname_new(job, dname);

	job->reply.flags |= DNS_FLAG_AA;
	*ret_counted = STATS_NOERROR;
	switch (reply_add_dname(&job->reply, dname, is_new)) {
	case REPLY_DNAME_ADDED:
		break;
	case REPLY_DNAME_TOO_LONG:
		job->reply.rcode = DNS_RCODE_YXDOMAIN;
		*ret_counted = STATS_YXDOMAIN;
		return false;
	case REPLY_DNAME_NO_ROOM:
		return false;
	}

	size_t suffix_size = (size_t)dname->size_bytes - REPLY_RECORD_HEAD_SIZE;
	size_t target_size = job->query.name.size - dname->base_size_bytes + suffix_size;

	/* asked for a CNAME, this one is the answer */
	return job->query.type != DNS_TYPE_CNAME &&
		follow_target(job, job->reply.used - target_size, dname);
}

/* True: there is a new name to answer. */
static bool answer_node(
	struct job *job, const struct zone_match *match, enum stats_counter *ret_counted)
{
	job->reply.flags |= DNS_FLAG_AA;
	*ret_counted = STATS_NOERROR;
	if (match->steered != ZONE_NOT_STEERED && answer_steered(job, match, ret_counted))
		return false;

	if (answer_set(job, match))
		return false;

	const struct zone_block *cname = zone_node_get_set(match->node, DNS_TYPE_CNAME);

	if (cname)
		return follow_cname(job, cname);
	*ret_counted = answer_negative(job, match->zone);
	return false;
}

static enum stats_counter answer_question(struct job *job)
{
	enum stats_counter counted = STATS_NOERROR;
	struct zone_match match;

	for (;;) {
		zone_set_find(job->plan->zones, &job->query.name, job->query.type, &match);
		switch (match.outcome) {
		case ZONE_OUTSIDE:
			return answer_outside(job);
		case ZONE_REFERRAL:
			return answer_referral(job, match.node);
		case ZONE_MISSING:
			return answer_missing(job, match.zone);
		case ZONE_BELOW_DNAME:
			if (!answer_redirect(job, &match, &counted))
				return counted;
			break;
		case ZONE_NODE:
			if (!answer_node(job, &match, &counted))
				return counted;
			break;
		}
	}
}

/* What is not asked of the zones. */
static enum stats_counter answer_unserved(struct job *job)
{
	const uint8_t *string = chaos_find(job->plan, &job->query);

	if (!string)
		return answer_refused(job);
	job->reply.flags |= DNS_FLAG_AA;
	reply_add_chaos(&job->reply, string);
	return STATS_NOERROR;
}

/* Zones have the Internet class only, and are not handed out whole. */
static bool is_served(const struct query *query)
{
	return query->class == DNS_CLASS_IN && query->type != DNS_TYPE_AXFR &&
		query->type != DNS_TYPE_IXFR;
}

static enum stats_counter answer_verdict(struct job *job, enum query_verdict verdict)
{
	static const struct {
		enum dns_rcode rcode;
		enum stats_counter counted;
	} replies[] = {
		[QUERY_FORMERR] = {DNS_RCODE_FORMERR, STATS_FORMERR},
		[QUERY_NOTIMP] = {DNS_RCODE_NOTIMP, STATS_NOTIMP},
		[QUERY_BADVERS] = {DNS_RCODE_BADVERS, STATS_BADVERS},
	};

	if (verdict == QUERY_OK && is_served(&job->query))
		return answer_question(job);
	if (verdict == QUERY_OK)
		return answer_unserved(job);
	job->reply.rcode = (uint8_t)replies[verdict].rcode;
	return replies[verdict].counted;
}

static size_t size_max(const struct query *query, bool is_tcp)
{
	if (is_tcp)
		return ANSWER_TCP_MAX;
	return query->udp_size < ANSWER_UDP_MAX ? query->udp_size : ANSWER_UDP_MAX;
}

struct answered answer_query(const struct plan *plan, const struct answer_client *client,
	const uint8_t *query, size_t query_size, uint64_t random, struct stats *stats, uint8_t *out)
{
	struct job job; /* not cleared: room for the longest name, of which few octets are used */
	enum query_verdict verdict = query_read(query, query_size, &job.query);

	if (verdict == QUERY_SILENCE) {
		stats_add(stats, STATS_SILENT, 1);
		return (struct answered){0};
	}
	job.plan = plan;
	job.client = client;
	job.random = (uint32_t)(random >> 32);
	job.stats = stats;
	job.link_count = 0;
	reply_begin(&job.reply, &job.query, query, size_max(&job.query, client->is_tcp), out);
	if (job.query.asks_nsid && plan->identity)
		reply_add_nsid(&job.reply, plan->identity);
	if (client->is_limited)
		reply_truncate(&job.reply);
	else
		stats_add(stats, answer_verdict(&job, verdict), 1);
	if (job.query.ecs.is_present)
		stats_add(stats, STATS_WITH_ECS, 1);
	if (job.reply.flags & DNS_FLAG_TC)
		stats_add(stats, STATS_TRUNCATED, 1);
	return (struct answered){.size = (uint32_t)reply_finish(&job.reply)};
}
