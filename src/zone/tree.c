/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <sys/stat.h>

/* ---- what others see of a node ---- */

/* Nodes have few sets: looking at each in order costs less than halving. */
const struct zone_block *zone_node_get_set(const struct zone_node *node, uint16_t type)
{
	const struct zone_block *sets = node_blocks(node);

	for (unsigned i = 0; i < node->set_count; i++)
		if (sets[i].type == type)
			return &sets[i];
	return NULL;
}

/* Sets that are looked at.  More: a name with thousands of them would cost as many steps. */
#define SMALL_SETS_MAX 8

const struct zone_block *zone_node_small_set(const struct zone_node *node)
{
	const struct zone_block *sets = node_blocks(node);
	const struct zone_block *smallest = NULL;

	for (unsigned i = 0; i < node->set_count && i < SMALL_SETS_MAX; i++)
		if (!smallest || sets[i].size_bytes < smallest->size_bytes)
			smallest = &sets[i];
	return smallest;
}

const struct zone_block *zone_node_next_set(
	const struct zone_node *node, unsigned *position, uint16_t *ret_type)
{
	if (*position >= node->set_count)
		return NULL;

	const struct zone_block *set = &node_blocks(node)[(*position)++];

	*ret_type = set->type;
	return set;
}

const struct zone_block *zone_node_referral(const struct zone_node *node)
{
	return node->flags & NODE_IS_CUT ? &node_blocks(node)[node->set_count] : NULL;
}

const uint8_t *zone_node_name(const struct zone_node *node)
{
	return node->name;
}

/* ---- and of a zone ---- */

const struct zone_block *zone_negative(const struct zone *zone)
{
	return &zone->negative;
}

const uint8_t *zone_name(const struct zone *zone)
{
	return zone_node_name(zone->apex);
}

uint32_t zone_serial(const struct zone *zone)
{
	return zone->serial;
}

uint8_t zone_label_count(const struct zone *zone)
{
	return zone->label_count;
}

const char *zone_path(const struct zone *zone)
{
	return zone->path;
}

size_t zone_name_count(const struct zone *zone)
{
	return zone->name_count;
}

size_t zone_record_count(const struct zone *zone)
{
	return zone->record_count;
}

/* ---- life ---- */

struct zone *zone_hold(struct zone *zone)
{
	atomic_fetch_add_explicit(&zone->holders, 1, memory_order_relaxed);
	return zone;
}

void zone_release(struct zone *zone)
{
	if (!zone)
		return;
	/* whoever lets go last must see all that the others did */
	if (atomic_fetch_sub_explicit(&zone->holders, 1, memory_order_acq_rel) == 1)
		arena_free(zone->arena);
}

void file_identity_set(struct file_identity *identity, const struct stat *status)
{
	identity->device = status->st_dev;
	identity->inode = status->st_ino;
	identity->size = status->st_size;
	identity->modified = status->st_mtim;
	identity->changed = status->st_ctim;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct file_identity *then, const struct stat *status)
{
	struct file_identity now;

	file_identity_set(&now, status);
	return now.device == then->device && now.inode == then->inode && now.size == then->size &&
		is_same_time(&now.modified, &then->modified) &&
		is_same_time(&now.changed, &then->changed);
}

bool zone_is_current(const struct zone *zone, const struct stat *own)
{
	struct stat included;

	if (!is_same_file(&zone->files[0], own))
		return false;
	for (size_t i = 1; i < zone->file_count; i++)
		if (stat(zone->files[i].path, &included) < 0 ||
			!is_same_file(&zone->files[i], &included))
			return false;
	return true;
}
