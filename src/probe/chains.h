/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHAINS_H
#define PROBE_CHAINS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

struct certificate;

/*
 * chains - certificate chains that were verified within the last minutes, so that the same one is not verified again.
 *
 * A backend shows the same chain at each check, and to verify it costs as much as all else that a handshake must compute.
 * What verification says depends on the chain, octet for octet, on what is trusted, and on the time, and on nothing else
 * (revocation is not asked for; that the certificate is for the host that was asked is compared at each check, and so is
 * that the server has its key: each handshake proves it).  So an entry is found by SHA-256 over every certificate that
 * came, in order, and by the very store; it holds for CHAINS_KEPT_S, never beyond the first end of a certificate on the
 * verified path, and never after the clock was set back.  Refusals are never kept.
 */
struct chains;

#define CHAINS_KEPT_S 300

struct chains_key {
	const X509_STORE *trust;
	uint8_t sha256[32];
};

struct chains *chains_new(void);
void chains_free(struct chains *chains); /* NULL is allowed */

/* Of what came, and what it is to be verified against; `trust` may be NULL. */
void chains_make_key(
	X509_STORE_CTX *verification, const X509_STORE *trust, struct chains_key *ret_key);
/* Whether it was found good; what its first certificate says.  `chains` may be NULL: nothing was. */
bool chains_find(const struct chains *chains, const struct chains_key *key, uint64_t now_unix_s,
	struct certificate *ret_leaf);
/* After verification found it good. */
void chains_add(struct chains *chains, const struct chains_key *key, X509_STORE_CTX *verification,
	const struct certificate *leaf);

#endif
