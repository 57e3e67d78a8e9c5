/* SPDX-License-Identifier: Apache-2.0 */
#include "chains.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

/*
 *	digest ──▶ set of WAYS places ──▶ the entry, or the place whose entry is oldest
 *
 * Room for as many chains as there may be targets; memory of places that were never used is not taken.
 */
#define SETS 4096
#define WAYS 4

struct entry {
	struct chains_key
		key;	      /* its store is held, so that no other one can get the same address */
	uint64_t from_unix_s; /* 0: free */
	uint64_t until_unix_s;
	struct certificate leaf;
};

struct chains {
	struct entry entries[SETS][WAYS];
};

struct chains *chains_new(void)
{
	return memory_new(sizeof(struct chains));
}

static void entry_done(struct entry *entry)
{
	X509_STORE_free((X509_STORE *)entry->key.trust);
	*entry = (struct entry){0};
}

void chains_free(struct chains *chains)
{
	if (!chains)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			if (chains->entries[i][k].from_unix_s > 0)
				entry_done(&chains->entries[i][k]);
	free(chains);
}

/* Lengths first, so that no two lists of certificates are the same octets. */
static void hash_certificate(EVP_MD_CTX *hash, const X509 *x509)
{
	unsigned char *der = NULL;
	int size = i2d_X509(x509, &der);

	EVP_DigestUpdate(hash, &size, sizeof(size));
	if (size > 0)
		EVP_DigestUpdate(hash, der, (size_t)size);
	OPENSSL_free(der);
}

void chains_make_key(
	X509_STORE_CTX *verification, const X509_STORE *trust, struct chains_key *ret_key)
{
	const STACK_OF(X509) *came = X509_STORE_CTX_get0_untrusted(verification);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		abort(); /* out of memory, as base/memory.c would say */
	ret_key->trust = trust;
	hash_certificate(hash, X509_STORE_CTX_get0_cert(verification));
	for (int i = 0; i < sk_X509_num(came); i++)
		hash_certificate(hash, sk_X509_value(came, i));
	EVP_DigestFinal_ex(hash, ret_key->sha256, NULL);
	EVP_MD_CTX_free(hash);
}

static size_t set_of(const struct chains_key *key)
{
	return (key->sha256[0] | (size_t)key->sha256[1] << 8) % SETS;
}

static bool is_same(const struct chains_key *a, const struct chains_key *b)
{
	return a->trust == b->trust && memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

bool chains_find(const struct chains *chains, const struct chains_key *key, uint64_t now_unix_s,
	struct certificate *ret_leaf)
{
	if (!chains)
		return false;

	const struct entry *set = chains->entries[set_of(key)];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].from_unix_s == 0 || !is_same(&set[i].key, key))
			continue;
		if (now_unix_s < set[i].from_unix_s || now_unix_s >= set[i].until_unix_s)
			return false;
		*ret_leaf = set[i].leaf;
		return true;
	}
	return false;
}

/* Until when what was verified now holds. */
static uint64_t end_of(X509_STORE_CTX *verification, uint64_t now_unix_s)
{
	const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(verification);
	uint64_t until_unix_s = now_unix_s + CHAINS_KEPT_S;

	for (int i = 0; i < sk_X509_num(path); i++) {
		uint64_t end = certificate_time(X509_get0_notAfter(sk_X509_value(path, i)));

		if (end < until_unix_s)
			until_unix_s = end;
	}
	return until_unix_s;
}

/* Where the key is already, else the oldest. */
static struct entry *place_for(struct chains *chains, const struct chains_key *key)
{
	struct entry *set = chains->entries[set_of(key)];
	struct entry *place = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].from_unix_s > 0 && is_same(&set[i].key, key))
			return &set[i];
		if (set[i].from_unix_s < place->from_unix_s)
			place = &set[i];
	}
	return place;
}

void chains_add(struct chains *chains, const struct chains_key *key, X509_STORE_CTX *verification,
	const struct certificate *leaf)
{
	if (!chains)
		return;

	uint64_t now_unix_s = clock_unix_s();
	struct entry *place = place_for(chains, key);

	entry_done(place);
	*place = (struct entry){
		.key = *key,
		.from_unix_s = now_unix_s,
		.until_unix_s = end_of(verification, now_unix_s),
		.leaf = *leaf,
	};
	if (key->trust)
		X509_STORE_up_ref((X509_STORE *)key->trust);
}
