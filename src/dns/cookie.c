/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/dns/cookie.h"

#include <endian.h>
#include <string.h>

#include "steerd/dns/wire.h"

#define COOKIE_VERSION 1 /* RFC 9018 4.1 */
#define TIME_AT 12
#define HASH_AT 16

/* RFC 9018 4.3 */
#define AGE_MAX_S 3600
#define AHEAD_MAX_S 300 /* clocks of servers that share a secret may differ */
#define AGE_GOOD_S 1800

/* Of the cookie up to where the hash stands, and of the client's address (RFC 9018 4.4). */
static uint64_t hash_of(
	const struct siphash_key *key, const uint8_t *content, const struct address *client)
{
	uint8_t input[HASH_AT + sizeof(client->bytes)];

	memcpy(input, content, HASH_AT);
	memcpy(input + HASH_AT, client->bytes, sizeof(client->bytes));
	return siphash(key, input, HASH_AT + address_size(client));
}

/* In serial arithmetic, so that the clock may wrap, as it does in 2106 (RFC 9018 4.3). */
static int32_t age_of(const struct cookie *cookie)
{
	return (int32_t)(cookie->now_unix_s - wire_read32(cookie->content + TIME_AT));
}

enum cookie_verdict cookie_judge(const struct cookie_keys *keys, const struct cookie *cookie)
{
	const uint8_t *content = cookie->content;
	uint64_t hash;

	if (cookie->size == COOKIE_CLIENT_SIZE)
		return COOKIE_CLIENT;
	if (cookie->size != COOKIE_SIZE || content[COOKIE_CLIENT_SIZE] != COOKIE_VERSION)
		return COOKIE_BAD;

	int32_t age_s = age_of(cookie);

	if (age_s > AGE_MAX_S || age_s < -AHEAD_MAX_S)
		return COOKIE_BAD;
	memcpy(&hash, content + HASH_AT, sizeof(hash));
	hash = le64toh(hash);
	for (size_t i = 0; i < keys->count; i++)
		/* whole words are compared, in the same time wherever they differ */
		if (hash == hash_of(&keys->keys[i], content, cookie->client))
			return i == 0 && age_s <= AGE_GOOD_S ? COOKIE_GOOD : COOKIE_OLD;
	return COOKIE_BAD;
}

void cookie_make(const struct cookie_keys *keys, const struct cookie *cookie,
	uint8_t ret_content[static COOKIE_SIZE])
{
	uint64_t hash;

	memcpy(ret_content, cookie->content, COOKIE_CLIENT_SIZE);
	wire_write32(ret_content + COOKIE_CLIENT_SIZE, (uint32_t)COOKIE_VERSION << 24);
	wire_write32(ret_content + TIME_AT, cookie->now_unix_s);
	hash = htole64(hash_of(&keys->keys[0], ret_content, cookie->client));
	memcpy(ret_content + HASH_AT, &hash, sizeof(hash));
}
