/* SPDX-License-Identifier: Apache-2.0 */

/*
 * backend - HTTPS servers on given addresses, each of which can be told to be wrong in a way of its own.
 * For tests, for benchmarks and for the demo.
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
 *	mode [NAME] MODE          of one server, or of all; `backend --modes` prints them (faults.h)
 *	cert [NAME] CERT KEY      for connections from now on; the files are read again
 *	count NAME                ok connections=N requests=N longest-gap-ms=N longest-ask-ms=N
 *
 * `count` tells how it looks from here: the longest time between two connections, and the longest from a
 * connection to its whole request, both since the `count` before.  Modes that need a certificate take it
 * from the directory of --cert, as scripts/make-test-ca leaves it.
 *
 * It serves on when stdin ends, unless --until-eof was given, and ends on SIGTERM and SIGINT.
 */

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "server.h"
#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/memory.h"

/* All servers, and what stdin speaks to. */
struct backend {
	struct event_base *base;
	struct event *signals[2];
	struct identity_list identities;
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
		"usage: backend [--cert FILE] [--key FILE] [--plain] [--body TEXT] [--region "
		"TEXT]\n"
		"               [--mode MODE] --listen ADDRESS:PORT [--name TEXT] ... "
		"[--until-eof]\n"
		"       backend --modes\nmodes:\n");
	faults_print(stderr);
	exit(2);
}

/* ---- lines on stdin ---- */

static struct server *find_server(struct backend *backend, const char *name)
{
	for (size_t i = 0; i < backend->count; i++)
		if (strcmp(backend->servers[i].face.page.name, name) == 0)
			return &backend->servers[i];
	return NULL;
}

static void obey_mode(struct server *first, size_t count, const char *text)
{
	unsigned number;
	const struct fault *fault = fault_find(text, &number);
	struct err err;

	if (!fault) {
		printf("error unknown mode '%s'\n", text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!server_set_fault(&first[i], fault, number, &err)) {
			printf("error %s\n", err.text);
			return;
		}
	}
	printf("ok mode %s\n", text);
}

static void obey_cert(struct server *first, size_t count, const char *certificate, const char *key)
{
	struct err err;

	for (size_t i = 0; i < count; i++) {
		if (!server_set_certificate(&first[i], certificate, key, i == 0, &err)) {
			printf("error %s\n", err.text);
			return;
		}
	}
	printf("ok cert %s\n", certificate);
}

static void obey_count(struct server_face *server)
{
	printf("ok connections=%lu requests=%lu longest-gap-ms=%" PRIu64 " longest-ask-ms=%" PRIu64
	       "\n",
		server->connections, server->requests, server->longest_gap_ms,
		server->longest_ask_ms);
	server->longest_gap_ms = 0;
	server->longest_ask_ms = 0;
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
		obey_count(&one->face);
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
		{"--name", &server->face.page.name},
		{"--region", &server->face.page.region},
		{"--body", &server->face.page.body},
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

	server.face.base = backend->base;
	server.face.page.name = listen;
	server.identities = &backend->identities;
	if (!address_port_parse(listen, &server.listen, &err))
		die("--listen", err.text);
	backend->servers = MEMORY_GROW(backend->servers, backend->count, &backend->capacity);
	backend->servers[backend->count++] = server;
	return &backend->servers[backend->count - 1];
}

/* Options that have no value. */
static bool read_switch(struct backend *backend, struct server *current, const char *option)
{
	if (strcmp(option, "--modes") == 0) {
		faults_print(stdout);
		exit(0);
	}
	if (strcmp(option, "--until-eof") == 0)
		backend->ends_with_stdin = true;
	else if (strcmp(option, "--plain") == 0)
		current->is_plain = true;
	else
		return false;
	return true;
}

static void set_mode(struct server *server, const char *text)
{
	server->face.fault = fault_find(text, &server->face.number);
	if (!server->face.fault)
		usage();
}

static void read_arguments(struct backend *backend, char **words)
{
	struct server defaults = {.face = {.page = {.body = "ok"}}};
	struct server *current = &defaults;

	set_mode(&defaults, "ok");
	for (; *words; words++) {
		const char *option = *words;
		const char **field = field_of(current, option);

		if (read_switch(backend, current, option))
			continue;
		if (!*++words)
			usage();
		if (field)
			*field = *words;
		else if (strcmp(option, "--listen") == 0)
			current = add_server(backend, &defaults, *words);
		else if (strcmp(option, "--mode") == 0)
			set_mode(current, *words);
		else
			usage();
	}
	if (backend->count == 0)
		usage();
}

/* No server moves in memory from here on: connections know them. */
static void start_servers(struct backend *backend)
{
	struct err err;

	for (size_t i = 0; i < backend->count; i++) {
		struct server *server = &backend->servers[i];

		LIST_INIT(&server->face.open);
		if (!server_start(server, &err))
			die(server->face.page.name, err.text);
	}
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
		server_stop(&backend->servers[i]);
	server_free_identities(&backend->identities);
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
	start_servers(&backend);
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
