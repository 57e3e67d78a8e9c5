/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "steerd/base/clock.h"
#include "steerd/control/frame.h"

/* Before that, nobody wonders. */
#define WONDER_MS 2000
#define PROGRESS_MS 1000

static bool unreachable(const char *path, struct err *err)
{
	int error = errno;

	if (error == EACCES || error == EPERM)
		return err_os(err,
			"cannot connect to %s (its owner and group may: try sudo, or join the "
			"group)",
			path);
	err_os(err, "cannot connect to %s", path);
	strncat(err->text,
		"; is steerd running? give its socket with -s, or its configuration with -c",
		sizeof(err->text) - strlen(err->text) - 1);
	return false;
}

bool client_open(struct client *client, const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, "the path of the socket is longer than %zu octets: '%s'",
			sizeof(address.sun_path) - 1, path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return err_os(err, "cannot make a socket");
	if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	unreachable(path, err);
	client_close(client);
	return false;
}

void client_close(struct client *client)
{
	close(client->fd);
	client->fd = -1;
}

static bool send_all(int fd, const struct text *bytes)
{
	size_t sent = 0;

	while (sent < bytes->size) {
		ssize_t put = send(fd, bytes->bytes + sent, bytes->size - sent, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		sent += (size_t)put;
	}
	return true;
}

/* One line that is written over, and gone when the reply is there. */
static void show_progress(const char *waiting, uint64_t began_at_ms)
{
	char span[TEXT_DURATION_SIZE];

	text_duration((clock_monotonic_ms() - began_at_ms) / 1000 * 1000, span);
	fprintf(stderr, "\r%s ... %s\033[K", waiting, span);
	fflush(stderr);
}

static bool wait_readable(int fd, const struct client_patience *patience, struct err *err)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	uint64_t began_at_ms = clock_monotonic_ms();
	bool shows = isatty(STDERR_FILENO);
	int timeout_ms = WONDER_MS;
	bool done = true;

	while (done && poll(&poll_fd, 1, timeout_ms) == 0) {
		if (shows)
			show_progress(patience->waiting, began_at_ms);
		timeout_ms = PROGRESS_MS;
		if (patience->limit_ms && clock_monotonic_ms() - began_at_ms > patience->limit_ms)
			done = err_set(err, "steerd does not answer; it may be stopped, or hang");
	}
	if (shows && timeout_ms != WONDER_MS)
		fputs("\r\033[K", stderr);
	return done;
}

static bool receive(int fd, struct text *ret_reply, struct err *err)
{
	struct text bytes = {0};

	for (;;) {
		char block[65536];
		size_t body_size = 0;
		ssize_t got = read(fd, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			text_done(&bytes);
			return got == 0
				? err_set(err, "steerd closed the connection without a reply")
				: err_os(err, "cannot read the reply");
		}
		text_add_bytes(&bytes, block, (size_t)got);
		switch (frame_find(bytes.bytes, bytes.size, FRAME_REPLY_MAX, &body_size)) {
		case FRAME_PARTIAL:
			continue;
		case FRAME_TOO_LARGE:
			text_done(&bytes);
			return err_set(err, "what answers is not steerd");
		case FRAME_WHOLE:
			text_add_bytes(ret_reply, bytes.bytes + FRAME_HEADER, body_size);
			text_done(&bytes);
			return true;
		}
	}
}

bool client_ask(struct client *client, const struct request *request,
	const struct client_patience *patience, struct text *ret_reply, struct err *err)
{
	struct text body = {0};
	struct text frame = {0};

	request_write(request, &body);
	frame_add(&frame, body.bytes, body.size);

	bool sent = send_all(client->fd, &frame);

	text_done(&body);
	text_done(&frame);
	if (!sent)
		return err_os(err, "steerd closed the connection; it may serve too many at once");
	return wait_readable(client->fd, patience, err) && receive(client->fd, ret_reply, err);
}

void client_wait_for_end(struct client *client)
{
	char octet;

	while (read(client->fd, &octet, 1) > 0)
		continue;
}
