/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "census.h"
#include "steerd/base/memory.h"

static struct census *new_census(size_t per_address, size_t per_network)
{
	struct random random;

	random_seed_with(&random, 1);
	return census_new(&(struct census_limits){per_address, per_network}, 8, &random);
}

/* A connection, in so far as it can be shut down. */
struct caller {
	struct census_member member;
	int peer;
};

static void call(struct caller *caller, const char *from, uint64_t got_on_at_ms)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*caller = (struct caller){.member.fd = fds[0], .peer = fds[1]};
	assert_true(address_parse(from, &caller->member.address));
	caller->member.got_on_at_ms = got_on_at_ms;
}

static bool is_shut_down(const struct caller *caller)
{
	ssize_t received = recv(caller->peer, &(uint8_t){0}, 1, MSG_DONTWAIT);

	assert_true(received == 0 || errno == EAGAIN);
	return received == 0;
}

static void hang_up(struct census *census, struct caller *caller)
{
	census_leave(census, &caller->member);
	close(caller->member.fd);
	close(caller->peer);
}

/* Two of one address, three of one network; who joins in this order, and who is left. */
static const struct {
	const char *about;
	struct {
		const char *from; /* NULL: no more */
		uint64_t got_on_at_ms;
		bool stays;
	} callers[7];
} calls[] = {
	{"as many as may", {{"192.0.2.1", 1, true}, {"192.0.2.1", 2, true}, {NULL, 0, false}}},
	{"one more of an address",
		{{"192.0.2.1", 1, false}, {"192.0.2.1", 2, true}, {"192.0.2.1", 3, true},
			{NULL, 0, false}}},
	{"who got on goes last, whoever came first",
		{{"192.0.2.1", 9, true}, {"192.0.2.1", 2, false}, {"192.0.2.1", 3, true},
			{NULL, 0, false}}},
	{"one more of a network, whose address has but one",
		{{"192.0.2.1", 3, true}, {"192.0.2.2", 1, false}, {"192.0.2.3", 2, true},
			{"192.0.2.4", 4, true}, {NULL, 0, false}}},
	{"one more of an address is none more of the network",
		{{"192.0.2.1", 5, false}, {"192.0.2.1", 6, true}, {"192.0.2.2", 1, true},
			{"192.0.2.1", 7, true}, {NULL, 0, false}}},
	{"another network has its own",
		{{"192.0.2.1", 1, true}, {"192.0.2.2", 1, true}, {"192.0.2.3", 1, true},
			{"192.0.3.1", 1, true}, {"192.0.3.2", 1, true}, {"192.0.3.3", 1, true},
			{NULL, 0, false}}},
	{"an IPv6 /64 is one address",
		{{"2001:db8::1", 1, false}, {"2001:db8::2", 2, true},
			{"2001:db8::3:4:5:6", 3, true}, {NULL, 0, false}}},
	{"an IPv6 /48 is one network",
		{{"2001:db8:0:1::", 1, false}, {"2001:db8:0:2::", 2, true},
			{"2001:db8:0:3::", 3, true}, {"2001:db8:0:4::", 4, true},
			{"2001:db8:1::", 0, true}, {NULL, 0, false}}},
	{"one after the other",
		{{"192.0.2.1", 1, false}, {"192.0.2.1", 2, false}, {"192.0.2.1", 3, false},
			{"192.0.2.1", 4, false}, {"192.0.2.1", 5, true}, {"192.0.2.1", 6, true},
			{NULL, 0, false}}},
};

static void the_longest_idle_of_the_same_makes_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct census *census = new_census(2, 3);
		struct caller callers[7];
		size_t count = 0;
		size_t left = 0;
		size_t shut_down = 0;

		for (; calls[i].callers[count].from; count++) {
			call(&callers[count], calls[i].callers[count].from,
				calls[i].callers[count].got_on_at_ms);
			shut_down += census_join(census, &callers[count].member);
		}
		for (size_t k = 0; k < count; k++) {
			if (is_shut_down(&callers[k]) == calls[i].callers[k].stays)
				fail_msg("%s: caller %zu", calls[i].about, k);
			left += calls[i].callers[k].stays;
		}
		assert_int_equal(shut_down, count - left);
		for (size_t k = 0; k < count; k++)
			hang_up(census, &callers[k]);
		census_free(census);
	}
}

static void who_leaves_makes_room(void **state)
{
	struct census *census = new_census(2, 0);
	struct caller first, second, third;

	(void)state;
	call(&first, "192.0.2.1", 1);
	call(&second, "192.0.2.1", 2);
	assert_int_equal(census_join(census, &first.member), 0);
	assert_int_equal(census_join(census, &second.member), 0);
	hang_up(census, &second);
	call(&third, "192.0.2.1", 3);
	assert_int_equal(census_join(census, &third.member), 0);
	assert_false(is_shut_down(&first));
	hang_up(census, &first);
	hang_up(census, &third);
	census_free(census);
}

static void zero_is_no_limit(void **state)
{
	enum { COUNT = 100 };
	struct census *census = new_census(0, 0);
	static struct caller callers[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		call(&callers[i], "192.0.2.1", i);
		assert_int_equal(census_join(census, &callers[i].member), 0);
	}
	for (size_t i = 0; i < COUNT; i++)
		hang_up(census, &callers[i]);
	census_free(census);
}

/* Threads that come and go by the thousand, of few addresses: those who were shut down leave as well as those who
 * were not. */
static void *come_and_go(void *argument)
{
	struct census *census = argument;
	enum { ROUNDS = 2000, HELD = 4 };
	struct caller callers[HELD];

	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct caller *caller = &callers[i % HELD];

		if (i >= HELD)
			hang_up(census, caller);
		call(caller, i % 3 ? "192.0.2.1" : "2001:db8::1", i);
		(void)census_join(census, &caller->member);
		atomic_store_explicit(&caller->member.got_on_at_ms, i + 1, memory_order_relaxed);
	}
	for (size_t i = 0; i < HELD; i++)
		hang_up(census, &callers[i]);
	return NULL;
}

static void threads_share_it(void **state)
{
	enum { THREADS = 4 };
	struct census *census = new_census(3, 5);
	pthread_t threads[THREADS];
	struct caller callers[4];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, census), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	/* nobody is left in it: three have room, the fourth has not */
	for (size_t i = 0; i < 4; i++) {
		call(&callers[i], "192.0.2.1", i);
		assert_int_equal(census_join(census, &callers[i].member), i == 3);
	}
	for (size_t i = 0; i < 4; i++)
		hang_up(census, &callers[i]);
	census_free(census);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_idle_of_the_same_makes_room),
		cmocka_unit_test(who_leaves_makes_room),
		cmocka_unit_test(zero_is_no_limit),
		cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
