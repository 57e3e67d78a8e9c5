/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/algorithms.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "steerd/base/memory.h"

/*
 *	libssl, libcurl ──▶ the context that is the default now ──▶ our provider: a shorter list
 *	                                                               │ of the very functions of
 *	                    a context of its own ──▶ provider "default" ◀┘
 *
 * Both live as long as the process.
 */
struct restricted {
	OSSL_PROVIDER *whole;
	OSSL_ALGORITHM *lists[OSSL_OP__HIGHEST + 1]; /* by operation */
};

/* Names as OpenSSL writes them, each the first of its names; what is left of each operation.  NULL: all. */
static const char *const ciphers[] = {"AES-256-GCM", "AES-128-GCM", "AES-256-CBC", "AES-128-CBC",
	"AES-256-CTR", "AES-128-CBC-HMAC-SHA1", "AES-256-CBC-HMAC-SHA1", "AES-128-CBC-HMAC-SHA256",
	"AES-256-CBC-HMAC-SHA256", "ChaCha20-Poly1305", "NULL", NULL};
static const char *const keys[] = {"RSA", "RSA-PSS", "EC", "ED25519", "X25519", "DH", "HMAC", NULL};
static const char *const decoded[] = {"RSA", "RSA-PSS", "EC", "ED25519", "DER", NULL};
static const char *const groups[] = {"x25519", "secp256r1", "secp384r1", "secp521r1", NULL};
static const char *const none[] = {NULL};

static const char *const *const kept[OSSL_OP__HIGHEST + 1] = {
	[OSSL_OP_CIPHER] = ciphers,
	[OSSL_OP_KEYMGMT] = keys,
	[OSSL_OP_ENCODER] = none,
	[OSSL_OP_DECODER] = decoded,
	[OSSL_OP_STORE] = none,
};

static bool is_among(const char *const *list, const char *name, size_t size)
{
	for (; *list; list++)
		if (strlen(*list) == size && strncasecmp(*list, name, size) == 0)
			return true;
	return false;
}

/* Of keys: what certificates hold them in, and what the files of operators do. */
static bool is_known_form(const char *properties)
{
	static const char *const forms[] = {"input=pem", "structure=SubjectPublicKeyInfo",
		"structure=PrivateKeyInfo", "structure=type-specific"};

	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (strstr(properties, forms[i]))
			return true;
	return false;
}

static bool is_kept(size_t operation, const OSSL_ALGORITHM *algorithm)
{
	const char *names = algorithm->algorithm_names;

	if (!kept[operation])
		return true;
	return is_among(kept[operation], names, strcspn(names, ":")) &&
		(operation != OSSL_OP_DECODER || is_known_form(algorithm->property_definition));
}

static OSSL_ALGORITHM *shorten(size_t operation, const OSSL_ALGORITHM *all)
{
	size_t count = 0;
	size_t used = 0;

	while (all[count].algorithm_names)
		count++;

	OSSL_ALGORITHM *list = memory_new((count + 1) * sizeof(list[0]));

	for (size_t i = 0; i < count; i++)
		if (is_kept(operation, &all[i]))
			list[used++] = all[i];
	return list;
}

/* ---- what OpenSSL asks of a provider ---- */

/*
 * The one variable of the file that changes, once: what a provider is given back of its own is what its functions are
 * called with too, and those are the whole one's.
 */
static struct restricted *the_one(void)
{
	static struct restricted one;

	return &one;
}

static const OSSL_ALGORITHM *query(void *context, int operation, int *ret_no_cache)
{
	(void)context;
	*ret_no_cache = 0;
	return operation >= 0 && operation <= OSSL_OP__HIGHEST ? the_one()->lists[operation] : NULL;
}

struct asked {
	OSSL_CALLBACK *tell;
	void *context;
};

static int tell_group(const OSSL_PARAM params[], void *context)
{
	const struct asked *asked = context;
	const OSSL_PARAM *name = OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_NAME);

	if (name && !is_among(groups, name->data, strnlen(name->data, name->data_size)))
		return 1;
	return asked->tell(params, asked->context);
}

static int get_capabilities(
	void *context, const char *capability, OSSL_CALLBACK *tell, void *tell_context)
{
	struct asked asked = {tell, tell_context};

	(void)context;
	return OSSL_PROVIDER_get_capabilities(the_one()->whole, capability, tell_group, &asked);
}

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *from_core,
	const OSSL_DISPATCH **ret_functions, void **ret_context)
{
	static const OSSL_DISPATCH functions[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
		{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
		{0, NULL},
	};

	(void)handle;
	(void)from_core;
	*ret_functions = functions;
	*ret_context = OSSL_PROVIDER_get0_provider_ctx(the_one()->whole);
	return 1;
}

static bool list_what_is_kept(struct restricted *one)
{
	one->whole = OSSL_PROVIDER_load(OSSL_LIB_CTX_new(), "default");
	if (!one->whole)
		return false;
	for (size_t i = 0; i < COUNT_OF(one->lists); i++) {
		int no_cache = 0;
		const OSSL_ALGORITHM *all =
			OSSL_PROVIDER_query_operation(one->whole, (int)i, &no_cache);

		if (all && !no_cache)
			one->lists[i] = shorten(i, all);
	}
	return true;
}

static int is_default(OSSL_PROVIDER *provider, void *context)
{
	(void)context;
	return strcmp(OSSL_PROVIDER_get0_name(provider), "default") == 0;
}

/* Providers that somebody configured for this machine, FIPS before all, are not for us to pass by. */
static bool is_as_shipped(void)
{
	return OSSL_PROVIDER_do_all(NULL, is_default, NULL) == 1 &&
		!EVP_default_properties_is_fips_enabled(NULL);
}

bool algorithms_restrict(void)
{
	if (!is_as_shipped())
		return false;

	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

	return library && list_what_is_kept(the_one()) &&
		OSSL_PROVIDER_add_builtin(library, "steerd", start) == 1 &&
		OSSL_PROVIDER_load(library, "steerd") && OSSL_LIB_CTX_set0_default(library);
}
