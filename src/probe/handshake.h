/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_HANDSHAKE_H
#define PROBE_HANDSHAKE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "recipe.h"
#include "sight.h"
#include "steerd/base/err.h"
#include "steerd/base/text.h"
#include "steerd/config/monitor.h"

/*
 * handshake - TLS for checks that libcurl does not make: the client's side, and why it failed, in words.
 */

/*
 * A connection of TLS 1.2 or newer for the monitor's name, which the certificate must have, trusting what the recipe says
 * and nothing else, with the client's certificate if there is one; the caller ends it with SSL_free().  `sight` is filled
 * by it, and must outlive it.  NULL: there is no name to verify, or none that can be asked for.
 */
SSL *handshake_new(const struct recipe *recipe, struct sight *sight, struct err *err);

/* The name that the certificate must have. */
const char *handshake_name(const struct settings_monitor *monitor);

/* How it ended before it was done.  `error` is OpenSSL's, 0: it had nothing to say, for it was cut. */
struct handshake_failure {
	const SSL *tls;
	const struct sight *sight;
	const char *name;
	unsigned long error;
};
void handshake_describe(const struct handshake_failure *failure, struct text *ret_reason);

#endif
