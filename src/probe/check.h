/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_CHECK_H
#define PROBE_CHECK_H

#include <curl/curl.h>

#include "answer.h"
#include "checks.h"
#include "outcome.h"
#include "range.h"
#include "reason.h"
#include "redirect.h"
#include "sight.h"
#include "steerd/outbound/names.h"

struct chains;
struct event;
struct event_base;
struct multi;

/*
 * check - one check while it runs, as the files that make it up share it (checks.h says which).
 */
struct check {
	struct checks *checks;
	struct check_order order;
	const struct settings_monitor *monitor;
	CURL *easy; /* NULL: has no budget */
	struct curl_slist *connect_to;
	char detail[CURL_ERROR_SIZE];
	struct event *limit; /* of the phase that it is in; NULL: its monitor has none */
	uint32_t limit_ms;   /* of the phase that was ended for it; 0: none was */
	struct answer *answer;
	struct hop *hops; /* REDIRECT_MAX + 1 */
	size_t hop_count;
	long redirect_status;	       /* that led to the last hop */
	struct address address;	       /* of the hop */
	struct lookup *lookup;	       /* of the hop's host, or NULL */
	struct range_ask ask;	       /* if its monitor asks for ranges */
	struct check_memory forgotten; /* `memory` of who gave none */
	struct check_memory *memory;
	struct sight sight;
	const char *tls_protocol; /* for who wants to see them; NULL: no TLS yet */
	const char *tls_cipher;
	char alpn[16];
	struct text refused; /* why this side goes no further; empty: it does */
	char goaway[32];     /* reason.h */
	bool has_socket;
	bool is_short; /* of descriptors, memory, ports: it says nothing */
	bool has_full_headers;
	enum reason_phase phase;
	uint64_t phase_at_us[REASON_PHASES]; /* when it came to each in this hop; 0: it did not */
	uint64_t ended_at_us;		     /* of this hop */
	uint64_t began_at_us;		     /* the first hop */
	uint64_t spent_bytes;		     /* of hops before */
};

struct checks {
	struct event_base *base;
	struct multi *multi;
	struct chains *chains;
	struct names *names; /* NULL until a redirect needs them */
	const char *servers;
	struct random random;
};

/* It is in this phase now, whose time limit begins. */
void check_enter(struct check *check, enum reason_phase phase);
/* The time limit of the phase that it is in; 0: none. */
uint32_t check_limit_ms(const struct check *check);
/* What is left of that of the whole; 0: nothing. */
uint32_t check_left_ms(const struct check *check);

#endif
