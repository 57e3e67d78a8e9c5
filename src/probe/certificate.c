/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "steerd/base/address.h"
#include "steerd/base/memory.h"
#include "steerd/config/monitor.h"

/* Names beyond these are counted. */
#define NAMES_SHOWN 3

/* What PEM holds of certificates and of lists of revoked ones; false if that is nothing. */
static bool add_content(X509_STORE *store, const struct settings_file *ca)
{
	BIO *bio = BIO_new_mem_buf(ca->bytes, (int)ca->size);
	STACK_OF(X509_INFO) *infos = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
	int added = 0;

	for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->x509)
			added += X509_STORE_add_cert(store, info->x509);
		if (info->crl)
			added += X509_STORE_add_crl(store, info->crl);
	}
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	BIO_free(bio);
	return added > 0;
}

X509_STORE *certificate_trust(const struct settings_file *ca, struct err *err)
{
	const char *name = ca ? ca->path : "of the system";

	if (ca && !ca->bytes) {
		err_set(err, "CA certificates: %s", ca->why ? ca->why : "not read");
		return NULL;
	}

	X509_STORE *store = X509_STORE_new();

	ERR_clear_error();
	/* an operator may trust an intermediate, or the one certificate that the backend has */
	if (store && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
		(ca ? add_content(store, ca) : X509_STORE_set_default_paths(store) == 1)) {
		ERR_clear_error();
		return store;
	}

	const char *why = ERR_reason_error_string(ERR_peek_error());

	err_set(err, "CA certificates '%s' cannot be read: %s", name, why ? why : "there are none");
	ERR_clear_error();
	X509_STORE_free(store);
	return NULL;
}

/* A name as the certificate has it: from the network, so nothing of it is believed to be text. */
static void print_name(const GENERAL_NAME *name, char *ret_text, size_t size)
{
	const ASN1_STRING *string = name->d.ia5;
	const uint8_t *octets = ASN1_STRING_get0_data(string);
	size_t count = (size_t)ASN1_STRING_length(string);
	struct address address = {.family = count == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6};

	if (name->type == GEN_IPADD && (count == 4 || count == 16)) {
		char text[ADDRESS_TEXT_SIZE];

		memcpy(address.bytes, octets, count);
		address_print(&address, text);
		snprintf(ret_text, size, "%s", text);
		return;
	}
	if (count >= size)
		count = size - 1;
	for (size_t i = 0; i < count; i++)
		ret_text[i] = octets[i] > 0x20 && octets[i] < 0x7f ? (char)octets[i] : '?';
	ret_text[count] = '\0';
}

static bool print_names(const X509 *x509, char *ret_text, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;
	int shown = 0;
	int more = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		char text[65];

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (shown == NAMES_SHOWN) {
			more++;
			continue;
		}
		print_name(name, text, sizeof(text));
		used += (size_t)snprintf(
			ret_text + used, size - used, "%s%s", shown > 0 ? ", " : "", text);
		shown++;
	}
	if (more > 0)
		snprintf(ret_text + used, size - used, " and %d more", more);
	if (shown == 0)
		snprintf(ret_text, size, "no name");
	GENERAL_NAMES_free(names);
	return shown > 0;
}

void certificate_print_name(const X509_NAME *name, char *ret_text, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	uint8_t *utf8 = NULL;
	int count = at < 0 ? -1
			   : ASN1_STRING_to_UTF8(&utf8,
				     X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));

	if (count <= 0)
		X509_NAME_oneline(name, ret_text, (int)size);
	else
		snprintf(ret_text, size, "%.*s", count, (const char *)utf8);
	OPENSSL_free(utf8);
	/* from the network, and shown on terminals */
	for (char *octet = ret_text; *octet != '\0'; octet++)
		if ((unsigned char)*octet < 0x20 || (unsigned char)*octet >= 0x7f)
			*octet = '?';
}

uint64_t certificate_time(const ASN1_TIME *time)
{
	struct tm parts;
	time_t unix_s;

	if (ASN1_TIME_to_tm(time, &parts) != 1)
		return 0;
	unix_s = timegm(&parts);
	return unix_s > 0 ? (uint64_t)unix_s : 0;
}

void certificate_read(const X509 *x509, struct certificate *ret_certificate)
{
	ret_certificate->has_names =
		print_names(x509, ret_certificate->names, sizeof(ret_certificate->names));
	certificate_print_name(X509_get_issuer_name(x509), ret_certificate->issuer,
		sizeof(ret_certificate->issuer));
	ret_certificate->until_unix_s = certificate_time(X509_get0_notAfter(x509));
}
