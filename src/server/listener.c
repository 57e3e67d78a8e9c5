/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steerd/base/memory.h"

/* Connections that wait to be accepted.  The kernel cuts it to net.core.somaxconn. */
#define TCP_BACKLOG 4096

/* How often the kernel is asked for another port when TCP's half of the one it chose is taken. */
#define PORT_ATTEMPTS 16

static void set_option(int fd, int level, int option, int value)
{
	/* Best effort: a kernel that lacks one of these still serves. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* What to do about the failures that operators meet. */
static bool bind_failed(const struct address_port *address, struct err *err)
{
	int cause = errno;
	char text[ADDRESS_PORT_TEXT_SIZE];

	address_port_print(address, text);
	switch (cause) {
	case EADDRINUSE:
		return err_set(err,
			"cannot listen on %s: address already in use; is another server running "
			"there?",
			text);
	case EACCES:
		return err_set(err,
			"cannot listen on %s: port %u needs CAP_NET_BIND_SERVICE: start from "
			"systemd with "
			"AmbientCapabilities=CAP_NET_BIND_SERVICE, or listen above port 1023",
			text, address->port);
	case EADDRNOTAVAIL:
		return err_set(err,
			"cannot listen on %s: no interface of this machine has this address", text);
	case EAFNOSUPPORT:
		return err_set(err, "cannot listen on %s: this machine has no %s", text,
			address->address.family == ADDRESS_IPV4 ? "IPv4" : "IPv6");
	default:
		errno = cause;
		return err_os(err, "cannot listen on %s", text);
	}
}

static int family_of(const struct address_port *address)
{
	return address->address.family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
}

static bool read_bound(int fd, struct address_port *ret_address, struct err *err)
{
	struct sockaddr_storage kernel;
	socklen_t size = sizeof(kernel);

	if (getsockname(fd, (struct sockaddr *)&kernel, &size) != 0)
		return err_os(err, "cannot read the address of a socket");
	return address_from_sockaddr((const struct sockaddr *)&kernel, ret_address);
}

/*
 * Answers are never fragmented (RFC 9715 3.1): they are at most 1,232 octets, which with IPv6 and
 * UDP headers is the 1,280 that every IPv6 link carries.  INTERFACE, and not DO: the kernel then
 * ignores path MTU messages, which anyone can forge to make answers fragment or vanish.  And not
 * OMIT, with which it fragments what the interface's own MTU is too small for (which IPv4 allows
 * down to 68): like this it refuses that, and udp.c sends TC instead.
 */
static void set_fragmentation(int fd, int family)
{
	if (family == AF_INET) {
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE);
		return;
	}
	set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_INTERFACE);
	set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

/* Bound to a wildcard, only a control message says which address was asked (udp.c gives it
 * back). */
static void set_destination_told(int fd, int family)
{
	if (family == AF_INET)
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	else
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/*
 * The first socket on a port binds before SO_REUSEPORT is set on it, so that a port is refused that
 * another server holds, even one that would share it: two servers that take turns at random are
 * hard to find.  Set afterwards, the option lets our own other sockets join.
 */
static bool bind_to(int fd, const struct address_port *address, bool is_first)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(address, &kernel);

	/* Each family for itself: no IPv4-mapped addresses (RFC 3493 5.3), and both may have
	 * port 53. */
	if (kernel.ss_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!is_first)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind(fd, (const struct sockaddr *)&kernel, size) != 0)
		return false;
	if (is_first)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	return true;
}

static int udp_open(const struct address_port *address, bool is_first, struct err *err)
{
	int family = family_of(address);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		bind_failed(address, err);
		return -1;
	}
	set_option(fd, SOL_SOCKET, SO_RCVBUF, (int)LISTENER_BUFFER_BYTES);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, (int)LISTENER_BUFFER_BYTES);
	set_fragmentation(fd, family);
	if (address_is_any(&address->address))
		set_destination_told(fd, family);
	if (!bind_to(fd, address, is_first)) {
		bind_failed(address, err);
		close(fd);
		return -1;
	}
	return fd;
}

static int tcp_open(const struct address_port *address, bool is_first, struct err *err)
{
	int fd = socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		bind_failed(address, err);
		return -1;
	}
	/* A restart must not wait for the last server's connections in TIME_WAIT. */
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Inherited by accepted connections: answers that are ready leave in one write as it is. */
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!bind_to(fd, address, is_first) || listen(fd, TCP_BACKLOG) != 0) {
		bind_failed(address, err);
		close(fd);
		return -1;
	}
	return fd;
}

/* The first UDP and the first TCP socket, which settle the port. */
static bool open_first(
	struct listener *listener, const struct address_port *address, struct err *err)
{
	int udp_fd = udp_open(address, true, err);

	if (udp_fd < 0)
		return false;

	bool is_known = read_bound(udp_fd, &listener->bound, err);
	int tcp_fd = is_known ? tcp_open(&listener->bound, true, err) : -1;

	if (tcp_fd < 0) {
		close(udp_fd);
		return false;
	}
	listener->udp_fds[listener->counts.udp++] = udp_fd;
	listener->tcp_fds[listener->counts.tcp++] = tcp_fd;
	return true;
}

typedef int (*open_fn)(const struct address_port *address, bool is_first, struct err *err);

static bool open_others(int *fds, size_t *count, size_t wanted, open_fn open_one,
	const struct address_port *at, struct err *err)
{
	while (*count < wanted) {
		int fd = open_one(at, false, err);

		if (fd < 0)
			return false;
		fds[(*count)++] = fd;
	}
	return true;
}

bool listener_open(struct listener *ret_listener, const struct address_port *address,
	struct listener_counts counts, struct err *err)
{
	struct listener listener = {
		.udp_fds = memory_new(counts.udp * sizeof(listener.udp_fds[0])),
		.tcp_fds = memory_new(counts.tcp * sizeof(listener.tcp_fds[0])),
	};
	bool done = false;

	for (int attempt = 0; !done && attempt < (address->port == 0 ? PORT_ATTEMPTS : 1);
		attempt++)
		done = open_first(&listener, address, err);
	done = done &&
		open_others(listener.udp_fds, &listener.counts.udp, counts.udp, udp_open,
			&listener.bound, err) &&
		open_others(listener.tcp_fds, &listener.counts.tcp, counts.tcp, tcp_open,
			&listener.bound, err);
	if (done)
		*ret_listener = listener;
	else
		listener_close(&listener);
	return done;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
}

void listener_close(struct listener *listener)
{
	close_all(listener->udp_fds, listener->counts.udp);
	close_all(listener->tcp_fds, listener->counts.tcp);
}

/* socket(7): the kernel doubles what is set, for what it needs itself, and tells the double. */
static size_t buffer_bytes(int fd, int option)
{
	int doubled = 0;
	socklen_t size = sizeof(doubled);

	(void)getsockopt(fd, SOL_SOCKET, option, &doubled, &size);
	return (size_t)doubled / 2;
}

struct listener_buffers listener_buffers(const struct listener *listener)
{
	int fd = listener->udp_fds[0]; /* the others are like it */

	return (struct listener_buffers){
		.receive_bytes = buffer_bytes(fd, SO_RCVBUF),
		.send_bytes = buffer_bytes(fd, SO_SNDBUF),
	};
}

void listener_wake(const struct listener *listener)
{
	/* A UDP socket without a peer is not connected, says Linux, and wakes its reader all the
	 * same; a time limit on receiving would do too, but wake every thread for nothing as
	 * long as it runs. */
	for (size_t i = 0; i < listener->counts.udp; i++)
		(void)shutdown(listener->udp_fds[i], SHUT_RD);
}
