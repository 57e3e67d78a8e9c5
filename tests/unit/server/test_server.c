/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/memory.h"

#include "standin.h"

static size_t count_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void port_zero_is_one_port_for_udp_and_tcp(void **state)
{
	struct server *server = standin_start(&(struct standin_options){
		.listen = {"127.0.0.1:0", "[::1]:0", "127.0.0.2:0"}, .workers = 2});

	(void)state;
	assert_int_equal(server_listen_count(server), 3);
	for (size_t i = 0; i < server_listen_count(server); i++) {
		struct address_port at = server_listen(server, i);
		int udp_fd = standin_socket(SOCK_DGRAM, &at);
		int tcp_fd = standin_socket(SOCK_STREAM, &at);
		uint8_t query[12];
		uint8_t segment[14] = {0, 12};

		assert_int_not_equal(at.port, 0);
		standin_query(query, sizeof(query), 1, 0);
		assert_int_equal(send(udp_fd, query, sizeof(query), 0), sizeof(query));
		standin_await(udp_fd, "over UDP");
		standin_query(segment + 2, sizeof(query), 1, 0);
		assert_int_equal(send(tcp_fd, segment, sizeof(segment), 0), sizeof(segment));
		standin_await(tcp_fd, "over TCP");
		close(udp_fd);
		close(tcp_fd);
	}
	server_stop(server);
}

static int hold(int type, const char *address, bool is_shared, struct address_port *ret_held)
{
	struct sockaddr_storage kernel;
	struct address_port at;
	struct err err;

	assert_true(address_port_parse(address, &at, &err));

	socklen_t size = address_to_sockaddr(&at, &kernel);
	int fd = socket(kernel.ss_family, type | SOCK_CLOEXEC, 0);

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){is_shared}, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&kernel, size), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	size = sizeof(kernel);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&kernel, &size), 0);
	assert_true(address_from_sockaddr((struct sockaddr *)&kernel, ret_held));
	return fd;
}

static const struct {
	const char *about;
	int type;
	const char *held;
	bool is_shared; /* the other one would share it */
} taken[] = {
	{"UDP", SOCK_DGRAM, "127.0.0.1:0", false},
	{"UDP of one that shares", SOCK_DGRAM, "127.0.0.1:0", true},
	{"TCP", SOCK_STREAM, "127.0.0.1:0", false},
	{"TCP of one that shares", SOCK_STREAM, "127.0.0.1:0", true},
	{"UDP, IPv6", SOCK_DGRAM, "[::1]:0", false},
	{"TCP, IPv6", SOCK_STREAM, "[::1]:0", true},
};

/* Also that a start that fails at its second address leaves nothing of its first. */
static void a_taken_port_is_one_clear_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		struct address_port held;
		int fd = hold(taken[i].type, taken[i].held, taken[i].is_shared, &held);
		size_t descriptors = count_entries("/proc/self/fd");
		size_t threads = count_entries("/proc/self/task");
		char at[ADDRESS_PORT_TEXT_SIZE];
		char want[200];
		struct err err = {""};

		address_port_print(&held, at);
		snprintf(want, sizeof(want),
			"cannot listen on %s: address already in use; is another server running "
			"there?",
			at);

		struct standin_options options = {.listen = {"127.0.0.1:0", at}, .workers = 2};

		if (standin_try(&options, &err) || strcmp(err.text, want) != 0)
			fail_msg("%s: %s", taken[i].about, err.text);
		assert_int_equal(count_entries("/proc/self/fd"), descriptors);
		assert_int_equal(count_entries("/proc/self/task"), threads);
		close(fd);
	}
}

static void two_servers_do_not_share_a_port(void **state)
{
	struct server *server =
		standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}, .workers = 2});
	struct address_port at = server_listen(server, 0);
	char text[ADDRESS_PORT_TEXT_SIZE];
	struct err err;

	(void)state;
	address_port_print(&at, text);

	struct standin_options same = {.listen = {text}, .workers = 2};

	assert_null(standin_try(&same, &err));
	server_stop(server);
	server = standin_start(&same); /* and it is free at once */
	server_stop(server);
}

static void other_refusals_name_what_to_do(void **state)
{
	struct err err;

	(void)state;
	assert_null(standin_try(&(struct standin_options){.listen = {"192.0.2.1:0"}}, &err));
	assert_string_equal(err.text,
		"cannot listen on 192.0.2.1:0: no interface of this machine has this address");
}

/* As root the test becomes someone else for it; where every port is free to all there is nothing
 * to see. */
static void a_privileged_port_names_its_capability(void **state)
{
	struct err err;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int first_free = 1024;

	(void)state;
	if (file) {
		if (fscanf(file, "%d", &first_free) != 1)
			first_free = 1024;
		fclose(file);
	}
	if (first_free <= 53)
		skip();
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);

	struct server *server =
		standin_try(&(struct standin_options){.listen = {"127.0.0.1:53"}}, &err);

	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_null(server);
	assert_non_null(strstr(err.text, "port 53 needs CAP_NET_BIND_SERVICE: "));
}

static size_t read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t number = 0;

	if (!file)
		skip(); /* not told within a container */
	if (fscanf(file, "%zu", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static void buffers_are_what_the_kernel_grants(void **state)
{
	size_t receive_max = read_number("/proc/sys/net/core/rmem_max");
	size_t send_max = read_number("/proc/sys/net/core/wmem_max");
	struct server *server = standin_start(&(struct standin_options){.listen = {"127.0.0.1:0"}});
	struct server_buffers buffers = server_buffers(server);

	(void)state;
	assert_int_equal(buffers.wanted_bytes, 4 << 20);
	assert_int_equal(buffers.receive_bytes,
		receive_max < buffers.wanted_bytes ? receive_max : buffers.wanted_bytes);
	assert_int_equal(buffers.send_bytes,
		send_max < buffers.wanted_bytes ? send_max : buffers.wanted_bytes);
	server_stop(server);
}

struct load {
	struct address_port to;
	atomic_bool is_over;
};

/* Asks without end, over UDP and over connections that come and go. */
static void *load_run(void *argument)
{
	struct load *load = argument;
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&load->to, &kernel);
	int udp_fd = socket(kernel.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int tcp_fd = -1;
	uint8_t segment[42] = {0, 40};

	standin_query(segment + 2, 40, 1, 0);
	for (unsigned i = 0; !atomic_load(&load->is_over); i++) {
		(void)sendto(udp_fd, segment + 2, 40, 0, (struct sockaddr *)&kernel, size);
		if (tcp_fd < 0) {
			tcp_fd = socket(kernel.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
			(void)connect(tcp_fd, (struct sockaddr *)&kernel, size);
		}
		(void)send(tcp_fd, segment, sizeof(segment), MSG_NOSIGNAL);
		(void)recv(tcp_fd, &(uint8_t[200]){0}, 200, 0);
		if (i % 20 == 0) {
			close(tcp_fd);
			tcp_fd = -1;
		}
	}
	if (tcp_fd >= 0)
		close(tcp_fd);
	close(udp_fd);
	return NULL;
}

static void it_stops_while_loaded(void **state)
{
	enum { ROUNDS = 10 };
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct server *server = standin_start(
			&(struct standin_options){.listen = {"127.0.0.1:0"}, .workers = 2});
		struct load load = {.to = server_listen(server, 0)};
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, load_run, &load), 0);
		while (standin_counter(server, STATS_UDP_QUERIES) < 100 ||
			standin_counter(server, STATS_TCP_QUERIES) < 100)
			usleep(100);
		server_stop(server);
		atomic_store(&load.is_over, true);
		pthread_join(thread, NULL);
	}
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	server_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_zero_is_one_port_for_udp_and_tcp),
		cmocka_unit_test(a_taken_port_is_one_clear_line),
		cmocka_unit_test(two_servers_do_not_share_a_port),
		cmocka_unit_test(other_refusals_name_what_to_do),
		cmocka_unit_test(a_privileged_port_names_its_capability),
		cmocka_unit_test(buffers_are_what_the_kernel_grants),
		cmocka_unit_test(it_stops_while_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
