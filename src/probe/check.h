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
#include "steerd/probe/names.h"
#include "turns.h"

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
	CURL *easy; /* NULL: waits for its turn, or has no budget */
	struct curl_slist *connect_to;
	char detail[CURL_ERROR_SIZE];
	struct event *limit; /* of the phase that it is in; NULL: its monitor has none */
	uint32_t limit_ms;   /* of the phase that was ended for it; 0: none was */
	/* What is large is there once it begins: thousands may wait. */
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
	uint64_t started_at_ms;		     /* once `easy` is there */
	struct turn turn;
};

struct checks {
	struct event_base *base;
	struct multi *multi;
	struct chains *chains;
	struct names *names; /* NULL until a redirect needs them */
	const char *servers;
	struct random random;
	struct turns turns; /* as many places as keep the rounds short */
	size_t most_at_once;
	struct event *beat;
	uint64_t beat_due_at_ms;
	uint64_t starved_at_ms;	 /* last; 0: never */
	uint64_t logged_at_ms;	 /* that it was */
	uint64_t shortage_at_ms; /* that one was logged; 0: never */
};

/* check.c: one that has its turn begins. */
void check_begin(struct check *check);
/* It is in this phase now, whose time limit begins. */
void check_enter(struct check *check, enum reason_phase phase);
/* Its request is over, with this code: true if it goes on with another one. */
bool check_goes_on(struct check *check, CURLcode code);
/* It does not. */
void check_judge(struct check *check, CURLcode code, struct outcome *ret_outcome);
/* It is over, or cancelled: nothing of it happens any more. */
void check_stop(struct check *check);
void check_free(struct check *check);

/* checks.c: its request is over, also where libcurl does not know that. */
void check_finish(struct check *check, CURLcode code);
/* It is not made, for `refused` says why. */
void check_skip(struct check *check);

#endif
