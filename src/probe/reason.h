/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_REASON_H
#define PROBE_REASON_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "sight.h"
#include "steerd/base/text.h"
#include "steerd/config/settings.h"

/*
 * reason - from what libcurl and OpenSSL say of a check to one line for the operator.  Pure.
 */

/* How far a request came. */
enum reason_phase { PHASE_RESOLVE, PHASE_CONNECT, PHASE_TLS, PHASE_ANSWER, PHASE_BODY };
#define REASON_PHASES (PHASE_BODY + 1)

struct reason_facts {
	const struct settings_monitor *monitor;
	const struct sight *certificate;
	const struct answer *answer;
	const struct range_ask *ask; /* NULL: no range was asked for */
	const char *name;	     /* that the certificate must have */
	const char *refused;	     /* why this side went no further; "": it did not stop */
	const char *
		goaway; /* the error of HTTP/2 with which the server said goodbye; "": it did not */
	const char *detail; /* what libcurl adds to the code */
	CURLcode code;
	long os_error;	   /* errno of connect() */
	uint32_t limit_ms; /* of the phase, where that ended it; 0: the whole took too long */
	enum reason_phase phase;
	bool has_full_headers; /* the header fields went beyond their limit */
};

/* True if the check passed; else why not, added to `ret_reason`. */
bool reason_judge(const struct reason_facts *facts, struct text *ret_reason);

#endif
