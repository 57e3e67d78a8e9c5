/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_RANGE_H
#define PROBE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "check_memory.h"
#include "steerd/base/random.h"
#include "steerd/base/text.h"
#include "steerd/config/monitor.h"

/*
 * range - slices of a big file (RFC 9110 14): which one is asked for, and whether what came is that one.  Pure.
 */

/* What is asked for. */
struct range_ask {
	uint64_t size;
	uint64_t first;
	bool is_tail; /* the last `size` octets, wherever they begin: the file's size is not known */
};

/* The next position of the monitor; what `memory` knows of the file's size is made use of. */
void range_choose(const struct settings_monitor *monitor, struct check_memory *memory,
	struct random *random, struct range_ask *ret_ask);
/* "0-4194303" or "-4194304". */
void range_print(const struct range_ask *ask, struct text *ret_text);

/* The field Content-Range (RFC 9110 14.4). */
struct range_content {
	bool is_unsatisfied; /* of a 416: the total alone */
	uint64_t first;
	uint64_t last;
	bool has_total;
	uint64_t total;
};

/* False if it is none in octets, or contradicts itself. */
bool range_parse_content(const char *text, struct range_content *ret_content);

/* What came. */
struct range_answer {
	long status;
	const char *content_range; /* "": none */
	const char *etag;	   /* "": none */
	uint64_t body_bytes;
	bool has_more;	       /* than the slice has */
	const uint8_t *sha256; /* of the body, 32 octets; NULL: not made */
};

/*
 * The status and the header fields: known before the body is.  True if they are what they should be; else why not, added
 * to `ret_why`.
 */
bool range_judge_head(const struct settings_monitor *monitor, const struct range_ask *ask,
	const struct range_answer *answer, struct text *ret_why);
/* The body, once all of it is there. */
bool range_judge_body(const struct settings_monitor *monitor, const struct range_ask *ask,
	const struct range_answer *answer, struct text *ret_why);
/* ETag, against what was told or, without, the one before; the next time this one is the one before. */
bool range_judge_etag(const struct settings_monitor *monitor, struct check_memory *memory,
	const struct range_answer *answer, struct text *ret_why);

/* How fast a transfer is once it is warm: fed as octets come. */
struct range_meter {
	uint64_t bytes;
	uint64_t warm_bytes; /* as the warm-up ended; 0: it has not */
	uint64_t warm_at_us;
	uint64_t last_at_us;
};

void range_measure(
	struct range_meter *meter, uint64_t warm_up_bytes, uint64_t more_bytes, uint64_t now_us);
/* Bits a second; 0: too little came after the warm-up to tell. */
uint64_t range_rate(const struct range_meter *meter);
/* True if the monitor asks for more; what is wrong is added to `ret_why`. */
bool range_is_slow(
	const struct settings_monitor *monitor, uint64_t rate_bits_s, struct text *ret_why);

/* Whether today's budget has room for one more; if not, until when, added to `ret_note`. */
bool range_has_budget(const struct settings_monitor *monitor, struct check_memory *memory,
	uint64_t now_unix_s, struct text *ret_note);
void range_spend(struct check_memory *memory, uint64_t now_unix_s, uint64_t bytes);

#endif
