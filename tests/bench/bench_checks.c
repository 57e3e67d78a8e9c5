/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints what a check of kind https costs the prober: processor time of one, and memory.
 *
 *	bench_checks ADDRESS:PORT CA_FILE CHECKS [AT_ONCE]
 *
 * The server is somebody else's, such as tests/tools/backend on another core.  Under valgrind --tool=callgrind, the
 * difference between a long and a short run, divided by the difference of their checks, is the instructions of one.
 */

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "certificate.h"
#include "checks.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/outbound/algorithms.h"

struct bench {
	struct event_base *base;
	struct checks *checks;
	struct check_order order;
	unsigned long to_start;
	unsigned long running;
	unsigned long passed;
	unsigned long failed;
};

static void start_one(struct bench *bench)
{
	bench->to_start--;
	bench->running++;
	check_start(bench->checks, &bench->order);
}

static void on_done(void *context, const struct judge_check *result)
{
	struct bench *bench = context;

	bench->running--;
	if (result && result->passed)
		bench->passed++;
	else
		bench->failed++;
	if (result && !result->passed && bench->failed == 1)
		fprintf(stderr, "bench_checks: %s\n", result->reason);
	if (bench->to_start > 0)
		start_one(bench);
	else if (bench->running == 0)
		event_base_loopbreak(bench->base);
}

static double micros(const struct timeval *time)
{
	return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

static void print_cost(const struct bench *bench)
{
	double checks = (double)(bench->passed + bench->failed);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%lu passed, %lu failed; %.0f us of user and %.0f us of system time a check, %ld "
	       "KiB\n",
		bench->passed, bench->failed, micros(&usage.ru_utime) / checks,
		micros(&usage.ru_stime) / checks, usage.ru_maxrss);
}

static bool read_trust(const char *path, X509_STORE **ret_trust, struct err *err)
{
	struct text pem = {0};

	if (!file_read(path, 1 << 20, &pem, err))
		return false;

	const struct settings_file ca = {.path = path, .bytes = pem.bytes, .size = pem.size};

	*ret_trust = certificate_trust(&ca, err);
	text_done(&pem);
	return *ret_trust != NULL;
}

static bool run(const struct address_port *to, X509_STORE *trust, const char *const counts[2],
	struct err *err)
{
	static const struct settings_status_range well = {200, 299};
	const struct settings_monitor monitor = {
		.name = "bench",
		.kind = KIND_HTTPS,
		.host = "dl.files.example",
		.path = "/health",
		.method = "GET",
		.port = to->port,
		.is_tls = true,
		.verifies = true,
		.allows_internal = true,
		.timeout_ms = 10000,
		.status = &well,
		.status_count = 1,
		.body = "ok",
	};
	unsigned long at_once = counts[1] ? strtoul(counts[1], NULL, 10) : 16;
	struct recipe *recipe = recipe_new(&monitor, trust, err);
	struct bench bench = {
		.base = event_base_new(),
		.to_start = strtoul(counts[0], NULL, 10),
	};

	if (!recipe)
		return false;
	bench.checks = checks_new(bench.base, NULL);
	bench.order = (struct check_order){
		.recipe = recipe,
		.address = to->address,
		.done = on_done,
		.context = &bench,
	};
	while (bench.to_start > 0 && bench.running < at_once)
		start_one(&bench);
	event_base_dispatch(bench.base);
	print_cost(&bench);
	checks_free(bench.checks);
	event_base_free(bench.base);
	recipe_drop(recipe);
	return true;
}

int main(int count, char **words)
{
	struct address_port to;
	X509_STORE *trust = NULL;
	struct err err;

	if (count < 4) {
		fprintf(stderr, "usage: bench_checks ADDRESS:PORT CA_FILE CHECKS [AT_ONCE]\n");
		return 2;
	}
	if (!algorithms_restrict())
		fprintf(stderr, "bench_checks: with all algorithms of OpenSSL\n");
	curl_global_init(CURL_GLOBAL_DEFAULT);

	const char *const counts[] = {words[3], count > 4 ? words[4] : NULL};
	bool done = address_port_parse(words[1], &to, &err) && read_trust(words[2], &trust, &err) &&
		run(&to, trust, counts, &err);

	if (!done)
		fprintf(stderr, "bench_checks: %s\n", err.text);
	X509_STORE_free(trust);
	curl_global_cleanup();
	return done ? 0 : 1;
}
