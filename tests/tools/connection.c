/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http2.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"

/* So much is made ahead of what the socket takes. */
#define AHEAD_MAX ((size_t)256 << 10)
#define PIECE_SIZE ((size_t)16 << 10) /* a record of TLS */

struct connection {
	struct server_face *server;
	const struct fault *fault; /* whatever the server's is later */
	unsigned number;
	struct bufferevent *socket;
	SSL *tls;		/* NULL: none */
	bool is_http2;		/* agreed by ALPN */
	bool has_come;		/* the fault's moment */
	bool speaks_clear;	/* its octets go out beside TLS */
	struct evbuffer *heard; /* of the client, deciphered */
	struct evbuffer *words; /* to be sent */
	uint64_t file_at;	/* behind them: a part of the file */
	uint64_t file_left;
	struct event *timer; /* of the delay, then of the pace */
	bool is_speaking;    /* as fast as it is taken */
	bool is_over;	     /* it ends once all has gone out */
	bool is_shut;	     /* our end is closed, and the client's is waited for */
	uint64_t began_at_ms;
	LIST_ENTRY(connection) link;
};

static void connection_end(struct connection *connection)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (connection->is_over && connection->fault->ending == END_RESET)
		setsockopt(bufferevent_getfd(connection->socket), SOL_SOCKET, SO_LINGER, &linger,
			sizeof(linger));
	if (connection->timer)
		event_free(connection->timer);
	LIST_REMOVE(connection, link);
	bufferevent_free(connection->socket); /* BEV_OPT_CLOSE_ON_FREE */
	SSL_free(connection->tls);
	evbuffer_free(connection->heard);
	evbuffer_free(connection->words);
	free(connection);
}

void connection_end_all(struct server_face *server)
{
	struct connection *connection;

	while ((connection = LIST_FIRST(&server->open)))
		connection_end(connection);
}

/* The last thing that a callback does: the connection may be gone then. */
static void settle(struct connection *connection)
{
	if (!connection->is_over || connection->is_shut ||
		evbuffer_get_length(bufferevent_get_output(connection->socket)) > 0)
		return;
	if (connection->fault->ending == END_RESET) {
		connection_end(connection);
		return;
	}
	/* closed while octets of the client are on their way, it would be reset by the system */
	shutdown(bufferevent_getfd(connection->socket), SHUT_WR);
	connection->is_shut = true;
}

/* ---- what goes out ---- */

/* What TLS has written. */
static void take_ciphered(struct connection *connection, struct evbuffer *out)
{
	char *octets;
	BIO *written = SSL_get_wbio(connection->tls);
	long size = BIO_get_mem_data(written, &octets);

	if (size > 0)
		evbuffer_add(out, octets, (size_t)size);
	(void)BIO_reset(written);
}

static void put(struct connection *connection, const void *octets, size_t size)
{
	struct evbuffer *out = bufferevent_get_output(connection->socket);

	if (!connection->tls || connection->speaks_clear) {
		evbuffer_add(out, octets, size);
		return;
	}
	SSL_write(connection->tls, octets, (int)size);
	take_ciphered(connection, out);
}

/* The next words, when there are none: false if all is said. */
static bool find_words(struct connection *connection)
{
	const struct octets *again = connection->fault->again;

	if (connection->file_left > 0) {
		size_t piece = connection->file_left < PIECE_SIZE ? (size_t)connection->file_left
								  : PIECE_SIZE;

		answer_add_file(connection->words, connection->file_at, piece);
		connection->file_at += piece;
		connection->file_left -= piece;
		return true;
	}
	while (again && evbuffer_get_length(connection->words) < PIECE_SIZE)
		evbuffer_add(connection->words, again->bytes, again->size);
	return again != NULL;
}

static void end_speaking(struct connection *connection)
{
	enum ending ending = connection->fault->ending;

	connection->is_speaking = false;
	if (connection->timer)
		event_del(connection->timer);
	if (ending == END_ORDERLY && connection->tls && !connection->speaks_clear) {
		SSL_shutdown(connection->tls);
		take_ciphered(connection, bufferevent_get_output(connection->socket));
	}
	connection->is_over = ending != END_HANG;
}

/* At most `size` octets of what is to be said, and the end if that was all. */
static void speak(struct connection *connection, size_t size)
{
	char piece[PIECE_SIZE];
	bool has_more;

	while ((has_more = evbuffer_get_length(connection->words) > 0 || find_words(connection)) &&
		size > 0) {
		size_t wanted = size < sizeof(piece) ? size : sizeof(piece);
		int got = evbuffer_remove(connection->words, piece, wanted);

		put(connection, piece, (size_t)got);
		size -= (size_t)got;
	}
	if (!has_more)
		end_speaking(connection);
}

static void on_pace(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;

	(void)fd;
	(void)what;
	speak(connection, connection->fault->pace.octets);
	settle(connection);
}

static void set_timer(
	struct connection *connection, unsigned wait_ms, short what, event_callback_fn callback)
{
	const struct timeval wait = {
		.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

	if (connection->timer)
		event_free(connection->timer);
	connection->timer = event_new(connection->server->base, -1, what, callback, connection);
	event_add(connection->timer, &wait);
}

static void start_speaking(struct connection *connection)
{
	const struct pace *pace = &connection->fault->pace;

	if (pace->every_ms == 0) {
		connection->is_speaking = true;
		speak(connection, AHEAD_MAX);
		return;
	}
	speak(connection,
		pace->burst + (pace->is_whole ? 0 : evbuffer_get_length(connection->words)));
	set_timer(connection, pace->every_ms, EV_PERSIST, on_pace);
}

static void on_delay(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	start_speaking(context);
	settle(context);
}

/* ---- the moment ---- */

static void add_answer(
	struct connection *connection, const struct request *request, unsigned *ret_delay_ms)
{
	const struct fault *fault = connection->fault;
	struct answer answer;

	answer_right(request, &connection->server->page, &answer);
	answer.number = connection->number;
	if (fault->twist)
		fault->twist(&answer);
	if (connection->is_http2) {
		http2_write(&answer, connection->words);
	} else {
		answer_write(&answer, connection->words);
		connection->file_at = answer.file_at;
		connection->file_left = answer.file_size;
	}
	*ret_delay_ms = answer.delay_ms;
	answer_done(&answer);
}

/* The fault's moment is there: what it says, or the answer. */
static void come(struct connection *connection, const struct request *request)
{
	const struct octets *says = connection->fault->says;
	unsigned delay_ms = 0;

	connection->has_come = true;
	connection->speaks_clear = !request && connection->fault->moment != AT_HANDSHAKE;
	if (says)
		evbuffer_add(connection->words, says->bytes, says->size);
	else if (request)
		add_answer(connection, request, &delay_ms);
	if (delay_ms > 0)
		set_timer(connection, delay_ms, 0, on_delay);
	else
		start_speaking(connection);
}

/* ---- what comes in ---- */

static void shake_hands(struct connection *connection)
{
	const struct fault *fault = connection->fault;
	struct evbuffer *out = bufferevent_get_output(connection->socket);
	const unsigned char *protocol;
	unsigned size;
	int done;

	ERR_clear_error(); /* what another connection left would count as this one's */
	done = SSL_do_handshake(connection->tls);
	if (fault->moment == AT_FLIGHT) {
		struct evbuffer *flight = evbuffer_new();

		take_ciphered(connection, flight);
		evbuffer_remove_buffer(flight, connection->words,
			fault->flight_octets > 0 ? fault->flight_octets
						 : evbuffer_get_length(flight));
		evbuffer_free(flight);
		if (evbuffer_get_length(connection->words) > 0)
			come(connection, NULL);
		return;
	}
	take_ciphered(connection, out);
	if (done != 1) {
		/* refused, and it was said why */
		connection->is_over = SSL_get_error(connection->tls, done) != SSL_ERROR_WANT_READ;
		return;
	}
	SSL_get0_alpn_selected(connection->tls, &protocol, &size);
	connection->is_http2 = size == 2;
	if (fault->moment == AT_HANDSHAKE)
		come(connection, NULL);
}

static void hear(struct connection *connection, struct evbuffer *in)
{
	char piece[PIECE_SIZE];
	int size;

	if (!connection->tls) {
		evbuffer_add_buffer(connection->heard, in);
		return;
	}
	while ((size = evbuffer_remove(in, piece, sizeof(piece))) > 0)
		BIO_write(SSL_get_rbio(connection->tls), piece, size);
	if (!SSL_is_init_finished(connection->tls))
		shake_hands(connection);
	if (!SSL_is_init_finished(connection->tls))
		return;
	while ((size = SSL_read(connection->tls, piece, sizeof(piece))) > 0)
		evbuffer_add(connection->heard, piece, (size_t)size);
}

static void find_request(struct connection *connection)
{
	struct request request = {.head = "", .body = ""};
	struct server_face *server = connection->server;

	if (!(connection->is_http2 ? http2_find_request(connection->heard)
				   : request_read(connection->heard, &request)))
		return;

	uint64_t took_ms = clock_monotonic_ms() - connection->began_at_ms;

	server->requests++;
	if (took_ms > server->longest_ask_ms)
		server->longest_ask_ms = took_ms;
	come(connection, &request);
}

static void on_read(struct bufferevent *socket, void *context)
{
	struct connection *connection = context;
	struct evbuffer *in = bufferevent_get_input(socket);

	if (!connection->has_come && connection->fault->moment == AT_HELLO)
		come(connection, NULL);
	if (!connection->has_come)
		hear(connection, in);
	if (!connection->has_come && !connection->is_over)
		find_request(connection);
	if (connection->has_come || connection->is_over) /* nothing more is of interest */
		evbuffer_drain(in, evbuffer_get_length(in));
	settle(connection);
}

/* All has gone out: the next piece of what has no end, or the end. */
static void on_written(struct bufferevent *socket, void *context)
{
	struct connection *connection = context;

	(void)socket;
	if (connection->is_speaking)
		speak(connection, AHEAD_MAX);
	settle(connection);
}

static void on_event(struct bufferevent *socket, short what, void *context)
{
	(void)socket;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		connection_end(context);
}

/* ---- its begin ---- */

static int choose_protocol(SSL *tls, const unsigned char **ret_protocol, unsigned char *ret_size,
	const unsigned char *offered, unsigned offered_size, void *context)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	const struct connection *connection = SSL_get_app_data(tls);
	size_t skipped = connection->fault->protocol == PROTOCOL_HTTP1 ? 3 : 0;
	unsigned char *found;

	(void)context;
	if (SSL_select_next_proto(&found, ret_size, ours + skipped,
		    (unsigned)(sizeof(ours) - 1 - skipped), offered,
		    offered_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret_protocol = found;
	return SSL_TLSEXT_ERR_OK;
}

static void start_tls(struct connection *connection)
{
	const struct fault *fault = connection->fault;
	SSL_CTX *context = connection->server->tls;

	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	connection->tls = SSL_new(context);
	SSL_set_app_data(connection->tls, connection);
	SSL_set_bio(connection->tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(connection->tls);
	if (fault->tls_highest != 0) {
		SSL_set_min_proto_version(connection->tls, TLS1_VERSION);
		SSL_set_max_proto_version(connection->tls, fault->tls_highest);
		SSL_set_cipher_list(connection->tls, "ALL:@SECLEVEL=0");
	}
	if (fault->asks_certificate)
		SSL_set_verify(
			connection->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

void connection_begin(struct server_face *server, evutil_socket_t fd)
{
	struct connection *connection = memory_new(sizeof(*connection));
	uint64_t now_ms = clock_monotonic_ms();

	server->connections++;
	if (server->last_at_ms > 0 && now_ms - server->last_at_ms > server->longest_gap_ms)
		server->longest_gap_ms = now_ms - server->last_at_ms;
	server->last_at_ms = now_ms;
	connection->server = server;
	connection->fault = server->fault;
	connection->number = server->number;
	connection->began_at_ms = now_ms;
	connection->heard = evbuffer_new();
	connection->words = evbuffer_new();
	connection->socket = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	LIST_INSERT_HEAD(&server->open, connection, link);
	if (server->tls)
		start_tls(connection);
	bufferevent_setcb(connection->socket, on_read, on_written, on_event, connection);
	bufferevent_enable(connection->socket, EV_READ | EV_WRITE);
	if (connection->fault->moment == AT_ACCEPT)
		come(connection, NULL);
	settle(connection);
}
