/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "guard_keys.h"
#include "guard_rows.h"
#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
#include "steerd/health/guard.h"

/*
 * What outlives the process, as bytes:
 *
 *	"SGB1"  observer  count:4 pool...  count:4 row...  crc:4 (of all before it)
 *
 *	observer:  suspect:1  passed:1  age:8  since:8
 *	pool:      name  state:1  was_ever_up:1  since:8
 *	row:       key  address  health:1  hold:1  state:1  was_up:1  last_good:1  returned:1  since:8  ages: down:8 up:8 lost:8 ramp:8
 *
 * The last octet of the magic is the version.  An age is in milliseconds, all ones if there is none.
 */
static const char magic[4] = {'S', 'G', 'B', '1'};

#define CRC_SIZE 4
#define POOL_SIZE_MIN (2 + 1 + 1 + 8)
#define ROW_SIZE_MIN (2 + 1 + 4 + 6 + 8 + 4 * 8)

/* ---- to bytes ---- */

static void write_age(const struct guard *guard, uint64_t at_ms, struct text *ret_bytes)
{
	bytes_write_u64(ret_bytes, at_ms == GUARD_NEVER ? GUARD_NEVER : guard->now_ms - at_ms);
}

static void write_pool(const struct guard *guard, size_t pool, struct text *ret_bytes)
{
	const struct guard_pool_state *state = &guard->pools[pool];

	bytes_write_text(ret_bytes, guard->rules->pools[pool].name);
	bytes_write_u8(ret_bytes, state->state);
	bytes_write_u8(ret_bytes, state->was_ever_up);
	bytes_write_u64(ret_bytes, state->since_unix_s);
}

static void write_row(const struct guard *guard, size_t index, struct text *ret_bytes)
{
	const struct guard_row *row = &guard->rows[index];
	const struct belief *belief = &guard->beliefs.rows[index];

	bytes_write_text(ret_bytes, guard->rules->members[row->member].key);
	bytes_write_address(ret_bytes, &belief->address);
	bytes_write_u8(ret_bytes, row->health);
	bytes_write_u8(ret_bytes, row->hold);
	bytes_write_u8(ret_bytes, belief->state);
	bytes_write_u8(ret_bytes, row->was_up);
	bytes_write_u8(ret_bytes, belief->is_last_good);
	bytes_write_u8(ret_bytes, row->is_returned);
	bytes_write_u64(ret_bytes, belief->since_unix_s);
	write_age(guard, row->down_ms, ret_bytes);
	write_age(guard, row->up_ms, ret_bytes);
	write_age(guard, row->lost_ms, ret_bytes);
	write_age(guard, row->ramp_ms, ret_bytes);
}

void guard_write(const struct guard *guard, struct text *ret_bytes)
{
	const struct guard_sights *sights = &guard->sights;
	size_t start = ret_bytes->size;
	size_t row_count = guard_rows_count(guard);

	text_add_bytes(ret_bytes, magic, sizeof(magic));
	bytes_write_u8(ret_bytes, sights->shown.is_suspect);
	bytes_write_u8(ret_bytes, sights->has_passed);
	write_age(guard, sights->since_ms, ret_bytes);
	bytes_write_u64(ret_bytes, sights->shown.since_unix_s);
	bytes_write_u32(ret_bytes, (uint32_t)guard->rules->pool_count);
	for (size_t i = 0; i < guard->rules->pool_count; i++)
		write_pool(guard, i, ret_bytes);
	bytes_write_u32(ret_bytes, (uint32_t)row_count);
	for (size_t i = 0; i < row_count; i++)
		write_row(guard, i, ret_bytes);
	bytes_write_u32(ret_bytes, bytes_crc32(ret_bytes->bytes + start, ret_bytes->size - start));
}

/* ---- and back ---- */

/* What is read, before any of it is believed. */
struct store {
	struct guard *guard;
	struct bytes_reader reader;
	uint64_t now_ms;
	struct guard_sights observer;	 /* what stands in the bytes of it */
	struct guard_pool_state *states; /* by pool of the rules; a copy */
	struct guard_known *known;
	size_t known_count;
};

/* One that is older than this clock is as old as it. */
static uint64_t read_age(struct store *store)
{
	uint64_t age_ms = bytes_read_u64(&store->reader);

	if (age_ms == GUARD_NEVER)
		return GUARD_NEVER;
	return age_ms < store->now_ms ? store->now_ms - age_ms : 0;
}

/* The id of a name that stands next; GUARD_NONE if the rules have none such. */
static uint32_t read_name(
	struct store *store, const struct guard_key *keys, size_t count, struct text *name)
{
	size_t size;
	const char *text = bytes_read_text(&store->reader, &size);

	text_clear(name);
	if (!text)
		return GUARD_NONE;
	text_add_bytes(name, text, size);
	return guard_keys_find(keys, count, name->bytes);
}

static bool read_observer(struct store *store)
{
	struct guard_sights *observer = &store->observer;

	observer->shown.is_suspect = bytes_read_bool(&store->reader);
	observer->has_passed = bytes_read_bool(&store->reader);
	observer->since_ms = read_age(store);
	observer->shown.since_unix_s = bytes_read_u64(&store->reader);
	return !store->reader.failed && observer->since_ms != GUARD_NEVER;
}

static bool read_pools(struct store *store)
{
	const struct guard_rules *rules = store->guard->rules;
	size_t count = bytes_read_u32(&store->reader);
	struct guard_key *keys = guard_keys_of_pools(rules->pools, rules->pool_count);
	struct text name = {0};
	bool done = count <= store->reader.left / POOL_SIZE_MIN;

	for (size_t i = 0; done && i < count; i++) {
		uint32_t pool = read_name(store, keys, rules->pool_count, &name);
		struct guard_pool_state state = {
			.state = bytes_read_u8(&store->reader),
			.was_ever_up = bytes_read_bool(&store->reader),
			.since_unix_s = bytes_read_u64(&store->reader),
		};

		done = !store->reader.failed && name.size > 0 && state.state <= BELIEF_POOL_LOST;
		if (done && pool != GUARD_NONE)
			store->states[pool] = state;
	}
	text_done(&name);
	free(keys);
	return done;
}

/* What keeps it from following its checks must fit what is believed of them. */
static bool is_possible(const struct guard_known *known)
{
	const struct guard_row *row = &known->row;
	bool is_down = row->health == VERDICT_DOWN;

	if (row->health > VERDICT_DOWN || known->belief.state > VERDICT_DOWN ||
		known->belief.address.family == ADDRESS_NONE)
		return false;
	switch ((enum belief_why)row->hold) {
	case BELIEF_SEEN:
		return true;
	case BELIEF_OBSERVER:
	case BELIEF_LOSS:
	case BELIEF_EVIDENCE:
		return !is_down && row->down_ms != GUARD_NEVER;
	case BELIEF_FAILBACK:
	case BELIEF_RETURN:
		return is_down;
	case BELIEF_RAMP:
	case BELIEF_WITHOUT:
		return false;
	}
	return false;
}

static bool read_row(struct store *store, struct guard_known *ret_known)
{
	struct bytes_reader *reader = &store->reader;
	struct belief *belief = &ret_known->belief;
	struct guard_row *row = &ret_known->row;

	belief->address = bytes_read_address(reader);
	row->health = bytes_read_u8(reader);
	row->hold = bytes_read_u8(reader);
	belief->state = bytes_read_u8(reader);
	row->was_up = bytes_read_bool(reader);
	belief->is_last_good = bytes_read_bool(reader);
	row->is_returned = bytes_read_bool(reader);
	belief->since_unix_s = bytes_read_u64(reader);
	row->down_ms = read_age(store);
	row->up_ms = read_age(store);
	row->lost_ms = read_age(store);
	row->ramp_ms = read_age(store);
	return !reader->failed && is_possible(ret_known);
}

static bool read_rows(struct store *store)
{
	const struct guard_rules *rules = store->guard->rules;
	size_t count = bytes_read_u32(&store->reader);
	struct guard_key *keys = guard_keys_of_members(rules->members, rules->member_count);
	struct text name = {0};
	bool done = count <= store->reader.left / ROW_SIZE_MIN;

	store->known = memory_new(done ? count * sizeof(store->known[0]) : 0);
	for (size_t i = 0; done && i < count; i++) {
		struct guard_known known = {0};

		known.row.member = read_name(store, keys, rules->member_count, &name);
		done = read_row(store, &known) && name.size > 0;
		if (done && known.row.member != GUARD_NONE)
			store->known[store->known_count++] = known;
	}
	text_done(&name);
	free(keys);
	return done;
}

static void believe(struct store *store)
{
	struct guard *guard = store->guard;
	struct guard_pool_state *states = guard->pools;

	guard->now_ms = store->now_ms;
	guard->heard_ms = store->now_ms;
	guard->sights.since_ms = store->observer.since_ms;
	guard->sights.has_passed = store->observer.has_passed;
	guard->sights.shown = store->observer.shown;
	guard->pools = store->states;
	store->states = states;
	guard_rows_make(guard, store->known, store->known_count, NULL);
}

/* The frame around it all. */
static bool open_store(struct store *store, const void *bytes, size_t size, struct err *err)
{
	struct bytes_reader *reader = &store->reader;
	const uint8_t *start = bytes_read_raw(reader, sizeof(magic));

	if (!start || reader->left < CRC_SIZE)
		return err_set(err, "what was believed is cut short");
	if (memcmp(start, magic, sizeof(magic)) != 0)
		return err_set(
			err, "what was believed is not in a form that this version can read");

	struct bytes_reader tail = {.at = start + size - CRC_SIZE, .left = CRC_SIZE};

	reader->left -= CRC_SIZE;
	if (bytes_read_u32(&tail) != bytes_crc32(bytes, size - CRC_SIZE))
		return err_set(err, "the checksum of what was believed is wrong");
	return true;
}

bool guard_read(
	struct guard *guard, const void *bytes, size_t size, uint64_t now_ms, struct err *err)
{
	struct store store = {
		.guard = guard,
		.reader = {.at = bytes, .left = size},
		.now_ms = now_ms,
		.states = memory_copy(
			guard->pools, guard->rules->pool_count * sizeof(guard->pools[0])),
	};
	bool done = open_store(&store, bytes, size, err);

	if (done && !(read_observer(&store) && read_pools(&store) && read_rows(&store)))
		done = err_set(err, "what was believed cannot be");
	if (done && store.reader.left > 0)
		done = err_set(err, "%zu octets follow what was believed", store.reader.left);
	if (done)
		believe(&store);
	free(store.states);
	free(store.known);
	return done;
}
