/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <assert.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../src/ctl/print.h"
#include "../../unit/geo/mmdb_writer.h"
#include "standin.h"
#include "steerd/base/clock.h"
#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/link/link.h"

#define BEGIN_UNIX_S 1700000000

/* ---- the texts --------------------------------------------------------------------------------------- */

#define YAML_HEAD                                                                                  \
	"listen: [\"127.0.0.1:0\"]\nworkers: 1\nzones: zones/\nstate: state\n"                     \
	"control: run/control\ngeo: {networks: networks.csv, city: city.mmdb}\n"                   \
	"sites:\n  fra: {at: [50.11, 8.68]}\n  iad: {at: [38.95, -77.45]}\n"                       \
	"  sin: {at: [1.35, 103.99]}\n"
#define YAML_MONITOR "monitors:\n  edge: {https: {host: dl.files.example, path: /health}}\n"
#define YAML_LAST                                                                                  \
	"  last:\n    method: all\n    when-all-down: fallback\n    monitor: edge\n"               \
	"    members:\n      z-1: {address: 192.0.2.99}\n"
#define YAML_API                                                                                   \
	"  api:\n    method: failover\n    monitor: edge\n    members:\n"                          \
	"      fra-1: {address: 192.0.2.10}\n      rest: {pool: last}\n"
#define YAML_DOWNLOADS                                                                             \
	"  downloads:\n    method: nearest\n    answers: 2\n    monitor: edge\n    members:\n"     \
	"      fra-1: {site: fra, address: [192.0.2.10, \"2001:db8:1::10\"]}\n"                    \
	"      fra-2: {site: fra, address: 192.0.2.11}\n"                                          \
	"      iad-1: {site: iad, address: 192.0.2.20}\n"
#define YAML_HOSTS                                                                                 \
	"  hosts:\n    method: weighted\n    answers: 2\n    monitor: edge\n    members:\n"        \
	"      one: {host: one.cdn.example, weight: 3}\n"                                          \
	"      two: {host: two.cdn.example, weight: 0}\n"
/* A tree of three pools, others methods and weights, a member without a check. */
#define YAML_OTHERS                                                                                \
	"  downloads:\n    method: weighted\n    answers: 1\n    monitor: edge\n    members:\n"    \
	"      fra-1: {address: [192.0.2.10, \"2001:db8:1::10\"], weight: 7}\n"                    \
	"      sin-1: {address: [192.0.2.30, \"2001:db8:3::30\"], weight: 1}\n"                    \
	"      more: {pool: api, weight: 2}\n"                                                     \
	"  api:\n    method: nearest\n    answers: 3\n    members:\n"                              \
	"      sin-2: {site: sin, address: 192.0.2.31}\n"                                          \
	"      iad-1: {site: iad, address: 192.0.2.20}\n      rest: {site: fra, pool: last}\n"

/* Whatever is believed otherwise than it is seen. */
#define YAML_BELIEVED                                                                              \
	"observer: {canaries: last, networks: 1, suspect-above: 90%}\n"                            \
	"monitors:\n  edge: {https: {host: dl.files.example, path: /health}}\n"                    \
	"  deep: {http: {host: dl.files.example, path: /deep}}\n"                                  \
	"pools:\n"                                                                                 \
	"  downloads:\n    method: nearest\n    answers: 2\n    when-all-down: last-good\n"        \
	"    monitor: {any-of: [edge, {not: deep}]}\n    panic-below: 60%\n"                       \
	"    degraded-share: 25%\n    slow-start: 60s\n    failback-delay: 10s\n"                  \
	"    needs: last\n    members:\n"                                                          \
	"      fra-1: {site: fra, address: [192.0.2.10, \"2001:db8:1::10\"], capacity: 40}\n"      \
	"      iad-1: {site: iad, address: 192.0.2.20, monitor: edge}\n"                           \
	"      more: {site: sin, pool: api}\n"                                                     \
	"  api:\n    method: weighted\n    when-all-down: fenced\n    monitor: edge\n"             \
	"    watch-only: [deep]\n    max-loss: 100%\n    manual-return: yes\n    members:\n"       \
	"      fra-1: {address: 192.0.2.10}\n"                                                     \
	"      sin-1: {address: [192.0.2.30, 192.0.2.31], weight: 2}\n"

/* With all that holds back what is believed. */
#define YAML_GUARDED                                                                               \
	"  downloads:\n    method: weighted\n    answers: 2\n    monitor: edge\n"                  \
	"    panic-below: 40%\n    max-loss: 30%\n    slow-start: 30s\n    manual-return: yes\n"   \
	"    needs: last\n    without: degraded\n    when-all-down: last-good\n    members:\n"     \
	"      fra-1: {address: [192.0.2.10, \"2001:db8:1::10\"], capacity: 3}\n"                  \
	"      fra-2: {address: 198.18.0.11}\n      iad-1: {address: 203.0.113.20}\n"              \
	"  api:\n    method: failover\n    monitor: edge\n    when-all-down: fenced\n"             \
	"    failback-delay: 60s\n    members:\n"                                                  \
	"      fra-1: {address: 192.0.2.10}\n      more: {pool: downloads}\n"                      \
	"      one: {host: one.cdn.example}\n"
#define YAML_OBSERVER "observer: {canaries: last, suspect-above: 40%, networks: 2, confirm: 30s}\n"

#define ZONE_HEAD                                                                                  \
	"$TTL 3600\n@ SOA ns1 hostmaster 2026112201 7200 900 1209600 60\n@ NS ns1\n"               \
	"ns1 A 192.0.2.1\n"
#define ZONE_STEERED                                                                               \
	"dl A 192.0.2.2\ndl TXT \"d\"\n_steer.dl 30 TXT \"pool=downloads\"\n"                      \
	"_steer.api 60 TXT \"pool=api\"\nlast A 192.0.2.3\n_steer.last 60 TXT \"pool=last\"\n"

static const char *const settings_texts[] = {
	YAML_HEAD YAML_MONITOR "pools:\n" YAML_DOWNLOADS YAML_API YAML_LAST,
	YAML_HEAD YAML_MONITOR "pools:\n" YAML_DOWNLOADS YAML_API YAML_LAST YAML_HOSTS,
	YAML_HEAD YAML_MONITOR "pools:\n" YAML_OTHERS YAML_LAST,
	YAML_HEAD YAML_MONITOR "pools:\n" YAML_OTHERS YAML_LAST YAML_HOSTS,
	YAML_HEAD YAML_MONITOR "pools:\n" YAML_DOWNLOADS YAML_LAST, /* api is gone */
	YAML_HEAD YAML_MONITOR "pools:\n" YAML_GUARDED YAML_LAST YAML_OBSERVER,
	YAML_HEAD YAML_MONITOR "pools: [",
	"",
	NULL,
	YAML_HEAD YAML_BELIEVED YAML_LAST,
};

static const char *const zone_texts[] = {
	ZONE_HEAD ZONE_STEERED "_steer.*.w 60 TXT \"pool=downloads\"\n",
	ZONE_HEAD ZONE_STEERED "_steer 60 TXT \"pool=downloads\"\n_steer.*.w 5 TXT \"pool=last\"\n"
			       "dl HTTPS 1 . alpn=h2 ipv4hint=192.0.2.2 ipv6hint=2001:db8::2\n"
			       "last HTTPS 1 . ipv4hint=192.0.2.3 ipv6hint=2001:db8::2\n"
			       "dl AAAA 2001:db8::2\nalias CNAME dl\nd DNAME w\nsub NS ns.sub\n"
			       "ns.sub A 192.0.2.4\n",
	ZONE_HEAD "dl A 192.0.2.2\nwww CNAME dl\n",
	ZONE_HEAD ZONE_STEERED "_steer.h 10 TXT \"pool=hosts\"\nh A 192.0.2.5\n"
			       "h HTTPS 1 . ipv4hint=192.0.2.5 ipv6hint=2001:db8::5\n",
	ZONE_HEAD "_steer.dl 30 TXT \"pool=nobody\"\n",
	"@ NS ns1\n",
	"",
	NULL,
};

static const char *const other_texts[] = {
	NULL,
	ZONE_HEAD "_steer.\\000\\255 30 TXT \"pool=api\"\n<script> A 192.0.2.7\n"
		  "a\\.b.\\\\ TXT \"x\"\n",
	ZONE_HEAD "dl A 192.0.2.6\n_steer.*.dl 30 TXT \"pool=last\"\n",
	ZONE_HEAD "@ TXT\n",
};

static const char *const networks_texts[] = {
	"198.18.0.0/16,fra\n198.19.0.0/16,iad\n2a00::/16,iad\n",
	"198.18.0.0/15,iad\n20.1.0.0/16,1.3,103.8\n",
	"# nothing\n",
	"198.18.0.0/16,nowhere\n",
	NULL,
};

/* The first text of each is what a stage begins with; NULL: no such file. */
static const struct {
	const char *name;
	const char *const *texts;
	size_t count;
} files[STAGE_FILES] = {
	{"steerd.yaml", settings_texts, COUNT_OF(settings_texts)},
	{"zones/files.example.zone", zone_texts, COUNT_OF(zone_texts)},
	{"zones/sub.files.example.zone", other_texts, COUNT_OF(other_texts)},
	{"networks.csv", networks_texts, COUNT_OF(networks_texts)},
};

/* ---- files ------------------------------------------------------------------------------------------- */

static char directory[64];
static const struct snapshot *first; /* of the last stage that began */

/* What is there; -1: not yet anything.  The same is not written again. */
static struct {
	int text;
	unsigned position;
	char octet;
} now_there[STAGE_FILES];

static char *path_of(const char *name)
{
	struct text path = {0};

	text_print(&path, "%s/%s", directory, name);
	return path.bytes;
}

static void put_bytes(const char *name, const void *bytes, size_t size)
{
	char *path = path_of(name);
	struct err err;

	if (!file_replace(path, 0600, bytes, size, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	free(path);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void clean_up(void)
{
	(void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	snapshot_release(first);
}

static void make_directory(const char *name)
{
	char *path = path_of(name);

	if (mkdir(path, 0700) < 0)
		abort();
	free(path);
}

static void put_database(void)
{
	struct mmdb_writer writer = {.ip_version = 6, .record_bits = 28};
	struct text file = {0};

	writer_add(&writer, "20.0.0.0/8", writer_nested(&writer, 50, 8, "DE", "Somewhere"));
	writer_add(&writer, "20.2.0.0/16", writer_nested(&writer, 39, -77, "US", "Elsewhere"));
	writer_add(&writer, "2a01::/16", writer_nested(&writer, 1, 104, "SG", "Far"));
	writer_finish(&writer, &file);
	put_bytes("city.mmdb", file.bytes, file.size);
	text_done(&file);
}

/* In memory, where there is such a place: a run writes many files. */
static void prepare(void)
{
	if (directory[0] != '\0')
		return;
	snprintf(directory, sizeof(directory), "%s/steerd-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(directory))
		abort();
	atexit(clean_up);
	for (unsigned i = 0; i < STAGE_FILES; i++)
		now_there[i].text = -1;
	make_directory("zones");
	put_database();
}

void stage_put(unsigned file, unsigned text, unsigned position, char octet)
{
	unsigned chosen = text % (unsigned)files[file].count;
	const char *content = files[file].texts[chosen];
	char *path;

	if (now_there[file].text == (int)chosen && now_there[file].octet == octet &&
		now_there[file].position == position)
		return;
	now_there[file].text = (int)chosen;
	now_there[file].octet = octet;
	now_there[file].position = position;
	path = path_of(files[file].name);
	if (content) {
		char *copy = memory_text(content);
		size_t size = strlen(copy);

		if (octet != '\0' && size > 0)
			copy[position % size] = octet;
		put_bytes(files[file].name, copy, size);
		free(copy);
	} else {
		(void)unlink(path);
	}
	free(path);
}

static const char *const state_files[] = {"state/verdicts", "state/overrides.json"};

void stage_damage_state(unsigned which, unsigned position, uint8_t change)
{
	const char *name = state_files[which % COUNT_OF(state_files)];
	char *path = path_of(name);
	struct text bytes = {0};
	struct err err;

	if (file_read(path, (size_t)1 << 20, &bytes, &err) && bytes.size > 0) {
		bytes.bytes[position % bytes.size] ^= (char)change;
		put_bytes(name, bytes.bytes, bytes.size);
	}
	text_done(&bytes);
	free(path);
}

/* ---- the process ------------------------------------------------------------------------------------- */

static void on_swapped(void *context)
{
	struct stage *stage = context;

	stage->swapped++;
}

static const struct snapshot *read_files(const struct snapshot *previous)
{
	const struct snapshot_options options = {.previous = previous};
	char *path = path_of(files[0].name);
	struct report report = {0};
	const struct snapshot *snapshot = snapshot_read(path, &options, &report);

	report_done(&report);
	free(path);
	return snapshot;
}

static void start_with(struct stage *stage, const struct snapshot *snapshot)
{
	char *state_path =
		path_of("state"); /* not the settings', which the input may have changed */
	struct err err;
	struct state *state = state_open(state_path, &err);

	assert(state);
	free(state_path);
	fixed_init(&stage->fixed, snapshot->settings);
	world_init(&stage->world, snapshot, state, NULL);
	stage->reload = (struct reload){
		.path = path_of(files[0].name),
		.world = &stage->world,
		.fixed = &stage->fixed,
		.swapped = on_swapped,
		.context = stage,
	};
	reload_init(&stage->reload);
}

void stage_start(struct stage *stage)
{
	const struct snapshot *snapshot = read_files(NULL);

	/* with such files steerd does not start: someone mends them */
	for (unsigned i = 0; !snapshot && i < STAGE_FILES; i++)
		stage_put(i, 0, 0, '\0');
	if (!snapshot)
		snapshot = read_files(NULL);
	assert(snapshot);
	start_with(stage, snapshot);
}

void stage_stop(struct stage *stage, bool saves)
{
	while (standin_has_job())
		standin_turn_job();
	if (saves)
		world_save(&stage->world);
	world_done(&stage->world);
	free((char *)(uintptr_t)stage->reload.path);
	reload_done(&stage->reload);
	fixed_done(&stage->fixed);
}

void stage_begin(struct stage *stage)
{
	prepare();
	standin_set_clock(BEGIN_UNIX_S);
	for (unsigned i = 0; i < STAGE_FILES; i++)
		stage_put(i, 0, 0, '\0');
	for (size_t i = 0; i < COUNT_OF(state_files); i++) {
		char *path = path_of(state_files[i]);

		(void)unlink(path);
		free(path);
	}
	memset(stage, 0, sizeof(*stage));

	/* what did not change since then is shared: half of the time would go into the same geography */
	const struct snapshot *snapshot = read_files(first);

	assert(snapshot);
	snapshot_release(first);
	first = snapshot_hold(snapshot);
	start_with(stage, snapshot);
}

void stage_end(struct stage *stage)
{
	stage_stop(stage, false);
	text_done(&stage->late);
}

/* ---- what comes in ----------------------------------------------------------------------------------- */

static void add_row(
	struct verdict_table *table, target_id target, const struct address *address, uint8_t octet)
{
	struct verdict *row = &table->rows[table->count++];

	*row = (struct verdict){
		.target = target,
		.address = *address,
		.state = octet % 4,
		.since_unix_s = BEGIN_UNIX_S + octet,
		.checked_at_unix_s = clock_unix_s(),
		.latency_ms = octet,
		.streak = octet,
		.last_passed = octet % 4 == VERDICT_UP || octet % 4 == VERDICT_DEGRADED,
	};
	if (row->state == VERDICT_DOWN)
		snprintf(row->reason, sizeof(row->reason), "answered %u", 500u + octet);
}

/* A host has up to three addresses; it may have lost them all. */
static void add_host_rows(struct verdict_table *table, target_id target, uint8_t octet)
{
	for (unsigned i = 0; i < octet / 3 % 4; i++) {
		struct address address = {ADDRESS_IPV4, {192, 0, 2, (uint8_t)(200 + i)}};

		if (i == 2)
			address = (struct address){ADDRESS_IPV6, {0x20, 1, 0x0d, 0xb8, [15] = 200}};
		add_row(table, target, &address, (uint8_t)(octet >> i));
	}
}

void stage_make_verdicts(struct stage *stage, const uint8_t *states, size_t count)
{
	const struct target_list *targets = &world_snapshot(&stage->world)->targets;
	struct verdict_table table = {.generation = targets->generation};

	table.rows = memory_new((3 * targets->count + 1) * sizeof(table.rows[0]));
	for (target_id i = 0; i < targets->count; i++) {
		const struct address *address = &targets->targets[i].address;
		uint8_t octet = count > 0 ? states[i % count] : 0;

		if (address->family != ADDRESS_NONE)
			add_row(&table, i, address, octet);
		else
			add_host_rows(&table, i, octet);
	}
	text_clear(&stage->late);
	link_write_verdicts(&table, &stage->late);
	verdict_table_done(&table);
}

void stage_make_states(struct stage *stage, const uint8_t *states, size_t count)
{
	const struct verdict_table *table = &stage->world.verdicts;
	uint8_t *bits = memory_new(link_states_size(table->count) + 1);
	const struct link_states told = {
		.generation = table->generation, .row_count = table->count, .bits = bits};

	for (size_t i = 0; i < table->count; i++)
		link_states_set(bits, i, (uint8_t)(count > 0 ? states[i % count] % 4 : 0));
	text_clear(&stage->late);
	link_write_states(&told, &stage->late);
	free(bits);
}

static void take_table(struct stage *stage, const uint8_t *body, size_t size)
{
	struct verdict_table table;
	struct err err;

	if (!link_read_verdicts(body, size, &table, &err))
		return;
	world_take_verdicts(&stage->world, &table);
	verdict_table_done(&table);
}

static void take_states(struct stage *stage, const uint8_t *body, size_t size)
{
	struct link_states states;
	struct err err;

	if (link_read_states(body, size, &states, &err))
		world_take_states(&stage->world, &states);
}

void stage_take_frame(struct stage *stage, const void *bytes, size_t size)
{
	enum link_kind kind;
	const uint8_t *body;
	size_t frame_size;

	if (!link_find_frame(bytes, size, &kind, &body, &frame_size) || frame_size == 0)
		return;
	if (kind == LINK_VERDICTS)
		take_table(stage, body, frame_size - LINK_FRAME_HEADER);
	else if (kind == LINK_STATES)
		take_states(stage, body, frame_size - LINK_FRAME_HEADER);
}

/* ---- what is asked ----------------------------------------------------------------------------------- */

static void describe(void *context, struct control_facts *ret_facts)
{
	const struct stage *stage = context;
	const struct world *world = &stage->world;

	*ret_facts = (struct control_facts){
		.plan = live_current(world->live),
		.verdicts = &world->verdicts,
		.overrides = &world->overrides,
		.now_unix_s = clock_unix_s(),
		.started_at_unix_s = BEGIN_UNIX_S,
		.reload = {stage->reload.at_unix_s, stage->reload.done,
			stage->reload.lines.size > 0 ? stage->reload.lines.bytes : NULL},
		.state_error = *world->keep.error.text ? world->keep.error.text : NULL,
	};
}

static bool say_override(void *context, const struct override *override, struct err *err)
{
	struct stage *stage = context;

	return world_override(&stage->world, override, err);
}

static size_t let_back(void *context, uint32_t member_id)
{
	struct stage *stage = context;

	return world_return(&stage->world, member_id);
}

/* What steerctl makes of it holds no order to the terminal. */
static void show(const json_t *reply, enum command_id command)
{
	char *shown = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&shown, &size);

	assert(out);
	if (command == COMMAND_STATUS)
		print_status(reply, out, false);
	else if (command == COMMAND_EXPLAIN)
		print_explain(reply, out, false);
	else
		print_outcome(reply, out, false);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		assert(shown[i] == '\n' || ((unsigned char)shown[i] >= ' ' && shown[i] != 0x7f));
	free(shown);
}

json_t *stage_request(struct stage *stage, const struct request *request)
{
	const struct control_actions actions = {
		.context = stage,
		.describe = describe,
		.override = say_override,
		.let_back = let_back,
	};
	struct text text = {0};
	json_error_t error;
	json_t *json;

	control_reply(&actions, request, "fuzz", &text);
	json = json_loadb(text.bytes, text.size, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		fprintf(stderr, "'%s': %s\n", text.bytes, error.text);
		abort();
	}
	assert(json_is_boolean(json_object_get(json, "ok")));
	text_done(&text);
	show(json, request->command);
	return json;
}
