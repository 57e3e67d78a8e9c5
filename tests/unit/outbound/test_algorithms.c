/* SPDX-License-Identifier: Apache-2.0 */

/* OpenSSL with what is left of it: everything that a check and its files need is there. */

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/outbound/algorithms.h"

/* ---- handshakes, the server with whatever OpenSSL has ---- */

/* A certificate of its own for "a.example", for an hour. */
static X509 *certify(EVP_PKEY *key, OSSL_LIB_CTX *whole)
{
	X509 *x509 = X509_new_ex(whole, NULL);
	X509_NAME *name = X509_get_subject_name(x509);
	bool has_digest = EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519;

	assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"a.example", -1, -1, 0);
	assert_int_equal(X509_set_issuer_name(x509, name), 1);
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	assert_true(X509_sign(x509, key, has_digest ? EVP_sha256() : NULL) > 0);
	return x509;
}

/* Octets between both until each is done, or one gives up. */
static bool shake_hands(SSL *client, SSL *server)
{
	for (int i = 0; i < 20; i++) {
		int a = SSL_do_handshake(client);
		int b = SSL_do_handshake(server);

		if (a == 1 && b == 1)
			return true;
		if ((a != 1 && SSL_get_error(client, a) != SSL_ERROR_WANT_READ) ||
			(b != 1 && SSL_get_error(server, b) != SSL_ERROR_WANT_READ))
			return false;
	}
	return false;
}

static const struct {
	const char *key; /* type, and size or curve */
	const char *more;
	const char *groups; /* of the server */
	const char *ciphers;
	int version;
} handshakes[] = {
	{"RSA", "2048", "X25519", "DEFAULT", TLS1_3_VERSION},
	{"RSA", "2048", "P-256", "ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION},
	{"RSA", "2048", "P-256", "ECDHE-RSA-CHACHA20-POLY1305", TLS1_2_VERSION},
	{"RSA", "3072", "P-384", "ECDHE-RSA-AES256-SHA384", TLS1_2_VERSION},
	{"RSA", "2048", "P-256", "AES128-SHA", TLS1_2_VERSION}, /* no forward secrecy, of old */
	{"RSA", "2048", "P-256", "DHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION},
	{"EC", "P-256", "X25519", "DEFAULT", TLS1_3_VERSION},
	{"EC", "P-384", "P-521", "DEFAULT", TLS1_3_VERSION},
	{"EC", "P-256", "P-256", "ECDHE-ECDSA-AES256-GCM-SHA384", TLS1_2_VERSION},
	{"ED25519", NULL, "X25519", "DEFAULT", TLS1_3_VERSION},
};

static EVP_PKEY *make_key(OSSL_LIB_CTX *whole, const char *type, const char *more)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_PKEY_Q_keygen(whole, NULL, type, (size_t)strtoul(more, NULL, 10));
	return more ? EVP_PKEY_Q_keygen(whole, NULL, type, more)
		    : EVP_PKEY_Q_keygen(whole, NULL, type);
}

static SSL *serve(OSSL_LIB_CTX *whole, size_t which, EVP_PKEY *key, X509 *x509)
{
	SSL_CTX *context = SSL_CTX_new_ex(whole, NULL, TLS_server_method());
	SSL *server;

	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	assert_int_equal(SSL_CTX_use_certificate(context, x509), 1);
	assert_int_equal(SSL_CTX_set1_groups_list(context, handshakes[which].groups), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(context, handshakes[which].ciphers), 1);
	SSL_CTX_set_dh_auto(context, 1);
	SSL_CTX_set_max_proto_version(context, handshakes[which].version);
	server = SSL_new(context);
	SSL_set_accept_state(server);
	SSL_CTX_free(context);
	return server;
}

static SSL *visit(X509 *trusted)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	unsigned char *der = NULL;
	int size = i2d_X509(trusted, &der);
	const unsigned char *at = der;
	X509 *copy = d2i_X509(NULL, &at, size); /* read by what is left */
	SSL *client;

	assert_non_null(copy);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(context), copy);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	client = SSL_new(context);
	SSL_set_connect_state(client);
	SSL_CTX_free(context);
	X509_free(copy);
	OPENSSL_free(der);
	return client;
}

static void with_every_kind_of_server(void **state)
{
	OSSL_LIB_CTX *whole = OSSL_LIB_CTX_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(handshakes); i++) {
		EVP_PKEY *key = make_key(whole, handshakes[i].key, handshakes[i].more);
		X509 *x509 = certify(key, whole);
		SSL *server = serve(whole, i, key, x509);
		SSL *client = visit(x509);
		BIO *ours;
		BIO *theirs;

		assert_int_equal(BIO_new_bio_pair(&ours, 1 << 17, &theirs, 1 << 17), 1);
		SSL_set_bio(client, ours, ours);
		SSL_set_bio(server, theirs, theirs);
		if (!shake_hands(client, server))
			fail_msg("%s %s, %s, %s: %s", handshakes[i].key,
				handshakes[i].more ? handshakes[i].more : "", handshakes[i].groups,
				handshakes[i].ciphers, ERR_error_string(ERR_peek_error(), NULL));
		assert_int_equal(SSL_get_verify_result(client), X509_V_OK);
		SSL_free(client);
		SSL_free(server);
		X509_free(x509);
		EVP_PKEY_free(key);
	}
	OSSL_LIB_CTX_free(whole);
}

/* ---- keys of clients, as files have them ---- */

static EVP_PKEY *read_back(BIO *pem)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);

	BIO_free(pem);
	return key;
}

static void keys_in_every_form(void **state)
{
	static const char *const kinds[][2] = {
		{"RSA", "2048"}, {"EC", "P-256"}, {"EC", "P-384"}, {"ED25519", NULL}};
	OSSL_LIB_CTX *whole = OSSL_LIB_CTX_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		EVP_PKEY *key = make_key(whole, kinds[i][0], kinds[i][1]);

		/* PKCS #8, and what was there before it: PKCS #1, SEC 1 */
		for (int form = 0; form < 2; form++) {
			BIO *pem = BIO_new(BIO_s_mem());
			EVP_PKEY *copy;

			if (form == 0)
				PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
			else if (strcmp(kinds[i][0], "ED25519") != 0)
				PEM_write_bio_PrivateKey_traditional(
					pem, key, NULL, NULL, 0, NULL, NULL);
			else
				PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
			copy = read_back(pem);
			if (!copy || EVP_PKEY_eq(copy, key) != 1)
				fail_msg("%s %s, form %d", kinds[i][0],
					kinds[i][1] ? kinds[i][1] : "", form);
			EVP_PKEY_free(copy);
		}
		EVP_PKEY_free(key);
	}
	OSSL_LIB_CTX_free(whole);
}

/* ---- the rest ---- */

static void what_is_there_and_what_is_not(void **state)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "SM4-CBC", NULL);
	EVP_MD *digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_KEYMGMT *dsa = EVP_KEYMGMT_fetch(NULL, "DSA", NULL);
	uint8_t random[16] = {0};

	(void)state;
	assert_null(cipher);
	assert_null(dsa);
	assert_non_null(digest); /* of bodies, and of chains */
	assert_non_null(mac);	 /* signatures of notifications */
	assert_int_equal(RAND_bytes(random, sizeof(random)), 1);
	EVP_MD_free(digest);
	EVP_MAC_free(mac);
}

static int restrict_all(void **state)
{
	(void)state;
	return algorithms_restrict() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_every_kind_of_server),
		cmocka_unit_test(keys_in_every_form),
		cmocka_unit_test(what_is_there_and_what_is_not),
	};

	return cmocka_run_group_tests(tests, restrict_all, NULL);
}
