/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"

bool recipe_is_for(const struct settings_monitor *monitor)
{
	return monitor->kind == KIND_HTTPS || monitor->kind == KIND_HTTP ||
		(monitor->kind == KIND_TCP && monitor->is_tls);
}

bool recipe_needs_trust(const struct settings_monitor *monitor)
{
	bool may_meet_tls = monitor->kind == KIND_HTTPS || monitor->is_tls ||
		(monitor->kind == KIND_HTTP && monitor->redirect_host);

	return may_meet_tls && monitor->verifies;
}

/* ---- the client's certificate ---- */

/* Passwords are nobody's to type here. */
static int give_no_password(char *password, int size, int writes, void *context)
{
	(void)password;
	(void)size;
	(void)writes;
	(void)context;
	return -1;
}

static bool refuse_file(const struct settings_file *file, const char *what, struct err *err)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());

	err_set(err, "%s '%s' cannot be read: %s", what, file->path, why ? why : "unknown");
	ERR_clear_error();
	return false;
}

/* NULL: it was not there to be read. */
static BIO *open_file(const struct settings_file *file, const char *what, struct err *err)
{
	if (!file->bytes) {
		err_set(err, "%s: %s", what, file->why ? file->why : "not read");
		return NULL;
	}

	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->size);

	ERR_clear_error();
	if (!bio)
		abort(); /* out of memory, as base/memory.c would say */
	return bio;
}

static bool read_certificate(struct recipe *recipe, struct err *err)
{
	const struct settings_file *file = recipe->monitor->certificate;
	static const char what[] = "client certificate";
	BIO *bio = open_file(file, what, err);
	X509 *issuer;

	if (!bio)
		return false;
	recipe->certificate = PEM_read_bio_X509(bio, NULL, give_no_password, NULL);
	recipe->issuers = sk_X509_new_null();
	while (recipe->certificate &&
		(issuer = PEM_read_bio_X509(bio, NULL, give_no_password, NULL)))
		sk_X509_push(recipe->issuers, issuer);
	BIO_free(bio);
	if (!recipe->certificate)
		return refuse_file(file, what, err);
	ERR_clear_error(); /* that no more came */
	return true;
}

static bool read_key(struct recipe *recipe, struct err *err)
{
	/* both may be in one file */
	const struct settings_file *file =
		recipe->monitor->key ? recipe->monitor->key : recipe->monitor->certificate;
	static const char what[] = "key of the client certificate";
	BIO *bio = open_file(file, what, err);

	if (!bio)
		return false;
	recipe->key = PEM_read_bio_PrivateKey(bio, NULL, give_no_password, NULL);
	BIO_free(bio);
	if (!recipe->key)
		return refuse_file(file, what, err);
	if (X509_check_private_key(recipe->certificate, recipe->key) == 1)
		return true;
	ERR_clear_error();
	return err_set(err, "key '%s' does not belong to the client certificate '%s'", file->path,
		recipe->monitor->certificate->path);
}

/* ---- what is asked ---- */

static void add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		abort(); /* out of memory */
	*list = longer;
}

static bool has_header(const struct settings_monitor *monitor, const char *name)
{
	for (size_t i = 0; i < monitor->header_count; i++)
		if (strcasecmp(monitor->headers[i].name, name) == 0)
			return true;
	return false;
}

/*
 * SNI and the certificate's name are the URL's (request.c), so where they differ Host is said apart.  "Name;" is how
 * libcurl is told of a field without a value, "Name:" how it is kept from sending one of its own.
 */
static void write_request(struct recipe *recipe)
{
	const struct settings_monitor *monitor = recipe->monitor;
	struct text line = {0};

	if (monitor->sni && !has_header(monitor, "Host")) {
		bool is_usual = monitor->port == (monitor->kind == KIND_HTTPS ? 443 : 80);

		text_print(&line, "Host: %s", monitor->host);
		if (!is_usual)
			text_print(&line, ":%u", monitor->port);
		add_line(&recipe->request, line.bytes);
	}
	for (size_t i = 0; i < monitor->header_count; i++) {
		const struct settings_header *header = &monitor->headers[i];

		text_clear(&line);
		if (!header->value || header->value[0] == '\0')
			text_print(&line, "%s;", header->name);
		else
			text_print(&line, "%s: %s", header->name, header->value);
		add_line(&recipe->request, line.bytes);
	}
	if (monitor->request_body) {
		/* not "wait for 100", which few servers know, nor a type that nobody named */
		add_line(&recipe->request, "Expect:");
		if (!has_header(monitor, "Content-Type"))
			add_line(&recipe->request, "Content-Type:");
		add_line(&recipe->request_elsewhere, "Expect:");
		add_line(&recipe->request_elsewhere, "Content-Type:");
	}
	text_done(&line);
}

/* ---- what is expected ---- */

static bool compile(struct recipe *recipe, struct err *err)
{
	const struct settings_monitor *monitor = recipe->monitor;

	if (monitor->body_regex) {
		recipe->body = pattern_new(monitor->body_regex, err);
		if (!recipe->body)
			return false;
	}
	recipe->header_count = monitor->expected_header_count;
	recipe->headers = memory_new((recipe->header_count + 1) * sizeof(recipe->headers[0]));
	for (size_t i = 0; i < recipe->header_count; i++) {
		const char *value = monitor->expected_headers[i].value;

		if (!value)
			continue;
		recipe->headers[i] = pattern_new(value, err);
		if (!recipe->headers[i])
			return false;
	}
	return true;
}

/* A flood of frames is stopped where TLS is read (certificate.c), and nowhere else. */
static bool can_be_asked(const struct settings_monitor *monitor, struct err *err)
{
	if (!monitor->is_http2 || monitor->kind == KIND_HTTPS)
		return true;
	return err_set(err, "HTTP/2 is spoken over TLS alone");
}

struct recipe *recipe_new(
	const struct settings_monitor *monitor, X509_STORE *trust, struct err *err)
{
	struct recipe *recipe = memory_new(sizeof(*recipe));

	recipe->holders = 1;
	recipe->monitor = monitor;
	if (trust && recipe_needs_trust(monitor)) {
		recipe->trust = trust;
		X509_STORE_up_ref(trust);
	}
	write_request(recipe);
	if (can_be_asked(monitor, err) && compile(recipe, err) &&
		(!monitor->certificate || (read_certificate(recipe, err) && read_key(recipe, err))))
		return recipe;
	recipe_drop(recipe);
	return NULL;
}

struct recipe *recipe_hold(struct recipe *recipe)
{
	recipe->holders++;
	return recipe;
}

void recipe_drop(struct recipe *recipe)
{
	if (!recipe || --recipe->holders > 0)
		return;
	/* not by its monitor, which may be gone: a check lets go of its recipe last of all */
	for (size_t i = 0; i < recipe->header_count; i++)
		pattern_free(recipe->headers[i]);
	free(recipe->headers);
	pattern_free(recipe->body);
	curl_slist_free_all(recipe->request);
	curl_slist_free_all(recipe->request_elsewhere);
	EVP_PKEY_free(recipe->key);
	sk_X509_pop_free(recipe->issuers, X509_free);
	X509_free(recipe->certificate);
	X509_STORE_free(recipe->trust);
	free(recipe);
}
