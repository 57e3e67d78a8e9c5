/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints what an answer costs without its packet:
 *
 *	srcdir=SOURCE bench_answer [KIND [QUERIES]]
 *
 * Under `valgrind --tool=callgrind --toggle-collect=answer_query`, the instructions divided by QUERIES are what the
 * query path takes for each.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/answer/ask.h"
#include "../unit/answer/mix.h"
#include "../unit/answer/world.h"
#include "steerd/base/memory.h"

#define DISTINCT 4096

static const struct {
	const char *kind;
	const char *ask; /* NULL: the mix of the tests */
	bool has_subnet; /* a random /24 of IPv4 */
} kinds[] = {
	{"static", "www.example A rd", false},
	{"static-edns", "www.example A rd edns=1232", false},
	{"chain", "alias.example A rd edns=1232", false},
	{"nxdomain", "nx.example A rd edns=1232", false},
	{"referral", "host.sub.example A rd edns=1232", false},
	{"cookie", "www.example A rd edns=1232 cookie=young", false},
	{"cookie-new", "www.example A rd edns=1232 cookie=client", false},
	{"cookie-rolled", "www.example A rd edns=1232 cookie=rolled", false},
	{"cookie-forged", "www.example A rd edns=1232 cookie=forged from=2001:db8::53", false},
	{"every-option",
		"near.example A rd nsid zoneversion cookie=rolled tcp keepalive from=2001:db8::53 "
		"ecs=0.0.0.0/0",
		true},
	{"steered", "near.example A rd", false},
	{"steered-subnet", "near.example A rd edns=1232 ecs=0.0.0.0/0", true},
	{"hinted", "near.example HTTPS rd edns=1232 ecs=0.0.0.0/0", true},
	{"mixed", NULL, false},
};

static struct ask asks[DISTINCT];

static void make_asks(size_t kind)
{
	static struct mix mix;

	mix_init(&mix, 1);
	for (size_t i = 0; i < DISTINCT; i++) {
		struct ask *ask = &asks[i];

		if (!kinds[kind].ask) {
			mix_next_whole(&mix, ask);
			continue;
		}
		ask_parse(kinds[kind].ask, ask);
		ask->random = random_next(&mix.random);
		if (!kinds[kind].has_subnet)
			continue;

		/* the option is last: its length, SOURCE and ADDRESS grow */
		uint64_t subnet = random_next(&mix.random);
		uint8_t *end = ask->message + ask->size;

		memcpy(end, &subnet, 3);
		end[-2] = 24; /* SOURCE */
		end[-5] += 3; /* OPTION-LENGTH */
		end[-9] += 3; /* RDLENGTH */
		ask->size += 3;
	}
}

static void measure(const struct world *world, size_t kind, size_t queries)
{
	static uint8_t out[ANSWER_TCP_MAX];
	struct stats stats = {0};
	struct timespec from;
	struct timespec to;
	size_t octets = 0;

	make_asks(kind);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (size_t i = 0; i < queries; i++) {
		const struct ask *ask = &asks[i % DISTINCT];

		struct answered answered = answer_query(&world->plan, &ask->client, ask->message,
			ask->size, ask->random, &stats, out);

		octets += answered.size;
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);

	double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);

	printf("%-15s %6.1f ns, %3zu octets\n", kinds[kind].kind, ns / (double)queries,
		octets / queries);
	if (stats.counters[STATS_FORMERR] > 0 && kinds[kind].ask)
		printf("%s: malformed queries were measured\n", kinds[kind].kind);
}

int main(int argc, char **argv)
{
	struct world *world = world_new(NULL);
	size_t queries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (argc < 2 || strcmp(argv[1], kinds[i].kind) == 0)
			measure(world, i, queries > 0 ? queries : 1);
	world_free(world);
	return 0;
}
