/* SPDX-License-Identifier: Apache-2.0 */
#include "set.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "freeze.h"
#include "outward.h"
#include "reader.h"

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"

#define SUFFIX ".zone"

/* A set being read. */
struct reading {
	struct zone_set *set;
	const struct zone_set *previous; /* NULL: none */
	const struct zone_rules *rules;
	struct report *report;
	char *directory; /* without a final slash */
	struct roster apexes;
	bool is_refused; /* the whole set */
};

/* ---- what others see of a set ---- */

size_t zone_set_count(const struct zone_set *set)
{
	return set->count;
}

const struct zone *zone_set_zone(const struct zone_set *set, size_t index)
{
	return set->zones[index].zone;
}

size_t zone_set_steered_count(const struct zone_set *set)
{
	return set->steered_count;
}

const struct zone_steered *zone_set_steered(const struct zone_set *set, uint32_t index)
{
	return &set->steered[index];
}

size_t zone_set_size_bytes(const struct zone_set *set)
{
	size_t size = sizeof(*set) + set->capacity * sizeof(set->zones[0]) +
		set->roster.slot_count * sizeof(set->roster.slots[0]) +
		set->steered_count * sizeof(set->steered[0]) +
		set->hidden_capacity * sizeof(set->hidden[0]);

	for (size_t i = 0; i < set->count; i++)
		size += arena_size_bytes(set->zones[i].zone->arena);
	return size;
}

void zone_set_free(struct zone_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		zone_release(set->zones[i].zone);
	free(set->zones);
	roster_done(&set->roster);
	free(set->steered);
	free(set->hidden);
	free(set);
}

/* ---- one zone ---- */

static void add_zone(struct reading *reading, struct zone *zone)
{
	struct zone_set *set = reading->set;

	set->zones = MEMORY_GROW(set->zones, set->count, &set->capacity);
	set->zones[set->count] = (struct set_zone){.zone = zone, .parent = NO_ZONE};
	roster_add(&reading->apexes, zone->apex, (uint32_t)set->count++);
}

static struct zone *find_previous(const struct reading *reading, const struct name_key *name)
{
	const struct roster_slot *slot;

	if (!reading->previous)
		return NULL;
	slot = roster_find(&reading->previous->roster, name, 0);
	if (!slot || reading->previous->zones[slot->zone].zone->apex != slot->node)
		return NULL;
	return reading->previous->zones[slot->zone].zone;
}

/* The first of a zone's steered names whose pool is gone; NULL if all are there. */
static const struct zone_steered *find_lost_pool(
	const struct reading *reading, const struct zone *zone)
{
	for (uint32_t i = 0; i < zone->steered_count; i++)
		if (!reading->rules->is_pool(reading->rules->context, zone->steered[i].pool))
			return &zone->steered[i];
	return NULL;
}

static struct zone *read_zone(const struct reading *reading, const char *path,
	const struct name_key *name, const struct zone *previous)
{
	struct draft draft;
	struct zone *zone = NULL;
	struct file_identities identities = {0};
	const struct reader_source source = {
		.path = path, .directory = reading->directory, .rules = reading->rules};
	size_t errors_before = reading->report->error_count;

	draft_init(&draft, name, reading->report);
	reader_read(&draft, &source, &identities);
	if (identities.count > 0)
		check_draft(&draft);
	if (previous && !reading->rules->is_forced)
		check_serial(&draft, previous->serial);
	if (reading->report->error_count == errors_before)
		zone = freeze_draft(&draft, &identities);
	draft_done(&draft);
	free(identities.items);
	return zone;
}

/*
 * A zone that cannot be read anew is served as it was.  When its pools are gone it cannot be: then nothing changes
 * at all, for a half that is new and a half that is old would be worse.
 */
static void keep_zone(
	struct reading *reading, const char *path, struct zone *previous, size_t error_count)
{
	const char *plural = error_count == 1 ? "" : "s";

	if (!previous) {
		report_note(reading->report, "%s: refused, %zu error%s; not served", path,
			error_count, plural);
		return;
	}

	const struct zone_steered *lost = find_lost_pool(reading, previous);

	add_zone(reading, zone_hold(previous));
	if (!lost) {
		report_note(reading->report,
			"%s: refused, %zu error%s; still answering from serial %u", path,
			error_count, plural, previous->serial);
		return;
	}
	report_error(reading->report, (struct report_place){path, 0, 0},
		"refused, %zu error%s; serial %u cannot stay either, for it steers by the pool "
		"'%s', "
		"which does not exist",
		error_count, plural, previous->serial, lost->pool);
	reading->is_refused = true;
}

/* An unchanged file whose instructions no longer hold. */
static void say_lost_pools(const struct reading *reading, const struct zone *zone)
{
	for (uint32_t i = 0; i < zone->steered_count; i++) {
		const struct zone_steered *steered = &zone->steered[i];

		if (!reading->rules->is_pool(reading->rules->context, steered->pool))
			report_error(reading->report,
				(struct report_place){steered->path, steered->line, 0},
				"the pool '%s' does not exist", steered->pool);
	}
}

static void load_zone(struct reading *reading, const char *path, const struct stat *status,
	const struct name_key *name)
{
	struct zone *previous = find_previous(reading, name);
	size_t errors_before = reading->report->error_count;
	struct zone *zone = NULL;

	if (previous && strcmp(previous->path, path) == 0 && zone_is_current(previous, status)) {
		say_lost_pools(reading, previous);
		if (reading->report->error_count == errors_before)
			zone = zone_hold(previous);
	} else {
		zone = read_zone(reading, path, name, previous);
	}
	if (zone)
		add_zone(reading, zone);
	else
		keep_zone(reading, path, previous, reading->report->error_count - errors_before);
}

/* ---- the directory ---- */

/* Hidden files are left alone; but "..zone" is the root's by its name, and says so. */
static bool is_zone_file(const char *file)
{
	size_t size = strlen(file);

	if (size <= strlen(SUFFIX) || strcmp(file + size - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	return file[0] != '.' || strcmp(file, "." SUFFIX) == 0;
}

static void load_file(struct reading *reading, const char *file)
{
	struct text path = {0};
	struct text name = {0};
	struct name_key key;
	struct stat status = {0};
	struct err err;

	text_print(&path, "%s/%s", reading->directory, file);
	text_add_bytes(&name, file, strlen(file) - strlen(SUFFIX));

	const struct report_place place = {path.bytes, 0, 0};

	/* Asked once for each file: of ten thousand zones that did not change, this is most of the work.  What cannot
	 * be seen is reported by who reads it. */
	(void)stat(path.bytes, &status);
	if (S_ISDIR(status.st_mode))
		goto out;
	if (!name_parse(name.bytes, &key, &err)) {
		report_error(reading->report, place, "not the name of a zone: %s", err.text);
		goto out;
	}
	if (key.label_count == 0) {
		report_error(reading->report, place, "the root zone cannot be served");
		goto out;
	}

	const struct roster_slot *twin = roster_find(&reading->apexes, &key, 0);

	if (twin)
		report_error(reading->report, place, "the same zone as '%s'",
			reading->set->zones[twin->zone].zone->path);
	else
		load_zone(reading, path.bytes, &status, &key);
out:
	text_done(&path);
	text_done(&name);
}

static int filter_zone_file(const struct dirent *entry)
{
	return is_zone_file(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_directory(struct reading *reading)
{
	const struct report_place place = {reading->directory, 0, 0};
	struct dirent **files = NULL;
	int count = scandir(reading->directory, &files, filter_zone_file, by_name);

	if (count < 0 && !reading->rules->is_forced) {
		struct err err;

		(void)err_os(&err, "cannot read the directory of the zones");
		report_error(reading->report, place, "%s", err.text);
		reading->is_refused = true;
	} else if (count == 0 && !reading->rules->is_forced) {
		report_error(reading->report, place, "there is no NAME" SUFFIX " in it");
		reading->is_refused = true;
	}
	if (count < 0)
		count = 0;
	roster_init(&reading->apexes, (size_t)count);
	for (int i = 0; i < count; i++) {
		load_file(reading, files[i]->d_name);
		free(files[i]);
	}
	free(files);
}

static void check_dropped(struct reading *reading)
{
	const struct zone_set *previous = reading->previous;

	for (size_t i = 0; previous && i < previous->count; i++) {
		const struct zone *zone = previous->zones[i].zone;
		struct name_key key;
		char name[NAME_TEXT_SIZE];

		name_key_of(zone_name(zone), &key);
		if (roster_find(&reading->apexes, &key, 0))
			continue;
		name_print(zone_name(zone), name);
		if (reading->rules->is_forced) {
			report_note(
				reading->report, "%s: no longer served: '%s'", zone->path, name);
			continue;
		}
		report_error(reading->report, (struct report_place){zone->path, 0, 0},
			"it is gone, and with it the zone '%s', serial %u, would be", name,
			zone->serial);
		reading->is_refused = true;
	}
}

/* ---- the roster ---- */

/* Which hosted zone each zone lies in. */
static void find_parents(const struct reading *reading)
{
	struct zone_set *set = reading->set;

	for (size_t i = 0; i < set->count; i++) {
		struct name_key key;
		const struct roster_slot *above = NULL;

		name_key_of(zone_name(set->zones[i].zone), &key);
		for (unsigned label = 1; label < key.label_count; label++) {
			const struct roster_slot *found =
				roster_find(&reading->apexes, &key, label);

			if (found)
				set->zones[found->zone].has_child = true;
			if (!above)
				above = found;
		}
		if (above)
			set->zones[i].parent = above->zone;
	}
}

/* The zone that answers for a node of zone `index`: itself, or one that begins at the node or above it. */
static uint32_t zone_of(const struct reading *reading, uint32_t index, const struct zone_node *node)
{
	struct name_key key;

	if (!reading->set->zones[index].has_child)
		return index;
	name_key_of(zone_node_name(node), &key);
	for (unsigned label = 0;; label++) {
		const struct roster_slot *apex = roster_find(&reading->apexes, &key, label);

		if (apex)
			return apex->zone;
	}
}

static void add_nodes(const struct reading *reading, uint32_t index)
{
	struct zone_set *set = reading->set;

	for (const struct zone_node *node = set->zones[index].zone->apex; node; node = node->next) {
		uint32_t zone = zone_of(reading, index, node);
		struct set_zone *child = &set->zones[zone];

		if (zone == index)
			roster_add(&set->roster, node, index);
		else if (child->parent == index && node->hash == child->zone->apex->hash &&
			node->name_size == child->zone->apex->name_size &&
			!(node->flags & NODE_IS_BELOW_CUT && node->link != node))
			child->parent_node = node;
	}
}

static void find_depths(struct zone_set *set)
{
	bool is_depth[DNS_LABELS_MAX] = {false};

	for (size_t i = 0; i < set->count; i++)
		is_depth[set->zones[i].zone->label_count] = true;
	for (unsigned depth = DNS_LABELS_MAX; depth-- > 0;)
		if (is_depth[depth])
			set->apex_depths[set->apex_depth_count++] = (uint8_t)depth;
}

static void make_roster(const struct reading *reading)
{
	struct zone_set *set = reading->set;
	size_t names = 0;
	size_t steered = 0;

	for (size_t i = 0; i < set->count; i++) {
		names += set->zones[i].zone->name_count;
		steered += set->zones[i].zone->steered_count;
	}
	find_depths(set);
	find_parents(reading);
	roster_init(&set->roster, names);
	set->steered = memory_new(steered * sizeof(set->steered[0]));
	for (size_t i = 0; i < set->count; i++) {
		const struct zone *zone = set->zones[i].zone;

		set->zones[i].steered_base = set->steered_count;
		for (uint32_t k = 0; k < zone->steered_count; k++)
			set->steered[set->steered_count++] = zone->steered[k];
		add_nodes(reading, (uint32_t)i);
	}
}

/* Resolvers that walk down from the parent never find such a child, and names between the two do not exist. */
static void warn_undelegated(const struct reading *reading)
{
	const struct zone_set *set = reading->set;

	for (size_t i = 0; i < set->count; i++) {
		const struct set_zone *zone = &set->zones[i];
		const struct roster_slot *above = NULL;
		struct name_key key;
		char name[NAME_TEXT_SIZE];

		if (zone->parent == NO_ZONE ||
			(zone->parent_node && zone->parent_node->flags & NODE_IS_CUT))
			continue;
		name_key_of(zone_name(zone->zone), &key);
		for (unsigned label = 1; !above; label++)
			above = roster_find(&set->roster, &key, label);
		if (above->node->flags & NODE_IS_BELOW_CUT)
			continue; /* others hold what lies between */
		name_print(zone_name(zone->zone), name);
		report_warning(reading->report,
			(struct report_place){set->zones[zone->parent].zone->path, 0, 0},
			"nothing here delegates '%s', which is served as well (RFC 1034 4.2.1)",
			name);
	}
}

struct zone_set *zone_set_read(const char *directory, const struct zone_rules *rules,
	const struct zone_set *previous, struct report *report)
{
	struct reading reading = {
		.set = memory_new(sizeof(struct zone_set)),
		.previous = previous,
		.rules = rules,
		.report = report,
		.directory = memory_text(directory),
	};
	size_t size = strlen(directory);

	while (size > 1 && directory[size - 1] == '/')
		reading.directory[--size] = '\0';
	load_directory(&reading);
	check_dropped(&reading);
	if (!reading.is_refused) {
		make_roster(&reading);
		warn_undelegated(&reading);
		outward_hide(reading.set, report);
	}
	roster_done(&reading.apexes);
	free(reading.directory);
	memory_give_back(); /* a draft is larger than its zone, and lies before it */
	if (reading.is_refused) {
		zone_set_free(reading.set);
		return NULL;
	}
	return reading.set;
}
