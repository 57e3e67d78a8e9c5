/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/daemon/world.c src/daemon/keep.c src/daemon/reload.c src/daemon/changes.c src/plan src/health src/steer */

/*
 * The input is a program: its steps change files, reload them, bring verdicts and overrides, let time pass, restart,
 * and ask.  The parts are real, over real files; jobs run when a step says so, so that anything may happen while a
 * reload is under way.  What holds after every step:
 *
 *	verdicts are of the targets of the snapshot that serves
 *	the generation of the plan only rises, and a plan is another one only if something was taken
 *	a reload that is refused, or was a check, changes no answer
 *	a plan that was made from the one before answers as one that is made from nothing, of what is believed now
 *	steered names are answered as asker.h says, in the plan that serves
 *	what explain shows is what is answered, and every reply of the control socket is JSON, whatever the name
 *
 * With STEERD_FUZZ_READERS=N in the environment, N threads ask the plan that serves all the time, as the server's
 * threads do.  That is for the thread sanitizer.
 */

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/dns/name.h"
#include "steerd/dns/type.h"
#include "world/asker.h"
#include "world/stage.h"
#include "world/standin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Longer programs find no more, and cost time. */
#define STEPS_MAX 48
#define READERS_MAX 8

/* ---- threads that ask -------------------------------------------------------------------------------- */

struct reader {
	pthread_t thread;
	const struct live *live;
	unsigned number;
};

static struct reader readers[READERS_MAX];
static unsigned reader_count;
static atomic_bool are_readers_done;

/* As a worker of the server does: a batch of queries, then a moment in which it holds no plan. */
static void *read_plans(void *argument)
{
	const struct reader *reader = argument;
	struct asker *asker = memory_new(sizeof(*asker));
	uint64_t newest = 0;

	random_seed_with(&asker->random, 100 + reader->number);
	live_join();
	while (!atomic_load_explicit(&are_readers_done, memory_order_relaxed)) {
		const struct plan *plan = live_get(reader->live);

		assert(plan->generation >= newest);
		newest = plan->generation;
		for (unsigned i = 0; i < 4 && zone_set_steered_count(plan->zones) > 0; i++)
			asker_ask_steered(asker, plan,
				random_below(&asker->random,
					(uint32_t)zone_set_steered_count(plan->zones)));
		live_offline();
		sched_yield();
		live_online();
	}
	live_leave();
	free(asker);
	return NULL;
}

static void start_readers(const struct stage *stage)
{
	const char *wanted = getenv("STEERD_FUZZ_READERS");

	reader_count = wanted ? (unsigned)atoi(wanted) : 0;
	assert(reader_count <= READERS_MAX);
	atomic_store(&are_readers_done, false);
	for (unsigned i = 0; i < reader_count; i++) {
		readers[i] = (struct reader){.live = stage->world.live, .number = i};
		if (pthread_create(&readers[i].thread, NULL, read_plans, &readers[i]) != 0)
			abort();
	}
}

static void stop_readers(void)
{
	atomic_store(&are_readers_done, true);
	for (unsigned i = 0; i < reader_count; i++)
		pthread_join(readers[i].thread, NULL);
}

/* ---- the program ------------------------------------------------------------------------------------- */

struct program {
	const uint8_t *at;
	size_t left;
	struct stage stage;
	struct asker asker;
};

/* 0 behind the end. */
static uint8_t next(struct program *program)
{
	if (program->left == 0)
		return 0;
	program->left--;
	return *program->at++;
}

/* So many octets, or what is left of them. */
static const uint8_t *next_run(struct program *program, size_t size, size_t *ret_size)
{
	const uint8_t *run = program->at;

	*ret_size = size < program->left ? size : program->left;
	program->at += *ret_size;
	program->left -= *ret_size;
	return run;
}

static const struct plan *serving(const struct program *program)
{
	return live_current(program->stage.world.live);
}

static void step_put(struct program *program)
{
	unsigned file = next(program) % STAGE_FILES;
	unsigned text = next(program);
	char octet = (char)next(program);
	unsigned position = octet == '\0' ? 0 : next(program) * 5u + next(program);

	stage_put(file, text, position, octet);
}

static void step_reload(struct program *program)
{
	static const enum control_reading kinds[] = {
		CONTROL_RELOAD, CONTROL_RELOAD_FORCE, CONTROL_CHECK};

	reload_start(&program->stage.reload, kinds[next(program) % COUNT_OF(kinds)], NULL);
}

static void step_job(struct program *program)
{
	const struct plan *before = serving(program);
	unsigned swapped = program->stage.swapped;
	uint64_t digest;

	if (!standin_has_job())
		return;
	digest = asker_digest(&program->asker, before);
	standin_turn_job();
	if (program->stage.swapped > swapped)
		return;
	assert(serving(program) == before);
	assert(asker_digest(&program->asker, before) == digest);
}

/* A table; flags: 1 an octet of the frame is another, 2 it is cut off, 4 it is the one before, 8 states alone. */
static void step_verdicts(struct program *program)
{
	uint8_t flags = next(program);
	size_t count;
	const uint8_t *states;
	struct text frame = {0};

	if (!(flags & 4) || program->stage.late.size == 0) {
		states = next_run(program, next(program) % 16, &count);
		if (flags & 8)
			stage_make_states(&program->stage, states, count);
		else
			stage_make_verdicts(&program->stage, states, count);
	}
	text_add_bytes(&frame, program->stage.late.bytes, program->stage.late.size);
	if (flags & 1)
		frame.bytes[next(program) * 3u % frame.size] ^= (char)next(program);
	if (flags & 2)
		frame.size = next(program) % frame.size;
	stage_take_frame(&program->stage, frame.bytes, frame.size);
	text_done(&frame);
}

static const char *const subjects[] = {"downloads/fra-1", "fra-1", "site:fra", "site:iad", "iad-1",
	"z-1", "last/z-1", "one", "nobody", "site:", "/", "api/rest"};

static void step_override(struct program *program)
{
	static const enum command_id commands[] = {
		COMMAND_DRAIN, COMMAND_UNDRAIN, COMMAND_FORCE, COMMAND_RELEASE, COMMAND_RETURN};
	struct request request = {.command = commands[next(program) % COUNT_OF(commands)]};
	uint8_t options = next(program);

	request.text[ARGUMENT_SUBJECT] = subjects[next(program) % COUNT_OF(subjects)];
	request.text[ARGUMENT_STATE] = options & 1 ? "up" : "down";
	request.text[ARGUMENT_REASON] = options & 2 ? "<b>\"work\"</b>" : NULL;
	request.number[ARGUMENT_FOR] = options >> 2;
	json_decref(stage_request(&program->stage, &request));
}

static void step_time(struct program *program)
{
	uint8_t seconds = next(program);

	standin_pass_time(seconds < 250 ? seconds : 86400u * (seconds - 249u));
	world_tick(&program->stage.world);
}

static void step_raw(struct program *program)
{
	size_t size;
	const uint8_t *query = next_run(program, next(program), &size);

	asker_ask_raw(&program->asker, serving(program), query, size);
}

/* ---- explain ----------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

/* Whether the answer is one of the sets that explain shows. */
static bool is_explained(const struct decoded *decoded, const json_t *sets)
{
	const json_t *set;
	size_t index;

	json_array_foreach (sets, index, set) {
		const json_t *addresses = json_object_get(set, "addresses");
		size_t same = 0;

		if (json_array_size(addresses) != decoded->count)
			continue;
		for (size_t i = 0; i < decoded->count; i++) {
			struct address address = {0};

			if (address_parse(
				    json_string_value(json_array_get(addresses, i)), &address))
				same += memcmp(address.bytes, decoded->records[i].rdata,
						decoded->records[i].rdata_size) == 0;
		}
		if (same == decoded->count)
			return true;
	}
	return false;
}

/* Why a client got what it got just now. */
static void step_explain(struct program *program)
{
	const struct plan *plan = serving(program);
	struct asker *asker = &program->asker;
	size_t count = zone_set_steered_count(plan->zones);
	struct request request = {.command = COMMAND_EXPLAIN};
	char name[NAME_TEXT_SIZE];
	char client[PREFIX_TEXT_SIZE];
	char type[TYPE_TEXT_SIZE];
	uint8_t wire[DNS_NAME_MAX];
	uint32_t index;

	if (count == 0)
		return;
	index = next(program) % (uint32_t)count;
	random_seed_with(&asker->random, next(program));
	asker_ask_steered(asker, plan, index);
	if (!asker->decoded.has_ecs || asker->decoded.source_bits == 0)
		return;
	(void)asker_name(zone_set_steered(plan->zones, index), wire);
	name_print(wire, name);
	type_print(asker->decoded.type, type);

	struct prefix prefix = {.bits = asker->decoded.source_bits};

	prefix.address.family = asker->decoded.ecs_family == 1 ? ADDRESS_IPV4 : ADDRESS_IPV6;
	memcpy(prefix.address.bytes, asker->decoded.ecs + 4, asker->decoded.ecs_size - 4);
	prefix_print(&prefix, client);
	request.text[ARGUMENT_NAME] = name;
	request.text[ARGUMENT_TYPE] = type;
	request.text[ARGUMENT_CLIENT] = client;

	json_t *json = stage_request(&program->stage, &request);

	/* of a special-purpose subnet nothing is known, and the answer goes by who sends the query */
	if (json_is_true(json_object_get(json, "steered")) &&
		address_special_bits(&prefix.address) == 0) {
		bool is_empty = asker->decoded.count == 0 ||
			asker->decoded.records[0].section != DECODE_ANSWER;

		if (is_empty)
			assert(json_array_size(json_object_get(json, "answers")) == 0);
		else
			assert(is_explained(&asker->decoded, json_object_get(json, "answers")));
	}
	json_decref(json);
}

/* A name that nobody would type: it is refused, or said again so that it means the same. */
static void step_explain_any(struct program *program)
{
	struct request request = {.command = COMMAND_EXPLAIN};
	size_t size;
	const uint8_t *run = next_run(program, next(program) % 64, &size);
	char name[64 + sizeof(".files.example")];
	struct name_key asked;
	struct name_key said;
	struct err err;

	memcpy(name, run, size);
	strcpy(name + size, size % 2 == 0 ? ".files.example" : "");
	request.text[ARGUMENT_NAME] = name;
	request.text[ARGUMENT_CLIENT] = "198.18.0.1";

	json_t *json = stage_request(&program->stage, &request);

	if (json_is_true(json_object_get(json, "ok"))) {
		assert(name_parse(name, &asked, &err));
		assert(name_parse(text_of(json, "name"), &said, &err));
		assert(asked.size == said.size && memcmp(asked.wire, said.wire, said.size) == 0);
	}
	json_decref(json);
}

static void step_status(struct program *program)
{
	struct request request = {.command = COMMAND_STATUS};

	json_decref(stage_request(&program->stage, &request));
}

/* ---- steps ------------------------------------------------------------------------------------------- */

static void step_ask(struct program *program)
{
	random_seed_with(&program->asker.random, next(program));
	asker_ask_all(&program->asker, serving(program));
}

/* Flags: 1 saved before, 2 and 4 a file of the state is damaged meanwhile. */
static void step_restart(struct program *program)
{
	uint8_t flags = next(program);

	stop_readers();
	stage_stop(&program->stage, flags & 1);
	if (flags & 2)
		stage_damage_state(flags >> 2, next(program) * 3u, next(program));
	stage_start(&program->stage);
	start_readers(&program->stage);
}

static void (*const steps[16])(struct program *program) = {
	step_put,
	step_put,
	step_reload,
	step_reload,
	step_job,
	step_job,
	step_job,
	step_verdicts,
	step_verdicts,
	step_override,
	step_time,
	step_ask,
	step_raw,
	step_explain,
	step_explain_any,
	step_restart,
};

/* The newest verdicts are of the targets that are checked now. */
static void check_verdicts(const struct world *world)
{
	const struct target_list *targets = &world_snapshot(world)->targets;
	const struct verdict_table *table = &world->verdicts;

	assert(table->generation == targets->generation);
	for (size_t i = 0; i < table->count; i++) {
		const struct verdict *row = &table->rows[i];

		assert(row->target < targets->count);
		assert(targets->targets[row->target].host ||
			address_is_equal(&targets->targets[row->target].address, &row->address));
	}
}

static void check_plan(struct program *program)
{
	const struct world *world = &program->stage.world;
	const struct plan_beliefs beliefs = {
		guard_beliefs(world->guard), guard_pools(world->guard)};
	struct plan *fresh = plan_build(world_snapshot(world), &beliefs, &world->overrides, NULL);

	assert(asker_digest(&program->asker, fresh) ==
		asker_digest(&program->asker, serving(program)));
	plan_free(fresh);
}

static void run_step(struct program *program)
{
	const struct plan *before = serving(program);
	uint64_t generation = before->generation;
	unsigned step = next(program);

	steps[step % COUNT_OF(steps)](program);
	if (steps[step % COUNT_OF(steps)] != step_restart) {
		/* the plan before may be gone: its address may not even be another */
		assert(serving(program)->generation >= generation);
		assert(serving(program)->generation > generation || serving(program) == before);
	}
	check_verdicts(&program->stage.world);
	if (serving(program)->generation != generation ||
		steps[step % COUNT_OF(steps)] == step_time)
		check_plan(program);
	else
		asker_ask_all(&program->asker, serving(program));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program *program = memory_new(sizeof(*program));

	program->at = data;
	program->left = size;
	random_seed_with(&program->asker.random, 1);
	stage_begin(&program->stage);
	start_readers(&program->stage);
	for (unsigned i = 0; i < STEPS_MAX && program->left > 0; i++)
		run_step(program);
	check_plan(program);
	step_status(program);
	stop_readers();
	stage_end(&program->stage);
	free(program);
	return 0;
}
