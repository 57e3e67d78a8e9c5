/* SPDX-License-Identifier: Apache-2.0 */

/* Both ends of the socket pair when the other one misbehaves. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

static bool has_ended_twice(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	return steerd->ended_count >= 2;
}

/* Programs that are not a prober: scripts, or what is there. */
static const struct {
	const char *about;
	const char *program; /* NULL: the script */
	const char *script;
	const char *want;
} programs[] = {
	{"not there", "./nonexistent/prober", NULL,
		"'./nonexistent/prober' cannot be started: No such file or directory"},
	{"not a program", "/dev/null", NULL, "'/dev/null' cannot be started: Permission denied"},
	{"ends at once", NULL, "exit 4", "ended with exit code 4"},
	{"dies", NULL, "kill -9 $$", "killed by signal 9"},
	{"closes the socket and lives on", NULL, "exec 3>&-; exec sleep 100", "killed by signal 9"},
	{"talks nonsense", NULL, "echo something >&3; exec sleep 100", "what it sent is no frame"},
	{"announces too much", NULL, "printf '\\377\\377\\377\\377\\002' >&3; exec sleep 100",
		"what it sent is no frame"},
	{"gives orders", NULL, "printf '\\000\\000\\000\\000\\001' >&3; exec sleep 100",
		"it sent orders"},
	{"sends an empty table", NULL, "printf '\\000\\000\\000\\000\\002' >&3; exec sleep 100",
		"the verdicts are cut short"},
	{"sends states before a table", NULL,
		"printf '\\000\\000\\000\\020\\003" /* of generation 1, no rows */
		"\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\000"
		"\\106\\265\\357\\337' >&3; exec sleep 100",
		"its states do not fit its table"},
	{"sends states of the wrong length", NULL,
		"printf '\\000\\000\\000\\001\\003x' >&3; exec sleep 100",
		"the states are cut short, or too long"},
	{"sends findings that are none", NULL,
		"printf '\\000\\000\\000\\001\\006x' >&3; exec sleep 100",
		"the findings are cut short"},
	{"sends half a frame and ends", NULL, "printf '\\000\\000\\000\\100\\002abc' >&3",
		"ended with exit code 0"},
};

static void a_prober_that_is_none(void **state)
{
	char directory[] = "/tmp/steerd-supervise-XXXXXX";
	struct text path = {0};
	const struct link_orders none = {.targets = {.generation = 1}};

	(void)state;
	assert_non_null(mkdtemp(directory));
	text_print(&path, "%s/prober", directory);
	for (size_t i = 0; i < COUNT_OF(programs); i++) {
		struct rig_steerd steerd;

		if (programs[i].script) {
			FILE *file = fopen(path.bytes, "we");

			assert_non_null(file);
			fprintf(file, "#!/bin/sh\n%s\n", programs[i].script);
			fclose(file);
			chmod(path.bytes, 0700);
		}
		rig_start_steerd(
			&steerd, programs[i].script ? path.bytes : programs[i].program, &none);
		rig_wait(&steerd, has_ended_twice, NULL, programs[i].about);
		if (strcmp(steerd.why, programs[i].want) != 0)
			fail_msg("%s: %s", programs[i].about, steerd.why);
		assert_int_equal(steerd.table_count, 0);
		rig_stop_steerd(&steerd);
	}
	unlink(path.bytes);
	rmdir(directory);
	text_done(&path);
}

static bool is_renewed_thrice(const struct rig_steerd *steerd, const void *context)
{
	struct supervise_state now;

	(void)context;
	supervise_get_state(steerd->supervise, &now);
	return now.renew_count >= 3;
}

/* One that wants to be started again is, without being counted as dead or waited for longer each time. */
static void it_ends_on_purpose(void **state)
{
	char path[] = "/tmp/steerd-supervise-XXXXXX";
	/* the first one dies; those after it know that they are not the first */
	const char script[] = "#!/bin/sh\n[ -n \"$STEERD_PROBER_AGAIN\" ] && exit 3\nexit 4\n";
	const struct link_orders none = {.targets = {.generation = 1}};
	struct rig_steerd steerd;
	struct supervise_state now;
	int fd = mkostemp(path, O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, script, strlen(script)), strlen(script));
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
	rig_start_steerd(&steerd, path, &none);
	rig_wait(&steerd, is_renewed_thrice, NULL, "three starts");
	supervise_get_state(steerd.supervise, &now);
	assert_int_equal(now.restart_count, 1);
	assert_int_equal(steerd.ended_count, 1);
	assert_true(now.next_start_in_ms <= 100);
	rig_stop_steerd(&steerd);
	unlink(path);
}

/* ---- counters ---- */

static bool has_refused_twice(const struct rig_steerd *steerd, const void *context)
{
	struct supervise_state state;

	(void)context;
	supervise_get_state(steerd->supervise, &state);
	return state.refused_count >= 2;
}

static bool has_started_twice(const struct rig_steerd *steerd, const void *context)
{
	(void)context;
	return steerd->started_count >= 2;
}

/* A table whose rows are not those of the targets: its prober is replaced, as one that talks nonsense is. */
static void a_table_that_does_not_fit(void **state)
{
	const struct link_orders none = {.targets = {.generation = 1}};
	struct rig_steerd steerd;

	(void)state;
	rig_start_steerd(&steerd, RIG_PROBER, &none);
	steerd.refuses_tables = true;
	rig_wait(&steerd, has_refused_twice, NULL, "refusals");
	assert_string_equal(steerd.why, "its table does not fit what is checked");
	assert_int_equal(steerd.table_count, 0);
	rig_wait(&steerd, has_started_twice, NULL, "another one");
	rig_stop_steerd(&steerd);
}

static bool has_dropped_one(const struct rig_steerd *steerd, const void *context)
{
	struct supervise_state state;

	(void)context;
	supervise_get_state(steerd->supervise, &state);
	return state.stale_count > 0;
}

/* The orders change as a table for the old ones is on its way: it is dropped, and no harm is seen in it. */
static void a_table_of_another_generation(void **state)
{
	const struct link_orders none = {.targets = {.generation = 1}};
	struct rig_steerd steerd;
	struct supervise_state standing;

	(void)state;
	rig_start_steerd(&steerd, "./tests/tools/liar", &none);
	rig_wait(&steerd, has_dropped_one, NULL, "a table that is dropped");
	supervise_get_state(steerd.supervise, &standing);
	assert_int_equal(standing.table_count, 0);
	assert_int_equal(standing.refused_count, 0);
	assert_int_equal(steerd.ended_count, 0);
	rig_stop_steerd(&steerd);
}

/* Says what it found of the world that it was started in. */
static void it_inherits_nothing(void **state)
{
	char directory[] = "/tmp/steerd-supervise-XXXXXX";
	struct text path = {0};
	const struct link_orders none = {.targets = {.generation = 1}};
	struct rig_steerd steerd;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	text_print(&path, "%s/prober", directory);
	file = fopen(path.bytes, "we");
	assert_non_null(file);
	/* 0, 1, 2, 3 and the script itself; the exit code tells */
	setenv("STEERD_TEST_SECRET", "secret", 1);
	setenv("TZ", "UTC", 1);
	/* what a shell sets of itself: PWD, OLDPWD, SHLVL, _ */
	fprintf(file,
		"#!/bin/bash\n"
		"env | grep -q secret && exit 13\n"
		"env | grep -qx TZ=UTC || exit 14\n"
		"env | grep -vqE "
		"'^(PATH|LANG|TZ|JOURNAL_STREAM|STEERD_PROBER_NAMESERVERS|STEERD_PROBER_AGAIN|"
		"SSL_CERT_FILE|SSL_CERT_DIR|[A-Z]+_OPTIONS|PWD|OLDPWD|SHLVL|_)=' && exit 15\n"
		"[ -S /proc/self/fd/3 ] || exit 10\n"
		"[ \"$(readlink /proc/$$/fd/0)\" = /dev/null ] || exit 11\n"
		"for fd in 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$fd ] && exit 12; done\n"
		"exit 42\n");
	fclose(file);
	chmod(path.bytes, 0700);

	int leaked[4];

	for (size_t i = 0; i < COUNT_OF(leaked); i++)
		leaked[i] = dup(STDERR_FILENO); /* without O_CLOEXEC */
	rig_start_steerd(&steerd, path.bytes, &none);
	rig_wait(&steerd, has_ended_twice, NULL, "its end");
	assert_string_equal(steerd.why, "ended with exit code 42");
	rig_stop_steerd(&steerd);
	for (size_t i = 0; i < COUNT_OF(leaked); i++)
		close(leaked[i]);
	unlink(path.bytes);
	rmdir(directory);
	text_done(&path);
}

/* ---- the prober, when steerd misbehaves ---- */

static pid_t spawn_prober(int *ret_fd)
{
	char *words[] = {(char *)RIG_PROBER, NULL};
	posix_spawn_file_actions_t files;
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, pair[1], 3);
	assert_int_equal(posix_spawn(&pid, RIG_PROBER, &files, NULL, words, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	close(pair[1]);
	*ret_fd = pair[0];
	return pid;
}

static int exit_code_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const struct {
	const char *about;
	const char *bytes;
	size_t size;
	int want;
} inputs[] = {
	{"nothing, and the end", "", 0, 0},
	{"half a frame, and the end", "\0\0\1\0\1abc", 8, 0},
	{"no frame", "GET / HTTP/1.1\r\n", 16, 1},
	{"verdicts", "\0\0\0\0\2", 5, 1},
	{"empty orders", "\0\0\0\0\1", 5, 1},
	{"orders of another version", "\0\0\0\11\1\77\0\0\0\0\0\0\0\1", 14, 1},
};

static void the_end_of_steerd_is_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(inputs); i++) {
		int fd;
		pid_t pid = spawn_prober(&fd);
		int got;

		assert_int_equal(
			send(fd, inputs[i].bytes, inputs[i].size, MSG_NOSIGNAL), inputs[i].size);
		shutdown(fd, SHUT_WR);
		got = exit_code_of(pid);
		close(fd);
		if (got != inputs[i].want)
			fail_msg("%s: exit code %d", inputs[i].about, got);
	}
	assert_int_equal(WEXITSTATUS(system(RIG_PROBER " 3<&- 2>/dev/null")), 2);
	assert_int_equal(WEXITSTATUS(system(RIG_PROBER " 3</dev/null 2>/dev/null")), 2);
	assert_int_equal(WEXITSTATUS(system(RIG_PROBER " nonsense 2>/dev/null")), 2);
}

#define MANY 2000

static bool send_all(int fd, const struct text *frame)
{
	size_t sent = 0;

	while (sent < frame->size) {
		ssize_t size = send(fd, frame->bytes + sent, frame->size - sent, MSG_NOSIGNAL);

		if (size < 0)
			return false;
		sent += (size_t)size;
	}
	return true;
}

/*
 * steerd gives orders again and again and reads nothing; then it reads.  What comes is whole tables
 * in order, the newest one among them, and by far not one for each of the orders.
 */
static void only_the_newest_table_waits(void **state)
{
	enum { ROUNDS = 60 };
	struct target *targets = memory_new(MANY * sizeof(targets[0]));
	char(*keys)[24] = memory_new(MANY * sizeof(keys[0]));
	struct text frame = {0};
	struct text in = {0};
	size_t tables = 0;
	uint64_t newest = 0;
	int fd;
	pid_t pid = spawn_prober(&fd);

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		char address[24];

		snprintf(keys[i], sizeof(keys[i]), "t%zu", i);
		snprintf(address, sizeof(address), "192.0.%zu.%zu", i / 256, i % 256);
		targets[i] = rig_target(keys[i], TARGET_NONE, address);
	}
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		struct link_orders orders = {
			.targets = {.generation = i, .targets = targets, .count = MANY},
			.verdicts = {.generation = i},
		};

		text_clear(&frame);
		link_write_orders(&orders, &frame);
		assert_true(send_all(fd, &frame));
	}
	while (newest < ROUNDS) {
		char piece[65536];
		ssize_t size = recv(fd, piece, sizeof(piece), 0);
		enum link_kind kind;
		const uint8_t *body;
		size_t frame_size;

		assert_true(size > 0);
		text_add_bytes(&in, piece, (size_t)size);
		while (link_find_frame(in.bytes, in.size, &kind, &body, &frame_size) &&
			frame_size > 0) {
			struct verdict_table table;
			struct err err;

			assert_true(link_read_verdicts(
				body, frame_size - LINK_FRAME_HEADER, &table, &err));
			assert_true(table.generation >= newest);
			assert_int_equal(table.count, MANY);
			newest = table.generation;
			tables++;
			verdict_table_done(&table);
			in.size -= frame_size;
			memmove(in.bytes, in.bytes + frame_size, in.size);
		}
	}
	assert_true(tables < ROUNDS);
	close(fd);
	assert_int_equal(exit_code_of(pid), 0);
	text_done(&frame);
	text_done(&in);
	free(targets);
	free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prober_that_is_none),
		cmocka_unit_test(it_ends_on_purpose),
		cmocka_unit_test(a_table_that_does_not_fit),
		cmocka_unit_test(a_table_of_another_generation),
		cmocka_unit_test(it_inherits_nothing),
		cmocka_unit_test(the_end_of_steerd_is_its_end),
		cmocka_unit_test(only_the_newest_table_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
