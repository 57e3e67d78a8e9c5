/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CERTIFICATE_H
#define PROBE_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/config/monitor.h"

struct chains;

/*
 * certificate - whom a check trusts, and what it saw of the server's certificate.
 *
 * Verification decides as OpenSSL does; here we only look on, so that a refusal can be told in
 * words.
 */

/* Long enough for three names. */
#define CERTIFICATE_NAMES_SIZE 224
#define CERTIFICATE_ISSUER_SIZE 64

/* What the server's own certificate says. */
struct certificate {
	char names[CERTIFICATE_NAMES_SIZE]; /* whom it is for: "a.example, b.example and 3 more" */
	bool has_names;			    /* any at all */
	char issuer[CERTIFICATE_ISSUER_SIZE];
	uint64_t until_unix_s; /* 0: none was seen */
};

struct certificate_sight {
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
 * The CA certificates of a file, or the system's store for NULL; the caller ends it with
 * X509_STORE_free().
 */
X509_STORE *certificate_trust(const struct settings_file *ca, struct err *err);

/*
 * Makes connections of `tls` trust `sight->trust` and nothing else, and fill `sight`, which must outlive
 * them.
 */
void certificate_watch(SSL_CTX *tls, struct certificate_sight *sight);
void certificate_sight_done(struct certificate_sight *sight);

/* What a certificate says. */
void certificate_read(const X509 *x509, struct certificate *ret_certificate);
/* "CN", or the whole name in one line where it has none. */
void certificate_print_name(const X509_NAME *name, char *ret_text, size_t size);
uint64_t certificate_time(const ASN1_TIME *time); /* Unix seconds; 0: cannot be told */

#endif
