/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_RECIPE_H
#define PROBE_RECIPE_H

#include <openssl/ssl.h>

#include "pattern.h"
#include "steerd/base/err.h"
#include "steerd/config/monitor.h"

struct curl_slist;

/*
 * recipe - what a monitor of kind https or http, or tcp over TLS, needs made ready once for all its checks: regular
 * expressions compiled,
 * the client's certificate and key read, the request's header fields put together.
 *
 * Immutable once made; checks that run hold it.
 */
struct recipe {
	unsigned holders;
	const struct settings_monitor *monitor;
	X509_STORE *trust;	  /* NULL: nothing is verified */
	X509 *certificate;	  /* of the client; NULL: none */
	STACK_OF(X509) * issuers; /* behind it in its file */
	EVP_PKEY *key;
	struct pattern *body;	  /* NULL: any */
	struct pattern **headers; /* as monitor->expected_headers; NULL: that it is there */
	size_t header_count;
	struct curl_slist *request;	      /* header fields to the monitor's own host */
	struct curl_slist *request_elsewhere; /* to another one, which is told no secrets */
};

/*
 * Held once by the caller, as is `trust` by the recipe from here on.  `monitor` must outlive its use, not its
 * end.  NULL: why its checks cannot run.
 */
struct recipe *recipe_new(
	const struct settings_monitor *monitor, X509_STORE *trust, struct err *err);
struct recipe *recipe_hold(struct recipe *recipe);
void recipe_drop(struct recipe *recipe); /* NULL is allowed */

/* Whether a monitor has one. */
bool recipe_is_for(const struct settings_monitor *monitor);

/* Whether a server is asked for a certificate that somebody must have signed. */
bool recipe_needs_trust(const struct settings_monitor *monitor);

#endif
