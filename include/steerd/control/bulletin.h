/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_BULLETIN_H
#define CONTROL_BULLETIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/text.h"
#include "steerd/health/guard.h"
#include "steerd/health/notice.h"
#include "steerd/health/target.h"
#include "steerd/health/verdict.h"

/*
 * bulletin - a notice as it is told: JSON with what it is about and the evidence.  docs/operations.md has its fields.
 */
struct bulletin {
	const struct notice *notice;
	bool is_gone;	  /* its subject is not configured any more: the event is "removed" */
	const char *host; /* which steerd says so */
	uint64_t generation;
	uint64_t now_unix_s;
	const struct guard_pool_state *pool; /* of the subject's; NULL: none */
	/* What the subject's checks saw; none where that does not apply. */
	const struct verdict *const *rows;
	size_t row_count;
	const struct target_list *targets; /* of the rows */
	const char *const *monitors;	   /* names, by the targets' index */
};

/* "member-down", or "removed". */
const char *bulletin_event(const struct bulletin *bulletin);
/* "downloads/fra-1 192.0.2.10", "downloads", "edge", "observer", "prober"; in one line. */
void bulletin_print_subject(const struct bulletin *bulletin, struct text *ret_line);
/* In one line. */
void bulletin_print_reason(const struct bulletin *bulletin, struct text *ret_line);
/* Below 64 KB. */
void bulletin_print(const struct bulletin *bulletin, struct text *ret_json);

#endif
