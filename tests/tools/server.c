/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steerd/base/memory.h"
#include "steerd/base/text.h"

#define BACKLOG 1024

/* ---- certificates ---- */

struct identity {
	char *certificate;
	char *key;
	SSL_CTX *tls;
	SLIST_ENTRY(identity) link;
};

void server_free_identities(struct identity_list *identities)
{
	struct identity *identity;

	while ((identity = SLIST_FIRST(identities))) {
		SLIST_REMOVE_HEAD(identities, link);
		SSL_CTX_free(identity->tls);
		free(identity->certificate);
		free(identity->key);
		free(identity);
	}
}

/* "DIRECTORY/" of a path. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct text directory = {0};

	text_print(&directory, "%.*s", slash ? (int)(slash + 1 - path) : 0, path);
	return directory.bytes;
}

/* For clients that are asked for theirs: the authority beside the certificate, if there is one. */
static void trust_authority(SSL_CTX *tls, const char *certificate)
{
	char *directory = directory_of(certificate);
	struct text path = {0};

	text_print(&path, "%sca.pem", directory);
	SSL_CTX_load_verify_file(tls, path.bytes);
	ERR_clear_error();
	text_done(&path);
	free(directory);
}

static SSL_CTX *load_identity(const char *certificate, const char *key, struct err *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	SSL_CTX_set_security_level(tls, 0); /* short keys are one of the faults */
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls, 0);
	SSL_CTX_set_mode(tls, SSL_MODE_NO_AUTO_CHAIN); /* what is in the file, not what we trust */
	if (SSL_CTX_use_certificate_chain_file(tls, certificate) == 1 &&
		SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) == 1) {
		trust_authority(tls, certificate);
		return tls;
	}
	err_set(err, "%s, %s: %s", certificate, key,
		ERR_reason_error_string(ERR_peek_last_error()));
	SSL_CTX_free(tls);
	return NULL;
}

static struct identity *find_identity(
	struct identity_list *identities, const char *certificate, const char *key)
{
	struct identity *identity;

	SLIST_FOREACH(identity, identities, link)
	if (strcmp(identity->certificate, certificate) == 0 && strcmp(identity->key, key) == 0)
		return identity;
	identity = memory_new(sizeof(*identity));
	identity->certificate = memory_text(certificate);
	identity->key = memory_text(key);
	SLIST_INSERT_HEAD(identities, identity, link);
	return identity;
}

bool server_set_certificate(struct server *server, const char *certificate, const char *key,
	bool again, struct err *err)
{
	struct identity *identity = find_identity(server->identities, certificate, key);

	if (!identity->tls || again) {
		SSL_CTX *tls = load_identity(certificate, key, err);

		if (!tls)
			return false;
		SSL_CTX_free(identity->tls); /* servers and connections keep theirs */
		identity->tls = tls;
	}
	SSL_CTX_up_ref(identity->tls);
	SSL_CTX_free(server->face.tls);
	server->face.tls = identity->tls;
	return true;
}

/* The certificate that the fault brings, else the server's own. */
static bool set_certificate_for(struct server *server, const struct fault *fault, struct err *err)
{
	if (!fault->certificate)
		return server_set_certificate(server, server->certificate, server->key, false, err);

	char *directory = directory_of(server->certificate);
	struct text certificate = {0};
	struct text key = {0};
	bool done;

	text_print(&certificate, "%s%s.pem", directory, fault->certificate);
	text_print(&key, "%s%s.key", directory, fault->certificate);
	done = server_set_certificate(server, certificate.bytes, key.bytes, false, err);
	text_done(&certificate);
	text_done(&key);
	free(directory);
	return done;
}

/* ---- being there ---- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
	int from_size, void *context)
{
	struct server *server = context;

	(void)listener;
	(void)from;
	(void)from_size;
	connection_begin(&server->face, fd);
}

static bool open_listener(struct server *server, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t size = address_to_sockaddr(&server->listen, &address);

	server->listener = evconnlistener_new_bind(server->face.base, on_accept, server,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
		(struct sockaddr *)&address, (int)size);
	if (!server->listener)
		return err_os(err, "cannot listen");
	size = sizeof(address);
	getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&address, &size);
	address_from_sockaddr((struct sockaddr *)&address, &server->listen);
	return true;
}

/* A queue of length 0 takes one connection, which is ours: from then on the system answers no SYN. */
static void fill_queue(struct server *server)
{
	struct sockaddr_storage address;
	socklen_t size = address_to_sockaddr(&server->listen, &address);

	listen(evconnlistener_get_fd(server->listener), 0);
	server->filler = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(server->filler, (struct sockaddr *)&address, size) != 0)
		perror("backend: cannot fill the queue");
}

static bool set_listening(struct server *server, enum listening listening, struct err *err)
{
	if (server->filler >= 0)
		evutil_closesocket(server->filler);
	server->filler = -1;
	if (listening == LISTENS_NOT) {
		if (server->listener)
			evconnlistener_free(server->listener);
		server->listener = NULL;
		return true;
	}
	if (!server->listener && !open_listener(server, err))
		return false;
	if (listening == LISTENS) {
		listen(evconnlistener_get_fd(server->listener), BACKLOG);
		evconnlistener_enable(server->listener);
		return true;
	}
	evconnlistener_disable(server->listener);
	if (listening == LISTENS_FULL)
		fill_queue(server);
	return true;
}

bool server_set_fault(
	struct server *server, const struct fault *fault, unsigned number, struct err *err)
{
	bool has_new = fault->certificate || server->face.fault->certificate;

	if (!server->is_plain && has_new && !set_certificate_for(server, fault, err))
		return false;
	if (!set_listening(server, fault->listening, err))
		return false;
	server->face.fault = fault;
	server->face.number = number;
	return true;
}

bool server_start(struct server *server, struct err *err)
{
	const struct fault *fault = server->face.fault;

	server->filler = -1;
	if (!server->is_plain && (!server->certificate || !server->key))
		return err_set(err, "needs --cert and --key, or --plain");
	if (!server->is_plain && !set_certificate_for(server, fault, err))
		return false;
	/* the port must be known, even if nobody is there afterwards */
	return open_listener(server, err) && set_listening(server, fault->listening, err);
}

void server_stop(struct server *server)
{
	struct err err;

	connection_end_all(&server->face);
	set_listening(server, LISTENS_NOT, &err);
	SSL_CTX_free(server->face.tls);
}
