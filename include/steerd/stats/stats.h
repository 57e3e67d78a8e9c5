/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATS_STATS_H
#define STATS_STATS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/*
 * stats - counters: one set per thread, summed when read.
 *
 * A thread adds to its own set without a lock and without an atomic instruction that locks the bus; a reader sees each
 * counter whole, some of them a moment old.  The table below gives each counter its name and its meaning.
 */
enum stats_counter {
	STATS_UDP_QUERIES,
	STATS_TCP_QUERIES,
	STATS_TCP_CONNECTIONS,
	STATS_TCP_EVICTED,
	STATS_TCP_CAPPED,
	STATS_TCP_TIMEOUTS,
	STATS_SILENT,
	STATS_NOERROR,
	STATS_NODATA,
	STATS_NXDOMAIN,
	STATS_YXDOMAIN,
	STATS_REFERRALS,
	STATS_REFUSED,
	STATS_FORMERR,
	STATS_NOTIMP,
	STATS_BADVERS,
	STATS_COOKIES,
	STATS_TRUNCATED,
	STATS_STEERED,
	STATS_WITH_COOKIE,
	STATS_CLIENT_COOKIE,
	STATS_BAD_COOKIE,
	STATS_WITH_ECS,
	STATS_SEND_FAILED,
	STATS_SHORTENED,
	STATS_LIMITED_SLIPPED,
	STATS_LIMITED_DROPPED,
	STATS_WOULD_HAVE_SLIPPED,
	STATS_WOULD_HAVE_DROPPED,
	STATS_COUNT
};

/* Two cache lines of its own at least, so that threads do not slow each other. */
struct stats {
	_Alignas(128) uint64_t counters[STATS_COUNT];
};

/* [the owning thread, query path] */
static inline void stats_add(struct stats *stats, enum stats_counter counter, uint64_t count)
{
	__atomic_store_n(&stats->counters[counter],
		__atomic_load_n(&stats->counters[counter], __ATOMIC_RELAXED) + count,
		__ATOMIC_RELAXED);
}

static_assert(sizeof(struct stats) % 128 == 0, "no two threads write to one cache line");

/* [any thread] Adds `count` sets into ret_sum. */
void stats_sum(const struct stats *const *sets, size_t count, uint64_t ret_sum[static STATS_COUNT]);

/* "udp_queries" and what it counts. */
const char *stats_name(enum stats_counter counter);
const char *stats_help(enum stats_counter counter);

#endif
