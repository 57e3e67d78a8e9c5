/* SPDX-License-Identifier: Apache-2.0 */

/* tcp monitors: plain, against a server that the test plays, and over TLS, against real servers with real certificates. */

#include <arpa/inet.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "certificate.h"
#include "one.h"
#include "rig.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

/* ---- a server that speaks no TLS ---- */

enum manner {
	GREETS,	   /* sends its text at once */
	ANSWERS,   /* sends it when something came */
	IN_PIECES, /* sends it octet by octet */
	SILENT,
	CLOSES, /* at once */
	SAYS_AND_CLOSES,
	RESETS, /* when something came */
	FLOODS, /* without end */
};

struct server {
	struct event_base *base;
	enum manner manner;
	const char *text;
	size_t sent; /* IN_PIECES */
	int listener;
	int stream; /* -1: none */
	struct event *on_listener;
	struct event *on_stream;
	uint16_t port;
	struct text got;
};

static void close_stream(struct server *server)
{
	if (server->on_stream)
		event_free(server->on_stream);
	if (server->stream >= 0)
		close(server->stream);
	server->on_stream = NULL;
	server->stream = -1;
}

static void reset_stream(struct server *server)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(server->stream, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close_stream(server);
}

static void say(struct server *server)
{
	(void)!send(server->stream, server->text, strlen(server->text), MSG_NOSIGNAL);
}

static void on_readable(struct server *server)
{
	char piece[4096];
	ssize_t size = recv(server->stream, piece, sizeof(piece), MSG_DONTWAIT);

	if (size <= 0) {
		close_stream(server);
		return;
	}
	text_add_bytes(&server->got, piece, (size_t)size);
	if (server->manner == ANSWERS)
		say(server);
	if (server->manner == RESETS)
		reset_stream(server);
}

static void on_writable(struct server *server)
{
	static char flood[65536];

	if (server->manner == IN_PIECES && server->text[server->sent])
		(void)!send(server->stream, &server->text[server->sent++], 1, MSG_NOSIGNAL);
	else if (server->manner == FLOODS)
		(void)!send(server->stream, flood, sizeof(flood), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_stream(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;

	(void)fd;
	if (what & EV_WRITE)
		on_writable(server);
	if (what & EV_READ)
		on_readable(server);
}

static void on_listener(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;
	bool writes = server->manner == IN_PIECES || server->manner == FLOODS;

	(void)what;
	close_stream(server);
	server->sent = 0;
	server->stream = accept(fd, NULL, NULL);
	if (server->manner == GREETS || server->manner == SAYS_AND_CLOSES)
		say(server);
	if (server->manner == CLOSES || server->manner == SAYS_AND_CLOSES) {
		close_stream(server);
		return;
	}
	server->on_stream = event_new(server->base, server->stream,
		(short)(EV_READ | EV_PERSIST | (writes ? EV_WRITE : 0)), on_stream, server);
	event_add(server->on_stream, NULL);
}

static int bind_port(uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void open_server(struct server *server, struct event_base *base)
{
	*server = (struct server){.base = base, .stream = -1, .text = ""};
	server->listener = bind_port(&server->port);
	assert_int_equal(listen(server->listener, 8), 0);
	server->on_listener =
		event_new(base, server->listener, EV_READ | EV_PERSIST, on_listener, server);
	event_add(server->on_listener, NULL);
}

static void close_server(struct server *server)
{
	close_stream(server);
	event_free(server->on_listener);
	close(server->listener);
	text_done(&server->got);
}

/* ---- plain ---- */

static const struct {
	const char *about;
	enum manner manner;
	const char *text;
	const char *send;
	const char *expect;
	const char *want;
} cases[] = {
	{"to connect is enough", SILENT, "", NULL, NULL, "up"},
	{"nothing to send, nothing to expect", CLOSES, "", "", "", "up"},
	{"to send is enough", SILENT, "", "PING\r\n", NULL, "up"},
	{"a greeting", GREETS, "SSH-2.0-OpenSSH_9\r\n", NULL, "SSH-2.0", "up"},
	{"a text in the middle", GREETS, "220 mail ESMTP ready\r\n", NULL, "ESMTP", "up"},
	{"an answer", ANSWERS, "+PONG\r\n", "PING\r\n", "+PONG", "up"},
	{"a text in pieces", IN_PIECES, "SSH-2.0", NULL, "SSH-2.0", "up"},
	{"a text, and then the end", SAYS_AND_CLOSES, "SSH-2.0", NULL, "SSH-2.0", "up"},
	{"silence", SILENT, "", NULL, "SSH-2.0", "down: no answer within 200 ms"},
	{"another text", GREETS, "HTTP/1.1 400\r\n", NULL, "SSH-2.0",
		"down: 'SSH-2.0' did not come within 200 ms; 14 octets came: 'HTTP/1.1 400\?\?'"},
	{"half of the text", IN_PIECES, "SSH-2", NULL, "SSH-2.0",
		"down: 'SSH-2.0' did not come within 200 ms; 5 octets came: 'SSH-2'"},
	{"closed at once", CLOSES, "", NULL, "SSH-2.0", "down: closed without an answer"},
	{"closed after another text", SAYS_AND_CLOSES,
		"sorry, we are full today, please come later", NULL, "SSH-2.0",
		"down: closed before 'SSH-2.0'; 43 octets came: 'sorry, we are full today, "
		"please...'"},
	{"closed after one octet", SAYS_AND_CLOSES, "\1", NULL, "SSH-2.0",
		"down: closed before 'SSH-2.0'; 1 octet came: '?'"},
	{"reset", RESETS, "", "PING\r\n", "+PONG", "down: connection reset without an answer"},
	{"a flood", FLOODS, "", NULL, "SSH-2.0", "down: first 65536 octets do not hold 'SSH-2.0'"},
};

static void each_manner(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		server.manner = cases[i].manner;
		server.text = cases[i].text;
		one.monitor.send = cases[i].send;
		one.monitor.expect = cases[i].expect;
		/* what has nothing to wait for gets all the time that it wants */
		one.monitor.timeout_ms = strstr(cases[i].want, "200 ms") ? 200 : 10000;
		one_expect(&one, cases[i].want, cases[i].about);
	}
	close_server(&server);
	one_done(&one);
}

static void sends_all(void **state)
{
	struct server server;
	struct one one;
	struct text much = {0};

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	server.manner = ANSWERS;
	server.text = "thanks";
	while (much.size < 4000)
		text_add(&much, "0123456789");
	one.monitor.port = server.port;
	one.monitor.send = much.bytes;
	one.monitor.expect = "thanks";
	one_expect(&one, "up", "much to send");
	assert_true(server.got.size > 0 && server.got.size <= much.size);
	assert_memory_equal(server.got.bytes, much.bytes, server.got.size);
	text_done(&much);
	close_server(&server);
	one_done(&one);
}

/* A listener whose queue is full answers no SYN; a port without one refuses. */
static void not_connected(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct one one;
	int fds[3];
	int fd;

	(void)state;
	one_init(&one, KIND_TCP);
	fd = bind_port(&one.monitor.port);
	one_expect(&one, "down: connection refused", "nobody listens");

	address.sin_port = htons(one.monitor.port);
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&address, sizeof(address));
	}
	one.monitor.timeout_ms = 200;
	one_expect(&one, "down: connect timed out after 200 ms", "the whole is over");
	one.monitor.timeout_ms = 10000;
	one.monitor.connect_ms = 150;
	one_expect(&one, "down: connect timed out after 150 ms", "its own limit");
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	close(fd);
	one_done(&one);
}

/* Each phase has a limit of its own; the first octet alone counts for that of the answer. */
static void limits(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	one.monitor.timeout_ms = 10000;
	one.monitor.first_byte_ms = 100;
	one.monitor.expect = "SSH-2.0";
	server.manner = SILENT;
	one_expect(&one, "down: no answer within 100 ms", "the first octet");
	server.manner = GREETS;
	server.text = "SSH";
	one.monitor.timeout_ms = 400;
	one_expect(&one, "down: 'SSH-2.0' did not come within 400 ms; 3 octets came: 'SSH'",
		"the whole, once the first octet was there");
	close_server(&server);
	one_done(&one);
}

static void slow(void **state)
{
	struct server server;
	struct one one;
	unsigned took_ms;

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	one.monitor.slower_than_ms = 20;
	one.monitor.expect = "SSH";
	server.manner = SILENT;
	one_start(&one);
	while (server.stream < 0)
		event_base_loop(one.base, EVLOOP_ONCE);
	usleep(50000); /* what is slow takes time */
	server.text = "SSH";
	say(&server);
	one_await(&one, "a slow greeting");
	assert_true(one.result.passed && one.result.is_degraded);
	assert_int_equal(sscanf(one.reason, "slow: took %u ms, more than 20 ms", &took_ms), 1);
	close_server(&server);
	one_done(&one);
}

static void cancelled(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	one.monitor.expect = "SSH";
	server.manner = SILENT;
	one_start(&one);
	one_cancel(&one); /* while it connects */
	one_start(&one);
	while (server.stream < 0)
		event_base_loop(one.base, EVLOOP_ONCE);
	one_cancel(&one); /* while it waits */
	server.manner = GREETS;
	server.text = "SSH";
	one_expect(&one, "up", "the next one");
	close_server(&server);
	one_done(&one);
}

/* No descriptor is left: that is no fault of the backend. */
static void shortage(void **state)
{
	struct server server;
	struct one one;
	int fds[4096];
	size_t count = 0;

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	while (count < COUNT_OF(fds) && (fds[count] = dup(STDERR_FILENO)) >= 0)
		count++;
	if (count < COUNT_OF(fds)) {
		one_start(&one);
		one_await(&one, "a check without a descriptor");
		assert_true(one.says_nothing);
	}
	while (count > 0)
		close(fds[--count]);
	one_expect(&one, "up", "there are some again");
	close_server(&server);
	one_done(&one);
}

/* Loopback is not connected to unless the monitor says so, nor where steerd listens. */
static void internal(void **state)
{
	struct server server;
	struct one one;

	(void)state;
	one_init(&one, KIND_TCP);
	open_server(&server, one.base);
	one.monitor.port = server.port;
	one.monitor.allows_internal = false;
	one_expect(&one,
		"down: not checked: 127.0.0.1 is loopback; 'allow-internal: yes' in the monitor "
		"allows it",
		"loopback");
	assert_int_equal(server.stream, -1);
	close_server(&server);
	one_done(&one);
}

/* ---- over TLS ---- */

static const struct {
	const char *certificate;
	const char *mode;
	const char *host;
	const char *trust; /* "ca"; NULL: the CA file cannot be read */
	bool verifies;
	const char *want;
} secure[] = {
	{"good", "ok", "dl.files.example", "ca", true, "up"},
	{"wrong-name", "ok", "other.example", "ca", true, "up"},
	{"self-signed", "ok", "dl.files.example", "self-signed", true, "up"},
	{"expired", "ok", "dl.files.example", "ca", false, "up"},
	{"wrong-name", "ok", "dl.files.example", "ca", false, "up"},
	{"self-signed", "ok", "dl.files.example", NULL, false, "up"},
	{"good", "wrong-body", "dl.files.example", "ca", true, "down: closed before 'ok'; "},
	{"wrong-name", "ok", "dl.files.example", "ca", true,
		"down: certificate is for other.example, not dl.files.example"},
	{"good", "ok", "192.0.2.1", "ca", true,
		"down: certificate is for dl.files.example, not 192.0.2.1"},
	{"expired", "ok", "dl.files.example", "ca", true,
		"down: certificate expired on 2020-02-01"},
	{"not-yet", "ok", "dl.files.example", "ca", true,
		"down: certificate not valid before 2099-01-01"},
	{"self-signed", "ok", "dl.files.example", "ca", true,
		"down: certificate is not trusted: self-signed certificate"},
	{"other-ca", "ok", "dl.files.example", "ca", true,
		"down: certificate is not trusted: unable to get local issuer certificate"},
	{"good", "ok", "dl.files.example", NULL, true, "down: no CA certificates"},
	{"good", "ok", NULL, "ca", true, "down: TLS cannot be asked for ''"},
	{"good", "hang", "dl.files.example", "ca", true,
		"down: TLS handshake timed out after 300 ms"},
	{"good", "close", "dl.files.example", "ca", true, "down: closed without a byte"},
	{"good", "reset", "dl.files.example", "ca", true, "down: closed without a byte"},
	{"good", "plain", "dl.files.example", "ca", true,
		"down: TLS handshake failed: the server does not speak TLS"},
	{"good", "client-cert", "dl.files.example", "ca", true,
		"down: TLS ended by the server: certificate required"},
	{"good", "stall", "dl.files.example", "ca", true, "down: no answer within 300 ms"},
	{"good", "close-late", "dl.files.example", "ca", true, "down: closed without an answer"},
};

static void start_servers(struct rig_backend *backend, const struct rig_certificates *certificates,
	struct rig_server *servers)
{
	static char names[COUNT_OF(secure)][16];

	for (size_t i = 0; i < COUNT_OF(secure); i++) {
		snprintf(names[i], sizeof(names[i]), "s%zu", i);
		servers[i] = (struct rig_server){.name = names[i],
			.certificate = secure[i].certificate,
			.mode = secure[i].mode};
	}
	rig_start_backend(backend, certificates, servers, COUNT_OF(secure));
}

static X509_STORE *open_trust(const struct rig_certificates *certificates, const char *name)
{
	struct text file = {0};
	struct text bytes = {0};
	struct err err;

	if (!name)
		return NULL;
	text_print(&file, "%s.pem", name);

	char *path = rig_certificate_path(certificates, file.bytes);

	assert_true(file_read(path, 1 << 20, &bytes, &err));

	const struct settings_file ca = {.path = path, .bytes = bytes.bytes, .size = bytes.size};
	X509_STORE *trust = certificate_trust(&ca, &err);

	assert_non_null(trust);
	free(path);
	text_done(&file);
	text_done(&bytes);
	return trust;
}

static void print_outcome(const struct one *one, char *ret_text, size_t size)
{
	snprintf(ret_text, size, one->result.passed ? "up" : "down: %s", one->reason);
}

/* Of what came in place of the text only the beginning of the line is told apart. */
static bool is_wanted(const char *outcome, const char *want)
{
	return want[strlen(want) - 1] == ' ' ? strncmp(outcome, want, strlen(want)) == 0
					     : strcmp(outcome, want) == 0;
}

static void over_tls(void **state)
{
	static const char request[] =
		"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	struct rig_certificates certificates;
	struct rig_server servers[COUNT_OF(secure)];
	struct rig_backend backend;
	struct one one;

	(void)state;
	rig_make_certificates(&certificates);
	start_servers(&backend, &certificates, servers);
	one_init(&one, KIND_TCP);
	one.monitor.is_tls = true;
	one.monitor.expect = "ok";
	for (size_t i = 0; i < COUNT_OF(secure); i++) {
		char outcome[300];

		one.monitor.port = servers[i].port;
		one.monitor.host = secure[i].host;
		/* a server that refuses us and has not read all may take its refusal with it */
		one.monitor.send = strcmp(secure[i].mode, "client-cert") == 0 ? NULL : request;
		one.monitor.verifies = secure[i].verifies;
		one.monitor.timeout_ms = strstr(secure[i].want, "300 ms") ? 300 : 10000;
		one.trust = open_trust(&certificates, secure[i].trust);
		one_start(&one);
		one_await(&one, secure[i].want);
		print_outcome(&one, outcome, sizeof(outcome));
		if (!is_wanted(outcome, secure[i].want))
			fail_msg("%s %s: '%s', not '%s'", secure[i].certificate, secure[i].mode,
				outcome, secure[i].want);
		X509_STORE_free(one.trust);
	}
	one_done(&one);
	rig_stop_backend(&backend);
	rig_remove_certificates(&certificates);
}

static void read_file(const struct rig_certificates *certificates, const char *name,
	struct text *ret_bytes, struct settings_file *ret_file)
{
	char *path = rig_certificate_path(certificates, name);
	struct err err;

	assert_true(file_read(path, 1 << 20, ret_bytes, &err));
	*ret_file = (struct settings_file){
		.path = "client", .bytes = ret_bytes->bytes, .size = ret_bytes->size};
	free(path);
}

/* What the row is told of the certificate, what its last days mean, and our own certificate. */
static void certificates_of_both(void **state)
{
	static const char name[] = "certificate of dl.files.example (";
	struct rig_server servers[] = {{.name = "good"}, {.name = "client", .mode = "client-cert"}};
	struct rig_certificates certificates;
	struct rig_backend backend;
	struct text certificate = {0};
	struct text key = {0};
	struct settings_file files[2];
	struct one one;

	(void)state;
	rig_make_certificates(&certificates);
	rig_start_backend(&backend, &certificates, servers, COUNT_OF(servers));
	one_init(&one, KIND_TCP);
	one.trust = open_trust(&certificates, "ca");
	one.monitor.is_tls = true;
	one.monitor.host = "dl.files.example";
	one.monitor.port = servers[0].port;
	one_expect(&one, "up", "a handshake is enough");
	assert_string_equal(one.result.certificate, "dl.files.example");
	assert_true(one.result.issuer[0] && one.result.certificate_until_unix_s > 0);

	/* there is no end of the certificate that is so far away */
	one.monitor.certificate_warn_days = 100000;
	one_start(&one);
	one_await(&one, "days of which it warns");
	assert_true(one.result.passed && !one.result.is_degraded);
	assert_memory_equal(one.note, name, strlen(name));
	one.monitor.certificate_degrade_days = 100000;
	one_start(&one);
	one_await(&one, "days that degrade it");
	assert_true(one.result.passed && one.result.is_degraded);
	assert_memory_equal(one.reason, name, strlen(name));
	one.monitor.certificate_fail_days = 100000;
	one_start(&one);
	one_await(&one, "days that fail it");
	assert_false(one.result.passed);
	assert_memory_equal(one.reason, name, strlen(name));
	one.monitor.certificate_warn_days = 0;
	one.monitor.certificate_degrade_days = 0;
	one.monitor.certificate_fail_days = 0;

	read_file(&certificates, "client.pem", &certificate, &files[0]);
	read_file(&certificates, "client.key", &key, &files[1]);
	one.monitor.port = servers[1].port;
	one.monitor.certificate = &files[0];
	one.monitor.key = &files[1];
	one.monitor.send = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	one.monitor.expect = "HTTP/1.1 ";
	one_expect(&one, "up", "a server that wants to know us");
	assert_int_equal(one.findings.items[0].section, FINDING_REQUEST);

	text_done(&certificate);
	text_done(&key);
	X509_STORE_free(one.trust);
	one_done(&one);
	rig_stop_backend(&backend);
	rig_remove_certificates(&certificates);
}

/* ---- many that hang ---- */

/* Of those that failed before none answers: one that lives is seen meanwhile, and has what it failed by in its memory. */
static void what_hangs_delays_nobody(void **state)
{
	struct one_hanging hanging;
	struct one one;
	int fd;

	(void)state;
	one_init(&one, KIND_TCP);
	fd = one_listen_mute(&one.address, &one.monitor.port);
	one.monitor.timeout_ms = 20000;

	struct settings_monitor mute = one.monitor;

	mute.expect = "hello";
	one_hang(&one, &mute, &one.address, &hanging);
	one_expect(&one, "up", "one that lives");
	assert_false(one.memory.has_failed);
	one_hang_done(&hanging);
	one.monitor.expect = "hello";
	one.monitor.timeout_ms = 300;
	one_expect(&one, "down: no answer within 300 ms", "one that hangs");
	assert_true(one.memory.has_failed);
	close(fd);
	one_done(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hangs_delays_nobody),
		cmocka_unit_test(each_manner),
		cmocka_unit_test(sends_all),
		cmocka_unit_test(not_connected),
		cmocka_unit_test(limits),
		cmocka_unit_test(slow),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(shortage),
		cmocka_unit_test(internal),
		cmocka_unit_test(over_tls),
		cmocka_unit_test(certificates_of_both),
	};

	signal(SIGPIPE, SIG_IGN); /* as the prober does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
