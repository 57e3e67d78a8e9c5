/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "steerd/base/address.h"
#include "steerd/base/err.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/name.h"
#include "steerd/dns/type.h"
#include "steerd/dns/wire.h"

/*
 * dnsload - DNS load over UDP, from one core, as fast as the server answers: each answer makes room
 * for the next query.
 *
 * Each socket has `window` slots, each of which holds a query that waits for its answer; the id of
 * a query says which slot it belongs to, and in the bits above how often the slot was used, so that
 * an answer that comes after it was given up is not taken for the next one's.
 */
enum {
	SLOT_BITS = 6,
	WINDOW_MAX = 1 << SLOT_BITS,
	QUERY_SIZE = 320, /* a name of 255 octets, OPT and a client subnet */
	REPLY_SIZE = 4096,
	LATENCY_US_MAX = 1000000, /* longer ones count as this */
	RCODES = 16,
	PIDS_MAX = 16,
};

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static const char usage[] =
	"usage: dnsload [OPTION...] QUERIES\n"
	"\n"
	"Sends the queries in the file again and again, and prints one line of results.\n"
	"Each line of the file is NAME TYPE [FORM]; '#' begins a comment.  FORM is\n"
	"  plain   without EDNS (this is what no FORM means)\n"
	"  edns    with EDNS\n"
	"  ecs4    with the subnet of a random IPv4 client, /24\n"
	"  ecs6    with the subnet of a random IPv6 client, /56\n"
	"\n"
	"  --server ADDRESS:PORT   whom to ask (127.0.0.1:5300)\n"
	"  --seconds N             how long (3)\n"
	"  --count N               until so many are answered or lost, however long it takes\n"
	"  --sockets N             source ports (16)\n"
	"  --window N              queries in flight on each, at most 64 (32)\n"
	"  --timeout-ms N          a query without an answer for so long is lost (1000)\n"
	"  --cpu N                 run on that core only\n"
	"  --pid N[,N...]          the server's processes: their CPU time is told as well\n"
	"  --rate N                queries a second; as fast as they are answered without it\n"
	"  --one-version           count answers as torn whose records are of more than one "
	"version:\n"
	"                          TTLs differ, or the third octets of IPv4 addresses do\n"
	"  --seed N                of the random clients (1)\n";

struct options {
	struct address_port server;
	uint64_t seconds;
	uint64_t count; /* 0: as long as `seconds` says */
	uint64_t sockets;
	uint64_t window;
	uint64_t timeout_ms;
	uint64_t cpu;  /* UINT64_MAX: any */
	uint64_t rate; /* 0: no limit */
	uint64_t seed;
	pid_t pids[PIDS_MAX]; /* of the server */
	size_t pid_count;
	bool wants_one_version;
	const char *path;
};

enum form { FORM_PLAIN, FORM_EDNS, FORM_ECS4, FORM_ECS6 };

/* What is put behind the question.  RFC 6891 6.1.2: root, OPT, 1,232 octets, no flags, length of
 * RDATA; RFC 7871 6: option 8, its length, family, source length, scope 0, and as many octets of
 * address. */
static const struct {
	const char *name;
	const char *additional;
	size_t size;
	size_t address_size; /* the last octets, made at random for each query */
} forms[] = {
	[FORM_PLAIN] = {"plain", "", 0, 0},
	[FORM_EDNS] = {"edns", "\0\0\x29\x04\xd0\0\0\0\0\0\0", 11, 0},
	[FORM_ECS4] = {"ecs4", "\0\0\x29\x04\xd0\0\0\0\0\0\x0b\0\x08\0\x07\0\x01\x18\0\0\0\0", 22,
		3},
	[FORM_ECS6] = {"ecs6",
		"\0\0\x29\x04\xd0\0\0\0\0\0\x0f\0\x08\0\x0b\0\x02\x38\0\0\0\0\0\0\0\0", 26, 7},
};

struct query {
	enum form form;
	size_t size;
	uint8_t message[QUERY_SIZE];
};

struct slot {
	uint64_t sent_at_ns; /* 0: free */
	uint16_t id;
	uint8_t message[QUERY_SIZE];
};

struct line {
	int fd;
	struct slot slots[WINDOW_MAX];
};

struct tally {
	uint64_t answered;
	uint64_t lost;
	uint64_t octets;
	uint64_t torn;
	uint64_t rcodes[RCODES];
	uint64_t latency_us[LATENCY_US_MAX + 1]; /* how many took so long */
};

struct load {
	struct options options;
	struct random random;
	struct query *queries;
	size_t query_count;
	size_t query_capacity;
	size_t next_query;
	struct line *lines;
	uint64_t sent;
	uint64_t may_send; /* so many, by now */
	struct tally tally;
	uint8_t replies[WINDOW_MAX][REPLY_SIZE];
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "dnsload: %s\n", what);
	exit(1);
}

static _Noreturn void fail_os(const char *what)
{
	fprintf(stderr, "dnsload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		fail_os("cannot read a clock");
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* CPU time of all threads of the server so far. */
static uint64_t server_cpu_ns(const struct options *options)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < options->pid_count; i++) {
		clockid_t clock;

		errno = clock_getcpuclockid(options->pids[i], &clock);
		if (errno != 0)
			fail_os("cannot read the CPU time of the server");
		sum_ns += clock_ns(clock);
	}
	return sum_ns;
}

/* ---- queries ---- */

static bool form_parse(const char *text, enum form *ret_form)
{
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (strcmp(forms[i].name, text) != 0)
			continue;
		*ret_form = (enum form)i;
		return true;
	}
	return false;
}

/* RFC 1035 4.1.2, in a header with one question. */
static void query_write(
	struct query *query, const struct name_key *name, uint16_t type, enum form form)
{
	uint8_t *at = query->message + DNS_HEADER_SIZE;

	wire_write16(query->message + 4, 1);
	wire_write16(query->message + 10, form != FORM_PLAIN);
	memcpy(at, name->wire, name->size);
	at += name->size;
	wire_write16(at, type);
	wire_write16(at + 2, DNS_CLASS_IN);
	at += 4;
	memcpy(at, forms[form].additional, forms[form].size);
	query->form = form;
	query->size = (size_t)(at - query->message) + forms[form].size;
}

static void query_parse(struct load *load, const char *text, unsigned line)
{
	char name[256];
	char type[32];
	char form[32] = "plain";
	struct name_key key;
	struct query query = {0};
	uint16_t type_number;
	enum form form_number;
	struct err err;
	int words = sscanf(text, "%255s %31s %31s", name, type, form);

	if (words < 1 || name[0] == '#')
		return;
	if (words < 2 || !name_parse(name, &key, &err) || !type_parse(type, &type_number) ||
		!form_parse(form, &form_number)) {
		fprintf(stderr, "dnsload: %s:%u: not NAME TYPE [FORM]\n", load->options.path, line);
		exit(1);
	}
	query_write(&query, &key, type_number, form_number);
	load->queries = MEMORY_GROW(load->queries, load->query_count, &load->query_capacity);
	load->queries[load->query_count++] = query;
}

static void queries_read(struct load *load)
{
	FILE *file = fopen(load->options.path, "re");
	char text[512];

	if (!file)
		fail_os(load->options.path);
	for (unsigned line = 1; fgets(text, sizeof(text), file); line++)
		query_parse(load, text, line);
	fclose(file);
	if (load->query_count == 0)
		fail("the file has no queries");
}

/* The first octets of where clients are: of IPv4 all that is not special, of IPv6 the
 * registries' large blocks. */
static void random_client(struct random *random, enum form form, uint8_t *ret_octets, size_t size)
{
	static const uint8_t registries[] = {0x20, 0x24, 0x26, 0x28, 0x2a, 0x2c};
	struct address client = {.family = form == FORM_ECS4 ? ADDRESS_IPV4 : ADDRESS_IPV6};

	do {
		uint64_t octets = random_next(random);

		memcpy(client.bytes, &octets, size);
		if (form == FORM_ECS6)
			client.bytes[0] = registries[random_below(random, COUNT_OF(registries))];
	} while (address_special_bits(&client) > 0);
	memcpy(ret_octets, client.bytes, size);
}

/* ---- sending and receiving ---- */

static void line_open(struct line *line, const struct address_port *server)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(server, &kernel);
	int buffer_bytes = 4 << 20;

	line->fd = socket(kernel.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (line->fd < 0)
		fail_os("cannot open a socket");
	(void)setsockopt(line->fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	if (connect(line->fd, (const struct sockaddr *)&kernel, size) != 0)
		fail_os("cannot reach the server");
}

static bool has_more_to_send(const struct load *load)
{
	return load->sent < load->may_send;
}

/* Fills the slot with the next query. */
static struct iovec slot_fill(struct load *load, struct slot *slot, size_t index, uint64_t now_ns)
{
	const struct query *query = &load->queries[load->next_query];
	size_t address_size = forms[query->form].address_size;

	load->next_query = (load->next_query + 1) % load->query_count;
	memcpy(slot->message, query->message, query->size);
	slot->id = (uint16_t)((slot->id & ~(WINDOW_MAX - 1)) + WINDOW_MAX + (int)index);
	wire_write16(slot->message, slot->id);
	if (address_size > 0)
		random_client(&load->random, query->form,
			slot->message + query->size - address_size, address_size);
	slot->sent_at_ns = now_ns;
	return (struct iovec){slot->message, query->size};
}

static void line_send(struct load *load, struct line *line, uint64_t now_ns)
{
	struct mmsghdr messages[WINDOW_MAX] = {0};
	struct iovec parts[WINDOW_MAX];
	unsigned count = 0;

	for (size_t i = 0; i < load->options.window && has_more_to_send(load); i++) {
		if (line->slots[i].sent_at_ns > 0)
			continue;
		parts[count] = slot_fill(load, &line->slots[i], i, now_ns);
		messages[count].msg_hdr =
			(struct msghdr){.msg_iov = &parts[count], .msg_iovlen = 1};
		count++;
		load->sent++;
	}
	/* What the kernel does not take is found lost, as what the network does not take. */
	if (count > 0)
		(void)sendmmsg(line->fd, messages, count, 0);
}

/* Octets of a name that is not followed: up to its end or its first pointer.  0: it has none within `size`. */
static size_t name_skip(const uint8_t *at, size_t size)
{
	for (size_t used = 0; used < size; used += at[used] + 1u) {
		if (at[used] == 0)
			return used + 1;
		if (at[used] > DNS_LABEL_MAX)
			return used + 2;
	}
	return 0;
}

/* What the records of one version have in common. */
struct version {
	uint32_t ttl;
	uint8_t octet; /* the third, of an IPv4 address */
	bool has_ttl;
	bool has_octet;
};

/* Whether the record is of that version; its octets, or 0 if it does not end. */
static size_t record_take(const uint8_t *at, size_t size, struct version *version, bool *ret_torn)
{
	size_t owner = name_skip(at, size);

	if (owner == 0 || owner + 10 > size)
		return 0;

	uint16_t type = wire_read16(at + owner);
	uint32_t ttl = wire_read32(at + owner + 4);
	size_t whole = owner + 10 + wire_read16(at + owner + 8);

	if (whole > size || type == DNS_TYPE_OPT)
		return 0;
	if (version->has_ttl && version->ttl != ttl)
		*ret_torn = true;
	version->has_ttl = true;
	version->ttl = ttl;
	if (type != DNS_TYPE_A)
		return whole;
	if (version->has_octet && version->octet != at[owner + 12])
		*ret_torn = true;
	version->has_octet = true;
	version->octet = at[owner + 12];
	return whole;
}

/* Looks at the answer and authority sections of a response to one question. */
static bool is_torn(const uint8_t *reply, size_t size)
{
	unsigned records = wire_read16(reply + 6) + wire_read16(reply + 8);
	struct version version = {0};
	bool is_torn = false;
	size_t at = DNS_HEADER_SIZE;

	at += name_skip(reply + at, size - at) + 4;
	for (unsigned i = 0; i < records; i++) {
		size_t whole =
			at < size ? record_take(reply + at, size - at, &version, &is_torn) : 0;

		if (whole == 0)
			return true;
		at += whole;
	}
	return is_torn;
}

static void reply_take(
	struct load *load, struct line *line, const uint8_t *reply, size_t size, uint64_t now_ns)
{
	struct tally *tally = &load->tally;

	if (size < DNS_HEADER_SIZE)
		return;

	uint16_t id = wire_read16(reply);
	struct slot *slot = &line->slots[id % WINDOW_MAX];

	if (slot->sent_at_ns == 0 || slot->id != id)
		return;

	uint64_t latency_us = (now_ns - slot->sent_at_ns) / 1000;

	tally->latency_us[latency_us < LATENCY_US_MAX ? latency_us : LATENCY_US_MAX]++;
	tally->answered++;
	tally->octets += size;
	tally->rcodes[reply[3] % RCODES]++;
	if (load->options.wants_one_version && is_torn(reply, size))
		tally->torn++;
	slot->sent_at_ns = 0;
}

static void line_receive(struct load *load, struct line *line, uint64_t now_ns)
{
	struct mmsghdr messages[WINDOW_MAX] = {0};
	struct iovec parts[WINDOW_MAX];

	for (size_t i = 0; i < WINDOW_MAX; i++) {
		parts[i] = (struct iovec){load->replies[i], REPLY_SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}

	int received = recvmmsg(line->fd, messages, WINDOW_MAX, MSG_DONTWAIT, NULL);

	for (int i = 0; i < received; i++)
		reply_take(load, line, load->replies[i], messages[i].msg_len, now_ns);
}

static void give_up_old(struct load *load, uint64_t now_ns)
{
	uint64_t timeout_ns = load->options.timeout_ms * NS_PER_MS;

	for (size_t i = 0; i < load->options.sockets; i++) {
		for (size_t k = 0; k < load->options.window; k++) {
			struct slot *slot = &load->lines[i].slots[k];

			if (slot->sent_at_ns == 0 || now_ns - slot->sent_at_ns < timeout_ns)
				continue;
			slot->sent_at_ns = 0;
			load->tally.lost++;
		}
	}
}

static bool is_over(const struct load *load, uint64_t elapsed_ns)
{
	if (load->options.count > 0)
		return load->tally.answered + load->tally.lost >= load->options.count;
	return elapsed_ns >= load->options.seconds * NS_PER_S;
}

/* How many queries may have been sent by now.  Between those of a slow rate the core is free for others. */
static void pace(struct load *load, uint64_t elapsed_ns)
{
	static const struct timespec moment = {.tv_nsec = 20000};
	const struct options *options = &load->options;

	load->may_send = options->count > 0 ? options->count : UINT64_MAX;
	if (options->rate == 0)
		return;
	nanosleep(&moment, NULL);

	uint64_t by_now = (uint64_t)((double)elapsed_ns / (double)NS_PER_S * (double)options->rate);

	if (by_now < load->may_send)
		load->may_send = by_now;
}

/* Gives how long it took. */
static uint64_t run(struct load *load)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	uint64_t now_ns = start_ns;
	uint64_t looked_at_ns = start_ns;

	while (!is_over(load, now_ns - start_ns)) {
		pace(load, now_ns - start_ns);
		for (size_t i = 0; i < load->options.sockets; i++) {
			struct line *line = &load->lines[i];

			now_ns = clock_ns(CLOCK_MONOTONIC);
			line_receive(load, line, now_ns);
			line_send(load, line, now_ns);
		}
		if (now_ns - looked_at_ns > 100 * NS_PER_MS) {
			give_up_old(load, now_ns);
			looked_at_ns = now_ns;
		}
	}
	return now_ns - start_ns;
}

/* ---- results ---- */

/* The latency that `percent` of the answers did not exceed. */
static uint64_t percentile_us(const struct tally *tally, unsigned percent)
{
	uint64_t wanted = tally->answered * percent / 100;
	uint64_t seen = 0;
	uint64_t us = 0;

	while (us < LATENCY_US_MAX && (seen += tally->latency_us[us]) < wanted)
		us++;
	return us;
}

static void results_print(const struct load *load, uint64_t elapsed_ns, uint64_t cpu_ns)
{
	const struct tally *tally = &load->tally;
	double answered = (double)tally->answered;
	uint64_t other = tally->answered - tally->rcodes[DNS_RCODE_NOERROR] -
		tally->rcodes[DNS_RCODE_NXDOMAIN];

	printf("qps=%.0f answered=%llu lost=%llu noerror=%llu nxdomain=%llu other=%llu "
	       "octets=%.0f p50_us=%llu p99_us=%llu",
		answered / ((double)elapsed_ns / (double)NS_PER_S),
		(unsigned long long)tally->answered, (unsigned long long)tally->lost,
		(unsigned long long)tally->rcodes[DNS_RCODE_NOERROR],
		(unsigned long long)tally->rcodes[DNS_RCODE_NXDOMAIN], (unsigned long long)other,
		answered > 0 ? (double)tally->octets / answered : 0,
		(unsigned long long)percentile_us(tally, 50),
		(unsigned long long)percentile_us(tally, 99));
	if (load->options.wants_one_version)
		printf(" torn=%llu", (unsigned long long)tally->torn);
	if (load->options.pid_count > 0 && tally->answered > 0)
		printf(" cpu_ns=%.0f cpu_share=%.2f", (double)cpu_ns / answered,
			(double)cpu_ns / (double)elapsed_ns);
	printf("\n");
}

/* ---- options ---- */

static uint64_t number_parse(const char *name, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number < min || number > max) {
		fprintf(stderr, "dnsload: --%s takes a number from %llu to %llu\n", name,
			(unsigned long long)min, (unsigned long long)max);
		exit(2);
	}
	return number;
}

static const struct {
	const char *name;
	size_t offset;
	uint64_t initial;
	uint64_t min;
	uint64_t max;
} numbers[] = {
	{"seconds", offsetof(struct options, seconds), 3, 1, 3600},
	{"count", offsetof(struct options, count), 0, 1, UINT64_MAX},
	{"sockets", offsetof(struct options, sockets), 16, 1, 1000},
	{"window", offsetof(struct options, window), 32, 1, WINDOW_MAX},
	{"timeout-ms", offsetof(struct options, timeout_ms), 1000, 1, 600000},
	{"cpu", offsetof(struct options, cpu), UINT64_MAX, 0, CPU_SETSIZE - 1},
	{"rate", offsetof(struct options, rate), 0, 1, 100000000},
	{"seed", offsetof(struct options, seed), 1, 0, UINT64_MAX},
};

static _Noreturn void fail_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static void pids_parse(struct options *options, char *text)
{
	char *rest;

	for (char *pid = strtok_r(text, ",", &rest); pid; pid = strtok_r(NULL, ",", &rest)) {
		if (options->pid_count == PIDS_MAX)
			fail("too many processes");
		options->pids[options->pid_count++] = (pid_t)number_parse("pid", pid, 1, INT32_MAX);
	}
}

static uint64_t *number_in(struct options *options, size_t index)
{
	return (uint64_t *)((char *)options + numbers[index].offset);
}

static void options_parse(struct options *options, int argc, char **argv)
{
	enum { SERVER = COUNT_OF(numbers), PID, ONE_VERSION, HELP };
	struct option longs[COUNT_OF(numbers) + 5] = {
		[SERVER] = {"server", required_argument, NULL, SERVER},
		[PID] = {"pid", required_argument, NULL, PID},
		[ONE_VERSION] = {"one-version", no_argument, NULL, ONE_VERSION},
		[HELP] = {"help", no_argument, NULL, HELP},
	};
	struct err err;
	int found;

	(void)address_port_parse("127.0.0.1:5300", &options->server, &err);
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		longs[i] = (struct option){numbers[i].name, required_argument, NULL, (int)i};
		*number_in(options, i) = numbers[i].initial;
	}
	while ((found = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (found == HELP) {
			fputs(usage, stdout);
			exit(0);
		}
		if (found > HELP)
			fail_usage();
		if (found == SERVER && !address_port_parse(optarg, &options->server, &err))
			fail(err.text);
		if (found == PID)
			pids_parse(options, optarg);
		if (found == ONE_VERSION)
			options->wants_one_version = true;
		if (found >= SERVER)
			continue;
		*number_in(options, (size_t)found) = number_parse(
			numbers[found].name, optarg, numbers[found].min, numbers[found].max);
	}
	if (optind + 1 != argc)
		fail_usage();
	options->path = argv[optind];
}

static void stay_on_cpu(uint64_t cpu)
{
	cpu_set_t set;

	if (cpu == UINT64_MAX)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		fail_os("cannot stay on that core");
}

int main(int argc, char **argv)
{
	struct load *load = memory_new(sizeof(*load));

	options_parse(&load->options, argc, argv);
	stay_on_cpu(load->options.cpu);
	random_seed_with(&load->random, load->options.seed);
	queries_read(load);
	load->lines = memory_new(load->options.sockets * sizeof(load->lines[0]));
	for (size_t i = 0; i < load->options.sockets; i++)
		line_open(&load->lines[i], &load->options.server);

	uint64_t cpu_before_ns = server_cpu_ns(&load->options);
	uint64_t elapsed_ns = run(load);
	bool has_answers = load->tally.answered > 0;

	results_print(load, elapsed_ns, server_cpu_ns(&load->options) - cpu_before_ns);
	for (size_t i = 0; i < load->options.sockets; i++)
		close(load->lines[i].fd);
	free(load->lines);
	free(load->queries);
	free(load);
	return has_answers ? 0 : 1;
}
