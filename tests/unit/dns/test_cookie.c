/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../tool/hex.h"
#include "steerd/base/memory.h"
#include "steerd/dns/cookie.h"

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define NEW_SECRET "445536bcd2513298075a5d379663c962"
#define OLD_SECRET "dd3bdf9344b678b185a6f5cb60fca715"
#define SIX "2001:db8:220:1:59de:d0f4:8769:82b8"

static const char *const verdicts[] = {[COOKIE_CLIENT] = "client",
	[COOKIE_BAD] = "bad",
	[COOKIE_OLD] = "old",
	[COOKIE_GOOD] = "good"};

static void add_key(struct cookie_keys *keys, const char *hex)
{
	uint8_t octets[SIPHASH_KEY_SIZE];

	if (!hex)
		return;
	assert_int_equal(hex_read(hex, octets, sizeof(octets)), sizeof(octets));
	keys->keys[keys->count++] = siphash_key_read(octets);
}

/* RFC 9018 A.1, A.2, A.3 and A.4: what was sent, and what is sent back. */
static const struct {
	const char *about;
	const char *secrets[2];
	const char *client;
	uint32_t now_unix_s;
	const char *sent;
	const char *verdict;
	const char *want;
} vectors[] = {
	{"RFC 9018 A.1: the first cookie", {SECRET, NULL}, "198.51.100.100", 1559731985,
		"2464c4abcf10c957", "client", "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
	{"RFC 9018 A.2: another after 40 minutes", {SECRET, NULL}, "198.51.100.100", 1559734385,
		"2464c4abcf10c957010000005cf79f111f8130c3eee29480", "old",
		"2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
	/* the example takes it, but after nearly two hours 4.3 would not have it taken */
	{"RFC 9018 A.3: too old, with reserved octets", {SECRET, NULL}, "203.0.113.203", 1559734700,
		"fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "bad",
		"fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
	{"RFC 9018 A.3: reserved octets are in the hash", {SECRET, NULL}, "203.0.113.203",
		0x5cf78f71 + 60, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "good", NULL},
	{"RFC 9018 A.4: of the old secret, IPv6", {NEW_SECRET, OLD_SECRET}, SIX, 1559741961,
		"22681ab97d52c298010000005cf7c57926556bd0934c72f8", "old",
		"22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
	{"RFC 9018 A.4: the secret that was dropped", {NEW_SECRET, NULL}, SIX, 1559741961,
		"22681ab97d52c298010000005cf7c57926556bd0934c72f8", "bad",
		"22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
	{"RFC 9018 A.4: before the new secret makes cookies", {OLD_SECRET, NEW_SECRET}, SIX,
		1559741961, "22681ab97d52c298010000005cf7c57926556bd0934c72f8", "good", NULL},
	{"RFC 9018 A.4: what the new secret made, where it only is accepted",
		{OLD_SECRET, NEW_SECRET}, SIX, 1559741961,
		"22681ab97d52c298010000005cf7c609a6bb79d16625507a", "old", NULL},
};

static void vectors_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct cookie_keys keys = {0};
		struct address client;
		uint8_t sent[40];
		uint8_t want[COOKIE_SIZE];
		uint8_t made[COOKIE_SIZE];

		add_key(&keys, vectors[i].secrets[0]);
		add_key(&keys, vectors[i].secrets[1]);
		assert_true(address_parse(vectors[i].client, &client));

		const struct cookie cookie = {
			.content = sent,
			.size = hex_read(vectors[i].sent, sent, sizeof(sent)),
			.client = &client,
			.now_unix_s = vectors[i].now_unix_s,
		};
		const char *verdict = verdicts[cookie_judge(&keys, &cookie)];

		if (strcmp(verdict, vectors[i].verdict) != 0)
			fail_msg("%s: %s", vectors[i].about, verdict);
		if (!vectors[i].want)
			continue;
		hex_read(vectors[i].want, want, sizeof(want));
		cookie_make(&keys, &cookie, made);
		if (memcmp(made, want, sizeof(made)) != 0)
			fail_msg("%s: another cookie is made", vectors[i].about);
	}
}

/* RFC 9018 4.3: at most an hour old and five minutes ahead, a new one after half an hour, in serial arithmetic. */
static void ages(void **state)
{
	static const uint32_t made_at[] = {0, 1, 299, 1559731985, INT32_MAX, UINT32_C(1) << 31,
		(UINT32_C(1) << 31) + 1, UINT32_MAX};
	static const struct {
		const char *about;
		int64_t age_s;
		const char *want;
	} at_age[] = {
		{"now", 0, "good"},
		{"half an hour", 1800, "good"},
		{"a second more", 1801, "old"},
		{"an hour", 3600, "old"},
		{"more than an hour", 3601, "bad"},
		{"a day", 86400, "bad"},
		{"half of all time", INT64_C(1) << 31, "bad"},
		{"a second before that", (INT64_C(1) << 31) - 1, "bad"},
		{"and behind", (INT64_C(1) << 31) + 1, "bad"},
		{"a second ahead", -1, "good"},
		{"five minutes ahead", -300, "good"},
		{"more than five minutes ahead", -301, "bad"},
		{"a day ahead", -86400, "bad"},
	};
	struct cookie_keys keys = {0};
	struct address client;

	(void)state;
	add_key(&keys, SECRET);
	assert_true(address_parse("192.0.2.1", &client));
	for (size_t m = 0; m < COUNT_OF(made_at); m++)
		for (size_t i = 0; i < COUNT_OF(at_age); i++) {
			static const uint8_t asked[COOKIE_CLIENT_SIZE] = "clients";
			uint8_t made[COOKIE_SIZE];
			struct cookie cookie = {asked, sizeof(asked), &client, made_at[m]};

			cookie_make(&keys, &cookie, made);
			cookie.content = made;
			cookie.size = sizeof(made);
			cookie.now_unix_s = made_at[m] + (uint32_t)at_age[i].age_s;

			const char *verdict = verdicts[cookie_judge(&keys, &cookie)];

			if (strcmp(verdict, at_age[i].want) != 0)
				fail_msg(
					"made at %u, %s: %s", made_at[m], at_age[i].about, verdict);
		}
}

/* One octet changed, wherever it is, and another client: the hash is of all of it (RFC 9018 4.4). */
static void anothers_cookie(void **state)
{
	static const uint8_t asked[COOKIE_CLIENT_SIZE] = "clients";
	struct cookie_keys keys = {0};
	struct address client;
	struct address other;
	uint8_t made[COOKIE_SIZE];

	(void)state;
	add_key(&keys, SECRET);
	assert_true(address_parse("192.0.2.1", &client));

	struct cookie cookie = {asked, sizeof(asked), &client, 1559731985};

	cookie_make(&keys, &cookie, made);
	cookie.content = made;
	cookie.size = sizeof(made);
	assert_int_equal(cookie_judge(&keys, &cookie), COOKIE_GOOD);
	for (size_t i = 0; i < sizeof(made); i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			made[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(cookie_judge(&keys, &cookie), COOKIE_BAD);
			made[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(address_parse("192.0.2.2", &other));
	cookie.client = &other;
	assert_int_equal(cookie_judge(&keys, &cookie), COOKIE_BAD);
	assert_true(address_parse("c000:201::", &other)); /* the same octets, and more */
	assert_int_equal(cookie_judge(&keys, &cookie), COOKIE_BAD);
}

/* RFC 7873 4: a server cookie has 8 to 32 octets; of another length than ours it is another's. */
static void other_lengths(void **state)
{
	static const uint8_t content[40] = {[8] = 1};
	struct cookie_keys keys = {0};
	struct address client;

	(void)state;
	add_key(&keys, SECRET);
	assert_true(address_parse("192.0.2.1", &client));
	for (size_t size = COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE_MIN; size <= sizeof(content);
		size++) {
		struct cookie cookie = {content, size, &client, 0};

		assert_int_equal(cookie_judge(&keys, &cookie), COOKIE_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_rfc),
		cmocka_unit_test(ages),
		cmocka_unit_test(anothers_cookie),
		cmocka_unit_test(other_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
