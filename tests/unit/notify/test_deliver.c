/* SPDX-License-Identifier: Apache-2.0 */

/* Notices to a receiver that the test plays, which refuses as long as it is told to. */

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver.h"
#include "steerd/base/clock.h"
#include "steerd/base/memory.h"
#include "steerd/notify/deliver.h"
#include "webhook.h"

#define WAIT_MAX_MS 30000
#define RECEIVERS 3
#define BODY "{\"id\":\"7\"}"

/* What came to the receiver, and what is to be answered; a path "/NUMBER" is the answer. */
struct world {
	struct event_base *base;
	struct evhttp *http;
	uint16_t port;
	struct deliver *deliver;
	struct orders *orders;
	char urls[RECEIVERS][64];
	struct settings_notify notifies[RECEIVERS];
	size_t refusals; /* of the next requests, with 503 */
	size_t request_count;
	struct text bodies; /* one a line */
	char signature[128];
	char event[64];
	char type[64];
	/* what was said to be done */
	size_t done_count;
	struct text done;
};

static const struct settings_file secret = {.bytes = "key\n", .size = 4};

static void keep_header(struct evhttp_request *request, const char *name, char *kept, size_t size)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);

	snprintf(kept, size, "%s", value ? value : "");
}

static void answer(struct evhttp_request *request, int status)
{
	struct evbuffer *body = evbuffer_new();

	if (status == 302)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Location",
			"http://127.0.0.1:1/");
	if (status == 299) /* with more than anybody reads */
		for (size_t i = 0; i < 100000; i++)
			evbuffer_add(body, "0123456789", 10);
	evhttp_send_reply(request, status, "as told", body);
	evbuffer_free(body);
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct world *world = context;
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	const char *path = evhttp_request_get_uri(request);

	world->request_count++;
	text_add_bytes(&world->bodies, evbuffer_pullup(input, -1), evbuffer_get_length(input));
	text_add(&world->bodies, "\n");
	keep_header(request, "steerd-signature", world->signature, sizeof(world->signature));
	keep_header(request, "steerd-event", world->event, sizeof(world->event));
	keep_header(request, "content-type", world->type, sizeof(world->type));
	if (strcmp(path, "/silent") == 0)
		return; /* it is waited for */
	if (world->refusals > 0) {
		world->refusals--;
		answer(request, 503);
		return;
	}
	answer(request, atoi(path + 1));
}

static void on_delivered(void *context, const struct link_delivered *delivered)
{
	struct world *world = context;

	world->done_count++;
	text_print(&world->done, "%u %s %u %s\n", (unsigned)delivered->id,
		delivered->done ? "done" : "given up", delivered->tries, delivered->why);
}

static struct orders *orders_of(const struct settings_notify *notifies, size_t count)
{
	struct orders *orders = memory_new(sizeof(*orders));

	orders->holders = 1;
	orders->arena = arena_new();
	orders->link.notifies = notifies;
	orders->link.notify_count = count;
	return orders;
}

static void set_url(struct world *world, size_t which, const char *path)
{
	static const char *const names[RECEIVERS] = {"ops", "pager", "third"};

	snprintf(world->urls[which], sizeof(world->urls[which]), "http://127.0.0.1:%u%s",
		world->port, path);
	world->notifies[which] = (struct settings_notify){
		.name = names[which], .url = world->urls[which], .allows_internal = true};
}

static int make_world(void **state)
{
	struct world *world = memory_new(sizeof(*world));

	world->base = event_base_new();
	world->http = evhttp_new(world->base);
	evhttp_set_allowed_methods(world->http, EVHTTP_REQ_POST);
	evhttp_set_gencb(world->http, on_request, world);

	struct evhttp_bound_socket *bound =
		evhttp_bind_socket_with_handle(world->http, "127.0.0.1", 0);
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);
	struct address_port address;

	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&own, &size);
	address_from_sockaddr((struct sockaddr *)&own, &address);
	world->port = address.port;
	text_add(&world->bodies, "");
	text_add(&world->done, "");
	for (size_t i = 0; i < RECEIVERS; i++)
		set_url(world, i, "/200");
	world->orders = orders_of(world->notifies, RECEIVERS);
	world->deliver = deliver_new(
		world->base, &(struct deliver_options){.done = on_delivered, .context = world});
	deliver_obey(world->deliver, world->orders);
	*state = world;
	return 0;
}

static int end_world(void **state)
{
	struct world *world = *state;

	deliver_free(world->deliver);
	orders_drop(world->orders);
	evhttp_free(world->http);
	event_base_free(world->base);
	text_done(&world->bodies);
	text_done(&world->done);
	free(world);
	return 0;
}

static void on_nothing(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

/* Runs the loop until `*count` is `want`. */
static void await(struct world *world, const size_t *count, size_t want, const char *about)
{
	const struct timeval slice = {.tv_usec = 100000};
	struct event *wake = event_new(world->base, -1, EV_PERSIST, on_nothing, NULL);
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;

	event_add(wake, &slice);
	while (*count < want) {
		if (clock_monotonic_ms() > end_at_ms)
			fail_msg("%s: %s", about, world->done.bytes);
		event_base_loop(world->base, EVLOOP_ONCE);
	}
	event_free(wake);
}

static void take(struct world *world, uint64_t id, uint32_t notify)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"id\":\"%u\"}", (unsigned)id);
	deliver_take(world->deliver,
		&(struct link_notice){.id = id,
			.notify = notify,
			.body = body,
			.event = "member-down",
			.subject = "downloads/fra-1",
			.reason = "connection refused"});
}

/* ---- deliveries ---- */

static void arrives_signed(void **state)
{
	struct world *world = *state;
	unsigned long at;
	char hex[65];
	struct text want = {0};

	world->notifies[0].secret = &secret;
	take(world, 7, 0);
	await(world, &world->done_count, 1, "the first");
	assert_string_equal(world->done.bytes, "7 done 1 \n");
	assert_string_equal(world->bodies.bytes, BODY "\n");
	assert_string_equal(world->event, "member-down");
	assert_string_equal(world->type, "application/json");
	assert_int_equal(sscanf(world->signature, "t=%lu,v1=%64[0-9a-f]", &at, hex), 2);
	assert_true(at + 60 > clock_unix_s() && at <= clock_unix_s());
	webhook_sign(&secret, at, BODY, &want);
	assert_string_equal(world->signature, want.bytes);
	text_done(&want);
}

/* As `printf '1700000000.{}' | openssl dgst -sha256 -hmac key` says. */
static void signature(void **state)
{
	static const struct settings_file others[] = {
		{.bytes = "key", .size = 3}, {.bytes = "key\r\n", .size = 5}};
	struct text value = {0};

	(void)state;
	webhook_sign(&secret, 1700000000, "{}", &value);
	assert_string_equal(value.bytes,
		"t=1700000000,v1="
		"9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct text same = {0};

		webhook_sign(&others[i], 1700000000, "{}", &same);
		assert_string_equal(same.bytes, value.bytes);
		text_done(&same);
	}
	text_done(&value);
}

static void unsigned_without_a_secret(void **state)
{
	struct world *world = *state;

	take(world, 7, 0);
	await(world, &world->done_count, 1, "the first");
	assert_string_equal(world->signature, "");
}

/* Refused twice, and the ones behind it wait, so that "up" does not overtake "down". */
static void tried_again_in_order(void **state)
{
	struct world *world = *state;

	world->refusals = 2;
	take(world, 1, 0);
	take(world, 2, 0);
	take(world, 1, 0); /* told again by steerd: it is here */
	take(world, 3, 0);
	await(world, &world->done_count, 3, "three");
	assert_string_equal(world->done.bytes, "1 done 3 \n2 done 1 \n3 done 1 \n");
	assert_string_equal(world->bodies.bytes,
		"{\"id\":\"1\"}\n{\"id\":\"1\"}\n{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n");
}

static void one_that_hangs_holds_up_no_other(void **state)
{
	struct world *world = *state;

	set_url(world, 0, "/silent");
	take(world, 1, 0);
	await(world, &world->request_count, 1, "the silent one is asked");
	take(world, 2, 1);
	await(world, &world->done_count, 1, "the other one");
	assert_string_equal(world->done.bytes, "2 done 1 \n");
}

static void receivers_change(void **state)
{
	struct world *world = *state;
	struct orders *fewer = orders_of(world->notifies + 1, 1);

	set_url(world, 0, "/silent");
	set_url(world, 1, "/silent");
	take(world, 1, 0);
	take(world, 2, 1);
	await(world, &world->request_count, 2, "both are asked");
	deliver_obey(world->deliver, fewer);
	orders_drop(fewer);
	assert_string_equal(
		world->done.bytes, "1 given up 0 its receiver is no longer configured\n");
	/* the one that is left goes on, under another number */
	take(world, 2, 0);
	take(world, 3, 1);
	assert_int_equal(world->done_count, 2);
	assert_non_null(strstr(world->done.bytes, "3 given up 0 its receiver is not configured"));
	deliver_obey(world->deliver, world->orders);
}

static void oldest_goes_when_too_many_wait(void **state)
{
	struct world *world = *state;

	set_url(world, 0, "/silent");
	for (uint64_t id = 1; id <= LINK_NOTICES_MAX; id++)
		take(world, id, 0);
	assert_int_equal(world->done_count, 0);
	take(world, LINK_NOTICES_MAX + 1, 1);
	assert_string_equal(world->done.bytes, "1 given up 0 too many others wait\n");
	await(world, &world->done_count, 2, "the other receiver's");
}

/* ---- what is answered ---- */

static const struct {
	const char *url; /* "PORT" is the receiver's */
	const char *why; /* "" when it arrives; the beginning of it */
	bool is_external;
} ends[] = {
	{"http://127.0.0.1:PORT/200", "", false},
	{"http://127.0.0.1:PORT/204", "", false},
	{"http://127.0.0.1:PORT/299", "", false},
	{"http://hooks.example:PORT/200", "", false},
	{"http://127.0.0.1:PORT/302", "it answered 302: redirects are not followed", false},
	{"http://127.0.0.1:PORT/404", "it answered 404", false},
	{"http://127.0.0.1:PORT/500", "it answered 500", false},
	{"http://127.0.0.1:1/", "Failed to connect to 127.0.0.1 port 1", false},
	{"https://127.0.0.1:PORT/200", "", false}, /* no TLS there: see below */
	{"http://127.0.0.1:PORT/200",
		"127.0.0.1 is loopback; 'allow-internal: yes' of the webhook allows it", true},
	{"http://[::1]:PORT/200", "::1 is loopback; 'allow-internal: yes' of the webhook allows it",
		true},
	{"http://hooks.example:PORT/200",
		"127.0.0.1 is loopback; 'allow-internal: yes' of the webhook allows it", true},
	{"file:///etc/passwd", "'file:///etc/passwd' is no URL", false},
	{"http://", "'http://' is no URL", false},
};

struct end {
	size_t count;
	struct text why;
};

static void on_end(void *context, bool arrived, const char *why)
{
	struct end *end = context;

	assert_int_equal(arrived, *why == '\0');
	end->count++;
	text_clear(&end->why);
	text_add(&end->why, why);
}

static void run_end(struct world *world, struct webhooks *webhooks, size_t i)
{
	char url[64];
	const char *port = strstr(ends[i].url, "PORT");
	const struct link_notice notice = {.id = 7, .body = BODY, .event = "member-down"};
	struct end end = {0};

	if (port)
		snprintf(url, sizeof(url), "%.*s%u%s", (int)(port - ends[i].url), ends[i].url,
			world->port, port + 4);
	else
		snprintf(url, sizeof(url), "%s", ends[i].url);

	const struct settings_notify notify = {
		.name = "ops", .url = url, .allows_internal = !ends[i].is_external};

	webhook_start(webhooks,
		&(struct webhook_order){.orders = world->orders,
			.notify = &notify,
			.notice = &notice,
			.done = on_end,
			.context = &end});
	assert_int_equal(end.count, 0); /* never from within */
	await(world, &end.count, 1, ends[i].url);
	if (strncmp(url, "https:", 6) == 0)
		assert_true(end.why.size > 0);
	else if (strncmp(end.why.bytes, ends[i].why, strlen(ends[i].why)) != 0 ||
		(*ends[i].why == '\0') != (end.why.size == 0))
		fail_msg("%s: %s", ends[i].url, end.why.bytes);
	text_done(&end.why);
}

static void what_is_answered(void **state)
{
	static const struct resolver_script script = {
		.ipv4 = {"127.0.0.1"}, .rcode_ipv6 = RESOLVER_NXDOMAIN};
	struct world *world = *state;
	struct resolver resolver;

	resolver_open(&resolver, &script);
	resolver_serve(&resolver, world->base);

	struct webhooks *webhooks = webhooks_new(world->base, resolver.address);

	for (size_t i = 0; i < COUNT_OF(ends); i++)
		run_end(world, webhooks, i);
	webhooks_free(webhooks);
	resolver_close(&resolver);
}

static void a_name_that_is_none(void **state)
{
	static const struct resolver_script script = {
		.rcode_ipv4 = RESOLVER_NXDOMAIN, .rcode_ipv6 = RESOLVER_NXDOMAIN};
	struct world *world = *state;
	struct resolver resolver;
	const struct settings_notify notify = {.name = "ops", .url = "http://none.example/"};
	const struct link_notice notice = {.id = 7, .body = BODY, .event = "member-down"};
	struct end end = {0};

	resolver_open(&resolver, &script);
	resolver_serve(&resolver, world->base);

	struct webhooks *webhooks = webhooks_new(world->base, resolver.address);

	webhook_start(webhooks,
		&(struct webhook_order){.orders = world->orders,
			.notify = &notify,
			.notice = &notice,
			.done = on_end,
			.context = &end});
	await(world, &end.count, 1, "the name");
	assert_string_equal(
		end.why.bytes, "'none.example' cannot be resolved: Domain name not found");
	text_done(&end.why);
	webhooks_free(webhooks);
	resolver_close(&resolver);
}

/* ---- commands ---- */

/* It fails the first time, and keeps what it was told. */
static void by_a_command(void **state)
{
	char directory[] = "/var/tmp/steerd-deliver-XXXXXX";
	static const char script[] =
		"cd \"$1\" && [ -e was ] || { : >was; exit 3; }; "
		"{ cat; echo; echo \"$STEERD_EVENT|$STEERD_SUBJECT|$STEERD_REASON\"; } >told";
	const char *const command[] = {"/bin/sh", "-c", script, "sh", directory, NULL};
	struct world *world = *state;
	char path[64];
	char told[256] = "";

	assert_non_null(mkdtemp(directory));
	world->notifies[1] =
		(struct settings_notify){.name = "pager", .command = command, .command_count = 5};
	take(world, 7, 1);
	await(world, &world->done_count, 1, "the command");
	assert_string_equal(world->done.bytes, "7 done 2 \n");
	snprintf(path, sizeof(path), "%s/told", directory);

	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_true(fread(told, 1, sizeof(told) - 1, file) > 0);
	fclose(file);
	assert_string_equal(told, BODY "\nmember-down|downloads/fra-1|connection refused\n");
	unlink(path);
	snprintf(path, sizeof(path), "%s/was", directory);
	unlink(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature),
		cmocka_unit_test_setup_teardown(arrives_signed, make_world, end_world),
		cmocka_unit_test_setup_teardown(unsigned_without_a_secret, make_world, end_world),
		cmocka_unit_test_setup_teardown(tried_again_in_order, make_world, end_world),
		cmocka_unit_test_setup_teardown(
			one_that_hangs_holds_up_no_other, make_world, end_world),
		cmocka_unit_test_setup_teardown(receivers_change, make_world, end_world),
		cmocka_unit_test_setup_teardown(
			oldest_goes_when_too_many_wait, make_world, end_world),
		cmocka_unit_test_setup_teardown(what_is_answered, make_world, end_world),
		cmocka_unit_test_setup_teardown(a_name_that_is_none, make_world, end_world),
		cmocka_unit_test_setup_teardown(by_a_command, make_world, end_world),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
