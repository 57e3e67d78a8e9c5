/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/wire.h"

/* `bytes` may point into what is there. */
static void rest_set(struct connection_rest *rest, const uint8_t *bytes, size_t size)
{
	uint8_t *old = rest->bytes;

	rest->bytes = size > 0 ? memory_copy(bytes, size) : NULL;
	rest->size = size;
	free(old);
}

/* Gives octets to the kernel and keeps what it does not take; false: the client is gone. */
static bool output_send(struct connection *connection, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(connection->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent < 0)
			break;
		bytes += sent;
		size -= (size_t)sent;
	}
	rest_set(&connection->output, bytes, size);
	return true;
}

static bool desk_send(struct connection *connection, struct connection_desk *desk)
{
	size_t size = desk->output_size;

	desk->output_size = 0;
	return size == 0 || output_send(connection, desk->output, size);
}

/* Puts what was left over and what has come on the desk; false: the client is gone. */
static bool input_read(struct connection *connection, struct connection_desk *desk)
{
	size_t size = connection->input.size;
	size_t room = sizeof(desk->input) - size;

	if (size > 0)
		memcpy(desk->input, connection->input.bytes, size);
	desk->input_size = size;
	if (room == 0 || connection->has_ended)
		return true; /* what is there had to wait for its turn */

	ssize_t received = recv(connection->fd, desk->input + size, room, MSG_DONTWAIT);

	if (received < 0)
		return errno == EAGAIN;
	connection->has_ended = received == 0;
	desk->input_size += (size_t)received;
	return true;
}

/* Adds the answer to one message to the desk's output. */
static void message_answer(const struct connection *connection, struct connection_desk *desk,
	const uint8_t *message, size_t size)
{
	struct answer_client client = {
		.address = connection->client,
		.is_tcp = true,
		.idle_ds = desk->idle_ds,
		.now_unix_s = desk->now_unix_s,
	};
	uint8_t *out = desk->output + desk->output_size;

	stats_add(desk->stats, STATS_TCP_QUERIES, 1);

	struct answered answered = answer_query(desk->plan, &client, message, size,
		random_next(&desk->random), desk->stats, out + CONNECTION_PREFIX_SIZE);

	if (answered.size == 0)
		return;
	wire_write16(out, (uint16_t)answered.size);
	desk->output_size += CONNECTION_PREFIX_SIZE + answered.size;
}

/* How long the message is that begins at `at`, as its prefix says.  A length that no query has
 * ends the connection: there is no way to the next message but through all of this one. */
static bool message_size(const uint8_t *at, size_t *ret_size)
{
	size_t size = wire_read16(at);

	*ret_size = size;
	return size >= DNS_HEADER_SIZE && size <= DNS_QUERY_MAX;
}

/* Answers whole messages until there is none left or the client does not keep up; keeps the
 * rest. */
static bool input_answer(
	struct connection *connection, struct connection_desk *desk, bool *ret_has_progress)
{
	const uint8_t *at = desk->input;
	size_t left = desk->input_size;

	while (connection->output.size == 0 && left >= CONNECTION_PREFIX_SIZE) {
		size_t size;

		if (!message_size(at, &size)) {
			connection->has_ended = true;
			left = 0;
			break;
		}
		if (left < CONNECTION_PREFIX_SIZE + size)
			break;
		message_answer(connection, desk, at + CONNECTION_PREFIX_SIZE, size);
		*ret_has_progress = true;
		at += CONNECTION_PREFIX_SIZE + size;
		left -= CONNECTION_PREFIX_SIZE + size;
		if (desk->output_size >= CONNECTION_OUTPUT_FULL && !desk_send(connection, desk))
			return false;
	}
	rest_set(&connection->input, at, left);
	return desk_send(connection, desk);
}

/* False: the client is gone. */
static bool exchange(
	struct connection *connection, struct connection_desk *desk, bool *ret_has_progress)
{
	size_t waiting = connection->output.size;

	if (waiting > 0) {
		if (!output_send(connection, connection->output.bytes, waiting))
			return false;
		*ret_has_progress = connection->output.size < waiting;
		if (connection->output.size > 0)
			return true;
	}
	return input_read(connection, desk) && input_answer(connection, desk, ret_has_progress);
}

enum connection_wait connection_serve(
	struct connection *connection, struct connection_desk *desk, bool *ret_has_progress)
{
	*ret_has_progress = false;
	desk->output_size = 0;
	if (!exchange(connection, desk, ret_has_progress))
		return CONNECTION_OVER;
	if (connection->output.size > 0)
		return CONNECTION_WRITING;
	if (connection->has_ended)
		return CONNECTION_OVER;
	return connection->input.size > 0 ? CONNECTION_READING : CONNECTION_IDLE;
}

void connection_done(struct connection *connection)
{
	close(connection->fd);
	free(connection->input.bytes);
	free(connection->output.bytes);
}
