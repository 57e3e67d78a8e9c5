/* SPDX-License-Identifier: Apache-2.0 */

/* A million queries of all kinds: whatever is asked, the response is well-formed and says what it must. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mix.h"
#include "steerd/base/memory.h"
#include "steerd/dns/cookie.h"
#include "steerd/dns/query.h"
#include "world.h"

#define QUERIES 1000000

static struct world *world;
static struct decoded decoded;
static uint8_t out[ANSWER_TCP_MAX];

static bool has_good_cookie(const struct ask *ask, const struct query *query)
{
	const struct cookie cookie = {
		query->cookie, query->cookie_size, &ask->client.address, ask->client.now_unix_s};

	return query->wishes & QUERY_HAS_COOKIE &&
		cookie_judge(world->plan.cookies, &cookie) >= COOKIE_OLD;
}

/* What RFC 1035 4.1.1 and RFC 6891 6.1.1 ask of every response. */
static void check_form(const struct ask *ask, const struct query *query, size_t size)
{
	uint16_t copied = DNS_FLAG_RD | DNS_FLAG_CD | 0x7800;
	size_t most = has_good_cookie(ask, query) ? ANSWER_UDP_MAX : DNS_UDP_MIN;
	size_t limit = query->udp_size < most ? query->udp_size : most;

	assert_true(ask->client.is_tcp || size <= limit);
	assert_int_equal(decoded.id, query->id);
	assert_int_equal(decoded.flags & copied, query->flags & copied);
	assert_int_equal(decoded.flags & (DNS_FLAG_RA | DNS_FLAG_AD | 0x0040), 0);
	assert_int_equal(decoded.has_question, query->has_question);
	assert_int_equal(decoded.question_size, query->question_size);
	assert_memory_equal(
		out + DNS_HEADER_SIZE, ask->message + DNS_HEADER_SIZE, query->question_size);
	assert_int_equal(decoded.has_opt, query->has_edns);
	assert_int_equal(decoded.dnssec_ok, query->dnssec_ok);
	if (decoded.flags & DNS_FLAG_TC) {
		assert_int_equal(decoded.count, 0);
		assert_false(ask->client.is_tcp);
	}
	assert_int_not_equal(decoded.rcode, DNS_RCODE_SERVFAIL);
}

/* Made by a pool with a map, or the own record of a name that has one. */
static bool is_mapped(const struct decode_record *record)
{
	struct decode_hint hint;

	if (record->type == DNS_TYPE_HTTPS)
		return (decode_find_hint(record, 0, &hint) &&
			       (hint.bytes[3] > 100 || hint.bytes[3] == 40)) ||
			(decode_find_hint(record, 1, &hint) && hint.bytes[5] == 0x0f);
	if (record->type == DNS_TYPE_A)
		return memcmp(record->rdata, (uint8_t[]){192, 0, 2}, 3) == 0 &&
			(record->rdata[3] > 100 || record->rdata[3] == 40);
	return record->type == DNS_TYPE_AAAA &&
		memcmp(record->rdata, (uint8_t[]){0x20, 1, 0x0d, 0xb8, 0, 0x0f}, 6) == 0;
}

/* P4 to P6: the option comes back as it was sent, if it was sent; its scope is 0 where geography had no say. */
static void check_subnet(const struct query *query)
{
	assert_int_equal(decoded.has_ecs, query->ecs.is_present);
	if (!decoded.has_ecs)
		return;

	size_t octets = (query->ecs.source.bits + 7u) / 8;

	assert_int_equal(decoded.ecs_family, query->ecs.family);
	assert_int_equal(decoded.source_bits, query->ecs.source.bits);
	assert_int_equal(decoded.ecs_size, 4 + octets);
	assert_memory_equal(decoded.ecs + 4, query->ecs.source.address.bytes, octets);
	if (decoded.scope_bits == 0 || decoded.flags & DNS_FLAG_TC)
		return;
	assert_true(query->ecs.source.bits > 0);
	assert_int_equal(decoded.rcode, DNS_RCODE_NOERROR);
	assert_true(decoded.count > 0 && is_mapped(&decoded.records[decoded.count - 1]));
	assert_true(decoded.scope_bits <= address_bits(&query->ecs.source.address));
}

/* RFC 2308: no data and no name say so with an SOA; an answer has data or a chain; only we are authoritative. */
static void check_sections(const struct query *query)
{
	size_t counts[DECODE_SECTIONS] = {0};
	bool has_soa = false;

	for (size_t i = 0; i < decoded.count; i++) {
		counts[decoded.records[i].section]++;
		has_soa |= decoded.records[i].section == DECODE_AUTHORITY &&
			decoded.records[i].type == DNS_TYPE_SOA;
	}
	if (decoded.rcode == DNS_RCODE_YXDOMAIN) {
		assert_true(counts[DECODE_ANSWER] > 0 && counts[DECODE_ANSWER] == decoded.count);
		assert_true(decoded.flags & DNS_FLAG_AA);
		return;
	}
	if (decoded.rcode != DNS_RCODE_NOERROR && decoded.rcode != DNS_RCODE_NXDOMAIN) {
		assert_int_equal(decoded.count, 0);
		assert_false(decoded.flags & DNS_FLAG_AA);
		return;
	}
	assert_int_equal(query->class, DNS_CLASS_IN);
	if (decoded.flags & DNS_FLAG_TC)
		return;
	if (decoded.rcode == DNS_RCODE_NXDOMAIN || counts[DECODE_ANSWER] == 0)
		assert_true(has_soa ||
			(counts[DECODE_AUTHORITY] > 0 && !(decoded.flags & DNS_FLAG_AA)));
	if (has_soa)
		assert_int_equal(counts[DECODE_AUTHORITY], 1);
	if (counts[DECODE_ANSWER] > 0 || has_soa)
		assert_true(decoded.flags & DNS_FLAG_AA);
}

/* Nothing that was not asked for, and what was asked for wherever it means something. */
static void check_options(
	const struct ask *ask, enum query_verdict verdict, const struct query *query)
{
	bool is_answered = verdict == QUERY_OK && query->class == DNS_CLASS_IN &&
		decoded.rcode != DNS_RCODE_REFUSED && decoded.rcode != DNS_RCODE_FORMERR;

	assert_int_equal(decoded.cookie != NULL, (query->wishes & QUERY_HAS_COOKIE) != 0);
	assert_int_equal(decoded.nsid != NULL, (query->wishes & QUERY_NSID) != 0);
	assert_int_equal(decoded.has_keepalive,
		ask->client.is_tcp && (query->wishes & QUERY_KEEPALIVE) != 0);
	assert_int_equal(
		decoded.has_zone_version, is_answered && (query->wishes & QUERY_ZONE_VERSION) != 0);
	if (decoded.has_zone_version)
		assert_int_equal(decoded.zone_labels, 1); /* as all zones here */
	if (decoded.has_error)
		assert_true(decoded.rcode != DNS_RCODE_NOERROR);
}

/* A question that the reader takes and that has no answer: RFC 7828 3.2.1, RFC 9824 3.5. */
static bool is_senseless(const struct ask *ask, const struct query *query)
{
	return (ask->client.is_tcp && query->wishes & QUERY_BAD_KEEPALIVE) ||
		(query->class == DNS_CLASS_IN && query->type == DNS_TYPE_NXNAME);
}

static void check_rcode(
	const struct ask *ask, enum query_verdict verdict, const struct query *query)
{
	switch (verdict) {
	case QUERY_FORMERR:
		assert_int_equal(decoded.rcode, DNS_RCODE_FORMERR);
		break;
	case QUERY_NOTIMP:
		assert_int_equal(decoded.rcode, DNS_RCODE_NOTIMP);
		break;
	case QUERY_BADVERS:
		assert_int_equal(decoded.rcode, DNS_RCODE_BADVERS);
		break;
	case QUERY_COOKIE:
		assert_int_equal(decoded.rcode,
			query->cookie_size == 8 || has_good_cookie(ask, query)
				? DNS_RCODE_NOERROR
				: DNS_RCODE_BADCOOKIE);
		assert_int_equal(decoded.count, 0);
		break;
	case QUERY_OK:
		if (is_senseless(ask, query)) {
			assert_int_equal(decoded.rcode, DNS_RCODE_FORMERR);
			break;
		}
		assert_true(decoded.rcode == DNS_RCODE_NOERROR ||
			decoded.rcode == DNS_RCODE_NXDOMAIN ||
			decoded.rcode == DNS_RCODE_YXDOMAIN || decoded.rcode == DNS_RCODE_REFUSED);
		break;
	case QUERY_SILENCE:
		fail_msg("a reply where there must be none");
	}
}

/* RFC 8906 3: whatever is well-formed is answered. */
static void a_million_queries(void **state)
{
	static const enum stats_counter outcomes[] = {STATS_SILENT, STATS_NOERROR, STATS_NODATA,
		STATS_NXDOMAIN, STATS_YXDOMAIN, STATS_REFERRALS, STATS_REFUSED, STATS_FORMERR,
		STATS_NOTIMP, STATS_BADVERS, STATS_COOKIES};
	static const enum stats_counter cookies[] = {
		STATS_CLIENT_COOKIE, STATS_WITH_COOKIE, STATS_BAD_COOKIE};
	static struct mix mix;
	static struct ask ask;
	struct stats stats = {0};
	uint64_t total = 0;

	(void)state;
	mix_init(&mix, 20261122);
	for (size_t i = 0; i < QUERIES; i++) {
		struct query query;

		mix_next(&mix, &ask);

		enum query_verdict verdict = query_read(ask.message, ask.size, &query);
		size_t size = ask_answer(&world->plan, &ask, &stats, out, &decoded);

		assert_int_equal(size == 0, verdict == QUERY_SILENCE);
		if (size == 0)
			continue;
		check_rcode(&ask, verdict, &query);
		check_options(&ask, verdict, &query);
		check_form(&ask, &query, size);
		check_subnet(&query);
		if (verdict != QUERY_COOKIE)
			check_sections(&query);
	}
	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		total += stats.counters[outcomes[i]];
		assert_true(stats.counters[outcomes[i]] > 0); /* the mix reaches every branch */
	}
	assert_int_equal(total, QUERIES);
	for (size_t i = 0; i < COUNT_OF(cookies); i++)
		assert_true(stats.counters[cookies[i]] > QUERIES / 50);
	assert_true(stats.counters[STATS_TRUNCATED] > 0);
	assert_true(stats.counters[STATS_STEERED] > QUERIES / 50);
}

/* P9: what is answered does not depend on the transport, where it fits, but for how long a connection may be idle. */
static void both_transports_say_the_same(void **state)
{
	static uint8_t over_tcp[ANSWER_TCP_MAX];
	static struct mix mix;
	static struct ask ask;
	struct stats stats = {0};

	(void)state;
	mix_init(&mix, 9);
	for (size_t i = 0; i < 20000; i++) {
		struct query query;

		mix_next_whole(&mix, &ask);
		if (query_read(ask.message, ask.size, &query) != QUERY_SILENCE &&
			query.wishes & QUERY_KEEPALIVE)
			continue;
		ask.client.is_tcp = true;

		size_t tcp = ask_answer(&world->plan, &ask, &stats, over_tcp, &decoded);

		ask.client.is_tcp = false;

		size_t udp = ask_answer(&world->plan, &ask, &stats, out, &decoded);

		if (decoded.flags & DNS_FLAG_TC)
			continue;
		assert_int_equal(udp, tcp);
		assert_memory_equal(out, over_tcp, udp);
	}
}

/* P7: two servers that were given the same files answer alike, octet for octet. */
static void two_builds_say_the_same(void **state)
{
	static uint8_t again[ANSWER_TCP_MAX];
	static struct mix mix;
	static struct ask ask;
	struct world *other = world_new(NULL);
	struct stats stats = {0};

	(void)state;
	mix_init(&mix, 77);
	for (size_t i = 0; i < 20000; i++) {
		mix_next(&mix, &ask);

		size_t size = ask_answer(&world->plan, &ask, &stats, out, &decoded);

		assert_int_equal(ask_answer(&other->plan, &ask, &stats, again, &decoded), size);
		assert_memory_equal(out, again, size);
	}
	world_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_queries),
		cmocka_unit_test(both_transports_say_the_same),
		cmocka_unit_test(two_builds_say_the_same),
	};

	world = world_new(NULL);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	world_free(world);
	return failed;
}
