/* SPDX-License-Identifier: Apache-2.0 */
#include "udp.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steerd/answer/answer.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/dns/dns.h"

/* Messages in one system call.  More: an answer waits longer for its neighbours in the batch, and
 * the batch leaves the cache.  Fewer: more system calls. */
#define BATCH 64

union peer {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/* Where one message of a batch lives.  The size is no multiple of 4096, else the first lines of
 * all slots would compete for the same few sets of the cache. */
struct slot {
	union peer peer;
	/* Which address was asked, as the kernel tells it: IP_PKTINFO or IPV6_PKTINFO. */
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	uint8_t query[DNS_QUERY_MAX + 1]; /* one more, to see that a message is too long */
	uint8_t reply[ANSWER_UDP_MAX];
};

/* From one cache line to another, or one worker would write to a line that its neighbour reads. */
struct udp {
	_Alignas(128) struct worker worker;
	int fd;
	bool is_wildcard; /* [fixed] bound to 0.0.0.0 or ::, so that each reply names the address it leaves from */
	struct random random;
	struct slot slots[BATCH];
	struct iovec query_parts[BATCH];
	struct iovec reply_parts[BATCH];
	struct mmsghdr
		queries[BATCH]; /* as recvmmsg() takes and fills them; slot i belongs to query i */
	struct mmsghdr replies[BATCH]; /* dense: a query without a reply leaves no gap */
};

static bool is_bound_to_wildcard(int fd)
{
	struct sockaddr_storage kernel;
	struct address_port bound;
	socklen_t size = sizeof(kernel);

	return getsockname(fd, (struct sockaddr *)&kernel, &size) == 0 &&
		address_from_sockaddr((const struct sockaddr *)&kernel, &bound) &&
		address_is_any(&bound.address);
}

/* What the kernel wrote over when it filled the header is set again. */
static void query_reset(struct udp *udp, size_t index)
{
	struct msghdr *header = &udp->queries[index].msg_hdr;

	header->msg_namelen = sizeof(udp->slots[index].peer);
	if (udp->is_wildcard)
		header->msg_controllen = sizeof(udp->slots[index].control);
}

struct udp *udp_new(int fd, const struct worker *worker)
{
	struct udp *udp = memory_new_aligned(_Alignof(struct udp), sizeof(*udp));

	udp->worker = *worker;
	udp->fd = fd;
	udp->is_wildcard = is_bound_to_wildcard(fd);
	random_seed(&udp->random);
	for (size_t i = 0; i < BATCH; i++) {
		struct slot *slot = &udp->slots[i];

		udp->query_parts[i] = (struct iovec){slot->query, sizeof(slot->query)};
		udp->queries[i].msg_hdr = (struct msghdr){
			.msg_name = &slot->peer,
			.msg_iov = &udp->query_parts[i],
			.msg_iovlen = 1,
			.msg_control = udp->is_wildcard ? slot->control : NULL,
		};
		udp->replies[i].msg_hdr =
			(struct msghdr){.msg_iov = &udp->reply_parts[i], .msg_iovlen = 1};
		query_reset(udp, i);
	}
	return udp;
}

void udp_free(struct udp *udp)
{
	free(udp);
}

/*
 * Makes what the kernel told of a query's destination the source of its reply (RFC 2181 4).  The
 * interface is left to routing, which may know a better way back than the way the query came; a
 * link-local address means nothing without its interface, which stays.
 */
static void turn_destination(struct msghdr *query)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(query);

	if (!control)
		return;
	if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(control);

		info->ipi_ifindex = 0;
	} else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(control);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
}

/* Octets of the reply to query `index`; 0: none. */
static size_t reply_write(
	struct udp *udp, const struct plan *plan, uint32_t now_unix_s, size_t index)
{
	struct slot *slot = &udp->slots[index];
	struct answer_client client;

	/* Nobody can ask from port 0, so its sender is forged (RFC 6335 6: reserved).  A port stands in the same
	 * place in either family. */
	if (slot->peer.ipv4.sin_port == 0 ||
		!address_of_sockaddr(&slot->peer.any, &client.address)) {
		stats_add(udp->worker.stats, STATS_SILENT, 1);
		return 0;
	}
	client.is_tcp = false;
	client.is_limited = false;
	client.now_unix_s = now_unix_s;

	struct answered answered =
		answer_query(plan, &client, slot->query, udp->queries[index].msg_len,
			random_next(&udp->random), udp->worker.stats, slot->reply);

	return answered.size;
}

/* Answers the batch; how many replies there are. */
static size_t answer_batch(struct udp *udp, const struct plan *plan, size_t received)
{
	size_t count = 0;
	uint32_t now_unix_s = (uint32_t)clock_unix_s(); /* no system call: the vDSO */

	stats_add(udp->worker.stats, STATS_UDP_QUERIES, received);
	for (size_t i = 0; i < received; i++) {
		struct msghdr *query = &udp->queries[i].msg_hdr;
		size_t size = reply_write(udp, plan, now_unix_s, i);

		if (size > 0) {
			struct msghdr *reply = &udp->replies[count].msg_hdr;

			udp->reply_parts[count++] = (struct iovec){udp->slots[i].reply, size};
			reply->msg_name = query->msg_name;
			reply->msg_namelen = query->msg_namelen;
			if (udp->is_wildcard) {
				turn_destination(query);
				reply->msg_control = query->msg_control;
				reply->msg_controllen = query->msg_controllen;
			}
		}
		query_reset(udp, i);
	}
	return count;
}

/* A reply that the kernel will not take now is lost, as the network might have lost it: the
 * client asks again, and the others do not wait. */
static void send_batch(struct udp *udp, size_t count)
{
	size_t done = 0;

	while (done < count) {
		int sent = sendmmsg(
			udp->fd, &udp->replies[done], (unsigned)(count - done), MSG_DONTWAIT);

		if (sent < 1) {
			stats_add(udp->worker.stats, STATS_SEND_FAILED, 1);
			sent = 1;
		}
		done += (size_t)sent;
	}
}

static void *run(void *argument)
{
	struct udp *udp = argument;

	live_join();
	while (!worker_is_stopping(&udp->worker)) {
		live_offline();
		int received = recvmmsg(udp->fd, udp->queries, BATCH, MSG_WAITFORONE, NULL);

		live_online();
		if (received > 0)
			send_batch(udp,
				answer_batch(udp, live_get(udp->worker.live), (size_t)received));
	}
	live_leave();
	return NULL;
}

bool udp_start(struct udp *udp, struct err *err)
{
	return worker_start(&udp->worker, "udp", run, udp, err);
}

void udp_join(struct udp *udp)
{
	worker_join(&udp->worker);
}
