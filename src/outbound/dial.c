/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/outbound/dial.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/text.h"
#include "steerd/outbound/terms.h"

bool dial_is_our_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
		error == EADDRNOTAVAIL || error == EAGAIN;
}

/* Sets the reason: the words of one that is refused later. */
static void describe(int error, struct err *err)
{
	struct text words = {0};

	err->text[0] = '\0';
	if (dial_is_our_fault(error))
		return;
	terms_os(error, &words);
	err_set(err, "%s", words.bytes);
	text_done(&words);
}

int dial_open(const struct address_port *to, int type, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t size = address_to_sockaddr(to, &address);
	int fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		describe(errno, err);
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&address, size) < 0 && errno != EINPROGRESS) {
		describe(errno, err);
		close(fd);
		return -1;
	}
	return fd;
}

int dial_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return error;
}
