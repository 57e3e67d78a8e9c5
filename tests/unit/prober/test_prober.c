/* SPDX-License-Identifier: Apache-2.0 */

/* steerd-prober itself against HTTPS servers with every fault that we know how to make. */

#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"
#include "steerd/base/memory.h"

static struct rig_certificates certificates;

static int make_certificates(void **state)
{
	(void)state;
	rig_make_certificates(&certificates);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	rig_remove_certificates(&certificates);
	return 0;
}

/* ---- every fault by its name ---- */

static void expect_teapot(struct settings_monitor *monitor)
{
	static const struct settings_status_range expected[] = {{200, 204}, {418, 418}};

	monitor->status = expected;
	monitor->status_count = 2;
}

static void expect_any_body(struct settings_monitor *monitor)
{
	monitor->body = NULL;
}

static void expect_long_words(struct settings_monitor *monitor)
{
	monitor->body = "it is I";
}

static void trust_system(struct settings_monitor *monitor)
{
	monitor->ca = NULL;
}

static void trust_nothing(struct settings_monitor *monitor)
{
	monitor->ca = rig_file("/nonexistent/ca.pem");
}

static void trust_self_signed(struct settings_monitor *monitor)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/self-signed.pem", certificates.directory);
	monitor->ca = rig_file(path);
}

static void want_other_name(struct settings_monitor *monitor)
{
	monitor->host = "other.example";
}

static void half_second(struct settings_monitor *monitor)
{
	monitor->timeout_ms = 500;
}

static const struct {
	const char *certificate;
	const char *mode;
	const char *want; /* NULL: up */
	void (*tweak)(struct settings_monitor *monitor);
} faults[] = {
	{"good", "ok", NULL, NULL},
	{"good", "ok", NULL, expect_any_body},
	{"good", "ok", "body does not hold 'it is I'", expect_long_words},
	{"good", "wrong-body", "body does not hold 'ok'", NULL},
	{"good", "wrong-body", NULL, expect_any_body},
	{"good", "status=500", "status 500, expected 200-299", NULL},
	{"good", "status=503", "status 503, expected 200-204, 418", expect_teapot},
	{"good", "status=418", NULL, expect_teapot},
	{"good", "status=100", "status 100, expected 200-299", NULL},
	{"good", "redirect", "status 302, expected 200-299", NULL},
	{"good", "hang", "TLS handshake timed out after 2 s", NULL},
	{"good", "hang", "TLS handshake timed out after 500 ms", half_second},
	{"good", "close", "closed without a byte", NULL},
	{"good", "reset", "closed without a byte", NULL},
	{"good", "plain", "TLS handshake failed: the server does not speak TLS", NULL},
	{"good", "client-cert", "TLS ended by the server: certificate required", NULL},
	{"good", "stall", "no answer within 2 s", NULL},
	{"good", "close-late", "closed without an answer", NULL},
	{"good", "not-http", "the answer is not HTTP", NULL},
	{"good", "short-body", "closed in the middle of the answer", NULL},
	{"good", "slow-body", "answer not complete within 2 s", NULL},
	{"good", "endless-body", NULL, NULL},
	{"good", "endless-body", "first 64 KiB of body do not hold 'it is I'", expect_long_words},
	{"good", "endless-headers", "header fields without end: more than 64 KB", NULL},
	{"wrong-name", "ok", "certificate is for other.example, not dl.files.example", NULL},
	{"wrong-name", "ok", NULL, want_other_name},
	{"good", "ok", "certificate is for dl.files.example, not other.example", want_other_name},
	{"expired", "ok", "certificate expired on 2020-02-01", NULL},
	{"not-yet", "ok", "certificate not valid before 2099-01-01", NULL},
	{"self-signed", "ok", "certificate is not trusted: self-signed certificate", NULL},
	{"self-signed", "ok", NULL, trust_self_signed},
	{"good", "ok", "certificate is not trusted: unable to get local issuer certificate",
		trust_self_signed},
	{"other-ca", "ok", "certificate is not trusted: unable to get local issuer certificate",
		NULL},
	{"good", "ok", "certificate is not trusted: unable to get local issuer certificate",
		trust_system},
	{"good", "ok",
		"CA certificates: cannot open '/nonexistent/ca.pem': No such file or directory",
		trust_nothing},
};

enum { FAULTS = COUNT_OF(faults), REFUSED = FAULTS, DROPPED, TARGETS };

/* A port on which nobody listens, for as long as the descriptor is open. */
static int bind_port(uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* A listener whose queue is full: it answers no SYN. */
static int fill_port(uint16_t *ret_port, int ret_fds[static 3])
{
	int fd = bind_port(ret_port);
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(*ret_port)};

	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 3; i++) {
		ret_fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(ret_fds[i], (struct sockaddr *)&address, sizeof(address));
	}
	return fd;
}

static bool all_checked(const struct rig_steerd *steerd, const void *context)
{
	size_t checked = 0;

	for (size_t i = 0; i < steerd->table.count; i++)
		checked += steerd->table.rows[i].checked_at_unix_s > 0;
	return checked > 0 && checked == *(const size_t *)context;
}

/* NULL: up. */
static const char *wanted(size_t index)
{
	if (index < FAULTS)
		return faults[index].want;
	return index == REFUSED ? "connection refused" : "connect timed out after 2 s";
}

static bool is_as_wanted(const struct verdict *row)
{
	const char *want = wanted(row->target);

	return row->state == (want ? VERDICT_DOWN : VERDICT_UP) &&
		strcmp(row->reason, want ? want : "") == 0;
}

/* Each by its name; on a machine that is busy with other things it may take a second check. */
static bool all_as_wanted(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	for (size_t i = 0; i < steerd->table.count; i++)
		if (!is_as_wanted(&steerd->table.rows[i]))
			return false;
	return steerd->table.count == TARGETS;
}

static void say_what_is_wrong(const struct rig_steerd *steerd)
{
	for (size_t i = 0; i < steerd->table.count; i++) {
		const struct verdict *row = &steerd->table.rows[i];
		const char *want = wanted(i);

		if (!is_as_wanted(row))
			print_error("case %zu: '%s', not '%s'\n", i, row->reason, want ? want : "");
	}
}

static bool first_is_checked(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	return steerd->table.count > 0 && steerd->table.rows[0].checked_at_unix_s > 0;
}

static void each_fault_by_its_name(void **state)
{
	struct rig_server servers[FAULTS];
	struct rig_backend backend;
	struct rig_steerd steerd;
	struct settings_monitor monitors[TARGETS];
	struct target targets[TARGETS];
	char keys[TARGETS][16];
	char *ca_path = rig_certificate_path(&certificates, "ca.pem");
	int fds[3];
	uint16_t refused_port;
	uint16_t dropped_port;
	int refused = bind_port(&refused_port);
	int dropped = fill_port(&dropped_port, fds);

	(void)state;
	for (size_t i = 0; i < FAULTS; i++)
		servers[i] = (struct rig_server){
			.name = "x", .certificate = faults[i].certificate, .mode = faults[i].mode};
	rig_start_backend(&backend, &certificates, servers, FAULTS);
	for (size_t i = 0; i < TARGETS; i++) {
		uint16_t port = i < FAULTS ? servers[i].port
			: i == REFUSED	   ? refused_port
					   : dropped_port;

		snprintf(keys[i], sizeof(keys[i]), "m%zu", i);
		monitors[i] = rig_monitor(keys[i], port, ca_path);
		if (i < FAULTS && faults[i].tweak)
			faults[i].tweak(&monitors[i]);
		targets[i] = rig_target(keys[i], (uint32_t)i, "127.0.0.1");
	}

	const struct link_orders orders = {
		.targets = {.generation = 1, .targets = targets, .count = TARGETS},
		.monitors = monitors,
		.monitor_count = TARGETS,
	};

	rig_start_steerd(&steerd, RIG_PROBER, &orders);
	rig_wait(&steerd, first_is_checked, NULL, "the first verdict");
	/* those that hang delay nobody: when the good one is known they still hang */
	assert_int_equal(steerd.table.rows[0].state, VERDICT_UP);
	assert_int_equal(steerd.table.rows[10].state, VERDICT_UNKNOWN);
	if (!rig_await(&steerd, all_as_wanted, NULL)) {
		say_what_is_wrong(&steerd);
		fail();
	}
	rig_stop_steerd(&steerd);
	rig_stop_backend(&backend);
	free(ca_path);
	close(refused);
	close(dropped);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* ---- from check to verdict ---- */

/* By a whole table, not by the states that came before it. */
static bool first_is(const struct rig_steerd *steerd, const void *context)
{
	return first_is_checked(steerd, NULL) &&
		steerd->table.rows[0].state == *(const enum verdict_state *)context;
}

static const enum verdict_state up = VERDICT_UP;
static const enum verdict_state down = VERDICT_DOWN;

/* One target at one server. */
struct single {
	struct rig_server server;
	struct rig_backend backend;
	struct rig_steerd steerd;
	struct settings_monitor monitor;
	struct target target;
	struct link_orders orders;
	char *ca_path;
};

static void start_single(struct single *single)
{
	*single = (struct single){.server = {.name = "one"}};
	single->ca_path = rig_certificate_path(&certificates, "ca.pem");
	rig_start_backend(&single->backend, &certificates, &single->server, 1);
	single->monitor = rig_monitor("m", single->server.port, single->ca_path);
	single->monitor.every_ms = 100;
	single->target = rig_target("m@127.0.0.1", 0, "127.0.0.1");
	single->orders = (struct link_orders){
		.targets = {.generation = 1, .targets = &single->target, .count = 1},
		.monitors = &single->monitor,
		.monitor_count = 1,
	};
}

static void stop_single(struct single *single)
{
	rig_stop_steerd(&single->steerd);
	rig_stop_backend(&single->backend);
	free(single->ca_path);
}

static bool has_more_tables(const struct rig_steerd *steerd, const void *context)
{
	return steerd->table_count > *(const size_t *)context;
}

/* States come at once; why is in the next table. */
static void wait_for_words(struct rig_steerd *steerd)
{
	size_t count = steerd->table_count;

	rig_wait(steerd, has_more_tables, &count, "the next table");
}

static void fall_and_rise_are_counted(void **state)
{
	struct single single;
	const struct verdict *row;

	(void)state;
	start_single(&single);
	single.monitor.fall = 3;
	single.monitor.rise = 2;
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up after one success");

	rig_tell(&single.backend, "mode status=500");
	rig_wait(&single.steerd, first_is, &down, "down");
	assert_true(single.steerd.states_count > 0);
	wait_for_words(&single.steerd);
	row = &single.steerd.table.rows[0];
	assert_true(row->streak >= 3);
	assert_false(row->last_passed);
	assert_string_equal(row->reason, "status 500, expected 200-299");

	rig_tell(&single.backend, "mode ok");
	rig_wait(&single.steerd, first_is, &up, "up again");
	wait_for_words(&single.steerd);
	row = &single.steerd.table.rows[0];
	assert_true(row->streak >= 2);
	assert_true(row->last_passed);
	assert_string_equal(row->reason, "");
	assert_true(row->since_unix_s <= row->checked_at_unix_s);
	assert_true(row->was_up);
	assert_true(row->outcome_count > 5);
	assert_true(row->outcomes_failed != 0);
	assert_true(row->latency_p95_ms >= row->latency_p50_ms);
	stop_single(&single);
}

/* Checks come once an hour here, but the second after the first failure soon. */
static void a_first_failure_is_looked_at_again(void **state)
{
	struct single single;

	(void)state;
	start_single(&single);
	single.monitor.every_ms = 3600000;
	single.monitor.recheck_ms = 100;
	single.monitor.fall = 2;
	rig_tell(&single.backend, "mode status=500");
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &down, "down after the second check");
	assert_int_equal(rig_count_requests(&single.backend, "one"), 2);
	stop_single(&single);
}

static bool first_is_held(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	return steerd->table.count > 0 && steerd->table.rows[0].held_until_unix_s > 0;
}

static void one_that_flaps_is_held(void **state)
{
	struct single single;

	(void)state;
	start_single(&single);
	single.monitor.hold_down_ms = 2000;
	single.monitor.hold_down_max_ms = 60000;
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");
	rig_tell(&single.backend, "mode close");
	rig_wait(&single.steerd, first_is, &down, "down");
	rig_tell(&single.backend, "mode ok");
	rig_wait(&single.steerd, first_is, &up, "up at once");
	rig_tell(&single.backend, "mode close");
	rig_wait(&single.steerd, first_is, &down, "down again");
	rig_tell(&single.backend, "mode ok");
	rig_wait(&single.steerd, first_is_held, NULL, "held");
	assert_int_equal(single.steerd.table.rows[0].state, VERDICT_DOWN);
	assert_int_equal(single.steerd.table.rows[0].flaps, 1);
	assert_true(single.steerd.table.rows[0].last_passed);

	uint64_t until_s = single.steerd.table.rows[0].held_until_unix_s;

	rig_wait(&single.steerd, first_is, &up, "up in the end");
	wait_for_words(&single.steerd);
	assert_true(single.steerd.table.rows[0].since_unix_s >= until_s);
	stop_single(&single);
}

static bool first_is_short_of_budget(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	return steerd->table.count > 0 &&
		strncmp(steerd->table.rows[0].note, "budget of ", 10) == 0;
}

/* What one check leaves to the next: the budget of an address.  The checks that it has no room for say nothing else. */
static void a_budget_is_kept_from_check_to_check(void **state)
{
	static const struct settings_position head = {.kind = POSITION_HEAD};
	struct single single;

	(void)state;
	start_single(&single);
	single.monitor.path = "/big";
	single.monitor.body = NULL;
	single.monitor.positions = &head;
	single.monitor.position_count = 1;
	single.monitor.range_bytes = 65536;
	single.monitor.daily_bytes = 3 * 65536 + 65535;
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is_short_of_budget, NULL, "the end of the budget");
	assert_int_equal(single.steerd.table.rows[0].state, VERDICT_UP);
	/* three in a day, and as many more where one ends meanwhile */
	assert_int_equal(single.steerd.table.rows[0].streak % 3, 0);
	assert_int_equal(single.steerd.table.rows[0].outcomes_failed, 0);
	assert_int_equal(rig_count_requests(&single.backend, "one"),
		single.steerd.table.rows[0].outcome_count);
	stop_single(&single);
}

/* ---- a check that is asked for ---- */

/* What came of an inquiry. */
struct found {
	size_t count; /* of times that it was told */
	size_t items;
	char verdict[32];
	char why[128];
};

static void keep_found(void *context, const struct link_findings *findings, const char *why)
{
	struct found *found = context;

	found->count++;
	snprintf(found->why, sizeof(found->why), "%s", why ? why : "");
	for (size_t i = 0; findings && i < findings->count; i++) {
		const struct finding *item = &findings->items[i];

		if (item->section == FINDING_VERDICT && strcmp(item->name, "note") != 0)
			snprintf(found->verdict, sizeof(found->verdict), "%s: %.24s", item->name,
				item->value);
		found->items++;
	}
}

static bool is_told(const struct rig_steerd *steerd, const void *context)
{
	const struct found *found = context;

	(void)steerd;
	return found->count > 0;
}

static struct supervise_inquiry inquiry_of(struct found *found, const char *key, uint32_t wait_ms)
{
	struct supervise_inquiry inquiry = {
		.key = key, .wait_ms = wait_ms, .found = keep_found, .context = found};

	*found = (struct found){0};
	assert_true(address_parse("127.0.0.1", &inquiry.address));
	return inquiry;
}

/* It is made beside the schedule, which is once an hour here, and changes no verdict. */
static void an_inquiry_is_a_check_of_its_own(void **state)
{
	struct single single;
	struct found found;
	struct supervise_inquiry inquiry;

	(void)state;
	start_single(&single);
	single.monitor.every_ms = 3600000;
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");

	unsigned long requests = rig_count_requests(&single.backend, "one");

	inquiry = inquiry_of(&found, "m@127.0.0.1", 10000);
	supervise_inquire(single.steerd.supervise, &inquiry);
	assert_int_equal(found.count, 0); /* never at once */
	rig_wait(&single.steerd, is_told, &found, "findings");
	assert_string_equal(found.verdict, "up: ");
	assert_string_equal(found.why, "");
	assert_int_equal(rig_count_requests(&single.backend, "one"), requests + 1);

	rig_tell(&single.backend, "mode status=500");
	inquiry = inquiry_of(&found, "m@127.0.0.1", 10000);
	supervise_inquire(single.steerd.supervise, &inquiry);
	rig_wait(&single.steerd, is_told, &found, "findings");
	assert_string_equal(found.verdict, "down: status 500, expected 200");
	wait_for_words(&single.steerd);
	assert_int_equal(single.steerd.table.rows[0].state, VERDICT_UP);
	assert_int_equal(single.steerd.table.rows[0].streak, 1);

	/* of what is not there, by its key or its address */
	inquiry = inquiry_of(&found, "m@127.0.0.2", 10000);
	supervise_inquire(single.steerd.supervise, &inquiry);
	rig_wait(&single.steerd, is_told, &found, "an answer");
	assert_string_equal(found.why, "it is not checked any more");
	inquiry = inquiry_of(&found, "m@127.0.0.1", 10000);
	inquiry.address.bytes[3] = 9;
	supervise_inquire(single.steerd.supervise, &inquiry);
	rig_wait(&single.steerd, is_told, &found, "an answer");
	assert_string_equal(found.why, "it is not checked any more");
	stop_single(&single);
}

static void an_inquiry_without_an_answer(void **state)
{
	struct single single;
	struct found found;
	struct found second;
	struct supervise_inquiry inquiry;

	(void)state;
	start_single(&single);
	single.monitor.every_ms = 3600000;
	single.monitor.timeout_ms = 3600000;
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");
	rig_tell(&single.backend, "mode stall");

	/* too late */
	inquiry = inquiry_of(&found, "m@127.0.0.1", 100);
	supervise_inquire(single.steerd.supervise, &inquiry);
	rig_wait(&single.steerd, is_told, &found, "that it is too late");
	assert_string_equal(found.why, "the prober did not answer within 100 ms");

	/* the prober dies meanwhile, and is not there for a while */
	inquiry = inquiry_of(&found, "m@127.0.0.1", 3600000);
	supervise_inquire(single.steerd.supervise, &inquiry);
	assert_int_equal(kill(single.steerd.pid, SIGKILL), 0);
	rig_wait(&single.steerd, is_told, &found, "that it ended");
	assert_string_equal(found.why, "the prober ended meanwhile");
	inquiry = inquiry_of(&second, "m@127.0.0.1", 3600000);
	supervise_inquire(single.steerd.supervise, &inquiry);
	rig_wait(&single.steerd, is_told, &second, "that there is none");
	assert_string_equal(second.why, "the prober does not run");
	assert_int_equal(found.count, 1);

	/* and one that waits while all ends is told so */
	inquiry = inquiry_of(&found, "m@127.0.0.1", 3600000);
	supervise_inquire(single.steerd.supervise, &inquiry);
	stop_single(&single);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.why, "steerd is stopping");
}

/*
 * A certificate that is replaced on the server is seen by the next check: nothing of TLS is
 * remembered.
 */
static void each_check_is_a_new_connection(void **state)
{
	struct single single;
	struct text line = {0};
	char *path = rig_certificate_path(&certificates, "expired");

	(void)state;
	start_single(&single);
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");
	text_print(&line, "cert %s.pem %s.key", path, path);
	rig_tell(&single.backend, line.bytes);
	rig_wait(&single.steerd, first_is, &down, "down");
	wait_for_words(&single.steerd);
	assert_string_equal(
		single.steerd.table.rows[0].reason, "certificate expired on 2020-02-01");
	text_done(&line);
	free(path);
	stop_single(&single);
}

static void ipv6_is_checked_as_well(void **state)
{
	struct single single;

	(void)state;
	start_single(&single);
	rig_stop_backend(&single.backend);
	single.server.listen = "[::1]:0";
	rig_start_backend(&single.backend, &certificates, &single.server, 1);
	single.monitor.port = single.server.port;
	single.target = rig_target("m@::1", 0, "::1");
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");
	stop_single(&single);
}

/* ---- new orders ---- */

static bool generation_is(const struct rig_steerd *steerd, const void *context)
{
	return steerd->table.generation == *(const uint64_t *)context;
}

static void a_reload_keeps_what_is_known(void **state)
{
	const uint64_t second = 2;
	const size_t both = 2;
	struct single single;

	(void)state;
	start_single(&single);
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");

	struct verdict before = single.steerd.table.rows[0];

	/*
	 * another one comes first, so that the old one gets another id; its checks now come once an
	 * hour
	 */
	struct settings_monitor monitors[] = {single.monitor, single.monitor};
	struct target targets[] = {
		rig_target("n@127.0.0.2", 1, "127.0.0.2"),
		single.target,
	};
	struct link_orders next = {
		.targets = {.generation = 2, .targets = targets, .count = 2},
		.monitors = monitors,
		.monitor_count = 2,
		.verdicts = {.generation = 2},
	};

	monitors[0].every_ms = 3600000;
	single.steerd.orders = next;
	supervise_renew(single.steerd.supervise);
	rig_wait(&single.steerd, generation_is, &second, "a table for the new orders");
	assert_int_equal(single.steerd.table.count, 2);

	const struct verdict *kept = &single.steerd.table.rows[1];

	assert_int_equal(kept->target, 1);
	assert_int_equal(kept->state, VERDICT_UP);
	assert_int_equal(kept->since_unix_s, before.since_unix_s);
	assert_true(kept->checked_at_unix_s >= before.checked_at_unix_s);
	rig_wait(&single.steerd, all_checked, &both, "the new one's verdict");
	assert_string_equal(single.steerd.table.rows[0].reason, "connection refused");

	/* from once an hour to ten times a second: the long wait is cut short */
	monitors[0].every_ms = 100;
	single.steerd.orders.targets.generation = 3;
	single.steerd.orders.verdicts = (struct verdict_table){.generation = 3};
	rig_tell(&single.backend, "mode close");
	supervise_renew(single.steerd.supervise);

	bool was_seen = false;

	for (int i = 0; i < 100 && !was_seen; i++) {
		size_t count = single.steerd.table_count;

		while (single.steerd.table_count == count)
			event_base_loop(single.steerd.base, EVLOOP_ONCE);
		was_seen = single.steerd.table.generation == 3 &&
			single.steerd.table.rows[1].state == VERDICT_DOWN;
	}
	assert_true(was_seen);
	stop_single(&single);
}

static bool has_started_twice(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	return steerd->started_count == 2;
}

static void a_killed_prober_costs_nothing(void **state)
{
	struct single single;
	struct supervise_state standing;

	(void)state;
	start_single(&single);
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");

	struct verdict before = single.steerd.table.rows[0];
	pid_t first = single.steerd.pid;

	rig_tell(&single.backend, "mode hang"); /* what comes next is not from a check */
	assert_int_equal(kill(first, SIGKILL), 0);
	rig_wait(&single.steerd, has_started_twice, NULL, "a new prober");
	assert_string_equal(single.steerd.why, "killed by signal 9");
	assert_int_not_equal(single.steerd.pid, first);

	size_t count = single.steerd.table_count;

	rig_wait(&single.steerd, has_more_tables, &count, "its first table");
	assert_int_equal(single.steerd.table.rows[0].state, VERDICT_UP);
	assert_int_equal(single.steerd.table.rows[0].since_unix_s, before.since_unix_s);
	supervise_get_state(single.steerd.supervise, &standing);
	assert_int_equal(standing.restart_count, 1);
	assert_int_equal(standing.pid, single.steerd.pid);
	assert_int_equal(standing.next_start_in_ms, 0);
	assert_int_equal(standing.table_count, single.steerd.table_count);

	pid_t last = single.steerd.pid;

	stop_single(&single);
	assert_int_equal(kill(last, 0), -1); /* gone with steerd */
}

/*
 * A prober that was stopped while a check ran says nothing of the backend, whose answer it slept
 * through.  The only pause in these tests: what is tested is that time passes.
 */
static void a_stopped_prober_judges_nobody(void **state)
{
	const struct timespec pause = {.tv_sec = 2, .tv_nsec = 200000000};
	struct single single;

	(void)state;
	start_single(&single);
	single.monitor.timeout_ms = 1500;
	rig_start_steerd(&single.steerd, RIG_PROBER, &single.orders);
	rig_wait(&single.steerd, first_is, &up, "up");

	struct verdict before = single.steerd.table.rows[0];
	unsigned long requests;

	rig_tell(&single.backend, "mode stall");
	requests = rig_count_requests(&single.backend, "one");
	while (rig_count_requests(&single.backend, "one") == requests)
		;
	assert_int_equal(kill(single.steerd.pid, SIGSTOP), 0);
	nanosleep(&pause, NULL);
	rig_tell(&single.backend, "mode ok");
	assert_int_equal(kill(single.steerd.pid, SIGCONT), 0);

	/* fall is 1: the check that was slept through would have been enough */
	for (int i = 0; i < 3; i++) {
		size_t count = single.steerd.table_count;

		rig_wait(&single.steerd, has_more_tables, &count, "a table");
		assert_int_equal(single.steerd.table.rows[0].state, VERDICT_UP);
		assert_int_equal(single.steerd.table.rows[0].since_unix_s, before.since_unix_s);
	}
	assert_true(single.steerd.table.rows[0].checked_at_unix_s > before.checked_at_unix_s);
	stop_single(&single);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_by_its_name),
		cmocka_unit_test(fall_and_rise_are_counted),
		cmocka_unit_test(a_first_failure_is_looked_at_again),
		cmocka_unit_test(one_that_flaps_is_held),
		cmocka_unit_test(a_budget_is_kept_from_check_to_check),
		cmocka_unit_test(an_inquiry_is_a_check_of_its_own),
		cmocka_unit_test(an_inquiry_without_an_answer),
		cmocka_unit_test(each_check_is_a_new_connection),
		cmocka_unit_test(ipv6_is_checked_as_well),
		cmocka_unit_test(a_reload_keeps_what_is_known),
		cmocka_unit_test(a_killed_prober_costs_nothing),
		cmocka_unit_test(a_stopped_prober_judges_nobody),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
