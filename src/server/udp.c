/* SPDX-License-Identifier: Apache-2.0 */
#include "udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steerd/answer/answer.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/dns/dns.h"

#include "limit.h"

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

static_assert(offsetof(struct slot, peer) == 0, "the name of a message leads to its slot");
static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	"a port stands in the same place in either family");

struct udp {
	struct worker worker;
	int fd;
	bool is_wildcard; /* [fixed] bound to 0.0.0.0 or ::, so that each reply names the address it leaves from */
	struct random random;
	size_t thread_count; /* [fixed] that share the load of the address */
	struct limit limit;
	uint64_t rules_generation; /* of the snapshot that its rules are of; 0: of none */
	struct slot slots[BATCH];
	struct iovec query_parts[BATCH];
	struct iovec reply_parts[BATCH];
	struct mmsghdr
		queries[BATCH]; /* as recvmmsg() takes and fills them; slot i belongs to query i */
	/* Dense: a query without a reply leaves no gap.  Between batches, reply i is set up to go to slot i. */
	struct mmsghdr replies[BATCH];
};

/* Also whether it is bound to a wildcard; `ret_name_size`: octets of all names of its peers. */
static bool is_bound_to_wildcard(int fd, socklen_t *ret_name_size)
{
	struct sockaddr_storage kernel;
	struct address_port bound;

	*ret_name_size = sizeof(kernel);
	return getsockname(fd, (struct sockaddr *)&kernel, ret_name_size) == 0 &&
		address_from_sockaddr((const struct sockaddr *)&kernel, &bound) &&
		address_is_any(&bound.address);
}

/* Sets reply `at` up to go to a slot. */
static void reply_aim(struct udp *udp, size_t at, struct slot *slot)
{
	struct msghdr *reply = &udp->replies[at].msg_hdr;

	reply->msg_name = &slot->peer;
	reply->msg_control = udp->is_wildcard ? slot->control : NULL;
	udp->reply_parts[at].iov_base = slot->reply;
}

/* What the kernel wrote over when it filled the header is set again. */
static void query_reset(struct udp *udp, size_t index)
{
	struct msghdr *header = &udp->queries[index].msg_hdr;

	header->msg_namelen = sizeof(udp->slots[index].peer);
	if (udp->is_wildcard)
		header->msg_controllen = sizeof(udp->slots[index].control);
}

struct udp *udp_new(const struct udp_share *share, const struct worker *worker)
{
	/* No cache line is shared with another thread's (two lines: they are fetched in pairs). */
	struct udp *udp = memory_new_aligned(WORKER_ALIGNMENT, sizeof(*udp));
	struct random secret; /* not udp->random, of which clients see something */
	int fd = share->fd;
	socklen_t name_size;

	random_seed(&secret);
	udp->worker = *worker;
	udp->fd = fd;
	udp->thread_count = share->thread_count;
	limit_init(&udp->limit, share->limit_table, &secret);
	udp->is_wildcard = is_bound_to_wildcard(fd, &name_size);
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
		udp->replies[i].msg_hdr = (struct msghdr){
			.msg_namelen = name_size,
			.msg_iov = &udp->reply_parts[i],
			.msg_iovlen = 1,
		};
		reply_aim(udp, i, slot);
		query_reset(udp, i);
	}
	return udp;
}

void udp_free(struct udp *udp)
{
	if (!udp)
		return;
	limit_done(&udp->limit);
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

/* What all queries of a batch have in common. */
struct moment {
	const struct plan *plan;
	uint64_t random; /* drawn for the batch; each query gets another one of it */
	uint32_t unix_s;
};

/*
 * Steps of the golden ratio from a random number: for each query of a batch uniform over all 64 bits, as if drawn for
 * it, and among themselves spread more evenly than numbers that are.
 */
static inline uint64_t random_of(const struct moment *now, size_t index)
{
	return now->random + index * UINT64_C(0x9e3779b97f4a7c15);
}

static inline struct answered ask(struct udp *udp, const struct moment *now,
	const struct answer_client *client, struct stats *stats, size_t index)
{
	struct slot *slot = &udp->slots[index];

	return answer_query(now->plan, client, slot->query, udp->queries[index].msg_len,
		random_of(now, index), stats, slot->reply);
}

/* Octets of the reply to a query whose network got all that it may; 0: none.  A flood comes this way. */
static size_t reply_over(struct udp *udp, const struct moment *now, struct limit_place *place,
	struct answer_client *client, size_t index)
{
	static const enum stats_counter counters[][2] = {
		[LIMIT_SLIP] = {STATS_LIMITED_SLIPPED, STATS_WOULD_HAVE_SLIPPED},
		[LIMIT_DROP] = {STATS_LIMITED_DROPPED, STATS_WOULD_HAVE_DROPPED},
	};
	bool is_dry_run = udp->limit.rules.is_dry_run;
	/* drawn only where chance decides */
	uint32_t random =
		udp->limit.rules.slip > 1 ? (uint32_t)(random_next(&udp->random) >> 32) : 0;
	enum limit_outcome outcome = limit_judge(&udp->limit, place, &client->address, random);

	client->is_limited = outcome != LIMIT_GRANT && !is_dry_run;

	struct answered answered = ask(udp, now, client, udp->worker.stats, index);

	if (answered.size == 0 || answered.has_cookie) /* which is neither counted nor limited */
		return answered.size;
	if (outcome == LIMIT_GRANT) {
		limit_count(&udp->limit, place);
		return answered.size;
	}
	stats_add(udp->worker.stats, counters[outcome][is_dry_run], 1);
	return outcome == LIMIT_DROP && !is_dry_run ? 0 : answered.size;
}

/* A socket has peers of its own family alone. */
static inline struct address address_of_peer(const union peer *peer)
{
	if (peer->any.sa_family == AF_INET)
		return address_of_in((const uint8_t *)&peer->ipv4.sin_addr);
	return address_of_in6(&peer->ipv6.sin6_addr);
}

/* Octets of the reply to query `index`; 0: none. */
static size_t reply_write(struct udp *udp, const struct moment *now, size_t index)
{
	struct slot *slot = &udp->slots[index];
	struct limit *limit = &udp->limit;

	/* Nobody can ask from port 0, so its sender is forged (RFC 6335 6: reserved).  A port stands in the same
	 * place in either family. */
	if (slot->peer.ipv4.sin_port == 0) {
		stats_add(udp->worker.stats, STATS_SILENT, 1);
		return 0;
	}

	struct answer_client client = {
		.address = address_of_peer(&slot->peer), .now_unix_s = now->unix_s};
	struct limit_place *place =
		limit_find(limit, network_of(&limit->rules.masks, &client.address));

	if (limit_is_over(limit, place))
		return reply_over(udp, now, place, &client, index);

	struct answered answered = ask(udp, now, &client, udp->worker.stats, index);

	if (answered.size > 0 && !answered.has_cookie) /* which is not counted */
		limit_count(limit, place);
	return answered.size;
}

/* The rules are those of the plan at hand; until it is put down, so is what they borrow. */
static void rules_renew(struct udp *udp, const struct snapshot *snapshot)
{
	if (udp->rules_generation == snapshot->generation)
		return;

	struct limit_rules rules = limit_rules_of(snapshot->settings, udp->thread_count);

	limit_set_rules(&udp->limit, &rules);
	udp->rules_generation = snapshot->generation;
}

/* Answers the batch; how many replies there are. */
static size_t answer_batch(struct udp *udp, const struct moment *now, size_t received)
{
	size_t count = 0;

	rules_renew(udp, now->plan->snapshot);
	limit_set_time(&udp->limit, clock_monotonic_ms() * 1000000);
	stats_add(udp->worker.stats, STATS_UDP_QUERIES, received);
	for (size_t i = 0; i < received; i++) {
		struct msghdr *query = &udp->queries[i].msg_hdr;
		size_t size = reply_write(udp, now, i);

		if (size > 0) {
			if (count != i)
				reply_aim(udp, count, &udp->slots[i]);
			if (udp->is_wildcard) {
				turn_destination(query);
				udp->replies[count].msg_hdr.msg_controllen = query->msg_controllen;
			}
			udp->reply_parts[count++].iov_len = size;
		}
		query_reset(udp, i);
	}
	return count;
}

/* RFC 9715 3.1: a reply that the interface is too small for is written again, short; false: it is no shorter then. */
static bool reply_shorten(struct udp *udp, const struct moment *now, size_t at)
{
	struct slot *slot = udp->replies[at].msg_hdr.msg_name; /* which begins with the name */
	struct iovec *part = &udp->reply_parts[at];
	struct answer_client client = {.address = address_of_peer(&slot->peer),
		.is_short = true,
		.now_unix_s = now->unix_s};
	struct stats counted_already = {0};
	size_t size = ask(udp, now, &client, &counted_already, (size_t)(slot - udp->slots)).size;

	if (size >= part->iov_len)
		return false;
	part->iov_len = size;
	stats_add(udp->worker.stats, STATS_SHORTENED, 1);
	return true;
}

/* A reply that the kernel will not take now is lost, as the network might have lost it: the
 * client asks again, and the others do not wait. */
static void send_batch(struct udp *udp, const struct moment *now, size_t count)
{
	size_t done = 0;

	while (done < count) {
		int sent = sendmmsg(
			udp->fd, &udp->replies[done], (unsigned)(count - done), MSG_DONTWAIT);

		if (sent < 0 && errno == EMSGSIZE && reply_shorten(udp, now, done))
			continue;
		if (sent < 1) {
			stats_add(udp->worker.stats, STATS_SEND_FAILED, 1);
			sent = 1;
		}
		done += (size_t)sent;
	}
}

static void batch_serve(struct udp *udp, const struct moment *now, size_t received)
{
	size_t count = answer_batch(udp, now, received);

	send_batch(udp, now, count);
	if (count < received) /* some had no reply */
		for (size_t i = 0; i < received; i++)
			reply_aim(udp, i, &udp->slots[i]);
}

static void *run(void *argument)
{
	struct udp *udp = argument;

	live_join();
	while (!worker_is_stopping(&udp->worker)) {
		live_offline();
		int received = recvmmsg(udp->fd, udp->queries, BATCH, MSG_WAITFORONE, NULL);

		live_online();
		if (received > 0) {
			/* no system call: the vDSO */
			struct moment now = {
				.plan = live_get(udp->worker.live),
				.random = random_next(&udp->random),
				.unix_s = (uint32_t)clock_unix_s(),
			};

			batch_serve(udp, &now, (size_t)received);
		}
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
