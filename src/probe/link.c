/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/probe/link.h"

#include <string.h>

#include "frame.h"
#include "steerd/base/bytes.h"

/*
 * A frame:  length:4 (of the body)  kind:1  body
 *
 * The body of LINK_ORDERS; those of what the prober says are in link_verdicts.c and link_inquiry.c:
 *
 *	version:1  generation:8  count:4 monitor...  count:4 target...  verdicts (to the end)
 *	monitor:  name host path ca_path|- body|-  port:2 every:4 timeout:4 fall:2 rise:2
 *	          count:2 (first:2 last:2)...
 *	target:   key  monitor:4  host|-  address
 */
#define ORDERS_VERSION 1

/* The least that one takes: what a count may claim before memory is asked for. */
#define MONITOR_SIZE_MIN (5 * 2 + 2 + 4 + 4 + 2 + 2 + 2)
#define TARGET_SIZE_MIN (2 + 4 + 2 + 1)
#define STATUS_SIZE 4

#define HOST_SIZE_MAX 253 /* RFC 1035 2.3.4, as text */

/* ---- writing ---- */

static void write_monitor(const struct settings_monitor *monitor, struct text *frame)
{
	bytes_write_text(frame, monitor->name);
	bytes_write_text(frame, monitor->host);
	bytes_write_text(frame, monitor->path);
	bytes_write_text(frame, monitor->ca_path);
	bytes_write_text(frame, monitor->body);
	bytes_write_u16(frame, monitor->port);
	bytes_write_u32(frame, monitor->every_ms);
	bytes_write_u32(frame, monitor->timeout_ms);
	bytes_write_u16(frame, monitor->fall);
	bytes_write_u16(frame, monitor->rise);
	bytes_write_u16(frame, (uint16_t)monitor->status_count);
	for (size_t i = 0; i < monitor->status_count; i++) {
		bytes_write_u16(frame, monitor->status[i].first);
		bytes_write_u16(frame, monitor->status[i].last);
	}
}

static void write_target(const struct target *target, struct text *frame)
{
	bytes_write_text(frame, target->key);
	bytes_write_u32(frame, target->monitor);
	bytes_write_text(frame, target->host);
	bytes_write_address(frame, &target->address);
}

void link_write_orders(const struct link_orders *orders, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_ORDERS);

	bytes_write_u8(ret_frame, ORDERS_VERSION);
	bytes_write_u64(ret_frame, orders->targets.generation);
	bytes_write_u32(ret_frame, (uint32_t)orders->monitor_count);
	for (size_t i = 0; i < orders->monitor_count; i++)
		write_monitor(&orders->monitors[i], ret_frame);
	bytes_write_u32(ret_frame, (uint32_t)orders->targets.count);
	for (size_t i = 0; i < orders->targets.count; i++)
		write_target(&orders->targets.targets[i], ret_frame);
	verdict_table_write(&orders->verdicts, ret_frame);
	frame_end(ret_frame, start);
}

/* ---- reading ---- */

bool link_find_frame(const void *bytes, size_t size, enum link_kind *ret_kind,
	const uint8_t **ret_body, size_t *ret_frame_size)
{
	struct bytes_reader reader = {.at = bytes, .left = size};
	size_t body_size = bytes_read_u32(&reader);
	uint8_t kind = bytes_read_u8(&reader);

	/* what is known of the head must fit even while the rest is on its way */
	if (size >= 4 && body_size > LINK_FRAME_MAX - LINK_FRAME_HEADER)
		return false;
	if (size >= LINK_FRAME_HEADER && (kind < LINK_ORDERS || kind > LINK_DELIVERED))
		return false;
	if (reader.failed || reader.left < body_size) {
		*ret_frame_size = 0;
		return true;
	}
	*ret_kind = (enum link_kind)kind;
	*ret_body = reader.at;
	*ret_frame_size = LINK_FRAME_HEADER + body_size;
	return true;
}

static bool is_host(const char *host)
{
	return host && host[0] != '\0' && strlen(host) <= HOST_SIZE_MAX &&
		!strpbrk(host, " /\\@:?#");
}

static bool read_statuses(
	struct bytes_reader *reader, struct arena *arena, struct settings_monitor *monitor)
{
	size_t count = bytes_read_u16(reader);

	if (reader->failed || count > reader->left / STATUS_SIZE)
		return false;

	struct settings_status_range *status =
		ARENA_ARRAY(arena, struct settings_status_range, count);

	for (size_t i = 0; i < count; i++) {
		status[i].first = bytes_read_u16(reader);
		status[i].last = bytes_read_u16(reader);
		if (status[i].first < 100 || status[i].first > status[i].last ||
			status[i].last > 999)
			return false;
	}
	monitor->status = status;
	monitor->status_count = count;
	return true;
}

static bool read_monitor(
	struct bytes_reader *reader, struct arena *arena, struct settings_monitor *monitor)
{
	monitor->name = frame_read_line(reader, arena);
	monitor->host = frame_read_line(reader, arena);
	monitor->path = frame_read_line(reader, arena);
	monitor->ca_path = frame_read_line(reader, arena);
	monitor->body = frame_read_text(reader, arena);
	monitor->port = bytes_read_u16(reader);
	monitor->every_ms = bytes_read_u32(reader);
	monitor->timeout_ms = bytes_read_u32(reader);
	monitor->fall = bytes_read_u16(reader);
	monitor->rise = bytes_read_u16(reader);
	return read_statuses(reader, arena, monitor) && !reader->failed && monitor->name &&
		is_host(monitor->host) && monitor->path && monitor->path[0] == '/' &&
		!strpbrk(monitor->path, " #") && monitor->port > 0 && monitor->every_ms > 0 &&
		monitor->every_ms <= INT32_MAX && monitor->timeout_ms > 0 &&
		monitor->timeout_ms <= INT32_MAX && monitor->fall > 0 && monitor->rise > 0;
}

static bool read_monitors(struct bytes_reader *reader, struct arena *arena,
	struct link_orders *orders, struct err *err)
{
	size_t count = bytes_read_u32(reader);

	if (reader->failed || count > reader->left / MONITOR_SIZE_MIN)
		return err_set(err, "the orders are cut short");

	struct settings_monitor *monitors = ARENA_ARRAY(arena, struct settings_monitor, count);

	for (size_t i = 0; i < count; i++)
		if (!read_monitor(reader, arena, &monitors[i]))
			return err_set(err, "monitor %zu of the orders cannot be", i + 1);
	orders->monitors = monitors;
	orders->monitor_count = count;
	return true;
}

static bool read_target(struct bytes_reader *reader, struct arena *arena, size_t monitor_count,
	struct target *target)
{
	target->key = frame_read_line(reader, arena);
	target->monitor = bytes_read_u32(reader);
	target->host = frame_read_line(reader, arena);
	target->address = bytes_read_address(reader);

	bool has_address = target->address.family != ADDRESS_NONE;

	return !reader->failed && target->key && target->key[0] != '\0' &&
		(target->monitor < monitor_count || target->monitor == TARGET_NONE) &&
		(target->host ? is_host(target->host) && !has_address : has_address);
}

static bool read_targets(struct bytes_reader *reader, struct arena *arena,
	struct link_orders *orders, struct err *err)
{
	size_t count = bytes_read_u32(reader);

	if (reader->failed || count > reader->left / TARGET_SIZE_MIN)
		return err_set(err, "the orders are cut short");

	struct target *targets = ARENA_ARRAY(arena, struct target, count);

	for (size_t i = 0; i < count; i++)
		if (!read_target(reader, arena, orders->monitor_count, &targets[i]))
			return err_set(err, "target %zu of the orders cannot be", i + 1);
	orders->targets.targets = targets;
	orders->targets.count = count;
	return true;
}

/*
 * Verdicts that go with the targets: of their generation, and none for a target or an address that
 * is not there.
 */
static bool fits(
	const struct verdict_table *verdicts, const struct target_list *list, struct err *err)
{
	if (verdicts->generation != list->generation)
		return err_set(err, "the verdicts are of another generation than the orders");
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *row = &verdicts->rows[i];

		if (row->target >= list->count)
			return err_set(err, "a verdict is for no target of the orders");

		const struct target *target = &list->targets[row->target];

		if (!target->host && !address_is_equal(&target->address, &row->address))
			return err_set(
				err, "a verdict for '%s' is for another address", target->key);
	}
	return true;
}

bool link_read_orders(const uint8_t *body, size_t size, struct arena *arena,
	struct link_orders *ret_orders, struct err *err)
{
	struct bytes_reader reader = {.at = body, .left = size};
	uint8_t version = bytes_read_u8(&reader);
	struct link_orders orders = {.targets.generation = bytes_read_u64(&reader)};

	if (reader.failed)
		return err_set(err, "the orders are cut short");
	if (version != ORDERS_VERSION)
		return err_set(err, "orders of version %u, not %u: steerd and steerd-prober differ",
			version, ORDERS_VERSION);
	if (!read_monitors(&reader, arena, &orders, err) ||
		!read_targets(&reader, arena, &orders, err) ||
		!verdict_table_read(reader.at, reader.left, &orders.verdicts, err))
		return false;
	if (!fits(&orders.verdicts, &orders.targets, err)) {
		verdict_table_done(&orders.verdicts);
		return false;
	}
	*ret_orders = orders;
	return true;
}
