/* SPDX-License-Identifier: Apache-2.0 */

/*
 * steerd-prober with many targets, and what it costs: this program is its steerd.
 *
 *	bench_prober PROBER CA_FILE PORT TARGETS EVERY_MS SECONDS CPU [HANGING PORT TIMEOUT_MS]
 *
 * The targets are 127.10.0.1 and on, each with an HTTPS server on PORT.  The prober has the core CPU for itself.  The last
 * HANGING of them have another port, where a server takes connections and is silent, and another time limit.  After
 * every target has been checked once it is watched for so many seconds; then one line goes to stdout, of those that do not hang:
 *
 *	targets=N checks=N expected=N on_time=N failed=N down=N cpu=N rss_mb=N p50_ms=N p95_ms=N
 *
 * `checks` are those that ended, `on_time` the part of them that ended no more than 1.1 times `every`, a second and the
 * monitor's timeout after the one before, `cpu` is in percent of the core, `rss_mb` is the most that the prober had.
 */

#include <event2/event.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "steerd/base/clock.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/link/supervise.h"

#define TIMEOUT_MS 2000

struct bench {
	struct event_base *base;
	struct supervise *supervise;
	struct link_orders orders;
	size_t cpu;
	pid_t pid;
	uint32_t every_ms;
	uint64_t until_ms; /* 0: not all were checked yet */
	uint64_t span_ms;
	uint64_t *checked_at_s; /* of each row, as of the last table */
	size_t sound;		/* rows that do not hang, the first ones */
	size_t checks;
	size_t on_time;
	size_t failed;
	double cpu_s; /* of the prober, when watching began; then what it took */
	struct verdict_table table;
};

/* ---- the prober from outside ---- */

static double cpu_of(pid_t pid)
{
	clockid_t clock;
	struct timespec spent = {0};

	if (clock_getcpuclockid(pid, &clock) == 0)
		clock_gettime(clock, &spent);
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static double peak_mb(pid_t pid)
{
	char path[64];
	char line[256];
	double kilobytes = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);

	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "VmHWM: %lf", &kilobytes);
	if (file)
		fclose(file);
	return kilobytes * 1024 / 1e6;
}

/* ---- its steerd ---- */

static void give_orders(void *context, struct link_orders *ret_orders)
{
	struct bench *bench = context;

	*ret_orders = bench->orders;
}

static void on_start(void *context, pid_t pid)
{
	struct bench *bench = context;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(bench->cpu, &cpus);
	bench->pid = pid;
	if (sched_setaffinity(pid, sizeof(cpus), &cpus) < 0)
		perror("the prober does not get its core");
}

static void on_end(void *context, const char *why)
{
	(void)context;
	fprintf(stderr, "bench_prober: the prober ended: %s\n", why);
	exit(1);
}

static void watch_row(struct bench *bench, size_t row)
{
	const struct verdict *verdict = &bench->table.rows[row];
	uint64_t last_s = bench->checked_at_s[row];

	if (verdict->checked_at_unix_s == last_s)
		return;
	bench->checked_at_s[row] = verdict->checked_at_unix_s;
	bench->checks++;
	bench->failed += !verdict->last_passed;
	/* times are whole seconds */
	bench->on_time += (verdict->checked_at_unix_s - last_s) * 1000 <=
		bench->every_ms + bench->every_ms / 10 + 1000 + TIMEOUT_MS;
}

static void begin_watching(struct bench *bench)
{
	for (size_t i = 0; i < bench->table.count; i++) {
		if (bench->table.rows[i].checked_at_unix_s == 0)
			return;
		bench->checked_at_s[i] = bench->table.rows[i].checked_at_unix_s;
	}
	fprintf(stderr, "bench_prober: all are checked\n");
	bench->until_ms = clock_monotonic_ms() + bench->span_ms;
	bench->cpu_s = cpu_of(bench->pid);
}

static bool take_verdicts(void *context, struct verdict_table *table)
{
	struct bench *bench = context;

	verdict_table_done(&bench->table);
	bench->table = *table;
	*table = (struct verdict_table){0};
	if (bench->until_ms == 0) {
		begin_watching(bench);
		return true;
	}
	for (size_t i = 0; i < bench->sound; i++)
		watch_row(bench, i);
	if (clock_monotonic_ms() >= bench->until_ms)
		event_base_loopbreak(bench->base);
	return true;
}

/* ---- the whole ---- */

static uint32_t median_of(const struct verdict_table *table, size_t offset)
{
	uint32_t *values = memory_new(table->count * sizeof(values[0]));
	size_t counts[1 << 12] = {0};
	size_t half = table->count / 2;
	uint32_t at = 0;

	for (size_t i = 0; i < table->count; i++) {
		memcpy(&values[i], (const char *)&table->rows[i] + offset, sizeof(values[0]));
		counts[values[i] < COUNT_OF(counts) ? values[i] : COUNT_OF(counts) - 1]++;
	}
	for (size_t seen = counts[0]; seen < half; seen += counts[++at])
		;
	free(values);
	return at;
}

static void print(const struct bench *bench)
{
	size_t down = 0;
	double span_s = (double)bench->span_ms / 1000;

	for (size_t i = 0; i < bench->sound; i++)
		down += bench->table.rows[i].state == VERDICT_DOWN;
	printf("targets=%zu checks=%zu expected=%.0f on_time=%zu failed=%zu down=%zu cpu=%.1f "
	       "rss_mb=%.1f "
	       "p50_ms=%u p95_ms=%u\n",
		bench->sound, bench->checks,
		(double)bench->sound * (double)bench->span_ms / bench->every_ms, bench->on_time,
		bench->failed, down, (cpu_of(bench->pid) - bench->cpu_s) / span_s * 100,
		peak_mb(bench->pid),
		median_of(&bench->table, offsetof(struct verdict, latency_p50_ms)),
		median_of(&bench->table, offsetof(struct verdict, latency_p95_ms)));
}

static struct target *make_targets(size_t count, size_t sound)
{
	struct target *targets = memory_new(count * sizeof(targets[0]));

	for (size_t i = 0; i < count; i++) {
		struct text key = {0};
		size_t number = i + 1;

		targets[i].address = (struct address){ADDRESS_IPV4,
			{127, (uint8_t)(10 + (number >> 16)), (uint8_t)(number >> 8),
				(uint8_t)number}};
		text_print(&key, "m@%zu", i);
		targets[i].key = key.bytes;
		targets[i].monitor = i < sound ? 0 : 1;
	}
	return targets;
}

static struct settings_monitor make_monitor(const struct settings_file *ca, char **arguments)
{
	static const struct settings_status_range expected[] = {{200, 299}};

	return (struct settings_monitor){
		.name = "m",
		.host = "dl.files.example",
		.path = "/health",
		.method = "GET",
		.is_tls = true,
		.verifies = true,
		.allows_internal = true,
		.ca = ca,
		.port = (uint16_t)strtoul(arguments[3], NULL, 10),
		.every_ms = (uint32_t)strtoul(arguments[5], NULL, 10),
		.timeout_ms = TIMEOUT_MS,
		.fall = 3,
		.rise = 2,
		.hold_down_ms = 10000,
		.hold_down_max_ms = 300000,
		.status = expected,
		.status_count = 1,
		.body = "ok",
		.body_bytes = 65536,
	};
}

static void run(struct bench *bench, const char *prober)
{
	const struct supervise_callbacks callbacks = {
		.orders = give_orders,
		.verdicts = take_verdicts,
		.started = on_start,
		.ended = on_end,
		.context = bench,
	};

	bench->base = event_base_new();
	bench->supervise = supervise_new(bench->base, prober, &callbacks);
	event_base_dispatch(bench->base);
	print(bench);
	supervise_free(bench->supervise);
	event_base_free(bench->base);
}

int main(int argc, char **argv)
{
	struct text ca = {0};
	struct err err;

	if ((argc != 8 && argc != 11) || !file_read(argv[2], 1 << 20, &ca, &err)) {
		fprintf(stderr,
			"usage: %s PROBER CA_FILE PORT TARGETS EVERY_MS SECONDS CPU [HANGING PORT "
			"TIMEOUT_MS]\n",
			argv[0]);
		return 2;
	}

	const struct settings_file file = {.path = argv[2], .bytes = ca.bytes, .size = ca.size};
	struct settings_monitor monitors[] = {make_monitor(&file, argv), make_monitor(&file, argv)};
	size_t count = strtoul(argv[4], NULL, 10);
	size_t sound = argc > 8 ? count - strtoul(argv[8], NULL, 10) : count;
	struct target *targets = make_targets(count, sound);
	struct bench bench = {
		.orders = {.targets = {.generation = 1, .targets = targets, .count = count},
			.monitors = monitors,
			.monitor_count = COUNT_OF(monitors),
			.verdicts = {.generation = 1}},
		.cpu = strtoul(argv[7], NULL, 10),
		.every_ms = monitors[0].every_ms,
		.sound = sound,
		.span_ms = strtoul(argv[6], NULL, 10) * 1000,
		.checked_at_s = memory_new(count * sizeof(bench.checked_at_s[0])),
	};

	monitors[1].name = "hanging";
	if (argc > 8) {
		monitors[1].port = (uint16_t)strtoul(argv[9], NULL, 10);
		monitors[1].timeout_ms = (uint32_t)strtoul(argv[10], NULL, 10);
	}
	run(&bench, argv[1]);
	verdict_table_done(&bench.table);
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)targets[i].key);
	free(targets);
	free(bench.checked_at_s);
	text_done(&ca);
	return 0;
}
