/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/answer/answer.h"

#include "chaos.h"
#include "hints.h"
#include "reply.h"
#include "steerd/dns/cookie.h"
#include "steerd/dns/query.h"
#include "steerd/dns/wire.h"

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

/* One query on its way through the steps. */
struct job {
	const struct plan *plan;
	const struct answer_client *client;
	uint32_t random;
	uint8_t cookie; /* enum cookie_verdict */
	struct stats *stats;
	struct query query; /* `name` becomes the target of each CNAME */
	struct reply reply;
	unsigned link_count;
	uint32_t links[ZONE_LINKS_MAX]; /* hashes of the names that CNAMEs were found at */
	const struct zone_block
		*dnames[ZONE_LINKS_MAX]; /* that the links were made of; NULL: of none */
	struct hints hints;		 /* while they are needed */
};

/*
 * Which clients this one is among, and for which network that is true (RFC 7871 7.1, 7.2).
 *
 * An opted-out client (source length 0) counts as its resolver, and its answer is for everybody who opts out there.
 * A special-purpose subnet, which says nothing about a place, counts as its resolver too, unless the networks
 * file knows it; the scope is the whole block then, or less where the networks file knows a part of it, as the map
 * says (geo.h).
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

	if (hit.is_special)
		hit.class = geo_map_find(map, source).class;
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

/* An rcode and, if the client knows EDNS, what it means (RFC 8914). */
static enum stats_counter answer_error(
	struct job *job, enum dns_rcode rcode, enum dns_ede error, enum stats_counter counted)
{
	job->reply.rcode = (uint8_t)rcode;
	if (error != DNS_EDE_NONE && job->query.has_edns)
		reply_add_error(&job->reply, error);
	return counted;
}

static enum stats_counter answer_outside(struct job *job)
{
	if (job->link_count > 0)
		return STATS_NOERROR; /* a chain that leaves us: the resolver goes on elsewhere */
	return answer_error(job, DNS_RCODE_REFUSED, DNS_EDE_NOT_AUTHORITATIVE, STATS_REFUSED);
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
	return job->link_count < ZONE_LINKS_MAX;
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

/* Another class than the Internet's: who answers, or nothing. */
static enum stats_counter answer_class(struct job *job)
{
	const uint8_t *string = chaos_find(job->plan, &job->query);

	if (!string)
		return answer_error(job, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED, STATS_REFUSED);
	job->reply.flags |= DNS_FLAG_AA;
	reply_add_chaos(&job->reply, string);
	return STATS_NOERROR;
}

/* What is asked of the zones: everything of class IN but whole zones, and a type that no name has. */
static bool is_served(const struct query *query)
{
	if (query->class != DNS_CLASS_IN)
		return false;
	/* one look for nearly all */
	if (query->type < DNS_TYPE_NXNAME || query->type > DNS_TYPE_AXFR)
		return true;
	return query->type != DNS_TYPE_NXNAME && query->type != DNS_TYPE_IXFR &&
		query->type != DNS_TYPE_AXFR;
}

static enum stats_counter answer_unserved(struct job *job)
{
	if (job->query.class != DNS_CLASS_IN)
		return answer_class(job);
	if (job->query.type == DNS_TYPE_NXNAME) /* RFC 9824 3.5 */
		return answer_error(
			job, DNS_RCODE_FORMERR, DNS_EDE_INVALID_QUERY_TYPE, STATS_FORMERR);
	return answer_error(job, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED, STATS_REFUSED);
}

/* RFC 7873 5.4: the cookie is in the OPT already. */
static enum stats_counter answer_cookie(struct job *job)
{
	if (job->cookie == COOKIE_NONE) /* we do not give any */
		return answer_error(job, DNS_RCODE_FORMERR, DNS_EDE_NONE, STATS_FORMERR);
	if (job->cookie == COOKIE_BAD)
		job->reply.rcode = DNS_RCODE_BADCOOKIE;
	return STATS_COOKIES;
}

static enum stats_counter answer_verdict(struct job *job, enum query_verdict verdict)
{
	static const struct {
		enum dns_rcode rcode;
		enum dns_ede error;
		enum stats_counter counted;
	} replies[] = {
		[QUERY_FORMERR] = {DNS_RCODE_FORMERR, DNS_EDE_NONE, STATS_FORMERR},
		[QUERY_NOTIMP] = {DNS_RCODE_NOTIMP, DNS_EDE_NOT_SUPPORTED, STATS_NOTIMP},
		[QUERY_BADVERS] = {DNS_RCODE_BADVERS, DNS_EDE_NONE, STATS_BADVERS},
	};

	if (verdict == QUERY_OK && is_served(&job->query))
		return answer_question(job);
	if (verdict == QUERY_OK)
		return answer_unserved(job);
	if (verdict == QUERY_COOKIE)
		return answer_cookie(job);
	return answer_error(
		job, replies[verdict].rcode, replies[verdict].error, replies[verdict].counted);
}

/*
 * A client that a limit has met.  One that sent a cookie gets a good one, and with that its next query is answered
 * (RFC 7873 5.2.3): a TC would take it to TCP, at more cost to both.
 */
static void answer_limited(struct job *job)
{
	if (job->cookie == COOKIE_NONE)
		reply_truncate(&job->reply);
	else
		job->reply.rcode = DNS_RCODE_BADCOOKIE;
}

static bool has_cookie(const struct job *job)
{
	return job->cookie >= COOKIE_OLD;
}

static struct cookie sent_cookie(const struct job *job)
{
	return (struct cookie){
		.content = job->query.cookie,
		.size = job->query.cookie_size,
		.client = &job->client->address,
		.now_unix_s = job->client->now_unix_s,
	};
}

/* Judges the cookie that came, before it is known how long the reply may be. */
static void judge_cookie(struct job *job)
{
	static const enum stats_counter counted[] = {
		[COOKIE_CLIENT] = STATS_CLIENT_COOKIE,
		[COOKIE_BAD] = STATS_BAD_COOKIE,
		[COOKIE_OLD] = STATS_WITH_COOKIE,
		[COOKIE_GOOD] = STATS_WITH_COOKIE,
	};

	if (!(job->query.wishes & QUERY_HAS_COOKIE) || !job->plan->cookies)
		return;

	const struct cookie cookie = sent_cookie(job);

	job->cookie = (uint8_t)cookie_judge(job->plan->cookies, &cookie);
	stats_add(job->stats, counted[job->cookie], 1);
}

/* A whole cookie, whatever came with the client's half (RFC 7873 5.2); a good one may stay (RFC 9018 4.3). */
static void add_cookie(struct job *job)
{
	const struct cookie cookie = sent_cookie(job);
	uint8_t *content = reply_add_cookie(&job->reply);

	if (job->cookie == COOKIE_GOOD)
		wire_copy(content, cookie.content, COOKIE_SIZE);
	else
		cookie_make(job->plan->cookies, &cookie, content);
}

/* RFC 9660 3.2: of the zone that has QNAME, wherever a chain leads, and whatever the answer is; none outside. */
static void add_zone_version(struct job *job)
{
	struct zone_match match;

	zone_set_find(job->plan->zones, &job->query.name, job->query.type, &match);
	if (match.zone)
		reply_add_zone_version(
			&job->reply, zone_label_count(match.zone), zone_serial(match.zone));
}

/* Who cannot be sure to have asked gets little over UDP, and TC for the rest: small answers are no use to an attacker. */
static size_t size_max(const struct job *job)
{
	size_t taken = job->query.udp_size;
	size_t most = has_cookie(job) ? ANSWER_UDP_MAX : job->plan->without_cookie_max;

	if (job->client->is_tcp)
		return ANSWER_TCP_MAX;
	if (job->client->is_short)
		most = DNS_UDP_MIN;
	return taken < most ? taken : most;
}

/* What the OPT asked for besides. */
static void add_options(struct job *job, enum query_verdict verdict)
{
	uint8_t wishes = job->query.wishes;

	if (job->cookie != COOKIE_NONE)
		add_cookie(job);
	if (wishes & QUERY_KEEPALIVE && job->client->is_tcp) /* RFC 7828 3.3.1: ignored over UDP */
		reply_add_keepalive(&job->reply, job->client->idle_ds);
	if (wishes & QUERY_ZONE_VERSION && verdict == QUERY_OK && is_served(&job->query))
		add_zone_version(job);
	if (wishes & QUERY_NSID && job->plan->identity)
		reply_add_nsid(&job->reply, job->plan->identity);
}

/* Begins the reply to a query that asks for more than an answer: few do, and the others do not pay for it. */
static enum query_verdict begin_with_options(
	struct job *job, enum query_verdict verdict, const uint8_t *message, uint8_t *out)
{
	bool is_tcp = job->client->is_tcp;

	judge_cookie(job);
	if (job->query.wishes & QUERY_BAD_KEEPALIVE && is_tcp && verdict == QUERY_OK)
		verdict = QUERY_FORMERR;
	reply_begin(&job->reply, &job->query, message, size_max(job), out);
	add_options(job, verdict);
	return verdict;
}

static void count(const struct job *job, enum stats_counter outcome)
{
	stats_add(job->stats, outcome, 1);
	if (job->query.ecs.is_present)
		stats_add(job->stats, STATS_WITH_ECS, 1);
	if (job->reply.flags & DNS_FLAG_TC)
		stats_add(job->stats, STATS_TRUNCATED, 1);
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
	job.cookie = COOKIE_NONE;
	if (job.query.wishes != 0)
		verdict = begin_with_options(&job, verdict, query, out);
	else
		reply_begin(&job.reply, &job.query, query, size_max(&job), out);
	if (client->is_limited && !has_cookie(&job))
		answer_limited(&job);
	else
		count(&job, answer_verdict(&job, verdict));
	return (struct answered){
		.size = reply_finish(&job.reply),
		.has_cookie = has_cookie(&job),
	};
}
