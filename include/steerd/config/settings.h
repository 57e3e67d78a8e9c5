/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/arena.h"
#include "steerd/base/report.h"
#include "steerd/base/text.h"
#include "steerd/config/monitor.h"

/*
 * settings - steerd.yaml, checked and typed.
 *
 * One table of settings (config/table.h) says each key's name, type, default, limits and meaning; the reader, the
 * error messages and steerd.yaml(5) are made from it.  Every mistake is reported with file, line and column;
 * one is enough to refuse the file.  Immutable once read; all memory is in `arena`.  [any thread]
 */
#define SETTINGS_NONE UINT32_MAX /* an index that points to nothing */

struct settings_site {
	const char *name;
	double latitude;
	double longitude;
	struct report_place place;
};

enum settings_method { METHOD_NEAREST, METHOD_FAILOVER, METHOD_WEIGHTED, METHOD_ALL };
enum settings_all_down {
	ALL_DOWN_SERVE_ALL,
	ALL_DOWN_FALLBACK,
	ALL_DOWN_LAST_GOOD,
	ALL_DOWN_FENCED
};
enum settings_without { WITHOUT_DEGRADED, WITHOUT_UP, WITHOUT_DOWN };

/* Exactly one of addresses, host and pool is there. */
struct settings_member {
	const char *name;
	struct report_place place;
	uint32_t site;	  /* index of sites, or SETTINGS_NONE */
	uint32_t pool;	  /* index of pools: the member is a pool; or SETTINGS_NONE */
	const char *host; /* a name that the prober resolves; or NULL */
	const struct address *addresses;
	size_t address_count;
	uint32_t weight;			    /* 0 to 65535, default 1 */
	uint32_t capacity;			    /* in whatever unit; 0: not written */
	const struct settings_condition *condition; /* NULL: its pool's */
};

struct settings_pool {
	const char *name;
	struct report_place place;
	enum settings_method method;
	enum settings_all_down when_all_down;
	const struct settings_condition
		*condition; /* what must hold of monitors; NULL: its members always count as up */
	const uint32_t *watch_only; /* monitors that are run and shown, and decide nothing */
	size_t watch_only_count;
	uint32_t
		panic_percent; /* less capacity than this counts as none; 0: when nothing is left */
	uint32_t loss_percent; /* of its capacity that health may take away in a minute; 100: all */
	uint32_t degraded_percent; /* share of a degraded address, of its usual one: 1 to 100 */
	uint32_t slow_start_ms;
	uint32_t failback_ms;
	bool has_manual_return;
	uint32_t needs; /* index of pools, or SETTINGS_NONE */
	enum settings_without
		without; /* what its addresses are while that pool has nothing usable */
	uint16_t
		answers; /* addresses in one answer, at most; `all`: no limit unless given (UINT16_MAX) */
	const struct settings_member *members;
	size_t member_count;
};

/* Who is told what happens. */
#define NOTIFY_DOWN 1u	   /* a member, and that it is back */
#define NOTIFY_DEGRADED 2u /* a member, and that it is well */
#define NOTIFY_POOL 4u /* a pool answers in panic, or from its last resort, and that it does not */
#define NOTIFY_NEVER_UP 8u     /* a member that passed no check since it was configured */
#define NOTIFY_CERTIFICATE 16u /* one that ends soon */
#define NOTIFY_OBSERVER 32u    /* the fault may be ours; the prober is gone */
#define NOTIFY_ALL 63u

struct settings_notify {
	const char *name;
	struct report_place place;
	const char *url;		    /* of a webhook, https or http; NULL: none */
	const struct settings_file *secret; /* of its signature; NULL: not signed */
	const struct settings_file *ca;	    /* NULL: the system's store */
	bool allows_internal;
	const char *const *command; /* or a command; ends with NULL */
	size_t command_count;
	uint32_t after_ms;  /* what is over by then is not told */
	uint32_t repeat_ms; /* while it lasts; 0: never */
	uint32_t events;    /* NOTIFY_ */
};

struct settings {
	struct arena *arena;
	const char *path;	/* of the file, as given */
	const char *zones_path; /* paths are made relative to the file's directory */
	const char *state_path;
	const char *control_path;
	const char *identity; /* what the server calls itself; NULL: it does not say */
	bool says_version;
	bool gives_cookies;
	uint16_t udp_without_cookie; /* octets of a response to a client that has no good one */
	const struct address_port *listen;
	size_t listen_count;
	uint32_t workers;	  /* default: one per core */
	uint32_t tcp_connections; /* cap on open connections */
	uint32_t tcp_per_address; /* 0: any number */
	uint32_t tcp_per_network; /* 0: any number */
	uint32_t tcp_idle_ms;
	uint32_t tcp_io_ms;	  /* for a message that has begun */
	uint32_t limit_responses; /* a second; 0: nothing is limited */
	uint32_t limit_burst;
	uint32_t limit_slip;
	uint16_t limit_ipv4_bits;
	uint16_t limit_ipv6_bits;
	bool limit_is_dry_run;
	const struct prefix *limit_exempt;
	size_t limit_exempt_count;
	uint32_t limit_table; /* networks that one thread remembers */
	const char *const *city_paths;
	size_t city_path_count;	   /* 0: the database that came with the program */
	const char *networks_path; /* NULL: none */
	uint8_t granularity_ipv4;
	uint8_t granularity_ipv6;
	const struct settings_site *sites;
	size_t site_count;
	const struct settings_monitor *monitors;
	size_t monitor_count;
	const struct settings_pool *pools;
	size_t pool_count;
	uint32_t canaries; /* index of pools: answers unless we are cut off; or SETTINGS_NONE */
	uint32_t suspect_percent;  /* of checked targets that must fail anew; 100: never suspect */
	uint32_t suspect_networks; /* in so many networks at least */
	uint32_t suspect_window_ms;
	uint32_t confirm_ms;
	const struct settings_notify *notifies;
	size_t notify_count;
	struct settings_file *const *files; /* those that monitors and notifies point to */
	size_t file_count;
};

/* NULL if the file cannot be read or has a mistake; `report` says which. */
struct settings *settings_read(const char *path, struct report *report);
/* The same from memory: `path` is what mistakes name and what relative paths start from. */
struct settings *settings_parse(
	const char *bytes, size_t size, const char *path, struct report *report);
void settings_free(struct settings *settings); /* NULL is allowed */

/* The control socket that a file names, whatever else is wrong in it; NULL if that cannot be told.  Heap. */
char *settings_find_control(const char *path);
/*
 * Reads the files that settings name for the prober, each path once: an error for each that cannot be what it should,
 * a warning for a key or secret that everyone may read.  An error, too, where links lead the prober to the state.
 */
void settings_read_files(struct settings *settings, struct report *report);

/* As they are written: "last-good"; "edge" or "{all-of: [edge, {not: maintenance}]}". */
const char *settings_all_down_text(enum settings_all_down all_down);
void settings_print_condition(const struct settings *settings,
	const struct settings_condition *condition, struct text *text);

/* Indices, or SETTINGS_NONE. */
uint32_t settings_find_pool(const struct settings *settings, const char *name);
uint32_t settings_find_site(const struct settings *settings, const char *name);

#endif
