/* SPDX-License-Identifier: Apache-2.0 */
#include "zones.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"

static const char *const default_pools[] = {"web", "site", NULL};

void zones_init(struct zones *zones)
{
	*zones = (struct zones){.pools = default_pools};
	snprintf(zones->directory, sizeof(zones->directory), "/tmp/steerd-zones-XXXXXX");
	assert_non_null(mkdtemp(zones->directory));
	assert_int_equal(chdir(zones->directory), 0);
	assert_int_equal(mkdir("zones", 0700), 0);
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status;
	(void)flag;
	(void)walk;
	return remove(path);
}

void zones_done(struct zones *zones)
{
	zone_set_free(zones->set);
	report_done(&zones->report);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(nftw(zones->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void zones_write(const char *path, const char *text)
{
	struct text directory = {0};

	for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
		text_clear(&directory);
		text_add_bytes(&directory, path, (size_t)(slash - path));
		(void)mkdir(directory.bytes, 0700); /* it may be there */
	}
	text_done(&directory);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static bool is_pool(const void *context, const char *name)
{
	for (const char *const *pool = context; *pool; pool++)
		if (strcmp(*pool, name) == 0)
			return true;
	return false;
}

bool zones_read(struct zones *zones)
{
	const struct zone_rules rules = {
		.is_pool = is_pool,
		.context = zones->pools,
		.is_forced = zones->is_forced,
	};
	struct zone_set *set;

	report_done(&zones->report);
	set = zone_set_read("zones", &rules, zones->set, &zones->report);
	if (!set)
		return false;
	zone_set_free(zones->set);
	zones->set = set;
	return true;
}

const char *zones_said(const struct zones *zones)
{
	return zones->report.lines.bytes ? zones->report.lines.bytes : "";
}

struct zone_match zones_find(const struct zones *zones, const char *name, uint16_t type)
{
	struct name_key key;
	struct zone_match match;
	struct err err;

	if (!name_parse(name, &key, &err))
		fail_msg("%s", err.text);
	memset(&match, 0xa5, sizeof(match)); /* each field must be set */
	zone_set_find(zones->set, &key, type, &match);
	return match;
}

void zones_ask(const struct zones *zones, const char *name, uint16_t type, struct text *ret_text)
{
	static const char *const outcomes[] = {
		[ZONE_OUTSIDE] = "outside",
		[ZONE_NODE] = "node",
		[ZONE_REFERRAL] = "referral",
		[ZONE_BELOW_DNAME] = "below-dname",
		[ZONE_MISSING] = "missing",
	};
	struct zone_match match = zones_find(zones, name, type);
	char text[NAME_TEXT_SIZE];

	text_clear(ret_text);
	text_add(ret_text, outcomes[match.outcome]);
	if (match.node) {
		name_print(zone_node_name(match.node), text);
		text_print(ret_text, " %s", text);
	}
	if (match.zone) {
		name_print(zone_name(match.zone), text);
		text_print(ret_text, " in %s", text);
	}
	if (match.is_wildcard)
		text_add(ret_text, " by wildcard");
	if (match.steered == ZONE_NOT_STEERED)
		return;

	const struct zone_steered *steered = zone_set_steered(zones->set, match.steered);

	assert_ptr_equal(steered->node, match.node);
	assert_ptr_equal(steered->zone, match.zone);
	text_print(ret_text, " steered by %s for %u s", steered->pool, steered->ttl_s);
}

/* ---- the slow decoder ---- */

struct message {
	uint8_t bytes[70000];
	size_t size;
	size_t at;
};

static unsigned take(struct message *message, unsigned octets)
{
	unsigned value = 0;

	while (octets-- > 0) {
		assert_true(message->at < message->size);
		value = value << 8 | message->bytes[message->at++];
	}
	return value;
}

/* Follows pointers, which lead backwards only. */
static void take_name(struct message *message, struct text *text)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t used = 0;
	size_t back = 0; /* where to go on after the first pointer */
	size_t lowest = message->at;
	char printed[NAME_TEXT_SIZE];

	for (unsigned size; (size = take(message, 1)) > 0;) {
		if (size >= 0xc0) {
			size_t target = (size & 0x3f) << 8 | take(message, 1);

			if (back == 0)
				back = message->at;
			assert_true(target < lowest);
			assert_true(target >= DNS_HEADER_SIZE);
			lowest = target;
			message->at = target;
			continue;
		}
		assert_true(size <= DNS_LABEL_MAX);
		assert_true(used + size + 2 <= sizeof(wire));
		wire[used++] = (uint8_t)size;
		while (size-- > 0)
			wire[used++] = (uint8_t)take(message, 1);
	}
	wire[used] = 0;
	if (back > 0)
		message->at = back;
	name_print(wire, printed);
	text_add(text, printed);
}

static void take_rdata(struct message *message, uint16_t type, size_t end, struct text *text)
{
	for (const char *layout = type_layout(type); *layout != '\0'; layout++) {
		text_add(text, " ");
		if (*layout == 'N')
			take_name(message, text);
		else
			text_print(text, "%u", take(message, *layout == 's' ? 2 : 4));
	}
	if (message->at < end)
		text_add(text, " ");
	while (message->at < end)
		text_print(text, "%02x", take(message, 1));
	assert_int_equal(message->at, end);
}

static void take_record(struct message *message, struct text *text)
{
	char type_text[TYPE_TEXT_SIZE];

	take_name(message, text);

	uint16_t type = (uint16_t)take(message, 2);

	assert_int_equal(take(message, 2), DNS_CLASS_IN);
	type_print(type, type_text);
	text_print(text, " %u %s", take(message, 4), type_text);

	size_t size = take(message, 2);

	take_rdata(message, type, message->at + size, text);
	text_add(text, "\n");
}

static void put(struct message *message, const void *bytes, size_t size)
{
	assert_true(message->size + size <= sizeof(message->bytes));
	memcpy(message->bytes + message->size, bytes, size);
	message->size += size;
}

void zones_decode(const struct zone_block *block, const uint8_t *base, enum zones_place how,
	struct text *ret_text)
{
	struct message *message = memory_new(sizeof(*message));
	struct zone_block_place place = {.owner_offset = DNS_HEADER_SIZE};

	assert_int_equal(block->base_size_bytes, name_size(base));
	message->size = DNS_HEADER_SIZE;
	if (how == ZONES_CHAIN) {
		put(message, "\5other\0\0\1\0\1 something else before it ", 37);
		place.owner_offset = (uint16_t)message->size;
	}
	if (how != ZONES_HOME)
		put(message, "\3ask\1X", 6);
	place.base_offset = (uint16_t)message->size;
	put(message, base, block->base_size_bytes);
	put(message, "\0\1\0\1", 4);
	if (how == ZONES_CHAIN) {
		while (message->size < ZONE_BLOCK_OFFSET_MAX)
			put(message, "\xc0", 1); /* no name leads in here */
	}
	place.block_offset = (uint16_t)message->size;
	zone_block_place(block, &place, message->bytes + message->size);
	message->at = message->size;
	message->size += block->size_bytes;

	text_clear(ret_text);
	text_add(ret_text, "");
	for (unsigned i = 0; i < block->record_count; i++)
		take_record(message, ret_text);
	if (block->glue_count > 0) {
		text_add(ret_text, "-- glue\n");
		assert_int_equal(message->at, place.block_offset + block->glue_offset);
	}
	for (unsigned i = 0; i < block->glue_count; i++)
		take_record(message, ret_text);
	assert_int_equal(message->at, message->size);
	free(message);
}
