/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/link/link.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "frame.h"
#include "steerd/base/memory.h"

/*
 * The body of LINK_ORDERS:
 *
 *	version:1  generation:8  files  count:4 monitor...  count:4 notify...  count:4 own...  count:4 target...
 *	verdicts (to the end)
 *	own:      address  port:2
 *	target:   key  monitor:4  host|-  address
 *
 * Monitors and notifies are as their tables of fields say.
 */
#define ORDERS_VERSION 2

#define HOST_SIZE_MAX 253 /* RFC 1035 2.3.4, as text */

#define FIELD(kind, type, field)                                                                   \
	kind, .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)
#define MONITOR(kind, field) FIELD(kind, settings_monitor, field)
#define MONITOR_LIST(kind, field, count)                                                           \
	MONITOR(kind, field), .count_offset = offsetof(struct settings_monitor, count)
#define NOTIFY(kind, field) FIELD(kind, settings_notify, field)

/* As long as libevent and libcurl take it for. */
#define TIME_MAX INT32_MAX

static const struct field monitor_fields[] = {
	{MONITOR(FIELD_LINE, name)},
	{MONITOR(FIELD_NUMBER, kind), .max = KIND_PUSH},
	{MONITOR(FIELD_NUMBER, every_ms), .min = 1, .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, timeout_ms), .min = 1, .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, recheck_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, fall), .min = 1, .max = UINT16_MAX},
	{MONITOR(FIELD_NUMBER, rise), .min = 1, .max = UINT16_MAX},
	{MONITOR(FIELD_NUMBER, hold_down_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, hold_down_max_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, slower_than_ms), .max = TIME_MAX},
	{MONITOR(FIELD_BOOL, allows_internal)},
	{MONITOR(FIELD_NUMBER, resolve_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, connect_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, tls_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, first_byte_ms), .max = TIME_MAX},

	{MONITOR(FIELD_LINE, host)},
	{MONITOR(FIELD_LINE, sni)},
	{MONITOR(FIELD_LINE, path)},
	{MONITOR(FIELD_NUMBER, port), .max = UINT16_MAX},
	{MONITOR(FIELD_BOOL, is_tls)},
	{MONITOR(FIELD_BOOL, verifies)},
	{MONITOR(FIELD_FILE, ca)},
	{MONITOR(FIELD_FILE, certificate)},
	{MONITOR(FIELD_FILE, key)},
	{MONITOR(FIELD_NUMBER, certificate_warn_days), .max = UINT16_MAX},
	{MONITOR(FIELD_NUMBER, certificate_degrade_days), .max = UINT16_MAX},
	{MONITOR(FIELD_NUMBER, certificate_fail_days), .max = UINT16_MAX},

	{MONITOR(FIELD_LINE, method)},
	{MONITOR_LIST(FIELD_HEADERS, headers, header_count), .max = 64},
	{MONITOR(FIELD_TEXT, request_body)},
	{MONITOR(FIELD_LINE, redirect_host)},
	{MONITOR(FIELD_BOOL, is_http2)},
	{MONITOR_LIST(FIELD_STATUS, status, status_count), .max = 64},
	{MONITOR(FIELD_TEXT, body)},
	{MONITOR(FIELD_TEXT, body_regex)},
	{MONITOR(FIELD_NUMBER, body_bytes), .max = UINT32_C(16) << 20},
	{MONITOR_LIST(FIELD_HEADERS, expected_headers, expected_header_count), .max = 64},
	{MONITOR(FIELD_DIGEST, body_sha256)},

	{MONITOR(FIELD_NUMBER, range_bytes), .max = UINT64_C(1) << 30},
	{MONITOR(FIELD_NUMBER, range_total_bytes), .max = INT64_MAX},
	{MONITOR_LIST(FIELD_POSITIONS, positions, position_count), .max = 64},
	{MONITOR(FIELD_LINE, range_etag)},
	{MONITOR(FIELD_DIGEST, range_sha256)},
	{MONITOR(FIELD_NUMBER, floor_bits_s), .max = INT64_MAX},
	{MONITOR(FIELD_NUMBER, warm_up_bytes), .max = INT64_MAX},
	{MONITOR(FIELD_NUMBER, daily_bytes), .max = INT64_MAX},

	{MONITOR(FIELD_TEXT, send)},
	{MONITOR(FIELD_TEXT, expect)},

	{MONITOR(FIELD_LINE, question)},
	{MONITOR(FIELD_NUMBER, question_type), .max = UINT16_MAX},
	{MONITOR_LIST(FIELD_ADDRESSES, expected_addresses, expected_address_count), .max = 64},
	{MONITOR(FIELD_BOOL, uses_tcp)},

	{MONITOR_LIST(FIELD_WORDS, command, command_count), .max = 64},
	{MONITOR(FIELD_NUMBER, at_once), .max = UINT16_MAX},

	{MONITOR(FIELD_LINE, push_path)},
	{MONITOR(FIELD_NUMBER, max_age_ms), .max = TIME_MAX},
	{MONITOR(FIELD_NUMBER, on_stale), .max = STALE_LAST},
};

static const struct field notify_fields[] = {
	{NOTIFY(FIELD_LINE, name)},
	{NOTIFY(FIELD_LINE, url)},
	{NOTIFY(FIELD_FILE, secret)},
	{NOTIFY(FIELD_FILE, ca)},
	{NOTIFY(FIELD_BOOL, allows_internal)},
	{NOTIFY(FIELD_WORDS, command),
		.count_offset = offsetof(struct settings_notify, command_count), .max = 64},
	{NOTIFY(FIELD_NUMBER, after_ms), .max = TIME_MAX},
	{NOTIFY(FIELD_NUMBER, repeat_ms), .max = TIME_MAX},
	{NOTIFY(FIELD_NUMBER, events), .max = NOTIFY_ALL},
};

/* What a count may claim before memory is asked for: each field takes an octet at least. */
#define MONITOR_SIZE_MIN COUNT_OF(monitor_fields)
#define NOTIFY_SIZE_MIN COUNT_OF(notify_fields)
#define OWN_SIZE_MIN (1 + 2)
#define TARGET_SIZE_MIN (2 + 4 + 2 + 1)

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void write_target(const struct target *target, struct text *frame)
{
	bytes_write_text(frame, target->key);
	bytes_write_u32(frame, target->monitor);
	bytes_write_text(frame, target->host);
	bytes_write_address(frame, &target->address);
}

static struct field_files gather_files(const struct link_orders *orders)
{
	struct field_files files = {0};

	for (size_t i = 0; i < orders->monitor_count; i++)
		fields_add_files(
			monitor_fields, COUNT_OF(monitor_fields), &orders->monitors[i], &files);
	for (size_t i = 0; i < orders->notify_count; i++)
		fields_add_files(
			notify_fields, COUNT_OF(notify_fields), &orders->notifies[i], &files);
	fields_sort_files(&files);
	return files;
}

static void write_settings(const struct link_orders *orders, struct text *frame)
{
	struct field_files files = gather_files(orders);

	fields_write_files(&files, frame);
	bytes_write_u32(frame, (uint32_t)orders->monitor_count);
	for (size_t i = 0; i < orders->monitor_count; i++)
		fields_write(monitor_fields, COUNT_OF(monitor_fields), &orders->monitors[i], &files,
			frame);
	bytes_write_u32(frame, (uint32_t)orders->notify_count);
	for (size_t i = 0; i < orders->notify_count; i++)
		fields_write(notify_fields, COUNT_OF(notify_fields), &orders->notifies[i], &files,
			frame);
	free(files.items);
}

void link_write_orders(const struct link_orders *orders, struct text *ret_frame)
{
	size_t start = frame_begin(ret_frame, LINK_ORDERS);

	bytes_write_u8(ret_frame, ORDERS_VERSION);
	bytes_write_u64(ret_frame, orders->targets.generation);
	write_settings(orders, ret_frame);
	bytes_write_u32(ret_frame, (uint32_t)orders->own_count);
	for (size_t i = 0; i < orders->own_count; i++) {
		bytes_write_address(ret_frame, &orders->own[i].address);
		bytes_write_u16(ret_frame, orders->own[i].port);
	}
	bytes_write_u32(ret_frame, (uint32_t)orders->targets.count);
	for (size_t i = 0; i < orders->targets.count; i++)
		write_target(&orders->targets.targets[i], ret_frame);
	verdict_table_write(&orders->verdicts, ret_frame);
	frame_end(ret_frame, start);
}

/* ---- reading: what goes into a request is looked at as if a stranger had sent it -------------------------------- */

static bool is_host(const char *host)
{
	return host && host[0] != '\0' && strlen(host) <= HOST_SIZE_MAX &&
		!strpbrk(host, " /\\@:?#");
}

static bool is_host_or_none(const char *host)
{
	return !host || is_host(host);
}

static bool is_http(const struct settings_monitor *monitor)
{
	return is_host(monitor->host) && is_host_or_none(monitor->sni) &&
		is_host_or_none(monitor->redirect_host) && monitor->path &&
		monitor->path[0] == '/' && !strpbrk(monitor->path, " #") && monitor->port > 0 &&
		monitor->method && monitor->method[0] != '\0' && !strchr(monitor->method, ' ') &&
		(monitor->range_bytes == 0 || monitor->position_count > 0);
}

static bool is_tcp(const struct settings_monitor *monitor)
{
	bool has_name = monitor->host || monitor->sni;

	return monitor->port > 0 && is_host_or_none(monitor->host) &&
		is_host_or_none(monitor->sni) &&
		(!monitor->is_tls || !monitor->verifies || has_name);
}

static bool is_monitor(const struct settings_monitor *monitor)
{
	if (!monitor->name)
		return false;
	switch (monitor->kind) {
	case KIND_HTTPS:
	case KIND_HTTP:
		return is_http(monitor);
	case KIND_TCP:
		return is_tcp(monitor);
	case KIND_DNS:
		return is_host(monitor->question) && monitor->port > 0;
	case KIND_EXEC:
		return monitor->command_count > 0 && monitor->command[0][0] == '/' &&
			monitor->at_once > 0;
	case KIND_PUSH:
		return monitor->max_age_ms > 0;
	}
	return false;
}

static bool is_notify(const struct settings_notify *notify)
{
	if (!notify->name || (notify->url != NULL) == (notify->command_count > 0))
		return false;
	return notify->url ? strncmp(notify->url, "http", 4) == 0 && !strchr(notify->url, ' ')
			   : notify->command[0][0] == '/';
}

/* Where a list begins: how many there are; false if there are not bytes enough for so many. */
static bool read_count(struct bytes_reader *reader, size_t size_min, size_t *ret_count)
{
	*ret_count = bytes_read_u32(reader);
	return !reader->failed && *ret_count <= reader->left / size_min;
}

static bool read_monitors(struct bytes_reader *reader, struct arena *arena,
	const struct field_files *files, struct link_orders *orders, struct err *err)
{
	size_t count;

	if (!read_count(reader, MONITOR_SIZE_MIN, &count))
		return err_set(err, "the orders are cut short");

	struct settings_monitor *monitors = ARENA_ARRAY(arena, struct settings_monitor, count);

	for (size_t i = 0; i < count; i++)
		if (!fields_read(monitor_fields, COUNT_OF(monitor_fields), reader, arena, files,
			    &monitors[i]) ||
			!is_monitor(&monitors[i]))
			return err_set(err, "monitor %zu of the orders cannot be", i + 1);
	orders->monitors = monitors;
	orders->monitor_count = count;
	return true;
}

static bool read_notifies(struct bytes_reader *reader, struct arena *arena,
	const struct field_files *files, struct link_orders *orders, struct err *err)
{
	size_t count;

	if (!read_count(reader, NOTIFY_SIZE_MIN, &count))
		return err_set(err, "the orders are cut short");

	struct settings_notify *notifies = ARENA_ARRAY(arena, struct settings_notify, count);

	for (size_t i = 0; i < count; i++)
		if (!fields_read(notify_fields, COUNT_OF(notify_fields), reader, arena, files,
			    &notifies[i]) ||
			!is_notify(&notifies[i]))
			return err_set(err, "notify %zu of the orders cannot be", i + 1);
	orders->notifies = notifies;
	orders->notify_count = count;
	return true;
}

/* Everything that points into `files`, which is over then: the files themselves are in the arena. */
static bool read_settings(struct bytes_reader *reader, struct arena *arena,
	struct link_orders *orders, struct err *err)
{
	struct field_files files = {0};
	bool done = fields_read_files(reader, arena, &files) ||
		err_set(err, "the files of the orders cannot be");

	done = done && read_monitors(reader, arena, &files, orders, err) &&
		read_notifies(reader, arena, &files, orders, err);
	/* a file that nobody names has no business here */
	if (done) {
		struct field_files named = gather_files(orders);

		if (named.count != files.count)
			done = err_set(err, "the orders have a file that nothing names");
		free(named.items);
	}
	free(files.items);
	return done;
}

static bool read_own(struct bytes_reader *reader, struct arena *arena, struct link_orders *orders,
	struct err *err)
{
	size_t count;

	if (!read_count(reader, OWN_SIZE_MIN, &count))
		return err_set(err, "the orders are cut short");

	struct address_port *own = ARENA_ARRAY(arena, struct address_port, count);

	for (size_t i = 0; i < count; i++) {
		own[i].address = bytes_read_address(reader);
		own[i].port = bytes_read_u16(reader);
		if (own[i].address.family == ADDRESS_NONE)
			return err_set(err, "address %zu of our own cannot be", i + 1);
	}
	orders->own = own;
	orders->own_count = count;
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
	size_t count;

	if (!read_count(reader, TARGET_SIZE_MIN, &count))
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
	if (!read_settings(&reader, arena, &orders, err) ||
		!read_own(&reader, arena, &orders, err) ||
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
