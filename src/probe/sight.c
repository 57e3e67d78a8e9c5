/* SPDX-License-Identifier: Apache-2.0 */
#include "sight.h"

#include <stdio.h>
#include <time.h>

#include "chains.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

static void print_day(const ASN1_TIME *time, char ret_text[static 16])
{
	struct tm parts;

	if (ASN1_TIME_to_tm(time, &parts) != 1 || strftime(ret_text, 16, "%Y-%m-%d", &parts) == 0)
		snprintf(ret_text, 16, "an unknown day");
}

/* Why the chain was refused.  The fault may be in a certificate above the server's own. */
static void describe_refusal(X509_STORE_CTX *chain, struct sight *sight)
{
	int error = X509_STORE_CTX_get_error(chain);
	const X509 *at = X509_STORE_CTX_get_current_cert(chain);
	const char *whose =
		X509_STORE_CTX_get_error_depth(chain) > 0 ? "issuer's certificate" : "certificate";
	char day[16];

	if (error == X509_V_ERR_CERT_HAS_EXPIRED && at) {
		print_day(X509_get0_notAfter(at), day);
		snprintf(sight->refused, sizeof(sight->refused), "%s expired on %s", whose, day);
	} else if (error == X509_V_ERR_CERT_NOT_YET_VALID && at) {
		print_day(X509_get0_notBefore(at), day);
		snprintf(sight->refused, sizeof(sight->refused), "%s not valid before %s", whose,
			day);
	} else {
		snprintf(sight->refused, sizeof(sight->refused), "certificate is not trusted: %s",
			X509_verify_cert_error_string(error));
	}
}

static void keep_chain(X509_STORE_CTX *verification, struct sight *sight)
{
	sk_X509_pop_free(sight->chain, X509_free);
	sight->chain = X509_chain_up_ref(X509_STORE_CTX_get0_untrusted(verification));
}

/* RFC 9110 4.3.4: the common name, which libcurl and OpenSSL would take then, counts for no client any more. */
static int refuse_nameless(X509_STORE_CTX *verification, struct sight *sight)
{
	X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
	snprintf(sight->refused, sizeof(sight->refused),
		"certificate has no name but its common one, which does not count");
	return 0;
}

static int verify(X509_STORE_CTX *verification, void *context)
{
	struct sight *sight = context;
	const X509 *leaf = X509_STORE_CTX_get0_cert(verification);
	struct chains_key key;
	int verdict = 1;

	if (sight->keeps_chain)
		keep_chain(verification, sight);
	chains_make_key(verification, sight->trust, &key);
	if (chains_find(sight->chains, &key, clock_unix_s(), &sight->leaf)) {
		X509_STORE_CTX_set_error(verification, X509_V_OK);
		return 1;
	}
	if (leaf)
		certificate_read(leaf, &sight->leaf);
	if (sight->trust)
		verdict = X509_verify_cert(verification);
	if (verdict != 1)
		describe_refusal(verification, sight);
	else if (sight->trust && !sight->leaf.has_names)
		verdict = refuse_nameless(verification, sight);
	else
		chains_add(sight->chains, &key, verification, &sight->leaf);
	return verdict;
}

/* RFC 8446 6.2, whose newer alerts OpenSSL 3.0 has no words for. */
static const char *const alerts[] = {
	[10] = "unexpected message",
	[20] = "bad record MAC",
	[22] = "record overflow",
	[40] = "handshake failure",
	[42] = "bad certificate",
	[43] = "unsupported certificate",
	[44] = "certificate revoked",
	[45] = "certificate expired",
	[46] = "certificate unknown",
	[47] = "illegal parameter",
	[48] = "unknown CA",
	[49] = "access denied",
	[50] = "decode error",
	[51] = "decrypt error",
	[70] = "protocol version",
	[71] = "insufficient security",
	[80] = "internal error",
	[86] = "inappropriate fallback",
	[90] = "user canceled",
	[109] = "missing extension",
	[110] = "unsupported extension",
	[112] = "unrecognized name",
	[113] = "bad certificate status response",
	[115] = "unknown PSK identity",
	[116] = "certificate required",
	[120] = "no application protocol",
};

static void describe_alert(uint8_t alert, struct sight *sight)
{
	if (alert < COUNT_OF(alerts) && alerts[alert])
		snprintf(sight->alert, sizeof(sight->alert), "%s", alerts[alert]);
	else
		snprintf(sight->alert, sizeof(sight->alert), "alert %u", alert);
}

/*
 * libcurl reads HTTP/2 for as long as there is something to read: a server that sends frames faster than they are looked
 * at would keep this process from everything else, for ever.  To whom the end was announced there is nothing to read.
 */
static void count_record(
	const uint8_t header[static SSL3_RT_HEADER_LENGTH], SSL *connection, struct sight *sight)
{
	sight->received += (uint64_t)header[3] << 8 | header[4];
	if (sight->received_max > 0 && sight->received > sight->received_max)
		SSL_set_shutdown(connection, SSL_RECEIVED_SHUTDOWN);
}

static void on_message(int is_ours, int version, int content_type, const void *bytes, size_t size,
	SSL *connection, void *context)
{
	struct sight *sight = context;
	const uint8_t *octets = bytes;

	(void)version;
	if (is_ours)
		return;
	sight->has_heard = true;
	if (content_type == SSL3_RT_HEADER && size == SSL3_RT_HEADER_LENGTH)
		count_record(octets, connection, sight);
	/* level 2 is fatal; close_notify is no fault, and a warning */
	if (content_type == SSL3_RT_ALERT && size == 2 && octets[0] == SSL3_AL_FATAL)
		describe_alert(octets[1], sight);
}

void sight_watch(SSL_CTX *tls, struct sight *sight)
{
	if (sight->trust)
		SSL_CTX_set1_cert_store(tls, sight->trust);
	SSL_CTX_set_cert_verify_callback(tls, verify, sight);
	SSL_CTX_set_msg_callback(tls, on_message);
	SSL_CTX_set_msg_callback_arg(tls, sight);
}

void sight_done(struct sight *sight)
{
	sk_X509_pop_free(sight->chain, X509_free);
	sight->chain = NULL;
}
