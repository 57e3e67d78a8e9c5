/* SPDX-License-Identifier: Apache-2.0 */
/* Covers: src/health/guard_store.c */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
#include "steerd/health/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS 1000000

/* A pool "p" with an endpoint of two addresses, and one whose addresses are those of a name. */
static const struct address addresses[] = {
	{.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 1}},
	{.family = ADDRESS_IPV6, .bytes = {0x20, 1, 0xd, 0xb8}},
};
static const target_id targets[] = {0, 1};
static const struct guard_condition condition = {.targets = targets};
static const uint32_t ids[] = {0, 1};
static const struct guard_pool pool = {
	.name = "p", .members = ids, .member_count = 2, .loss_percent = 50, .needs = GUARD_NONE};
static const struct guard_member members[] = {
	{.key = "p/a",
		.child = GUARD_NONE,
		.addresses = addresses,
		.address_count = 2,
		.condition = &condition},
	{.key = "p/h", .child = GUARD_NONE, .is_host = true, .condition = &condition},
};
static const struct guard_rules rules = {
	.pools = &pool,
	.pool_count = 1,
	.members = members,
	.member_count = 2,
	.canaries = GUARD_NONE,
	.suspect_percent = 50,
};

static void write_again(const struct guard *guard, struct text *ret_bytes)
{
	text_clear(ret_bytes);
	guard_write(guard, ret_bytes);
}

/* Any bytes are refused, or are believed: then they are written the same way each time, and the guard goes on from them. */
static void try_bytes(const uint8_t *data, size_t size)
{
	struct guard *guard = guard_new();
	struct text once = {0};
	struct text again = {0};
	struct verdict_table none = {0};
	struct err err;

	guard_set_rules(guard, &rules);
	if (guard_read(guard, data, size, NOW_MS, &err)) {
		write_again(guard, &once);
		assert(guard_read(guard, once.bytes, once.size, NOW_MS, &err));
		write_again(guard, &again);
		assert(once.size == again.size && memcmp(once.bytes, again.bytes, once.size) == 0);
	}
	(void)guard_step(
		guard, &(struct guard_input){.verdicts = &none, .now_ms = NOW_MS, .now_unix_s = 1});
	assert(guard_beliefs(guard)->first[1] == 2);
	text_done(&once);
	text_done(&again);
	guard_free(guard);
}

/* As they are, and with a checksum that fits, which no chance would find. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text sealed = {0};

	try_bytes(data, size);
	text_add_bytes(&sealed, data, size);
	bytes_write_u32(&sealed, bytes_crc32(data, size));
	try_bytes((const uint8_t *)sealed.bytes, sealed.size);
	text_done(&sealed);
	return 0;
}
