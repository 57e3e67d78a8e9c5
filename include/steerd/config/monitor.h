/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_MONITOR_H
#define CONFIG_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/address.h"
#include "steerd/base/report.h"

/*
 * monitor - how members are checked, as steerd.yaml says it: monitors, and conditions over several of them.
 *
 * Part of the settings (config/settings.h): immutable, and all memory is in their arena.  [any thread]
 */

struct settings_status_range {
	uint16_t first;
	uint16_t last;
};

/* A file that is read with the settings, so that who uses it needs no right to. */
enum settings_file_holds { FILE_CERTIFICATES, FILE_KEY, FILE_SECRET };
struct settings_file {
	const char *path;
	const char *bytes; /* NULL: it could not be read, which was said, ... */
	const char *why;   /* ... and why, in words; NULL before that */
	size_t size;
	enum settings_file_holds holds;
	const char *key; /* of the setting that names it: "ca" */
	struct report_place place;
};

struct settings_header {
	const char *name;
	const char *
		value; /* to send; or what to expect: a regular expression (PCRE2), NULL: that it is there */
};

enum settings_kind { KIND_HTTPS, KIND_HTTP, KIND_TCP, KIND_DNS, KIND_EXEC, KIND_PUSH };
enum settings_on_stale { STALE_DOWN, STALE_UP, STALE_LAST };

/* Where in a big file a slice is asked for. */
enum settings_position_kind { POSITION_HEAD, POSITION_TAIL, POSITION_RANDOM, POSITION_FIXED };
struct settings_position {
	enum settings_position_kind kind;
	uint64_t offset; /* POSITION_FIXED */
};

/* How members are checked.  What a kind does not use is zero. */
struct settings_monitor {
	const char *name;
	struct report_place place;
	enum settings_kind kind;
	uint32_t every_ms;
	uint32_t timeout_ms;   /* of a whole check */
	uint32_t recheck_ms;   /* after the first failure of one that was well; 0: as usual */
	uint16_t fall;	       /* failures in a row that make it down */
	uint16_t rise;	       /* successes in a row that make it up */
	uint32_t hold_down_ms; /* of one that flaps, doubling; 0: none */
	uint32_t hold_down_max_ms;
	uint32_t slower_than_ms; /* a check that takes longer finds it degraded; 0: never */
	bool allows_internal;	 /* loopback, link-local, our own sockets */

	/* Time limits of phases; 0: none but timeout_ms. */
	uint32_t resolve_ms;
	uint32_t connect_ms;
	uint32_t tls_ms;
	uint32_t first_byte_ms;

	/* https, http, tcp over TLS */
	const char
		*host;	 /* Host header, and SNI and certificate name unless `sni` says otherwise */
	const char *sni; /* NULL: host */
	const char *path; /* begins with '/' */
	uint16_t port;
	bool is_tls; /* https; tcp with `tls: yes` */
	bool verifies;
	const struct settings_file *ca;		 /* NULL: the system's store */
	const struct settings_file *certificate; /* of the client; NULL: none */
	const struct settings_file *key;
	uint32_t certificate_warn_days; /* left: it is said; 0: never */
	uint32_t certificate_degrade_days;
	uint32_t certificate_fail_days; /* fails before it has expired; 0: when it has */

	/* https, http */
	const char *method; /* "GET" */
	const struct settings_header *headers;
	size_t header_count;
	const char *request_body;  /* NULL: none */
	const char *redirect_host; /* redirects to it are followed; NULL: none are */
	bool is_http2;
	const struct settings_status_range *status;
	size_t status_count;
	const char *body;	/* text that the body must hold; NULL: any */
	const char *body_regex; /* PCRE2; NULL: any */
	uint32_t body_bytes;	/* that are read and judged, decoded */
	const struct settings_header *expected_headers;
	size_t expected_header_count;
	const uint8_t *body_sha256; /* 32 octets; NULL: any */

	/* range: slices of a big file; range_bytes 0: no range monitor */
	uint64_t range_bytes;			   /* of a slice */
	uint64_t range_total_bytes;		   /* of the file; 0: any */
	const struct settings_position *positions; /* one a check, in turn */
	size_t position_count;
	const char *range_etag; /* NULL: any, but the same as before */
	const uint8_t
		*range_sha256; /* of the slice; then there is one position, not random; NULL: any */
	uint64_t floor_bits_s; /* after the warm-up; less finds it degraded; 0: any rate */
	uint64_t warm_up_bytes;
	uint64_t daily_bytes; /* a budget for each address; 0: none */

	/* tcp */
	const char *send;   /* NULL: nothing */
	const char *expect; /* text that must come; NULL: to connect is enough */

	/* dns */
	const char *question;			  /* a name */
	uint16_t question_type;			  /* RFC 1035 3.2.2: 1 A, 28 AAAA, 6 SOA, ... */
	const struct address *expected_addresses; /* one of them must be answered */
	size_t expected_address_count;		  /* 0: any answer with NOERROR and a record */
	bool uses_tcp;

	/* exec */
	const char *const *command; /* program and arguments, not a shell's; ends with NULL */
	size_t command_count;
	uint32_t at_once; /* runs of all exec monitors together: the smallest of them */

	/* push */
	const char *push_path; /* a watched file; NULL: the control socket alone */
	uint32_t max_age_ms;
	enum settings_on_stale on_stale;
};

/* What must hold of several monitors: a tree. */
enum settings_condition_kind { CONDITION_MONITOR, CONDITION_AT_LEAST, CONDITION_NOT };
struct settings_condition {
	enum settings_condition_kind kind;
	struct report_place place;
	uint32_t monitor;  /* index of monitors */
	uint16_t at_least; /* of the items; all-of: as many as there are; any-of: 1 */
	const struct settings_condition *items; /* CONDITION_NOT: one */
	size_t item_count;
};
#define SETTINGS_CONDITION_DEPTH_MAX 8

#endif
