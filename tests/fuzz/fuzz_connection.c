/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/server/connection.c */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/wire.h"

/*
 * However a stream of messages is cut into pieces, and however late the answers are read: what
 * comes back is the answer to each whole message in order, up to the first length that no query
 * has.
 *
 * The input is pieces: an octet of how long one is (and, if odd, that the client reads what has
 * come), and its octets.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stands in for the room `answer`: the header says how long the answer is, and whether there is
 * one. */
struct answered answer_query(const struct plan *plan, const struct answer_client *client,
	const uint8_t *query, size_t query_size, uint64_t random, struct stats *stats, uint8_t *out)
{
	size_t size = wire_read16(query + 4);

	(void)plan;
	(void)random;
	(void)stats;
	assert(client->is_tcp && query_size >= DNS_HEADER_SIZE && query_size <= DNS_QUERY_MAX);
	if (query[2] & 0x80)
		return (struct answered){0};
	size = size < DNS_HEADER_SIZE ? DNS_HEADER_SIZE : size;
	memset(out, query[0], size);
	memcpy(out, query, DNS_HEADER_SIZE);
	return (struct answered){.size = size};
}

/* The slow and obvious way: the whole stream at once. */
static void answer_stream(const uint8_t *stream, size_t size, struct text *ret_answers)
{
	static uint8_t answer[ANSWER_TCP_MAX];
	struct answer_client client = {.is_tcp = true};

	while (size >= CONNECTION_PREFIX_SIZE) {
		size_t message_size = wire_read16(stream);
		uint8_t prefix[CONNECTION_PREFIX_SIZE];

		stream += CONNECTION_PREFIX_SIZE;
		size -= CONNECTION_PREFIX_SIZE;
		if (message_size < DNS_HEADER_SIZE || message_size > DNS_QUERY_MAX ||
			message_size > size)
			return;

		size_t answer_size =
			answer_query(NULL, &client, stream, message_size, 0, NULL, answer).size;

		wire_write16(prefix, (uint16_t)answer_size);
		if (answer_size > 0) {
			text_add_bytes(ret_answers, prefix, sizeof(prefix));
			text_add_bytes(ret_answers, answer, answer_size);
		}
		stream += message_size;
		size -= message_size;
	}
}

struct pair {
	struct connection connection;
	struct connection_desk *desk;
	int client_fd;
	bool is_over;
	struct text sent; /* what the connection may have read */
	struct text received;
};

static bool client_read(struct pair *pair)
{
	uint8_t octets[4096];
	ssize_t size = recv(pair->client_fd, octets, sizeof(octets), MSG_DONTWAIT);

	if (size > 0)
		text_add_bytes(&pair->received, octets, (size_t)size);
	return size > 0;
}

static void serve(struct pair *pair)
{
	bool has_progress;
	enum connection_wait wait;

	if (pair->is_over)
		return;
	wait = connection_serve(&pair->connection, pair->desk, &has_progress);
	pair->is_over = wait == CONNECTION_OVER;

	/* What is kept is bounded, and an idle connection keeps nothing. */
	assert(pair->connection.input.size <= CONNECTION_INPUT_SIZE);
	assert(pair->connection.output.size <= sizeof(pair->desk->output));
	assert((wait == CONNECTION_WRITING) == (pair->connection.output.size > 0) || pair->is_over);
	if (wait == CONNECTION_IDLE)
		assert(!pair->connection.input.bytes && !pair->connection.output.bytes);
}

static void client_send(struct pair *pair, const uint8_t *octets, size_t size)
{
	text_add_bytes(&pair->sent, octets, size);
	while (size > 0 && !pair->is_over) {
		ssize_t sent = send(pair->client_fd, octets, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			octets += sent;
			size -= (size_t)sent;
		} else {
			assert(errno == EAGAIN);
			(void)client_read(pair);
		}
		serve(pair);
	}
}

static void pair_init(struct pair *pair)
{
	int fds[2];
	int small = 4096; /* the kernel's buffer fills up, as it does when a client is slow */

	memset(pair, 0, sizeof(*pair));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		abort();
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	pair->connection.fd = fds[0];
	pair->client_fd = fds[1];
	pair->desk = memory_new(sizeof(*pair->desk));
	pair->desk->stats = memory_new_aligned(_Alignof(struct stats), sizeof(struct stats));
}

static void pair_done(struct pair *pair)
{
	connection_done(&pair->connection);
	close(pair->client_fd);
	free(pair->desk->stats);
	free(pair->desk);
	text_done(&pair->sent);
	text_done(&pair->received);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair pair;
	struct text want = {0};

	pair_init(&pair);
	while (size > 0) {
		size_t piece = data[0] < size ? data[0] : size - 1;
		bool reads = data[0] & 1;

		client_send(&pair, data + 1, piece);
		if (reads)
			(void)client_read(&pair);
		data += 1 + piece;
		size -= 1 + piece;
	}
	(void)shutdown(pair.client_fd, SHUT_WR);
	while (!pair.is_over) {
		serve(&pair);
		(void)client_read(&pair);
	}
	while (client_read(&pair))
		;
	answer_stream((const uint8_t *)pair.sent.bytes, pair.sent.size, &want);
	assert(want.size == pair.received.size);
	assert(want.size == 0 || memcmp(want.bytes, pair.received.bytes, want.size) == 0);
	text_done(&want);
	pair_done(&pair);
	return 0;
}
