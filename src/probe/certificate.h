/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CERTIFICATE_H
#define PROBE_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/err.h"
#include "steerd/config/monitor.h"

/*
 * certificate - what a certificate says, and which ones are trusted.
 */

/* Long enough for three names. */
#define CERTIFICATE_NAMES_SIZE 224
#define CERTIFICATE_ISSUER_SIZE 64

/* What one says. */
struct certificate {
	char names[CERTIFICATE_NAMES_SIZE]; /* whom it is for: "a.example, b.example and 3 more" */
	bool has_names;			    /* any at all */
	char issuer[CERTIFICATE_ISSUER_SIZE];
	uint64_t until_unix_s; /* 0: none was seen */
};

/*
 * The CA certificates of a file, or the system's store for NULL; the caller ends it with
 * X509_STORE_free().
 */
X509_STORE *certificate_trust(const struct settings_file *ca, struct err *err);

/* What it says. */
void certificate_read(const X509 *x509, struct certificate *ret_certificate);
/* "CN", or the whole name in one line where it has none. */
void certificate_print_name(const X509_NAME *name, char *ret_text, size_t size);
uint64_t certificate_time(const ASN1_TIME *time); /* Unix seconds; 0: cannot be told */

#endif
