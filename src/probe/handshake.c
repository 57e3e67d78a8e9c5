/* SPDX-License-Identifier: Apache-2.0 */
#include "handshake.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include "steerd/outbound/terms.h"

const char *handshake_name(const struct settings_monitor *monitor)
{
	return monitor->sni ? monitor->sni : monitor->host;
}

/* An address is no SNI (RFC 6066 3), and is looked for among the addresses of the certificate. */
static bool set_name(SSL *tls, const char *name, bool verifies)
{
	struct address address;

	if (!address_parse(name, &address))
		return SSL_set_tlsext_host_name(tls, name) == 1 &&
			(!verifies || SSL_set1_host(tls, name) == 1);
	return !verifies || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), name) == 1;
}

/* False: OpenSSL has no memory; the certificate and its key fit each other (recipe.c). */
static bool set_certificate(SSL_CTX *context, const struct recipe *recipe)
{
	return !recipe->certificate ||
		(SSL_CTX_use_certificate(context, recipe->certificate) == 1 &&
			SSL_CTX_use_PrivateKey(context, recipe->key) == 1 &&
			SSL_CTX_set1_chain(context, recipe->issuers) == 1);
}

static SSL *connection_of(const struct recipe *recipe, struct sight *sight)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *tls = NULL;

	if (!context)
		return NULL;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, recipe->trust ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	sight_watch(context, sight);
	if (set_certificate(context, recipe))
		tls = SSL_new(context);
	SSL_CTX_free(context); /* the connection holds it */
	return tls;
}

SSL *handshake_new(const struct recipe *recipe, struct sight *sight, struct err *err)
{
	const char *name = handshake_name(recipe->monitor);
	bool verifies = recipe->trust != NULL;
	SSL *tls;

	sight->trust = recipe->trust;
	tls = connection_of(recipe, sight);
	if (tls && (name ? set_name(tls, name, verifies) : !verifies))
		return tls;
	SSL_free(tls);
	ERR_clear_error();
	err_set(err, "TLS cannot be asked for '%s'", name ? name : "");
	return NULL;
}

static void describe_refusal(const struct handshake_failure *failure, struct text *reason)
{
	long verdict = SSL_get_verify_result(failure->tls);

	if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
		text_print(reason, "certificate is for %s, not %s", failure->sight->leaf.names,
			failure->name);
	else
		text_add(reason, failure->sight->refused);
}

/* The server speaks something else; or what it says makes no sense to OpenSSL, which has words for it. */
static void describe_error(unsigned long error, struct text *reason)
{
	int why = ERR_GET_REASON(error);
	const char *words = ERR_reason_error_string(error);

	if (why == SSL_R_WRONG_VERSION_NUMBER || why == SSL_R_HTTP_REQUEST)
		text_add(reason, "TLS handshake failed: the server does not speak TLS");
	else
		text_print(reason, "TLS handshake failed: %s", words ? words : "no reason given");
}

void handshake_describe(const struct handshake_failure *failure, struct text *ret_reason)
{
	const struct sight *sight = failure->sight;
	/* without a library it is no error of OpenSSL's, but libevent's word for one of the system */
	bool is_cut = ERR_GET_LIB(failure->error) == 0 || ERR_SYSTEM_ERROR(failure->error) ||
		ERR_GET_REASON(failure->error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;

	if (sight->refused[0])
		describe_refusal(failure, ret_reason);
	else if (sight->alert[0])
		text_print(ret_reason, "TLS handshake refused by the server: %s", sight->alert);
	else if (is_cut)
		text_add(ret_reason,
			sight->has_heard ? "closed during TLS handshake" : "closed without a byte");
	else
		describe_error(failure->error, ret_reason);
}
