/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/stats/stats.h"

#include <string.h>

static const struct {
	const char *name;
	const char *help;
} counters[STATS_COUNT] = {
	[STATS_UDP_QUERIES] = {"udp_queries", "messages received over UDP"},
	[STATS_TCP_QUERIES] = {"tcp_queries", "messages received over TCP"},
	[STATS_TCP_CONNECTIONS] = {"tcp_connections", "TCP connections accepted"},
	[STATS_TCP_EVICTED] = {"tcp_evicted", "idle TCP connections closed to make room"},
	[STATS_TCP_CAPPED] = {"tcp_capped",
		"TCP connections closed because their address or network had too many"},
	[STATS_TCP_TIMEOUTS] = {"tcp_timeouts", "TCP connections closed for being idle or slow"},
	[STATS_SILENT] = {"silent", "messages that get no reply: responses and runts"},
	[STATS_NOERROR] = {"noerror", "answers with data"},
	[STATS_NODATA] = {"nodata", "the name exists, the type does not"},
	[STATS_NXDOMAIN] = {"nxdomain", "the name does not exist"},
	[STATS_YXDOMAIN] = {"yxdomain", "a DNAME makes a name that is too long"},
	[STATS_REFERRALS] = {"referrals", "delegations handed out"},
	[STATS_REFUSED] = {"refused", "questions outside all zones"},
	[STATS_FORMERR] = {"formerr", "malformed queries"},
	[STATS_NOTIMP] = {"notimp", "operations that are not served"},
	[STATS_BADVERS] = {"badvers", "EDNS versions that are not served"},
	[STATS_COOKIES] = {"cookies", "queries for a cookie and nothing else"},
	[STATS_TRUNCATED] = {"truncated",
		"UDP answers with TC, for the client to ask again over TCP"},
	[STATS_STEERED] = {"steered", "answers made by a pool"},
	[STATS_WITH_COOKIE] = {"with_cookie", "queries with a cookie that we made for the client"},
	[STATS_CLIENT_COOKIE] = {"client_cookie",
		"queries with a client cookie alone: the reply makes it whole"},
	[STATS_BAD_COOKIE] = {"bad_cookie",
		"queries with a cookie that was made elsewhere, for another client or too long "
		"ago"},
	[STATS_WITH_ECS] = {"with_ecs", "queries with an EDNS Client Subnet"},
	[STATS_SEND_FAILED] = {"send_failed", "answers that the system would not send"},
	[STATS_SHORTENED] = {"shortened",
		"UDP answers that did not fit the interface's MTU, sent with TC instead"},
	[STATS_LIMITED_SLIPPED] = {"limited_slipped",
		"UDP queries above the rate limit that got an empty answer: TC, or BADCOOKIE"},
	[STATS_LIMITED_DROPPED] = {"limited_dropped",
		"UDP queries above the rate limit that got no answer"},
	[STATS_WOULD_HAVE_SLIPPED] = {"would_have_slipped",
		"UDP queries above the rate limit that would have got TC but for its dry run"},
	[STATS_WOULD_HAVE_DROPPED] = {"would_have_dropped",
		"UDP queries above the rate limit that would have got no answer but for its dry "
		"run"},
};

void stats_sum(const struct stats *const *sets, size_t count, uint64_t ret_sum[static STATS_COUNT])
{
	memset(ret_sum, 0, STATS_COUNT * sizeof(ret_sum[0]));
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < STATS_COUNT; c++)
			ret_sum[c] += __atomic_load_n(&sets[i]->counters[c], __ATOMIC_RELAXED);
}

const char *stats_name(enum stats_counter counter)
{
	return counters[counter].name;
}

const char *stats_help(enum stats_counter counter)
{
	return counters[counter].help;
}
