/* SPDX-License-Identifier: Apache-2.0 */

/* Which chains are remembered, and what takes them out of memory. */

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certificate.h"
#include "chains.h"
#include "rig.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

static struct rig_certificates certificates;

static int make_certificates(void **state)
{
	(void)state;
	rig_make_certificates(&certificates);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	rig_remove_certificates(&certificates);
	return 0;
}

static const struct settings_file *file(const char *name)
{
	char *path = rig_certificate_path(&certificates, name);
	const struct settings_file *read = rig_file(path);

	free(path);
	return read;
}

/* A chain as it came, ready to be verified. */
struct come {
	STACK_OF(X509) * chain;
	X509_STORE *trust;
	X509_STORE_CTX *verification;
};

static struct come come(const char *pem, X509_STORE *trust)
{
	const struct settings_file *from = file(pem);
	BIO *bio = BIO_new_mem_buf(from->bytes, (int)from->size);
	struct come come = {
		.chain = sk_X509_new_null(),
		.trust = trust,
		.verification = X509_STORE_CTX_new(),
	};
	X509 *x509;

	while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		sk_X509_push(come.chain, x509);
	BIO_free(bio);
	assert_true(sk_X509_num(come.chain) > 0);
	assert_int_equal(X509_STORE_CTX_init(come.verification, trust, sk_X509_value(come.chain, 0),
				 come.chain),
		1);
	return come;
}

static void go(struct come *come)
{
	X509_STORE_CTX_free(come->verification);
	sk_X509_pop_free(come->chain, X509_free);
}

static bool is_known(const struct chains *chains, const char *pem, X509_STORE *trust, uint64_t when)
{
	struct come again = come(pem, trust);
	struct certificate leaf;
	struct chains_key key;
	bool known;

	chains_make_key(again.verification, trust, &key);
	known = chains_find(chains, &key, when, &leaf);
	if (known)
		assert_string_equal(leaf.names, "dl.files.example");
	go(&again);
	return known;
}

static void learn(struct chains *chains, const char *pem, X509_STORE *trust)
{
	struct come good = come(pem, trust);
	struct certificate leaf = {.names = "dl.files.example"};
	struct chains_key key;

	chains_make_key(good.verification, trust, &key);
	assert_int_equal(X509_verify_cert(good.verification), 1);
	chains_add(chains, &key, good.verification, &leaf);
	go(&good);
}

static void what_is_remembered(void **state)
{
	struct err err;
	X509_STORE *trust = certificate_trust(file("ca.pem"), &err);
	X509_STORE *same = certificate_trust(file("ca.pem"), &err);
	struct chains *chains = chains_new();
	uint64_t now = clock_unix_s();

	(void)state;
	assert_false(is_known(chains, "good.pem", trust, now));
	assert_false(is_known(NULL, "good.pem", trust, now));
	learn(chains, "good.pem", trust);
	learn(chains, "good.pem", trust); /* again: in the same place */
	assert_true(is_known(chains, "good.pem", trust, now + 1));
	/* not for ever, and not if the clock was set back */
	assert_true(is_known(chains, "good.pem", trust, now + CHAINS_KEPT_S - 1));
	assert_false(is_known(chains, "good.pem", trust, now + CHAINS_KEPT_S + 2));
	assert_false(is_known(chains, "good.pem", trust, now - 1));
	/* not another one, not for other eyes, not a part of it */
	assert_false(is_known(chains, "other-ca.pem", trust, now + 1));
	assert_false(is_known(chains, "good.pem", same, now + 1));
	assert_false(is_known(chains, "good.pem", NULL, now + 1));
	learn(chains, "chain.pem", trust);
	assert_true(is_known(chains, "chain.pem", trust, now + 1));
	assert_false(is_known(chains, "no-chain.pem", trust, now + 1));

	/* the store that an entry is for stays: no other one can come to be at its address */
	X509_STORE_free(trust);
	assert_true(is_known(chains, "good.pem", trust, now + 1));
	chains_free(chains);
	X509_STORE_free(same);
}

/* A chain of which one certificate ends before the time is over is forgotten when it ends. */
static void no_longer_than_the_chain_lives(void **state)
{
	struct err err;
	X509_STORE *trust = certificate_trust(file("ca.pem"), &err);
	struct chains *chains = chains_new();
	struct come soon = come("good.pem", trust);
	struct certificate leaf = {.names = "dl.files.example"};
	struct chains_key key;
	uint64_t now = clock_unix_s();

	(void)state;
	assert_int_equal(X509_verify_cert(soon.verification), 1);
	/* what was verified is what it holds on to: the copy in its path */
	for (int i = 0; i < sk_X509_num(X509_STORE_CTX_get0_chain(soon.verification)); i++) {
		X509 *x509 = sk_X509_value(X509_STORE_CTX_get0_chain(soon.verification), i);

		if (i == 0)
			assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 20));
	}
	chains_make_key(soon.verification, trust, &key);
	chains_add(chains, &key, soon.verification, &leaf);
	assert_true(chains_find(chains, &key, now + 15, &leaf));
	assert_false(chains_find(chains, &key, now + 25, &leaf));
	go(&soon);
	chains_free(chains);
	X509_STORE_free(trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_remembered),
		cmocka_unit_test(no_longer_than_the_chain_lives),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
