/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints what an answer costs without its packet:
 *
 *	srcdir=SOURCE bench_answer [KIND|all [QUERIES [THREADS]]]
 *
 * in nanoseconds of CPU time; with several threads, each asks so many queries of the one plan.
 * scripts/count-instructions runs it under callgrind and counts what answer_query() takes.  The queries are the same in
 * every run.  Kinds that are named in capitals are those that an attacker might send.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/answer/ask.h"
#include "../unit/answer/mix.h"
#include "../unit/answer/world.h"
#include "steerd/base/memory.h"
#include "steerd/dns/wire.h"

#define DISTINCT 4096
#define THREADS_MAX 64

/* Labels of one octet: existing ones, and '?' for an octet that every query draws anew. */
#define X5 "x.x.x.x.x."
#define X25 X5 X5 X5 X5 X5
#define X62 X25 X25 X5 X5 "x.x."
#define X125 X25 X25 X25 X25 X25
#define R5 "?.?.?.?.?."
#define R25 R5 R5 R5 R5 R5
#define R62 R25 R25 R5 R5 "?.?."
#define R125 R25 R25 R25 R25 R25
#define LABEL63 "???????????????????????????????????????????????????????????????."

enum vary {
	VARY_NOTHING,
	VARY_IPV4,    /* the subnet: a random /24 */
	VARY_IPV6,    /* a random /128 of 2a00::/16 */
	VARY_EACH,    /* each option that a client may send, once */
	VARY_OPTIONS, /* as many options as a query has room for, each of a code that nobody knows */
	VARY_RECORDS, /* as many records */
};

static const struct {
	const char *kind;
	const char *zones; /* below the directory of the sources; NULL: those of the tests */
	const char *ask;   /* NULL: the mix of the tests */
	enum vary vary;
} kinds[] = {
	{"static", NULL, "www.example A rd", VARY_NOTHING},
	{"static-edns", NULL, "www.example A rd edns=1232", VARY_NOTHING},
	{"chain", NULL, "alias.example A rd edns=1232", VARY_NOTHING},
	{"nxdomain", NULL, "nx.example A rd edns=1232", VARY_NOTHING},
	{"referral", NULL, "host.sub.example A rd edns=1232", VARY_NOTHING},
	{"cookie", NULL, "www.example A rd edns=1232 cookie=young", VARY_NOTHING},
	{"cookie-new", NULL, "www.example A rd edns=1232 cookie=client", VARY_NOTHING},
	{"cookie-rolled", NULL, "www.example A rd edns=1232 cookie=rolled", VARY_NOTHING},
	{"cookie-forged", NULL, "www.example A rd edns=1232 cookie=forged from=2001:db8::53",
		VARY_NOTHING},
	{"every-option", NULL,
		"near.example A rd nsid zoneversion cookie=rolled tcp keepalive from=2001:db8::53 "
		"ecs=0.0.0.0/0",
		VARY_IPV4},
	{"steered", NULL, "near.example A rd", VARY_NOTHING},
	{"steered-subnet", NULL, "near.example A rd edns=1232 ecs=0.0.0.0/0", VARY_IPV4},
	{"hinted", NULL, "near.example HTTPS rd edns=1232 ecs=0.0.0.0/0", VARY_IPV4},
	{"mixed", NULL, NULL, VARY_NOTHING},

#define WORST "tests/bench/worst"
	{"RANDOM-NAME", WORST, "????????????.worst.example A edns=1232", VARY_NOTHING},
	{"RANDOM-LABELS", WORST, "????.????.????.????.worst.example A edns=1232", VARY_NOTHING},
	{"LONG-LABELS", WORST, LABEL63 LABEL63 LABEL63 "w A edns=1232", VARY_NOTHING},
	{"DEEPEST", WORST, X125 "x.w A edns=1232", VARY_NOTHING},
	{"DEEPEST-MISSING", WORST, "?." X125 "w A edns=1232", VARY_NOTHING},
	{"DEEP-HALF-MISSING", WORST, R62 X62 "x.x.w A edns=1232", VARY_NOTHING},
	{"DEEP-ALL-MISSING", WORST, R125 "?.w A edns=1232", VARY_NOTHING},
	{"DEEP-OUTSIDE", WORST, R125 "?.v A edns=1232", VARY_NOTHING},
	{"DEEP-WILDCARD", WORST, R125 "y.w A edns=1232", VARY_NOTHING},
	{"LONGEST-CHAIN", WORST, "c1.worst.example A edns=1232", VARY_NOTHING},
	{"DEEP-CHAIN", WORST, "1." X125 "w A edns=1232 cookie=young", VARY_NOTHING},
	{"DEEP-CHAIN-TCP", WORST, "1." X125 "w A edns=1232 tcp", VARY_NOTHING},
	{"LARGEST-SET", WORST, "set.worst.example A edns=1232 cookie=young", VARY_NOTHING},
	{"LARGEST-WILDCARD", WORST, "????.wild.worst.example MX edns=1232 cookie=young",
		VARY_NOTHING},
	{"LARGEST-POOL", WORST, "many.worst.example A edns=1232 cookie=young ecs=0.0.0.0/0",
		VARY_IPV4},
	{"SUBNET-128", WORST, "near.worst.example AAAA edns=1232 ecs=::/0", VARY_IPV6},
	{"EVERY-OPTION", WORST, "near.worst.example A edns=1232 do", VARY_EACH},
	{"FULL-OF-OPTIONS", WORST, "set.worst.example A edns=1232 cookie=young", VARY_OPTIONS},
	{"FULL-OF-RECORDS", WORST, "set.worst.example A edns=1232 cookie=young", VARY_RECORDS},
};

static struct ask asks[DISTINCT];

/* Adds to the RDLENGTH of the OPT, which stands behind the question. */
static void grow_opt(struct ask *ask, size_t octets)
{
	uint8_t *opt =
		ask->message + DNS_HEADER_SIZE + name_size(ask->message + DNS_HEADER_SIZE) + 4;

	wire_write16(opt + 9, (uint16_t)(wire_read16(opt + 9) + octets));
	ask->size += octets;
}

/* The option is last: ADDRESS grows, and the lengths with it. */
static void vary_subnet(struct ask *ask, struct random *random, size_t octets)
{
	uint8_t *end = ask->message + ask->size;

	for (size_t i = 0; i < octets; i++)
		end[i] = (uint8_t)random_next(random);
	if (octets > 4)
		memcpy(end, "\x2a\x00", 2);
	end[-2] = (uint8_t)(octets * 8);       /* SOURCE */
	end[-5] = (uint8_t)(end[-5] + octets); /* OPTION-LENGTH */
	grow_opt(ask, octets);
}

static void add_each_option(struct ask *ask, struct random *random)
{
	static const uint8_t options[] = "\0\3\0\0"			   /* NSID */
					 "\0\10\0\7\0\1\30\0\0\0\0"	   /* ECS: a /24 of IPv4 */
					 "\0\12\0\10cookie-8"		   /* COOKIE, of a client */
					 "\0\13\0\0"			   /* TCP keepalive */
					 "\0\11\0\0"			   /* EXPIRE */
					 "\0\5\0\1\15\0\6\0\1\2\0\7\0\1\1" /* DAU, DHU, N3U */
					 "\0\15\0\1\0"			   /* CHAIN */
					 "\0\16\0\2\117\146"		   /* KEY-TAG */
					 "\0\23\0\0"			   /* ZONEVERSION */
					 "\0\14\0\4\0\0\0\0";		   /* PADDING */
	uint8_t *end = ask->message + ask->size;

	memcpy(end, options, sizeof(options) - 1);
	for (size_t i = 12; i < 15; i++)
		end[i] = (uint8_t)random_next(random);
	grow_opt(ask, sizeof(options) - 1);
}

static void fill_with_options(struct ask *ask)
{
	uint8_t *end = ask->message + ask->size;
	size_t count = (DNS_QUERY_MAX - ask->size) / 4;

	for (size_t i = 0; i < count; i++)
		wire_write32(end + 4 * i, 0xfde80000); /* RFC 6891 9: local use; no octets */
	grow_opt(ask, 4 * count);
}

static void fill_with_records(struct ask *ask)
{
	static const uint8_t record[11] = {0, 0, DNS_TYPE_A, 0, DNS_CLASS_IN};
	size_t count = (DNS_QUERY_MAX - ask->size) / sizeof(record);

	for (size_t i = 0; i < count; i++)
		memcpy(ask->message + ask->size + i * sizeof(record), record, sizeof(record));
	wire_write16(ask->message + 10, (uint16_t)(1 + count));
	ask->size += count * sizeof(record);
}

static void vary(enum vary how, struct ask *ask, struct random *random)
{
	ask->random = random_next(random);
	for (uint8_t *label = ask->message + DNS_HEADER_SIZE; *label > 0; label += *label + 1)
		for (uint8_t *at = label + 1; at <= label + *label; at++)
			if (*at == '?')
				*at = (uint8_t)('a' + random_below(random, 23)); /* not 'x' */
	switch (how) {
	case VARY_NOTHING:
		break;
	case VARY_IPV4:
		vary_subnet(ask, random, 3);
		break;
	case VARY_IPV6:
		vary_subnet(ask, random, 16);
		break;
	case VARY_EACH:
		add_each_option(ask, random);
		break;
	case VARY_OPTIONS:
		fill_with_options(ask);
		break;
	case VARY_RECORDS:
		fill_with_records(ask);
		break;
	}
}

static void make_asks(size_t kind)
{
	static struct mix mix;

	mix_init(&mix, 1);
	for (size_t i = 0; i < DISTINCT; i++) {
		if (kinds[kind].ask) {
			ask_parse(kinds[kind].ask, &asks[i]);
			vary(kinds[kind].vary, &asks[i], &mix.random);
		} else {
			mix_next_whole(&mix, &asks[i]);
		}
	}
}

/* What one thread does; it shares the plan and the queries with the others, as workers do. */
struct run {
	struct stats stats;
	const struct plan *plan;
	size_t queries;
	size_t octets;
	double ns; /* of its own CPU time */
	uint8_t out[ANSWER_TCP_MAX];
};

static double thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A function of its own, for callgrind writes down a kind's instructions when it ends. */
__attribute__((noinline)) static void *answer_all(void *argument)
{
	struct run *run = argument;
	double begun = thread_ns();

	for (size_t i = 0; i < run->queries; i++) {
		const struct ask *ask = &asks[i % DISTINCT];
		struct answered answered = answer_query(run->plan, &ask->client, ask->message,
			ask->size, ask->random, &run->stats, run->out);

		run->octets += answered.size;
	}
	run->ns = thread_ns() - begun;
	return NULL;
}

/* The first thread is this one. */
static void run_all(struct run *runs, size_t count)
{
	pthread_t threads[THREADS_MAX];

	for (size_t i = 1; i < count; i++)
		if (pthread_create(&threads[i], NULL, answer_all, &runs[i]) != 0)
			abort();
	(void)answer_all(&runs[0]);
	for (size_t i = 1; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void measure(size_t kind, size_t queries, size_t threads)
{
	struct world *world =
		kinds[kind].zones ? world_new_with(kinds[kind].zones) : world_new(NULL);
	struct run *runs = memory_new_aligned(_Alignof(struct run), threads * sizeof(runs[0]));
	double ns = 0;

	make_asks(kind);
	for (size_t i = 0; i < threads; i++) {
		runs[i].plan = &world->plan;
		runs[i].queries = queries;
	}
	run_all(runs, threads);
	for (size_t i = 0; i < threads; i++)
		ns += runs[i].ns;
	printf("%-17s %6.1f ns, %4zu octets\n", kinds[kind].kind, ns / (double)(queries * threads),
		runs[0].octets / queries);
	if (runs[0].stats.counters[STATS_FORMERR] > 0 && kinds[kind].ask)
		printf("%s: malformed queries were measured\n", kinds[kind].kind);
	free(runs);
	world_free(world);
}

int main(int argc, char **argv)
{
	size_t queries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	size_t threads = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

	if (queries < 1 || threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr, "usage: bench_answer [KIND|all [QUERIES [THREADS]]]\n");
		return 2;
	}
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (argc < 2 || strcmp(argv[1], "all") == 0 || strcmp(argv[1], kinds[i].kind) == 0)
			measure(i, queries, threads);
	return 0;
}
