/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/clock.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/base/text.h"

#define BACKEND "./tests/tools/backend"
#define WAIT_MAX_MS 60000

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

void rig_make_certificates(struct rig_certificates *certificates)
{
	const char *source = getenv("srcdir");
	struct text command = {0};

	snprintf(certificates->directory, sizeof(certificates->directory),
		"/tmp/steerd-probe-XXXXXX");
	assert_non_null(mkdtemp(certificates->directory));
	text_print(&command, "%s/scripts/make-test-ca %s dl.files.example", source ? source : ".",
		certificates->directory);
	run(command.bytes);
	text_done(&command);
}

void rig_remove_certificates(struct rig_certificates *certificates)
{
	struct text command = {0};

	text_print(&command, "rm -rf %s", certificates->directory);
	run(command.bytes);
	text_done(&command);
}

char *rig_certificate_path(const struct rig_certificates *certificates, const char *name)
{
	struct text path = {0};

	text_print(&path, "%s/%s", certificates->directory, name);
	return path.bytes;
}

/* ---- servers ---- */

static size_t add_server(
	char **words, const struct rig_certificates *certificates, const struct rig_server *server)
{
	struct text stem = {0};
	size_t count = 0;

	words[count++] = memory_text("--listen");
	words[count++] = memory_text(server->listen ? server->listen : "127.0.0.1:0");
	words[count++] = memory_text("--name");
	words[count++] = memory_text(server->name);
	words[count++] = memory_text("--mode");
	words[count++] = memory_text(server->mode ? server->mode : "ok");
	if (server->is_plain)
		words[count++] = memory_text("--plain");
	text_print(&stem, "%s.pem", server->certificate ? server->certificate : "good");
	words[count++] = memory_text("--cert");
	words[count++] = rig_certificate_path(certificates, stem.bytes);
	text_clear(&stem);
	text_print(&stem, "%s.key", server->certificate ? server->certificate : "good");
	words[count++] = memory_text("--key");
	words[count++] = rig_certificate_path(certificates, stem.bytes);
	text_done(&stem);
	return count;
}

static void spawn_backend(struct rig_backend *backend, char **words)
{
	posix_spawn_file_actions_t files;
	int to[2];
	int from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, to[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, from[1], STDOUT_FILENO);
	assert_int_equal(posix_spawn(&backend->pid, BACKEND, &files, NULL, words, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	close(to[0]);
	close(from[1]);
	backend->to = fdopen(to[1], "w");
	backend->from = fdopen(from[0], "r");
}

void rig_start_backend(struct rig_backend *backend, const struct rig_certificates *certificates,
	struct rig_server *servers, size_t count)
{
	char *words[RIG_SERVERS_MAX * 11 + 3] = {memory_text(BACKEND), memory_text("--until-eof")};
	size_t used = 2;
	char line[4096];

	assert_true(count <= RIG_SERVERS_MAX);
	for (size_t i = 0; i < count; i++)
		used += add_server(words + used, certificates, &servers[i]);
	spawn_backend(backend, words);
	while (used > 0)
		free(words[--used]);

	assert_non_null(fgets(line, sizeof(line), backend->from));
	assert_string_equal(strtok(line, " \n"), "ready");
	for (size_t i = 0; i < count; i++) {
		struct address_port listen;
		struct err err;

		assert_true(address_port_parse(strtok(NULL, " \n"), &listen, &err));
		servers[i].port = listen.port;
	}
}

void rig_tell(struct rig_backend *backend, const char *line)
{
	char answer[512];

	fprintf(backend->to, "%s\n", line);
	fflush(backend->to);
	assert_non_null(fgets(answer, sizeof(answer), backend->from));
	if (strncmp(answer, "ok ", 3) != 0)
		fail_msg("%s: %s", line, answer);
}

unsigned long rig_count_requests(struct rig_backend *backend, const char *name)
{
	char answer[512];
	unsigned long connections;
	unsigned long requests;

	fprintf(backend->to, "count %s\n", name);
	fflush(backend->to);
	assert_non_null(fgets(answer, sizeof(answer), backend->from));
	assert_int_equal(
		sscanf(answer, "ok connections=%lu requests=%lu", &connections, &requests), 2);
	return requests;
}

void rig_stop_backend(struct rig_backend *backend)
{
	int status;

	fclose(backend->to);
	assert_int_equal(waitpid(backend->pid, &status, 0), backend->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fclose(backend->from);
}

/* ---- steerd ---- */

static void give_orders(void *context, struct link_orders *ret_orders)
{
	struct rig_steerd *steerd = context;

	*ret_orders = steerd->orders;
}

static bool take_verdicts(void *context, struct verdict_table *table)
{
	struct rig_steerd *steerd = context;

	if (steerd->refuses_tables)
		return false;
	verdict_table_done(&steerd->table);
	steerd->table = *table;
	*table = (struct verdict_table){0};
	steerd->orders.verdicts = steerd->table;
	steerd->table_count++;
	return true;
}

/* What a table says later is said now. */
static void take_states(void *context, const struct link_states *states)
{
	struct rig_steerd *steerd = context;

	assert_int_equal(states->generation, steerd->table.generation);
	assert_int_equal(states->row_count, steerd->table.count);
	for (size_t i = 0; i < steerd->table.count; i++)
		steerd->table.rows[i].state = (uint8_t)link_states_get(states->bits, i);
	steerd->states_count++;
}

static void note_start(void *context, pid_t pid)
{
	struct rig_steerd *steerd = context;

	steerd->pid = pid;
	steerd->started_count++;
}

static void note_end(void *context, const char *why)
{
	struct rig_steerd *steerd = context;

	snprintf(steerd->why, sizeof(steerd->why), "%s", why);
	steerd->ended_count++;
}

void rig_start_steerd(
	struct rig_steerd *steerd, const char *program, const struct link_orders *orders)
{
	const struct supervise_callbacks callbacks = {
		.orders = give_orders,
		.verdicts = take_verdicts,
		.states = take_states,
		.started = note_start,
		.ended = note_end,
		.context = steerd,
	};

	*steerd = (struct rig_steerd){.base = event_base_new(), .orders = *orders};
	steerd->orders.verdicts.generation = orders->targets.generation;
	steerd->supervise = supervise_new(steerd->base, program, &callbacks);
}

void rig_stop_steerd(struct rig_steerd *steerd)
{
	supervise_free(steerd->supervise);
	verdict_table_done(&steerd->table);
	event_base_free(steerd->base);
}

bool rig_await(struct rig_steerd *steerd, bool (*holds)(const struct rig_steerd *, const void *),
	const void *context)
{
	uint64_t end_at_ms = clock_monotonic_ms() + WAIT_MAX_MS;

	while (!holds(steerd, context)) {
		/*
		 * the prober speaks every second, or is started again: the loop never waits for
		 * long
		 */
		event_base_loop(steerd->base, EVLOOP_ONCE);
		if (clock_monotonic_ms() > end_at_ms)
			return false;
	}
	return true;
}

void rig_wait(struct rig_steerd *steerd, bool (*holds)(const struct rig_steerd *, const void *),
	const void *context, const char *about)
{
	if (!rig_await(steerd, holds, context))
		fail_msg("did not come: %s", about);
}

const struct settings_file *rig_file(const char *path)
{
	static struct settings_file files[64];
	struct settings_file *file = files;
	struct text bytes = {0};
	struct err err;

	if (!path)
		return NULL;
	while (file->path && strcmp(file->path, path) != 0)
		file++;
	assert_true(file < files + COUNT_OF(files) - 1);
	if (file->path)
		return file;
	file->path = memory_text(path);
	if (file_read(path, 1 << 20, &bytes, &err)) {
		file->bytes = bytes.bytes;
		file->size = bytes.size;
	} else {
		file->why = memory_text(err.text);
	}
	return file;
}

struct settings_monitor rig_monitor(const char *name, uint16_t port, const char *ca_path)
{
	static const struct settings_status_range expected[] = {{200, 299}};

	return (struct settings_monitor){
		.name = name,
		.host = "dl.files.example",
		.path = "/health",
		.method = "GET",
		.is_tls = true,
		.verifies = true,
		.allows_internal = true,
		.ca = rig_file(ca_path),
		.port = port,
		.every_ms = 300,
		.timeout_ms = 2000,
		.fall = 1,
		.rise = 1,
		.status = expected,
		.status_count = 1,
		.body = "ok",
		.body_bytes = 65536,
	};
}

struct target rig_target(const char *key, uint32_t monitor, const char *address)
{
	struct target target = {.key = key, .monitor = monitor};

	assert_true(address_parse(address, &target.address));
	return target;
}
