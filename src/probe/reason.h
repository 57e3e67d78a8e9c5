/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_REASON_H
#define PROBE_REASON_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "certificate.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

/*
 * reason - from what libcurl and OpenSSL say of a check to one line for the operator.  Pure.
 */

/* How far a check came. */
enum reason_phase { PHASE_CONNECT, PHASE_TLS, PHASE_ANSWER, PHASE_BODY };

/* What is kept of an answer; a backend that sends more is not read on. */
#define REASON_HEADERS_MAX 65536
#define REASON_BODY_MAX 65536

struct reason_facts {
	const struct settings_monitor *monitor;
	const struct certificate_sight *certificate;
	const struct text
		*body; /* its first REASON_BODY_MAX octets, if the monitor wants to see it */
	CURLcode code;
	const char *detail; /* what libcurl adds to the code */
	long os_error;	    /* errno of connect() */
	long status;	    /* 0: none came */
	enum reason_phase phase;
	bool has_full_headers; /* the header fields went beyond their limit */
	bool has_full_body;    /* the body did: what came is judged */
};

/* True if the check passed; else why not, added to `ret_reason`. */
bool reason_judge(const struct reason_facts *facts, struct text *ret_reason);

#endif
