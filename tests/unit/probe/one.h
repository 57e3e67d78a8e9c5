/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ONE_H
#define ONE_H

#include <stdbool.h>

#include "check_memory.h"
#include "findings.h"
#include "probes.h"
#include "recipe.h"

/*
 * one - one probe of one monitor, started and awaited, for tests of the kinds.
 */
struct one {
	struct event_base *base;
	struct probes *probes;
	struct settings_monitor monitor; /* the test's to fill */
	struct target target;
	struct address address;
	X509_STORE *trust; /* NULL: none; the test's */
	enum verdict_state last_state;
	struct findings findings; /* of all probes so far */

	/* ours */
	struct orders orders;
	const char *trust_why;
	struct recipe *recipe; /* of kinds https and http */
	const char *recipe_why;
	struct err why;
	struct check_memory memory;
	struct probe *probe;

	/* what came of the last probe */
	bool is_done;
	bool says_nothing;
	struct judge_check result; /* texts are never NULL */
	char reason[256];
	char note[256];
	char certificate[256];
	char issuer[256];
};

void one_init(struct one *one, enum settings_kind kind);
/* With these name servers, "127.0.0.1:53". */
void one_init_with(struct one *one, enum settings_kind kind, const char *servers);
void one_done(struct one *one);

void one_start(struct one *one);
void one_cancel(struct one *one);
/* Runs the event loop until the probe is over; fails the test after 20 s. */
void one_await(struct one *one, const char *about);
/* "up", "up: NOTE", "degraded: REASON", "down: REASON", "skipped: NOTE", "nothing". */
void one_print(const struct one *one, char *ret_text, size_t size);
/* Both, and fails the test unless the outcome is that. */
void one_expect(struct one *one, const char *want, const char *about);

/* More checks than there are places, each of which failed before, and none of which ends. */
#define ONE_HANGING 24

struct one_hanging {
	struct check_memory memories[ONE_HANGING];
	struct probe *probes[ONE_HANGING];
};

/* By orders that were given before or are to be given, for an address that one_listen_mute() is at. */
void one_hang(struct one *one, const struct settings_monitor *monitor,
	const struct address *address, struct one_hanging *ret_hanging);
void one_hang_done(struct one_hanging *hanging);

/* A socket that takes connections and never says anything, which the caller closes; `port` 0: it becomes one that is free. */
int one_listen_mute(const struct address *address, uint16_t *port);

#endif
