/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CERTIFICATE_H
#define PROBE_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "steerd/base/err.h"
#include "steerd/config/monitor.h"

/*
 * certificate - whom a check trusts, and what it saw of the server's certificate.
 *
 * Verification decides as OpenSSL does; here we only look on, so that a refusal can be told in
 * words.
 */

/* Long enough for three names. */
#define CERTIFICATE_NAMES_SIZE 224

struct certificate_sight {
	char refused[128];		    /* why it is not trusted, in words; "" if it is */
	char names[CERTIFICATE_NAMES_SIZE]; /* whom it is for: "a.example, b.example and 3 more" */
	char alert[64];			    /* the last alert that the server sent; "" if none */
	bool has_heard;			    /* the server sent something that looks like TLS */
};

/*
 * The CA certificates of a file, or the system's store for NULL; the caller ends it with
 * X509_STORE_free().
 */
X509_STORE *certificate_trust(const struct settings_file *ca, struct err *err);

/*
 * Makes connections of `tls` trust `trust` and nothing else, and fill `sight`, which must outlive
 * them.
 */
void certificate_watch(SSL_CTX *tls, X509_STORE *trust, struct certificate_sight *sight);

#endif
