/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_ROWS_H
#define CONFIG_ROWS_H

#include <assert.h>
#include <stddef.h>

#include "steerd/config/table.h"

/*
 * rows - what the parts of the table of settings are written with, and the parts, in the order of the manual.
 */
#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define FIELD(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define LIST(type, field, count) FIELD(type, field), .count_offset = offsetof(type, count)
/* The reader finds the name of every named thing in the same place: it is first. */
#define NAMED(type, field, count, item)                                                            \
	LIST(type, field, count), .item_size = sizeof(item), .place_offset = offsetof(item, place)

extern const char *const table_no_yes[];
extern const char *const table_all_downs[];

extern const struct setting table_server[];
extern const size_t table_server_count;
extern const struct setting table_monitors[];
extern const size_t table_monitor_count;
extern const struct setting table_pools[];
extern const size_t table_pool_count;
extern const struct setting table_notifies[];
extern const size_t table_notify_count;

#endif
