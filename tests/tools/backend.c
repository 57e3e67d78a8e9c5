/* SPDX-License-Identifier: Apache-2.0 */

/*
 * backend - HTTPS servers on given addresses, which can be told to misbehave.  For tests and for
 * the demo.
 *
 *	backend --cert good.pem --key good.key --listen 127.0.1.1:8443 --name fra-1 --region fra \
 *		--listen 127.0.1.2:8443 --name iad-1 --region iad --mode hang
 *
 * Each --listen begins a server, to which the options behind it belong; options before the first
 * one are for all.  Port 0 takes a free port.  When all listen, one line goes to stdout:
 *
 *	ready 127.0.1.1:8443 127.0.1.2:8443
 *
 * Lines on stdin change it at run time; each is answered with one line, `ok ...` or `error ...`,
 * once it holds:
 *
 *	mode [NAME] MODE          of one server, or of all
 *	cert [NAME] CERT KEY      for connections from now on
 *	count NAME                ok connections=N requests=N
 *
 * It serves on when stdin ends, unless --until-eof was given, and ends on SIGTERM and SIGINT.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/memory.h"

enum mode {
	MODE_OK,
	MODE_HANG,
	MODE_CLOSE,
	MODE_RESET,
	MODE_PLAIN,
	MODE_CLIENT_CERT,
	MODE_STALL,
	MODE_CLOSE_LATE,
	MODE_NOT_HTTP,
	MODE_STATUS,
	MODE_WRONG_BODY,
	MODE_REDIRECT,
	MODE_SHORT_BODY,
	MODE_SLOW_BODY,
	MODE_ENDLESS_BODY,
	MODE_ENDLESS_HEADERS,
};

static const struct {
	const char *name;
	const char *about;
} modes[] = {
	[MODE_OK] = {"ok", "200 and the body"},
	[MODE_HANG] = {"hang", "takes the connection, sends no byte, not even for TLS"},
	[MODE_CLOSE] = {"close", "takes the connection and closes it"},
	[MODE_RESET] = {"reset", "takes the connection and resets it"},
	[MODE_PLAIN] = {"plain", "speaks HTTP without TLS"},
	[MODE_CLIENT_CERT] = {"client-cert", "TLS that ends when the client shows no certificate"},
	[MODE_STALL] = {"stall", "TLS, then no answer to the request"},
	[MODE_CLOSE_LATE] = {"close-late", "TLS, then closes in place of an answer"},
	[MODE_NOT_HTTP] = {"not-http", "TLS, then something that is not HTTP"},
	[MODE_STATUS] = {"status=NNN", "that status, with the body"},
	[MODE_WRONG_BODY] = {"wrong-body", "200 and another body"},
	[MODE_REDIRECT] = {"redirect", "302 to itself"},
	[MODE_SHORT_BODY] = {"short-body", "closes before the length that it announced"},
	[MODE_SLOW_BODY] = {"slow-body", "200, then an octet every 100 ms, without end"},
	[MODE_ENDLESS_BODY] = {"endless-body", "200 and the body, then octets without end"},
	[MODE_ENDLESS_HEADERS] = {"endless-headers", "200, then header fields without end"},
};

struct server {
	struct event_base *base;
	const char *name;
	const char *region;
	const char *body;
	enum mode mode;
	unsigned status; /* of MODE_STATUS */
	const char *certificate;
	const char *key;
	SSL_CTX *tls;
	struct address_port listen;
	struct evconnlistener *listener;
	LIST_HEAD(, connection) open;
	unsigned long connections;
	unsigned long requests;
};

struct connection {
	struct server *server;
	struct bufferevent *stream;
	struct event *timer; /* MODE_SLOW_BODY */
	enum mode endless;   /* what is written again and again; MODE_OK: nothing */
	bool is_answered;
	LIST_ENTRY(connection) link;
};

/* All servers, and what stdin speaks to. */
struct backend {
	struct event_base *base;
	struct event *signals[2];
	struct server *servers;
	size_t count;
	size_t capacity;
	bool ends_with_stdin;
	struct evbuffer *lines;
	struct event *input;
};

static _Noreturn void die(const char *about, const char *what)
{
	fprintf(stderr, "backend: %s: %s\n", about, what);
	exit(1);
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: backend [--cert FILE] [--key FILE] [--body TEXT] [--region TEXT] [--mode "
		"MODE]\n"
		"               --listen ADDRESS:PORT [--name TEXT] ... [--until-eof]\nmodes:\n");
	for (size_t i = 0; i < COUNT_OF(modes); i++)
		fprintf(stderr, "  %-16s %s\n", modes[i].name, modes[i].about);
	exit(2);
}

static bool parse_mode(const char *text, enum mode *ret_mode, unsigned *ret_status)
{
	unsigned status = 200;

	if (sscanf(text, "status=%3u", &status) == 1 && status >= 100) {
		*ret_mode = MODE_STATUS;
		*ret_status = status;
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		if (i == MODE_STATUS || strcmp(text, modes[i].name) != 0)
			continue;
		*ret_mode = (enum mode)i;
		return true;
	}
	return false;
}

static void end_connection(struct connection *connection)
{
	if (connection->timer)
		event_free(connection->timer);
	LIST_REMOVE(connection, link);
	bufferevent_free(connection->stream); /* BEV_OPT_CLOSE_ON_FREE: the socket and TLS too */
	free(connection);
}

/* ---- answers ---- */

static void write_head(struct evbuffer *out, unsigned status, const char *more, size_t body_size)
{
	evbuffer_add_printf(out,
		"HTTP/1.1 %u %s\r\n"
		"Content-Type: text/plain\r\n"
		"Content-Length: %zu\r\n"
		"Connection: close\r\n%s\r\n",
		status, status == 200 ? "OK" : "Because", body_size, more);
}

static void write_answer(struct server *server, struct evbuffer *out, unsigned status,
	const char *more, const char *body)
{
	struct evbuffer *whole = evbuffer_new();

	evbuffer_add_printf(whole, "%s\nserved by %s", body, server->name);
	if (server->region)
		evbuffer_add_printf(whole, " in %s", server->region);
	evbuffer_add_printf(whole, "\n");
	write_head(out, status, more, evbuffer_get_length(whole));
	evbuffer_add_buffer(out, whole);
	evbuffer_free(whole);
}

static void add_octet(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;

	(void)fd;
	(void)what;
	bufferevent_write(connection->stream, ".", 1);
}

static void start_octets(struct connection *connection)
{
	const struct timeval pause = {.tv_usec = 100000};

	connection->timer =
		event_new(connection->server->base, -1, EV_PERSIST, add_octet, connection);
	event_add(connection->timer, &pause);
}

static void add_endless(struct connection *connection)
{
	static const char field[] = "X-Filler: and one more, as the ones before it\r\n";
	struct evbuffer *out = bufferevent_get_output(connection->stream);

	for (int i = 0; i < 100; i++)
		evbuffer_add(out, field, sizeof(field) - 1);
}

static void answer(struct connection *connection)
{
	struct server *server = connection->server;
	struct evbuffer *out = bufferevent_get_output(connection->stream);

	connection->is_answered = true;
	switch (server->mode) {
	case MODE_OK:
	case MODE_HANG:
	case MODE_CLOSE:
	case MODE_RESET:
	case MODE_PLAIN:
	case MODE_CLIENT_CERT:
		write_answer(server, out, 200, "", server->body);
		break;
	case MODE_STALL:
		connection->is_answered = false;
		break;
	case MODE_CLOSE_LATE:
		end_connection(connection);
		break;
	case MODE_NOT_HTTP:
		evbuffer_add_printf(out, "220 mail.example ESMTP\r\n");
		break;
	case MODE_STATUS:
		write_answer(server, out, server->status, "", server->body);
		break;
	case MODE_WRONG_BODY:
		write_answer(server, out, 200, "", "sorry");
		break;
	case MODE_REDIRECT:
		write_answer(server, out, 302, "Location: /elsewhere\r\n", server->body);
		break;
	case MODE_SHORT_BODY:
		write_head(out, 200, "", 1000);
		evbuffer_add_printf(out, "%s", server->body);
		break;
	case MODE_SLOW_BODY:
		write_head(out, 200, "", 1000000);
		connection->is_answered = false;
		start_octets(connection);
		break;
	case MODE_ENDLESS_BODY:
		write_head(out, 200, "", (size_t)1 << 40);
		evbuffer_add_printf(out, "%s", server->body);
		connection->endless = MODE_ENDLESS_BODY;
		break;
	case MODE_ENDLESS_HEADERS:
		evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\n");
		connection->endless = MODE_ENDLESS_HEADERS;
		break;
	}
}

/* ---- connections ---- */

static void on_read(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct evbuffer *in = bufferevent_get_input(stream);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);

	if (end.pos < 0)
		return;
	evbuffer_drain(in, evbuffer_get_length(in));
	connection->server->requests++;
	if (!connection->is_answered && !connection->timer)
		answer(connection);
}

/* All that was to be written is: the next endless piece, or the end. */
static void on_written(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	SSL *tls = bufferevent_openssl_get_ssl(stream);

	if (connection->endless != MODE_OK) {
		add_endless(connection);
	} else if (connection->is_answered) {
		if (tls && connection->server->mode != MODE_SHORT_BODY)
			SSL_shutdown(tls);
		end_connection(connection);
	}
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
	(void)stream;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		end_connection(context);
}

static void on_read_nothing(struct bufferevent *stream, void *context)
{
	struct evbuffer *in = bufferevent_get_input(stream);

	(void)context;
	evbuffer_drain(in, evbuffer_get_length(in));
}

static void close_at_once(evutil_socket_t fd, bool with_reset)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (with_reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	evutil_closesocket(fd);
}

static SSL *new_tls(const struct server *server)
{
	SSL *tls = SSL_new(server->tls);

	if (server->mode == MODE_CLIENT_CERT)
		SSL_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return tls;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
	int from_size, void *context)
{
	struct server *server = context;
	bool is_clear = server->mode == MODE_HANG || server->mode == MODE_PLAIN;

	(void)listener;
	(void)from;
	(void)from_size;
	server->connections++;
	if (server->mode == MODE_CLOSE || server->mode == MODE_RESET) {
		close_at_once(fd, server->mode == MODE_RESET);
		return;
	}

	struct connection *connection = memory_new(sizeof(*connection));

	connection->server = server;
	LIST_INSERT_HEAD(&server->open, connection, link);
	connection->stream = is_clear
		? bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE)
		: bufferevent_openssl_socket_new(server->base, fd, new_tls(server),
			  BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!is_clear)
		bufferevent_openssl_set_allow_dirty_shutdown(connection->stream, 1);
	/* what comes to MODE_PLAIN is a TLS greeting: answered at once, as such servers do */
	if (server->mode == MODE_PLAIN)
		answer(connection);
	bufferevent_setcb(connection->stream, is_clear ? on_read_nothing : on_read, on_written,
		on_event, connection);
	bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

/* ---- set up ---- */

static bool load_certificate(
	SSL_CTX *tls, const char *certificate, const char *key, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(tls, certificate) == 1 &&
		SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) == 1)
		return true;
	return err_set(err, "%s, %s: %s", certificate, key,
		ERR_reason_error_string(ERR_peek_last_error()));
}

static void start_server(struct server *server)
{
	struct sockaddr_storage address;
	socklen_t size = address_to_sockaddr(&server->listen, &address);
	struct err err;
	char text[ADDRESS_PORT_TEXT_SIZE];

	address_port_print(&server->listen, text);
	if (!server->certificate || !server->key)
		die(text, "needs --cert and --key");
	server->tls = SSL_CTX_new(TLS_server_method());
	if (!server->tls || !load_certificate(server->tls, server->certificate, server->key, &err))
		die(text, server->tls ? err.text : "no TLS");

	server->listener = evconnlistener_new_bind(server->base, on_accept, server,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 1024,
		(struct sockaddr *)&address, (int)size);

	if (!server->listener)
		die(text, strerror(errno));
	size = sizeof(address);
	getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&address, &size);
	address_from_sockaddr((struct sockaddr *)&address, &server->listen);
}

static void stop_server(struct server *server)
{
	struct connection *connection;

	while ((connection = LIST_FIRST(&server->open)))
		end_connection(connection);
	evconnlistener_free(server->listener);
	SSL_CTX_free(server->tls);
}

/* ---- lines on stdin ---- */

static struct server *find_server(struct backend *backend, const char *name)
{
	for (size_t i = 0; i < backend->count; i++)
		if (strcmp(backend->servers[i].name, name) == 0)
			return &backend->servers[i];
	return NULL;
}

static void obey_mode(struct server *first, size_t count, const char *text)
{
	enum mode mode;
	unsigned status = 0;

	if (!parse_mode(text, &mode, &status)) {
		printf("error unknown mode '%s'\n", text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		first[i].mode = mode;
		first[i].status = status;
	}
	printf("ok mode %s\n", text);
}

static void obey_cert(struct server *first, size_t count, const char *certificate, const char *key)
{
	struct err err;

	for (size_t i = 0; i < count; i++) {
		if (!load_certificate(first[i].tls, certificate, key, &err)) {
			printf("error %s\n", err.text);
			return;
		}
	}
	printf("ok cert %s\n", certificate);
}

static void obey(struct backend *backend, char *line)
{
	char *words[5] = {NULL};
	size_t count = 0;

	for (char *word = strtok(line, " \t\r"); word && count < 4; word = strtok(NULL, " \t\r"))
		words[count++] = word;

	/* the word behind the command may name a server; else it is for all */
	struct server *one = count > 1 ? find_server(backend, words[1]) : NULL;
	struct server *first = one ? one : backend->servers;
	size_t servers = one ? 1 : backend->count;
	char **rest = words + (one ? 2 : 1);

	if (count > 0 && strcmp(words[0], "mode") == 0 && rest[0] && !rest[1])
		obey_mode(first, servers, rest[0]);
	else if (count > 0 && strcmp(words[0], "cert") == 0 && rest[0] && rest[1])
		obey_cert(first, servers, rest[0], rest[1]);
	else if (count == 2 && strcmp(words[0], "count") == 0 && one)
		printf("ok connections=%lu requests=%lu\n", one->connections, one->requests);
	else
		printf("error mode [NAME] MODE, cert [NAME] CERT KEY, count NAME\n");
	fflush(stdout);
}

static void on_input(evutil_socket_t fd, short what, void *context)
{
	struct backend *backend = context;
	char bytes[4096];
	ssize_t size = read(fd, bytes, sizeof(bytes));

	(void)what;
	if (size < 0 && errno == EINTR)
		return;
	if (size <= 0) {
		event_del(backend->input);
		if (backend->ends_with_stdin)
			event_base_loopbreak(backend->base);
		return;
	}
	evbuffer_add(backend->lines, bytes, (size_t)size);
	for (char *line; (line = evbuffer_readln(backend->lines, NULL, EVBUFFER_EOL_LF));) {
		obey(backend, line);
		free(line);
	}
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	event_base_loopbreak(context);
}

/* ---- arguments ---- */

/* Where the value of an option goes; NULL if it is no plain text. */
static const char **field_of(struct server *server, const char *option)
{
	const struct {
		const char *option;
		const char **field;
	} fields[] = {
		{"--cert", &server->certificate},
		{"--key", &server->key},
		{"--name", &server->name},
		{"--region", &server->region},
		{"--body", &server->body},
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (strcmp(option, fields[i].option) == 0)
			return fields[i].field;
	return NULL;
}

static struct server *add_server(
	struct backend *backend, const struct server *defaults, const char *listen)
{
	struct server server = *defaults;
	struct err err;

	server.base = backend->base;
	server.name = listen;
	if (!address_port_parse(listen, &server.listen, &err))
		die("--listen", err.text);
	backend->servers = MEMORY_GROW(backend->servers, backend->count, &backend->capacity);
	backend->servers[backend->count++] = server;
	return &backend->servers[backend->count - 1];
}

static void read_arguments(struct backend *backend, char **words)
{
	struct server defaults = {.body = "ok"};
	struct server *current = &defaults;

	for (; *words; words++) {
		const char *option = *words;
		const char **field = field_of(current, option);

		if (strcmp(option, "--until-eof") == 0) {
			backend->ends_with_stdin = true;
			continue;
		}
		if (!*++words)
			usage();
		if (field)
			*field = *words;
		else if (strcmp(option, "--listen") == 0)
			current = add_server(backend, &defaults, *words);
		else if (strcmp(option, "--mode") != 0 ||
			!parse_mode(*words, &current->mode, &current->status))
			usage();
	}
	if (backend->count == 0)
		usage();
}

static void say_ready(const struct backend *backend)
{
	printf("ready");
	for (size_t i = 0; i < backend->count; i++) {
		char text[ADDRESS_PORT_TEXT_SIZE];

		address_port_print(&backend->servers[i].listen, text);
		printf(" %s", text);
	}
	printf("\n");
	fflush(stdout);
}

static struct event *end_on(struct event_base *base, int number)
{
	struct event *event = evsignal_new(base, number, on_signal, base);

	event_add(event, NULL);
	return event;
}

static void stop(struct backend *backend)
{
	for (size_t i = 0; i < backend->count; i++)
		stop_server(&backend->servers[i]);
	for (size_t i = 0; i < COUNT_OF(backend->signals); i++)
		event_free(backend->signals[i]);
	event_free(backend->input);
	evbuffer_free(backend->lines);
	event_base_free(backend->base);
	free(backend->servers);
}

int main(int argc, char **argv)
{
	struct event_config *config = event_config_new();
	struct backend backend = {.lines = evbuffer_new()};

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	/* stdin may be a file or /dev/null, which epoll does not take */
	event_config_require_features(config, EV_FEATURE_FDS);
	backend.base = event_base_new_with_config(config);
	event_config_free(config);
	read_arguments(&backend, argv + 1);
	for (size_t i = 0; i < backend.count; i++)
		start_server(&backend.servers[i]);
	backend.signals[0] = end_on(backend.base, SIGTERM);
	backend.signals[1] = end_on(backend.base, SIGINT);
	backend.input =
		event_new(backend.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &backend);
	event_add(backend.input, NULL);
	say_ready(&backend);
	event_base_dispatch(backend.base);
	stop(&backend);
	return 0;
}
