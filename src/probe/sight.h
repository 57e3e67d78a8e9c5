/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_SIGHT_H
#define PROBE_SIGHT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "certificate.h"

struct chains;

/*
 * sight - what a check sees of the server within a TLS connection: its certificates, its alerts, how much it sends.
 *
 * Verification decides as OpenSSL does; here we only look on, so that a refusal can be told in words.
 */
struct sight {
	X509_STORE *trust; /* NULL: whatever comes is taken */
	struct chains *
		chains; /* that were verified lately, for who compares names himself; NULL: each is */
	bool keeps_chain;
	char refused[128]; /* why it is not trusted, in words; "" if it is */
	char alert[64];	   /* the last alert that the server sent; "" if none */
	bool has_heard;	   /* the server sent something that looks like TLS */
	uint64_t
		received_max; /* octets of the server, after which it is listened to no more; 0: any number */
	uint64_t received;
	struct certificate leaf;
	STACK_OF(X509) * chain; /* as the server sent it, for who wants to see it */
};

/*
 * Makes connections of `tls` trust `sight->trust` and nothing else, and fill `sight`, which must outlive
 * them.
 */
void sight_watch(SSL_CTX *tls, struct sight *sight);
void sight_done(struct sight *sight);

#endif
