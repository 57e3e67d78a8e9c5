/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_ANSWER_H
#define PROBE_ANSWER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "range.h"
#include "recipe.h"
#include "steerd/base/text.h"

/*
 * answer - what is kept of an answer while it comes: never more than its budget, whatever a backend sends.
 *
 * Header fields are looked at line by line and forgotten, but for those that are asked for; the body is kept only where its
 * text matters, and hashed as it comes where its digest does.
 */
#define ANSWER_HEADERS_MAX 65536
#define ANSWER_BODY_MAX 65536 /* where the monitor has no limit of its own */

/* What was found of a header field that the monitor expects. */
enum answer_found { FIELD_ABSENT, FIELD_DIFFERS, FIELD_TOO_DEAR, FIELD_FITS };

struct answer_field {
	enum answer_found found;
	char differing[64]; /* the value, if it differs */
};

struct answer {
	const struct recipe *recipe;
	bool keeps_all; /* the header fields, for who wants to see them */
	uint64_t body_max;
	long status;
	size_t headers_bytes; /* of all blocks of header fields */
	bool is_open;	      /* the last block has begun and not ended */
	bool has_two_lengths; /* that differ (RFC 9112 6.3) */
	uint64_t body_bytes;  /* decoded */
	bool has_more;	      /* than `body_max`: what came is what is judged */
	struct text body;
	EVP_MD_CTX *digest;	     /* NULL: not wanted */
	struct answer_field *fields; /* one for each that is expected */
	struct text all;	     /* name '\0' value '\0' name ... */
	struct range_meter meter;
	/* of the last block of header fields; "": none */
	char etag[96];
	char content_range[96];
	char length[24];
	char age[16];
	char cache[48]; /* what a cache says of itself: X-Cache, CF-Cache-Status, Cache-Status */
	char via[48];
	char location[2048];
};

void answer_init(struct answer *answer, const struct recipe *recipe);
void answer_done(struct answer *answer);
/* For the next request of the same check. */
void answer_reset(struct answer *answer);

/* One line as it came.  False: the header fields have gone beyond their limit. */
bool answer_add_line(struct answer *answer, const char *line, size_t size);
/* False: the budget is used up, and nothing more is wanted. */
bool answer_add_body(struct answer *answer, const char *bytes, size_t size, uint64_t now_us);
/* SHA-256 of all that came; false if it is not made. */
bool answer_digest(const struct answer *answer, uint8_t ret_sha256[static 32]);
/* How much of the body is looked at: "64 KiB". */
void answer_print_budget(const struct answer *answer, struct text *ret_text);
/* "HIT, age 312 s, via 1.1 varnish": what caches say of themselves, behind what is there. */
void answer_print_caches(const struct answer *answer, struct text *ret_note);

#endif
