/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/dns/cookie.h"
#include "steerd/dns/query.h"
#include "steerd/dns/type.h"
#include "steerd/dns/wire.h"
#include "world.h"

static void give_up(const char *text, const char *why)
{
	fprintf(stderr, "'%s': %s\n", text, why);
	abort();
}

static size_t write_subnet(const struct prefix *subnet, uint8_t *out)
{
	static const uint16_t families[] = {
		[ADDRESS_NONE] = 0, [ADDRESS_IPV4] = 1, [ADDRESS_IPV6] = 2};
	size_t octets = (subnet->bits + 7u) / 8;

	wire_write16(out, DNS_OPTION_ECS);
	wire_write16(out + 2, (uint16_t)(4 + octets));
	wire_write16(out + 4, families[subnet->address.family]);
	out[6] = subnet->bits;
	out[7] = 0;
	memcpy(out + 8, subnet->address.bytes, octets);
	return 8 + octets;
}

static const struct {
	const char *word;
	uint8_t wish;
	uint16_t code;
} wishes[] = {
	{"nsid", ASK_NSID, DNS_OPTION_NSID},
	{"keepalive", ASK_KEEPALIVE, DNS_OPTION_KEEPALIVE},
	{"zoneversion", ASK_ZONE_VERSION, DNS_OPTION_ZONEVERSION},
};

static size_t write_opt(const struct ask_parts *parts, uint8_t *out)
{
	size_t used = 11;

	out[0] = 0;
	wire_write16(out + 1, DNS_TYPE_OPT);
	wire_write16(out + 3, parts->udp_size);
	wire_write32(out + 5, parts->dnssec_ok ? 0x8000 : 0);
	for (size_t i = 0; i < COUNT_OF(wishes); i++)
		if (parts->wishes & wishes[i].wish) {
			wire_write32(out + used, (uint32_t)wishes[i].code << 16);
			used += 4;
		}
	if (parts->cookie) {
		wire_write16(out + used, DNS_OPTION_COOKIE);
		wire_write16(out + used + 2, (uint16_t)parts->cookie_size);
		memcpy(out + used + 4, parts->cookie, parts->cookie_size);
		used += 4 + parts->cookie_size;
	}
	if (parts->subnet)
		used += write_subnet(parts->subnet, out + used);
	wire_write16(out + 9, (uint16_t)(used - 11));
	return used;
}

size_t ask_write(const struct ask_parts *parts, uint8_t out[DNS_QUERY_MAX])
{
	size_t used = DNS_HEADER_SIZE;
	size_t size = name_size(parts->name);

	memset(out, 0, DNS_HEADER_SIZE);
	wire_write16(out, 0x1234);
	wire_write16(out + 2, parts->flags);
	wire_write16(out + 4, 1);
	wire_write16(out + 10, parts->has_edns);
	memcpy(out + used, parts->name, size);
	used += size;
	wire_write16(out + used, parts->type);
	wire_write16(out + used + 2, parts->class);
	used += 4;
	if (parts->has_edns)
		used += write_opt(parts, out + used);
	return used;
}

/* In the case of the text: name_parse() folds it. */
static void parse_name(const char *text, uint8_t wire[DNS_NAME_MAX])
{
	struct name_key key;
	struct err err;

	if (!name_parse(text, &key, &err))
		give_up(text, err.text);
	memcpy(wire, key.wire, key.size);
	if (!strchr(text, '\\'))
		for (size_t i = 0; text[i] && i + 2 < key.size; i++)
			if (text[i] != '.')
				wire[i + 1] = (uint8_t)text[i];
}

struct words {
	struct ask_parts parts;
	struct prefix subnet;
	const char *cookie; /* its kind */
	struct ask *ask;
};

static void parse_subnet(const char *text, struct words *words)
{
	struct err err;

	words->parts.subnet = &words->subnet;
	if (strcmp(text, "none") != 0 && !prefix_parse(text, &words->subnet, &err))
		give_up(text, err.text);
}

size_t ask_cookie(const char *kind, const struct address *client, uint8_t out[ASK_COOKIE_MAX])
{
	static const struct {
		const char *kind;
		const char *secret;
		uint32_t age_s;
	} kinds[] = {
		{"good", WORLD_SECRET, 0},
		{"young", WORLD_SECRET, 600},
		{"stale", WORLD_SECRET, 1801},
		{"late", WORLD_SECRET, 3601},
		{"rolled", WORLD_OLD_SECRET, 0},
		{"forged", "nobody's secret!", 0},
	};

	memset(out, 0xee, ASK_COOKIE_MAX);
	memcpy(out, ASK_CLIENT_COOKIE, COOKIE_CLIENT_SIZE);
	if (strcmp(kind, "client") == 0)
		return COOKIE_CLIENT_SIZE;
	if (strcmp(kind, "foreign") == 0)
		return COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE_MIN;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct cookie cookie = {
			out, COOKIE_CLIENT_SIZE, client, ASK_NOW - kinds[i].age_s};
		struct cookie_keys keys = {.count = 1};
		uint8_t made[COOKIE_SIZE];

		if (strcmp(kind, kinds[i].kind) != 0)
			continue;
		keys.keys[0] = siphash_key_read((const uint8_t *)kinds[i].secret);
		cookie_make(&keys, &cookie, made);
		memcpy(out, made, sizeof(made));
		return sizeof(made);
	}
	give_up(kind, "no such cookie");
	return 0;
}

/* A word that asks for an option. */
static bool parse_wish(const char *word, struct ask_parts *parts)
{
	for (size_t i = 0; i < COUNT_OF(wishes); i++) {
		if (strcmp(word, wishes[i].word) != 0)
			continue;
		parts->has_edns = true;
		parts->wishes |= wishes[i].wish;
		return true;
	}
	return false;
}

/* "word" or "word=value". */
static void parse_word(const char *word, struct words *words)
{
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
	size_t size = value > word ? (size_t)(value - word) : strlen(word);
	struct ask_parts *parts = &words->parts;

	if (parse_wish(word, parts))
		return;
	if (strncmp(word, "edns=", size) == 0) {
		parts->has_edns = true;
		parts->udp_size = (uint16_t)atoi(value);
	} else if (strncmp(word, "ecs=", size) == 0) {
		parts->has_edns = true;
		parse_subnet(value, words);
	} else if (strncmp(word, "cookie=", size) == 0) {
		parts->has_edns = true;
		words->cookie = value;
	} else if (strcmp(word, "limited") == 0) {
		words->ask->client.is_limited = true;
	} else if (strncmp(word, "from=", size) == 0) {
		if (!address_parse(value, &words->ask->client.address))
			give_up(word, "not an address");
	} else if (strncmp(word, "random=", size) == 0) {
		words->ask->random = strtoull(value, NULL, 16) << 32;
	} else if (strncmp(word, "class=", size) == 0) {
		parts->class = (uint16_t)atoi(value);
	} else if (strncmp(word, "opcode=", size) == 0) {
		parts->flags = (uint16_t)(parts->flags | atoi(value) << 11);
	} else if (strcmp(word, "tcp") == 0) {
		words->ask->client.is_tcp = true;
	} else if (strcmp(word, "do") == 0) {
		parts->dnssec_ok = true;
	} else if (strcmp(word, "short") == 0) {
		words->ask->client.is_short = true;
	} else if (strcmp(word, "rd") == 0) {
		parts->flags |= DNS_FLAG_RD;
	} else if (strcmp(word, "cd") == 0) {
		parts->flags |= DNS_FLAG_CD;
	} else if (strcmp(word, "ad") == 0) {
		parts->flags |= DNS_FLAG_AD;
	} else {
		give_up(word, "what is that?");
	}
}

void ask_parse(const char *text, struct ask *ret_ask)
{
	struct words words = {.parts = {.class = DNS_CLASS_IN, .udp_size = 1232}, .ask = ret_ask};
	char *copy = memory_text(text);
	char *rest;
	uint8_t name[DNS_NAME_MAX];
	uint8_t cookie[ASK_COOKIE_MAX];

	memset(ret_ask, 0, sizeof(*ret_ask));
	ret_ask->client.address = (struct address){ADDRESS_IPV4, {198, 51, 100, 53}};
	ret_ask->client.now_unix_s = ASK_NOW;
	ret_ask->client.idle_ds = 100;
	parse_name(strtok_r(copy, " ", &rest), name);
	words.parts.name = name;
	if (!type_parse(strtok_r(NULL, " ", &rest), &words.parts.type))
		give_up(text, "no type");
	for (const char *word; (word = strtok_r(NULL, " ", &rest));)
		parse_word(word, &words);
	if (words.cookie) {
		words.parts.cookie = cookie;
		words.parts.cookie_size =
			ask_cookie(words.cookie, &ret_ask->client.address, cookie);
	}
	ret_ask->size = ask_write(&words.parts, ret_ask->message);
	if (words.parts.subnet && words.subnet.address.family == ADDRESS_NONE)
		wire_write16(ret_ask->message + ret_ask->size - 4, 0);
	free(copy);
}

/* Heap memory of the exact sizes: the address sanitizer sees one octet too many on either side. */
struct exact {
	uint8_t *query; /* it ends where its memory ends */
	uint8_t *udp;
	uint8_t *tcp;
};

static const struct exact *exact_memory(void)
{
	static struct exact exact;

	if (!exact.query) {
		exact.query = memory_new(DNS_QUERY_MAX);
		exact.udp = memory_new(ANSWER_UDP_MAX);
		exact.tcp = memory_new(ANSWER_TCP_MAX);
	}
	return &exact;
}

/* Every cookie that is given will be taken, and is for the client's own (RFC 7873 5.2). */
static void check_cookie(const struct plan *plan, const struct ask *ask, const uint8_t *content)
{
	const struct cookie cookie = {
		content, COOKIE_SIZE, &ask->client.address, ask->client.now_unix_s};
	struct query query;

	(void)query_read(ask->message, ask->size, &query);
	if (!(query.wishes & QUERY_HAS_COOKIE) ||
		memcmp(query.cookie, content, COOKIE_CLIENT_SIZE) != 0)
		give_up("a response", "a cookie that nobody asked for");
	if (cookie_judge(plan->cookies, &cookie) != COOKIE_GOOD)
		give_up("a response", "a cookie that is no good");
}

size_t ask_answer(const struct plan *plan, const struct ask *ask, struct stats *stats,
	uint8_t out[ANSWER_TCP_MAX], struct decoded *ret_decoded)
{
	const struct exact *exact = exact_memory();
	uint8_t *query = exact->query + DNS_QUERY_MAX - ask->size;
	uint8_t *reply = ask->client.is_tcp ? exact->tcp : exact->udp;
	struct err err;

	memcpy(query, ask->message, ask->size);

	size_t size =
		answer_query(plan, &ask->client, query, ask->size, ask->random, stats, reply).size;

	if (size == 0)
		return 0;
	if (size > (ask->client.is_tcp ? ANSWER_TCP_MAX : ANSWER_UDP_MAX))
		give_up("a response", "too long");
	memcpy(out, reply, size);
	if (!decode(out, size, ret_decoded, &err))
		give_up("a response", err.text);
	if (ret_decoded->cookie)
		check_cookie(plan, ask, ret_decoded->cookie);
	return size;
}
