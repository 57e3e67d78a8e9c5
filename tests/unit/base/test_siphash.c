/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "../../tool/hex.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/base/siphash.h"

/* Of the authors: key 00 to 0f, message 00, 01, 02 and so on, the result as octets. */
static const struct {
	const char *about;
	size_t size;
	const char *want;
} cases[] = {
	{"nothing", 0, "310e0edd47db6f72"},
	{"one octet", 1, "fd67dc93c539f874"},
	{"two", 2, "5a4fa9d909806c0d"},
	{"three", 3, "2d7efbd796666785"},
	{"a word", 8, "6224939a79f5f593"},
	{"the example of the paper", 15, "e545be4961ca29a1"},
};

static void published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t octets[16];
		uint8_t want[8];
		uint8_t got[8];

		for (uint8_t k = 0; k < 16; k++)
			octets[k] = k;
		hex_read(cases[i].want, want, sizeof(want));

		struct siphash_key key = siphash_key_read(octets);
		uint64_t hash = siphash(&key, octets, cases[i].size);

		for (size_t k = 0; k < 8; k++)
			got[k] = (uint8_t)(hash >> 8 * k);
		if (memcmp(got, want, 8) != 0)
			fail_msg("%s", cases[i].about);
	}
}

static uint64_t reference(EVP_MAC *mac, const uint8_t *key, const uint8_t *bytes, size_t size)
{
	size_t out_size = 8;
	uint8_t out[16];
	size_t written;
	uint64_t hash = 0;
	OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t("size", &out_size), OSSL_PARAM_END};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

	assert_true(EVP_MAC_init(context, key, SIPHASH_KEY_SIZE, params));
	assert_true(EVP_MAC_update(context, bytes, size));
	assert_true(EVP_MAC_final(context, out, &written, sizeof(out)));
	assert_int_equal(written, 8);
	EVP_MAC_CTX_free(context);
	for (size_t i = 8; i-- > 0;)
		hash = hash << 8 | out[i];
	return hash;
}

/* Another's work says the same, of every length and at any alignment. */
static void as_openssl_does_it(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	struct random random;

	(void)state;
	assert_non_null(mac);
	random_seed_with(&random, 24);
	for (size_t round = 0; round < 2000; round++) {
		uint8_t bytes[SIPHASH_KEY_SIZE + 8 + 64];
		size_t size = round % 65;
		const uint8_t *message = bytes + SIPHASH_KEY_SIZE + round % 8;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(&random);

		struct siphash_key key = siphash_key_read(bytes);

		assert_true(siphash(&key, message, size) == reference(mac, bytes, message, size));
	}
	EVP_MAC_free(mac);
}

static void keys_are_read_as_they_are_written(void **state)
{
	static const uint8_t octets[] = "0123456789abcdef";
	struct siphash_key key = siphash_key_read(octets);
	uint8_t again[SIPHASH_KEY_SIZE];

	(void)state;
	siphash_key_write(&key, again);
	assert_memory_equal(again, octets, sizeof(again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(as_openssl_does_it),
		cmocka_unit_test(keys_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
