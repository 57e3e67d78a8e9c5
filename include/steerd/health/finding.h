/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_FINDING_H
#define HEALTH_FINDING_H

#include <stdint.h>

/*
 * finding - one thing that a check found, for an operator who asked for all of them.
 *
 * Texts are what a backend sent: who keeps a finding has made their control characters '?'.
 */
enum finding_section {
	FINDING_REQUEST, /* what was asked: name "GET", value "https://..." */
	FINDING_PHASE,	 /* name "connect", number: microseconds, value: words or "" */
	FINDING_TLS,	 /* name "protocol", value "TLSv1.3"; ... */
	/* one each of the chain, the server's first: name: subject, value: issuer, number: its end (Unix seconds) */
	FINDING_CERTIFICATE,
	FINDING_HEADER, /* of the response */
	FINDING_VERDICT, /* name "up", "degraded" or "down", value: why; name "note", value: what else was seen */
};

struct finding {
	enum finding_section section;
	const char *name;
	const char *value;
	uint64_t number;
};

#endif
