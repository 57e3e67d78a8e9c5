/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * echo - the floor below every DNS server that uses sockets: what comes goes back, one A record
 * longer, with no thought in between.  It receives and sends in batches exactly as steerd does, so
 * what it costs is the kernel's part.
 *
 * It serves on a port of 127.0.0.1 that the kernel chooses, prints "ready: 127.0.0.1:PORT", and
 * ends when it is killed.
 */
enum { BATCH = 64, SIZE_MAX_IN = 1232, ANSWER_SIZE = 16 };

struct slot {
	struct sockaddr_in peer;
	uint8_t message[SIZE_MAX_IN + ANSWER_SIZE];
};

static struct slot slots[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_anywhere(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int buffer_bytes = 4 << 20;
	int shared = 1;

	if (fd < 0)
		fail("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof(shared));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
	if (bind(fd, (struct sockaddr *)&at, size) != 0)
		fail("bind");
	if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		fail("getsockname");
	printf("ready: 127.0.0.1:%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static void prepare(size_t index)
{
	parts[index] = (struct iovec){slots[index].message, SIZE_MAX_IN};
	messages[index].msg_hdr = (struct msghdr){
		.msg_name = &slots[index].peer,
		.msg_namelen = sizeof(slots[index].peer),
		.msg_iov = &parts[index],
		.msg_iovlen = 1,
	};
}

/* Sets QR and AA and one answer, and appends its 16 octets. */
static void answer(size_t index)
{
	uint8_t *message = slots[index].message;
	size_t size = messages[index].msg_len;

	message[2] |= 0x84;
	message[7] = 1;
	memset(message + size, 0, ANSWER_SIZE);
	parts[index].iov_len = size + ANSWER_SIZE;
}

int main(void)
{
	int fd = listen_anywhere();

	for (size_t i = 0; i < BATCH; i++)
		prepare(i);
	for (;;) {
		int received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		for (int i = 0; i < received; i++)
			answer((size_t)i);
		for (int sent = 0; sent < received;) {
			int more = sendmmsg(
				fd, &messages[sent], (unsigned)(received - sent), MSG_DONTWAIT);

			sent += more > 0 ? more : 1;
		}
		for (int i = 0; i < received; i++)
			prepare((size_t)i);
	}
}
