/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/dns/query.c src/dns/cookie.c src/answer/reply.c */

/*
 * The options of EDNS: the query around them is right, or lies where the input says so, and the input's rest is the
 * RDATA of its OPT.  What the response must be is told by a slow reading of the same octets:
 *
 *	an OPT that cannot be read, or a second one, is FORMERR (RFC 6891 6.1.1); another version BADVERS; all else is
 *	answered
 *	the response has an OPT if the query had one, and in it each option once, and only those that were asked for
 *	the client subnet comes back as it was sent, with a scope that is sound: a client that differs from it only
 *	behind the scope gets the same answer
 *	who sent a cookie gets a whole one, and the same again if it was good and new (RFC 7873 5.2); whether it was
 *	good is told only then
 *	the response is no longer than the client takes, or 512 octets over UDP without a good cookie
 */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/answer/ask.h"
#include "../unit/answer/world.h"
#include "steerd/answer/answer.h"
#include "steerd/base/memory.h"
#include "steerd/dns/cookie.h"
#include "steerd/dns/query.h"
#include "steerd/dns/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct answer_client clients[] = {
	{.address = {ADDRESS_IPV4, {185, 1, 128, 1}}, .now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV6, {0x2a, 0, 0x80}}, .now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV4, {198, 51, 100, 53}},
		.is_tcp = true,
		.idle_ds = 100,
		.now_unix_s = ASK_NOW},
	{.address = {ADDRESS_IPV4, {198, 51, 100, 53}}, .is_limited = true, .now_unix_s = ASK_NOW},
};

static const struct {
	const char *name; /* on the wire; the zero behind the text is the root label */
	uint8_t size;
	uint8_t type;
	uint8_t class;
} questions[] = {
	{"\4near\7example", 14, DNS_TYPE_A, DNS_CLASS_IN},
	{"\4near\7example", 14, DNS_TYPE_AAAA, DNS_CLASS_IN},
	{"\6tonear\7example", 16, DNS_TYPE_A, DNS_CLASS_IN},
	{"\3www\7example", 13, DNS_TYPE_A, DNS_CLASS_IN},
	{"\2nx\7example", 12, DNS_TYPE_A, DNS_CLASS_IN},
	{"\5long2\7example", 15, DNS_TYPE_TXT, DNS_CLASS_IN},
	{"", 1, DNS_TYPE_NS, DNS_CLASS_IN},
	{"\7version\4bind", 14, DNS_TYPE_TXT, DNS_CLASS_CH},
};

/* What the input's first octets say. */
struct frame {
	uint8_t choices; /* bits 0-1 the client, 2-4 the question, 5 DO, 6 RDLENGTH lies, 7 a second OPT */
	uint16_t udp_size;
	uint8_t version; /* if odd: the upper bits; if even, they choose a cookie that stands in front */
	int8_t lie; /* that RDLENGTH is longer by; or where the second OPT's options begin, from the end */
};
#define FRAME_SIZE 5

enum { HAS_DO = 0x20, HAS_LIE = 0x40, HAS_SECOND = 0x80 };

/* As ask.h knows them; the first: none. */
static const char *const cookies[] = {
	NULL, "good", "young", "stale", "late", "rolled", "forged", "client"};

struct message {
	uint8_t bytes[DNS_QUERY_MAX + 64];
	size_t size;
	size_t options_at; /* of the first OPT */
	size_t options_size;
	bool is_right; /* no lie, no second OPT */
	uint8_t version;
};

static void put(struct message *message, const void *bytes, size_t size)
{
	memcpy(message->bytes + message->size, bytes, size);
	message->size += size;
}

static void put16(struct message *message, unsigned value)
{
	uint8_t bytes[2];

	wire_write16(bytes, (uint16_t)value);
	put(message, bytes, sizeof(bytes));
}

static void put_opt(struct message *message, const struct frame *frame, const uint8_t *options,
	size_t size, int lie)
{
	put(message, "", 1);
	put16(message, DNS_TYPE_OPT);
	put16(message, frame->udp_size);
	put16(message, message->version);
	put16(message, frame->choices & HAS_DO ? 0x8000 : 0);
	put16(message, (unsigned)((int)size + lie));
	if (message->options_at == 0) {
		message->options_at = message->size;
		message->options_size = size;
	}
	put(message, options, size);
}

/* The options of the input, behind a cookie that no chance would make. */
static size_t make_options(const struct frame *frame, const uint8_t *data, size_t size,
	uint8_t out[static DNS_QUERY_MAX])
{
	const char *kind = frame->version & 1 ? NULL : cookies[frame->version >> 1 & 7];
	size_t used = 0;

	if (kind) {
		used = 4 + ask_cookie(kind, &clients[frame->choices & 3].address, out + 4);
		wire_write16(out, DNS_OPTION_COOKIE);
		wire_write16(out + 2, (uint16_t)(used - 4));
	}
	memcpy(out + used, data, size);
	return used + size;
}

static void make_message(
	struct message *message, const struct frame *frame, const uint8_t *options, size_t size)
{
	unsigned question = frame->choices >> 2 & 7;
	bool has_second = frame->choices & HAS_SECOND;
	int lie = frame->choices & HAS_LIE ? frame->lie : 0;
	size_t second = has_second && (uint8_t)frame->lie < size ? (uint8_t)frame->lie : 0;

	message->size = 0;
	message->options_at = 0;
	message->version = frame->version & 1 ? frame->version >> 1 : 0;
	message->is_right = lie == 0 && !has_second;
	put16(message, 0x1234);
	put16(message, DNS_FLAG_RD);
	put16(message, 1);
	put16(message, 0);
	put16(message, 0);
	put16(message, 1 + has_second);
	put(message, questions[question].name, questions[question].size);
	put16(message, questions[question].type);
	put16(message, questions[question].class);
	put_opt(message, frame, options, size - second, has_second ? 0 : lie);
	if (has_second)
		put_opt(message, frame, options + size - second, second, lie);
}

/* ---- a slow reading of the options ------------------------------------------------------------------ */

struct sent {
	bool is_right;			/* every option, and they end where the OPT ends */
	unsigned codes[UINT16_MAX + 1]; /* how often each was sent */
	size_t subnet_at;		/* the content of the first, in the message */
	size_t subnet_size;
	size_t cookie_at; /* the same; 0: none */
	size_t cookie_size;
};

static bool is_subnet(const uint8_t *content, size_t size)
{
	struct address address = {0};
	struct prefix prefix;
	unsigned family;

	if (size < 4 || size > 20)
		return false;
	family = wire_read16(content);
	if (family == 0)
		return size == 4 && content[2] == 0 && content[3] == 0;
	if (family > 2 || content[2] > (family == 1 ? 32 : 128) || content[3] != 0 ||
		size - 4 != (content[2] + 7u) / 8)
		return false;
	address.family = family == 1 ? ADDRESS_IPV4 : ADDRESS_IPV6;
	memcpy(address.bytes, content + 4, size - 4);
	prefix = prefix_of(&address, content[2]);
	return address_is_equal(&prefix.address, &address);
}

static bool is_option_right(
	const struct sent *sent, unsigned code, const uint8_t *content, size_t size, bool is_tcp)
{
	bool is_first = sent->codes[code] == 0;

	switch (code) {
	case DNS_OPTION_ECS:
		return is_first && is_subnet(content, size);
	case DNS_OPTION_COOKIE: /* RFC 7873 5.2: the first one counts */
		return !is_first || size == 8 || (size >= 16 && size <= 40);
	case DNS_OPTION_KEEPALIVE: /* RFC 7828 3.2.1 */
		return size == 0 || !is_tcp;
	case DNS_OPTION_ZONEVERSION: /* RFC 9660 2.1 */
		return size == 0;
	default:
		return true;
	}
}

static void read_sent(const struct message *message, bool is_tcp, struct sent *sent)
{
	size_t at = message->options_at;
	size_t end = at + message->options_size;
	bool is_right = true;
	unsigned count = 0;

	memset(sent, 0, sizeof(*sent));
	while (at + 4 <= end) {
		unsigned code = wire_read16(message->bytes + at);
		size_t size = wire_read16(message->bytes + at + 2);

		at += 4;
		if (size > end - at)
			return;
		is_right &= is_option_right(sent, code, message->bytes + at, size, is_tcp);
		if (code == DNS_OPTION_ECS && sent->codes[code] == 0) {
			sent->subnet_at = at;
			sent->subnet_size = size;
		}
		if (code == DNS_OPTION_COOKIE && sent->codes[code] == 0) {
			sent->cookie_at = at;
			sent->cookie_size = size;
		}
		sent->codes[code]++;
		count++;
		at += size;
	}
	sent->is_right = is_right && at == end && count <= QUERY_OPTIONS_MAX;
}

/* ---- what the response must be ---------------------------------------------------------------------- */

static const struct plan *the_plan(void)
{
	static struct world *world;

	if (!world)
		world = world_new(NULL);
	return &world->plan;
}

struct response {
	uint8_t bytes[ANSWER_TCP_MAX];
	size_t size;
	bool has_cookie; /* a good one came with the query */
	struct decoded decoded;
};

static void ask(const struct message *message, const struct answer_client *client,
	struct response *response)
{
	struct stats stats = {0};
	size_t room = client->is_tcp ? ANSWER_TCP_MAX : ANSWER_UDP_MAX;
	/* of the exact sizes, for the address sanitizer */
	uint8_t *query = memory_copy(message->bytes, message->size);
	uint8_t *out = memory_new(room);
	struct err err;

	struct answered answered =
		answer_query(the_plan(), client, query, message->size, 0, &stats, out);

	response->size = answered.size;
	response->has_cookie = answered.has_cookie;
	assert(response->size > 0 && response->size <= room);
	memcpy(response->bytes, out, response->size);
	if (!decode(response->bytes, response->size, &response->decoded, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	free(out);
	free(query);
}

/* Each option once, and none but those that were asked for; why there is no answer is said unasked. */
static void check_options(const struct response *response, const struct sent *sent)
{
	/* the OPT is the last record, and nothing follows it: its options end with the response */
	static bool has_come[UINT16_MAX + 1];
	size_t at = response->decoded.options_at;

	memset(has_come, 0, sizeof(has_come));
	while (at < response->size) {
		unsigned code = wire_read16(response->bytes + at);

		assert(!has_come[code]);
		has_come[code] = true;
		assert(code == DNS_OPTION_EDE || sent->codes[code] > 0);
		at += 4u + wire_read16(response->bytes + at + 2);
	}
	assert(at == response->size);
}

/* RFC 7871 7.2.1: whoever differs from the client behind the scope alone gets the same answer. */
static void check_scope(const struct message *message, const struct answer_client *client,
	const struct sent *sent, const struct response *response)
{
	static struct response other;
	struct message changed = *message;
	uint8_t *content = changed.bytes + sent->subnet_at;
	unsigned scope = response->decoded.scope_bits;

	for (unsigned bit = scope; bit < content[2]; bit += 1 + (content[2] - scope) / 4) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		content[4 + bit / 8] ^= mask;
		ask(&changed, client, &other);
		assert(other.decoded.scope_bits == scope);
		assert(other.size == response->size);
		assert(memcmp(other.bytes, response->bytes, response->decoded.options_at - 11) ==
			0);
		content[4 + bit / 8] ^= mask;
	}
}

static void check_subnet(const struct message *message, const struct answer_client *client,
	const struct sent *sent, const struct response *response)
{
	const struct decoded *decoded = &response->decoded;
	const uint8_t *content = message->bytes + sent->subnet_at;

	assert(decoded->has_ecs && decoded->ecs_size == sent->subnet_size);
	assert(memcmp(decoded->ecs, content, 3) == 0);
	assert(memcmp(decoded->ecs + 4, content + 4, sent->subnet_size - 4) == 0);
	assert(decoded->scope_bits <= (decoded->ecs_family == 1 ? 32 : 128));
	assert(decoded->source_bits > 0 || decoded->scope_bits == 0);
	check_scope(message, client, sent, response);
}

static void check_cookie(const struct message *message, const struct answer_client *client,
	const struct sent *sent, const struct response *response)
{
	const uint8_t *content = message->bytes + sent->cookie_at;
	const uint8_t *got = response->decoded.cookie;
	const struct cookie cookie = {
		content, sent->cookie_size, &client->address, client->now_unix_s};
	enum cookie_verdict verdict = cookie_judge(the_plan()->cookies, &cookie);

	assert(got && memcmp(got, content, COOKIE_CLIENT_SIZE) == 0);
	assert(response->has_cookie == (verdict >= COOKIE_OLD));
	if (verdict == COOKIE_GOOD)
		assert(memcmp(got, content, COOKIE_SIZE) == 0);
	else
		assert(response->decoded.cookie_unix_s == client->now_unix_s);
}

static unsigned want_rcode(const struct message *message, const struct sent *sent)
{
	if (message->version > 0)
		return DNS_RCODE_BADVERS; /* RFC 6891 6.1.3 */
	return sent->is_right ? DNS_RCODE_NOERROR : DNS_RCODE_FORMERR;
}

static void check(const struct message *message, const struct answer_client *client,
	const struct response *response)
{
	static struct sent sent;
	const struct decoded *decoded = &response->decoded;
	size_t most = wire_read16(message->bytes + message->options_at - 8);
	unsigned want;

	if (most < DNS_UDP_MIN || !response->has_cookie)
		most = DNS_UDP_MIN;
	assert(client->is_tcp || response->size <= most);
	if (!message->is_right) {
		assert(decoded->rcode == DNS_RCODE_FORMERR || client->is_limited);
		return;
	}
	read_sent(message, client->is_tcp, &sent);
	want = want_rcode(message, &sent);
	assert(decoded->has_opt);
	if (want != DNS_RCODE_NOERROR) {
		assert(decoded->rcode == want || client->is_limited);
		assert(decoded->count == 0);
	} else {
		assert(decoded->rcode != DNS_RCODE_FORMERR && decoded->rcode != DNS_RCODE_BADVERS);
	}
	check_options(response, &sent);
	if (want == DNS_RCODE_FORMERR)
		return; /* what was read before it became malformed may come back, or not */
	if (want == DNS_RCODE_NOERROR && sent.codes[DNS_OPTION_ECS] > 0)
		check_subnet(message, client, &sent, response);
	else
		assert(!decoded->has_ecs);
	if (want == DNS_RCODE_NOERROR && sent.cookie_at > 0)
		check_cookie(message, client, &sent, response);
	else
		assert(!decoded->cookie && !response->has_cookie);
	assert(!decoded->has_keepalive || client->is_tcp); /* RFC 7828 3.3.1 */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message message;
	static struct response response;
	uint8_t options[DNS_QUERY_MAX];
	struct frame frame;

	if (size < FRAME_SIZE || size > FRAME_SIZE + DNS_QUERY_MAX - 128)
		return 0;
	frame = (struct frame){data[0], wire_read16(data + 1), data[3], (int8_t)data[4]};
	make_message(&message, &frame, options,
		make_options(&frame, data + FRAME_SIZE, size - FRAME_SIZE, options));

	const struct answer_client *client = &clients[frame.choices & 3];

	ask(&message, client, &response);
	check(&message, client, &response);
	return 0;
}
